"""A tenant's promotions as they are now, the newest first."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sluice.jobs.model import requests
from sluice.jobs.model.job import Job
from sluice.promotions.kinds import CREATE
from sluice.promotions.views import status

# What one request reads, to count all and to show some: about a second's work. Of a tenant that asks for more in the
# time for which jobs are kept, it sees the newest.
MOST = 5_000

_CURSOR = r"([0-9]{1,15})-([0-9]{1,19})"


@dataclass(frozen=True)
class Filter:
    """Which promotions are wanted. None: any."""

    status: str | None = None
    listing_id: str | None = None

    def matches(self, job: Job, now: int) -> bool:
        """Whether the promotion is wanted."""
        return self.status in (None, status(job, now)) and self.listing_id in (None, job.payload["listing_id"])


@dataclass(frozen=True)
class Page:
    """Some promotions, and the place of the last one; None when there are none behind it."""

    jobs: list[Job]
    next: str | None


def load(tenant: str) -> list[Job]:
    """The tenant's promotions."""
    job_ids = requests.asked(tenant, CREATE.name, MOST)
    found = Job.batch_get(job_ids) if job_ids else ()
    # The record of a request may outlive its job.
    return sorted((job for job in found if tenant in (job.tenants or ())), key=_place)


def page(jobs: Sequence[Job], wanted: Filter, now: int, limit: int, after: tuple[int, int] | None) -> Page:
    """Up to `limit` of `jobs` that match, behind the place `after`. What is asked for meanwhile moves none of them."""
    matching = [job for job in jobs if wanted.matches(job, now) and (after is None or _place(job) > after)]
    shown = matching[:limit]
    more = len(matching) > limit
    return Page(shown, f"{shown[-1].created_at}-{shown[-1].payload['listing_id']}" if more else None)


def place(cursor: str) -> tuple[int, int] | None:
    """The place that a page's `next` names; None when it is not one."""
    found = re.fullmatch(_CURSOR, cursor)
    return (-int(found[1]), int(found[2])) if found else None


def _place(job: Job) -> tuple[int, int]:
    return -job.created_at, int(job.payload["listing_id"])
