"""Unfinished jobs, counted where they stand, beside counters that are to say the same.

A count and the counters are never of the same moment: what has changed in between is on its way in the stream. So a
difference is believed only where it is found twice, in one direction, and then the smaller of the two (`agreed`).
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.queue.lanes import Lane
from sluice.platform.http.auth import TENANT


class Count(NamedTuple):
    """Unfinished jobs by counter. whole: there are no others."""

    found: Counter[str]
    whole: bool

    def off(self, counters: Mapping[str, int], is_counted: Callable[[str], bool]) -> dict[str, int]:
        """By how much `counters` are too low, or, below 0, too high; those that are right are left out.

        is_counted: whether a counter of this name is one of unfinished jobs.
        """
        names = self.found.keys() | {one for one in counters if is_counted(one)}
        off = {one: self.found[one] - counters.get(one, 0) for one in sorted(names)}
        return {one: number for one, number in off.items() if number > 0 or (number < 0 and self.whole)}


def count(tenant: str, marked: Iterable[Lane], most: int, counter: Callable[[Job], str | None]) -> Count:
    """The tenant's unfinished jobs in those of the lanes `marked` that are its own, and among all that run.

    most: entries of the index that are read. counter: the name of the one that counts a job; None: nobody counts it.
    """
    found, left = Counter[str](), most
    shown = ["kind", "tenant", "job_id", "lane", "due_at", "state", "account"]
    for lane in (*keys.leased_lanes(), *(lane.lane for lane in marked if _tenant(lane) == tenant)):
        for job in Job.due.query(lane, limit=left, page_size=min(left, 1_000), attributes_to_get=shown):
            left -= 1
            if job.tenant == tenant and job.kind and (name := counter(job)):
                found[name] += 1
        if left <= 0:
            return Count(found, whole=False)
    return Count(found, whole=True)


def agreed(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """What two counts say that counters are to move by, by name; those that they do not agree on are left out. Pure."""
    both = sorted(before.keys() & after.keys())
    return {one: min(before[one], after[one], key=abs) for one in both if before[one] * after[one] > 0}


def tenants(marked: Iterable[Lane]) -> list[str]:
    """Whose lanes these are, in order."""
    return sorted({one for lane in marked if re.fullmatch(TENANT, one := _tenant(lane))})


def _tenant(lane: Lane) -> str:
    return keys.tenant_of(keys.lane_account(lane.lane))
