"""For whoever runs the deployment: calls to marketplaces, runs of functions, tenants."""

import json
from typing import Final

from sluice.dashboard import parts
from sluice.dashboard.html import join
from sluice.dashboard.parts import Column
from sluice.dashboard.visit import Page, Visit

FUNCTIONS: Final = ("scheduler", "worker", "operation-poller", "promotion-worker", "page-scheduler", "page-worker")


def show_calls(visit: Visit) -> Page:
    """Calls to each marketplace: how many, how they ended, how long they took."""
    found = visit.get("/v1/operator/calls", query={"hours": visit.query.get("hours", "24")})
    rows = found["marketplaces"]
    columns = {
        "marketplace": Column("Marketplace", lambda row: row["marketplace"]),
        "calls": Column("Calls", lambda row: row["calls"]),
        "success": Column("Success, %", lambda row: row["successRate"]),
        "p50": Column("Half within", lambda row: row["p50Ms"], lambda row: parts.duration(row["p50Ms"])),
        "p95": Column("95 % within", lambda row: row["p95Ms"], lambda row: parts.duration(row["p95Ms"])),
        "outcomes": Column("Outcomes", lambda row: ", ".join(f"{name}: {n}" for name, n in row["outcomes"].items())),
    }
    table = parts.Table(visit, columns, rows, "The last 24 hours", "No marketplace was called.")
    return Page("Marketplaces", table.html(), csv=table.csv, refreshes=True)


def show_runs(visit: Visit) -> Page:
    """What each run of a function did."""
    found = visit.get("/v1/operator/runs", query=visit.asked("function", "day", "cursor"))
    columns = {
        "at": Column("When", lambda row: row["at"], lambda row: parts.moment(row["at"])),
        "stats": Column("What it did", lambda row: json.dumps(row["stats"], ensure_ascii=False)),
    }
    choose = [
        parts.select("function", "Function", FUNCTIONS, found["function"]),
        parts.field("day", "Day (UTC), as 2026-11-28", visit.query.get("day")),
    ]
    rows = found["runs"]
    table = parts.Table(visit, columns, rows, f"Runs of {found['function']}, newest first", "None on this day.")
    body = [
        parts.filters(visit, choose, label="Show"),
        table.html(),
        parts.next_page(visit, found["next"]),
    ]
    return Page("Runs", join(body), csv=table.csv)


def show_tenants(visit: Visit) -> Page:
    """Tenants, what they have and may have."""
    found = visit.get("/v1/operator/tenants", query=visit.asked("cursor"))
    rows = found["tenants"]
    columns = {
        "tenant": Column(
            "Tenant",
            lambda row: row["tenant"],
            lambda row: parts.link(row["tenant"], "/dashboard", {"tenant": row["tenant"]}),
        ),
        "jobs": Column("Jobs", lambda row: ", ".join(f"{n} {state}" for state, n in row["jobs"].items())),
        "used": Column(
            "Used of its allowances",
            lambda row: ", ".join(
                f"{name}: {n} of {row['allowances'].get(name, '?')}" for name, n in row["used"].items()
            ),
        ),
    }
    table = parts.Table(visit, columns, rows, "By name", "No tenant has asked for anything yet.")
    body = [
        table.html(),
        parts.next_page(visit, found["next"]),
    ]
    return Page("Tenants", join(body), csv=table.csv)
