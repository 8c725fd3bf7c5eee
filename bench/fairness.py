"""One tenant has 10,000 refreshes waiting in a budget that all share: what the others get, and how long they wait.

The ticks, reservations and claims are the engine's own, with eBay's limits of an application and a tick each virtual
minute; a job that is handed out is finished at once. Two more tenants have more waiting than the hours allow, so their
shares and the first one's are compared by Jain's index: 1 where all are equal, 1/3 where one has everything. Three
tenants ask for ten each, the last when most of what waits is hours old.

Beside it, what one queue in the order of asking would have given with the same admissions.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from bench.one import isolated
from bench.row import Row
from bench.store import store
from sluice.jobs.dispatch import scheduler
from sluice.jobs.dispatch.snapshot import Accounts, Snapshot
from sluice.jobs.model import keys
from sluice.jobs.model.job import Spec
from sluice.jobs.queue import finish
from sluice.jobs.queue.enqueue import enqueue_many
from sluice.jobs.run.messages import Batch
from sluice.platform.clock import HOUR, MINUTE
from sluice.platform.config.document import Config
from sluice.prices.kinds import REFRESH

MARKETPLACE = "ebay"
START = 1_800_000_000_000 - 1_800_000_000_000 % HOUR
HOURS = 8
FLOOD = 10_000
FEW = 10
# When each of the small tenants asks, after the flood.
SMALL = {"small-1": 5 * MINUTE, "small-2": 3 * HOUR + 20 * MINUTE, "small-3": 6 * HOUR + 40 * MINUTE}


@dataclass(frozen=True)
class Demand:
    """What tenants ask for: at `START`, by those who always have work, and later."""

    heavy: Mapping[str, int]
    small: Mapping[str, int]


@dataclass(frozen=True)
class Shares:
    """index: Jain's, of the heavy tenants' admitted jobs. p95: of the small tenants' waits, ms."""

    index: float
    p95: int


# What was admitted: when, by the job's tenant and the time at which it was asked for.
Admitted = tuple[int, str, int]


def run() -> list[Row]:
    demand = Demand({"flood": FLOOD, "steady-1": FLOOD // 10, "steady-2": FLOOD // 10}, SMALL)
    name, ours, fifo = isolated(_measure, demand)
    waiting = f"{FLOOD:,} jobs of one tenant, {FLOOD // 10:,} of two, {FEW} of three small ones"
    conditions = f"{waiting}; one budget with eBay's limits, {HOURS} virtual hours, {name}"
    queue = f"{waiting}; one queue in the order of asking"
    return [
        Row("fairness: Jain's index of the three that always have work", conditions, ours.index, least=0.99),
        Row("fairness: Jain's index of the three that always have work", queue, fifo.index),
        Row("fairness: p95 of the small tenants' waits", conditions, ours.p95 / MINUTE, "virtual min", most=60),
        Row("fairness: p95 of the small tenants' waits", queue, fifo.p95 / MINUTE, "virtual min"),
    ]


def _measure(demand: Demand) -> tuple[str, Shares, Shares]:
    with store() as place:
        return place.name, *play(demand, Config(), HOURS)


def play(demand: Demand, config: Config, hours: int) -> tuple[Shares, Shares]:
    """Ask for what `demand` says on the tables of this process; what everybody got, and would have got in one queue."""
    asked: dict[str, tuple[str, int]] = {}

    def ask(tenant: str, count: int, at: int) -> None:
        specs = [_spec(tenant, number, config) for number in range(count)]
        asked.update({spec.job_id: (tenant, at) for spec in specs})
        for answer in enqueue_many(specs, at):
            if isinstance(answer, Exception):
                raise answer

    for tenant, count in demand.heavy.items():
        ask(tenant, count, START)
    admitted: list[Admitted] = []
    for now in range(START, START + hours * HOUR, MINUTE):
        for tenant in (tenant for tenant, later in demand.small.items() if START + later == now):
            ask(tenant, FEW, now)
        scheduler.tick(Snapshot(now, config, Accounts(_active)), _finished(now, config, asked, admitted))
    return _shares(admitted, demand), _shares(_in_one_queue(admitted, list(asked.values())), demand)


def _spec(tenant: str, number: int, config: Config) -> Spec:
    account = keys.account(MARKETPLACE, tenant)
    return Spec(
        job_id=keys.job_id(REFRESH.name, MARKETPLACE, f"{tenant}-{number}", "us-9", "USD"),
        kind=REFRESH.name,
        tenant=tenant,
        account=account,
        budget=keys.budget(account, by_account=config.limits[MARKETPLACE].by_account),
        priority=keys.BACKGROUND,
        payload={"sku": f"{tenant}-{number}"},
    )


def _active(accounts: Collection[str], _: str) -> Mapping[str, str]:
    return dict.fromkeys(accounts, "ACTIVE")


def _finished(
    now: int, config: Config, asked: Mapping[str, tuple[str, int]], admitted: list[Admitted]
) -> Callable[[Batch], None]:
    def send(batch: Batch) -> None:
        for job in batch.jobs:
            admitted.append((now, *asked[job.job_id]))
            finish.complete(job, {}, now, config)

    return send


def _in_one_queue(admitted: Sequence[Admitted], asked: Sequence[tuple[str, int]]) -> list[Admitted]:
    """The same number of admissions at the same times, in the order of asking."""
    order = sorted(asked, key=lambda each: each[1])
    return [(at, *first) for (at, _, _), first in zip(admitted, order, strict=False)]


def _shares(admitted: Sequence[Admitted], demand: Demand) -> Shares:
    got = Counter(tenant for _, tenant, _ in admitted)
    parts = [got[tenant] for tenant in demand.heavy]
    end = max(at for at, _, _ in admitted)
    waits = sorted(at - since for at, tenant, since in admitted if tenant in demand.small)
    # Who still waits at the end has waited until then at least.
    for tenant, later in demand.small.items():
        waits += [end - START - later] * (FEW - got[tenant])
    waits.sort()
    return Shares(sum(parts) ** 2 / (len(parts) * sum(part**2 for part in parts)), waits[len(waits) * 95 // 100])
