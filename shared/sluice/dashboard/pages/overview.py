"""The first page: what is in the way, then how everything stands."""

from collections.abc import Mapping
from typing import Any, Final

from markupsafe import Markup

from sluice.dashboard import charts, parts
from sluice.dashboard.html import Child, element, join
from sluice.dashboard.page import Page
from sluice.dashboard.pages.budgets import gauges, held, to_budget
from sluice.dashboard.pages.jobs import of_queue
from sluice.dashboard.table import Column, Row, Table, state, text, time
from sluice.dashboard.visit import Visit

# A queue's 95 % wait longer than this: it is shown in amber.
LONG_MS: Final = 60_000
# Budgets on this page: the others are on their own.
MOST_BUDGETS: Final = "12"
NOTHING_YET: Final = "No work yet. Connect an account with PUT /v1/accounts/{marketplace}, then ask for a price."
WHY: Final = {
    "paused": "is paused by an operator",
    "failing": "fails: most of its latest tries went wrong",
    "at_its_limit": "has work, and its quota is used up or closed by the marketplace",
    "backlogged": "does not keep up: work begins later than a minute after it is due",
}
SHOW: Final = {"failing": {"state": "dead"}, "backlogged": {"state": "queued"}}


def show(visit: Visit) -> Page:
    """Problems first, each with what to do; then the tiles; then every queue."""
    of = visit.of_tenant()
    found = visit.get("/v1/operator/overview", query=of)
    work = visit.get("/v1/operator/work", query={**of, "hours": "24"})
    budgets = visit.get("/v1/operator/budgets", query={**of, "limit": MOST_BUDGETS})["budgets"]
    hours, trends = work["hours"], {f"{one['kind']}:{one['marketplace']}": one["endedByHour"] for one in work["kinds"]}
    delay = found["delay"]["p95Ms"]
    tiles = [
        parts.tile("queued", found["queued"], to=parts.address("/dashboard/jobs", {**of, "state": "queued"})),
        parts.tile("running", found["running"], to=parts.address("/dashboard/jobs", {**of, "state": "leased"})),
        parts.tile("wait for a marketplace", found["waiting"]),
        parts.tile(
            "dead",
            found["dead"],
            kind="bad" if found["dead"] else "",
            to=parts.address("/dashboard/dead-letters", {**of, "status": "open"}),
        ),
        parts.tile("begin within (95 %)", parts.duration(delay), kind="fair" if (delay or 0) > LONG_MS else ""),
    ]
    table = Table(visit, _columns(visit, trends), found["queues"], "Jobs of one kind at one marketplace", NOTHING_YET)
    body = [
        _problems(visit, found),
        element("div", tiles, class_="tiles"),
        parts.section(
            "The last 24 hours",
            _trend("ended well", [hour["succeeded"] for hour in hours]),
            _trend("given up", [hour["dead"] for hour in hours]),
            _trend("tries that failed", [hour["failedTries"] for hour in hours]),
        ),
        parts.section(
            "Queues",
            table.html(),
        ),
        _budgets(visit, budgets),
        _scheduler(found["scheduler"]),
        element("p", "As of ", parts.moment(found["at"]), ".", class_="note"),
    ]
    return Page("Overview", join(body), refreshes=True, tables=(table,))


def _budgets(visit: Visit, budgets: list[Row]) -> Markup | None:
    """How much of each quota is used, and when the work that waits for it will be done."""
    if not budgets:
        return None
    cards = [
        element(
            "li",
            element("strong", to_budget(visit, one), f" {one['tenant']}" if visit.is_platform else None),
            gauges(one),
            element("p", _forecast(one)),
            element("p", held(one)) if one["hold"] else None,
        )
        for one in budgets
    ]
    every = element("p", parts.link("Every budget", "/dashboard/budgets", visit.of_tenant()))
    return parts.section("Budgets", element("ul", cards, class_="cards"), every)


