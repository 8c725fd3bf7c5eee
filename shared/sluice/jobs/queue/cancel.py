"""Cancelling: one who asked for a job no longer wants it. Work that others asked for too goes on for them."""

from enum import StrEnum
from urllib.parse import quote, unquote

from pynamodb.expressions.update import Action as Update

from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.model.states import FINAL, TRANSITIONS
from sluice.jobs.queue import lanes, urgency
from sluice.jobs.queue.rerun import lane_at, moved
from sluice.jobs.queue.urgency import Asked
from sluice.platform import races, tables
from sluice.platform.attributes import still
from sluice.platform.clock import ttl
from sluice.platform.config.document import Config


class Cancelled(StrEnum):
    """What cancelling did."""

    CANCELLED = "cancelled"  # the job will not run
    WITHDRAWN = "withdrawn"  # others want it: it runs for them
    RUNNING = "running"  # a worker has it, or the marketplace: too late
    FINAL = "final"  # it is over already
    UNKNOWN = "unknown"  # there is no such job, or this tenant did not ask for it


def cancel(job_id: str, tenant: str, now: int, config: Config) -> Cancelled:
    """Take back `tenant`'s request for the job.

    Raises:
        Contention: others have changed the job again and again meanwhile.
    """
    race = races.Race(f"job {job_id} was changed while it was to be cancelled")
    while True:
        job = find(job_id, tenant)
        if job is None:
            return Cancelled.UNKNOWN
        if job.state in FINAL:
            return Cancelled.FINAL
        if job.state not in TRANSITIONS["cancel"].sources or job.begun:
            return Cancelled.RUNNING
        alone = job.asked_by() <= {tenant}
        actions = _ended(now, config) if alone else _withdrawn(job, tenant, now, config)
        as_read = (
            (Job.state == job.state)
            & (Job.lease == job.lease)
            & Job.begun.does_not_exist()
            & (Job.tenants == job.tenants)
            & (Job.tenant == job.tenant)
            & (Job.priority == job.priority)  # where it goes on for others, that decides in which lane
            & still(Job.askers, job.askers)
            & still(Job.priorities, job.priorities)
        )
        try:
            writes = [*actions, Job.updated_at.set(now)]
            tables.update(Job, (job_id,), writes, as_read, token=Job.cancel_token)
        except tables.ConditionFailed:
            race.lost()  # somebody joined, or a worker took it: look again
        else:
            return Cancelled.CANCELLED if alone else Cancelled.WITHDRAWN


def _ended(now: int, config: Config) -> list[Update]:
    """Nobody else has asked for the job: it will not run."""
    return [
        Job.state.set(TRANSITIONS["cancel"].target),
        Job.lane.remove(),
        Job.due_at.remove(),
        Job.priorities.remove(),
        Job.expires_at.set(ttl(now + config.engine.retention_ms)),
    ]


def _withdrawn(job: Job, tenant: str, now: int, config: Config) -> list[Update]:
    """The job runs for the others, without `tenant`."""
    wanted = {one: priority for one, priority in urgency.asked(job).items() if one != tenant}
    goes_on = job.tenant in wanted
    placed = urgency.writes(wanted, job.tenant) if goes_on else _handed_over(job, wanted, now, config)
    return [Job.tenants.delete({tenant}), Job.askers.delete({tenant}), *placed]


def _handed_over(job: Job, wanted: Asked, now: int, config: Config) -> list[Update]:
    """Who paid for the job no longer wants it: another of those who asked pays, as urgently as that one asked.

    wanted: by those others.
    """
    heir = urgency.most_urgent(wanted)[0]
    lane = lane_at(job, heir, wanted[heir], config)
    lanes.mark(lane, now, shared=len(wanted) > 1)
    return [*moved(job, heir), Job.lane.set(lane), *urgency.writes(wanted, heir)]


def find_by_path(text: str, tenant: str | None) -> Job | None:
    """The job that `text`, from a URL's path, names, if `tenant`, or for None anybody, asked for it.

    An id has percent-quoted parts. On its way to us it may have been escaped as a whole (as it should be), or not, and
    unescaped by the gateway, or not. So it arrives as it is, escaped once more, or with its parts unquoted.
    """
    parts = ":".join(quote(part, safe="") for part in text.split(":"))
    return next((job for one in dict.fromkeys((text, unquote(text), parts)) if (job := find(one, tenant))), None)


def find(job_id: str, tenant: str | None) -> Job | None:
    """The job, if `tenant` asked for it: to anybody else it does not exist. None for `tenant`: whoever asked for it."""
    if not keys.is_job_id(job_id):
        return None
    try:
        job = Job.get(job_id, consistent_read=True)
    except Job.DoesNotExist:
        return None
    return job if tenant is None or tenant in (job.tenants or ()) else None
