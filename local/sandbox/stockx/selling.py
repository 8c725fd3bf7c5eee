"""The selling part of StockX's API, one listing at a time: which change is taken on, and what is shown of it."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable

from local.sandbox.call import Answer, Call, Handler
from local.sandbox.catalog.products import Variant
from local.sandbox.stockx import bodies, inputs, selling_bodies
from local.sandbox.stockx.book import Book
from local.sandbox.stockx.inputs import RefusedError, integer
from local.sandbox.stockx.listings import DAY_MS, UNCHANGEABLE, Change, Listing, Operation, OperationType, settle

LISTINGS = "/v2/selling/listings"


class Selling:
    """`account_of` is who calls; `variant_of` raises the refusal of an id that is none."""

    def __init__(self, book: Book, account_of: Callable[[Call], str], variant_of: Callable[[str], Variant]) -> None:
        self._book, self._account_of, self._variant_of = book, account_of, variant_of
        listing = f"{LISTINGS}/{{listing_id}}"
        self.routes: tuple[tuple[str, str, Handler], ...] = (
            ("POST", LISTINGS, self._create),
            ("GET", LISTINGS, self._list),
            ("GET", listing, self._show),
            ("PATCH", listing, self._update),
            ("DELETE", listing, self._delete),
            ("PUT", f"{listing}/activate", self._activate),
            ("PUT", f"{listing}/deactivate", self._deactivate),
            ("GET", f"{listing}/operations", self._operations),
            ("GET", f"{listing}/operations/{{operation_id}}", self._operation),
        )

    def _create(self, call: Call) -> Answer:
        new = inputs.body(call, inputs.NewListing)
        variant = self._variant_of(new.variant_id)
        operation = self._book.create(call, self._account_of(call), variant, new.change(), new.inventory_type)
        return _accepted(call, operation, 201)

    def _update(self, call: Call, listing_id: str) -> Answer:
        change = inputs.body(call, inputs.Terms).change()
        if change == Change():
            raise RefusedError(400, "Give at least one of amount, currencyCode, expiresAt")
        return self._change(call, self._open(call, listing_id), "UPDATE", change)

    def _delete(self, call: Call, listing_id: str) -> Answer:
        return self._change(call, self._open(call, listing_id), "DELETE", Change())

    def _activate(self, call: Call, listing_id: str) -> Answer:
        change = inputs.body(call, inputs.Terms).change(active=True)
        listing = self._open(call, listing_id)
        if listing.status == "ACTIVE" and not listing.busy:
            raise RefusedError(400, "Listing is already active")
        return self._change(call, listing, "ACTIVATE", change)

    def _deactivate(self, call: Call, listing_id: str) -> Answer:
        listing = self._open(call, listing_id)
        if listing.status == "INACTIVE" and not listing.busy:
            raise RefusedError(400, "Listing is already inactive")
        return self._change(call, listing, "DEACTIVATE", Change(active=False))

    def _change(self, call: Call, listing: Listing, type_: OperationType, change: Change) -> Answer:
        return _accepted(call, self._book.start(call, listing, type_, change), 200)

    def _show(self, call: Call, listing_id: str) -> Answer:
        return Answer(200, selling_bodies.listing(self._find(call, listing_id)))

    def _list(self, call: Call) -> Answer:
        page_number, page_size = integer(call, "pageNumber", most=None), integer(call, "pageSize", most=100)
        fits = _filter(call)
        found = [listing for listing in self._book.listings(self._account_of(call), call.at_ms) if fits(listing)]
        start = (page_number - 1) * page_size
        page = {
            "count": len(found),
            "pageSize": page_size,
            "pageNumber": page_number,
            "hasNextPage": start + page_size < len(found),
            "listings": [selling_bodies.listing_row(listing) for listing in found[start : start + page_size]],
        }
        return Answer(200, page)

    def _operations(self, call: Call, listing_id: str) -> Answer:
        """Newest first."""
        page_size = integer(call, "pageSize", most=100)
        operations = self._find(call, listing_id, gone=True).operations[::-1]
        start = _read_cursor(call.query.get("cursor"))
        end = start + page_size
        next_cursor = _cursor(end) if end < len(operations) else None
        page = [selling_bodies.operation(operation) for operation in operations[start:end]]
        return Answer(200, {"nextCursor": next_cursor, "operations": page})

    def _operation(self, call: Call, listing_id: str, operation_id: str) -> Answer:
        listing = self._find(call, listing_id, gone=True)
        operation = next((each for each in listing.operations if each.operation_id == operation_id), None)
        if operation is None:
            raise RefusedError(404, "Operation not found")
        operation.look(call.at_ms)
        settle(listing, call.at_ms)
        return Answer(200, selling_bodies.operation(operation))

    def _find(self, call: Call, listing_id: str, *, gone: bool = False) -> Listing:
        return self._book.find(self._account_of(call), listing_id, call.at_ms, gone=gone)

    def _open(self, call: Call, listing_id: str) -> Listing:
        """A listing that may still be changed."""
        listing = self._find(call, listing_id)
        if listing.status == "DELETED":
            raise RefusedError(400, "Listing is deleted")
        if listing.status == "MATCHED":
            raise RefusedError(400, UNCHANGEABLE)
        return listing


def _accepted(call: Call, operation: Operation, status: int) -> Answer:
    return Answer(status, selling_bodies.accepted(operation, call.base_url), faults=operation.outcome.faults)


def _filter(call: Call) -> Callable[[Listing], bool]:
    """The query's filters. Expired listings are left out unless asked for, and then nothing else is shown."""
    variants, products = inputs.words(call, "variantIds"), inputs.words(call, "productIds")
    statuses, batches = inputs.words(call, "listingStatuses"), inputs.words(call, "batchIds")
    kinds = inputs.words(call, "inventoryTypes")
    from_ms, to_ms = inputs.day(call, "fromDate"), inputs.day(call, "toDate")
    expired = call.query.get("isExpired") == "true"

    def fits(listing: Listing) -> bool:
        return (
            listing.listed_at_ms <= call.at_ms
            and (not variants or bodies.variant_id(listing.variant) in variants)
            and (not products or bodies.product_id(listing.variant.product) in products)
            and (not statuses or listing.status in statuses)
            and (not batches or (listing.batch is not None and listing.batch["batchId"] in batches))
            and (not kinds or listing.inventory_type in kinds)
            and (from_ms is None or listing.created_at_ms >= from_ms)
            and (to_ms is None or listing.created_at_ms < to_ms + DAY_MS)
            and listing.expired(call.at_ms) == expired
        )

    return fits


def _cursor(place: int) -> str:
    return urlsafe_b64encode(f"from {place}".encode()).decode()


def _read_cursor(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        return int(urlsafe_b64decode(cursor).removeprefix(b"from "))
    except ValueError:
        raise RefusedError(400, "cursor is not one that was given out") from None
