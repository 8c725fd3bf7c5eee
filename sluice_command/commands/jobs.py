"""`sluice jobs`, `why`, `dead`: what there is to do, why it waits, and what was given up."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from sluice_command.api import Api, segment
from sluice_command.errors import ApiError, ExitCode
from sluice_command.lists import own_or_all, rows
from sluice_command.options import STATES, Command, limit_option, marketplace_option, pass_session, period_options
from sluice_command.screen import Screen
from sluice_command.session import Session
from sluice_command.times import age, clock

F = TypeVar("F", bound=Callable[..., Any])
Json = dict[str, Any]
# What jobs are counted by: the stage knows these numbers without reading the jobs.
_COUNTED = ("state", "kind", "marketplace", "code", "tenant")
# What only the operator's list can filter by.
OPERATORS = "/v1/operator/jobs"
_OF_OPERATOR = ("account", "code", "text", "tenant")


def filters(function: F) -> F:
    """The filters of jobs, also for acting on all that match. All must match."""
    for option in reversed(
        (
            click.option("--state", type=click.Choice(STATES), help="In this state."),
            click.option("--kind", help="Of this kind, such as market.refresh."),
            marketplace_option,
            click.option("--account", help="Of this account, such as stockx:acme."),
            click.option("--sku", help="Whose SKU begins so."),
            click.option("--code", help="Whose error has this code, such as unavailable."),
            click.option("--text", help="Whose id, payload or error holds this."),
            period_options("Asked for"),
            click.option("--tenant", help="For the role platform: of this tenant."),
        )
    ):
        function = option(function)
    return function


def named(wanted: Json) -> Json:
    """Filters under the API's names, those that are given."""
    names = {"since": "from", "until": "to"}
    return {names.get(name, name): value for name, value in wanted.items() if value is not None}


@click.command(cls=Command)
@filters
@limit_option
@click.option(
    "--count",
    is_flag=True,
    help="Count them by state, kind, marketplace and error; takes --state, --kind, --marketplace, --code and --tenant.",
)
@pass_session
def jobs(session: Session, /, limit: int, count: bool, **wanted: str | None) -> None:
    """List jobs, the newest request first. All filters must match."""
    if count:
        _count(session, wanted)
        return
    api, query = session.api, named(wanted)
    if any(wanted[name] for name in _OF_OPERATOR):
        found = list(rows(api, OPERATORS, "jobs", limit, **query))
    else:
        found = own_or_all(api, "/v1/jobs", OPERATORS, "jobs", limit, **query)
    session.screen.json({"jobs": found})
    session.screen.table(
        ("job", "state", "priority", "tries", "due", "error"),
        [
            (
                one["jobId"],
                one["state"],
                one["priority"],
                one["attempts"],
                clock(one["dueAt"]),
                (one["error"] or {}).get("message"),
            )
            for one in found
        ],
        none="no job matches",
    )


@click.command(cls=Command)
@click.argument("job_id", metavar="JOB")
@pass_session
def why(session: Session, job_id: str) -> int:
    """Say why JOB waits, or how it ended, with its timeline.

    Exit code 1 when it died or was cancelled.
    """
    job = _find(session.api, job_id)
    session.screen.json(job)
    error, wait = job["error"] or {}, job["wait"]
    session.screen.fields(
        [
            ("job", job["jobId"]),
            ("state", job["state"]),
            ("why", wait["message"]),
            ("until", clock(wait["until"])),
            ("tries", f"{job['attempts']} of {job['maxAttempts']}" if job["maxAttempts"] else job["attempts"]),
            ("last error", error.get("message")),
            ("result", job["result"]),
        ]
    )
    timeline(session.screen, job["history"])
    return ExitCode.FAILED if job["state"] in ("dead", "cancelled") else ExitCode.OK


@click.command(cls=Command)
@click.argument("letter_id", metavar="[LETTER]", required=False)
@click.option(
    "--status", type=click.Choice(("open", "replayed", "acknowledged")), help="Which of them.  [default: open]"
)
@click.option("--kind", help="Of this kind, such as market.refresh.")
@marketplace_option
@click.option("--code", help="Whose error has this code.")
@period_options("Died")
@limit_option
@pass_session
def dead(session: Session, /, letter_id: str | None, limit: int, status: str | None, **wanted: str | None) -> None:
    """List dead letters, the newest first: jobs that were given up; or show LETTER with its timeline."""
    if letter_id:
        _letter(session, session.api.get(f"/v1/dead-letters/{segment(letter_id)}"))
        return
    wanted["status"] = status or "open"
    found = own_or_all(
        session.api, "/v1/dead-letters", "/v1/operator/dead-letters", "deadLetters", limit, **named(wanted)
    )
    session.screen.json({"deadLetters": found})
    session.screen.table(
        ("letter", "age", "job", "code", "why"),
        [(one["id"], age(one["diedAt"]), one["jobId"], one["error"]["code"], one["error"]["message"]) for one in found],
        none=f"no dead letter that is {wanted['status']} matches",
    )


def timeline(screen: Screen, history: list[Json]) -> None:
    """What happened to a job."""
    events = (
        (
            clock(one["at"]),
            f"{one['event']}, {one['times']} times" if one.get("times", 1) > 1 else one["event"],
            one["attempt"],
            one.get("code"),
            one.get("message"),
        )
        for one in history
    )
    screen.table(("at", "event", "try", "code", "what was said"), events)


def _find(api: Api, job_id: str) -> Json:
    """The job, the caller's own or, for whoever operates the stage, anybody's."""
    try:
        found: Json = api.job(job_id)
    except ApiError as error:
        if error.status not in (403, 404):
            raise
        try:
            found = api.get(f"{OPERATORS}/{segment(job_id)}")
        except ApiError as second:
            if error.status == 403 and second.status == 403:
                raise error from None
            raise ApiError(f"there is no job {job_id!r} of yours; `sluice jobs` lists them", 404) from None
    return found


def _letter(session: Session, letter: Json) -> None:
    session.screen.json(letter)
    error = letter["error"]
    session.screen.fields(
        [
            ("letter", letter["id"]),
            ("status", letter["status"]),
            ("job", letter["jobId"]),
            ("died", clock(letter["diedAt"])),
            ("tries", letter["attempts"]),
            ("why", f"{error['code']}: {error['message']}"),
            ("was to do", letter["payload"]),
        ]
    )
    timeline(session.screen, letter["history"])


def _count(session: Session, wanted: Json) -> None:
    if others := [name for name, value in wanted.items() if value is not None and name not in _COUNTED]:
        raise click.UsageError(f"--count does not go with --{others[0]}: leave one of them out")
    found = session.api.get(f"{OPERATORS}/counts", **named(wanted))
    session.screen.json(found)
    session.screen.fields([("jobs", found["jobs"])])
    for by, name in (("byState", "state"), ("byKind", "kind"), ("byMarketplace", "marketplace"), ("byCode", "error")):
        if found[by]:
            session.screen.table((name, "jobs"), found[by].items())


COMMANDS = (jobs, why, dead)
