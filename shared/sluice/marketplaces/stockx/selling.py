"""StockX public API v2: selling. Listings, the asynchronous operations that change them, and batches of either.

StockX has no idempotency key: whoever lost the answer to a create looks for the listing before sending it again.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC
from typing import Any, Final, Self

import httpx

from sluice.jobs.model.run import Calls
from sluice.marketplaces.accounts.session import Session
from sluice.marketplaces.http import fields, mapping
from sluice.marketplaces.http.errors import BadAnswer
from sluice.marketplaces.http.exchange import Answer, Call
from sluice.marketplaces.http.fields import Value
from sluice.marketplaces.selling import (
    BatchAsk,
    BatchItem,
    BatchKind,
    MarketBatch,
    MarketListing,
    Operation,
    Setting,
    Terms,
)
from sluice.marketplaces.stockx import adapter as stockx
from sluice.platform.clock import HOUR, Clock, from_iso, iso

PAGE_SIZE: Final = 100
MOST_PAGES: Final = 5

# What StockX calls the door through which Sluice asks.
VIA: Final = "PUBLIC-API"

_LISTING = "/selling/listings/{listing_id}"
_BATCH = "/selling/batch/{kind}-listing"


class Selling:
    """One account's listings: a `Seller`.

    ahead_ms: by the `Date` header of the newest answer, which counts in seconds; None as long as no answer had one.
    """

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self.ahead_ms: int | None = None

    @classmethod
    def open(cls, account_id: str, calls: Calls, clock: Clock, wire: httpx.BaseTransport | None = None) -> Self:
        """Selling as `account_id`. Opening calls nobody; there is nothing to close."""
        return cls(stockx.session(account_id, calls, clock, wire), clock)

    def prepare(self) -> None:
        """Have a token at hand: what can fail before a call fails here, and not between a note and its call."""
        self._session.prepare()

    def create(self, variant_id: str, terms: Terms, *, active: bool) -> Operation:
        """Offer one unit of a variant."""
        body = {"variantId": variant_id, "active": active, **_body(terms)}
        return _operation(self._call(Call("POST", "/selling/listings", json=body)))

    def update(self, listing_id: str, terms: Terms) -> Operation:
        """Change what a listing asks for."""
        return self._change("PATCH", _LISTING, listing_id, _body(terms))

    def delete(self, listing_id: str) -> Operation:
        """Take a listing away for good."""
        return self._change("DELETE", _LISTING, listing_id)

    def activate(self, listing_id: str, terms: Terms) -> Operation:
        """Put a listing on the market. One that has never had a price needs one now."""
        return self._change("PUT", f"{_LISTING}/activate", listing_id, _body(terms))

    def deactivate(self, listing_id: str) -> Operation:
        """Take a listing off the market."""
        return self._change("PUT", f"{_LISTING}/deactivate", listing_id)

    def operation(self, listing_id: str, operation_id: str) -> Operation:
        """How far an operation is."""
        ids = {"listing_id": listing_id, "operation_id": operation_id}
        return _operation(self._call(Call("GET", f"{_LISTING}/operations/{{operation_id}}", ids)))

    def listing(self, listing_id: str) -> MarketListing:
        """A listing with its last operation."""
        return _listing(self._call(Call("GET", _LISTING, {"listing_id": listing_id})))

    def operations(self, listing_id: str) -> list[Operation]:
        """The newest operations on a listing, as many as a page holds."""
        path, query = f"{_LISTING}/operations", {"pageSize": PAGE_SIZE}
        body = self._call(Call("GET", path, {"listing_id": listing_id}, query=query))
        return [_operation(row, listing_id) for row in body["operations"].rows()]

    def find(self, variant_ids: Sequence[str], since: int) -> list[MarketListing]:
        """The listings of these variants that were created since the day of `since`: a call a page, `MOST_PAGES` at
        most."""
        # StockX takes a day only, and its day may be another one: an hour is more than clocks differ by.
        query: dict[str, str | int] = {"variantIds": ",".join(variant_ids), "fromDate": iso(since - HOUR)[:10]}
        found: list[MarketListing] = []
        for page in range(1, MOST_PAGES + 1):
            query |= {"pageNumber": page, "pageSize": PAGE_SIZE}
            body = self._call(Call("GET", "/selling/listings", query=query))
            found += [_listing(row) for row in body["listings"].rows()]
            if not body["hasNextPage"].flag():
                break
        return found

    def submit_batch(self, kind: BatchKind, items: Sequence[BatchAsk]) -> MarketBatch:
        """Create, update or delete up to 100 listings in one call."""
        rows = [_batch_row(kind, item) for item in items]
        return _batch(self._call(Call("POST", _BATCH.format(kind=kind), json={"items": rows})))

    def batch(self, kind: BatchKind, batch_id: str) -> MarketBatch:
        """How far a batch is."""
        return _batch(self._call(Call("GET", f"{_BATCH.format(kind=kind)}/{{batch_id}}", {"batch_id": batch_id})))

    def batch_items(self, kind: BatchKind, batch_id: str) -> list[BatchItem]:
        """What became of each item of a batch."""
        path = f"{_BATCH.format(kind=kind)}/{{batch_id}}/items"
        body = self._call(Call("GET", path, {"batch_id": batch_id}))
        return [_item(row) for row in body["items"].rows()]

    def _call(self, request: Call) -> Value:
        answer = self._session.exchange(request)
        self.ahead_ms = _ahead(answer, self._clock.now(), self.ahead_ms)
        return fields.read(answer)

    def _change(self, method: str, path: str, listing_id: str, body: dict[str, Any] | None = None) -> Operation:
        return _operation(self._call(Call(method, path, {"listing_id": listing_id}, json=body)))


def _batch_row(kind: BatchKind, item: BatchAsk) -> dict[str, Any]:
    if kind == "create":
        return {"variantId": item.variant_id, "quantity": 1, "active": item.active, **_body(item.terms)}
    return {"listingId": item.listing_id, **_body(item.terms)}


def _by_program(via: str | None) -> bool | None:
    return None if via is None else via == VIA


def _body(terms: Terms) -> dict[str, Any]:
    given = {
        "amount": terms.amount,
        "currencyCode": terms.currency,
        "expiresAt": None if terms.expires_at is None else iso(terms.expires_at),
    }
    return {name: value for name, value in given.items() if value is not None}


def _ahead(answer: Answer, now: int, before: int | None) -> int | None:
    """How far the clock of whoever gave `answer` at `now` is ahead; as `before` where it does not tell."""
    at = mapping.http_date(answer.headers.get("date", ""))
    return before if at is None else at - now


def _operation(body: Value, listing_id: str | None = None) -> Operation:
    return Operation(
        operation_id=body["operationId"].text(),
        listing_id=listing_id or body["listingId"].text(),
        type=body["operationType"].optional_text(),
        word=body["operationStatus"].text(),
        error=body["error"].optional_text(),
        created_at=_optional_time(body["createdAt"]),
        by_program=_by_program(body["operationInitiatedVia"].optional_text()),
        changes=_setting(body["changes"]),
    )


def _setting(changes: Value) -> Setting | None:
    """What an operation adds or updates; None where that is not said in a form that can be read."""
    with suppress(BadAnswer):
        parts = [changes[part] for part in ("additions", "updates") if changes[part].raw]
        asks = [part["askData"] for part in parts]
        active = next((part["active"].flag() for part in parts if part["active"].raw is not None), None)
        setting = Setting(
            amount=next(filter(None, (ask["amount"].optional_money() for ask in asks)), None),
            currency=next(filter(None, (ask["currency"].optional_text() for ask in asks)), None),
            expires_at=next(filter(None, (_optional_time(ask["expiresAt"]) for ask in asks)), None),
            active=active,
        )
        return setting if changes.raw is not None else None
    return None


def _listing(row: Value) -> MarketListing:
    listing_id = row["listingId"].text()
    last = row["lastOperation"]
    return MarketListing(
        listing_id=listing_id,
        word=row["status"].text(),
        amount=row["amount"].optional_money(),
        currency=row["currencyCode"].optional_text(),
        expires_at=_optional_time(row["ask"]["askExpiresAt"]),
        variant_id=row["variant"]["variantId"].optional_text(),
        created_at=_time(row["createdAt"]),
        batch_id=row["batch"]["batchId"].optional_text(),
        order=row["order"]["orderNumber"].optional_text(),
        last_operation=None if last.raw is None else _last_operation(last, listing_id),
    )


def _last_operation(last: Value, listing_id: str) -> Operation:
    """The operation inside a listing, whose times have names of their own."""
    return Operation(
        operation_id=last["operationId"].text(),
        listing_id=listing_id,
        type=last["operationType"].optional_text(),
        word=last["operationStatus"].text(),
        error=last["error"].optional_text(),
        created_at=_optional_time(last["operationCreatedAt"]),
        by_program=_by_program(last["operationInitiatedVia"].optional_text()),
        changes=_setting(last["changes"]),
    )


def _batch(body: Value) -> MarketBatch:
    counts = body["itemStatuses"]
    names = list(counts.raw) if isinstance(counts.raw, dict) else []
    return MarketBatch(
        batch_id=body["batchId"].text(),
        word=body["status"].text(),
        completed=body["completedAt"].optional_text() is not None,
        created_at=_optional_time(body["createdAt"]),
        total=body["totalItems"].whole(),
        counts={name: counts[name].whole() for name in names},
    )


def _item(row: Value) -> BatchItem:
    asked, result = row["listingInput"], row["result"]
    # A delete's item names its listing `id`. A create's has one only in its result.
    listing_id = (asked["listingId"], asked["id"], result["listingId"])
    return BatchItem(
        item_id=row["itemId"].optional_text(),
        word=row["status"].optional_text(),
        listing_id=next(filter(None, (place.optional_text() for place in listing_id)), None),
        variant_id=asked["variantId"].optional_text(),
        amount=asked["amount"].optional_money(),
        error=row["error"].optional_text(),
    )


def _time(value: Value) -> int:
    """A time such as `2026-11-22T02:00:00.000Z`, as epoch ms."""
    text = value.text()
    try:
        return from_iso(text, zone=UTC)
    except ValueError:
        raise BadAnswer(f"{value.where} is not a time", uncertain=True) from None


def _optional_time(value: Value) -> int | None:
    return None if value.optional_text() is None else _time(value)
