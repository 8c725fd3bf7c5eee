"""How listings at eBay fare over time: publishes that wait, how many succeed, and what differs, by class."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from markupsafe import Markup

from sluice.dashboard import charts, parts
from sluice.dashboard.html import Child, element
from sluice.dashboard.table import Row, Table, text, time
from sluice.dashboard.visit import Visit
from sluice.platform.http.auth import Permission

ACCOUNT: Final = "/v1/ebay/account"
QUEUE: Final = ("listing.publish", "ebay")
HOURS: Final = "48"
NO_PUBLISH: Final = "Nothing was published in the last 48 hours. Say how a listing is to be, and it is."
NO_ROUND: Final = "No round of checks is complete yet: all published listings are checked in turn, and then again."
CLASSES: Final[Mapping[str, str]] = {
    "external_only": "eBay shows something else",
    "both": "both were changed",
    "missing": "no such offer any more",
    "ended": "ended, and wanted for sale",
    "policy_gone": "a policy is gone",
}


def sections(visit: Visit) -> tuple[Child, tuple[Table, ...]]:
    """What is drawn above all listings, and its tables; how publishes fare, where the caller may see it."""
    account = visit.get(ACCOUNT)
    drift, differences = _drift(visit, account["openByDay"])
    if not visit.may(Permission.OPERATE_READ):
        return [_standing(account), drift], (differences,)
    publishes, hours = _publishes(visit)
    return [_standing(account), publishes, drift], (hours, differences)


def _standing(account: Mapping[str, Any]) -> Markup | None:
    """What holds the account up, and how old what is known of its listings is."""
    pause, known = account["pause"], None
    if account["meanAgeMs"] is not None:
        age = parts.duration(account["meanAgeMs"])
        known = element(
            "p",
            f"{account['listings']} published listings are checked in turn: what is known is ",
            age,
            " old on average.",
            class_="note",
        )
    if pause is None:
        return known
    told = element(
        "p", "Nothing new is published until ", parts.moment(pause["until"]), f": {pause['reason']}", class_="refused"
    )
    return element("div", told, known)


def _publishes(visit: Visit) -> tuple[Markup, Table]:
    asked = {"hours": HOURS, "tenant": visit.session.caller.tenant}
    work = visit.get("/v1/operator/operations", query=asked)
    one = next((each for each in work["kinds"] if (each["kind"], each["marketplace"]) == QUEUE), None)
    rows = _by_hour(work["since"], one) if one else []
    table = Table(visit, PUBLISHES, rows, "By hour (UTC), the newest first", NO_PUBLISH, "publishes")
    if not rows:
        return parts.section("Publishing", table.html()), table
    waiting, ended = {"not over": _number("pending")}, {"percent": _number("success")}
    pictures = [
        charts.picture("Publishes that wait or run, at the end of each hour", rows, charts.BY_HOUR, waiting),
        charts.picture("Of those that ended, so many percent well", rows, charts.BY_HOUR, ended),
    ]
    return parts.section("Publishing", element("div", pictures, class_="sides"), charts.numbers(table)), table


PUBLISHES: Final = {
    "hour": time("Hour", "hour"),
    "pending": text("Not over at its end", "pending"),
    "succeeded": text("Ended well", "succeeded"),
    "dead": text("Given up", "dead"),
    "success": text("Ended well, %", "success"),
}


def _by_hour(since: str, one: Mapping[str, Any]) -> list[Row]:
    first = datetime.fromisoformat(since)
    numbers = zip(one["pendingByHour"], one["succeededByHour"], one["deadByHour"], strict=True)
    rows: list[Row] = [
        {
            "hour": (first + timedelta(hours=place)).isoformat(),
            "pending": pending,
            "succeeded": succeeded,
            "dead": dead,
            "success": round(100 * succeeded / (succeeded + dead), 1) if succeeded + dead else None,
        }
        for place, (pending, succeeded, dead) in enumerate(numbers)
    ]
    return rows[::-1]


def _drift(visit: Visit, days: list[Mapping[str, Any]]) -> tuple[Markup, Table]:
    """How many differences were open on each day, by class; those classes of which there were some."""
    classes = [name for name in CLASSES if any(one["open"].get(name) for one in days)]
    rows = [{"day": one["day"], **{name: one["open"].get(name, 0) for name in classes}} for one in reversed(days)]
    columns = {"day": text("Day (UTC)", "day"), **{name: text(CLASSES[name], name) for name in classes}}
    table = Table(visit, columns, rows, "Open at the end of each day, newest first", NO_ROUND, "open")
    title = "What differs"
    if not rows:
        return parts.section(title, table.html()), table
    lines = {CLASSES[name]: _number(name) for name in classes}
    drawn = charts.picture("Open differences", rows, charts.BY_DAY, lines)
    none = element("p", "Nothing has differed on these days.", class_="note") if drawn is None else None
    return parts.section(title, none, drawn, charts.numbers(table)), table


def _number(name: str) -> Callable[[Row], float | None]:
    return lambda row: row[name]
