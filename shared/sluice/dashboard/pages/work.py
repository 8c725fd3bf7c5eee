"""How one kind of work fared: what ended by hour as lines, and by kind of job."""

from collections.abc import Mapping

from sluice.dashboard import charts, parts
from sluice.dashboard.forms import others
from sluice.dashboard.html import Child, element, join
from sluice.dashboard.page import Page
from sluice.dashboard.pages.jobs import of_queue
from sluice.dashboard.search import Found, search
from sluice.dashboard.table import Column, Table, text, time, took
from sluice.dashboard.visit import Visit


def show(visit: Visit, title: str, route: str, empty: str, way: Child) -> Page:
    """The page of what a route like `/v1/operator/operations` finds. way: to what somebody owns of it."""
    found = search(visit, route, {"hours": visit.query.get("hours") or "24", **visit.of_tenant()})
    body, tables = (others(found.wrong, ()), ()) if found.wrong else _fared(visit, found, empty)
    return Page(title, join([body, element("p", way) if way else None]), found.status, refreshes=True, tables=tables)


def _fared(visit: Visit, found: Found, empty: str) -> tuple[Child, tuple[Table, ...]]:
    kinds = Table(visit, _kinds(visit), found.rows("kinds"), "Since the first of these hours, by kind", empty, "kinds")
    hours = Table(visit, HOURS, found.rows("hours"), "By hour", empty, "hours")
    lines = {
        "ended well": lambda row: row["succeeded"],
        "given up": lambda row: row["dead"],
        "tries that failed": lambda row: row["failedTries"],
    }
    drawn = charts.chart("By hour, UTC", hours, charts.BY_HOUR, lines)
    return parts.section("How it fared", drawn, kinds.html()), (kinds, hours)


HOURS: Mapping[str, Column] = {
    "hour": time("Hour", "hour"),
    "succeeded": text("Ended well", "succeeded"),
    "dead": text("Given up", "dead"),
    "failed": text("Tries that failed", "failedTries"),
}


def _kinds(visit: Visit) -> dict[str, Column]:
    return {
        "kind": Column("Kind", lambda row: row["kind"], lambda row: parts.link(row["kind"], of_queue(visit, row))),
        "marketplace": text("Marketplace", "marketplace"),
        "succeeded": text("Ended well", "succeeded"),
        "dead": text("Given up", "dead"),
        "success": text("Success, %", "successRate"),
        "mean": took("Took, mean", "meanMs"),
        "p95": took("95 % within", "p95Ms"),
        "tries": text("Tries, mean", "meanTries"),
        "failed": text("Failed tries", "failedTries"),
        "postponed": text("Postponed", "postponed"),
    }
