"""What goes wrong in a history, and when: every request is a point at which something can.

```
 weather     calm ──► rough ──► calm ──► storm ──► …          each for some minutes, by the seed
 a request   ├ refused ├ lost ├ repeated ├ throttled ├ conflict ├ killed before ├ killed after ├ preempted
```
Preempted: other functions run before the request arrives, so that whoever makes it acts on what it read before.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from random import Random
from typing import Final, NamedTuple, TypeVar

from local.sandbox import faults as at_marketplaces
from local.sandbox import outcomes
from local.sandbox.faults import Fault
from sluice.marketplaces.http.transport import TOTAL_MS
from tests.crash.points import KINDS as BREAKS
from tests.crash.points import LOST, Killed, Points, what
from tests.simulation.trouble import WRITES, client_error
from tests.support import one_thread
from tests.support.clock import VirtualClock
from tests.support.store import Answer, Request, Send

R = TypeVar("R")


class Weather(NamedTuple):
    """How likely things go wrong. aws, marketplace, receiver, shop: the share of requests to each that is broken.

    preempted: of the requests to the table. slow: of the answers of marketplaces, that take up to `SLOWEST_MS`.
    faults: what the marketplaces themselves do.
    """

    name: str
    aws: float = 0.0
    marketplace: float = 0.0
    receiver: float = 0.0
    preempted: float = 0.0
    slow: float = 0.0
    faults: tuple[Fault, ...] = ()

    def share(self, party: str) -> float:
        """Of the requests to `party` that is broken."""
        return {"aws": self.aws, "marketplace": self.marketplace}.get(party, self.receiver)


CALM: Final = Weather("calm")
# Of fifty requests one is a marketplace's: where it breaks often, there is one such break for some of the table's.
SETTLED: Final = Weather("settled", aws=0.002, marketplace=0.02, preempted=0.004)
ROUGH: Final = Weather("rough", aws=0.012, marketplace=0.15, receiver=0.1, preempted=0.02)
SLOW: Final = Weather("slow", aws=0.004, marketplace=0.05, preempted=0.01, slow=0.3)
REFUSING: Final = Weather("refusing", aws=0.004, faults=(at_marketplaces.Throttle(chance=0.5, retry_after_s=20),))
FAILING: Final = Weather(
    "failing",
    aws=0.004,
    preempted=0.01,
    faults=(
        at_marketplaces.ServerError(chance=0.3),
        at_marketplaces.ServerError(status=500, chance=0.1),
        at_marketplaces.Disconnect(chance=0.2),
        at_marketplaces.ExpiredToken(chance=0.05),
    ),
)
GARBLED: Final = Weather(
    "garbled",
    aws=0.002,
    faults=(
        at_marketplaces.MalformedJson(chance=0.1),
        at_marketplaces.MalformedJson(html=True, chance=0.05),
        at_marketplaces.EmptyAnswer(chance=0.1, method="POST"),
    ),
)
# What becomes of StockX's operations, and in which words.
UNRULY: Final = Weather(
    "unruly",
    aws=0.004,
    marketplace=0.06,
    preempted=0.01,
    faults=(
        outcomes.StayPending(seconds=400, chance=0.15),
        outcomes.StayPending(looks=3, chance=0.2),
        outcomes.NeverEnd(chance=0.04),
        outcomes.AtOnce(chance=0.15),
        outcomes.FailOperation(chance=0.15),
        outcomes.Vocabulary(chance=0.2),
        outcomes.TextCounts(chance=0.2),
        outcomes.ListLate(seconds=90, chance=0.3),
        outcomes.NoResult(chance=0.15),
        outcomes.NoResult(nulls=True, chance=0.15),
        at_marketplaces.NotFound(method="GET", path="*/operations/*", chance=0.1),
        at_marketplaces.Disconnect(path="*/selling/*", chance=0.1),
    ),
)
DEAF: Final = Weather("deaf", aws=0.002, receiver=0.8)
# How a request breaks.
STRIKES: Final = ("refused", *BREAKS)
KINDS: Final = (SETTLED, SETTLED, ROUGH, ROUGH, SLOW, REFUSING, FAILING, GARBLED, UNRULY, UNRULY, DEAF)
SLOWEST_MS: Final = 25_000
# What says in a request that a set follows.
SETS: Final = (b'"SS"', b'"NS"', b'"BS"')


@dataclass
class Process:
    """One invocation of a function, which Lambda ends at `deadline` (epoch ms) wherever it is.

    struck: whether something has gone wrong in it.
    """

    deadline: int
    dead: bool = False
    struck: bool = False


@dataclass
class Storm(Points):
    """Every request passes here. chance: by the seed. steps: how many requests there were.

    happen: what runs where somebody is preempted. digest: of all requests so far: equal histories have equal ones.
    """

    chance: Random = field(default_factory=Random)
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(0))
    weather: Weather = CALM
    steps: int = 0
    happen: Callable[[], None] = lambda: None
    processes: list[Process] = field(default_factory=list)
    broken: Counter[str] = field(default_factory=Counter)
    _digest: "blake2b" = field(default_factory=lambda: blake2b(digest_size=8))

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()

    @contextmanager
    def process(self, ms: int) -> Iterator[Process]:
        """One invocation, which may take `ms`."""
        made = Process(self.clock.time + ms)
        self.processes.append(made)
        try:
            yield made
        finally:
            self.processes.pop()

    def around(self, request: Request, send: Send) -> Answer:
        """A request to AWS. Outside of any function it is the test's own, which looks."""
        if not self.processes:
            return send()
        name = f"{request.service} {what(request)}"
        if not self.processes[-1].dead:
            self._digest.update(_ordered(json.dumps(request.parameters, default=str)))
        if request.service == "dynamodb":
            refusal = self._refusal(request, name)
            if refusal:
                raise refusal
        return self.passing(name, "aws", send, repeats=not request.once)

    def passing(self, name: str, party: str, send: Callable[[], R], *, repeats: bool = False) -> R:
        """A request to a `party`. repeats: whoever sends it sends it again where the answer is lost."""
        one_thread.require(self.thread)
        process = self.processes[-1]
        if process.dead:
            raise Killed
        if self.clock.time > process.deadline:
            self.broken["out of time"] += 1
            raise self._die()
        self.steps += 1
        self._digest.update(f"{self.clock.time} {name}\n".encode())
        if party == "aws" and name.startswith("dynamodb") and self._strikes(self.weather.preempted):
            self.broken["preempted"] += 1
            self.happen()
        if party == "marketplace" and self._strikes(self.weather.slow):
            return self._slowly(send)
        if not self._strikes(self.weather.share(party)):
            return send()
        process.struck = True
        kind = self.chance.choice(STRIKES)
        self.broken[f"{party} {kind}"] += 1
        return self._break(kind, party, send, repeats)

    def _slowly(self, send: Callable[[], R]) -> R:
        """The answer takes its time, and in the end whoever waits has given up. (On its way there a call is not held
        up: that two arrive closer to each other than they were sent is up to no limit of ours.)"""
        self.broken["marketplace slow"] += 1
        answer, late = send(), self.chance.randint(0, SLOWEST_MS)
        self.clock.time += min(late, TOTAL_MS)
        if late > TOTAL_MS:
            raise LOST["marketplace"]()
        return answer

    def _refusal(self, request: Request, name: str) -> Exception | None:
        """How the table refuses a request that it could serve, by chance."""
        process = self.processes[-1]
        if process.dead or not self._strikes(self.weather.aws / 2):
            return None
        process.struck = True
        conflict = request.operation in WRITES and self.chance.random() < 0.7
        self.broken["conflict" if conflict else "throttled"] += 1
        self._digest.update(f"{self.clock.time} {name} refused\n".encode())
        refused: Exception = client_error("ProvisionedThroughputExceededException", request.operation)
        if conflict and request.operation == "TransactWriteItems":
            refused = client_error("TransactionCanceledException", request.operation, "TransactionConflict")
        elif conflict:
            refused = client_error("TransactionConflictException", request.operation)
        return refused

    def _die(self) -> Killed:
        process = self.processes[-1]
        process.dead = process.struck = True
        return Killed()

    def _strikes(self, share: float) -> bool:
        return share > 0 and self.chance.random() < share


def _ordered(text: str) -> bytes:
    """An ASCII text; of one that has a set in it, how often each letter is: in which order its parts are sent is up to
    Python."""
    raw = text.encode("ascii")
    if not any(kind in raw for kind in SETS):
        return raw
    return repr([raw.count(letter) for letter in range(128)]).encode()
