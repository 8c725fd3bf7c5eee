"""Dead letters: what was given up, and replaying it."""

from typing import Final

from sluice.dashboard.html import Child
from sluice.dashboard.page import Page
from sluice.dashboard.pages import actions
from sluice.dashboard.pages.jobs import to_job
from sluice.dashboard.search import Filter, listing, search
from sluice.dashboard.table import Column, Row, Table, state, text, time
from sluice.dashboard.visit import Visit

FILTER: Final = Filter(
    choices={"status": ("Status", ("open", "replayed", "acknowledged"))},
    fields={
        "kind": "Kind",
        "marketplace": "Marketplace",
        "code": "Error code",
        "from": "Died from, as 2026-11-28T18:00:00Z",
        "to": "and before",
    },
)
DOES: Final = ("replay", "acknowledge")
EVERY: Final = "Every open one that matches"
UNNAMED: Final = "To replay many at once, say which by a filter: a kind, a marketplace, a code."


def show_all(visit: Visit) -> Page:
    """Dead letters that match the filter in the address, newest first."""
    asked = FILTER.asked(visit)
    found = search(visit, "/v1/operator/dead-letters", {**asked, **visit.of_tenant()})
    rows = found.rows("deadLetters")
    table = Table(visit, _columns(visit), rows, "Newest first", "Nothing was given up. That is how it should be.")
    named = {name: value for name, value in asked.items() if name != "status"}
    buttons = actions.on_all(visit, EVERY, named, DOES, UNNAMED) if rows else None
    return listing("Dead letters", found, table, filter_=FILTER, after=buttons)


def _columns(visit: Visit) -> dict[str, Column]:
    of = visit.of_tenant()
    columns = {
        "job": Column("Job", lambda row: row["jobId"], lambda row: to_job(row["jobId"], of)),
        "status": state("Status", "status"),
        "code": Column("Error", lambda row: row["error"]["code"]),
        "message": Column("Message", lambda row: row["error"]["message"]),
        "attempts": text("Attempts", "attempts"),
        "died": time("Died", "diedAt"),
        "do": Column("Act", None, lambda row: _buttons(visit, row)),
    }
    return {"tenant": text("Tenant", "tenant"), **columns} if visit.is_platform else columns


def _buttons(visit: Visit, row: Row) -> Child:
    of = {"tenant": row["tenant"]} if visit.is_platform else {}
    return actions.on_one(visit, DOES, letter_id=row["id"], **of) if row["status"] == "open" else None
