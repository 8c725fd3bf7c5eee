"""What a seller owns: each item with its units, what they cost, and what the marketplaces ask and bid for it now."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from markupsafe import Markup

from sluice.dashboard import drawings, forms, parts, stale
from sluice.dashboard.ask import ApiRefusal
from sluice.dashboard.html import Child, element, join
from sluice.dashboard.page import Page, Redirect
from sluice.dashboard.pages import portfolio_change, portfolio_imports
from sluice.dashboard.pages import portfolio_prices as prices
from sluice.dashboard.search import Filter, listing, search
from sluice.dashboard.table import Column, Row, Table, amount, text
from sluice.dashboard.visit import Visit
from sluice.platform.http.auth import Permission

HERE, ONE = "/dashboard/portfolio", "/dashboard/portfolio/item"
ALL: Final = "/v1/inventory"
ROUTE: Final = f"{ALL}/{{item_id}}"
# As the API knows them; a test compares.
SIZE_SYSTEMS: Final = ("us", "us-w", "us-y", "us-c", "uk", "cm", "kr", "eu", "it", "fr")
FILTER: Final = Filter(
    {"sku": "SKU begins with", "size": "Size", "category": "Category"},
    {"sizeSystem": ("Size system", SIZE_SYSTEMS), "marketplace": ("Priced at", tuple(prices.NAMES))},
)
# What can be said of a new item, before and after the system of its size.
TERMS: Final = {"sku": "SKU", "size": "Size"}
MORE: Final = {
    "cost": "Cost of each",
    "currency": "Its currency, USD if empty",
    "category": "Category, as sneakers",
    "quantity": "How many, 1 if empty",
}
SYSTEM: Final = "Its system, as the size says if empty"
CAPTION: Final = "By SKU and size: what each marketplace asks, and below it what it bids"
NONE_YET: Final = "Nothing here. Say below what you own, and its prices are fetched; or clear the filter."
NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
GONE: Final = "It is no longer in your inventory, and nobody fetches its prices for you."


def show_all(visit: Visit) -> Page:
    """Every item, with its prices side by side, and a form for another."""
    return _all(visit, {}, 200)


def show_one(visit: Visit) -> Page:
    """One item."""
    return _one(visit, visit.query.get("id", ""))


def change(visit: Visit) -> Page | Redirect:
    """Change an item. What is as it was is not sent, so that it stays what the item itself says, or does not say."""
    item_id = visit.form.get("id", "")
    here = replace(visit, here=ONE, query={"id": item_id})
    one = visit.get(ROUTE, path={"item_id": item_id})
    asked, stands = portfolio_change.read(visit, one), portfolio_change.stands(one)
    if not asked.body or stale.is_done(visit, stands, asked.wanted):
        return Redirect(parts.address(ONE, {"id": item_id}))
    if stale.changes(visit, stands):
        return _one(here, item_id, status=stale.CONFLICT)
    try:
        visit.do(f"PATCH {ROUTE}", asked.body, path={"item_id": item_id})
    except ApiRefusal as refused:
        wrong = {asked.names.get(name, name): told for name, told in refused.named("item").items()}
        return _one(here, item_id, wrong=wrong, status=refused.status)
    return Redirect(parts.address(ONE, {"id": item_id}))


def add(visit: Visit) -> Page | Redirect:
    """Add an item, and have its prices fetched."""
    item: dict[str, Any] = visit.filled(*TERMS, *MORE, "sizeSystem")
    if item.get("quantity", "").isdecimal():
        item["quantity"] = int(item["quantity"])
    try:
        done = visit.do(f"POST {ALL}", {"items": [item]})
    except ApiRefusal as refused:
        named = refused.named("sku").items()
        return _all(visit, {_field(name): told for name, told in named}, refused.status)
    return Redirect(parts.address(ONE, {"id": done["items"][0]["itemId"]}))


def remove(visit: Visit) -> Redirect:
    """Take an item out of the inventory."""
    visit.remove(ROUTE, path={"item_id": visit.form.get("id", "")})
    return Redirect(HERE)


def refresh(visit: Visit) -> Page:
    """Have the prices of one item fetched now; of all that is owned, if the form names none."""
    item_id = visit.form.get("id")
    done = visit.do(f"POST {ALL}/refresh", {"items": [item_id]} if item_id else {})
    if item_id:
        return _one(replace(visit, here=ONE, query={"id": item_id}), item_id, done["items"][0]["refreshes"])
    told = f"Of about {done['accepted']} in all, one after the other as the limits allow."
    return Page("Prices are asked for", join([element("p", told), element("p", parts.link("Back", HERE))]))


def _all(visit: Visit, wrong: Mapping[str, str], status: int) -> Page:
    found = search(visit, ALL, FILTER.asked(visit))
    rows = found.rows("items")
    table = Table(visit, COLUMNS, rows, CAPTION, NONE_YET)
    before = [drawings.drawn(rows), _refresh_all(visit) if rows else None]
    form = [_new(visit, wrong), portfolio_imports.form(visit, {})]
    return listing("Portfolio", found, table, filter_=FILTER, before=before, form=form, status=status)


def _one(
    visit: Visit, item_id: str, asked: Sequence[Row] = (), wrong: Mapping[str, str] = NOTHING, status: int = 200
) -> Page:
    path = {"item_id": item_id}
    one, past = visit.get(ROUTE, path=path), visit.get(f"{ROUTE}/prices", path=path)["prices"]
    side_by_side, table = prices.section(visit, one)
    over_time, days = prices.over_time(visit, past)
    lots = Table(visit, LOTS, one["lots"], "Units by what they cost", "None.", "lots")
    body = [
        drawings.drawn([one]),
        element("div", drawings.picture(one, "large"), parts.facts(_facts(one)), class_="thing"),
        _buttons(visit, item_id),
        parts.section("Prices are asked for", element("ul", [_asked(each) for each in asked])) if asked else None,
        side_by_side,
        over_time,
        parts.section("What you own", lots.html()),
        portfolio_change.section(visit, one, wrong),
    ]
    return Page(_name(one), join(body), status, tables=(table, days, lots))


def _item(row: Row) -> Child:
    return parts.link([drawings.picture(row), element("span", _name(row))], ONE, {"id": row["itemId"]}, class_="thing")


COLUMNS: Final = {
    "item": Column("Item", lambda row: _name(row), _item),
    "sku": text("SKU", "sku"),
    "size": Column("Size", lambda row: _size(row), lambda row: element("div", _size(row), class_="whole")),
    "quantity": text("Units", "quantity"),
    "cost": Column("Cost of each", lambda row: parts.number(row["cost"]), lambda row: _cost(row)),
    **{name: prices.column(name) for name in prices.NAMES},
    "spread": Column("Spread", prices.spread, prices.shown_spread),
    "age": Column("Age", prices.age, prices.shown_age),
}
LOTS: Final = {
    "quantity": text("Units", "quantity"),
    "cost": amount("Cost of each", "cost"),
}


def _asked(one: Row) -> Markup:
    why = f": {one['error']['message']}" if "error" in one else None
    return element("li", prices.named(one["marketplace"]), " ", parts.word(one["outcome"]), why)


def _facts(one: Mapping[str, Any]) -> dict[str, Child]:
    return {
        "SKU": one["sku"],
        "size": _size(one),
        "category": one["category"] or parts.NONE,
        "units": one["quantity"],
        "cost of each": _cost(one) or parts.NONE,
        "owned here since": parts.moment(one["createdAt"]),
        "changed": parts.moment(one["updatedAt"]),
    }


def _buttons(visit: Visit, item_id: str) -> Markup | None:
    if not visit.may(Permission.INVENTORY_WRITE):
        return None
    hidden = {"id": item_id}
    fetch = forms.form(visit, f"{HERE}/refresh", forms.button("Fetch its prices now", kind="strong"), hidden=hidden)
    return element("div", fetch, forms.sure(visit, "Remove", f"{HERE}/remove", GONE, hidden), class_="buttons")


def _refresh_all(visit: Visit) -> Markup | None:
    if not visit.may(Permission.INVENTORY_WRITE):
        return None
    return element("div", forms.form(visit, f"{HERE}/refresh", forms.button("Fetch all prices now")), class_="buttons")


def _new(visit: Visit, wrong: Mapping[str, str]) -> Markup | None:
    if not visit.may(Permission.INVENTORY_WRITE):
        return None
    given, chosen, told = visit.form, visit.form.get("sizeSystem"), wrong.get("sizeSystem")
    fields = {
        **forms.input_fields(TERMS, given, wrong),
        "sizeSystem": forms.select("sizeSystem", SYSTEM, ("", *SIZE_SYSTEMS), chosen, any_=False, wrong=told),
        **forms.input_fields(MORE, given, wrong),
    }
    return forms.section(visit, "Add one", HERE, fields, forms.button("Add it", kind="strong"), wrong)


def _field(name: str) -> str:
    """The field of the form that the API names as one of the only item of a request."""
    return name.partition("].")[2] or "sku"


def _name(row: Row) -> str:
    return str(row["name"] or row["sku"])


def _size(row: Row) -> str:
    return f"{(row['sizeSystem'] or '').upper()} {row['size']}".strip()


def _cost(row: Row) -> str | None:
    """What each unit cost; of units that differ in it, how many cost what."""
    if row["cost"] or len(row["lots"]) < 2:
        return parts.money(row, "cost")
    return ", ".join(f"{lot['quantity']} at {parts.money(lot, 'cost') or 'unknown'}" for lot in row["lots"])
