"""The routes of the inventory: add items, show them with their prices, change them, and have their prices fetched."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pydantic import ValidationError

from sluice.inventory import item as stored_items
from sluice.inventory import messages, portfolio, refreshes, rules, views
from sluice.inventory.bodies import ItemEdit, NewItem, NewItems, PortfolioQuery, RefreshItems
from sluice.inventory.item import Item
from sluice.inventory.messages import Looked, NotSent
from sluice.inventory.portfolio import ItemView
from sluice.inventory.rules import Draft, Raw, Refused
from sluice.inventory.views import Changed, Deleted, ItemAnswer, ItemsAnswer, Portfolio, RefreshedAnswer
from sluice.platform import items, tables
from sluice.platform.auth import Permission
from sluice.platform.config import config
from sluice.platform.errors import Conflict, FieldError, HttpError, Invalid, NotFound, Unavailable
from sluice.platform.http import Request, Route
from sluice.platform.models import problems
from sluice.platform.observe import logger

THREADS = 16


def add_items(request: Request[NewItems, None]) -> ItemsAnswer:
    """Add items."""
    drafts, answers = _drafts(request.body.items)

    def put(draft: Draft) -> Item | Exception:
        try:
            return stored_items.put(request.tenant, draft, request.now)
        except Exception as error:  # noqa: BLE001 - answered for this item; the others go on
            return error

    with ThreadPoolExecutor(THREADS) as pool:
        written = dict(zip(drafts, pool.map(put, drafts.values()), strict=True))
    stored = {index: one for index, one in written.items() if isinstance(one, Item)}
    asked = refreshes.ask(list(stored.values()), request.now, config(), "hot")
    for (index, one), done in zip(stored.items(), asked, strict=True):
        outcome = views.CREATED if one.created_at == request.now else views.EXISTS
        answers[index] = views.stored(index, outcome, one, done)
    for index, failed in written.items():
        if isinstance(failed, Exception):
            logger.error("an item could not be stored", exc_info=failed)
            field = FieldError(items.path(index), "could not be stored just now; send it again")
            answers[index] = _refused(index, [field], Unavailable)
    ordered = [answers[index] for index in sorted(answers)]
    count = Counter(one["outcome"] for one in ordered)
    answer: ItemsAnswer = {
        "items": ordered,
        "counts": {
            "created": count[views.CREATED],
            "exists": count[views.EXISTS],
            "refused": count[items.REFUSED],
            "refreshes": views.asked_for(ordered),
        },
    }
    if not stored:
        raise items.all_refused(answer, (one["error"] for one in ordered))
    return answer


def list_items(request: Request[None, PortfolioQuery]) -> Portfolio:
    """The caller's items with their prices. Prices that are old are fetched again, in the background."""
    page, last = stored_items.page(request.tenant, request.query.limit, _cursor(request.query.cursor))
    following = stored_items.public_id(last) if last else None
    return {"items": _show(page, request.tenant, request.now), "next": following}


def get_item(request: Request[None, None]) -> ItemView:
    """One of the caller's items with its prices."""
    [shown] = _show([_find(request)], request.tenant, request.now)
    return shown


def change_item(request: Request[ItemEdit, None]) -> Changed:
    """Change what is known of an item. Prices at marketplaces that are new to it are fetched."""
    if request.body.is_empty():
        raise _invalid("body", "must say what to change: marketplaces, cost, currency or category")
    found = _find(request)
    try:
        changed = stored_items.change(found, _edit(request.body, found), request.now)
    except tables.ConditionFailed:
        raise Conflict("somebody else has changed the item just now; look at it again") from None
    added = set(changed.marketplaces) - set(found.marketplaces)
    [asked] = refreshes.ask([changed], request.now, config(), "hot", wants=lambda _, name: name in added)
    [holding] = portfolio.load([changed])
    shown = portfolio.view(holding, request.now, config().stale_ms)
    return {"item": shown, "refreshes": views.refreshes(asked)}


def delete_item(request: Request[None, None]) -> Deleted:
    """Take an item out of the inventory. Prices, and the refreshes under way, are everybody's: they stay."""
    item = stored_items.from_public(request.path["item_id"])
    if item is None or not stored_items.delete(request.tenant, item):
        raise _unknown()
    return {"itemId": request.path["item_id"]}


