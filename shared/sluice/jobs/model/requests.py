"""Who asked for what: table `requests`, one item for each enqueue request, whatever the number of its jobs.

It is what a tenant's list of jobs is read from. An index on `jobs` by tenant would cost a write for each job; this
costs one kilobyte for twenty jobs, and it knows that several tenants asked for the same job.
"""

from collections.abc import Sequence
from uuid import uuid4

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from sluice.jobs.model import kinds
from sluice.platform import tables
from sluice.platform.attributes import IntAttribute
from sluice.platform.clock import iso, ttl


class AskRecord(tables.Table):
    """One enqueue request. `request` begins with its time, so that a Query reads the newest first.

    tenant: who asked, with `#kind` behind it where one kind's requests stand apart.
    """

    class Meta:
        table_name = tables.name("requests")

    tenant = UnicodeAttribute(hash_key=True)
    request = UnicodeAttribute(range_key=True)
    kind = UnicodeAttribute()
    job_ids = JSONAttribute()
    requested_at = IntAttribute()
    expires_at = IntAttribute()


def record(tenant: str, kind: str, job_ids: Sequence[str], now: int, keep_ms: int) -> None:
    """Remember that `tenant` asked for `job_ids` (500 at most, which is 50 KB).

    Of a kind that is listed apart they are noted once more where none of other kinds stand (see `apart`).
    """
    if not job_ids:
        return
    for owner in (tenant, apart(tenant, kind)) if kinds.is_listed_apart(kind) else (tenant,):
        AskRecord(
            tenant=owner,
            request=f"{iso(now)}#{uuid4().hex[:8]}",
            kind=kind,
            job_ids=list(job_ids),
            requested_at=now,
            expires_at=ttl(now + keep_ms),
        ).save()


def apart(tenant: str, kind: str) -> str:
    """The hash key under which a tenant's requests of a kind that is listed apart stand: no tenant's name has a `#`."""
    return f"{tenant}#{kind}"
