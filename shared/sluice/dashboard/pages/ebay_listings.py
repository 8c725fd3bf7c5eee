"""Listings at eBay: what is wanted, what was published and what eBay shows, and what becomes of a difference."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from markupsafe import Markup

from sluice.dashboard import forms, parts
from sluice.dashboard.ask import ApiRefusal
from sluice.dashboard.html import Child, element, join
from sluice.dashboard.page import Page, Redirect
from sluice.dashboard.pages import ebay_over_time, ebay_sides
from sluice.dashboard.pages.ebay_snapshots import GROUP, LISTING, said
from sluice.dashboard.search import Filter, listing, more, search
from sluice.dashboard.table import Column, Row, Table, state, text, time
from sluice.dashboard.visit import Visit
from sluice.platform.http.auth import Permission

HERE, ONE, ROUTE = "/dashboard/ebay-listings", LISTING.page, LISTING.route
ALL: Final = "/v1/ebay/listings"
# A test compares these with what the API takes.
STATES: Final = ("waiting", "failed", "live", "out_of_stock", "paused", "on_hold", "ended", "archived")
ANSWERS: Final[Mapping[str, str]] = {"ours": "Ours", "theirs": "Theirs", "ignore": "Ignore"}
GROUPS: Final = "/dashboard/ebay-groups"
FILTER: Final = Filter(
    {"group": "Group"}, {"state": ("State", STATES), "drift": ("With open differences", ("true", "false"))}
)
NONE_YET: Final = "No listing. Say how one is to be with PUT /v1/ebay/listings/{sku}, and follow it here."
MEANING: Final = (
    "Ours: eBay is made as your record says. Theirs: your record becomes as eBay shows the listing; of one that has "
    "ended, it says so too. Ignore: what eBay shows is no difference from now on."
)
CHECKS: Final = "Has it compared with what eBay shows, as soon as the quota lets it. What is found stands here then."
# What each class of difference means; what eBay has taken away leaves nothing that a record could become.
CLASSES: Final[Mapping[str, str]] = {
    "external_only": "eBay shows something else than it took",
    "both": "both were changed",
    "missing": "eBay has no such offer any more",
    "ended": "the listing has ended, and your record says that it is for sale",
    "policy_gone": "a policy that your record names is gone",
}
NOT_THEIRS: Final = ("policy_gone",)
POLICIES: Final = {"fulfillment": "Fulfilment", "payment": "Payment", "return": "Returns"}


def show_all(visit: Visit) -> Page:
    """Every record, in one line each."""
    found = search(visit, ALL, FILTER.asked(visit))
    columns = {
        "sku": Column("SKU", lambda row: row["sku"], lambda row: parts.link(row["sku"], ONE, {"id": row["sku"]})),
        "state": state("State", "state"),
        "title": text("Title", "title"),
        "drift": Column("Open differences", lambda row: row["drift"] or None),
        "site": text("Site", "marketplace"),
        "group": Column("Group", lambda row: row["group"], lambda row: row["group"] and GROUP.to(row["group"])),
        "published": time("Published", "publishedAt"),
        "changed": time("Changed", "changedAt"),
    }
    table = Table(visit, columns, found.rows("listings"), "By SKU", NONE_YET)
    over_time, tables = ebay_over_time.sections(visit)
    way = element("p", parts.link("Groups: several of them that are one listing", GROUPS))
    page = listing("eBay listings", found, table, filter_=FILTER, after=[way, over_time])
    return page._replace(tables=(*page.tables, *tables))


def show_one(visit: Visit) -> Page:
    """One listing."""
    return _one(visit, visit.query.get("id", ""), {}, 200)


def answer(visit: Visit) -> Page | Redirect:
    """Say what becomes of an open difference."""
    sku, said = visit.form.get("id", ""), visit.form.get("answer", "")
    try:
        visit.do("POST /v1/ebay/cases/{case}", {"answer": said}, path={"case": visit.form.get("case", "")})
    except ApiRefusal as refused:
        return _one(visit, sku, refused.named("answer"), refused.status)
    return Redirect(parts.address(ONE, {"id": sku}))


def check(visit: Visit) -> Page | Redirect:
    """Have the listing compared with what eBay shows, as soon as its quota lets it."""
    sku = visit.form.get("id", "")
    try:
        visit.do(f"POST {ROUTE}/check", path={"sku": sku})
    except ApiRefusal as refused:
        return _one(visit, sku, refused.named("check"), refused.status)
    return Redirect(parts.address(ONE, {"id": sku}))


def _one(visit: Visit, sku: str, wrong: Mapping[str, str], status: int) -> Page:
    path = {"sku": sku}
    one = visit.get(ROUTE, path=path)
    taken = search(visit, f"{ROUTE}/snapshots", {}, path=path, name="snapshots")
    past = search(visit, f"{ROUTE}/history", {}, path=path, name="history")
    known = visit.get("/v1/ebay/policies", query={"marketplace": one["marketplace"]})
    side_by_side, sides = ebay_sides.section(visit, one)
    open_ = Table(visit, _cases(visit, sku), one["openDrift"], "Open differences", "Nothing differs.", "drift")
    policies = Table(visit, POLICY, _policies(one, known), "Business policies", "It names none.", "policies")
    snapshots = Table(
        visit, LISTING.columns(sku), taken.rows("snapshots"), "Snapshots, newest first", "None yet.", "snapshots"
    )
    history = Table(visit, HISTORY, past.rows("history"), "Changes, newest first", "Nothing is kept of it.", "history")
    body = [
        element("p", parts.word(one["state"]), " ", one["title"], class_="told"),
        [forms.others(told, ()) for told in (wrong, taken.wrong, past.wrong)],
        error(one["error"]),
        check_button(visit, f"{ONE}/check", sku) if one["published"] else None,
        parts.section("Where it differs", open_.html(), _meaning(visit, one["openDrift"])),
        parts.section("What it is", parts.facts(_facts(one))),
        side_by_side,
        parts.section("Policies", policies.html(), _read(known)),
        parts.section("What was published", snapshots.html(), more(visit, taken, "snapshots")),
        parts.section("What was changed", history.html(), more(visit, past, "history")),
    ]
    return Page(
        f"eBay listing {one['sku']}",
        join(body),
        max(status, taken.status, past.status),
        refreshes=one["state"] == "waiting" and not wrong,
        tables=(open_, sides, policies, snapshots, history),
    )


def check_button(visit: Visit, path: str, name: str) -> Markup | None:
    """A button that has what is called `name` compared with what eBay shows."""
    if not visit.may(Permission.LISTINGS_WRITE):
        return None
    made = forms.form(visit, path, forms.button("Check now"), hidden={"id": name})
    return element("div", made, element("p", CHECKS, class_="note"), class_="buttons")


def error(found: Mapping[str, Any] | None) -> Markup | None:
    """Why a version was not published, and what becomes of it."""
    if found is None:
        return None
    again = "It is not tried again before the record is changed." if found["final"] else "It is tried again by itself."
    told = f"Version {found['version']} was not published: {found['code']}: {found['message']} {again} Seen "
    return element("p", told, parts.moment(found["at"]), class_="refused")


def version(one: Mapping[str, Any]) -> str:
    """Which version is wanted, and which eBay has."""
    return f"{one['version']}, published {one['publishedVersion'] or 'none'}"


def revisions(left: Mapping[str, Any]) -> Child:
    """How many changes eBay takes of the listing today."""
    told = f"{left['left']}, of which {left['detailsLeft']} of more than price and quantity, until "
    return [told, parts.moment(left["until"])]


def _facts(one: Mapping[str, Any]) -> dict[str, Child]:
    found: dict[str, Child] = {
        "site": one["marketplace"],
        "listing at eBay": one["listingId"] or parts.NONE,
        "group": GROUP.to(one["group"]) if one["group"] else parts.NONE,
        "is to be": one["status"],
        "version": version(one),
        "published": parts.moment(one["publishedAt"]),
        "looked at": parts.moment(one["observedAt"]),
        "changes left today": revisions(one["revisions"]),
        "changed": [parts.moment(one["changedAt"]), f" by {one['changedBy']}"],
        "made": parts.moment(one["createdAt"]),
    }
    besides = said(one["warnings"])
    return found | ({"eBay said besides": besides} if besides else {})


# Open differences


def _cases(visit: Visit, sku: str) -> dict[str, Column]:
    columns = {
        "what": Column("What", lambda row: CLASSES.get(row["class"], row["class"].replace("_", " "))),
        "where": Column("In", lambda row: ", ".join(row["groups"]) or None),
        "details": text("Of what", "details"),
        "since": time("Since", "at"),
        "case": text("Case", "case"),
    }
    if not visit.may(Permission.LISTINGS_WRITE):
        return columns
    return columns | {"do": Column("What is to hold", None, lambda row: _buttons(visit, sku, row))}


def _buttons(visit: Visit, sku: str, row: Row) -> Markup:
    buttons = [
        forms.button(label, name="answer", value=word)
        for word, label in ANSWERS.items()
        if word != "theirs" or row["class"] not in NOT_THEIRS
    ]
    return forms.form(visit, f"{ONE}/answer", buttons, hidden={"id": sku, "case": row["case"]}, class_="buttons")


def _meaning(visit: Visit, open_: Any) -> Markup | None:
    return element("p", MEANING, class_="note") if open_ and visit.may(Permission.LISTINGS_WRITE) else None


# Policies

POLICY: Final = {
    "kind": text("For", "kind"),
    "wanted": text("Wanted", "wanted"),
    "shown": text("At eBay", "shown"),
}


def _policies(one: Mapping[str, Any], known: Mapping[str, Any]) -> list[Row]:
    """Each by its name and id, as far as they are known of the seller's account."""
    wanted = one["record"].get("policies") or {}
    shown = (((one["observed"] or {}).get("groups") or {}).get("policies") or {}).get("listingPolicies") or {}
    rows = []
    for kind, label in POLICIES.items():
        of_kind = known["returns" if kind == "return" else kind]
        at_ebay = {"id": shown.get(f"{kind}PolicyId")}
        rows.append({"kind": label, "wanted": _policy(of_kind, wanted.get(kind)), "shown": _policy(of_kind, at_ebay)})
    return [row for row in rows if row["wanted"] or row["shown"]]


def _policy(of_kind: Iterable[Mapping[str, str]], named: Mapping[str, str | None] | None) -> str | None:
    """A policy that is named by its id or by its name."""
    own, name = (named or {}).get("id"), (named or {}).get("name")
    for one in of_kind:
        if own == one["id"] or (own is None and name == one["name"]):
            return f"{one['name']} ({one['id']})"
    return own or name


def _read(known: Mapping[str, Any]) -> Markup:
    return element("p", "Your account's policies were read: ", parts.moment(known["readAt"]), class_="note")


# What was

HISTORY: Final = {
    "version": text("Version", "version"),
    "at": time("When", "changedAt"),
    "what": text("What", "action"),
    "fields": Column("Fields", lambda row: ", ".join(row["fields"]) or None),
    "who": text("Who", "changedBy"),
    "job": Column("Job", lambda row: row["jobId"], lambda row: row["jobId"] and parts.breakable(row["jobId"])),
}
