"""Every request of the StockX adapter, checked against StockX's own document."""

import inspect
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from sluice.marketplaces import registry
from sluice.marketplaces.accounts.session import Session
from sluice.marketplaces.http.errors import MarketplaceFailure
from sluice.marketplaces.http.exchange import Call
from sluice.marketplaces.http.transport import Transport
from sluice.marketplaces.stockx.adapter import StockX, sign
from tests.contract.documents import document
from tests.support.clock import VirtualClock
from tests.unit.marketplaces.fakes import NOON, BudgetLog, Network, Ready, answer

# Anything that an id may hold.
PRODUCT_ID, VARIANT_ID = "5e6a1e57-1c7d-435a-82bd-5666a13560fe", "55da/2c50 é?#%"

ASKS: dict[str, Callable[[StockX], object]] = {
    "search": lambda stockx: stockx.search("dd1391 100"),
    "product": lambda stockx: stockx.product(PRODUCT_ID),
    "variants": lambda stockx: stockx.variants(PRODUCT_ID),
    "market_data": lambda stockx: stockx.market_data(PRODUCT_ID, VARIANT_ID, "USD"),
    "quotes": lambda stockx: stockx.quotes(PRODUCT_ID, VARIANT_ID, "USD"),
}


def _sent(ask: Callable[[StockX], object], *answers: Any) -> list[httpx.Request]:
    network = Network(*answers)
    api = Transport("stockx", "http://api.test/v2", VirtualClock(NOON), wire=network)
    with pytest.raises(MarketplaceFailure):
        ask(StockX(Session(api, Ready(), sign, BudgetLog())))
    return network.sent


def _problems(request: httpx.Request) -> list[str]:
    path = request.url.raw_path.decode().partition("?")[0]
    return document("stockx").check_request(
        request.method, path, query=dict(request.url.params), headers=dict(request.headers), body=request.content
    )


def test_every_public_method_is_asked() -> None:
    methods = {name for name, _ in inspect.getmembers(StockX, inspect.isfunction) if not name.startswith("_")}
    assert ASKS.keys() == methods


@pytest.mark.parametrize("name", ASKS)
def test_requests_are_as_documented(name: str) -> None:
    for request in _sent(ASKS[name], answer(404, {"statusCode": 404, "message": "Not Found"})):
        assert _problems(request) == []


def test_later_pages_are_as_documented() -> None:
    other = {"products": [], "hasNextPage": True}
    requests = _sent(ASKS["search"], answer(200, other), answer(200, other), answer(500))
    assert len(requests) == 3
    assert [_problems(request) for request in requests] == [[], [], []]


@pytest.mark.parametrize("currency", sorted(registry.get("stockx").currencies))
def test_every_currency_is_documented(currency: str) -> None:
    (request,) = _sent(lambda stockx: stockx.market_data(PRODUCT_ID, VARIANT_ID, currency), answer(404))
    assert _problems(request) == []


@pytest.mark.parametrize(
    ("spoiled", "problem"),
    [
        (Call("GET", "/catalog/nowhere"), "no such call"),
        (Call("GET", "/catalog/search"), "query is missing"),
        (Call("GET", "/catalog/search", query={"query": "x", "pageSize": 51}), "pageSize"),
        (Call("GET", "/catalog/products/x/market-data", query={"country": "US"}), "country"),
    ],
)
def test_the_check_sees_a_wrong_request(spoiled: Call, problem: str) -> None:
    (request,) = _sent(lambda stockx: stockx._session.call(spoiled), answer(404))
    assert any(problem in each for each in _problems(request))
