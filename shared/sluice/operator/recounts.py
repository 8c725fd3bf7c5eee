"""The counters of jobs that are not over are put right (see `counts`): the stream may have lost a record.

```
 each minute   saves up; with enough of that the next tenant's unfinished jobs are counted where they stand: its lanes,
               and those that run
 off           counted once more ─► off in the same direction? both the tenant's counters and everybody's move by the
               smaller of the two, in one transaction
```
A count and the counters are never of one moment: what has changed in between is on its way. So only what is found twice
is believed. Jobs that are over stand in no index, and are not counted. What is read in a minute is, on the average, the
same whatever waits (see `jobs.queue.unfinished`).
"""

from collections.abc import Iterable
from typing import Final

from pynamodb.expressions.operand import Path
from pynamodb.transactions import TransactWrite

from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.model.states import FINAL
from sluice.jobs.queue import lanes, sweeps, unfinished
from sluice.jobs.queue.sweeps import Counters
from sluice.operator import counts
from sluice.operator.counts import ALL, NOW, TENANTS, Counts
from sluice.platform import tables
from sluice.platform.config.services import PAGES
from sluice.platform.observe import count as count_metric
from sluice.platform.observe import logger


def sweep() -> None:
    """Have the sweep's turn of a minute. Never fails."""
    sweeps.sweep(COUNTERS)


def _following(tenant: str, marked: Iterable[lanes.Lane]) -> str | None:
    """The next tenant that has jobs by the counters, or by the lanes alone; None: there is none."""
    counted = [name for name, _ in counts.tenants(tenant, 1)]
    return min([*counted, *(one for one in unfinished.tenants(marked) if one > tenant)], default=None)


def _counter(job: Job) -> str | None:
    name = f"n:{job.kind}:{keys.marketplace_of(job.account or '')}:{job.state}"
    return name if _can_be_counted(name) else None


def _can_be_counted(name: str) -> bool:
    """Whether it counts jobs that are not over. Checks of pages stand in their hosts' lanes, and are nobody's alone."""
    letter, *place = name.split(":")
    return letter == "n" and place[-1] not in FINAL and place[1] != PAGES


def _move(tenant: str, moves: dict[str, int]) -> None:
    def write(transaction: TransactWrite) -> None:
        for owner, period in ((TENANTS, tenant), (ALL, NOW)):
            transaction.update(Counts(owner, period), [Path([name]).add(number) for name, number in moves.items()])

    tables.transact(write)
    count_metric("OperatorCountsPutRight", sum(map(abs, moves.values())))
    logger.warning("the operator's counters were off, and are put right", extra={"tenant": tenant, "by": moves})


COUNTERS: Final = Counters(
    spoken="the operator's counters",
    model=Counts,
    # No tenant's name has a `#`.
    place=("#recount", "sweep"),
    noted=Counts.sweep,
    following=_following,
    read=counts.raw,
    counter=_counter,
    is_counted=_can_be_counted,
    move=_move,
)
