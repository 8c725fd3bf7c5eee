"""What the routes of the inventory answer."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, NotRequired

from typing_extensions import TypedDict

from sluice.inventory import table as stored_items
from sluice.inventory.portfolio import ItemView
from sluice.inventory.refreshes import Asked
from sluice.inventory.table import Item
from sluice.jobs.model.states import ALL
from sluice.jobs.queue.enqueue import Enqueued, Result
from sluice.platform.config.services import MARKETPLACES
from sluice.platform.http import items
from sluice.platform.http.errors import ErrorDetail, FieldError, Invalid, Unavailable
from sluice.platform.http.items import REFUSED, Answered
from sluice.platform.http.shapes import Among
from sluice.platform.refused import Refused

CREATED = "created"
EXISTS = "exists"
FOUND = "found"


class RefreshView(TypedDict):
    """What became of the wish for a fresh price at one marketplace.

    outcome: as that of `POST /v1/market/refresh`; `refused` concerns the price alone, never the item.
    """

    marketplace: Annotated[str, Among(MARKETPLACES)]
    outcome: Annotated[str, Among((*Result, REFUSED))]
    jobId: NotRequired[str]
    state: NotRequired[Annotated[str, Among(sorted(ALL))]]
    error: NotRequired[ErrorDetail]


class StoredAnswer(Answered, TypedDict):
    """What became of one item of a request.

    outcome: `created`, `exists` (it was there; what was said of it now holds), `found` (a refresh of it was asked for),
    or `refused` (see `error`).
    """

    itemId: NotRequired[str]
    refreshes: NotRequired[list[RefreshView]]


class ItemCounts(TypedDict):
    """How many items had each outcome, and how many refreshes were asked for."""

    created: int
    exists: int
    refused: int
    refreshes: int


class ItemsAnswer(TypedDict):
    """One answer for each item, in their order."""

    items: list[StoredAnswer]
    counts: ItemCounts


class RefreshedAnswer(TypedDict):
    """What was asked for.

    items, refreshes: of the items that were named. accepted: how many items' prices are asked for; where all are
    wanted, about so many, which is done behind this answer. next: always null; all are done by one request.
    """

    items: list[StoredAnswer]
    refreshes: int
    accepted: int
    next: str | None


class Portfolio(TypedDict):
    """A page of items, by SKU and size. `next` leads to the next page; null on the last."""

    items: list[ItemView]
    next: str | None


class DeletedItem(TypedDict):
    """The item that is no longer there."""

    itemId: str


class Changed(TypedDict):
    """The item as it is now, and what was asked for at marketplaces that are new to it."""

    item: ItemView
    refreshes: list[RefreshView]


def stored(index: int, outcome: str, item: Item, asked: Asked) -> StoredAnswer:
    """The answer for an item that is there."""
    return {
        "index": index,
        "outcome": outcome,
        "itemId": stored_items.public_id(item.item),
        "refreshes": refreshes(asked),
    }


def refreshes(asked: Asked) -> list[RefreshView]:
    """What became of an item's prices, in the order of its marketplaces."""
    return [_refresh(name, done) for name, done in asked.items()]


def asked_for(answers: Iterable[Mapping[str, Any]]) -> int:
    """How many refreshes of these answers were not refused."""
    return sum(one["outcome"] != REFUSED for answer in answers for one in answer.get("refreshes", ()))


def _refresh(marketplace: str, done: Enqueued | Refused) -> RefreshView:
    if isinstance(done, Enqueued):
        return {"marketplace": marketplace, "outcome": done.result, "jobId": done.job_id, "state": done.state}
    why = Unavailable if done.field == "item" else Invalid
    error = items.error([FieldError(done.field, done.message)], why)
    return {"marketplace": marketplace, "outcome": REFUSED, "error": error}
