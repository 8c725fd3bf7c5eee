"""What one scheduler run costs when 20 accounts have work: beside 20 connected accounts, and beside 10,000.

Each of the 20 has five due jobs in its background lane. Units of every table count: rescue, lanes, budgets, accounts,
jobs, the run's record. The jobs are admitted, so claiming them is part of it; the reading alone is shown besides.
"""

from bench.engine import Engine, engine
from bench.meter import Units, metered
from bench.one import isolated
from bench.row import Row
from bench.seed import waiting_jobs
from sluice.jobs.budgets import ledger
from sluice.jobs.budgets.windows import Window
from sluice.marketplaces.accounts.table import Account
from sluice.platform.config.document import Config

BUSY = 20
ACCOUNTS = (20, 10_000)
JOBS_EACH = 5


def run() -> list[Row]:
    measured = {accounts: isolated(_measure, accounts) for accounts in ACCOUNTS}
    rows: list[Row] = []
    for accounts, (name, units) in measured.items():
        conditions = f"{accounts:,} accounts, {BUSY} with {JOBS_EACH} due jobs each, {name}"
        rows += [
            Row("write units of a scheduler run", conditions, units.writes, "WU"),
            Row("read units of a scheduler run", conditions, units.reads, "RU"),
        ]
    (_, few), (_, many) = measured.values()
    ratio = (many.writes + many.reads) / (few.writes + few.reads)
    against = f"{ACCOUNTS[1]:,} against {ACCOUNTS[0]:,} accounts, {BUSY} with work"
    return [*rows, Row("growth of a scheduler run's units", against, 100 * abs(ratio - 1), "%", most=5)]


def _measure(accounts: int) -> tuple[str, Units]:
    with engine(Config()) as sluice:
        tenants = [f"tenant-{number:05d}" for number in range(accounts)]
        _connect(sluice, tenants)
        busy = tenants[:: accounts // BUSY]
        waiting_jobs(sluice.place.dynamodb, BUSY * JOBS_EACH, busy, sluice.clock.now())
        with metered() as units:
            admitted = sluice.tick()
        if admitted != BUSY * JOBS_EACH:
            raise RuntimeError(f"{BUSY * JOBS_EACH} jobs were due, and {admitted} admitted")
        return sluice.place.name, units


def _connect(sluice: Engine, tenants: list[str]) -> None:
    """Accounts that have worked before, each with its budget of the day: copies of one that was really connected."""
    sluice.connect(tenants[0])
    [model] = Account.scan()
    window = Window.at(sluice.clock.now())
    with Account.batch_write() as accounts, ledger.Budget.batch_write() as days:
        for tenant in tenants:
            model.account, model.tenant = f"stockx:{tenant}", tenant
            accounts.save(Account.from_raw_data(model.to_dynamodb_dict()))
            days.save(ledger.Budget(model.account, window.day, day=10))
