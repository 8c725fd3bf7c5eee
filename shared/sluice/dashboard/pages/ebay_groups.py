"""Groups at eBay: several records that are one listing, of which buyers pick one."""

from collections.abc import Mapping
from typing import Any, Final

from sluice.dashboard import parts
from sluice.dashboard.ask import ApiRefusal
from sluice.dashboard.forms import others
from sluice.dashboard.html import Child, element, join
from sluice.dashboard.page import Page, Redirect
from sluice.dashboard.pages import ebay_listings as records
from sluice.dashboard.pages.ebay_snapshots import GROUP, LISTING, said
from sluice.dashboard.search import Filter, listing, more, search
from sluice.dashboard.table import Column, Row, Table, state, text, time
from sluice.dashboard.visit import Visit

HERE, ONE, ROUTE = records.GROUPS, GROUP.page, GROUP.route
ALL: Final = "/v1/ebay/groups"
FILTER: Final = Filter({}, {"state": ("State", records.STATES)})
NONE_YET: Final = "No group. Say which records are one listing with PUT /v1/ebay/groups/{key}, and follow it here."


def show_all(visit: Visit) -> Page:
    """Every group, in one line each."""
    found = search(visit, ALL, FILTER.asked(visit))
    columns = {
        "key": Column("Group", lambda row: row["key"], lambda row: GROUP.to(row["key"])),
        "state": state("State", "state"),
        "title": text("Title", "title"),
        "members": text("Members", "memberCount"),
        "site": text("Site", "marketplace"),
        "listing": text("Listing at eBay", "listingId"),
        "published": time("Published", "publishedAt"),
        "changed": time("Changed", "changedAt"),
    }
    table = Table(visit, columns, found.rows("groups"), "By key", NONE_YET)
    way = element("p", parts.link("All listings", records.HERE))
    return listing("eBay groups", found, table, filter_=FILTER, after=way)


def show_one(visit: Visit) -> Page:
    """One group with its members."""
    return _one(visit, visit.query.get("id", ""), {}, 200)


def check(visit: Visit) -> Page | Redirect:
    """Have all members compared with what eBay shows, as soon as its quota lets it."""
    key = visit.form.get("id", "")
    try:
        visit.do("POST /v1/ebay/listings/check", {"group": key})
    except ApiRefusal as refused:
        return _one(visit, key, refused.named("check"), refused.status)
    return Redirect(parts.address(ONE, {"id": key}))


def _one(visit: Visit, key: str, wrong: Mapping[str, str], status: int) -> Page:
    path = {"key": key}
    one = visit.get(ROUTE, path=path)
    taken = search(visit, GROUP.snapshots, {}, path=path, name="snapshots")
    past = search(visit, f"{ROUTE}/history", {}, path=path, name="history")
    members = Table(visit, _members(one), one["members"], "By SKU", NO_MEMBERS, "members")
    snapshots = Table(
        visit, GROUP.columns(key), taken.rows("snapshots"), "Snapshots, newest first", "None yet.", "snapshots"
    )
    history = Table(
        visit, records.HISTORY, past.rows("history"), "Changes, newest first", "Nothing is kept of it.", "history"
    )
    body = [
        element("p", parts.word(one["state"]), " ", one["title"], class_="told"),
        [others(told, ()) for told in (wrong, taken.wrong, past.wrong)],
        records.error(one["error"]),
        records.check_button(visit, f"{ONE}/check", key) if one["published"] else None,
        parts.section("What it is", parts.facts(_facts(one))),
        parts.section("Members", members.html()),
        parts.documents("All that it says", {"Wanted": one["record"], "Published": one["published"]}),
        parts.section("What was published", snapshots.html(), more(visit, taken, "snapshots")),
        parts.section("What was changed", history.html(), more(visit, past, "history")),
    ]
    return Page(
        f"eBay group {one['key']}",
        join(body),
        max(status, taken.status, past.status),
        refreshes=one["state"] == "waiting" and not wrong,
        tables=(members, snapshots, history),
    )


NO_MEMBERS: Final = "No record names it. Say so of each member with PATCH /v1/ebay/listings/{sku}: group."


def _members(one: Mapping[str, Any]) -> dict[str, Column]:
    """Of the members: what they differ in has a column each."""
    varies = list(dict.fromkeys(name for member in one["members"] for name in member["varies"]))
    return {
        "sku": Column("SKU", lambda row: row["sku"], lambda row: LISTING.to(row["sku"])),
        "state": state("State", "state"),
        **{f"varies-{place}": _varying(name) for place, name in enumerate(varies)},
        "price": Column("Price", lambda row: float(row["price"]["amount"]), lambda row: _price(row)),
        "quantity": text("Quantity", "quantity"),
        "drift": Column("Open differences", lambda row: row["drift"] or None),
        "version": Column("Version", lambda row: row["version"], records.version),
        "error": Column("Error", lambda row: row["error"] and f"{row['error']['code']}: {row['error']['message']}"),
    }


def _varying(name: str) -> Column:
    return Column(name, lambda row: row["varies"].get(name) or None)


def _price(row: Row) -> str:
    return f"{row['price']['amount']} {row['price']['currency']}"


def _facts(one: Mapping[str, Any]) -> dict[str, Child]:
    besides = said(one["warnings"])
    found: dict[str, Child] = {
        "site": one["marketplace"],
        "listing at eBay": one["listingId"] or parts.NONE,
        "is to be": one["status"],
        "version": records.version(one),
        "published": parts.moment(one["publishedAt"]),
        "changes left today": records.revisions(one["revisions"]),
        "changed": [parts.moment(one["changedAt"]), f" by {one['changedBy']}"],
        "made": parts.moment(one["createdAt"]),
    }
    return found | ({"eBay said besides": besides} if besides else {})
