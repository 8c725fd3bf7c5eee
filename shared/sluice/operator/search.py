"""Jobs of one tenant or of all, of every kind, as far as they are wanted. A page reads a bounded number of them.

All tenants are walked by name, each with its newest request first. `next` says at which tenant, and where in it, the
next page begins.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.model.redaction import fields
from sluice.jobs.queue import asked
from sluice.operator import counts
from sluice.platform.http import paging
from sluice.platform.http.paging import Page, Place

# Tenants that one page looks at: of each at least one read is made.
MOST_TENANTS = 25
R = TypeVar("R")


@dataclass(frozen=True)
class Filter(paging.Filter):
    """Which jobs are wanted.

    account: `stockx:acme`. sku: how the SKU begins, upper case. code: of its error. text: what its id, its payload or
    its error's message holds, in any case. since, until: when it was asked for, epoch ms; until is not included.
    """

    state: str | None = None
    kind: str | None = None
    marketplace: str | None = None
    account: str | None = None
    sku: str | None = None
    code: str | None = None
    text: str | None = None
    since: int | None = None
    until: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it matches every job."""
        return self == Filter()

    def may_match(self, job_id: str) -> bool:
        """Whether a job can match, as far as its key tells."""
        return self.allows(kind=keys.job_parts(job_id)[0])

    def matches(self, job: Job) -> bool:
        """Whether the job is wanted."""
        sku = str(job.payload.get("sku", "")).upper()
        error = job.error or {}
        return (
            self.allows(state=job.state, kind=job.kind, account=job.account, code=error.get("code"))
            and self.allows(marketplace=keys.marketplace_of(job.account))
            and sku.startswith(self.sku or "")
            and (self.since is None or job.created_at >= self.since)
            and (self.until is None or job.created_at < self.until)
            and (self.text is None or self.text.lower() in _said(job))
        )


# Some rows of a tenant's list, so many at most, from a place on.
Read = Callable[[str, int, Place | None], Page[R]]
# Some tenants by name, so many at most, that come after one.
Tenants = Callable[[str, int], list[str]]


@dataclass(frozen=True)
class Walked(Generic[R]):
    """Rows, each with the tenant whose it is, and the cursor of the next page; None when nothing is left."""

    rows: list[tuple[str, R]]
    next: str | None


def page(owner: str, wanted: Filter, limit: int, cursor: str | None) -> Walked[Job]:
    """Up to `limit` jobs that `owner`, a tenant or `ALL`, asked for. A page may be short and not the last."""

    def read(tenant: str, most: int, start: Place | None) -> Page[Job]:
        return asked.page(tenant, most, start, wanted.may_match, lambda _, job: wanted.matches(job))

    return walk(owner, limit, cursor, read, asked.KEY, asked.MOST_INDEX)


def with_jobs(after: str, limit: int) -> list[str]:
    """Up to `limit` tenants that have or had jobs, and come after `after`."""
    return [name for name, _ in counts.tenants(after, limit)]


def walk(
    owner: str,
    limit: int,
    cursor: str | None,
    read: Read[R],
    keys_: str = "",
    most_index: int = 0,
    tenants: Tenants = with_jobs,
) -> Walked[R]:
    """Up to `limit` rows of the lists of `owner`, a tenant or `ALL`.

    keys_, most_index: what the keys of the lists look like (see `paging.start`).
    tenants: whose lists may hold anything.

    Raises:
        Invalid: the cursor is none of ours.
    """
    if owner != counts.ALL:
        found = read(owner, limit, paging.start(cursor, owner, keys_, most_index=most_index))
        return Walked([(owner, one) for one in found], found.cursor(owner))
    last = paging.owner(cursor) if cursor else ""
    place = paging.start(cursor, last, f"(?:{keys_})?", most_index=most_index)
    # A place without a key leads on behind the tenant.
    inside = place if place and place.key else None
    rows: list[tuple[str, R]] = []
    names = [*([last] if inside else []), *tenants(last, MOST_TENANTS)]
    for name in names:
        if len(rows) >= limit:
            return Walked(rows, paging.encode(Place(""), last))
        found = read(name, limit - len(rows), inside)
        rows += [(name, one) for one in found]
        last, inside = name, None
        if found.next:
            return Walked(rows, found.cursor(name))
    return Walked(rows, paging.encode(Place(""), last) if len(names) >= MOST_TENANTS else None)


def _said(job: Job) -> str:
    """What may be shown of a job, as one text in lower case: no secret can be guessed by looking for it."""
    message = (job.error or {}).get("message", "")
    return f"{job.job_id} {json.dumps(fields(job.payload), default=str)} {message}".lower()
