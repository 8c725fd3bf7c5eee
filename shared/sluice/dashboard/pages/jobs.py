"""Jobs by filter, and one job: what happened to it, why it waits, and what to do about it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from markupsafe import Markup

from sluice.dashboard import parts
from sluice.dashboard.html import element, join
from sluice.dashboard.page import Page
from sluice.dashboard.pages import actions
from sluice.dashboard.search import Filter, listing, search
from sluice.dashboard.table import Column, Row, Table, state, text, time
from sluice.dashboard.visit import Visit

STATES: Final = ("queued", "leased", "waiting", "succeeded", "dead", "cancelled")
FILTER: Final = Filter(
    choices={"state": ("State", STATES)},
    fields={
        "kind": "Kind",
        "marketplace": "Marketplace",
        "account": "Account",
        "sku": "SKU begins with",
        "code": "Error code",
        "text": "Text",
        "from": "Asked for from, as 2026-11-28T18:00:00Z",
        "to": "and before",
    },
)
# What can be done to all that match, and to a job in one of these states.
ON_ALL: Final = ("cancel", "retry", "raise")
ON_ONE: Final = {"queued": ("retry", "raise", "cancel"), "waiting": ("retry",)}
EVERY: Final = "Everything that matches"
NO_MATCH: Final = "No job matches. Change the filter."
UNNAMED: Final = "To act on many at once, say which by a filter."
COUNTED: Final = ("state", "kind", "marketplace", "code")


def show_all(visit: Visit) -> Page:
    """Jobs that match the filter in the address, with how many there are of each state."""
    asked = FILTER.asked(visit)
    found = search(visit, "/v1/operator/jobs", {**asked, **visit.of_tenant()})
    rows = found.rows("jobs")
    table = Table(visit, _columns(visit), rows, "Newest request first", NO_MATCH)
    buttons = actions.on_all(visit, EVERY, asked, ON_ALL, UNNAMED) if rows else None
    counted = None if found.wrong else _counts(visit, asked)
    return listing("Jobs", found, table, filter_=FILTER, before=counted, after=buttons)


def show_one(visit: Visit) -> Page:
    """One job."""
    route, path = "/v1/operator/jobs/{job_id}", {"job_id": visit.query.get("id", "")}
    job = visit.get(route, path=path, query=visit.of_tenant())
    wait = job["wait"]
    later = wait["until"] and datetime.fromisoformat(wait["until"]).timestamp() * 1_000 > visit.now
    until = [", until ", parts.moment(wait["until"])] if later else None
    history = _timeline(visit, job["history"])
    body = [
        element("p", parts.word(job["state"]), " ", wait["message"], until, ".", class_="told"),
        actions.on_one(visit, ON_ONE.get(job["state"], ()), job_id=job["jobId"]),
        parts.section(
            "What it is",
            parts.facts(
                {
                    "id": job["jobId"],
                    "kind": job["kind"],
                    "tenant": job["tenant"],
                    "account": job["account"] or parts.NONE,
                    "priority": job["priority"],
                    "attempts": f"{job['attempts']} of {job['maxAttempts'] or '?'}",
                    "due": parts.moment(job["dueAt"]),
                    "asked for": parts.moment(job["createdAt"]),
                    "changed": parts.moment(job["updatedAt"]),
                }
            ),
        ),
        _problem(job["error"]),
        parts.section("What happened", history.html()),
        parts.section("What it is to do", parts.as_json(job["payload"])),
        parts.section("What came of it", parts.as_json(job["result"])) if job["result"] is not None else None,
    ]
    return Page(job["jobId"], join(body), refreshes=job["state"] in ("queued", "leased", "waiting"), tables=(history,))


def _columns(visit: Visit) -> dict[str, Column]:
    of = visit.of_tenant()
    columns = {
        "id": Column("Job", lambda row: row["jobId"], lambda row: to_job(row["jobId"], of)),
        "state": state("State", "state"),
        "priority": text("Priority", "priority"),
        "attempts": text("Attempts", "attempts"),
        "due": time("Due", "dueAt"),
        "error": Column("Last error", lambda row: row["error"]["code"] if row["error"] else None),
        "asked": time("Asked for", "createdAt"),
    }
    return {"tenant": text("Tenant", "tenant"), **columns} if visit.is_platform else columns


def to_job(job_id: str, of: Mapping[str, str]) -> Markup:
    """A link to the job's page."""
    return parts.link(parts.breakable(job_id), "/dashboard/job", {"id": job_id, **of})


def of_queue(visit: Visit, queue: Row, **more: str) -> str:
    """The address of the jobs of one kind at one marketplace. more: what else it asks for."""
    where = {"kind": queue["kind"], "marketplace": queue["marketplace"]}
    return parts.address("/dashboard/jobs", {**where, **visit.of_tenant(), **more})


def _counts(visit: Visit, wanted: Mapping[str, str]) -> Markup | None:
    """How many there are in each state. Counters know state, kind, marketplace and code, and nothing else."""
    if set(wanted) - set(COUNTED):
        return element("p", "How many match is only known for state, kind, marketplace and error code.", class_="note")
    counted = {name: value for name, value in wanted.items() if name in COUNTED and name != "state"}
    found = visit.get("/v1/operator/jobs/counts", query={**counted, **visit.of_tenant()})
    tiles = [
        parts.tile(
            state,
            found["byState"].get(state, 0),
            to=parts.address(visit.here, {**visit.query, "state": state, "cursor": ""}),
        )
        for state in STATES
    ]
    return element("div", tiles, class_="tiles")


def _problem(error: Mapping[str, Any] | None) -> Markup | None:
    if error is None:
        return None
    return parts.section(
        "Last error", parts.facts({"code": error["code"], "message": error["message"], "at": parts.moment(error["at"])})
    )


def _timeline(visit: Visit, history: list[dict[str, Any]]) -> Table:
    columns = {
        "at": time("When", "at"),
        "event": state("What", "event"),
        "attempt": text("Attempt", "attempt"),
        "times": Column("Times", lambda row: row.get("times", 1)),
        "code": text("Code", "code"),
        "message": text("Message", "message"),
    }
    return Table(visit, columns, history, "Oldest first", "Nothing yet: it has not been tried.")
