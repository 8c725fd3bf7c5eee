"""Listings at eBay: what is wanted, what was published and what eBay shows, and what becomes of a difference."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from markupsafe import Markup

from sluice.dashboard import forms, parts
from sluice.dashboard.ask import ApiRefusal
from sluice.dashboard.html import Child, element, join
from sluice.dashboard.page import Page, Redirect
from sluice.dashboard.pages.ebay_snapshots import columns, said
from sluice.dashboard.search import Filter, listing, more, search
from sluice.dashboard.table import Column, Row, Table, state, text, time
from sluice.dashboard.visit import Visit
from sluice.platform.http.auth import Permission

HERE, ONE = "/dashboard/ebay-listings", "/dashboard/ebay-listing"
ALL: Final = "/v1/ebay/listings"
ROUTE: Final = f"{ALL}/{{sku}}"
# A test compares these with what the API takes.
STATES: Final = ("waiting", "failed", "live", "out_of_stock", "paused", "on_hold", "ended", "archived")
ANSWERS: Final[Mapping[str, str]] = {"ours": "Ours", "theirs": "Theirs", "ignore": "Ignore"}
FILTER: Final = Filter(
    {"group": "Group"}, {"state": ("State", STATES), "drift": ("With open differences", ("true", "false"))}
)
NONE_YET: Final = "No listing. Say how one is to be with PUT /v1/ebay/listings/{sku}, and follow it here."
MEANING: Final = (
    "Ours: eBay is made as your record says. Theirs: your record becomes as eBay shows the listing; of one that has "
    "ended, it says so too. Ignore: what eBay shows is no difference from now on."
)
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
        "group": text("Group", "group"),
        "published": time("Published", "publishedAt"),
        "changed": time("Changed", "changedAt"),
    }
    table = Table(visit, columns, found.rows("listings"), "By SKU", NONE_YET)
    return listing("eBay listings", found, table, filter_=FILTER)


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


def _one(visit: Visit, sku: str, wrong: Mapping[str, str], status: int) -> Page:
    path = {"sku": sku}
    one = visit.get(ROUTE, path=path)
    taken = search(visit, f"{ROUTE}/snapshots", {}, path=path, name="snapshots")
    past = search(visit, f"{ROUTE}/history", {}, path=path, name="history")
    known = visit.get("/v1/ebay/policies", query={"marketplace": one["marketplace"]})
    sides = Table(visit, SIDES, _sides(one), "Wanted, published, and as eBay shows it", "Nothing is known.", "sides")
    open_ = Table(visit, _cases(visit, sku), one["openDrift"], "Open differences", "Nothing differs.", "drift")
    policies = Table(visit, POLICY, _policies(one, known), "Business policies", "It names none.", "policies")
    snapshots = Table(visit, columns(sku), taken.rows("snapshots"), "Snapshots, newest first", "None yet.", "snapshots")
    history = Table(visit, HISTORY, past.rows("history"), "Changes, newest first", "Nothing is kept of it.", "history")
    body = [
        element("p", parts.word(one["state"]), " ", one["title"], class_="told"),
        [forms.others(told, ()) for told in (wrong, taken.wrong, past.wrong)],
        _error(one["error"]),
        parts.section("Where it differs", open_.html(), _meaning(visit, one["openDrift"])),
        parts.section("What it is", parts.facts(_facts(one))),
        parts.section("Side by side", sides.html(), _whole(one)),
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


def _error(error: Mapping[str, Any] | None) -> Markup | None:
    if error is None:
        return None
    again = "It is not tried again before the record is changed." if error["final"] else "It is tried again by itself."
    told = f"Version {error['version']} was not published: {error['code']}: {error['message']} {again} Seen "
    return element("p", told, parts.moment(error["at"]), class_="refused")


def _facts(one: Mapping[str, Any]) -> dict[str, Child]:
    left = one["revisions"]
    found: dict[str, Child] = {
        "site": one["marketplace"],
        "listing at eBay": one["listingId"] or parts.NONE,
        "group": one["group"] or parts.NONE,
        "is to be": one["status"],
        "version": f"{one['version']}, published {one['publishedVersion'] or 'none'}",
        "published": parts.moment(one["publishedAt"]),
        "looked at": parts.moment(one["observedAt"]),
        "changes left today": [
            f"{left['left']}, of which {left['detailsLeft']} of more than price and quantity, until ",
            parts.moment(left["until"]),
        ],
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


# Side by side

SIDES: Final = {
    "field": text("Field", "field"),
    "wanted": text("Wanted", "wanted"),
    "published": Column("Published", lambda row: row["published"], lambda row: _marked(row, "published", "wanted")),
    "shown": Column("At eBay", lambda row: row["shown"], lambda row: _marked(row, "shown", "published")),
    "differs": Column("Differs", lambda row: _differs(row)),
}


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


def _whole(one: Mapping[str, Any]) -> Markup:
    """The documents, with all that they say."""
    whole = {"Wanted": one["record"], "Published": one["published"], "At eBay": one["observed"]}
    told = [[element("h3", label), parts.as_json(found)] for label, found in whole.items() if found]
    return element("details", element("summary", "All that each says"), told)


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
    "job": text("Job", "jobId"),
}
