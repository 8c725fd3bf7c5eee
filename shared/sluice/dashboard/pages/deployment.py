"""For whoever runs the deployment: calls to marketplaces, runs of functions, tenants."""

import json
from typing import Final

from sluice.dashboard import parts
from sluice.dashboard.page import Page
from sluice.dashboard.search import Filter, listing, search
from sluice.dashboard.table import Column, Table, text, time, took
from sluice.dashboard.visit import Visit

FUNCTIONS: Final = ("scheduler", "worker", "operation-poller", "promotion-worker", "page-scheduler", "page-worker")
CALLS: Final = Filter(fields={"hours": "Hours back, 24 if empty"}, button="Show")
RUNS: Final = Filter(
    choices={"function": ("Function", FUNCTIONS)}, fields={"day": "Day (UTC), as 2026-11-28"}, button="Show"
)


def show_calls(visit: Visit) -> Page:
    """Calls to each marketplace: how many, how they ended, how long they took."""
    hours = visit.query.get("hours") or "24"
    found = search(visit, "/v1/operator/calls", {"hours": hours})
    columns = {
        "marketplace": text("Marketplace", "marketplace"),
        "calls": text("Calls", "calls"),
        "success": text("Success, %", "successRate"),
        "p50": took("Half within", "p50Ms"),
        "p95": took("95 % within", "p95Ms"),
        "outcomes": Column("Outcomes", lambda row: ", ".join(f"{name}: {n}" for name, n in row["outcomes"].items())),
    }
    table = Table(visit, columns, found.rows("marketplaces"), f"The last {hours} hours", "No marketplace was called.")
    return listing("Calls to marketplaces", found, table, filter_=CALLS, refreshes=True)


def show_runs(visit: Visit) -> Page:
    """What each run of a function did."""
    found = search(visit, "/v1/operator/runs", RUNS.asked(visit))
    columns = {
        "at": time("When", "at"),
        "stats": Column("What it did", lambda row: json.dumps(row["stats"], ensure_ascii=False)),
    }
    caption = f"Runs of {found.answer.get('function', 'a function')}, newest first"
    table = Table(visit, columns, found.rows("runs"), caption, "None on this day.")
    return listing("Runs", found, table, filter_=RUNS)


def show_tenants(visit: Visit) -> Page:
    """Tenants, what they have and may have."""
    found = search(visit, "/v1/operator/tenants", {})
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
    table = Table(visit, columns, found.rows("tenants"), "By name", "No tenant has asked for anything yet.")
    return listing("Tenants", found, table)