def _forecast(budget: Row) -> Child:
    if not budget["queued"]:
        return "Nothing waits for it."
    done = ["done by ", parts.moment(budget["endsAt"])] if budget["endsAt"] else "not done within 30 days"
    return [f"{budget['queued']} wait for it: ", done, "."]


def _problems(visit: Visit, found: Mapping[str, Any]) -> Markup:
    queues = {one["queue"]: one for one in found["queues"]}
    rows = [
        _dead_letters(visit) if found["dead"] else None,
        *(_problem(visit, queues[name]) for name in found["problems"]),
    ]
    if not any(rows):
        return element("p", "Nothing is in the way.", class_="told", role="status")
    return element("ul", rows, class_="problems", aria_label="What is in the way")


def _dead_letters(visit: Visit) -> Markup | None:
    """That work was given up, and nobody has looked at it yet: its jobs stay dead after that, so they do not tell."""
    asked = {**visit.of_tenant(), "status": "open"}
    if not visit.get("/v1/operator/dead-letters", query={**asked, "limit": "1"})["deadLetters"]:
        return None
    to = parts.link("See the dead letters", parts.address("/dashboard/dead-letters", asked), class_="button")
    return element("li", parts.word("dead"), " Work was given up, and nobody has replayed or acknowledged it.", to)


def _problem(visit: Visit, queue: Row) -> Markup:
    health = queue["health"]
    to, label = parts.address("/dashboard/budgets", visit.of_tenant()), "See the budgets"
    if health == "paused":
        to, label = "/dashboard/pauses", "See the pauses"
    elif health in SHOW:
        to, label = of_queue(visit, queue, **SHOW[health]), "See its jobs"
    return element(
        "li",
        parts.word(health),
        element("strong", queue["queue"]),
        f" {WHY[health]}.",
        parts.link(label, to, class_="button"),
    )


def _columns(visit: Visit, trends: Mapping[str, list[int]]) -> dict[str, Column]:
    def states(row: Row, *names: str) -> int:
        return sum(row["states"].get(name, 0) for name in names)

    return {
        "queue": Column("Queue", lambda row: row["queue"], lambda row: parts.link(row["queue"], of_queue(visit, row))),
        "health": state("Health", "health"),
        "trend": Column(
            "Ended, 24 h",
            lambda row: sum(trends.get(row["queue"], ())),
            lambda row: charts.sparkline(trends.get(row["queue"], ()), "jobs that ended, by hour, the oldest first"),
        ),
        "queued": Column("Queued", lambda row: states(row, "queued")),
        "running": Column("Running", lambda row: states(row, "leased")),
        "waiting": Column("Waiting", lambda row: states(row, "waiting")),
        "dead": Column("Dead", lambda row: states(row, "dead")),
        "failed": text("Failed tries, 2 h", "failed"),
        "delay": Column(
            "Begins within (95 %)",
            lambda row: row["delay"]["p95Ms"],
            lambda row: _delay(row["delay"]["p95Ms"]),
        ),
        "oldest": time("Oldest due since", "oldestDueAt"),
    }


def _delay(ms: int | None) -> Child:
    return parts.word(parts.duration(ms), "fair") if (ms or 0) > LONG_MS else parts.duration(ms)


def _trend(label: str, values: list[int]) -> Markup:
    told = [element("span", f" {sum(values)} {label}"), Markup("<br>")]
    return join([charts.sparkline(values, f"{label}, by hour, the oldest first"), *told])


def _scheduler(tick: Mapping[str, Any] | None) -> Markup | None:
    if tick is None:
        return None
    held = ", ".join(f"{name}: {number}" for name, number in sorted(tick["held"].items()))
    return parts.section(
        "Scheduler",
        parts.facts(
            {"last run": parts.moment(tick["checkedAt"]), "lanes": tick["lanes"], "held budgets": held or "none"}
        ),
    )
