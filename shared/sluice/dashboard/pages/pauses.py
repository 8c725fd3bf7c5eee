"""What is paused, and pausing and resuming it."""

from typing import Final
from uuid import uuid4

from sluice.dashboard import parts
from sluice.dashboard.ask import ApiRefusal
from sluice.dashboard.html import Child, element, join
from sluice.dashboard.parts import Column, Row
from sluice.dashboard.visit import Page, Redirect, Visit

ROUTE: Final = "/v1/operator/pauses"
HERE: Final = "/dashboard/pauses"
FIELDS: Final = {
    "name": "What: stockx, market.refresh, stockx:acme …",
    "reason": "Why; everybody whose work waits sees it",
    "until": "Until (as 2026-11-28T18:00:00Z); empty: until resumed",
}


def show_all(visit: Visit) -> Page:
    """The pauses that stand, and a form for another."""
    return _page(visit, {}, 200)


def pause(visit: Visit) -> Page | Redirect:
    """Have work wait. What is wrong with the form stands beside its fields, which stay as they were filled in."""
    body = {name: visit.form[name] for name in FIELDS if visit.form.get(name)}
    try:
        visit.post(ROUTE, body, key=visit.form.get("once") or None)
    except ApiRefusal as refusal:
        return _page(visit, refusal.fields or {"name": refusal.message}, refusal.status)
    return Redirect(HERE)


def resume(visit: Visit) -> Redirect:
    """Have it go on."""
    visit.delete(f"{ROUTE}/{{pause}}", path={"pause": visit.form.get("name", "")})
    return Redirect(HERE)


def _page(visit: Visit, wrong: dict[str, str], status: int) -> Page:
    rows = visit.get(ROUTE)["pauses"]
    columns = {
        "name": Column("What", lambda row: row["name"]),
        "reason": Column("Why", lambda row: row["reason"]),
        "by": Column("By", lambda row: row["by"]),
        "since": Column("Since", lambda row: row["since"], lambda row: parts.moment(row["since"])),
        "until": Column("Until", lambda row: row["until"], lambda row: parts.moment(row["until"])),
        "do": Column("Act", None, lambda row: _resume(visit, row)),
    }
    fields = [parts.field(name, label, visit.form.get(name), wrong.get(name)) for name, label in FIELDS.items()]
    made = parts.form(
        visit, HERE, fields, parts.button("Pause", kind="danger"), hidden={"once": uuid4().hex}, class_="filter"
    )
    others = [element("p", f"{name}: {told}", class_="refused") for name, told in wrong.items() if name not in FIELDS]
    table = parts.Table(visit, columns, rows, "By name", "Nothing is paused.")
    body = [
        table.html(),
        parts.section("Pause", others, made),
    ]
    return Page("Pauses", join(body), status, csv=table.csv)


def _resume(visit: Visit, row: Row) -> Child:
    if row["platform"] and not visit.is_platform:
        return None
    return parts.form(visit, f"{HERE}/resume", parts.button("Resume"), hidden={"name": row["name"]})
