"""What one market job costs: capacity units and marketplace calls from the request to the stored price.

Five tenants ask for 100 known sizes each, in one request of 100 items, 90 hot and 10 manual, while background jobs
wait in the same budgets and in others. That is what StockX allows an account in an hour. Counted
is all that Sluice does on any table until the prices are stored, divided by the prices stored: requests, lanes,
budgets, accounts, records of runs, and refused writes.
"""

import sys
from unittest.mock import patch

from bench.engine import Engine, engine, items
from bench.meter import Units, metered
from bench.one import isolated
from bench.row import Row
from bench.seed import waiting_jobs
from sluice.jobs.budgets import ledger
from sluice.platform import aws
from sluice.platform.clock import HOUR
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
    for waiting, (name, units, calls, stored) in measured.items():
        conditions = (
            f"{JOBS} known sizes, 5 accounts, requests of 100, default limits, {waiting:,} jobs waiting, {name}"
        )
        print(f"where the units of a job go, {waiting:,} waiting:\n{units.profile(stored)}", file=sys.stderr)
        rows += [
            Row("write units of a market job", conditions, units.writes / stored, "WU", most=9),
            Row("read units of a market job", conditions, units.reads / stored, "RU", most=2),
            Row("marketplace calls of a market job", conditions, calls / stored, "calls", most=1),
        ]
    each = [(units.writes / stored, units.reads / stored) for _, units, _, stored in measured.values()]
    for what, small, large in zip(("write", "read"), *each, strict=True):
        between = f"{WAITING[1]:,} against {WAITING[0]:,} waiting"
        rows.append(Row(f"growth of a job's {what} units", between, 100 * abs(large / small - 1), "%", most=5))
    return rows


def _measure(waiting: int) -> tuple[str, Units, int, int]:
    # A manual request starts the scheduler function, which here is called by hand.
    with engine(Config()) as sluice, patch.object(aws, "invoke_later"):
        _prepare(sluice, waiting)
        before, known = len(sluice.sandbox.requests()), _prices()
        with metered() as units:
            for number, tenant in enumerate(TENANTS):
                refresh(_request(number), tenant, sluice.clock.now(), sluice.config)
            # Manual work comes bit by bit: whoever runs the last of it asks for more. What the asked jobs leave of the
            # hour is used by jobs that waited, which cost the same but for their request.
            admitted = stored = 0
            while stored < JOBS:
                admitted += sluice.tick()
                sluice.work(workers=len(TENANTS))
                if stored == (stored := _prices() - known):
                    raise RuntimeError(f"{JOBS} jobs were asked for, {admitted} admitted and {stored} prices stored")
        return sluice.place.name, units, len(sluice.sandbox.requests()) - before, stored


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
