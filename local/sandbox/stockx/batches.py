"""The batch calls of StockX's selling API: up to a hundred listings created, updated or deleted at one go.

Each item is an operation on its listing like any other, so a batch goes on while its items end one by one.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from local.sandbox.call import Answer, Call, Handler
from local.sandbox.catalog.products import Variant
from local.sandbox.outcomes import Phase
from local.sandbox.stockx import inputs
from local.sandbox.stockx.bodies import Json
from local.sandbox.stockx.book import Book
from local.sandbox.stockx.inputs import DeleteItem, NewItem, RefusedError, UpdateItem
from local.sandbox.stockx.listings import Change, Operation
from local.sandbox.times import iso

Kind = Literal["create", "update", "delete"]
KINDS: tuple[Kind, ...] = ("create", "update", "delete")
_BATCH_WORDS: dict[Phase, str] = {
    "queued": "QUEUED",
    "running": "IN_PROGRESS",
    "succeeded": "COMPLETED",
    "partial": "COMPLETED",
    "failed": "COMPLETED",
}
_ITEM_WORDS: dict[Phase, str] = {"queued": "QUEUED", "running": "QUEUED", "succeeded": "COMPLETED", "failed": "FAILED"}


@dataclass(frozen=True)
class Item:
    """`refusal` stands in for the operation of an item that could not be taken on."""

    item_id: str
    listing_input: Json
    operation: Operation | None = None
    refusal: str | None = None

    @property
    def phase(self) -> Phase:
        return self.operation.phase if self.operation else "failed"

    @property
    def status(self) -> str:
        words = self.operation.outcome.words if self.operation else None
        return {**_ITEM_WORDS, **(words or {})}[self.phase]


@dataclass(frozen=True)
class Batch:
    batch_id: str
    account: str
    kind: Kind
    created_at_ms: int
    items: list[Item] = field(default_factory=list)

    @property
    def operations(self) -> Sequence[Operation]:
        return [item.operation for item in self.items if item.operation is not None]

    @property
    def phase(self) -> Phase:
        phases = {item.phase for item in self.items}
        if not phases & {"queued", "running"}:
            return "partial" if len(phases) > 1 else phases.pop()
        return "running" if phases & {"succeeded", "failed"} else "queued"


class Batches:
    """`account_of` is who calls; `variant_of` raises the refusal of an id that is none."""

    def __init__(self, book: Book, account_of: Callable[[Call], str], variant_of: Callable[[str], Variant]) -> None:
        self._book, self._account_of, self._variant_of = book, account_of, variant_of
        self._batches: dict[str, Batch] = {}
        self.routes: list[tuple[str, str, Handler]] = []
        for kind in KINDS:
            path = f"/v2/selling/batch/{kind}-listing"
            self.routes += [
                ("POST", path, partial(self._take, kind=kind)),
                ("GET", f"{path}/{{batch_id}}", partial(self._show, kind=kind)),
                ("GET", f"{path}/{{batch_id}}/items", partial(self._items, kind=kind)),
            ]

    def _take(self, call: Call, kind: Kind) -> Answer:
        wanted = _read(call, kind)
        account = self._account_of(call)
        batch = Batch(self._book.new_id(account, "batch"), account, kind, call.at_ms)
        for place, each in enumerate(wanted):
            batch.items.append(self._item(call, batch, each, place))
        self._batches[batch.batch_id] = batch
        faults = {fault: None for operation in batch.operations for fault in operation.outcome.faults}
        return Answer(200, _body(batch), faults=tuple(faults))

    def _item(self, call: Call, batch: Batch, wanted: NewItem | UpdateItem | DeleteItem, place: int) -> Item:
        """What an item names is looked up only now: an unknown id fails the item, not the batch."""
        item_id = self._book.new_id(batch.account, "item")
        try:
            operation = self._start(call, batch, wanted, item_id, place)
        except RefusedError as refused:
            return Item(item_id, _listing_input(wanted), refusal=refused.message)
        return Item(item_id, _listing_input(wanted), operation)

    def _start(
        self, call: Call, batch: Batch, wanted: NewItem | UpdateItem | DeleteItem, item_id: str, place: int
    ) -> Operation:
        if isinstance(wanted, NewItem):
            variant = self._variant_of(wanted.variant_id)
            task = {"batchId": batch.batch_id, "taskId": item_id}
            return self._book.create(
                call, batch.account, variant, wanted.change(), wanted.inventory_type, batch=task, item=place
            )
        listing = self._book.find(batch.account, wanted.listing_id, call.at_ms)
        if isinstance(wanted, UpdateItem):
            return self._book.start(call, listing, "UPDATE", wanted.change(wanted.active), item=place)
        return self._book.start(call, listing, "DELETE", Change(), item=place)

    def _show(self, call: Call, batch_id: str, kind: Kind) -> Answer:
        return Answer(200, _body(self._look(call, batch_id, kind)))

    def _items(self, call: Call, batch_id: str, kind: Kind) -> Answer:
        batch, status = self._look(call, batch_id, kind), call.query.get("status")
        rows = [self._row(call, batch, item) for item in batch.items if status in (None, item.status)]
        return Answer(200, {"items": rows})

    def _row(self, call: Call, batch: Batch, item: Item) -> Json:
        row: Json = {"itemId": item.item_id, "status": item.status, "listingInput": item.listing_input}
        if item.operation is None:
            return {**row, "error": item.refusal}
        if item.phase == "failed":
            return {**row, "error": item.operation.error}
        if item.phase == "succeeded" and item.operation.outcome.result == "none":
            return row
        if item.phase == "succeeded" and item.operation.outcome.result == "nulls":
            return {**row, "result": {"askId": None, "listingId": None}}
        if item.phase == "succeeded":
            listing = self._book.find(batch.account, item.operation.listing_id, call.at_ms)
            ask_id = listing.ask.ask_id if listing.ask else None
            return {**row, "result": {"askId": ask_id, "listingId": listing.listing_id}}
        return row

    def _look(self, call: Call, batch_id: str, kind: Kind) -> Batch:
        """The account's batch of that kind, with one more look at each of its operations."""
        batch = self._batches.get(batch_id)
        if batch is None or (batch.kind, batch.account) != (kind, self._account_of(call)):
            raise RefusedError(404, "Batch not found")
        for operation in batch.operations:
            operation.look(call.at_ms)
            self._book.find(batch.account, operation.listing_id, call.at_ms, gone=True)
        return batch


