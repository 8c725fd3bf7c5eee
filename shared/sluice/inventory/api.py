"""The routes of the inventory: show items with their prices, change them, take them away."""

from typing import Any

from sluice.inventory import messages, portfolio, refreshes, rules, views
from sluice.inventory import table as stored_items
from sluice.inventory.bodies import ItemEdit, ItemsQuery
from sluice.inventory.messages import Looked
from sluice.inventory.portfolio import ItemPast, ItemView
from sluice.inventory.rules import Raw
from sluice.inventory.stock import STOCK
from sluice.inventory.table import CostsDiffer, Item
from sluice.inventory.views import Changed, DeletedItem, Portfolio
from sluice.platform import tables
from sluice.platform.config import live
from sluice.platform.http import paging
from sluice.platform.http.auth import Permission
from sluice.platform.http.errors import Conflict, Invalid, NotFound
from sluice.platform.http.routing import HttpRequest, Route
from sluice.platform.imports.chunks import NotSent
from sluice.platform.observe import logger
from sluice.platform.refused import Refused

# What is not found where there is none.
ITEM = ("item", "itemId")


def list_items(request: HttpRequest[None, ItemsQuery]) -> Portfolio:
    """The caller's items with their prices. Prices that are old are fetched again, in the background."""
    query, tenant = request.query, request.tenant
    wanted = stored_items.Filter(query.sku, query.size, query.size_system, query.category, query.marketplace)
    start, backwards = paging.start(query.cursor, tenant, stored_items.KEY), query.sort == "-sku"
    page = stored_items.page(tenant, query.limit, start, wanted, backwards=backwards)
    shown = _show(page.items, tenant, request.now)
    return {"items": shown[::-1] if backwards else shown, "next": page.cursor(tenant)}


def get_item(request: HttpRequest[None, None]) -> ItemView:
    """One of the caller's items with its prices."""
    [shown] = _show([_find(request)], request.tenant, request.now)
    return shown


def get_past(request: HttpRequest[None, None]) -> ItemPast:
    """What the marketplaces asked and bid for an item on each of the last 30 days."""
    [holding] = portfolio.load([_find(request)], request.now, live.current().prices.catalog_age_ms)
    return portfolio.past(holding, request.now)


def change_item(request: HttpRequest[ItemEdit, None]) -> Changed:
    """Change what is known of an item. Prices at marketplaces that are new to it are fetched."""
    if request.body.is_empty():
        raise Invalid.field("body", "must say what to change: marketplaces, cost, currency, category, quantity or lots")
    found = _find(request)
    try:
        changed = stored_items.change(found, _edit(request.body, found), request.now)
    except CostsDiffer as differ:
        raise Invalid.field("cost" if request.body.cost is not None else "quantity", str(differ)) from None
    except tables.ConditionFailed:
        raise Conflict("somebody else has just changed the item; read it again") from None
    added = set(changed.marketplaces) - set(found.marketplaces)
    [asked] = refreshes.ask([changed], request.now, live.current(), "hot", wants=lambda _, name: name in added)
    [holding] = portfolio.load([changed], request.now, live.current().prices.catalog_age_ms)
    shown = portfolio.view(holding, request.now, live.current().prices.stale_ms)
    return {"item": shown, "refreshes": views.refreshes(asked)}


def delete_item(request: HttpRequest[None, None]) -> DeletedItem:
    """Take an item out of the inventory. Prices, and the refreshes under way, are everybody's: they stay."""
    item = stored_items.from_public(request.path["item_id"])
    if item is None or not stored_items.delete(request.tenant, item):
        raise NotFound.of(*ITEM)
    STOCK.give_back(request.tenant, 1)
    return {"itemId": request.path["item_id"]}


def _show(found: Any, tenant: str, now: int) -> list[ItemView]:
    """`found` with their prices; has those fetched that are old."""
    stale_ms = live.current().prices.stale_ms
    holdings = portfolio.in_order(portfolio.load(found, now, live.current().prices.catalog_age_ms))
    due = [one.item.item for one in holdings if one.due(now, stale_ms)]
    if due:
        try:
            messages.send(Looked(tenant, due, now))
        except NotSent:  # who looks at prices gets them; who looks next has them fetched
            logger.exception("old prices could not be asked for")
    return [portfolio.view(one, now, stale_ms) for one in holdings]


def _edit(body: ItemEdit, found: Item) -> rules.Edit:
    said = (body.marketplaces, body.cost, body.currency, body.category, body.quantity)
    if body.lots is not None and (body.cost, body.currency, body.quantity) != (None, None, None):
        raise Invalid.field("lots", "says cost, currency and quantity of all units; leave these out, or lots")
    lots = None if body.lots is None else [lot.raw() for lot in body.lots]
    try:
        return rules.edit(Raw(found.sku, found.size, found.size_system, *said), found.currency, lots)
    except Refused as refused:
        raise Invalid.of(refused.fields) from None


def _find(request: HttpRequest[Any, Any]) -> Item:
    item = stored_items.from_public(request.path["item_id"])
    found = stored_items.find(request.tenant, item) if item else None
    if found is None:
        raise NotFound.of(*ITEM)
    return found


ROUTES = (
    Route(
        "GET",
        "/v1/inventory",
        "Show your items with their prices",
        list_items,
        Portfolio,
        Permission.INVENTORY_READ,
        query=ItemsQuery,
    ),
    Route("GET", "/v1/inventory/{item_id}", "Show an item", get_item, ItemView, Permission.INVENTORY_READ),
    Route(
        "GET",
        "/v1/inventory/{item_id}/prices",
        "Show what an item was worth on the last days",
        get_past,
        ItemPast,
        Permission.INVENTORY_READ,
    ),
    Route(
        "PATCH",
        "/v1/inventory/{item_id}",
        "Change an item",
        change_item,
        Changed,
        Permission.INVENTORY_WRITE,
        body=ItemEdit,
        errors=(Conflict,),
        asks=lambda request: len(request.body.marketplaces or ()),  # prices at those that are new
    ),
    Route(
        "DELETE",
        "/v1/inventory/{item_id}",
        "Take an item out of your inventory",
        delete_item,
        DeletedItem,
        Permission.INVENTORY_WRITE,
    ),
)
