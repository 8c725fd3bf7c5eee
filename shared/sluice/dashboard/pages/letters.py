"""Dead letters: what was given up, and replaying it."""

from typing import Final

from sluice.dashboard import parts
from sluice.dashboard.html import Child, join
from sluice.dashboard.pages import actions
from sluice.dashboard.pages.jobs import to_job
from sluice.dashboard.parts import Column, Row
from sluice.dashboard.visit import Page, Visit

FILTERS: Final = {"kind": "Kind", "marketplace": "Marketplace", "code": "Error code", "from": "Died from", "to": "to"}
DOES: Final = ("replay", "acknowledge")
EVERY: Final = "Every open one that matches"
UNNAMED: Final = "To replay many at once, say which by a filter: a kind, a marketplace, a code."
STATUSES: Final = ("open", "replayed", "acknowledged")


def show_all(visit: Visit) -> Page:
    """Dead letters that match the filter in the address, newest first."""
    wanted = visit.asked("status", *FILTERS, "cursor")
    found = visit.get("/v1/operator/dead-letters", query={**wanted, **visit.of_tenant()})
    rows, columns = found["deadLetters"], _columns(visit)
    fields = [parts.field(name, label, visit.query.get(name)) for name, label in FILTERS.items()]
    status = parts.select("status", "Status", STATUSES, visit.query.get("status"))
    table = parts.Table(visit, columns, rows, "Newest first", "Nothing was given up. That is how it should be.")
    named = {name: value for name, value in wanted.items() if name not in ("cursor", "status")}
    body = [
        parts.filters(visit, status, fields),
        table.html(),
        parts.next_page(visit, found["next"]),
        actions.on_all(visit, EVERY, named, DOES, UNNAMED) if rows else None,
    ]
    return Page("Dead letters", join(body), csv=table.csv)


def _columns(visit: Visit) -> dict[str, Column]:
    of = visit.of_tenant()
    columns = {
        "job": Column("Job", lambda row: row["jobId"], lambda row: to_job(row["jobId"], of)),
        "status": Column("Status", lambda row: row["status"], lambda row: parts.word(row["status"])),
        "code": Column("Error", lambda row: row["error"]["code"]),
        "message": Column("Message", lambda row: row["error"]["message"]),
        "attempts": Column("Attempts", lambda row: row["attempts"]),
        "died": Column("Died", lambda row: row["diedAt"], lambda row: parts.moment(row["diedAt"])),
        "do": Column("Act", None, lambda row: _buttons(visit, row)),
    }
    return {"tenant": Column("Tenant", lambda row: row["tenant"]), **columns} if visit.is_platform else columns


def _buttons(visit: Visit, row: Row) -> Child:
    of = {"tenant": row["tenant"]} if visit.is_platform else {}
    return actions.on_one(visit, DOES, letter_id=row["id"], **of) if row["status"] == "open" else None
