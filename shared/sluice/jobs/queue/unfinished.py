"""Unfinished jobs, counted where they stand, beside counters that are to say the same.

A count and the counters are never of the same moment: what has changed in between is on its way in the stream. So a
difference is believed only where it is found twice, in one direction, and then the smaller of the two (`agreed`).

A tenant is counted at once, because a count in portions would find a job twice, or not, that moves meanwhile. So that
it costs as little in a minute whatever waits, each minute saves up `EARNED` entries, and a tenant is counted when as
many are saved as it is thought to have (`Recount`):

```
 minute      1     2     3     4     5
 saved     100   200   300   400   190      310 jobs by the counters: 400 are enough, and 310 are read and paid for
 counted                     all            were there 500, the count is cut off, and begun anew when 800 are saved
```
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple, Self

from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.queue.lanes import Lane
from sluice.platform.http.auth import TENANT

# Entries of the index that each minute saves up, and the most that are saved: more than a tenant may have by default.
EARNED: Final = 100
MOST_SAVED: Final = 25_000
# The most that one count reads of a tenant that may have more, and is refused for it: a tick has time for it.
MOST_AT_ONCE: Final = 250_000


class Count(NamedTuple):
    """Unfinished jobs by counter. whole: there are no others. read: entries of the index that this took."""

    found: Counter[str]
    whole: bool
    read: int

    def off(self, counters: Mapping[str, int], is_counted: Callable[[str], bool]) -> dict[str, int]:
        """By how much `counters` are too low, or, below 0, too high; those that are right are left out.

        is_counted: whether a counter of this name is one of unfinished jobs.
        """
        names = self.found.keys() | {one for one in counters if is_counted(one)}
        off = {one: self.found[one] - counters.get(one, 0) for one in sorted(names)}
        return {one: number for one, number in off.items() if number > 0 or (number < 0 and self.whole)}


class Recount(NamedTuple):
    """Whose jobs were counted last, and what is saved for the next count.

    off: what the first count found; a second one is to say the same.
    saved: entries of the index that may be read.
    cut_at: how many the last count had read when it was cut off; 0: it was whole.
    """

    tenant: str
    off: dict[str, int]
    saved: int
    cut_at: int

    @classmethod
    def decode(cls, stored: Mapping[str, Any] | None) -> Self:
        """The turn that `encode` has written; the first one if there is none."""
        known = stored or {}
        return cls(known.get("tenant", ""), known.get("off", {}), known.get("saved", 0), known.get("cut_at", 0))

    def encode(self) -> dict[str, Any]:
        """As it is stored."""
        return self._asdict()

    @property
    def open(self) -> bool:
        """Whether its tenant is to be counted again."""
        return bool(self.off or self.cut_at)

    def earn(self) -> Self:
        """A minute later."""
        return self._replace(saved=min(MOST_SAVED, self.saved + EARNED))

    def enough(self, counters: Mapping[str, int], is_counted: Callable[[str], bool]) -> bool:
        """Whether what is saved will do to count what the tenant has by its `counters`, and an eighth more."""
        known = sum(max(0, number) for name, number in counters.items() if is_counted(name))
        return self.saved >= min(MOST_SAVED, max(EARNED, known + known // 8, 2 * self.cut_at))

    def after(self, tenant: str, count: Count, off: dict[str, int]) -> tuple[Self, dict[str, int]]:
        """The turn after a count of `tenant`, whose counters were off by `off`, and by how much they are to move."""
        paid = self._replace(tenant=tenant, saved=max(0, self.saved - count.read))
        if not count.whole and self.saved < MOST_SAVED:
            return paid._replace(cut_at=count.read), {}
        if self.off:
            return paid._replace(off={}, cut_at=0), agreed(self.off, off)
        return paid._replace(off=off, cut_at=0), {}


def most_read(allowed: int) -> int:
    """Entries that are read of a tenant that is refused because it may have `allowed` jobs. Pure.

    They are all of its jobs wherever it has fewer than that, so that a counter that is too high is put right.
    """
    return min(MOST_AT_ONCE, max(MOST_SAVED, allowed + allowed // 8))


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
            return Count(found, whole=False, read=most)
    return Count(found, whole=True, read=most - left)


def agreed(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """What two counts say that counters are to move by, by name; those that they do not agree on are left out. Pure."""
    both = sorted(before.keys() & after.keys())
    return {one: min(before[one], after[one], key=abs) for one in both if before[one] * after[one] > 0}


def tenants(marked: Iterable[Lane]) -> list[str]:
    """Whose lanes these are, in order."""
    return sorted({one for lane in marked if re.fullmatch(TENANT, one := _tenant(lane))})


def _tenant(lane: Lane) -> str:
    return keys.tenant_of(keys.lane_account(lane.lane))
