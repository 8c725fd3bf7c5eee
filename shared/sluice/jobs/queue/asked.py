"""The jobs that a tenant has asked for, newest request first, a page at a time.

Table `requests` says which, table `jobs` what became of them. What a page reads is a few times what it may hold,
however much the tenant has ever asked for: a page that has read so much ends, and the next one goes on.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from pynamodb.expressions.condition import Condition

from sluice.jobs.model.job import Job
from sluice.jobs.model.requests import AskRecord
from sluice.platform.clock import iso_or_none
from sluice.platform.http import paging
from sluice.platform.http.paging import Page, Place

# What the range keys of table `requests` look like, and the largest index of a job in one of them.
KEY = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z#[0-9a-f]{8}"
MOST_INDEX = 500

# Whether a job may be wanted, as its id tells; and whether it is, in the request in which it stands.
MayMatch = Callable[[str], bool]
Matches = Callable[[Place, Job], bool]


class Period(NamedTuple):
    """When jobs were asked for, epoch ms; None leaves it open. until: is not within it."""

    since: int | None = None
    until: int | None = None


EVER = Period()


def page(
    owner: str, limit: int, start: Place | None, may_match: MayMatch, matches: Matches, period: Period = EVER
) -> Page[Job]:
    """Up to `limit` jobs that were asked for by `owner`, which is a hash key of table `requests`, from `start` on.

    A job that was asked for in several requests is shown once a page, in the place of its newest. Of jobs that its
    tenant may no longer see, none is shown.
    """
    tenant, most = owner.partition("#")[0], paging.most_read(limit)
    places = _places(owner, start, limit, most, period)
    wanted = ((place, job_id) for place, job_id in places if job_id is None or may_match(job_id))
    jobs: dict[str, Job] = {}
    read = 0
    while batch := list(islice(wanted, min(limit + 1, most - read + 1))):
        found = _load([job_id for _, job_id in batch[: most - read] if job_id])
        for place, job_id in batch:
            if len(jobs) == limit or read == most or job_id is None:
                return Page(list(jobs.values()), place)
            read += 1
            job = found.get(job_id)
            if job and tenant in (job.tenants or ()) and matches(place, job):
                jobs.setdefault(job.job_id, job)
    return Page(list(jobs.values()), None)


def start(cursor: str | None, tenant: str) -> Place | None:
    """Where the page begins that `tenant` asks for.

    Raises:
        Invalid: the cursor is not one that it was given.
    """
    return paging.start(cursor, tenant, KEY, most_index=MOST_INDEX)


def _places(
    owner: str, start: Place | None, limit: int, most: int, period: Period
) -> Iterator[tuple[Place, str | None]]:
    """Every job of every request, newest request first. No job: so many requests were read that the page ends here."""
    requests = AskRecord.query(
        owner, _within(period, start), scan_index_forward=False, consistent_read=True, page_size=limit + 1
    )
    for number, request in enumerate(requests):
        first = start.index if start and request.request == start.key else 0
        if number == most:
            yield Place(request.request, first), None
            return
        for index, job_id in enumerate(request.job_ids[first:], first):
            yield Place(request.request, index), job_id


def _within(period: Period, start: Place | None) -> Condition | None:
    """The range keys of the requests of `period` from `start` on. A key is its time with more behind it."""
    first, ends = iso_or_none(period.since), (start and start.key, iso_or_none(period.until))
    last = min((end for end in ends if end), default=None)
    if first and last:
        return AskRecord.request.between(min(first, last), last)
    if first:
        return AskRecord.request >= first
    return AskRecord.request <= last if last else None


def _load(job_ids: Sequence[str]) -> dict[str, Job]:
    return {job.job_id: job for job in Job.batch_get(list(dict.fromkeys(job_ids)), consistent_read=True)}
