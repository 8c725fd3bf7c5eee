"""64 workers on one budget, more work than it allows: calls over a limit, and the share of the limit that is used.

The workers are threads on a virtual clock; the reservations are the engine's own, on real conditional writes. The
sandbox's quota counts a call at the time when it arrives.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event, Lock

from bench.row import Row
from bench.store import store
from bench.virtual import VirtualClock
from local.sandbox.limits import Limits as Quota
from local.sandbox.limits import Quotas
from sluice.jobs.budgets import ledger
from sluice.jobs.budgets.grant import Grant
from sluice.jobs.budgets.windows import Window
from sluice.jobs.model.outcomes import Failure
from sluice.platform.clock import HOUR, MINUTE, SECOND
from sluice.platform.config.limits import CallWindow, Limits, by_clock
from sluice.platform.config.services import MARKETPLACES

WORKERS = 64
BATCH = 25
# From the slot's start to the arrival at the marketplace, at most (ms). The answer is awaited by another of a worker's
# threads than the one that makes the next call, so it is left out.
TRAVEL = 20
# When a worker that found no calls, or no slot before the end, tries again.
LOOK_AGAIN = 5 * MINUTE
OUT_OF_TIME = 10 * SECOND
START = 1_800_000_000_000 - 1_800_000_000_000 % HOUR


@dataclass(frozen=True)
class Case:
    """limits: ours. quota: the marketplace's. span: ms. allowed: calls that the quota allows in the span.

    rolling: a window that the marketplace counts besides, wherever it begins.
    """

    name: str
    limits: Limits
    quota: Quota
    span: int
    allowed: int
    rolling: CallWindow | None = None


ROLLING = CallWindow(200, seconds=10)
STOCKX = MARKETPLACES["stockx"]
CASES = (
    Case(
        f"StockX: {STOCKX.per_hour} an hour, one in {STOCKX.interval_ms} ms; 3 hours",
        STOCKX,
        Quota(interval_ms=STOCKX.interval_ms, per_hour=STOCKX.per_hour, per_day=STOCKX.per_day),
        3 * HOUR,
        3 * STOCKX.per_hour,
    ),
    Case("1,000 an hour and no slots; 3 hours", Limits(by_clock(1_000)), Quota(per_hour=1_000), 3 * HOUR, 3_000),
    Case(
        "5 a second, 5 at once; 3 minutes",
        Limits(interval_ms=200, burst=5),
        Quota(interval_ms=200, burst=5),
        3 * MINUTE,
        5 * 3 * MINUTE // SECOND,
    ),
    Case("200 in any 10 s, in bursts; 1 minute", Limits((ROLLING,)), Quota(), MINUTE, 6 * ROLLING.calls, ROLLING),
)


@dataclass
class Marketplace:
    """Counts arrivals against its quota, and refuses nothing: a call over the limit is what is looked for."""

    quotas: Quotas
    calls: int = 0
    over: int = 0
    arrivals: list[int] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def call(self, budget: str, at: int) -> None:
        with self.lock:
            self.calls += 1
            self.arrivals.append(at)
            self.over += self.quotas.charge("stockx", budget, at) is not None


def run() -> list[Row]:
    rows: list[Row] = []
    with store() as place:
        for number, case in enumerate(CASES):
            marketplace = _case(case, f"stockx:{number}")
            conditions = f"{WORKERS} workers, work always waiting, virtual clock, {place.name}; {case.name}"
            share = 100 * marketplace.calls / case.allowed
            rows += [
                Row("budget: calls over a limit", conditions, marketplace.over, "calls", most=0),
                Row("budget: share of the limit used", conditions, share, "%", least=99),
            ]
    return rows


def _case(case: Case, budget: str) -> Marketplace:
    clock, quotas = VirtualClock(START), Quotas()
    quotas.set("stockx", case.quota)
    marketplace = Marketplace(quotas)
    clock.run([_worker(number, case, budget, clock, marketplace) for number in range(WORKERS)])
    if case.rolling:
        marketplace.over += _over(marketplace.arrivals, case.rolling)
    return marketplace


def _over(arrivals: Sequence[int], window: CallWindow) -> int:
    """Calls that arrived when the window before them was full."""
    made = sorted(arrivals)
    return sum(late - early < window.ms for early, late in zip(made, made[window.calls :], strict=False))


def _worker(number: int, case: Case, budget: str, clock: VirtualClock, marketplace: Marketplace) -> Callable[[], None]:
    chance, end, never = random.Random(number), START + case.span, Event()

    def batch() -> None:
        window = Window.at(clock.now())
        left = ledger.read(budget, clock.now()).left(case.limits)
        count = min(chance.randint(1, BATCH), BATCH if left is None else left)
        if not (count and ledger.reserve_calls(budget, case.limits, window, count)):
            clock.wait_until(min(end, clock.now() + (chance.randint(0, LOOK_AGAIN) if not count else 0)), never)
            return
        grant = Grant(budget, case.limits, window, count, clock, deadline=end - 1)
        # One batch in four does not need all its calls: prices that were fresh, jobs that were cancelled.
        made = count
        try:
            for _ in range(made):
                grant.take()
                clock.wait_until(clock.now() + chance.randint(0, TRAVEL), never)
                marketplace.call(budget, clock.now())
        except Failure as failure:
            grant.give_back()
            clock.wait_until(min(end, failure.retry_at or clock.now() + OUT_OF_TIME), never)
        else:
            grant.give_back()

    def work() -> None:
        while clock.now() < end:
            batch()

    return work
