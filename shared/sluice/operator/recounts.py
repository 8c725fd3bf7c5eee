"""The counters of jobs that are not over are put right (see `counts`): the stream may have lost a record.

```
 each minute   the next tenant's unfinished jobs are counted where they stand: its lanes, and those that run
 off           a minute later once more ─► off in the same direction? both the tenant's counters and
                                           everybody's move by the smaller of the two, in one transaction
```
A count and the counters are never of one moment: what has changed in between is on its way. So only what is found twice
is believed. Jobs that are over stand in no index, and are not counted.
"""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from pynamodb.expressions.operand import Path
from pynamodb.transactions import TransactWrite

from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.model.states import FINAL
from sluice.jobs.queue import lanes
from sluice.operator import counts
from sluice.operator.counts import ALL, NOW, TENANTS, Counts
from sluice.platform import tables
from sluice.platform.config.services import PAGES
from sluice.platform.http.auth import TENANT
from sluice.platform.observe import count as count_metric
from sluice.platform.observe import logger

# Entries of the index that one count reads. Of a tenant that has more, it is known that there are at least so many.
MOST_READ: Final = 25_000
# Where it is noted whose turn it is. No tenant's name has a `#`.
SWEEP: Final = ("#recount", "sweep")


class Count(NamedTuple):
    """Unfinished jobs by counter. whole: there are no others."""

    found: Counter[str]
    whole: bool


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
        after = _off(tenant, marked)
        _move(tenant, {one: _smaller(before[one], after[one]) for one in before.keys() & after.keys()})
        _note(tenant, {})
        return
    # Those that have jobs by the counters, and those that have some by the lanes alone.
    counted = [name for name, _ in counts.tenants(tenant, 1)]
    tenants = sorted({one for lane in marked if re.fullmatch(TENANT, one := _tenant(lane))})
    following = min([*counted, *(one for one in tenants if one > tenant)], default=None)
    if following is None and tenant:
        _note("", {})  # round once more, from the first
    elif following is not None:
        _note(following, _off(following, marked))


def _off(tenant: str, marked: Iterable[lanes.Lane]) -> dict[str, int]:
    """By how much the tenant's counters are too low, or, below 0, too high; those that are right are left out."""
    counters, counted = counts.raw(tenant), _count(tenant, marked)
    names = counted.found.keys() | {one for one in counters if _can_be_counted(one)}
    off = {one: counted.found[one] - counters.get(one, 0) for one in sorted(names)}
    return {one: number for one, number in off.items() if number > 0 or (number < 0 and counted.whole)}


def _can_be_counted(name: str) -> bool:
    """Whether it counts jobs that are not over. Checks of pages stand in their hosts' lanes, and are nobody's alone."""
    letter, *place = name.split(":")
    return letter == "n" and place[-1] not in FINAL and place[1] != PAGES


def _count(tenant: str, marked: Iterable[lanes.Lane]) -> Count:
    """The tenant's unfinished jobs in those of the lanes `marked` that are its own, and among all that run."""
    found, left = Counter[str](), MOST_READ
    shown = ["kind", "tenant", "job_id", "lane", "due_at", "state", "account"]
    for lane in (*keys.leased_lanes(), *(lane.lane for lane in marked if _tenant(lane) == tenant)):
        for job in Job.due.query(lane, limit=left, page_size=min(left, 1_000), attributes_to_get=shown):
            left -= 1
            name = f"n:{job.kind}:{keys.marketplace_of(job.account or '')}:{job.state}"
            if job.tenant == tenant and job.kind and _can_be_counted(name):
                found[name] += 1
        if left <= 0:
            return Count(found, whole=False)
    return Count(found, whole=True)


def _move(tenant: str, moves: dict[str, int]) -> None:
    moved = {one: number for one, number in sorted(moves.items()) if number}
    if not moved:
        return

    def write(transaction: TransactWrite) -> None:
        for owner, period in ((TENANTS, tenant), (ALL, NOW)):
            transaction.update(Counts(owner, period), [Path([name]).add(number) for name, number in moved.items()])

    tables.transact(write)
    count_metric("OperatorCountsPutRight", sum(map(abs, moved.values())))
    logger.warning("the operator's counters were off, and are put right", extra={"tenant": tenant, "by": moved})


def _noted() -> dict[str, Any]:
    found = next(iter(Counts.query(SWEEP[0], consistent_read=True)), None)
    return (found.sweep if found else None) or {"tenant": "", "off": {}}


def _note(tenant: str, off: dict[str, int]) -> None:
    tables.update(Counts, SWEEP, [Counts.sweep.set({"tenant": tenant, "off": off})])


def _smaller(one: int, other: int) -> int:
    """The one that is closer to 0; 0 where they do not agree which way."""
    return min(one, other, key=abs) if one * other > 0 else 0


def _tenant(lane: lanes.Lane) -> str:
    return keys.tenant_of(keys.lane_account(lane.lane))
