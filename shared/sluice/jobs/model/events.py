"""Events on the bus for every job that has ended. `docs/events.md` has their schema.

They are made from the stream of table `jobs`, so that no code that ends a job can forget one, and none is lost between
the write and the bus: Lambda hands a record over until it is published.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from sluice.jobs.model import keys
from sluice.jobs.model.job import Job, Unreadable, read
from sluice.jobs.model.states import DEAD, FINAL, LEASED, SUCCEEDED
from sluice.platform import aws
from sluice.platform.clock import iso
from sluice.platform.observe import logger

VERSION = 1
# In place of a tenant where several asked, or nobody by name.
SEVERAL = "*"

# A record of a DynamoDB stream, as Lambda hands it over.
Record = Mapping[str, Any]


def publish(records: Iterable[Record]) -> int:
    """Put `job.succeeded`, `job.dead` or `job.cancelled` on the bus for each job that `records` show to have ended.

    Returns how many.

    Raises:
        RuntimeError, BotoCoreError: the bus did not take all. Those that it took come again when this is done again.
    """
    ends = [(record["eventID"], end) for record in records if (end := _end_of_run(record["dynamodb"]))]
    aws.put_events([(f"job.{end.state}", _detail(event_id, end)) for event_id, end in ends])
    return len(ends)


class _End(NamedTuple):
    """A run that is over. job: as it was written then; askers: who asked for that run, and attempts: that it took.

    priority: the highest with which anybody asked for that run.
    """

    state: str
    job: Job
    askers: set[str]
    attempts: int
    priority: int


def succeeded(records: Iterable[Record]) -> Iterator[tuple[str, Job]]:
    """The runs that have succeeded by `records`: the id of each one's event, and its job as it was written then."""
    for record in records:
        if (end := _end_of_run(record["dynamodb"])) and end.state == SUCCEEDED:
            yield record["eventID"], end.job


def ended(change: Mapping[str, Any]) -> Job | None:
    """The job, if this change is the one by which it ended."""
    end = _end_of_run(change)
    return end.job if end and end.job.state in FINAL else None


def _end_of_run(change: Mapping[str, Any]) -> _End | None:
    """The run that ended by this change, if one did. A job that enters the table finished has come back from a backup:
    its end was told when it ended.
    """
    old, new = change.get("OldImage"), change.get("NewImage")
    finished = bool(old) and _is_final(new) and not _is_final(old)
    if not (finished or _runs_again(old, new)):
        return None
    try:
        job = read(new or {})
        before = job if finished else read(old or {})
    except Unreadable as unreadable:
        about = {"keys": change.get("Keys"), "reason": str(unreadable)}
        logger.error("a job has ended and cannot be read", extra=about)
        return None
    state = job.state if finished else DEAD if job.error else SUCCEEDED
    return _End(state, job, before.asked_by(), before.attempts, _most_urgent(old or {}, job))


def _most_urgent(old: Mapping[str, Any], job: Job) -> int:
    """The highest priority with which anybody asked for the run: its end forgets what others than its payer wanted."""
    try:
        before = read(dict(old))
    except Unreadable:
        return int(job.priority)  # it ended because nobody can read it
    return int(max([before.priority, *(before.priorities or {}).values()]))


def _is_final(image: Mapping[str, Any] | None) -> bool:
    return (image or {}).get("state", {}).get("S") in FINAL


def _runs_again(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> bool:
    """Whether a run ended that was asked for again meanwhile: the job begins anew, for those who asked again."""
    if not (old and new) or "rerun" not in old or "rerun" in new:
        return False
    was_running = old.get("state", {}).get("S") == LEASED
    return was_running and new.get("created_at") != old.get("created_at")


def _detail(event_id: str, end: _End) -> dict[str, Any]:
    job = end.job
    return {
        "version": VERSION,
        "id": event_id,
        "jobId": job.job_id,
        "kind": job.kind,
        "state": end.state,
        "priority": keys.priority_name(end.priority),
        "account": job.account,
        "tenants": sorted(end.askers),
        "tenant": _turn(end.askers),
        "attempts": end.attempts,
        "result": job.result,
        "error": job.error,
        "at": iso(job.updated_at),
    }


def _turn(askers: set[str]) -> str:
    """In whose turn the event stands in the queues of events, which hand out what is others' before a flood of one
    tenant's (ADR 132). What several asked for stands in a turn of its own: one's flood is not to hold up another's.
    """
    return next(iter(askers)) if len(askers) == 1 else SEVERAL
