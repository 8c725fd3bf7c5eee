"""Every request that sells on StockX, checked against StockX's own document; and answers as the document has them."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest

from sluice.marketplaces import registry
from sluice.marketplaces.accounts.session import Session
from sluice.marketplaces.http.errors import BadAnswer, MarketplaceFailure
from sluice.marketplaces.http.transport import Transport
from sluice.marketplaces.selling import BatchAsk, BatchKind, Terms
from sluice.marketplaces.stockx.adapter import sign
from sluice.marketplaces.stockx.selling import MOST_PAGES, Selling
from sluice.platform import money
from tests.contract.documents import document
from tests.contract.test_stockx_requests import _problems
from tests.support.clock import VirtualClock
from tests.unit.marketplaces.fakes import NOON, BudgetLog, Network, Ready, answer

# Anything that an id may hold.
LISTING, OPERATION, BATCH, VARIANT = "98e2/é?#%", "2187 x", "b/1", "55da2c50-1c7d-435a-82bd-5666a13560fe"
KINDS: tuple[BatchKind, ...] = ("create", "update", "delete")
DAY = 86_400_000
ALL = Terms("150.50", "EUR", NOON + DAY)

ASKS: dict[str, list[Callable[[Selling], object]]] = {
    "create": [
        lambda selling: selling.create(VARIANT, Terms("150", "USD"), active=True),
        lambda selling: selling.create(VARIANT, ALL, active=False),
    ],
    "update": [
        lambda selling: selling.update(LISTING, Terms("150", "USD")),
        lambda selling: selling.update(LISTING, Terms(expires_at=NOON + DAY)),
        lambda selling: selling.update(LISTING, ALL),
    ],
    "delete": [lambda selling: selling.delete(LISTING)],
    "activate": [
        lambda selling: selling.activate(LISTING, Terms()),
        lambda selling: selling.activate(LISTING, ALL),
    ],
    "deactivate": [lambda selling: selling.deactivate(LISTING)],
    "operation": [lambda selling: selling.operation(LISTING, OPERATION)],
    "operations": [lambda selling: selling.operations(LISTING)],
    "listing": [lambda selling: selling.listing(LISTING)],
    "find": [
        lambda selling: selling.find([VARIANT], NOON),
        lambda selling: selling.find([VARIANT, "other"], NOON),
    ],
    "submit_batch": [
        lambda selling: selling.submit_batch("create", [BatchAsk(ALL, variant_id=VARIANT)] * 100),
        lambda selling: selling.submit_batch("create", [BatchAsk(Terms("1", "USD"), variant_id=VARIANT, active=False)]),
        lambda selling: selling.submit_batch("update", [BatchAsk(ALL, listing_id=LISTING)] * 100),
        lambda selling: selling.submit_batch("update", [BatchAsk(Terms(expires_at=NOON), listing_id=LISTING)]),
        lambda selling: selling.submit_batch("delete", [BatchAsk(Terms(), listing_id=LISTING)] * 100),
    ],
    "batch": [partial(Selling.batch, kind=kind, batch_id=BATCH) for kind in KINDS],
    "batch_items": [partial(Selling.batch_items, kind=kind, batch_id=BATCH) for kind in KINDS],
}
CASES = [pytest.param(ask, id=f"{name}-{number}") for name, asks in ASKS.items() for number, ask in enumerate(asks)]


def selling(*answers: Any) -> tuple[Selling, Network]:
    network = Network(*answers)
    api = Transport("stockx", "http://api.test/v2", VirtualClock(NOON), wire=network)
    return Selling(Session(api, Ready(), sign, BudgetLog()), VirtualClock(NOON)), network


def sent(ask: Callable[[Selling], object]) -> httpx.Request:
    seller, network = selling(answer(404, {"statusCode": 404, "message": "Not Found"}))
    with pytest.raises(MarketplaceFailure):
        ask(seller)
    [request] = network.sent
    return request


def test_every_public_method_is_asked() -> None:
    methods = {name for name, _ in inspect.getmembers(Selling, inspect.isfunction) if not name.startswith("_")}
    assert ASKS.keys() == methods - {"prepare"}  # which asks for a token, and nothing else


@pytest.mark.parametrize("ask", CASES)
def test_requests_are_as_documented(ask: Callable[[Selling], object]) -> None:
    assert _problems(sent(ask)) == []


def test_listings_are_found_page_by_page_as_documented() -> None:
    page = {"listings": [], "hasNextPage": True}
    seller, network = selling(*[answer(200, page)] * 2, answer(200, page | {"hasNextPage": False}))
    assert seller.find([VARIANT], NOON) == []
    assert [request.url.params["pageNumber"] for request in network.sent] == ["1", "2", "3"]
    assert [_problems(request) for request in network.sent] == [[]] * 3
    seller, network = selling(*[answer(200, page)] * (MOST_PAGES + 1))
    seller.find([VARIANT], NOON)
    assert len(network.sent) == MOST_PAGES


@pytest.mark.parametrize("currency", sorted(registry.get("stockx").listing_currencies))
def test_every_currency_of_a_listing_is_one_that_the_document_names(currency: str) -> None:
    schemas = document("stockx").spec["components"]["schemas"]
    described = schemas["CreateListingInput"]["properties"]["currencyCode"]["description"]
    assert currency in described
    assert len(described.split(";")[1].split()) == len(registry.get("stockx").listing_currencies)


def test_amounts_are_sent_as_text_in_major_units() -> None:
    request = sent(lambda seller: seller.create(VARIANT, Terms(money.amount(150, "USD"), "USD"), active=True))
    assert b'"amount":"150"' in request.content.replace(b" ", b"")


def test_the_documents_own_examples_are_understood() -> None:
    schemas = document("stockx").spec["components"]["schemas"]
    seller, _ = selling(answer(200, _example(schemas, {"$ref": "#/components/schemas/ListingAsyncOperationResponse"})))
    operation = seller.operation(LISTING, OPERATION)
    assert (operation.word, operation.type) == ("PENDING", "CREATE")
    assert operation.created_at == 1_636_461_871_000
    seller, _ = selling(answer(200, _example(schemas, {"$ref": "#/components/schemas/ListingResponse"})))
    listing = seller.listing(LISTING)
    assert (listing.word, str(listing.amount), listing.currency) == ("ACTIVE", "300", "USD")
    assert listing.last_operation
    seller, _ = selling(answer(200, _example(schemas, {"$ref": "#/components/schemas/GetListingCreateBatchResponse"})))
    batch = seller.batch("create", BATCH)
    assert (batch.word, batch.total, batch.counts) == ("QUEUED", 10, {"queued": 20, "failed": 1})
    for kind in ("Create", "Update", "Delete"):
        reference = {"$ref": f"#/components/schemas/GetListing{kind}BatchItemsResponse"}
        seller, _ = selling(answer(200, _example(schemas, reference)))
        [item] = seller.batch_items("create", BATCH)
        assert item.item_id
        assert item.word
        assert item.listing_id


@pytest.mark.parametrize(
    "spoil",
    [
        {"operationId": None},
        {"operationId": 7},
        {"operationStatus": None},
        {"operationStatus": ""},
        {"listingId": None},
        {"createdAt": "yesterday"},
    ],
)
def test_an_answer_without_what_is_needed_may_have_been_carried_out(spoil: dict[str, Any]) -> None:
    good = {"operationId": "o", "listingId": "l", "operationStatus": "PENDING", "createdAt": "2026-11-22T12:00:00.000Z"}
    seller, _ = selling(answer(201, good | spoil))
    with pytest.raises(BadAnswer) as bad:
        seller.create(VARIANT, Terms("150", "USD"), active=True)
    assert bad.value.uncertain


def test_counts_are_read_as_numbers_and_as_text() -> None:
    body = {"batchId": "b", "status": "IN_PROGRESS", "completedAt": None, "createdAt": None, "totalItems": 3}
    for counts in ({"queued": 2, "failed": 1}, {"queued": "2", "failed": "1"}, {"queued": 2.0, "failed": 1.0}):
        seller, _ = selling(answer(200, body | {"itemStatuses": counts}))
        assert seller.batch("update", BATCH).counts == {"queued": 2, "failed": 1}


def _example(schemas: dict[str, Any], schema: dict[str, Any]) -> Any:
    """A value of `schema`, with the examples that the document gives."""
    if "$ref" in schema:
        return _example(schemas, schemas[schema["$ref"].rpartition("/")[2]])
    if "example" in schema:
        return schema["example"]
    if "allOf" in schema:
        return _example(schemas, schema["allOf"][0])
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "array":
        return [_example(schemas, schema["items"])]
    if schema.get("type") == "object":
        return {name: _example(schemas, value) for name, value in schema.get("properties", {}).items()}
    return None if schema.get("nullable") else {"string": "text", "boolean": True}.get(schema.get("type", ""), 1)
