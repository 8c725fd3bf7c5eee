"""Who has taken a batch: the worker that starts it, or whoever has found out that nobody will. Only one ever does.

```
 scheduler   claims 25 jobs for batch b ── message ── … ── nobody takes it
 rescue                                                    │ leases end: takes b ── jobs back, as they were
 worker      (the message comes late)                      │                          b is taken ✗ nothing is run
```
SQS delivers a message twice at times, and one whose sending seemed to fail may have arrived. Without this, two workers
would run the same jobs under the same lease, and both spend, or give back, the same calls.
"""

from sluice.jobs.model.job import Job
from sluice.jobs.run.records import RunRecord
from sluice.platform import tables
from sluice.platform.clock import DAY, ttl

WORKER = "worker"
RESCUE = "rescue"
# Longer than a lease may last.
KEEP_MS = 2 * DAY


def start(job: Job, now: int) -> bool:
    """Take the batch in which `job` was claimed, to run it. False when it was taken before."""
    return _take(job, WORKER, now) is None


def withdraw(job: Job, now: int) -> bool:
    """Take the batch in which `job` was claimed, so that nobody runs it. False when a worker has started it.

    True also for whoever comes after another that has withdrawn it.
    """
    return _take(job, RESCUE, now) in (None, RESCUE)


def _take(job: Job, who: str, now: int) -> str | None:
    """Who has taken the batch before; None when it is ours."""
    # A job that an earlier version of Sluice has claimed has no batch, and was alone in it as far as anybody knows.
    batch = job.claim_token or f"{job.job_id}#{job.lease}"
    record = RunRecord(f"batch#{batch}", "start", taken_by=who, expires_at=ttl(now + KEEP_MS))
    try:
        tables.put(record, RunRecord.scope.does_not_exist(), token=RunRecord.token)
    except tables.ConditionFailed as failed:
        return str((failed.item or {}).get("taken_by", {}).get("S", WORKER))
    return None
