"""A listing at eBay, side by side: how it is wanted, how eBay took it last, and how it shows it now."""

from collections.abc import Mapping
from typing import Any, Final

from markupsafe import Markup

from sluice.dashboard import parts
from sluice.dashboard.html import Child, element
from sluice.dashboard.table import Column, Row, Table, text
from sluice.dashboard.visit import Visit

SIDES: Final = {
    "field": text("Field", "field"),
    "wanted": text("Wanted", "wanted"),
    "published": Column("Published", lambda row: row["published"], lambda row: _marked(row, "published", "wanted")),
    "shown": Column("At eBay", lambda row: row["shown"], lambda row: _marked(row, "shown", "published")),
    "differs": Column("Differs", lambda row: _differs(row)),
}


def section(visit: Visit, one: Mapping[str, Any]) -> tuple[Markup, Table]:
    """What is wanted, was published, and is shown at eBay, of one listing; and the table that has it."""
    table = Table(visit, SIDES, _sides(one), "Wanted, published, and as eBay shows it", "Nothing is known.", "sides")
    whole = {"Wanted": one["record"], "Published": one["published"], "At eBay": one["observed"]}
    return parts.section("Side by side", table.html(), parts.documents("All that each says", whole)), table


def _sides(one: Mapping[str, Any]) -> list[Row]:
    """What can be compared: a record says the same in other words than eBay does."""
    wanted, published = _of_record(one["record"]), _of_record(one["published"] or {})
    shown = _of_ebay((one["observed"] or {}).get("groups") or {})
    rows = [
        {"field": field, "wanted": wanted[field], "published": published[field], "shown": shown[field]}
        for field in wanted
    ]
    return [row for row in rows if any(row[side] is not None for side in ("wanted", "published", "shown"))]


def _of_record(record: Mapping[str, Any]) -> dict[str, Any]:
    price = record.get("price") or {}
    return {
        "price": _money(price.get("amount"), price.get("currency")),
        "quantity": record.get("quantity"),
        "title": record.get("title"),
        "condition": record.get("condition"),
        "category": record.get("category"),
        "pictures": "\n".join(record.get("images") or ()) or None,
    }


def _of_ebay(groups: Mapping[str, Any]) -> dict[str, Any]:
    price, details = (groups.get("price") or {}).get("price") or {}, groups.get("details") or {}
    item, offer = details.get("item") or {}, details.get("offer") or {}
    return {
        "price": _money(price.get("value"), price.get("currency")),
        "quantity": _quantity(groups.get("quantity") or {}),
        "title": (item.get("product") or {}).get("title"),
        "condition": item.get("condition"),
        "category": offer.get("categoryId"),
        "pictures": "\n".join(groups.get("images") or ()) or None,
    }


def _quantity(shown: Mapping[str, Any]) -> int | None:
    """What buyers see: the smaller of the item's and the offer's."""
    item = ((shown.get("item") or {}).get("shipToLocationAvailability") or {}).get("quantity")
    told = [int(one) for one in (item, shown.get("offer")) if isinstance(one, int | float)]
    return min(told) if told else None


def _money(amount: str | None, currency: str | None) -> str | None:
    return f"{float(amount):.10g} {currency}" if amount and currency else None


def _is_other(row: Row, side: str, than: str) -> bool:
    return None not in (row[side], row[than]) and row[side] != row[than]


def _marked(row: Row, side: str, than: str) -> Child:
    return element("mark", row[side]) if _is_other(row, side, than) else row[side]


def _differs(row: Row) -> str | None:
    told = {
        "not published yet": _is_other(row, "published", "wanted"),
        "eBay shows another": _is_other(row, "shown", "published"),
    }
    return ", ".join(one for one, so in told.items() if so) or None
