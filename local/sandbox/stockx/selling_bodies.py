"""The bodies of StockX's selling API. Money is a string in major units; times are ISO 8601 in UTC."""

from decimal import Decimal

from local.sandbox.outcomes import Phase
from local.sandbox.stockx import bodies
from local.sandbox.stockx.bodies import Json
from local.sandbox.stockx.listings import Change, Listing, Operation
from local.sandbox.times import iso

_OPERATION_WORDS: dict[Phase, str] = {
    "queued": "PENDING",
    "running": "PENDING",
    "succeeded": "SUCCEEDED",
    "failed": "FAILED",
}
_FEES = (("Transaction Fee (9%)", Decimal("0.09")), ("Payment Proc. (3%)", Decimal("0.03")))


def operation(operation: Operation) -> Json:
    return {"listingId": operation.listing_id, **_operation(operation), **_times(operation)}


def accepted(operation_: Operation, base_url: str) -> Json:
    """The answer to a write."""
    path = f"/v2/selling/listings/{operation_.listing_id}/operations/{operation_.operation_id}"
    return {**operation(operation_), "operationUrl": base_url + path}


def listing_row(listing: Listing) -> Json:
    variant = bodies.variant_row(listing.variant)
    product = listing.variant.product
    ask = listing.ask and {
        "askId": listing.ask.ask_id,
        "askCreatedAt": iso(listing.ask.created_at_ms),
        "askUpdatedAt": iso(listing.ask.updated_at_ms),
        "askExpiresAt": iso(listing.expires_at_ms),
    }
    return {
        "listingId": listing.listing_id,
        "status": listing.status,
        "amount": listing.amount,
        "currencyCode": listing.currency,
        "inventoryType": listing.inventory_type,
        **_times(listing),
        "batch": listing.batch,
        "ask": ask,
        "order": listing.order
        and {
            "orderNumber": listing.order.order_number,
            "orderCreatedAt": iso(listing.order.created_at_ms),
            "orderStatus": "CREATED",
        },
        "product": {"productId": variant["productId"], "productName": product.title, "styleId": product.style_id},
        "variant": {name: variant[name] for name in ("variantId", "variantName", "variantValue")},
        "authenticationDetails": None,
        "initiatedShipments": None,
        "condition": None,
        "conditionDescription": None,
    }


def listing(listing: Listing) -> Json:
    """A single listing, with what it would pay out and its last operation."""
    last = listing.operations[-1]
    times = {"operationCreatedAt": iso(last.created_at_ms), "operationUpdatedAt": iso(last.updated_at_ms)}
    return {**listing_row(listing), "payout": _payout(listing), "lastOperation": {**_operation(last), **times}}


def _operation(operation: Operation) -> Json:
    words = {**_OPERATION_WORDS, **(operation.outcome.words or {})}
    return {
        "operationId": operation.operation_id,
        "operationType": operation.type,
        "operationStatus": words[operation.phase],
        "operationInitiatedBy": "USER",
        "operationInitiatedVia": operation.via,
        "changes": _changes(operation),
        "error": operation.error,
    }


def _times(thing: Operation | Listing) -> Json:
    return {"createdAt": iso(thing.created_at_ms), "updatedAt": iso(thing.updated_at_ms)}


def _changes(operation: Operation) -> Json:
    kind = "additions" if operation.type == "CREATE" else "updates"
    return {"additions": {}, "updates": {}, "removals": {}, kind: _change(operation.change)}


def _change(change: Change) -> Json:
    expires_at = None if change.expires_at_ms is None else iso(change.expires_at_ms)
    ask = {"amount": change.amount, "currency": change.currency, "expiresAt": expires_at}
    ask = {name: value for name, value in ask.items() if value is not None}
    return {
        **({} if change.active is None else {"active": change.active}),
        **({"askData": ask} if ask else {}),
    }


def _payout(listing: Listing) -> Json:
    price = Decimal(listing.amount)
    fees = [(name, share, -(price * share).quantize(Decimal("0.01"))) for name, share in _FEES]
    total = sum((amount for _, _, amount in fees), Decimal())
    return {
        "totalPayout": str(price + total),
        "salePrice": listing.amount,
        "totalAdjustments": str(total),
        "currencyCode": listing.currency,
        "adjustments": [
            {"adjustmentType": name, "amount": str(amount), "percentage": str(share)} for name, share, amount in fees
        ],
    }
