"""What one market job costs: capacity units and marketplace calls from the request to the stored price.

Five tenants ask for 100 known sizes each, in one request of 100 items, 90 hot and 10 manual, while background jobs
wait in the same budgets and in others. That is what StockX allows an account in an hour. Counted is all that Sluice
does on any table: the requests, for each job asked for, and then lanes, budgets, accounts, records of runs, and refused
writes until the prices are stored, for each price stored.
"""

import sys
from threading import Event
from typing import NamedTuple
from unittest.mock import Mock, patch

from bench.engine import Engine, engine, items
from bench.meter import Units, metered
from bench.one import isolated
from bench.row import Row
from bench.seed import waiting_jobs
from sluice.jobs.budgets import ledger
from sluice.platform import aws
from sluice.platform.clock import HOUR, MINUTE
from sluice.platform.config.document import Config
from sluice.prices.ask import RefreshItem, refresh
from sluice.prices.table import Price

TENANTS = [f"tenant-{number}" for number in range(5)]
# Their marketplace has closed their budgets, so their work waits however often the scheduler looks.
OTHERS = [f"other-{number}" for number in range(5)]
PRODUCTS_EACH = 10
SIZES = {"hot": 9, "manual": 1}
JOBS = len(TENANTS) * PRODUCTS_EACH * sum(SIZES.values())
WAITING = (1_000, 100_000)


def run() -> list[Row]:
    measured = {waiting: isolated(_measure, waiting) for waiting in WAITING}
    rows: list[Row] = []
    for waiting, (name, cost) in measured.items():
        conditions = (
            f"{JOBS} known sizes, 5 accounts, requests of 100, default limits, {waiting:,} jobs waiting, {name}"
        )
        print(f"where the units of a job go, {waiting:,} waiting:\n{cost.profile()}", file=sys.stderr)
        rows += [
            Row("write units of a market job", conditions, cost.writes, "WU", most=8.8),
            Row("read units of a market job", conditions, cost.reads, "RU", most=1.5),
            Row("marketplace calls of a market job", conditions, cost.calls / cost.stored, "calls", most=1),
        ]
    each = [(cost.writes, cost.reads) for _, cost in measured.values()]
    for what, small, large in zip(("write", "read"), *each, strict=True):
        between = f"{WAITING[1]:,} against {WAITING[0]:,} waiting"
        rows.append(Row(f"growth of a job's {what} units", between, 100 * abs(large / small - 1), "%", most=1))
    return rows


class Cost(NamedTuple):
    """What was counted. asking: for `JOBS` requests. serving: for `stored` prices, with `calls` of the marketplaces.

    What the asked jobs leave of the hour is used by jobs that waited. They cost the same but for their request.
    """

    asking: Units
    serving: Units
    calls: int
    stored: int

    @property
    def writes(self) -> float:
        """Write units of a job."""
        return self.asking.writes / JOBS + self.serving.writes / self.stored

    @property
    def reads(self) -> float:
        """Read units of a job."""
        return self.asking.reads / JOBS + self.serving.reads / self.stored

    def profile(self) -> str:
        """Where the units of a job go."""
        return f"{self.asking.profile(JOBS)}\n  served:\n{self.serving.profile(self.stored)}"


def _measure(waiting: int) -> tuple[str, Cost]:
    # Who asks for a run of the scheduler invokes its function, which here is called by hand.
    with engine(Config()) as sluice, patch.object(aws, "invoke_later") as invoked:
        _prepare(sluice, waiting)
        before, known = len(sluice.sandbox.requests()), _prices()
        with metered() as asking:
            for number, tenant in enumerate(TENANTS):
                refresh(_request(number), tenant, sluice.clock.now(), sluice.config)
        with metered() as serving:
            admitted = _serve(sluice, invoked, serving)
        stored = _prices() - known
        if stored < JOBS:
            raise RuntimeError(f"{JOBS} jobs were asked for, {admitted} admitted and {stored} prices stored")
        return sluice.place.name, Cost(asking, serving, len(sluice.sandbox.requests()) - before, stored)


def _serve(sluice: Engine, invoked: Mock, units: Units) -> int:
    """Run until as many prices are stored as were asked for, within the hour; returns how many jobs were admitted.

    Manual work comes bit by bit: whoever runs the last of it asks for more. A run comes when somebody asks for it, and
    with each minute.
    """
    admitted, end = 0, sluice.clock.now() + HOUR
    while units.requests["prices", "UpdateItem"] < JOBS and (now := sluice.clock.now()) < end:
        asked = invoked.called
        invoked.reset_mock()
        if not asked:
            sluice.clock.wait_until(now - now % MINUTE + MINUTE, Event())
        admitted += sluice.tick(asked=asked)
        sluice.work(workers=len(TENANTS))
    return admitted


def _prices() -> int:
    return sum(1 for _ in Price.scan())


def _prepare(sluice: Engine, waiting: int) -> None:
    """Accounts, known products, and `waiting` background jobs: half of them before those that will be asked for."""
    now = sluice.clock.now()
    for tenant in [*TENANTS, *OTHERS]:
        sluice.connect(tenant)
    for tenant in OTHERS:
        ledger.close(f"stockx:{tenant}", now + HOUR, "closed for the benchmark")
    for number, tenant in enumerate(TENANTS):
        sluice.know(_products(number), tenant)
    waiting_jobs(sluice.place.dynamodb, waiting, [*TENANTS, *OTHERS], now)


def _products(number: int) -> range:
    return range(1 + number * PRODUCTS_EACH, 1 + (number + 1) * PRODUCTS_EACH)


def _request(number: int) -> list[RefreshItem]:
    """100 sizes of ten products. The first size of each is the one whose price `know` has stored."""
    found: list[RefreshItem] = []
    for priority, sizes in SIZES.items():
        found += items(_products(number), sizes, priority, first=1 + len(found) // PRODUCTS_EACH)
    return found
