"""Dead letters: table `dead_letters`. A job that is dead, with everything that was known of it."""

from collections.abc import Mapping
from typing import Any

from pynamodb.attributes import BooleanAttribute, JSONAttribute, UnicodeAttribute

from sluice.jobs.model import keys
from sluice.jobs.model.history import Entry
from sluice.jobs.model.job import FORCE, Job
from sluice.platform import tables
from sluice.platform.attributes import IntAttribute
from sluice.platform.clock import iso, ttl

# The code of a letter that holds an item which is no job.
UNREADABLE = "unreadable"


def is_unreadable(error: Mapping[str, Any] | None) -> bool:
    """Whether `error` is that of a job, or a letter, whose item could not be read."""
    return error is not None and error["code"] == UNREADABLE


class DeadLetter(tables.Table):
    """One dead job. `dead_letter` begins with the time of death, so that a tenant's letters are read newest first.

    budget, calls, begun, version: as the job had them, for a replay. replayed_at, replayed_by: who had the work done
    once more; it is replayed once. acknowledged_at, acknowledged_by: who has seen it, and wants nothing done.
    """

    class Meta:
        table_name = tables.name("dead_letters")

    tenant = UnicodeAttribute(hash_key=True)
    dead_letter = UnicodeAttribute(range_key=True)
    job_id = UnicodeAttribute()
    kind = UnicodeAttribute()
    account = UnicodeAttribute()
    budget = UnicodeAttribute()
    calls = IntAttribute()
    priority = IntAttribute()
    attempts = IntAttribute()
    payload = JSONAttribute()
    error = JSONAttribute()
    history = JSONAttribute()
    begun = BooleanAttribute(null=True)
    version = IntAttribute()
    created_at = IntAttribute()
    died_at = IntAttribute()
    replayed_at = IntAttribute(null=True)
    replayed_by = UnicodeAttribute(null=True)
    acknowledged_at = IntAttribute(null=True)
    acknowledged_by = UnicodeAttribute(null=True)
    acknowledge_token = UnicodeAttribute(null=True)
    expires_at = IntAttribute()


def dead_letters_of(job: Job, error: Entry, history: list[Entry], now: int, keep_ms: int) -> list[DeadLetter]:
    """A dead letter of `job` for each who asked for the run that has died, in the order of their names."""
    return [dead_letter(job, error, history, now, keep_ms, tenant) for tenant in sorted(job.asked_by() | {job.tenant})]


def dead_letter(
    job: Job, error: Entry, history: list[Entry], now: int, keep_ms: int, tenant: str | None = None
) -> DeadLetter:
    """The dead letter of `job` for `tenant`. Its key holds the lease, so that the same death is never written twice.

    Who asked and did not pay has a letter with its own account: if it is replayed, that pays.
    """
    account, budget = job.account, job.budget
    if tenant is not None and tenant != job.tenant:
        account = keys.account(keys.marketplace_of(job.account), tenant)
        budget = keys.budget_of_another(job.budget, tenant)
    return DeadLetter(
        tenant=tenant or job.tenant,
        dead_letter=f"{iso(now)}#{job.job_id}#{job.lease}",
        job_id=job.job_id,
        kind=job.kind,
        account=account,
        budget=budget,
        calls=job.calls,
        priority=job.priority_for(tenant or job.tenant),
        attempts=job.attempts,
        payload=_payload(job.payload, tenant or job.tenant),
        error=error,
        history=history,
        begun=job.begun,
        version=job.version,
        created_at=job.created_at,
        died_at=now,
        expires_at=ttl(now + keep_ms),
    )


def _payload(payload: dict[str, Any], tenant: str) -> dict[str, Any]:
    """What the job was to do, for `tenant`: without the force of another, whom its letter is not to name."""
    if payload.get("forced_by", tenant) == tenant:
        return payload
    return {name: value for name, value in payload.items() if name not in FORCE}


def acknowledge(found: DeadLetter, by: str, now: int) -> DeadLetter | None:
    """Note that `by` has seen the letter and wants nothing done. None when it was replayed, or seen, before."""
    untouched = (
        DeadLetter.dead_letter.exists()
        & DeadLetter.replayed_at.does_not_exist()
        & DeadLetter.acknowledged_at.does_not_exist()
    )
    marks = [DeadLetter.acknowledged_at.set(now), DeadLetter.acknowledged_by.set(by)]
    try:
        key = (found.tenant, found.dead_letter)
        return tables.update(DeadLetter, key, marks, untouched, token=DeadLetter.acknowledge_token)
    except tables.ConditionFailed:
        return None
