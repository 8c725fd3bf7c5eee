"""Finding due jobs and claiming them. N claimers, one winner: the claim is a conditional write that raises the lease.

```
 worker A   claim lease 4 ──────── stalls ───────────────────── complete (lease = 4?)  ✗ refused
 scheduler                  lease ends │ rescue
 worker B                                   claim lease 5 ───── complete (lease = 5?)  ✓
```
"""

from dataclasses import dataclass

from sluice.jobs import keys
from sluice.jobs.job import DueIndex, Job
from sluice.jobs.states import LEASED, TRANSITIONS
from sluice.platform import tables


@dataclass(frozen=True)
class Candidate:
    """A due job as the index shows it: enough to decide whether to admit it."""

    job_id: str
    lane: str
    kind: str
    state: str
    due_at: int
    priority: int
    calls: int
    tenant: str
    account: str
    created_at: int

    @classmethod
    def of(cls, job: Job) -> "Candidate":
        """What the index shows of `job`."""
        return cls(
            job_id=job.job_id,
            lane=job.lane or "",
            kind=job.kind,
            state=job.state,
            due_at=job.due_at or 0,
            priority=job.priority,
            calls=job.calls,
            tenant=job.tenant,
            account=job.account,
            created_at=job.created_at,
        )


def due(lane: str, now: int, limit: int) -> list[Candidate]:
    """The jobs of `lane` that are due at `now`, longest due first, `limit` at most."""
    found = Job.due.query(lane, DueIndex.due_at <= now, limit=limit, page_size=limit)
    return [Candidate.of(job) for job in found]


def is_empty(lane: str) -> bool:
    """Whether no job at all, due or not, stands in `lane`."""
    return next(iter(Job.due.query(lane, limit=1, page_size=1)), None) is None


def oldest_due(lane: str, now: int) -> int | None:
    """Since when the first job of `lane` has been due (epoch ms), if one is."""
    found = due(lane, now, 1)
    return found[0].due_at if found else None


def claim(candidate: Candidate, now: int, lease_ms: int) -> Job | None:
    """Take the job until `now + lease_ms`. None when somebody else was first, or it is no longer as it was seen.

    The lane is part of the condition: a job that has moved is charged to another budget than the one reserved.
    """
    condition = (
        Job.state.is_in(*sorted(TRANSITIONS["claim"].sources)) & (Job.lane == candidate.lane) & (Job.due_at <= now)
    )
    actions = [
        Job.state.set(LEASED),
        Job.lane.set(keys.leased_lane(candidate.job_id)),
        Job.due_at.set(now + lease_ms),
        Job.lease.add(1),
        Job.attempts.add(1),
        Job.updated_at.set(now),
    ]
    try:
        return tables.update(Job, (candidate.job_id,), actions, condition)
    except tables.ConditionFailed:
        return None