def _read(call: Call, kind: Kind) -> Sequence[NewItem | UpdateItem | DeleteItem]:
    """The items asked for; one of several units is as many items, because a listing is one unit."""
    if kind == "create":
        return [item for item in inputs.items(call, NewItem) for _ in range(item.quantity)]
    return inputs.items(call, UpdateItem) if kind == "update" else inputs.items(call, DeleteItem)


def _body(batch: Batch) -> Json:
    ended = batch.phase not in ("queued", "running")
    updated_at = iso(max((operation.updated_at_ms for operation in batch.operations), default=batch.created_at_ms))
    outcomes = [operation.outcome for operation in batch.operations]
    words = next((outcome.words for outcome in outcomes if outcome.words), {})
    counts = Counter(item.status.lower() for item in batch.items)
    text = any(outcome.text_counts for outcome in outcomes)
    return {
        "batchId": batch.batch_id,
        "status": {**_BATCH_WORDS, **words}[batch.phase],
        "totalItems": len(batch.items),
        "createdAt": iso(batch.created_at_ms),
        "updatedAt": updated_at,
        "completedAt": updated_at if ended else None,
        "itemStatuses": {status: str(count) if text else count for status, count in counts.items()},
    }


def _listing_input(wanted: NewItem | UpdateItem | DeleteItem) -> Json:
    """What was asked for, as it is told back. A deleted listing is `id` here, though it was sent as `listingId`."""
    if isinstance(wanted, DeleteItem):
        return {"id": wanted.listing_id}
    sent = wanted.model_dump(mode="json", by_alias=True, exclude={"quantity", "inventory_type"})
    if isinstance(wanted, NewItem):
        return sent
    return {name: value for name, value in sent.items() if value is not None or name == "active"}
