"""A tenant's jobs, newest request first, as far as they are wanted."""

from dataclasses import dataclass

from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.queue import asked
from sluice.jobs.queue.asked import Page
from sluice.platform.http.request_cursor import Cursor


@dataclass(frozen=True)
class Filter:
    """Which jobs are wanted. None: any. `sku` is how the SKU begins."""

    state: str | None = None
    kind: str | None = None
    marketplace: str | None = None
    sku: str | None = None

    def may_match(self, job_id: str) -> bool:
        """Whether the job can match, as far as its key tells: `kind:marketplace:…`, and of a job about a SKU that."""
        kind, *rest = keys.job_parts(job_id)
        about = rest[1].upper() if len(rest) > 1 else ""
        return (
            self.kind in (None, kind)
            and self.marketplace in (None, *rest[:1])
            and (self.sku is None or about.startswith(self.sku))
        )

    def matches(self, job: Job) -> bool:
        """Whether the job is wanted."""
        sku = str(job.payload.get("sku", ""))
        return self.state in (None, job.state) and sku.startswith(self.sku or "")


def page(tenant: str, wanted: Filter, limit: int, start: Cursor | None) -> Page:
    """Up to `limit` jobs that `tenant` asked for, from `start` on. A page may be short, or empty, and not the last."""
    return asked.page(tenant, limit, start, wanted.may_match, lambda _, job: wanted.matches(job))
