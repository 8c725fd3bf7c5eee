"""Snapshots of a listing at eBay: what was published once, and what differs between two, side by side."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from markupsafe import Markup

from sluice.dashboard import differences, parts
from sluice.dashboard.html import element, join
from sluice.dashboard.page import Page
from sluice.dashboard.search import Filter, listing, search
from sluice.dashboard.table import Column, text, time
from sluice.dashboard.visit import Visit

LISTING: Final = "/dashboard/ebay-listing"
ONE, DIFFERENCE = f"{LISTING}/snapshot", f"{LISTING}/difference"
ROUTE: Final = "/v1/ebay/listings/{sku}/snapshots"
FILTER: Final = Filter({"sku": "SKU", "before": "Snapshot", "after": "and snapshot"}, button="Show what differs")
SAME: Final = "Nothing differs: both have the same state."


def show_one(visit: Visit) -> Page:
    """What was published once."""
    sku, number = visit.query.get("sku", ""), visit.query.get("number", "")
    one = visit.get(f"{ROUTE}/{{number}}", path={"sku": sku, "number": number})
    facts = {
        "of": parts.link(sku, LISTING, {"id": sku}),
        "when": parts.moment(one["at"]),
        "why": one["event"].replace("_", " "),
        "version of the record": one["version"],
        "listing at eBay": one["listingId"] or parts.NONE,
        "the same as": to_snapshot(sku, one["sameAs"]) or parts.NONE,
        "SHA-256": one["hash"],
        "eBay said": said(one["warnings"]) or parts.NONE,
    }
    before = one["number"] - 1
    way = parts.link("What differs from the one before", difference(sku, before, one["number"])) if before else None
    body = [
        parts.facts(facts),
        element("p", way) if way else None,
        parts.section("What it was", parts.as_json(one["state"])),
    ]
    return Page(f"Snapshot {one['number']} of {sku}", join(body))


def show_difference(visit: Visit) -> Page:
    """What differs between two snapshots, side by side."""
    sku = visit.query.get("sku", "")
    found = search(visit, f"{ROUTE}/diff", visit.asked("before", "after"), path={"sku": sku})
    changes: Mapping[str, Any] = found.answer.get("changes", {})
    table = differences.table(visit, changes, "What differs, by its place in the record", SAME)
    page = listing("What differs", found, table, filter_=FILTER)
    if found.wrong:
        return page
    ends = (found.answer["before"], found.answer["after"])
    whole = [_whole(visit, sku, str(number)) for number in ends]
    links = element("p", parts.link(sku, LISTING, {"id": sku}))
    body = join([links, page.body, parts.section("All of both", element("div", whole, class_="sides"))])
    return Page(f"Snapshots {ends[0]} and {ends[1]} of {sku}", body, tables=page.tables)


def _whole(visit: Visit, sku: str, number: str) -> Markup:
    """All that a snapshot has."""
    one = visit.get(f"{ROUTE}/{{number}}", path={"sku": sku, "number": number})
    head = element("h3", to_snapshot(sku, one["number"]), ", ", parts.moment(one["at"]))
    return element("div", head, parts.as_json(one["state"]))


def said(warnings: Iterable[Mapping[str, Any]]) -> Markup | None:
    """What eBay said besides that it took a listing."""
    told = [element("li", f"{each.get('code', '')} {each.get('message', '')}") for each in warnings]
    return element("ul", told) if told else None


def columns(sku: str) -> dict[str, Column]:
    """Of a list of snapshots."""
    return {
        "number": Column("Number", lambda row: row["number"], lambda row: to_snapshot(sku, row["number"])),
        "at": time("When", "at"),
        "event": Column("Why", lambda row: row["event"].replace("_", " ")),
        "version": text("Version", "version"),
        "same": Column("The same as", lambda row: row["sameAs"]),
        "warnings": Column(
            "eBay said", lambda row: "; ".join(str(one.get("message")) for one in row["warnings"]) or None
        ),
        "bytes": text("Bytes", "bytes"),
    }


def to_snapshot(sku: str, number: int | None) -> Markup | None:
    """The way to a snapshot."""
    return parts.link(f"Snapshot {number}", ONE, {"sku": sku, "number": str(number)}) if number else None


def difference(sku: str, before: int, after: int) -> str:
    """The address of what differs between two."""
    return parts.address(DIFFERENCE, {"sku": sku, "before": str(before), "after": str(after)})
