"""A tenant's jobs, newest request first, as far as they are wanted."""

from dataclasses import dataclass

from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.queue import asked
from sluice.jobs.queue.asked import Period
from sluice.marketplaces.skus import compact
from sluice.platform.http import paging
from sluice.platform.http.paging import Page, Place


@dataclass(frozen=True)
class Filter(paging.Filter):
    """Which jobs are wanted. `sku` is how the SKU begins, with or without hyphens, of several styles any of them."""

    state: str | None = None
    kind: str | None = None
    marketplace: str | None = None
    sku: str | None = None

    def may_match(self, job_id: str) -> bool:
        """Whether the job can match, as far as its key tells: `kind:marketplace:…`, and of a job about a SKU that."""
        kind, *rest = keys.job_parts(job_id)
        about = rest[1].upper() if len(rest) > 1 else ""
        marketplace = rest[0] if rest else ""
        return self.allows(kind=kind, marketplace=marketplace) and self._begins(about)

    def matches(self, job: Job) -> bool:
        """Whether the job is wanted."""
        sku = str(job.payload.get("sku", ""))
        return self.allows(state=job.state) and self._begins(sku)

    def _begins(self, sku: str) -> bool:
        """Whether the SKU begins as wanted. A job's id may have several styles in another order than its payload."""
        *whole, begun = compact(self.sku or "").split("/")
        styles = compact(sku).split("/")
        return set(whole) <= set(styles) and any(one.startswith(begun) for one in styles if one not in whole)


def page(tenant: str, wanted: Filter, limit: int, start: Place | None, period: Period) -> Page[Job]:
    """Up to `limit` jobs that `tenant` asked for within `period`, from `start` on.

    A page may be short, or empty, and not the last.
    """
    return asked.page(tenant, limit, start, wanted.may_match, lambda _, job: wanted.matches(job), period)
