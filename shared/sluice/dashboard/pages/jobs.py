"""Jobs by filter, and one job: what happened to it, why it waits, and what to do about it."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from markupsafe import Markup

from sluice.dashboard import parts
from sluice.dashboard.ask import ApiRefusal
from sluice.dashboard.html import Child, element, join
from sluice.dashboard.pages import actions
from sluice.dashboard.parts import Column, Table
from sluice.dashboard.visit import Page, Visit

STATES: Final = ("queued", "leased", "waiting", "succeeded", "dead", "cancelled")
# What a filter of jobs may name, in the API's words.
FILTERS: Final = {
    "kind": "Kind",
    "marketplace": "Marketplace",
    "account": "Account",
    "sku": "SKU begins with",
    "code": "Error code",
    "text": "Text",
    "from": "Asked for from",
    "to": "to",
}
# What can be done to all that match, and to a job in one of these states.
ON_ALL: Final = ("cancel", "retry", "raise")
ON_ONE: Final = {"queued": ("retry", "raise", "cancel"), "waiting": ("retry",)}
EVERY: Final = "Everything that matches"
UNNAMED: Final = "To act on many at once, say which by a filter."
COUNTED: Final = ("state", "kind", "marketplace", "code")


def show_all(visit: Visit) -> Page:
    """Jobs that match the filter in the address, with how many there are of each state."""
    wanted = visit.asked("state", *FILTERS, "cursor")
    wrong: Mapping[str, str] = {}
    rows, after = list[Any](), None
    try:
        found = visit.get("/v1/operator/jobs", query={**wanted, **visit.of_tenant()})
        rows, after = found["jobs"], found["next"]
    except ApiRefusal as refused:
        wrong = refused.fields or {"filter": refused.message}
    table = Table(visit, _columns(visit), rows, "Newest request first", _nothing(after is not None))
    named = {name: value for name, value in wanted.items() if name != "cursor"}
    body = [
        _filter(visit, wrong),
        None if wrong else [_counts(visit, wanted), table.html()],
        parts.next_page(visit, after),
        actions.on_all(visit, EVERY, named, ON_ALL, UNNAMED) if rows else None,
    ]
    return Page("Jobs", join(body), status=400 if wrong else 200, csv=table.csv)


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
        parts.section("What it is to do", element("pre", json.dumps(job["payload"], indent=2, ensure_ascii=False))),
        parts.section("What came of it", element("pre", json.dumps(job["result"], indent=2, ensure_ascii=False)))
        if job["result"] is not None
        else None,
    ]
    return Page(job["jobId"], join(body), refreshes=job["state"] in ("queued", "leased", "waiting"), csv=history.csv)


def _columns(visit: Visit) -> dict[str, Column]:
    of = visit.of_tenant()
    columns = {
        "id": Column("Job", lambda row: row["jobId"], lambda row: to_job(row["jobId"], of)),
        "state": Column("State", lambda row: row["state"], lambda row: parts.word(row["state"])),
        "priority": Column("Priority", lambda row: row["priority"]),
        "attempts": Column("Attempts", lambda row: row["attempts"]),
        "due": Column("Due", lambda row: row["dueAt"], lambda row: parts.moment(row["dueAt"])),
        "error": Column("Last error", lambda row: row["error"]["code"] if row["error"] else None),
        "asked": Column("Asked for", lambda row: row["createdAt"], lambda row: parts.moment(row["createdAt"])),
    }
    return {"tenant": Column("Tenant", lambda row: row["tenant"]), **columns} if visit.is_platform else columns


def to_job(job_id: str, of: Mapping[str, str]) -> Markup:
    """A link to the job's page."""
    return parts.link(job_id, "/dashboard/job", {"id": job_id, **of})


def _filter(visit: Visit, wrong: Mapping[str, str]) -> Markup:
    fields = [parts.field(name, label, visit.query.get(name), wrong.get(name)) for name, label in FILTERS.items()]
    told = [
        element("p", f"{name}: {message}", class_="refused", role="alert")
        for name, message in wrong.items()
        if name not in FILTERS
    ]
    state = parts.select("state", "State", STATES, visit.query.get("state"))
    return join([told, parts.filters(visit, state, fields)])


def _counts(visit: Visit, wanted: Mapping[str, str]) -> Markup | None:
    """How many there are in each state. Counters know state, kind, marketplace and code, and nothing else."""
    if set(wanted) - {*COUNTED, "cursor"}:
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
        "at": Column("When", lambda row: row["at"], lambda row: parts.moment(row["at"])),
        "event": Column("What", lambda row: row["event"], lambda row: parts.word(row["event"])),
        "attempt": Column("Attempt", lambda row: row["attempt"]),
        "times": Column("Times", lambda row: row.get("times", 1)),
        "code": Column("Code", lambda row: row.get("code")),
        "message": Column("Message", lambda row: row.get("message")),
    }
    return Table(visit, columns, history, "Oldest first", "Nothing yet: it has not been tried.")


def _nothing(goes_on: bool) -> Child:
    return "None on this page; there may be some on the next." if goes_on else "No job matches. Change the filter."
