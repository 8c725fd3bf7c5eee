"""Finding due jobs and claiming them. N claimers, one winner: the claim is a conditional write that raises the lease.

```
 worker A   claim lease 4 ──────── stalls ───────────────────── complete (lease = 4?)  ✗ refused
 scheduler                  lease ends │ rescue
 worker B                                   claim lease 5 ───── complete (lease = 5?)  ✓
```
"""

import secrets
from collections.abc import Collection
from typing import Any, NamedTuple

from sluice.jobs.model import keys
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.model.job import INDEXED, DueIndex, Job, Unreadable, read
from sluice.jobs.model.states import LEASED, TRANSITIONS
from sluice.platform import tables


class DuePage(NamedTuple):
    """Due jobs of a lane, longest due first.

    unreadable: the keys of items among them that are no jobs. passed: how many were of kinds that were not asked for.
    rest: where to read on, if there may be more.
    """

    found: list[Candidate]
    unreadable: list[str]
    passed: int
    rest: dict[str, Any] | None


def page(
    lane: str, now: int, limit: int, after: dict[str, Any] | None = None, without: Collection[str] = ()
) -> DuePage:
    """Those of `lane` that are due at `now`, from the start, or on from the `rest` of another page.

    without: kinds of job that are passed over.

    At most `limit` items, in one request: so much of the index is far below the megabyte that an answer holds.
    """
    answer = Job._get_connection().query(
        lane,
        DueIndex.due_at <= now,
        index_name="due",
        filter_condition=~Job.kind.is_in(*sorted(without)) if without else None,
        limit=limit,
        exclusive_start_key=after,
    )
    found, unreadable = list[Candidate](), list[str]()
    for raw in answer["Items"]:
        try:
            found.append(Candidate.of(read(raw, INDEXED)))
        except Unreadable:
            unreadable.append(raw["job_id"]["S"])
    return DuePage(found, unreadable, answer["ScannedCount"] - answer["Count"], answer.get("LastEvaluatedKey"))


def due(lane: str, now: int, limit: int) -> tuple[list[Candidate], list[str]]:
    """The first `limit` of `page`: the jobs, and the keys of items that are none."""
    first = page(lane, now, limit)
    return first.found, first.unreadable


def is_empty(lane: str) -> bool:
    """Whether no job at all, due or not, stands in `lane`."""
    return next(iter(Job.due.query(lane, limit=1)), None) is None


def new_batch() -> str:
    """What a batch is called: every job claimed for it carries it, so that whoever finds one can ask for the batch."""
    return secrets.token_urlsafe(6)


def claim(candidate: Candidate, now: int, lease_ms: int, batch: str = "") -> Job | None:
    """Take the job for `batch` until `now + lease_ms`. None when somebody else was first, or it is not as it was seen.

    The lane is part of the condition: a job that has moved is charged to another budget than the one reserved, or runs
    in another account's batch.
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
        Job.reserved.set(candidate.calls),
        Job.updated_at.set(now),
    ]
    try:
        return tables.update(
            Job, (candidate.job_id,), actions, condition, token=Job.claim_token, value=batch or new_batch()
        )
    except tables.ConditionFailed:
        return None
