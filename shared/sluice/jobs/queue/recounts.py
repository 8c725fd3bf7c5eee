"""The counts of unfinished jobs are put right (see `tally`): the stream may have lost a record, or counted one twice.

```
 refused for its jobs ──► the next tick counts that tenant's jobs where they stand, and sets the counters
 each minute saves up ──► the next tenant's are counted, then once more ─► off by as much both times?
                                                                             the counters move by that
```
A count and the counters are never of the same moment: what has changed in between is on its way in the stream. So the
sweep believes only what it finds twice, in one direction, and the smaller of the two. What it reads in a minute is, on
the average, the same whatever waits (see `unfinished`). Of a tenant that has more than it may ever read, it knows that
there are at least so many; whether that are fewer than it may have is found out when it is refused.
"""

from collections.abc import Iterable
from typing import Any

from sluice.jobs.model.job import Job
from sluice.jobs.queue import lanes, unfinished
from sluice.jobs.queue.lanes import Lane
from sluice.jobs.queue.tally import PERIOD, RECOUNT, RECOUNTED, UNFINISHED, name
from sluice.platform import tables, usage
from sluice.platform.attributes import still
from sluice.platform.config.document import Config
from sluice.platform.observe import count as count_metric
from sluice.platform.observe import logger
from sluice.platform.usage import TenantUsage

MOST_RECOUNTS = 10
# Under this name it is noted where the sweep is. No tenant's has a `#`.
_SWEEP = "#sweep"


def wanted(config: Config, now: int) -> int:
    """Count the unfinished jobs of those tenants that were refused since this was last done; how many tenants."""
    refused = list(TenantUsage.query(RECOUNT, limit=MOST_RECOUNTS, page_size=MOST_RECOUNTS, consistent_read=True))
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
    """Save up for a minute, and count the tenant whose turn it is if that is enough. Never fails."""
    try:
        _sweep(lanes.active())
    except Exception:  # noqa: BLE001 - jobs run without it; the next minute does it again
        logger.exception("the counts of jobs could not be compared")


def _sweep(marked: Iterable[Lane]) -> None:
    marked = list(marked)
    last = next(iter(TenantUsage.query(_SWEEP, consistent_read=True)), None)
    stored = last.sweep if last else None
    turn = unfinished.Recount.decode(stored).earn()
    tenant = turn.tenant if turn.open else _after(turn.tenant, unfinished.tenants(marked))
    if tenant is None:
        return
    moves, counters = dict[str, int](), usage.counters(tenant, PERIOD)
    if turn.enough(counters, _is_counted):
        found = unfinished.count(tenant, marked, turn.saved, _counter)
        turn, moves = turn.after(tenant, found, found.off(counters, _is_counted))
    if _note(turn, stored):
        _move(tenant, moves)


def _after(tenant: str, tenants: Iterable[str]) -> str | None:
    """The next of `tenants`, which come in order, and the first after the last."""
    return next((one for one in tenants if one > tenant), next(iter(tenants), None))


def _counter(job: Job) -> str:
    return name(job.kind or "", UNFINISHED)


def _is_counted(counter: str) -> bool:
    return counter.endswith(f":{UNFINISHED}")


def _move(tenant: str, moves: dict[str, int]) -> None:
    if moves:
        usage.add(tenant, PERIOD, moves)
        count_metric("JobsRecounted", sum(map(abs, moves.values())))
        logger.warning("counts of jobs were off, and are put right", extra={"tenant": tenant, "by": moves})


def _note(turn: unfinished.Recount, stored: dict[str, Any] | None) -> bool:
    """Keep whose turn it is; False if another run has done so since, which has read and moved the same.

    Comes before the counters move: whoever dies in between leaves them as they were, to be found again.
    """
    noted, token = TenantUsage.sweep, tables.one_of_many("w")
    try:
        tables.update(TenantUsage, (_SWEEP, PERIOD), [noted.set(turn.encode())], still(noted, stored), token=token)
    except tables.ConditionFailed:
        return False
    return True
