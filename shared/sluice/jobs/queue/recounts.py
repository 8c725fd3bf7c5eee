"""The counts of unfinished jobs are put right (see `tally`): the stream may have lost a record, or counted one twice.

```
 refused for its jobs ──► the minute's run counts that tenant's jobs where they stand, and sets the counters
 each minute saves up ──► the next tenant's are counted, then once more ─► off by as much both times?
                                                                             the counters move by that
```
A count and the counters are never of the same moment: what has changed in between is on its way in the stream. So the
sweep believes only what it finds twice, in one direction, and the smaller of the two. What it reads in a minute is, on
the average, the same whatever waits (see `unfinished`). Of a tenant that has more than it may ever read, it knows that
there are at least so many; whether that are fewer than it may have is found out when it is refused.
"""

from collections.abc import Iterable
from typing import Final

from sluice.jobs.model.job import Job
from sluice.jobs.queue import lanes, sweeps, unfinished
from sluice.jobs.queue.lanes import Lane
from sluice.jobs.queue.sweeps import Counters
from sluice.jobs.queue.tally import PERIOD, RECOUNT, RECOUNTED, UNFINISHED, name
from sluice.platform import tables, usage
from sluice.platform.config.document import Config
from sluice.platform.observe import count as count_metric
from sluice.platform.observe import logger
from sluice.platform.usage import TenantUsage

MOST_RECOUNTS = 10


def wanted(config: Config, now: int) -> int:
    """Count the unfinished jobs of those tenants that were refused since this was last done; how many tenants."""
    refused = list(TenantUsage.query(RECOUNT, limit=MOST_RECOUNTS, consistent_read=True))
    marked = lanes.active() if refused else []
    for mark in refused:
        # Before it is counted: whoever is refused from here on has it counted again.
        tables.delete(TenantUsage, (RECOUNT, mark.period))
        counters = usage.counters(mark.period, PERIOD)
        allowed = config.tenants.allowed(mark.period).unfinished_jobs
        found = unfinished.count(mark.period, marked, unfinished.most_read(allowed), _counter)
        _move(mark.period, found.off(counters, _is_counted))
        usage.put(mark.period, PERIOD, {RECOUNTED: now})
    return len(refused)


def sweep() -> None:
    """Have the sweep's turn of a minute. Never fails."""
    sweeps.sweep(COUNTERS)


def _following(tenant: str, marked: Iterable[Lane]) -> str | None:
    """The next tenant that has lanes, in the order of their names."""
    return next((one for one in unfinished.tenants(marked) if one > tenant), None)


def _counter(job: Job) -> str:
    return name(job.kind, UNFINISHED)


def _is_counted(counter: str) -> bool:
    return counter.endswith(f":{UNFINISHED}")


def _move(tenant: str, moves: dict[str, int]) -> None:
    if moves:
        usage.add(tenant, PERIOD, moves)
        count_metric("JobsRecounted", sum(map(abs, moves.values())))
        logger.warning("counts of jobs were off, and are put right", extra={"tenant": tenant, "by": moves})


COUNTERS: Final = Counters(
    spoken="the counts of jobs",
    model=TenantUsage,
    # No tenant's name has a `#`.
    place=("#sweep", PERIOD),
    noted=TenantUsage.sweep,
    following=_following,
    read=lambda tenant: usage.counters(tenant, PERIOD),
    counter=_counter,
    is_counted=_is_counted,
    move=_move,
)
