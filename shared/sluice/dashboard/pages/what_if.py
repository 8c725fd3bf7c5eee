"""What other limits would have done to the calls of the last days: played, not tried."""

import re
from collections.abc import Mapping
from typing import Any, Final

from markupsafe import Markup

from sluice.dashboard import charts, parts
from sluice.dashboard.ask import ApiRefusal
from sluice.dashboard.html import Child, element, join
from sluice.dashboard.page import Page
from sluice.dashboard.search import BAD_REQUEST, Filter
from sluice.dashboard.table import Row, Table, text
from sluice.dashboard.visit import Visit
from sluice.platform.config.limits import CallWindow

ROUTE: Final = "/v1/operator/configuration/what-if"
LIMITS: Final = {"windows": "Windows, as 100/hour, 25000/day, 200/10s", "interval_ms": "Between two calls, ms"}
FILTER: Final = Filter(
    {"budget": "Budget, as stockx:acme", **LIMITS, "days": "Days back, 7 if empty"}, button="Play it"
)
EXPLAINED: Final = "Name a budget, and one limit or more that would differ. Nothing is changed by looking."


def show(visit: Visit) -> Page:
    """The calls of the last days under the limits that hold, and under those that the address names."""
    limits, wrong = _limits(visit.asked(*LIMITS))
    days, wrong_days = _numbers(visit.asked("days"))
    wrong = {**wrong, **wrong_days}
    found: Mapping[str, Any] | None = None
    if limits and not wrong:
        try:
            found = visit.do(f"POST {ROUTE}", {"budget": visit.query.get("budget", ""), "limits": limits, **days})
        except ApiRefusal as refused:
            if refused.status not in (BAD_REQUEST, 404):
                raise
            named = refused.named("budget")
            wrong = {name.removeprefix("limits."): told for name, told in named.items()}
    head = [element("p", EXPLAINED, class_="note"), FILTER.html(visit, wrong)]
    if found is None:
        return Page("What if", join(head), BAD_REQUEST if wrong else 200)
    shown, table = _days(visit, found)
    known = element("ul", [element("li", one) for one in found["unknown"]])
    body = [head, _told(found), shown, parts.section("What cannot be known", known)]
    return Page("What if", join(body), tables=(table,))


def _limits(asked: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The limits as the API takes them, and what is wrong with those that cannot be."""
    numbers, wrong = _numbers({name: value for name, value in asked.items() if name != "windows"})
    if "windows" not in asked:
        return numbers, wrong
    try:
        windows = [CallWindow.of(one) for one in asked["windows"].split(",")]
    except ValueError as error:
        return numbers, {**wrong, "windows": str(error)}
    # The zone is the marketplace's own.
    shown = [{name: value for name, value in one.to_json().items() if name != "zone"} for one in windows]
    return {**numbers, "windows": shown}, wrong


def _numbers(asked: Mapping[str, str]) -> tuple[dict[str, int], dict[str, str]]:
    numbers = {name: int(value) for name, value in asked.items() if re.fullmatch("[0-9]{1,12}", value)}
    return numbers, {name: "must be a whole number" for name in asked if name not in numbers}


def _told(found: Mapping[str, Any]) -> Markup:
    def column(name: str, played: Mapping[str, Any]) -> Markup:
        waited = {
            "limits": ", ".join(f"{limit} {_limit(value)}" for limit, value in played["limits"].items()),
            "calls": played["calls"],
            "would have waited into a later hour": played["waited"],
            "waited on average": _hours(played["meanHours"]),
            "waited at most": _hours(played["longestHours"]),
            "most that waited at once": _most(played),
            "would still wait now": played["left"],
        }
        return parts.section(name, parts.facts(waited))

    return join([column("As it is", found["now"]), column("As it would be", found["proposed"])])


def _limit(value: Any) -> str:
    if not isinstance(value, list):
        return str(value)
    return ", ".join(CallWindow(**one).text for one in value) or "none"


def _days(visit: Visit, found: Mapping[str, Any]) -> tuple[Markup, Table]:
    would = {one["day"]: one["waited"] for one in found["proposed"]["days"]}
    rows: list[Row] = [{**one, "would": would.get(one["day"], 0)} for one in found["now"]["days"]]
    columns = {
        "day": text("Day", "day"),
        "calls": text("Calls", "calls"),
        "waited": text("Waited", "waited"),
        "would": text("Would have waited", "would"),
    }
    table = Table(visit, columns, rows, "Days of the marketplace", "No calls in these days.")
    lines = {
        "calls": lambda row: row["calls"],
        "waited": lambda row: row["waited"],
        "would have waited": lambda row: row["would"],
    }
    return charts.chart("By day", table, charts.BY_DAY, lines), table


def _most(played: Mapping[str, Any]) -> Child:
    """How many waited at once, and when, if any did."""
    at = played["mostWaitingAt"]
    return [played["mostWaiting"], [", ", parts.moment(at)] if at else None]


def _hours(number: float | None) -> str:
    return parts.NONE if number is None else f"{number:g} h"
