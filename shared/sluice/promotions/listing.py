"""A tenant's promotions, newest request first, and how many there are of each status."""

from dataclasses import dataclass

from sluice.jobs.model import keys, requests
from sluice.jobs.model.job import DueIndex, Job
from sluice.jobs.model.states import DEAD, SUCCEEDED
from sluice.jobs.queue import asked, cancel, tally
from sluice.platform.clock import iso
from sluice.platform.config.document import Config
from sluice.platform.http import paging
from sluice.platform.http.paging import Page, Place
from sluice.promotions.kinds import CREATE, MARKETPLACE
from sluice.promotions.request import job_id
from sluice.promotions.views import PromotionCounts, status

# Promotions of a lane that are counted as due at the most: what a run of the worker can place is far below.
MOST_DUE = 250


@dataclass(frozen=True)
class Filter(paging.Filter):
    """Which promotions are wanted."""

    status: str | None = None
    listing_id: str | None = None

    def matches(self, job: Job, now: int) -> bool:
        """Whether the promotion is wanted."""
        return self.allows(status=status(job, now), listing_id=job.payload["listing_id"])


def page(tenant: str, wanted: Filter, now: int, limit: int, start: Place | None, config: Config) -> Page[Job]:
    """Up to `limit` promotions that match, from `start` on. A page may be short, or empty, and not the last."""
    if wanted.listing_id is not None:  # a listing has one promotion
        job = cancel.find(job_id(tenant, wanted.listing_id), tenant)
        return Page([job] if job and wanted.matches(job, now) else [])
    oldest = now - config.engine.retention_ms

    def matches(place: Place, job: Job) -> bool:
        # In the request by which it was made, so that no other page shows it too; if that is forgotten, in any.
        its_own = place.key[: len(iso(0))] <= iso(job.created_at) or job.created_at < oldest
        return its_own and wanted.matches(job, now)

    return asked.page(requests.apart(tenant, CREATE.name), limit, start, lambda _: True, matches)


def stats(tenant: str, now: int, config: Config) -> PromotionCounts:
    """The counts of all promotions, a second or two behind what happens. What is under way counts as pending."""
    counts = tally.counts(tenant)
    unfinished = counts[CREATE.name, tally.UNFINISHED]
    ready = min(unfinished, _due(tenant, now, config)) if unfinished else 0
    succeeded, failed = counts[CREATE.name, SUCCEEDED], counts[CREATE.name, DEAD]
    return {
        "total": unfinished + succeeded + failed,
        "ready": ready,
        "pending": unfinished - ready,
        "succeeded": succeeded,
        "failed": failed,
    }


def _due(tenant: str, now: int, config: Config) -> int:
    """How many promotions wait whose next try is due: keys of an index, which are counted and not read."""
    account, limits = keys.account(MARKETPLACE, tenant), config.limits[CREATE.service]
    budget = keys.budget(account, by_account=limits.by_account, service=CREATE.service)
    lanes = keys.lanes_of(budget, account, keys.HOT, limits.shards)
    return sum(Job.due.count(lane, DueIndex.due_at <= now, limit=MOST_DUE) for lane in lanes)
