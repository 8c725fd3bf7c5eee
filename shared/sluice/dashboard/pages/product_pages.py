"""Tracked product pages: what is known of each, its price over time, its checks, and what one wants to be told."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from markupsafe import Markup

from sluice.dashboard import charts, forms, parts, stale
from sluice.dashboard.ask import ApiRefusal
from sluice.dashboard.html import Child, element, join
from sluice.dashboard.page import Page, Redirect
from sluice.dashboard.search import Found, listing, search
from sluice.dashboard.table import Column, Row, Table, state, text, time, took
from sluice.dashboard.visit import Visit
from sluice.platform.http.auth import Permission

HERE, ONE = "/dashboard/product-pages", "/dashboard/product-page"
ALL: Final = "/v1/pages"
ROUTE: Final = f"{ALL}/{{page_id}}"
URL: Final = "Address of the product's page"
WISHES: Final = {
    "label": "Your name for it",
    "amount": "Tell me at this price",
    "currency": "its currency, as EUR",
    "dropPercent": "or at a drop by so many percent",
}
# Fields of the form, by what the API calls them.
OURS: Final = {"targetPrice.amount": "amount", "targetPrice.currency": "currency"}
NONE_YET: Final = "No page is tracked. Name a product's page below; it is checked by the next run."


def show_all(visit: Visit) -> Page:
    """Every tracked page, and a form for another."""
    return _all(visit, {}, 200)


def show_one(visit: Visit) -> Page:
    """One tracked page."""
    return _one(visit, visit.query.get("id", ""), {}, 200)


def track(visit: Visit) -> Page | Redirect:
    """Track a page."""
    try:
        done = visit.do(f"POST {ALL}", {**visit.filled("url"), **_wishes(visit)})
    except ApiRefusal as refused:
        return _all(visit, refused.named("url", OURS), refused.status)
    return Redirect(_address(done["page"]["pageId"]))


def change(visit: Visit) -> Page | Redirect:
    """Change what one wants of a page. What is left empty is wanted no longer."""
    page_id, wishes = visit.form.get("id", ""), _wishes(visit)
    body = {name: wishes.get(name) for name in ("label", "targetPrice", "dropPercent")}
    stands, wanted = _stands(visit.get(ROUTE, path={"page_id": page_id})["page"]), _stands(body)
    if stale.is_done(visit, stands, wanted):
        return Redirect(_address(page_id))
    if stale.changes(visit, stands):
        return _one(visit, page_id, {}, stale.CONFLICT)
    try:
        visit.do(f"PATCH {ROUTE}", body, path={"page_id": page_id})
    except ApiRefusal as refused:
        return _one(visit, page_id, refused.named("label", OURS), refused.status)
    return Redirect(_address(page_id))


def untrack(visit: Visit) -> Redirect:
    """Track a page no longer."""
    visit.remove(ROUTE, path={"page_id": visit.form.get("id", "")})
    return Redirect(HERE)


def _all(visit: Visit, wrong: Mapping[str, str], status: int) -> Page:
    found = search(visit, ALL, {})
    columns = {
        "page": Column("Page", _name, lambda row: parts.link(_name(row), ONE, {"id": row["pageId"]})),
        "status": state("Last check", "status"),
        "seen": text("What it saw", "seen"),
        "wish": Column("Tell me", _wish),
        "problem": text("Problem", "problem"),
        "read": time("Read", "readAt"),
        "next": time("Next check", "nextCheckAt"),
    }
    table = Table(visit, columns, found.rows("pages"), "In the order of their ids", NONE_YET)
    return listing("Product pages", found, table, form=_new(visit, wrong), status=status)


def _one(visit: Visit, page_id: str, wrong: Mapping[str, str], status: int) -> Page:
    path = {"page_id": page_id}
    one = visit.get(ROUTE, path=path)["page"]
    chosen = _chosen(one["variants"], visit.query.get("variant"))
    prices = search(visit, f"{ROUTE}/prices", {"variant": chosen}, path=path)
    variants = Table(visit, _variants(page_id), one["variants"], "Its variants", "None is known yet.", "variants")
    checks = Table(visit, CHECKS, one["lastChecks"], "The last checks, newest first", "None yet.", "checks")
    alerts = Table(visit, ALERTS, one["lastAlerts"], "What you were told, newest first", "Nothing yet.", "alerts")
    points = Table(visit, POINTS, prices.rows("points"), "Newest first", "No price is confirmed yet.", "prices")
    body = [
        element("p", parts.word(one["status"]), " ", one["seen"], class_="told"),
        element("p", one["problem"], class_="refused") if one["problem"] else None,
        parts.facts(_facts(one)),
        _untrack(visit, page_id),
        parts.section(f"Price over time{f' of {chosen}' if chosen else ''}", _prices(prices, points)),
        parts.section("What is known", variants.html()),
        parts.section("Checks", checks.html()),
        parts.section("Alerts", alerts.html()),
        _change(visit, one, wrong),
    ]
    return Page(_name(one), join(body), max(status, prices.status), tables=(variants, checks, alerts, points))


POINTS: Final = {
    "at": time("From", "at"),
    "price": Column("Price", lambda row: _amount(row["price"]), lambda row: _money(row["price"])),
    "currency": Column("Currency", lambda row: row["price"]["currency"] if row["price"] else None),
    "stock": text("Stock", "availability"),
}
CHECKS: Final = {
    "at": time("When", "startedAt"),
    "status": state("Came to", "status"),
    "took": took("Took", "durationMs"),
    "error": text("Error", "error"),
    "about": text("What", "about"),
}
ALERTS: Final = {
    "at": time("When", "at"),
    "kind": Column("What", lambda row: row["kind"].replace("_", " ")),
    "about": Column("Of", lambda row: ", ".join(_told(one) for one in row["variants"]) or row["reason"]),
}


def _told(one: Mapping[str, Any]) -> str:
    options = " ".join(one["options"].values())
    return f"{options or one['variantId'] or 'it'}: {_plain(one['before'])} → {_plain(one['after'])}"


def _plain(value: Any) -> str:
    return _money(value) or parts.NONE if isinstance(value, Mapping) or value is None else str(value)


def _variants(page_id: str) -> dict[str, Column]:
    def prices(row: Row) -> Child:
        label = " ".join(row["options"].values()) or row["variantId"] or "the one that it has"
        return parts.link(label, ONE, {"id": page_id, "variant": row["variantId"]})

    return {
        "variant": Column("Variant", lambda row: " ".join(row["options"].values()) or row["variantId"], prices),
        "sku": Column("SKU", lambda row: row["sku"] or None),
        "price": Column("Price", lambda row: _amount(row["price"]["price"]), lambda row: _fact(row, "price")),
        "stock": Column("Stock", lambda row: row["stock"]["availability"], lambda row: _fact(row, "stock")),
        "source": Column("Read from", lambda row: row["price"]["source"] or None),
        "seen": Column("Seen", lambda row: row["price"]["seenAt"], lambda row: parts.moment(row["price"]["seenAt"])),
        "followed": Column("Followed", lambda row: "gone" if row["gone"] else "yes" if row["followed"] else "no"),
    }


def _fact(row: Row, name: str) -> Child:
    fact = row[name]
    told = _money(fact["price"]) if name == "price" else fact["availability"]
    return told if told is None or fact["confirmed"] else [told, " (one check so far)"]


def _prices(found: Found, points: Table) -> Child:
    if found.wrong:
        return forms.others(found.wrong, ())
    currencies = sorted({row["price"]["currency"] for row in points.rows if row["price"]})
    lines = {currency: _in(currency) for currency in currencies}
    return charts.chart("Confirmed prices", points, BY_TIME, lines, steps=True, zero=False)


def _in(currency: str) -> Any:
    def amount(row: Row) -> float | None:
        return _amount(row["price"]) if row["price"] and row["price"]["currency"] == currency else None

    return amount


BY_TIME: Final = charts.Axis(lambda row: datetime.fromisoformat(row["at"]).timestamp(), lambda row: row["at"][:10])


def _facts(one: Mapping[str, Any]) -> dict[str, Child]:
    same = [[parts.link(other, ONE, {"id": other}), " "] for other in one["sameAs"]]
    found: dict[str, Child] = {
        "address": parts.outside(one["url"]),
        "title": one["title"] or parts.NONE,
        "tell me": _wish(one),
        "read from": one["source"] or parts.NONE,
        "checked": parts.moment(one["checkedAt"]),
        "read": parts.moment(one["readAt"]),
        "next check": parts.moment(one["nextCheckAt"]),
        "tracked since": parts.moment(one["createdAt"]),
    }
    return found | ({"the same product as": same} if same else {})


def _new(visit: Visit, wrong: Mapping[str, str]) -> Markup | None:
    if not visit.may(Permission.PAGES_WRITE):
        return None
    url = forms.input_field("url", URL, visit.form.get("url"), wrong.get("url"), maxlength=2000)
    fields = {"url": url, **forms.input_fields(WISHES, visit.form, wrong)}
    return forms.section(visit, "Track another", HERE, fields, forms.button("Track it", kind="strong"), wrong)


def _change(visit: Visit, one: Mapping[str, Any], wrong: Mapping[str, str]) -> Markup | None:
    if not visit.may(Permission.PAGES_WRITE):
        return None
    target = one["targetPrice"] or {}
    stands = {"label": one["label"], **target, "dropPercent": one["dropPercent"]}
    fields, hidden = forms.input_fields(WISHES, visit.form or stands, wrong), {"id": one["pageId"]}
    title, sends = "What you want to be told", forms.button("Change it")
    return stale.section(visit, _stands(one), title, f"{ONE}/change", fields, sends, wrong, hidden=hidden)


def _stands(one: Mapping[str, Any]) -> dict[str, str]:
    """What one wants to be told of a page, in words."""
    target = one["targetPrice"]
    price = f"{parts.exact(target.get('amount', ''))} {target.get('currency', '')}".strip() if target else ""
    drop = parts.exact(one["dropPercent"]) if one["dropPercent"] else ""
    return {"your name for it": one["label"] or "", "at this price": price, "at a drop by so many percent": drop}


def _untrack(visit: Visit, page_id: str) -> Markup | None:
    if not visit.may(Permission.PAGES_WRITE):
        return None
    told = "You are told no more of it. What is known of the page is forgotten when nobody tracks it."
    return forms.sure(visit, "Track it no longer", f"{ONE}/untrack", told, {"id": page_id})


def _wishes(visit: Visit) -> dict[str, Any]:
    """What the form asks to be told, in the API's words."""
    given = visit.filled("label", "dropPercent")
    target = visit.filled("amount", "currency")
    return {**given, **({"targetPrice": target} if target else {})}


def _chosen(variants: Sequence[Mapping[str, Any]], wanted: str | None) -> str:
    """The variant whose price is drawn: the one that the address names, else the first that is followed."""
    ids = [one["variantId"] for one in sorted(variants, key=lambda one: not one["followed"])]
    return wanted if wanted is not None else next(iter(ids), "")


def _name(row: Row) -> str:
    return str(row["label"] or row["title"] or row["url"])


def _wish(row: Row) -> str:
    if row["targetPrice"]:
        return f"at {_money(row['targetPrice'])}"
    return f"at a drop by {row['dropPercent'] or 1} %"


def _money(price: Mapping[str, str] | None) -> str | None:
    return f"{price['amount']} {price['currency']}" if price else None


def _amount(price: Mapping[str, str] | None) -> float | None:
    return float(price["amount"]) if price else None


def _address(page_id: str) -> str:
    return parts.address(ONE, {"id": page_id})
