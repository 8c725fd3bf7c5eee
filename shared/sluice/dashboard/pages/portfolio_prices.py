"""Prices of an item side by side: what each marketplace asks and bids, how far apart they are, and how old."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from markupsafe import Markup

from sluice.dashboard import charts, parts
from sluice.dashboard.html import Child, element
from sluice.dashboard.table import Column, Row, Table, amount, text, time
from sluice.dashboard.visit import Visit
from sluice.platform.money import plain

SECOND_MS: Final = 1_000
NAMES: Final[Mapping[str, str]] = {"stockx": "StockX", "alias": "Alias", "ebay": "eBay"}
NOWHERE: Final = "It is priced nowhere. Tick below at which marketplaces."
ENDS: Final = ("bids", "asks")
RANGES: Final = "Ask and bid at each marketplace"
NO_DAYS: Final = "No price is known yet. The last one of each day is kept for 30 days, so that a line grows here."


def section(visit: Visit, one: Row) -> tuple[Markup, Table]:
    """The prices of an item, drawn where there are some, with how far apart they are; and the table that has them."""
    table = Table(visit, COLUMNS, one["prices"], "By marketplace", NOWHERE, "prices")
    apart = shown_spread(one)
    told = element("p", f"Lowest ask less highest bid: {apart}.", class_="note") if apart else None
    return parts.section("Prices", told, charts.ranges(RANGES, table, _bars(one), ENDS)), table


def over_time(visit: Visit, past: Sequence[Row]) -> tuple[Markup, Table]:
    """What each marketplace asked and bid on the last days, drawn, and the table that has it.

    past: as the API has it.
    """
    known = [one for one in past if one["days"]]
    days = sorted({day["day"] for one in known for day in one["days"]}, reverse=True)
    by_day = {one["marketplace"]: {day["day"]: day for day in one["days"]} for one in known}
    rows = [{"day": day, **{name: found.get(day, {}) for name, found in by_day.items()}} for day in days]
    columns = {"day": text("Day (UTC)", "day")}
    for one in known:
        for what, label in (("ask", "asks"), ("bid", "bids")):
            column = f"{named(one['marketplace'])} {label}, {one['currency']}"
            columns[f"{one['marketplace']}-{what}"] = _day_column(column, one["marketplace"], what)
    table = Table(visit, columns, rows, "Each day's last price, newest first", NO_DAYS, "days")
    drawn = [_line(what, label, known, rows) for what, label in (("ask", "What they ask"), ("bid", "What they bid"))]
    if not any(drawn):
        return parts.section("Prices over time", table.html()), table
    return parts.section("Prices over time", element("div", drawn, class_="sides"), charts.numbers(table)), table


def _day_column(label: str, marketplace: str, what: str) -> Column:
    return Column(label, _on_day(marketplace, what), lambda row: row[marketplace].get(what))


def _line(what: str, label: str, known: Sequence[Row], rows: Sequence[Row]) -> Markup | None:
    """What each asked, or bid: of those that do it in the same currency as the first."""
    drawn = [one for one in known if one["currency"] == known[0]["currency"]]
    lines = {f"{named(one['marketplace'])}, {one['currency']}": _on_day(one["marketplace"], what) for one in drawn}
    return charts.picture(label, rows, charts.BY_DAY, lines, zero=False)


def _on_day(marketplace: str, what: str) -> Callable[[Row], float | None]:
    return lambda row: parts.number(row[marketplace].get(what))


def named(marketplace: str) -> str:
    """What people call the marketplace."""
    return NAMES.get(marketplace, marketplace)


def column(marketplace: str) -> Column:
    """What a marketplace asks for items, above what it bids."""
    return Column(
        named(marketplace),
        lambda row: parts.number(_at(row, marketplace).get("ask")),
        lambda row: _both(_at(row, marketplace)),
    )


def spread(row: Row) -> float | None:
    """The lowest ask less the highest bid; None where one of them is unknown, or they are in several currencies.

    It is below zero where one marketplace bids more than another asks.
    """
    found = _spread(row)
    return None if found is None else float(found[0])


def shown_spread(row: Row) -> str | None:
    """The same with its currency."""
    found = _spread(row)
    return None if found is None else f"{plain(found[0])} {found[1]}"


def age(row: Row) -> int | None:
    """How old the oldest of the item's prices is, in seconds; None while none is known."""
    known = [one["ageSeconds"] for one in row["prices"] if one["ageSeconds"] is not None]
    return max(known, default=None)


def shown_age(row: Row) -> str:
    """The same in words."""
    found = age(row)
    return parts.duration(None if found is None else found * SECOND_MS)


def _spread(row: Row) -> tuple[Decimal, str] | None:
    asks = [one for one in row["prices"] if one["ask"]]
    bids = [one for one in row["prices"] if one["bid"]]
    currencies = {one["currency"] for one in [*asks, *bids]}
    if not asks or not bids or len(currencies) > 1:
        return None
    lowest, highest = min(Decimal(one["ask"]) for one in asks), max(Decimal(one["bid"]) for one in bids)
    return lowest - highest, currencies.pop()


def _at(row: Row, marketplace: str) -> Mapping[str, Any]:
    return next((one for one in row["prices"] if one["marketplace"] == marketplace), {})


def _both(price: Mapping[str, Any]) -> Child:
    if not price.get("ask") and not price.get("bid"):
        return None
    ask, bid = parts.money(price, "ask"), price["bid"] if price["ask"] else parts.money(price, "bid")
    below = [element("br"), element("span", f"bid {bid}", class_="note")] if price["bid"] else None
    return element("div", ask or "no ask", below, class_="whole")


def _bars(one: Row) -> dict[str, tuple[float | None, float | None]]:
    """What is drawn: what each marketplace bids and asks, of those that do it in the same currency as the first."""
    known = [price for price in one["prices"] if price["ask"] or price["bid"]]
    return {
        named(price["marketplace"]): (parts.number(price["bid"]), parts.number(price["ask"]))
        for price in known
        if price["currency"] == known[0]["currency"]
    }


def _stands(price: Row) -> str | None:
    if "problem" in price:
        return str(price["problem"]["message"])
    if price["observedAt"] is None:
        return "not known yet; it is being asked for"
    return "old; it is being asked for again" if price["stale"] else None


def _alone(price: Row) -> Row:
    """An item that is priced at this marketplace alone."""
    return {"prices": [price]}


COLUMNS: Final = {
    "marketplace": Column("Marketplace", lambda row: named(row["marketplace"])),
    "ask": amount("Asks", "ask"),
    "bid": amount("Bids", "bid"),
    "spread": Column("Spread", lambda row: spread(_alone(row)), lambda row: shown_spread(_alone(row))),
    "currency": text("Currency", "currency"),
    "seen": time("Seen", "observedAt"),
    "age": Column("Age", lambda row: row["ageSeconds"], lambda row: shown_age(_alone(row))),
    "note": Column("Note", _stands),
}
