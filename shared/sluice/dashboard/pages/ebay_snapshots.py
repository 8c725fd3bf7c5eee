"""Snapshots of a listing at eBay, or of a group: what was published, and what differs between two, side by side."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from markupsafe import Markup

from sluice.dashboard import differences, parts
from sluice.dashboard.html import element, join
from sluice.dashboard.page import Page
from sluice.dashboard.search import Filter, listing, search
from sluice.dashboard.table import Column, text, time
from sluice.dashboard.visit import Visit

SAME: Final = "Nothing differs: both have the same state."


class Snapshotted(NamedTuple):
    """What has snapshots. page: of one of them. route: of the API. field: what its name is called there and here."""

    page: str
    route: str
    field: str

    @property
    def snapshots(self) -> str:
        """The route of its snapshots."""
        return f"{self.route}/snapshots"

    def to(self, name: str) -> Markup:
        """The way to the one called `name`."""
        return parts.link(name, self.page, {"id": name})

    def to_snapshot(self, name: str, number: int | None) -> Markup | None:
        """The way to a snapshot."""
        if not number:
            return None
        return parts.link(f"Snapshot {number}", f"{self.page}/snapshot", {self.field: name, "number": str(number)})

    def difference(self, name: str, before: int, after: int) -> str:
        """The address of what differs between two."""
        asked = {self.field: name, "before": str(before), "after": str(after)}
        return parts.address(f"{self.page}/difference", asked)

    def columns(self, name: str) -> dict[str, Column]:
        """Of a list of snapshots."""
        return {
            "number": Column("Number", lambda row: row["number"], lambda row: self.to_snapshot(name, row["number"])),
            "at": time("When", "at"),
            "event": Column("Why", lambda row: row["event"].replace("_", " ")),
            "version": text("Version", "version"),
            "same": Column("The same as", lambda row: row["sameAs"]),
            "warnings": Column(
                "eBay said", lambda row: "; ".join(str(one.get("message")) for one in row["warnings"]) or None
            ),
            "bytes": text("Bytes", "bytes"),
        }


LISTING: Final = Snapshotted("/dashboard/ebay-listing", "/v1/ebay/listings/{sku}", "sku")
GROUP: Final = Snapshotted("/dashboard/ebay-group", "/v1/ebay/groups/{key}", "key")
LABELS: Final = {"sku": "SKU", "key": "Group"}


def show_one(visit: Visit) -> Page:
    """What was published of a listing once."""
    return _one(visit, LISTING)


def show_one_of_group(visit: Visit) -> Page:
    """What was published of a group once."""
    return _one(visit, GROUP)


def show_difference(visit: Visit) -> Page:
    """What differs between two snapshots of a listing, side by side."""
    return _difference(visit, LISTING)


def show_difference_of_group(visit: Visit) -> Page:
    """What differs between two snapshots of a group, side by side."""
    return _difference(visit, GROUP)


def _one(visit: Visit, of: Snapshotted) -> Page:
    name, number = visit.query.get(of.field, ""), visit.query.get("number", "")
    one = visit.get(f"{of.snapshots}/{{number}}", path={of.field: name, "number": number})
    facts = {
        "of": of.to(name),
        "when": parts.moment(one["at"]),
        "why": one["event"].replace("_", " "),
        "version of the record": one["version"],
        "listing at eBay": one["listingId"] or parts.NONE,
        "the same as": of.to_snapshot(name, one["sameAs"]) or parts.NONE,
        "SHA-256": one["hash"],
        "eBay said": said(one["warnings"]) or parts.NONE,
    }
    before = one["number"] - 1
    way = parts.link("What differs from the one before", of.difference(name, before, one["number"])) if before else None
    body = [
        parts.facts(facts),
        element("p", way) if way else None,
        parts.section("What it was", parts.as_json(one["state"])),
    ]
    return Page(f"Snapshot {one['number']} of {name}", join(body))


def _difference(visit: Visit, of: Snapshotted) -> Page:
    name = visit.query.get(of.field, "")
    found = search(visit, f"{of.snapshots}/diff", visit.asked("before", "after"), path={of.field: name})
    changes: Mapping[str, Any] = found.answer.get("changes", {})
    table = differences.table(visit, changes, "What differs, by its place in the record", SAME)
    labels = {of.field: LABELS[of.field], "before": "Snapshot", "after": "and snapshot"}
    page = listing("What differs", found, table, filter_=Filter(labels, button="Show what differs"))
    if found.wrong:
        return page
    ends = (found.answer["before"], found.answer["after"])
    whole = [_whole(visit, of, name, str(number)) for number in ends]
    body = join(
        [element("p", of.to(name)), page.body, parts.section("All of both", element("div", whole, class_="sides"))]
    )
    return Page(f"Snapshots {ends[0]} and {ends[1]} of {name}", body, tables=page.tables)


def _whole(visit: Visit, of: Snapshotted, name: str, number: str) -> Markup:
    """All that a snapshot has."""
    one = visit.get(f"{of.snapshots}/{{number}}", path={of.field: name, "number": number})
    head = element("h3", of.to_snapshot(name, one["number"]), ", ", parts.moment(one["at"]))
    return element("div", head, parts.as_json(one["state"]))


def said(warnings: Iterable[Mapping[str, Any]]) -> Markup | None:
    """What eBay said besides that it took a listing."""
    told = [element("li", f"{each.get('code', '')} {each.get('message', '')}") for each in warnings]
    return element("ul", told) if told else None
