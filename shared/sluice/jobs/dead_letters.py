"""Dead letters: table `dead_letters`. A job that is dead, with everything that was known of it."""

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from sluice.jobs.history import Entry
from sluice.jobs.job import Job
from sluice.platform import tables
from sluice.platform.attributes import IntAttribute
from sluice.platform.clock import iso, ttl


class DeadLetter(tables.Table):
    """One dead job. `dead_letter` begins with the time of death, so that a tenant's letters are read newest first."""

    class Meta:
        table_name = tables.name("dead_letters")

    tenant = UnicodeAttribute(hash_key=True)
    dead_letter = UnicodeAttribute(range_key=True)
    job_id = UnicodeAttribute()
    kind = UnicodeAttribute()
    account = UnicodeAttribute()
    priority = IntAttribute()
    attempts = IntAttribute()
    payload = JSONAttribute()
    error = JSONAttribute()
    history = JSONAttribute()
    created_at = IntAttribute()
    died_at = IntAttribute()
    expires_at = IntAttribute()


def letter(job: Job, error: Entry, history: list[Entry], now: int, keep_ms: int) -> DeadLetter:
    """The dead letter of `job`. Its key holds the lease, so that the same death is never written twice."""
    return DeadLetter(
        tenant=job.tenant,
        dead_letter=f"{iso(now)}#{job.job_id}#{job.lease}",
        job_id=job.job_id,
        kind=job.kind,
        account=job.account,
        priority=job.priority,
        attempts=job.attempts,
        payload=job.payload,
        error=error,
        history=history,
        created_at=job.created_at,
        died_at=now,
        expires_at=ttl(now + keep_ms),
    )
