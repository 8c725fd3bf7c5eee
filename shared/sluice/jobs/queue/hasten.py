"""Bringing a job forward because an operator says so: to be tried now, before others, or as if it had never failed."""

from collections.abc import Callable
from enum import StrEnum

from pynamodb.expressions.update import Action as Update

from sluice.jobs.model import history
from sluice.jobs.model.job import Job
from sluice.jobs.model.states import FINAL, LEASED, QUEUED
from sluice.jobs.queue import lanes, urgency
from sluice.jobs.queue.cancel import find
from sluice.jobs.queue.rerun import lane_at
from sluice.platform import races, tables
from sluice.platform.attributes import still
from sluice.platform.config.document import Config


class Hastened(StrEnum):
    """What became of it."""

    DONE = "done"
    ALREADY = "already"  # it is due, or as urgent, already
    RUNNING = "running"  # a worker has it
    SHARED = "shared"  # it runs through another tenant's account: who asks for it anew has it run through their own
    FINAL = "final"  # it is over
    UNKNOWN = "unknown"  # there is no such job, or the tenant did not ask for it


def try_now(job_id: str, tenant: str | None, now: int) -> Hastened:
    """Have the job tried, or its operation checked, now: whatever its backoff, or its next check, was put off to.

    tenant: who must have asked for it; None: anybody. Its budget, its account and pauses hold it as they did.
    """

    def writes(job: Job) -> list[Update] | None:
        if job.due_at <= now:
            return None
        lanes.mark(job.lane, now)
        return [Job.due_at.set(now)]

    return _change(job_id, tenant, now, writes)


def raise_to(job_id: str, tenant: str | None, priority: int, now: int, config: Config) -> Hastened:
    """Have the queued job stand before others of a lower priority."""

    def writes(job: Job) -> list[Update] | None:
        if job.state != QUEUED or job.priority >= priority:
            return None
        lane = lane_at(job, job.tenant, priority, config)
        lanes.mark(lane, now, shared=len(job.asked_by()) > 1)
        return [Job.lane.set(lane), *urgency.writes({**urgency.asked(job), job.tenant: priority}, job.tenant)]

    return _change(job_id, tenant, now, writes)


def reset(job_id: str, tenant: str | None, now: int) -> Hastened:
    """Have the queued job begin anew, with all its attempts, if it has failed some. Its timeline says so."""

    def writes(job: Job) -> list[Update] | None:
        if job.state != QUEUED or not job.attempts:
            return None
        lanes.mark(job.lane, now)
        entry: history.Entry = {"at": now, "event": "reset", "attempt": job.attempts}
        told = history.add(job.history or [], entry)
        return [Job.attempts.set(0), Job.due_at.set(min(now, job.due_at)), Job.history.set(told)]

    return _change(job_id, tenant, now, writes)


def _change(job_id: str, tenant: str | None, now: int, writes: Callable[[Job], list[Update] | None]) -> Hastened:
    """Write what `writes` says of the job as it was read, if it still is so; None: there is nothing to write.

    Raises:
        Contention: others have changed the job again and again meanwhile.
    """
    race = races.Race(f"job {job_id} was changed while it was to be brought forward")
    while True:
        job = find(job_id, tenant)
        if job is None:
            return Hastened.UNKNOWN
        if job.state in FINAL:
            return Hastened.FINAL
        if tenant not in (None, job.tenant):
            return Hastened.SHARED
        if job.state == LEASED:
            return Hastened.RUNNING
        actions = writes(job)
        if actions is None:
            return Hastened.ALREADY
        as_read = (
            (Job.state == job.state)
            & (Job.lease == job.lease)
            & (Job.lane == job.lane)
            & (Job.due_at == job.due_at)
            & still(Job.askers, job.askers)
            & still(Job.priorities, job.priorities)
        )
        try:
            tables.update(Job, (job_id,), [*actions, Job.updated_at.set(now)], as_read, token=Job.ask_token)
        except tables.ConditionFailed:
            race.lost()  # a worker took it, or somebody else has moved it: look again
        else:
            return Hastened.DONE
