"""Dead letters: what was given up, and replaying it."""

from typing import Any, Final
from uuid import uuid4

from markupsafe import Markup

from sluice.dashboard import parts
from sluice.dashboard.html import Child, element, join
from sluice.dashboard.pages.jobs import to_job
from sluice.dashboard.parts import Column, Row
from sluice.dashboard.visit import Page, Visit

FILTERS: Final = {"kind": "Kind", "marketplace": "Marketplace", "code": "Error code", "from": "Died from", "to": "to"}
STATUSES: Final = ("open", "replayed", "acknowledged")


def show_all(visit: Visit) -> Page:
    """Dead letters that match the filter in the address, newest first."""
    wanted = {name: visit.query[name] for name in ("status", *FILTERS, "cursor") if visit.query.get(name)}
    found = visit.get("/v1/operator/dead-letters", query={**wanted, **visit.of_tenant()})
    rows, columns = found["deadLetters"], _columns(visit)
    fields = [parts.field(name, label, visit.query.get(name)) for name, label in FILTERS.items()]
    tenant = [element("input", type="hidden", name="tenant", value=value) for value in visit.of_tenant().values()]
    status = parts.select("status", "Status", STATUSES, visit.query.get("status"))
    inputs = [tenant, status, fields, parts.button("Filter", kind="strong"), parts.link("Clear", visit.here)]
    body = [
        element("form", inputs, method="get", action=visit.here, class_="filter", role="search"),
        parts.table(
            visit, columns, rows, caption="Newest first", empty="Nothing was given up. That is how it should be."
        ),
        parts.next_page(visit, found["next"]),
        _on_all(visit, wanted) if rows else None,
    ]
    return Page("Dead letters", join(body), csv=parts.as_csv(visit, columns, rows))


def _columns(visit: Visit) -> dict[str, Column]:
    of = visit.of_tenant()
    columns = {
        "job": Column("Job", lambda row: row["jobId"], lambda row: to_job(row["jobId"], of)),
        "status": Column("Status", lambda row: row["status"], lambda row: parts.word(row["status"])),
        "code": Column("Error", lambda row: row["error"]["code"]),
        "message": Column("Message", lambda row: row["error"]["message"]),
        "attempts": Column("Attempts", lambda row: row["attempts"]),
        "died": Column("Died", lambda row: row["diedAt"], lambda row: parts.moment(row["diedAt"])),
        "do": Column("", lambda _: None, lambda row: _buttons(visit, row)),
    }
    return {"tenant": Column("Tenant", lambda row: row["tenant"]), **columns} if visit.is_platform else columns


def _buttons(visit: Visit, row: Row) -> Child:
    if row["status"] != "open":
        return None

    def one(word: str, label: str) -> Markup:
        of: dict[str, Any] = {"tenant": row["tenant"]} if visit.is_platform else {}
        hidden = {"action": word, "letter_id": row["id"], "once": uuid4().hex, **of}
        return parts.form(visit, "/dashboard/actions", parts.button(label), hidden=hidden)

    return element("div", one("replay", "Replay"), one("acknowledge", "Acknowledge"), class_="buttons")


def _on_all(visit: Visit, wanted: dict[str, str]) -> Markup:
    named = {f"filter.{name}": value for name, value in wanted.items() if name not in ("cursor", "status")}
    if not named:
        return element(
            "p", "To replay many at once, say which by a filter: a kind, a marketplace, a code.", class_="note"
        )
    buttons = [
        parts.button("Replay…", name="action", value="replay"),
        parts.button("Acknowledge…", name="action", value="acknowledge"),
    ]
    hidden = {**named, **visit.of_tenant()}
    return parts.section(
        "Every open one that matches",
        parts.form(visit, "/dashboard/actions/count", buttons, hidden=hidden, class_="buttons"),
    )
