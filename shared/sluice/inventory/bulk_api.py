"""The routes that concern many items at once: add them, and have their prices fetched. Each item has its own answer."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sluice.inventory import messages, naming, refreshes, rules, views
from sluice.inventory import table as stored_items
from sluice.inventory.bodies import NewItem, NewItems, RefreshItems
from sluice.inventory.messages import Whole
from sluice.inventory.rules import Draft
from sluice.inventory.stock import STOCK
from sluice.inventory.table import CostsDiffer, Item
from sluice.inventory.views import ItemsAnswer, RefreshedAnswer, StoredAnswer
from sluice.jobs.ask import require_room
from sluice.platform.config import live
from sluice.platform.http import items, paging
from sluice.platform.http.auth import Permission
from sluice.platform.http.errors import FieldError, Invalid, NotFound, Unavailable
from sluice.platform.http.items import Answers
from sluice.platform.http.routing import HttpRequest, Route
from sluice.platform.imports.chunks import NotSent
from sluice.platform.observe import logger
from sluice.platform.refused import Refused

THREADS = 16


def add_items(request: HttpRequest[NewItems, None]) -> ItemsAnswer:
    """Add items."""
    STOCK.require_room(request.tenant, len(request.body.items), request.now, live.current())
    require_room(request.tenant, len(request.body.items), request.now, live.current())
    answers = Answers[StoredAnswer]()
    drafts, more = _drafts(request.body.items, answers)
    named = _named(request.tenant, drafts, answers, more)

    def put(place: tuple[str, Draft]) -> Item | Exception:
        try:
            return stored_items.put(request.tenant, place[1], request.now, item=place[0])
        except Exception as error:  # noqa: BLE001 - answered for this item; the others go on
            return error

    STOCK.take(request.tenant, len(named))
    with ThreadPoolExecutor(THREADS) as pool:
        written = dict(zip(named, pool.map(put, named.values()), strict=True))
    stored = {index: one for index, one in written.items() if isinstance(one, Item)}
    STOCK.give_back(request.tenant, len(named) - sum(one.created_at == request.now for one in stored.values()))
    asked = refreshes.ask(list(stored.values()), request.now, live.current(), "hot")
    for (index, one), done in zip(stored.items(), asked, strict=True):
        outcome = views.CREATED if one.created_at == request.now else views.EXISTS
        answers.add(index, views.stored(index, outcome, one, done))
    for index, failed in written.items():
        if isinstance(failed, CostsDiffer):
            field = "cost" if drafts[index].cost is not None else "quantity"
            answers.refuse(index, FieldError(field, str(failed)))
        elif isinstance(failed, Exception):
            logger.error("an item could not be stored", exc_info=failed)
            answers.refuse(index, FieldError("", "could not be stored just now; send it again"), why=Unavailable)
    for index, first in more.items():
        _answer_as(answers, index, first)
    count = answers.counts()
    answer: ItemsAnswer = {
        "items": answers.in_order(),
        "counts": {
            "created": count[views.CREATED],
            "exists": count[views.EXISTS],
            "refused": count[items.REFUSED],
            "refreshes": views.asked_for(answers),
        },
    }
    return answers.unless_all_refused(answer)


def refresh_items(request: HttpRequest[RefreshItems, None]) -> RefreshedAnswer:
    """Fetch prices now, whatever their age."""
    named = request.body.items
    if named is not None and request.body.cursor is not None:
        raise Invalid.field("cursor", "is for all items; leave it out, or items")
    if named is None:
        return _refresh_all(request)
    answers = Answers[StoredAnswer]()
    keys = {index: stored_items.from_public(text) for index, text in enumerate(named)}
    known = stored_items.find_many(request.tenant, [key for key in keys.values() if key])
    found = {index: known[key] for index, key in keys.items() if key in known}
    for index in keys.keys() - found.keys():
        answers.refuse(index, FieldError("", "not found"), why=NotFound)
    asked = refreshes.ask(list(found.values()), request.now, live.current(), "manual", force=True)
    for (index, one), done in zip(found.items(), asked, strict=True):
        answers.add(index, views.stored(index, views.FOUND, one, done))
    answer: RefreshedAnswer = {
        "items": answers.in_order(),
        "refreshes": views.asked_for(answers),
        "accepted": len(found),
        "next": None,
    }
    return answers.unless_all_refused(answer)


def _refresh_all(request: HttpRequest[RefreshItems, None]) -> RefreshedAnswer:
    """Have the prices of all items fetched, behind the answer: it may be many thousands."""
    after = paging.start(request.body.cursor, request.tenant, stored_items.KEY)
    try:
        messages.send(Whole(request.tenant, after.key if after else None))
    except NotSent:
        logger.exception("the prices of an inventory could not be asked for")
        raise Unavailable("could not be queued just now; ask again") from None
    return {"items": [], "refreshes": 0, "accepted": STOCK.size(request.tenant), "next": None}


def _drafts(raw_items: list[Any], answers: Answers[StoredAnswer]) -> tuple[dict[int, Draft], dict[int, int]]:
    """The items that are well described, by index; the others are refused.

    Entries about the same item are one, under the index of the first; the second are the others, and of which.
    """
    more: dict[int, int] = {}
    drafts: dict[int, Draft] = {}
    seen: dict[str, int] = {}
    for index, item in answers.read(raw_items, NewItem).items():
        try:
            draft = rules.draft(item.raw())
            first = seen.setdefault(stored_items.key(draft.sku, draft.named), index)
            if first == index:
                drafts[index] = draft
            else:
                drafts[first] = rules.join(drafts[first], draft)
                more[index] = first
        except Refused as refused:
            answers.refuse(index, *refused.fields)
    return drafts, more


def _answer_as(answers: Answers[StoredAnswer], index: int, first: int) -> None:
    """The answer for an entry about the item of an earlier one: what became of that, told once."""
    answer = answers[first]
    if "error" in answer:
        why = Unavailable if answer["error"]["code"] == Unavailable.code else Invalid
        answers.refuse(index, FieldError("", f"is about the same item as {items.path(first)}"), why=why)
    else:
        answers.add(index, {**answer, "index": index, "refreshes": []})


def _named(
    tenant: str, drafts: dict[int, Draft], answers: Answers[StoredAnswer], more: dict[int, int]
) -> dict[int, tuple[str, Draft]]:
    """The items under their range keys. Entries that turn out to be about one item, `8` and `8W`, are joined too."""
    named: dict[int, tuple[str, Draft]] = {}
    seen: dict[str, int] = {}
    for index, (key, draft) in zip(drafts, naming.settle(tenant, list(drafts.values())), strict=True):
        first = seen.setdefault(key, index)
        try:
            named[first] = (key, draft if first == index else rules.join(named[first][1], draft))
        except Refused as refused:
            answers.refuse(index, *refused.fields)
        else:
            more |= {index: first} if first != index else {}
    return named


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
        asks=lambda request: len(request.body.items),
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
        asks=lambda request: len(request.body.items or ()) or STOCK.size(request.tenant),
    ),
)
