"""A tenant's jobs, newest request first: table `requests` says which, table `jobs` what became of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.model.requests import Request
from sluice.operator.cursor import Cursor

READ_AT_ONCE = 100
# A filter that matches little would otherwise read everything that a tenant ever asked for to fill one page.
MOST_READ = 1_000


@dataclass(frozen=True)
class Filter:
    """Which jobs are wanted. None: any. `sku` is how the SKU begins."""

    state: str | None = None
    kind: str | None = None
    marketplace: str | None = None
    sku: str | None = None

    def may_match(self, job_id: str) -> bool:
        """Whether the job can match, as far as its key tells: `kind:marketplace:…`."""
        kind, *rest = keys.job_parts(job_id)
        return self.kind in (None, kind) and self.marketplace in (None, *rest[:1])

    def matches(self, job: Job) -> bool:
        """Whether the job is wanted."""
        sku = str(job.payload.get("sku", ""))
        return self.state in (None, job.state) and sku.startswith(self.sku or "")


@dataclass(frozen=True)
class Page:
    """Some jobs, and where the next ones begin; None when there are none left."""

    jobs: list[Job]
    next: Cursor | None


def page(tenant: str, wanted: Filter, limit: int, start: Cursor | None) -> Page:
    """Up to `limit` jobs that `tenant` asked for, from `start` on. A page may be short, or empty, and not the last.

    A job that was asked for in several requests is shown once a page, in the place of its newest.
    """
    places = ((place, job_id) for place, job_id in _places(tenant, start) if wanted.may_match(job_id))
    at_once = limit + 1 if wanted.state is wanted.sku is None else READ_AT_ONCE
    jobs: dict[str, Job] = {}
    for number, (place, job) in enumerate(_read(tenant, places, at_once)):
        if len(jobs) == limit or number == MOST_READ:
            return Page(list(jobs.values()), place)
        if job is not None and wanted.matches(job):
            jobs.setdefault(job.job_id, job)
    return Page(list(jobs.values()), None)


def _places(tenant: str, start: Cursor | None) -> Iterator[tuple[Cursor, str]]:
    """Every job of every request, newest request first."""
    until = Request.request <= start.request if start else None
    for request in Request.query(tenant, until, scan_index_forward=False, consistent_read=True):
        first = start.index if start and request.request == start.request else 0
        for index, job_id in enumerate(request.job_ids[first:], first):
            yield Cursor(request.request, index), job_id


def _read(tenant: str, places: Iterator[tuple[Cursor, str]], at_once: int) -> Iterator[tuple[Cursor, Job | None]]:
    """The job at each place; None where it is gone, or no longer this tenant's to see."""
    while batch := list(islice(places, at_once)):
        found = _load([job_id for _, job_id in batch])
        for place, job_id in batch:
            job = found.get(job_id)
            yield place, job if job and tenant in (job.tenants or ()) else None


def _load(job_ids: Sequence[str]) -> dict[str, Job]:
    return {job.job_id: job for job in Job.batch_get(list(dict.fromkeys(job_ids)), consistent_read=True)}
