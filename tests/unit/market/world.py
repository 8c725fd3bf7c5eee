"""The whole of Sluice in one process: the real handlers, scheduler, worker and StockX adapter, against the sandbox.

Only AWS is played (queue, bus, key), and time is virtual: a minute of waiting passes at once, and an hour of work in
the time of its calls.
"""

import json
import random
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from local.sandbox.limits import Limits
from local.sandbox.log import Entry
from local.sandbox.server import Sandbox
from sluice.jobs.budgets import ledger
from sluice.jobs.dispatch import scheduler
from sluice.jobs.model import events
from sluice.jobs.run import worker
from sluice.marketplaces.accounts.dispatching import ACCOUNTS
from sluice.platform import aws, observe
from sluice.platform.clock import MINUTE
from sluice.platform.config import document, live
from sluice.platform.config.live import Document, InForce
from sluice.platform.config.pauses import Pause, Pauses
from sluice.platform.context import Context
from tests.support.clock import VirtualClock
from tests.support.credentials import accept_all
from tests.support.http import Answer, call
from tests.support.store import Store
from tests.support.stream import changes

NOON = 1_795_348_800_000  # 2026-11-22T12:00:00Z
SEED = 7
WORKER_MS = 2 * MINUTE
CREDENTIALS = ("api_key", "client_id", "client_secret", "refresh_token")
ELSEWHERE = {"alias": ("personal_access_token",), "ebay": ("client_id", "client_secret")}
Json = dict[str, Any]


@dataclass(frozen=True)
class Message:
    """What lies in a queue."""

    body: str
    reason: str | None = None


