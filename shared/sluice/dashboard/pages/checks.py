"""Checks of product pages: the last ones, how they went, the slow ones, and a run now."""

from collections.abc import Mapping
from typing import Any, Final

from markupsafe import Markup

from sluice.dashboard import forms, parts
from sluice.dashboard.html import element, join
from sluice.dashboard.page import Page
from sluice.dashboard.search import Filter, listing, search
from sluice.dashboard.table import Column, Table, state, text, time, took
from sluice.dashboard.visit import Visit
from sluice.platform.http.auth import Permission

HERE, SLOW = "/dashboard/checks", "/dashboard/checks/slow"
ROUTE: Final = "/v1/operator/checks"
STATUSES: Final = ("product", "unchanged", "unclear", "no_product", "blocked", "gone", "failed")
FILTER: Final = Filter({"product": "Page, by its id"}, {"status": ("Came to", STATUSES)})
NO_MATCH: Final = "No check matches. Track a page first."
SLOW_FILTER: Final = Filter({"min_duration_ms": "Took at least so many ms", "limit": "How many, 20 if empty"})


def show_recent(visit: Visit) -> Page:
    """The last checks, newest first, with how they went in the last 24 hours, and the scheduler."""
    found = search(visit, f"{ROUTE}/recent", FILTER.asked(visit))
    table = Table(visit, _columns(), found.rows("checks"), "Newest first", NO_MATCH)
    stats = None if found.wrong else visit.get(f"{ROUTE}/stats")
    before = [_stats(stats), _scheduler(visit, stats["scheduler"])] if stats else None
    return listing("Page checks", found, table, filter_=FILTER, before=before, refreshes=True)


def show_slow(visit: Visit) -> Page:
    """The slowest checks of today and yesterday."""
    found = search(visit, f"{ROUTE}/slow", SLOW_FILTER.asked(visit))
    table = Table(visit, _columns(), found.rows("checks"), "Slowest first", "No check took so long.")
    more = element("p", "Others were slower than these, so some of yours may be missing.", class_="note")
    after = [more if found.answer.get("truncated") else None, element("p", parts.link("The last checks", HERE))]
    return listing("Slow page checks", found, table, filter_=SLOW_FILTER, after=after)


def run(visit: Visit) -> Page:
    """Begin a run now, and say what it asked for."""
    done = visit.do(f"POST {ROUTE}/run-now", {})
    told = {
        "checks asked for": len(done["products"]),
        "asked for already": done["waiting"],
        "left alone: their shops take no requests just now": done["leftAlone"],
        "could not be asked for": done["failed"],
    }
    listed = element("ul", [element("li", _to(one)) for one in done["products"]]) if done["products"] else None
    body = [parts.facts(told), listed, element("p", parts.link("See the checks", HERE))]
    return Page("A run has begun", join(body))


def _columns() -> dict[str, Column]:
    return {
        "at": time("When", "startedAt"),
        "page": Column(
            "Page", lambda row: row["url"], lambda row: [_to(row["product"]), " ", parts.outside(row["url"])]
        ),
        "status": state("Came to", "status"),
        "took": took("Took", "durationMs"),
        "error": text("Error", "error"),
        "about": text("What", "about"),
        "again": Column("Tried again", lambda row: "yes" if row["again"] else "no"),
        "run": text("Run", "run"),
    }


def _stats(stats: Mapping[str, Any]) -> Markup:
    day = stats["last24Hours"]
    took_ = day["durations"]
    rate = day["successRate"]
    tiles = [
        parts.tile("checks in 24 hours", day["checks"]),
        parts.tile("pages", day["products"]),
        parts.tile("read well", parts.NONE if rate is None else f"{rate} %"),
        parts.tile("failed", day["failed"], to=parts.address(HERE, {"status": "failed"})),
        parts.tile("take half / 95 %", f"{parts.duration(took_['median'])} / {parts.duration(took_['p95'])}", to=SLOW),
    ]
    errors = ", ".join(f"{name}: {number}" for name, number in sorted(day["errors"].items()))
    return join([element("div", tiles, class_="tiles"), element("p", "Errors: ", errors) if errors else None])


def _scheduler(visit: Visit, scheduler: Mapping[str, Any]) -> Markup:
    stands = "runs" if scheduler["running"] else "on" if scheduler["enabled"] else "paused"
    told = [
        parts.word(stands),
        f" every {scheduler['intervalMinutes']} minutes; last ",
        parts.moment(scheduler["lastRunAt"]),
        ", next ",
        parts.moment(scheduler["nextRunAt"]),
    ]
    button = forms.form(visit, f"{HERE}/run", forms.button("Run now", kind="strong"))
    return parts.section("Scheduler", element("p", told), button if visit.may(Permission.CHECKS_RUN) else None)


def _to(product: str) -> Markup:
    return parts.link(product, HERE, {"product": product})
