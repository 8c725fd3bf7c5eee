"""The sandbox's StockX against StockX's own document: every call, every status, and the sandbox's client too."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from local.sandbox.catalog.golden import NAMED
from local.sandbox.faults import AddField, Corruption, DropField, Fault, Hang, RetypeField, ServerError, Throttle
from local.sandbox.limits import Limits
from local.sandbox.server import Sandbox
from local.sandbox.stockx import bodies
from tests.contract.documents import Document, document
from tests.unit.sandbox.client import Client, Clock, connected

PRODUCTS = "/v2/catalog/products"
PANDA = bodies.product_id(NAMED[0])
PANDA_3_5, BLUE_3_5 = (bodies.variant_id(NAMED[place].variants[0]) for place in (0, 1))
_, GTIN = NAMED[0].variants[0].gtins[0]
CALLS = {
    "search": "/v2/catalog/search",
    "product": f"{PRODUCTS}/{PANDA}",
    "variants": f"{PRODUCTS}/{PANDA}/variants",
    "variant": f"{PRODUCTS}/{PANDA}/variants/{PANDA_3_5}",
    "variant market data": f"{PRODUCTS}/{PANDA}/variants/{PANDA_3_5}/market-data",
    "product market data": f"{PRODUCTS}/{PANDA}/market-data",
    "gtin": f"{PRODUCTS}/variants/gtins/{GTIN}",
}


@pytest.fixture(scope="module")
def stockx() -> Document:
    return document("stockx")


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Sandbox, Client]]:
    with Sandbox(seed=7, clock=Clock(), limits=Limits()) as sandbox, connected(sandbox) as client:
        yield sandbox, client


@pytest.fixture
def sandbox(running: tuple[Sandbox, Client]) -> Iterator[Sandbox]:
    yield running[0]
    running[0].faults.clear()


@pytest.fixture
def client(running: tuple[Sandbox, Client]) -> Client:
    return running[1]


def _query(path: str) -> dict[str, str | int]:
    return {"query": "DD1391-100", "pageSize": 50} if path.endswith("/search") else {}


def _wrong(stockx: Document, answer: httpx.Response) -> list[str]:
    """What is wrong with the call that was sent and with its answer."""
    request = answer.request
    query = dict(request.url.params)
    sent = stockx.check_request(
        request.method, request.url.path, query=query, headers=dict(request.headers), body=request.content
    )
    body: Any = answer.json()
    return [*sent, *stockx.check_response(request.method, request.url.path, answer.status_code, body)]


@pytest.mark.parametrize("path", CALLS.values(), ids=CALLS)
def test_each_call_and_its_answer_are_as_documented(stockx: Document, client: Client, path: str) -> None:
    answer = client.get(path, **_query(path))
    assert answer.status_code == 200
    assert _wrong(stockx, answer) == []


@pytest.mark.parametrize("product", NAMED, ids=lambda product: product.url_key)
def test_each_kind_of_product_is_as_documented(stockx: Document, client: Client, product: Any) -> None:
    path = f"{PRODUCTS}/{bodies.product_id(product)}"
    variant = f"{path}/variants/{bodies.variant_id(product.variants[0])}"
    for call in (path, f"{path}/variants", f"{path}/market-data", variant, f"{variant}/market-data"):
        assert _wrong(stockx, client.get(call)) == []


def test_prices_are_as_documented_at_every_hour_also_when_nobody_asks(stockx: Document) -> None:
    clock, asks = Clock(), set()
    with Sandbox(seed=7, clock=clock, limits=Limits()) as sandbox, connected(sandbox) as client:
        for _ in range(12):
            client.refresh()
            answer = client.get(CALLS["product market data"], currencyCode="GBP")
            assert _wrong(stockx, answer) == []
            asks.add(answer.json()[0]["lowestAskAmount"])
            clock.now += 3 * 3_600_000
    assert None in asks


@pytest.mark.parametrize("path", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Throttle(), 429),
        (Throttle(retry_after_s=5), 429),
        (ServerError(status=500), 500),
        (ServerError(status=503), 503),
        (Hang(hold_ms=1), 504),
    ],
)
def test_each_fault_that_stands_for_an_error_is_as_documented(
    stockx: Document, client: Client, sandbox: Sandbox, path: str, fault: Fault, status: int
) -> None:
    sandbox.faults.set(fault)
    answer = client.get(path, **_query(path))
    assert answer.status_code == status
    assert _wrong(stockx, answer) == []


@pytest.mark.parametrize("path", CALLS.values(), ids=CALLS)
def test_a_caller_without_rights_is_told_as_documented(stockx: Document, client: Client, path: str) -> None:
    for headers, status in (({**client.headers, "authorization": "Bearer x"}, 401), ({"x-api-key": "x"}, 403)):
        answer = client.http.get(path, params=_query(path), headers=headers)
        assert answer.status_code == status
        assert stockx.check_response("GET", path, status, answer.json()) == []


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        (CALLS["search"], {}, 400),
        (CALLS["search"], {"query": "x", "pageSize": 51}, 400),
        (CALLS["variant market data"], {"country": "US"}, 400),
        (CALLS["variant market data"], {"currencyCode": "XXX"}, 400),
        (CALLS["product market data"], {"currencyCode": "XXX"}, 400),
        (f"{PRODUCTS}/{PANDA}/variants/{BLUE_3_5}", {}, 400),
        (f"{PRODUCTS}/{PANDA}/variants/{BLUE_3_5}/market-data", {}, 400),
        (f"{PRODUCTS}/variants/gtins/shoe", {}, 400),
        (f"{PRODUCTS}/variants/gtins/00000000", {}, 404),
        (f"{PRODUCTS}/unknown", {}, 404),
        (f"{PRODUCTS}/unknown/variants", {}, 404),
        (f"{PRODUCTS}/unknown/market-data", {}, 404),
        (f"{PRODUCTS}/{PANDA}/variants/unknown", {}, 404),
        (f"{PRODUCTS}/{PANDA}/variants/unknown/market-data", {}, 404),
    ],
)
def test_each_refusal_is_as_documented(
    stockx: Document, client: Client, path: str, query: dict[str, str | int], status: int
) -> None:
    answer = client.get(path, **query)
    assert answer.status_code == status
    assert stockx.check_response("GET", path, status, answer.json()) == []


@pytest.mark.parametrize("fault", [AddField(), DropField(field="productId"), RetypeField(field="lowestAskAmount")])
def test_a_spoiled_answer_is_not_as_documented(
    stockx: Document, client: Client, sandbox: Sandbox, fault: Corruption
) -> None:
    sandbox.faults.set(fault)
    assert _wrong(stockx, client.get(CALLS["variant market data"])) != []


def test_the_token_call_and_its_refusal_are_as_documented(stockx: Document, client: Client) -> None:
    granted = client.refresh()
    refused = client.token_call(grant_type="refresh_token", refresh_token="made-up")
    assert (granted.status_code, refused.status_code) == (200, 403)
    assert _wrong(stockx, granted) == []
    assert _wrong(stockx, refused) == []


def test_the_sandbox_plays_every_catalog_call_of_the_document_but_ingestion(stockx: Document) -> None:
    documented = {path for path in stockx.spec["paths"] if path.startswith("/v2/catalog/") and "ingestion" not in path}
    found = [stockx.operation("GET", path) for path in CALLS.values()]
    assert {operation.template for operation in found if operation is not None} == documented
