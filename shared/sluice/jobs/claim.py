"""Finding due jobs and claiming them. N claimers, one winner: the claim is a conditional write that raises the lease.

```
 worker A   claim lease 4 ──────── stalls ───────────────────── complete (lease = 4?)  ✗ refused
 scheduler                  lease ends │ rescue
 worker B                                   claim lease 5 ───── complete (lease = 5?)  ✓
```
"""

from sluice.jobs import keys
from sluice.jobs.admission import Candidate
from sluice.jobs.job import DueIndex, Job
from sluice.jobs.states import LEASED, TRANSITIONS
from sluice.platform import tables


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
