"""Workers are few, and a hostile tenant has much for them: the others' work takes as long as if it were not there.

In `test_hostile` everything that was handed out is done at once. Here workers are as many as are deployed, and a job
that is handed out too early keeps one of them busy.
"""

import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from sluice.jobs.budgets import ledger
from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import HandlerResult, Waiting
from sluice.jobs.model.run import Run
from sluice.jobs.queue.enqueue import enqueue
from sluice.jobs.queue.nudge import nudge
from sluice.platform.clock import SECOND
from sluice.platform.config.document import Config
from sluice.platform.config.limits import Limits
from tests.simulation.fleet import Fleet, deployed, p95
from tests.simulation.world import NOON
from tests.support.work import spec

GOOD = ("acme", "globex")
HOSTILE = "mallory"
ROUNDS = 24
EACH_MS = 2 * SECOND
FLOOD_MS = 6 * SECOND
LATENCY_MS = 300
AD_MS = 25 * SECOND
CHECK_MS = 20 * SECOND
PACED = Config(limits={"stockx": Limits(interval_ms=1_000, by_account=True)})
TWICE = Config(limits={"stockx": Limits(interval_ms=500, by_account=True)})
SEATED = Config(limits={"stockx": Limits(by_account=True, at_once=10)})


@dataclass(frozen=True)
class Play:
    """What is asked for: `work` does it, `due_in` ms later. shared: whoever asks for the same shares it."""

    config: Config
    work: Callable[[Fleet, Run], HandlerResult]
    due_in: int = 0
    shared: bool = False
    flood: int = 40


def ask(fleet: Fleet, name: str, tenant: str, play: Play) -> None:
    """A manual request."""
    now = fleet.clock.now()
    due_at = now + play.due_in if play.due_in else 0
    wish = spec(name, tenant=tenant, priority=keys.MANUAL, due_at=due_at, shared=play.shared)

    def held(job: Job) -> bool:
        return ledger.read(job.budget, now).crowded(fleet.config.limits["stockx"], now)

    enqueue(wish, now, held)
    nudge(now)


@dataclass
class Seen:
    """asked: when a good tenant asked for each, by name; runs: when each of their runs began and ended. Virtual ms."""

    asked: dict[str, int] = field(default_factory=dict)
    runs: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))

    def done(self, name: str) -> bool:
        """Whether a run of it has ended that began after the wish."""
        return any(began >= self.asked[name] for began, _ in self.runs[name])

    def waits(self, due_in: int) -> list[int]:
        """From each wish, or from its time, to the end of the first run that began since."""
        return [
            min(ended for began, ended in self.runs[name] if began >= at) - at - due_in
            for name, at in self.asked.items()
        ]


def sell(fleet: Fleet, tenant: str, seen: Seen, play: Play) -> Callable[[], None]:
    """What a good tenant does: a wish each two seconds, until all are done."""

    def life() -> None:
        names = [f"{tenant}-{number}" for number in range(ROUNDS)]
        for name in names:
            seen.asked[name] = fleet.clock.now()
            ask(fleet, name, tenant, play)
            fleet.sleep(EACH_MS)
        while not all(seen.done(name) for name in names):
            fleet.sleep(SECOND)

    return life


def harm(fleet: Fleet, play: Play) -> Callable[[], None]:
    """What the hostile one does: much at once, again and again, and some of what the others will ask for."""

    def life() -> None:
        for turn in range(ROUNDS * EACH_MS // FLOOD_MS):
            for number in range(play.flood):
                ask(fleet, f"{HOSTILE}-{turn}-{number}", HOSTILE, play)
            for number in range(turn, ROUNDS, 7) if play.shared else ():
                ask(fleet, f"{GOOD[turn % 2]}-{number}", HOSTILE, play)
            fleet.sleep(FLOOD_MS)

    return life


def waits(play: Play, *, hostile: bool) -> list[int]:
    """How long each wish of the good tenants takes, from its time on, virtual ms."""
    seen = Seen()

    def handle(fleet: Fleet, run: Run) -> HandlerResult:
        began = fleet.clock.now()
        came_to = play.work(fleet, run)
        if isinstance(came_to, dict):
            seen.runs[run.payload["sku"]].append((began, fleet.clock.now()))
        return came_to

    with deployed(play.config, NOON, handle) as fleet:
        lives = [sell(fleet, tenant, seen, play) for tenant in GOOD]
        fleet.run(*lives, *([harm(fleet, play)] if hostile else ()), punctual_=bool(play.due_in))
    assert len(seen.asked) == len(GOOD) * ROUNDS
    return seen.waits(play.due_in)


def price(fleet: Fleet, run: Run) -> HandlerResult:
    """One call."""
    run.calls.take()
    fleet.sleep(LATENCY_MS)
    return {}


def listing(fleet: Fleet, run: Run) -> HandlerResult:
    """One call, and one more that shows what became of it."""
    price(fleet, run)
    if "sent" in run.payload:
        return {}
    return Waiting(fleet.clock.now() + CHECK_MS, {**run.payload, "sent": True})


def ad(fleet: Fleet, run: Run) -> HandlerResult:
    """A call that no slot spaces."""
    fleet.sleep(LATENCY_MS)
    return {}


PRICES = Play(PACED, price, shared=True)
LISTINGS = Play(TWICE, listing)
ADS = Play(SEATED, ad, due_in=AD_MS, flood=150)


@pytest.mark.parametrize("what", ["prices", "listings", "ads"])
def test_the_others_work_takes_as_long_as_if_it_were_not_there(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    play = {"prices": PRICES, "listings": LISTINGS, "ads": ADS}[what]
    alone, beside = (waits(play, hostile=hostile) for hostile in (False, True))
    with capsys.disabled():
        told = f"{p95(alone)} without a hostile third, {p95(beside)} beside it"
        sys.stdout.write(f"\n{what} of two tenants, p95 in virtual ms: {told}\n")
    assert p95(beside) <= 1.2 * p95(alone)
