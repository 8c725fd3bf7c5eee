"""Budgets and accounts: how much of each quota is used, what closed it, and whether the account works."""

from typing import Any

from sluice.dashboard import parts
from sluice.dashboard.html import Child, element, join
from sluice.dashboard.parts import Column, Row
from sluice.dashboard.visit import Page, Visit


def show_all(visit: Visit) -> Page:
    """Every budget, with its windows, what holds it, and when its work will be done."""
    found = visit.get("/v1/operator/budgets", query={**visit.asked("cursor"), **visit.of_tenant()})
    rows = found["budgets"]
    columns = {
        "budget": Column("Budget", lambda row: row["budget"], lambda row: _to_budget(visit, row)),
        "windows": Column("Used", _used, _gauges),
        "queued": Column("Wait for it", lambda row: row["queued"]),
        "ends": Column("Done by", lambda row: row["endsAt"], lambda row: parts.moment(row["endsAt"])),
        "pace": Column("Between two calls", lambda row: row["paceMs"], lambda row: parts.duration(row["paceMs"])),
        "set": Column("Set by", lambda row: ", ".join(sorted(set(row["setBy"].values())))),
        "hold": Column("Held because", lambda row: row["hold"]["message"] if row["hold"] else None, _held),
    }
    if visit.is_platform:
        columns = {"tenant": Column("Tenant", lambda row: row["tenant"]), **columns}
    empty = "No account is connected, so nothing is counted. Connect one with PUT /v1/accounts/{marketplace}."
    table = parts.Table(visit, columns, rows, "What the marketplaces count", empty)
    body = [
        table.html(),
        parts.next_page(visit, found["next"]),
    ]
    return Page("Budgets", join(body), refreshes=True, csv=table.csv)


def show_one(visit: Visit) -> Page:
    """A budget's calls by day and hour."""
    route = "/v1/operator/budgets/{budget}/history"
    days = visit.query.get("days", "7")
    found = visit.get(route, path={"budget": visit.query.get("name", "")}, query={"days": days, **visit.of_tenant()})
    rows: list[dict[str, Any]] = found["days"]
    columns = {
        "day": Column("Day", lambda row: row["day"]),
        "calls": Column("Calls", lambda row: row["calls"]),
        "hours": Column(
            "By hour",
            lambda row: " ".join(f"{hour}:{calls}" for hour, calls in row["hours"].items()),
            lambda row: parts.sparkline(list(row["hours"].values()), "calls, from the day's first hour on"),
        ),
    }
    table = parts.Table(visit, columns, rows, "Days of the marketplace", "No calls in these days.")
    body = [
        parts.section(
            "By day",
            parts.sparkline([row["calls"] for row in rows], "calls by day, the oldest first"),
            table.html(),
        ),
        element(
            "p", [[parts.link(f"{one} days", visit.here, {**visit.query, "days": one}), " "] for one in ("7", "35")]
        ),
    ]
    return Page(found["budget"], join(body), csv=table.csv)


def show_accounts(visit: Visit) -> Page:
    """Connections to marketplaces, and whether they work."""
    found = visit.get("/v1/operator/accounts", query={**visit.asked("cursor"), **visit.of_tenant()})
    rows = found["accounts"]
    columns = {
        "marketplace": Column("Marketplace", lambda row: row["marketplace"]),
        "status": Column("Status", lambda row: row["status"], lambda row: parts.word(row["status"].lower())),
        "reason": Column("Why", lambda row: row.get("reason")),
        "since": Column(
            "Connected", lambda row: row.get("connectedAt"), lambda row: parts.moment(row.get("connectedAt"))
        ),
    }
    if visit.is_platform:
        columns = {"tenant": Column("Tenant", lambda row: row["tenant"]), **columns}
    empty = "No account is connected. PUT /v1/accounts/{marketplace} connects one."
    table = parts.Table(visit, columns, rows, "Connections to marketplaces", empty)
    body = [
        table.html(),
        parts.next_page(visit, found["next"]),
    ]
    return Page("Accounts", join(body), csv=table.csv)


def _to_budget(visit: Visit, row: Row) -> Child:
    of = {"tenant": row["tenant"]} if visit.is_platform else {}
    return parts.link(row["budget"], "/dashboard/budget", {"name": row["budget"], **of})


def _used(row: Row) -> str:
    return ", ".join(
        f"{one['used']} of {one['limit']} a{'n' if one['window'] == 'hour' else ''} {one['window']}"
        for one in row["windows"]
    )


def _gauges(row: Row) -> Child:
    return [
        element(
            "div",
            parts.gauge(one["used"], one["limit"], f"{one['used']} of {one['limit']} this {one['window']}"),
            f" {one['used']} of {one['limit']} this {one['window']}",
        )
        for one in row["windows"]
    ]


def _held(row: Row) -> Child:
    hold = row["hold"]
    if hold is None:
        return None
    until = [" until ", parts.moment(hold["until"])] if hold["until"] else None
    return [parts.word(hold["reason"], "fair"), " ", hold["message"], until]