@dataclass
class Bus:
    """The AWS services that are not DynamoDB.

    work, manual, dead: the queues. woken: when the scheduler is to run, epoch ms, and how long that is held back, s.
    """

    work: deque[Message] = field(default_factory=deque)
    manual: deque[Message] = field(default_factory=deque)
    dead: list[Message] = field(default_factory=list)
    woken: list[tuple[int, int]] = field(default_factory=list)
    put: list[tuple[str, Json]] = field(default_factory=list)
    invoked: list[str] = field(default_factory=list)
    metrics: Counter[str] = field(default_factory=Counter)

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Take the place of AWS in this process."""
        for name, value in (
            ("send_message", self._send),
            ("put_events", self.put.extend),
            ("invoke_later", lambda function, _: self.invoked.append(function)),
            ("encrypt", _encrypt),
            ("decrypt", _decrypt),
        ):
            patch.setattr(aws, name, value)
        patch.setattr(observe.metrics, "add_metric", self._count)

    @property
    def events(self) -> list[tuple[str, Json]]:
        """What is on the bus once the stream of table `jobs` is handed over."""
        events.publish(changes("jobs"))
        return self.put

    def _send(self, queue: str, body: str, delay: int = 0, **attributes: str) -> None:
        if queue == "wake":
            self.woken.append((int(body), delay))
            return
        message = Message(body, attributes.get("reason"))
        {"work": self.work, "manual": self.manual, "dead": self.dead}[queue].append(message)

    def _count(self, name: str, unit: object, value: float) -> None:
        self.metrics[name] += int(value)


def _encrypt(text: str, context: Mapping[str, str]) -> bytes:
    return json.dumps([text[::-1], context]).encode()


def _decrypt(secret: bytes, context: Mapping[str, str]) -> str:
    text, sealed_for = json.loads(secret)
    assert context == sealed_for
    return str(text)[::-1]


class World:
    """What a tenant and its operator see, and what only the marketplace sees."""

    def __init__(
        self, store: Store, sandbox: Sandbox, clock: VirtualClock, bus: Bus, patch: pytest.MonkeyPatch
    ) -> None:
        self.store = store
        self.sandbox = sandbox
        self.clock = clock
        self.bus = bus
        self._patch = patch
        self.chance = random.random

    # ── what people do ──

    def configure(self, **changes: Any) -> None:
        """Put this configuration in force."""
        text = json.dumps(changes)
        in_force = InForce(document.parse(text), Document(1, text))
        self._patch.setattr(live, "in_force", lambda: in_force)

    def pause(self, *names: str) -> None:
        """Have operators paused what is called so."""
        config = replace(live.in_force().config, pauses=Pauses.of(map(Pause, names)))
        in_force = InForce(config, Document(1, "{}"))
        self._patch.setattr(live, "in_force", lambda: in_force)

    def connect(self, *tenants: str) -> None:
        """Connect the StockX account of each tenant."""
        for tenant in tenants:
            self.connect_one(tenant, "stockx", CREDENTIALS)

    def connect_everywhere(self, tenant: str) -> None:
        """Connect the tenant to every marketplace."""
        self.connect(tenant)
        for marketplace, names in ELSEWHERE.items():
            self.connect_one(tenant, marketplace, names)

    def connect_one(self, tenant: str, marketplace: str, names: Iterable[str], application: str = "") -> None:
        """Connect the tenant to a marketplace that takes the credentials `names`, and is not asked about them."""
        given = self.sandbox.connect(tenant, application)
        with self._patch.context() as patch:
            accept_all(patch)
            assert self.offer(marketplace, {name: getattr(given, name) for name in names}, tenant).status == 200

    def offer(self, marketplace: str, credentials: Json, tenant: str = "acme") -> Answer:
        """Ask to connect the tenant with these credentials."""
        return call("PUT", f"/v1/accounts/{marketplace}", body=credentials, tenant=tenant)

    def ask(self, *items: Json, tenant: str = "acme") -> Answer:
        """Ask for prices; the answer may be a refusal."""
        return call("POST", "/v1/market/refresh", body={"items": list(items)}, tenant=tenant)

    def enqueue(self, *items: Json, tenant: str = "acme") -> list[str]:
        """Ask for prices, all of which must be taken; the job ids."""
        answer = self.ask(*items, tenant=tenant)
        assert answer.status == 202, answer.text
        assert answer.json["counts"]["refused"] == 0, answer.text
        return [row["jobId"] for row in answer.json["items"]]

    def job(self, job_id: str, tenant: str = "acme") -> Json:
        """The job as its asker sees it."""
        found: Json = call("GET", f"/v1/jobs/{job_id}", tenant=tenant).json
        return found

    def prices(self, sku: str, **query: str) -> list[Json]:
        """The stored prices."""
        found: list[Json] = call("GET", "/v1/market/prices", query={"sku": sku, **query}).json["prices"]
        return found

    # ── what AWS does ──

    def tick(self) -> Json:
        """One run of the scheduler."""
        return scheduler.run(ACCOUNTS, Context(self.clock, live.current(), self.chance))

    def work(self, *messages: Message, remaining_ms: int = WORKER_MS) -> None:
        """A worker takes one message after the other: those given, else all that are queued, manual ones first."""
        for queue in (deque(messages),) if messages else (self.bus.manual, self.bus.work):
            while queue:
                assert self.deliver(queue.popleft(), remaining_ms=remaining_ms) == []

    def deliver(self, *messages: Message, remaining_ms: int = WORKER_MS) -> list[int]:
        """One delivery to one worker; the places of the messages that it gives back to SQS."""
        bodies = {str(place): message.body for place, message in enumerate(messages)}
        failed = worker.work(bodies, Context(self.clock, live.current(), self.chance), self.clock.now() + remaining_ms)
        return [int(place) for place in failed]

    def run(self) -> None:
        """The scheduler, workers for all that it sends, and the scheduler again where one of them asks for more."""
        asked = True
        while asked:
            self.tick()
            asked = any(json.loads(message.body)["more"] for message in self.bus.manual)
            self.work()

    def run_until(self, done: Callable[[], bool], minutes: int) -> int:
        """The scheduler each minute until `done`, which must come within `minutes`; how many it took."""
        began = self.clock.now()
        while not done():
            waited = (self.clock.now() - began) // MINUTE
            assert waited < minutes, f"not done within {minutes} minutes"
            self.run()
            self.clock.time = began + max(waited + 1, (self.clock.now() - began) // MINUTE) * MINUTE
        return (self.clock.now() - began) // MINUTE

    def finish(self, *items: Json, tenant: str = "acme") -> list[Json]:
        """Ask for prices and run once; the jobs afterwards."""
        job_ids = self.enqueue(*items, tenant=tenant)
        self.run()
        return [self.job(job_id, tenant) for job_id in job_ids]

    # ── what the marketplace, and the table, saw ──

    def calls(self, **wanted: Any) -> list[Entry]:
        """The calls that the marketplace counted, filtered as the sandbox's log."""
        return [entry for entry in self.sandbox.requests(**wanted) if entry.counted]

    def routes(self) -> list[str]:
        """What the calls so far were for."""
        names = {"search": "search", "variants": "variants", "market-data": "price"}
        return [names[entry.path.rpartition("/")[2]] for entry in self.calls()]

    def states(self) -> Counter[str]:
        """How many jobs are in each state."""
        return Counter(job["state"]["S"] for job in self.store.items("jobs"))

    def charged(self, tenant: str = "acme") -> int:
        """The calls of this hour that the tenant's budget was charged for."""
        return ledger.read(f"stockx:{tenant}", self.clock.now()).hour

    def letters(self) -> list[Json]:
        """Every dead letter, as plain values; what is stored as JSON is read."""
        return [
            {
                name: json.loads(value["S"]) if name in ("payload", "error", "history") else next(iter(value.values()))
                for name, value in item.items()
            }
            for item in self.store.items("dead_letters")
        ]

    def unlimited(self) -> None:
        """The marketplace counts nothing; what Sluice allows itself stays."""
        self.sandbox.set_limits(Limits())


def item(sku: str = "DD1391-100", size: str = "10", **more: Any) -> Json:
    """One item of a request."""
    return {"sku": sku, "size": size, "sizeSystem": "us", "priority": "hot", **more}
