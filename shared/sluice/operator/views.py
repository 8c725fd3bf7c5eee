"""A job as the API shows it to one tenant. Pure.

No view holds the job's account, tenant or budget: they may be another tenant's (see `jobs.shown`).
"""

from collections.abc import Mapping
from typing import Annotated, Any, NotRequired

from typing_extensions import TypedDict

from sluice.jobs.dispatch.explain import Reason, Wait
from sluice.jobs.model import keys, kinds
from sluice.jobs.model.job import Job
from sluice.jobs.model.redaction import fields, redact
from sluice.jobs.model.states import ALL
from sluice.platform.clock import iso, iso_or_none
from sluice.platform.config.document import Config
from sluice.platform.http.shapes import Among, Shape, Time

State = Annotated[str, Among(sorted(ALL))]
# One of these, or the number of one that this version does not know.
Priority = Annotated[str, Shape(examples=list(keys.PRIORITIES))]

TAKE_OVER = (
    "it is to run through another seller's account, which does not work just now; "
    "ask for the job again and it runs through yours"
)


class JobError(TypedDict):
    """Why the last attempt failed."""

    code: str
    message: str
    at: Time


class JobEvent(TypedDict):
    """One entry of the timeline. A snooze that repeats is one entry: `times` counts it, `last` is the latest."""

    at: Time
    event: str
    attempt: int
    code: NotRequired[str]
    message: NotRequired[str]
    times: NotRequired[int]
    last: NotRequired[str]


class JobWait(TypedDict):
    """Why the job does not run right now, and until when, if that can be known."""

    reason: Annotated[str, Among(Reason)]
    until: Time | None
    message: str


class JobSummary(TypedDict):
    """A job in a list. `payload` says what it is to do, `result` what came of it; both depend on the kind."""

    jobId: str
    kind: str
    state: State
    priority: Priority
    attempts: int
    maxAttempts: int | None
    dueAt: Time | None
    createdAt: Time
    updatedAt: Time
    rerunRequested: bool
    payload: dict[str, Any]
    result: dict[str, Any] | None
    error: JobError | None


class JobDetail(JobSummary):
    """A job with its timeline and what it waits for."""

    history: list[JobEvent]
    wait: JobWait


def summary(job: Job, tenant: str, config: Config) -> JobSummary:
    """`job` as `tenant` sees it in a list."""
    error = job.error
    return {
        "jobId": job.job_id,
        "kind": job.kind,
        "state": job.state,
        "priority": keys.priority_name(job.priority),
        "attempts": job.attempts,
        "maxAttempts": _max_attempts(job.kind, config),
        "dueAt": iso_or_none(job.due_at),
        "createdAt": iso(job.created_at),
        "updatedAt": iso(job.updated_at),
        "rerunRequested": job.rerun is not None,
        "payload": fields(job.payload),
        "result": fields(job.result) if job.result is not None else None,
        "error": problem(error, tenant) if error else None,
    }


def detail(job: Job, wait: Wait, tenant: str, config: Config) -> JobDetail:
    """`job` as `tenant` sees it on its own."""
    history = [event(entry, tenant) for entry in job.history or []]
    return {**summary(job, tenant, config), "history": history, "wait": _wait(job, wait, tenant)}


def problem(error: Mapping[str, Any], tenant: str) -> JobError:
    """A stored error as `tenant` sees it."""
    return {"code": error["code"], "message": redact(error["message"], tenant), "at": iso(error["at"])}


def _wait(job: Job, wait: Wait, tenant: str) -> JobWait:
    others = wait.reason is Reason.ACCOUNT and job.tenant != tenant
    return {
        "reason": wait.reason,
        "until": iso_or_none(wait.until),
        "message": TAKE_OVER if others else redact(wait.message, tenant),
    }


def event(entry: Mapping[str, Any], tenant: str) -> JobEvent:
    """One entry of a timeline as `tenant` sees it."""
    shown: JobEvent = {"at": iso(entry["at"]), "event": entry["event"], "attempt": entry["attempt"]}
    if "code" in entry:
        shown["code"] = entry["code"]
    if "message" in entry:
        shown["message"] = redact(entry["message"], tenant)
    if "times" in entry:
        shown["times"] = entry["times"]
        shown["last"] = iso(entry["last"])
    return shown


def _max_attempts(kind: str, config: Config) -> int | None:
    try:
        kinds.get(kind)
    except kinds.UnknownKind:
        return None
    return kinds.most_attempts(kind, config)
