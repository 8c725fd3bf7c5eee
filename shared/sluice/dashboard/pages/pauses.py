"""What is paused, and pausing and resuming it."""

from typing import Final

from sluice.dashboard import forms
from sluice.dashboard.ask import ApiRefusal
from sluice.dashboard.html import Child, join
from sluice.dashboard.page import Page, Redirect
from sluice.dashboard.table import Column, Row, Table, text, time
from sluice.dashboard.visit import Visit
from sluice.platform.http.auth import Permission

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
    try:
        visit.do(f"POST {ROUTE}", visit.filled(*FIELDS))
    except ApiRefusal as refused:
        return _page(visit, refused.named("name"), refused.status)
    return Redirect(HERE)


def resume(visit: Visit) -> Redirect:
    """Have it go on."""
    visit.remove(f"{ROUTE}/{{pause}}", path={"pause": visit.form.get("name", "")})
    return Redirect(HERE)


def _page(visit: Visit, wrong: dict[str, str], status: int) -> Page:
    rows = visit.get(ROUTE)["pauses"]
    columns = {
        "name": text("What", "name"),
        "reason": text("Why", "reason"),
        "by": text("By", "by"),
        "since": time("Since", "since"),
        "until": time("Until", "until"),
        "do": Column("Act", None, lambda row: _resume(visit, row)),
    }
    table = Table(visit, columns, rows, "By name", "Nothing is paused.")
    return Page("Pauses", join([table.html(), _form(visit, wrong)]), status, tables=(table,))


def _form(visit: Visit, wrong: dict[str, str]) -> Child:
    if not visit.may(Permission.OPERATE_ACT):
        return None
    fields = forms.input_fields(FIELDS, visit.form, wrong)
    return forms.section(visit, "Pause", HERE, fields, forms.button("Pause", kind="danger"), wrong)


def _resume(visit: Visit, row: Row) -> Child:
    if not visit.may(Permission.OPERATE_ACT) or (row["platform"] and not visit.is_platform):
        return None
    return forms.form(visit, f"{HERE}/resume", forms.button("Resume"), hidden={"name": row["name"]})
