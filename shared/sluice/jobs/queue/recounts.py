"""The counts of unfinished jobs are put right (see `tally`): the stream may have lost a record, or counted one twice.

```
 refused for its jobs ──► the next tick counts that tenant's jobs where they stand, and sets the counters
 each minute ───────────► the next tenant's are counted; a minute later once more ─► off by as much both times?
                                                                                       the counters move by that
```
A count and the counters are never of the same moment: what has changed in between is on its way in the stream. So the
sweep believes only what it finds twice, in one direction, and the smaller of the two. It reads so many entries of the
index at most; of a tenant that has more, it knows that there are at least so many.
"""

from collections.abc import Iterable

from sluice.jobs.model.job import Job
from sluice.jobs.queue import lanes, unfinished
from sluice.jobs.queue.lanes import Lane
from sluice.jobs.queue.tally import PERIOD, RECOUNT, RECOUNTED, UNFINISHED, name
from sluice.platform import tables, usage
from sluice.platform.observe import count as count_metric
from sluice.platform.observe import logger
from sluice.platform.usage import TenantUsage

MOST_RECOUNTS = 10
# Entries of the index that one count reads: more than a tenant may have by default.
MOST_READ = 25_000
# Under this name it is noted where the sweep is. No tenant's has a `#`.
_SWEEP = "#sweep"


def wanted(now: int) -> int:
    """Count the unfinished jobs of those tenants that were refused since this was last done; how many tenants."""
    refused = list(TenantUsage.query(RECOUNT, limit=MOST_RECOUNTS, page_size=MOST_RECOUNTS, consistent_read=True))
    marked = lanes.active() if refused else []
    for mark in refused:
        # Before it is counted: whoever is refused from here on has it counted again.
        tables.delete(TenantUsage, (RECOUNT, mark.period))
        off = _off(mark.period, marked)
        _move(mark.period, off)
        usage.put(mark.period, PERIOD, {RECOUNTED: now})
    return len(refused)


def sweep() -> None:
    """Count one tenant's unfinished jobs: once more if the last count was off, else the next tenant's. Never fails."""
    try:
        _sweep(lanes.active())
    except Exception:  # noqa: BLE001 - jobs run without it; the next minute does it again
        logger.exception("the counts of jobs could not be compared")


def _sweep(marked: Iterable[Lane]) -> None:
    marked = list(marked)
    last = next(iter(TenantUsage.query(_SWEEP, consistent_read=True)), None)
    noted = (last.sweep if last else None) or {"tenant": "", "off": {}}
    tenant, before = noted["tenant"], noted["off"]
    if before:
        _move(tenant, unfinished.agreed(before, _off(tenant, marked)))
        _note({"tenant": tenant, "off": {}})
        return
    tenants = unfinished.tenants(marked)
    following = next((one for one in tenants if one > tenant), next(iter(tenants), None))
    if following is not None:
        _note({"tenant": following, "off": _off(following, marked)})


def _off(tenant: str, marked: Iterable[Lane]) -> dict[str, int]:
    """By how much the tenant's counters are too low, or, below 0, too high."""
    counters = usage.counters(tenant, PERIOD)
    return unfinished.count(tenant, marked, MOST_READ, _counter).off(counters, _is_counted)


def _counter(job: Job) -> str:
    return name(job.kind or "", UNFINISHED)


def _is_counted(counter: str) -> bool:
    return counter.endswith(f":{UNFINISHED}")


def _move(tenant: str, moves: dict[str, int]) -> None:
    if moves:
        usage.add(tenant, PERIOD, moves)
        count_metric("JobsRecounted", sum(map(abs, moves.values())))
        logger.warning("counts of jobs were off, and are put right", extra={"tenant": tenant, "by": moves})


def _note(sweep_: dict[str, object]) -> None:
    tables.update(TenantUsage, (_SWEEP, PERIOD), [TenantUsage.sweep.set(sweep_)])
