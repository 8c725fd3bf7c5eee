"""Imports of what a seller owns: a file or pasted rows are sent, and followed until all of it is stored."""

from collections.abc import Mapping
from typing import Any, Final

from markupsafe import Markup

from sluice.dashboard import charts, forms, parts
from sluice.dashboard.ask import ApiRefusal
from sluice.dashboard.html import Child, element, join
from sluice.dashboard.page import Page, Redirect
from sluice.dashboard.search import BAD_REQUEST
from sluice.dashboard.table import Table, text
from sluice.dashboard.visit import Visit
from sluice.platform.http.auth import Permission

LIST, HERE = "/dashboard/portfolio", "/dashboard/portfolio/import"
ROUTE: Final = "/v1/inventory/import"
FILE: Final = "A CSV file"
ROWS: Final = "or its rows"
TOLD: Final = (
    "Up to 10,000 items. The first line names the columns: sku and size, and of sizeSystem, marketplaces, cost, "
    "currency, category and quantity those that you have."
)
BOTH: Final = "Send a file or rows, not both."
ALL_GOOD: Final = "Every row was taken."


def show(visit: Visit) -> Page:
    """How far an import is."""
    one = visit.get("/v1/inventory/imports/{import_id}", path={"import_id": visit.query.get("id", "")})
    refused = [{**field, "line": row.get("line")} for row in one["refused"] for field in row["fields"]]
    table = Table(visit, REFUSED, refused, "Rows that were refused, by line of the file", ALL_GOOD)
    goes_on = one["status"] == "processing"
    stored = one["created"] + one["existing"] + one["kept"]
    gauge = [" ", charts.gauge(stored, one["accepted"], "stored"), f" {stored} of up to {one['accepted']}"]
    problems = [element("li", problem) for problem in one["problems"]]
    body = [
        element("p", parts.word(one["status"]), gauge if goes_on else None, class_="told"),
        parts.facts(_facts(one)),
        parts.section("What was left alone, and why", element("ul", problems)) if problems else None,
        parts.section("Refused", table.html()),
        element("p", parts.link("To the portfolio", LIST)),
    ]
    return Page("Import", join(body), refreshes=goes_on, tables=(table,))


def send(visit: Visit) -> Page | Redirect:
    """Send a file, or rows."""
    file, rows = visit.files.get("file", b""), visit.form.get("rows", "")
    if file and rows.strip():
        return _refused(visit, {"rows": BOTH}, BAD_REQUEST)
    try:
        found = visit.do(f"POST {ROUTE}", file or rows.encode())
    except ApiRefusal as refused:
        at = "file" if file else "rows"
        return _refused(visit, refused.named(at, {"body": at}), refused.status)
    return Redirect(parts.address(HERE, {"id": found["importId"]}))


def form(visit: Visit, wrong: Mapping[str, str]) -> Markup | None:
    """The form that imports are sent by."""
    if not visit.may(Permission.INVENTORY_WRITE):
        return None
    rows = visit.form.get("rows", "")
    fields = {
        "file": forms.file_field("file", FILE, wrong.get("file"), accept=".csv,.tsv,.txt,text/csv"),
        "rows": forms.area("rows", ROWS, rows, wrong.get("rows"), rows=4, placeholder="sku,size,cost"),
    }
    sends, told = forms.button("Import it", kind="strong"), element("p", TOLD, class_="note")
    kind = "multipart/form-data"
    return forms.section(visit, "Import many", HERE, fields, sends, wrong, told=told, enctype=kind)


REFUSED: Final = {"line": text("Line", "line"), "field": text("Column", "field"), "why": text("Why", "message")}


def _refused(visit: Visit, wrong: Mapping[str, str], status: int) -> Page:
    return Page("Nothing was imported", join([form(visit, wrong), element("p", parts.link("Back", LIST))]), status)


def _facts(one: Mapping[str, Any]) -> dict[str, Child]:
    counts = {
        "rows": "rows",
        "rows refused": "refusedRows",
        "items that are new": "created",
        "items that were there": "existing",
        "items left alone": "kept",
        "prices asked for": "refreshes",
        "prices that cannot be": "refreshesRefused",
    }
    times = {"sent": parts.moment(one["acceptedAt"]), "changed": parts.moment(one["updatedAt"])}
    return {**{label: one[name] for label, name in counts.items()}, **times}
