"""The counters of jobs that are not over are put right (see `counts`): the stream may have lost a record.

```
 each minute   the next tenant's unfinished jobs are counted where they stand: its lanes, and those that run
 off           a minute later once more ─► off in the same direction? both the tenant's counters and
                                           everybody's move by the smaller of the two, in one transaction
```
A count and the counters are never of one moment: what has changed in between is on its way. So only what is found twice
is believed. Jobs that are over stand in no index, and are not counted.
"""

from collections.abc import Iterable
from typing import Any, Final

from pynamodb.expressions.operand import Path
from pynamodb.transactions import TransactWrite

from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.model.states import FINAL
from sluice.jobs.queue import lanes, unfinished
from sluice.operator import counts
from sluice.operator.counts import ALL, NOW, TENANTS, Counts
from sluice.platform import tables
from sluice.platform.config.services import PAGES
from sluice.platform.observe import count as count_metric
from sluice.platform.observe import logger

# Entries of the index that one count reads. Of a tenant that has more, it is known that there are at least so many.
MOST_READ: Final = 25_000
# Where it is noted whose turn it is. No tenant's name has a `#`.
SWEEP: Final = ("#recount", "sweep")


def sweep() -> None:
    """Count one tenant's jobs: once more if the last count was off, else the next tenant's. Never fails."""
    try:
        _sweep(list(lanes.active()))
    except Exception:  # noqa: BLE001 - actions are carried out without it; the next minute does it again
        logger.exception("the operator's counters could not be compared")


def _sweep(marked: list[lanes.Lane]) -> None:
    noted = _noted()
    tenant, before = noted["tenant"], noted["off"]
    if before:
        _move(tenant, unfinished.agreed(before, _off(tenant, marked)))
        _note(tenant, {})
        return
    # Those that have jobs by the counters, and those that have some by the lanes alone.
    counted = [name for name, _ in counts.tenants(tenant, 1)]
    tenants = unfinished.tenants(marked)
    following = min([*counted, *(one for one in tenants if one > tenant)], default=None)
    if following is None and tenant:
        _note("", {})  # round once more, from the first
    elif following is not None:
        _note(following, _off(following, marked))


def _off(tenant: str, marked: Iterable[lanes.Lane]) -> dict[str, int]:
    """By how much the tenant's counters are too low, or, below 0, too high."""
    counters = counts.raw(tenant)
    return unfinished.count(tenant, marked, MOST_READ, _counter).off(counters, _can_be_counted)


def _counter(job: Job) -> str | None:
    name = f"n:{job.kind}:{keys.marketplace_of(job.account or '')}:{job.state}"
    return name if _can_be_counted(name) else None


def _can_be_counted(name: str) -> bool:
    """Whether it counts jobs that are not over. Checks of pages stand in their hosts' lanes, and are nobody's alone."""
    letter, *place = name.split(":")
    return letter == "n" and place[-1] not in FINAL and place[1] != PAGES


def _move(tenant: str, moves: dict[str, int]) -> None:
    if not moves:
        return

    def write(transaction: TransactWrite) -> None:
        for owner, period in ((TENANTS, tenant), (ALL, NOW)):
            transaction.update(Counts(owner, period), [Path([name]).add(number) for name, number in moves.items()])

    tables.transact(write)
    count_metric("OperatorCountsPutRight", sum(map(abs, moves.values())))
    logger.warning("the operator's counters were off, and are put right", extra={"tenant": tenant, "by": moves})


def _noted() -> dict[str, Any]:
    found = next(iter(Counts.query(SWEEP[0], consistent_read=True)), None)
    return (found.sweep if found else None) or {"tenant": "", "off": {}}


def _note(tenant: str, off: dict[str, int]) -> None:
    tables.update(Counts, SWEEP, [Counts.sweep.set({"tenant": tenant, "off": off})])
