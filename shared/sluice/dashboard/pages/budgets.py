"""Budgets and accounts: how much of each quota is used, what closed it, and whether the account works."""

from sluice.dashboard import charts, forms, parts
from sluice.dashboard.html import Child, element, join
from sluice.dashboard.page import Page
from sluice.dashboard.search import listing, search
from sluice.dashboard.table import Column, Row, Table, state, text, time, took
from sluice.dashboard.visit import Visit
from sluice.platform.http.auth import Permission


def show_all(visit: Visit) -> Page:
    """Every budget, with its windows, what holds it, and when its work will be done."""
    found = search(visit, "/v1/operator/budgets", visit.of_tenant())
    columns = {
        "budget": Column("Budget", lambda row: row["budget"], lambda row: to_budget(visit, row)),
        "windows": Column("Used", _used, gauges),
        "queued": text("Wait for it", "queued"),
        "ends": time("Done by", "endsAt"),
        "pace": took("Between two calls", "paceMs"),
        "set": Column("Set by", lambda row: ", ".join(sorted(set(row["setBy"].values())))),
        "hold": Column("Held because", lambda row: row["hold"]["message"] if row["hold"] else None, held),
    }
    if visit.is_platform:
        columns = {"tenant": text("Tenant", "tenant"), **columns}
    empty = "No account is connected, so nothing is counted. Connect one with PUT /v1/accounts/{marketplace}."
    table = Table(visit, columns, found.rows("budgets"), "What the marketplaces count", empty)
    return listing("Budgets", found, table, refreshes=True)


def show_one(visit: Visit) -> Page:
    """A budget's calls by day and hour."""
    route = "/v1/operator/budgets/{budget}/history"
    name, days = visit.query.get("name", ""), visit.query.get("days") or "7"
    found = search(visit, route, {"days": days, **visit.of_tenant()}, path={"budget": name})
    columns = {
        "day": text("Day", "day"),
        "calls": text("Calls", "calls"),
        "hours": Column(
            "By hour",
            lambda row: " ".join(f"{hour}:{calls}" for hour, calls in row["hours"].items()),
            lambda row: charts.sparkline(list(row["hours"].values()), "calls, from the day's first hour on"),
        ),
    }
    table = Table(visit, columns, found.rows("days"), "Days of the marketplace", "No calls in these days.")
    calls = {"calls": lambda row: row["calls"]}
    shown = charts.chart("Calls by day", table, charts.BY_DAY, calls)
    more = [[parts.link(f"{one} days", visit.here, {**visit.query, "days": one}), " "] for one in ("7", "35")]
    what_if = parts.link("What if its limits were others?", "/dashboard/what-if", {"budget": name})
    may_play = visit.may(Permission.DEPLOYMENT_READ)
    body = [
        forms.others(found.wrong, ()),
        None if found.wrong else shown,
        element("p", more),
        element("p", what_if) if may_play else None,
    ]
    return Page(name, join(body), found.status, tables=(table,))


def show_accounts(visit: Visit) -> Page:
    """Connections to marketplaces, and whether they work."""
    found = search(visit, "/v1/operator/accounts", visit.of_tenant())
    columns = {
        "marketplace": text("Marketplace", "marketplace"),
        "status": state("Status", "status"),
        "reason": text("Why", "reason"),
        "since": time("Connected", "connectedAt"),
    }
    if visit.is_platform:
        columns = {"tenant": text("Tenant", "tenant"), **columns}
    empty = "No account is connected. PUT /v1/accounts/{marketplace} connects one."
    table = Table(visit, columns, found.rows("accounts"), "Connections to marketplaces", empty)
    return listing("Accounts", found, table)


def to_budget(visit: Visit, row: Row) -> Child:
    """A link to the budget's page."""
    of = {"tenant": row["tenant"]} if visit.is_platform else {}
    return parts.link(parts.breakable(row["budget"]), "/dashboard/budget", {"name": row["budget"], **of})


def _used(row: Row) -> str:
    return ", ".join(f"{one['used']} of {one['limit']} {_each(one['window'])}" for one in row["windows"])


def gauges(row: Row) -> Child:
    """How much of each of its windows is used."""
    return [
        element("div", charts.gauge(one["used"], one["limit"], _now(one)), f" {_now(one)}") for one in row["windows"]
    ]


def _each(window: str) -> str:
    return {"hour": "an hour", "day": "a day"}.get(window, f"in any {window}")


def _now(window: Row) -> str:
    when = f"this {window['window']}" if window["window"] in ("hour", "day") else f"in the last {window['window']}"
    return f"{window['used']:,} of {window['limit']:,} {when}"


def held(row: Row) -> Child:
    """What holds it, and until when."""
    hold = row["hold"]
    if hold is None:
        return None
    until = [" until ", parts.moment(hold["until"])] if hold["until"] else None
    return [parts.word(hold["reason"], "fair"), " ", hold["message"], until]