def refresh_items(request: Request[RefreshItems, None]) -> RefreshedAnswer:
    """Fetch prices now, whatever their age."""
    named = request.body.items
    if named is not None and request.body.cursor is not None:
        raise _invalid("cursor", "is for all items; leave it out, or items")
    answers: dict[int, ItemAnswer] = {}
    last = None
    if named is None:
        page, last = stored_items.page(request.tenant, 100, _cursor(request.body.cursor))
        found = dict(enumerate(page))
    else:
        keys = {index: stored_items.from_public(text) for index, text in enumerate(named)}
        known = stored_items.find_many(request.tenant, [key for key in keys.values() if key])
        found = {index: known[key] for index, key in keys.items() if key in known}
        for index in keys.keys() - found.keys():
            answers[index] = _refused(index, [FieldError(items.path(index), "is none of your items")], NotFound)
    asked = refreshes.ask(list(found.values()), request.now, config(), "manual", force=True)
    for (index, one), done in zip(found.items(), asked, strict=True):
        answers[index] = views.stored(index, views.FOUND, one, done)
    ordered = [answers[index] for index in sorted(answers)]
    following = stored_items.public_id(last) if last else None
    answer: RefreshedAnswer = {"items": ordered, "refreshes": views.asked_for(ordered), "next": following}
    if named is not None and not found:
        raise items.all_refused(answer, (one["error"] for one in ordered))
    return answer


def _drafts(raw_items: list[Any]) -> tuple[dict[int, Draft], dict[int, ItemAnswer]]:
    """The items that are well described, by index, and the refusals of the others."""
    drafts: dict[int, Draft] = {}
    answers: dict[int, ItemAnswer] = {}
    seen: dict[str, int] = {}
    for index, raw in enumerate(raw_items):
        try:
            draft = rules.draft(NewItem.model_validate(raw).raw())
        except ValidationError as error:
            answers[index] = _refused(index, problems(error, items.path(index)))
        except Refused as refused:
            fields = [FieldError(items.path(index, one.field), one.message) for one in refused.fields]
            answers[index] = _refused(index, fields)
        else:
            first = seen.setdefault(stored_items.key(draft), index)
            if first == index:
                drafts[index] = draft
            else:
                field = FieldError(items.path(index, "sku"), f"is, with its size, the same item as {items.path(first)}")
                answers[index] = _refused(index, [field])
    return drafts, answers


def _show(found: Any, tenant: str, now: int) -> list[ItemView]:
    """`found` with their prices; has those fetched that are old."""
    stale_ms = config().stale_ms
    holdings = portfolio.load(found)
    due = [one.item.item for one in holdings if one.is_due(now, stale_ms)]
    if due:
        try:
            messages.send([Looked(tenant, due, now)])
        except NotSent:  # who looks at prices gets them; who looks next has them fetched
            logger.exception("old prices could not be asked for")
    return [portfolio.view(one, now, stale_ms) for one in holdings]


def _edit(body: ItemEdit, found: Item) -> rules.Edit:
    raw = Raw(found.sku, found.size, found.size_system, body.marketplaces, body.cost, body.currency, body.category)
    try:
        return rules.edit(raw, found.currency)
    except Refused as refused:
        raise Invalid("the request is not valid", fields=refused.fields) from None


def _find(request: Request[Any, Any]) -> Item:
    item = stored_items.from_public(request.path["item_id"])
    found = stored_items.find(request.tenant, item) if item else None
    if found is None:
        raise _unknown()
    return found


def _unknown() -> NotFound:
    return NotFound("there is no such item", fields=[FieldError("itemId", "is none of yours")])


def _cursor(text: str | None) -> str | None:
    if text is None:
        return None
    item = stored_items.from_public(text)
    if item is None:
        raise _invalid("cursor", "is not one that this API gave you; leave it out to begin anew")
    return item


def _refused(index: int, fields: list[FieldError], why: type[HttpError] = Invalid) -> ItemAnswer:
    answer: Any = items.refused(index, fields, why)
    refusal: ItemAnswer = answer
    return refusal


def _invalid(field: str, message: str) -> Invalid:
    return Invalid("the request is not valid", fields=[FieldError(field, message)])


ROUTES = (
    Route(
        "POST",
        "/v1/inventory",
        "Add items to your inventory",
        add_items,
        ItemsAnswer,
        Permission.INVENTORY_WRITE,
        body=NewItems,
        status=202,
        errors=(Unavailable,),
    ),
    Route(
        "GET",
        "/v1/inventory",
        "Show your items with their prices",
        list_items,
        Portfolio,
        Permission.INVENTORY_READ,
        query=PortfolioQuery,
    ),
    Route(
        "POST",
        "/v1/inventory/refresh",
        "Fetch the prices of items now",
        refresh_items,
        RefreshedAnswer,
        Permission.INVENTORY_WRITE,
        body=RefreshItems,
        status=202,
        errors=(Unavailable,),
    ),
    Route("GET", "/v1/inventory/{item_id}", "Show an item", get_item, ItemView, Permission.INVENTORY_READ),
    Route(
        "PATCH",
        "/v1/inventory/{item_id}",
        "Change an item",
        change_item,
        Changed,
        Permission.INVENTORY_WRITE,
        body=ItemEdit,
        errors=(Conflict,),
    ),
    Route(
        "DELETE",
        "/v1/inventory/{item_id}",
        "Take an item out of your inventory",
        delete_item,
        Deleted,
        Permission.INVENTORY_WRITE,
    ),
)
