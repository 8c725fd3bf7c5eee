"""Every request of the Alias adapter, checked against Alias's document."""

import inspect
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from sluice.marketplaces.accounts.session import Session
from sluice.marketplaces.alias.adapter import Alias, sign
from sluice.marketplaces.http.errors import MarketplaceFailure
from sluice.marketplaces.http.exchange import Call
from sluice.marketplaces.http.transport import Transport
from tests.contract.documents import document
from tests.support.clock import VirtualClock
from tests.unit.marketplaces.fakes import NOON, BudgetLog, Network, Ready, answer

# Anything that an id may hold.
CATALOG_ID = "air-jordan/1 é?#%"

ASKS: dict[str, Callable[[Alias], object]] = {
    "search": lambda alias: alias.search("dd1391 100"),
    "product": lambda alias: alias.product(CATALOG_ID),
    "variants": lambda alias: alias.variants(CATALOG_ID),
    "quotes": lambda alias: alias.quotes(CATALOG_ID, "10", "USD"),
    "availabilities": lambda alias: alias.availabilities(CATALOG_ID, consigned=True),
}


def _sent(ask: Callable[[Alias], object], *answers: Any) -> list[httpx.Request]:
    network = Network(*answers)
    api = Transport("alias", "http://api.test/api/v1", VirtualClock(NOON), wire=network)
    with pytest.raises(MarketplaceFailure):
        ask(Alias(Session(api, Ready(), sign, BudgetLog())))
    return network.sent


def _problems(request: httpx.Request) -> list[str]:
    path = request.url.raw_path.decode().partition("?")[0]
    return document("alias").check_request(
        request.method, path, query=dict(request.url.params), headers=dict(request.headers), body=request.content
    )


def test_every_public_method_is_asked() -> None:
    methods = {name for name, _ in inspect.getmembers(Alias, inspect.isfunction) if not name.startswith("_")}
    assert ASKS.keys() == methods


@pytest.mark.parametrize("name", ASKS)
def test_requests_are_as_documented(name: str) -> None:
    for request in _sent(ASKS[name], answer(404, {"code": 5, "message": "not found"})):
        assert _problems(request) == []


def test_later_pages_are_as_documented() -> None:
    other = answer(200, {"catalog_items": [], "has_more": True, "next_pagination_token": "a+/="})
    requests = _sent(ASKS["search"], other, other, answer(500))
    assert len(requests) == 3
    assert [_problems(request) for request in requests] == [[], [], []]


@pytest.mark.parametrize(
    ("spoiled", "problem"),
    [
        (Call("GET", "/nowhere"), "no such call"),
        (Call("GET", "/catalog"), "query is missing"),
        (Call("GET", "/catalog", query={"query": "x", "page": "1"}), "page is unknown"),
        (Call("GET", "/pricing_insights/availabilities/x", query={"consigned": "maybe"}), "consigned"),
    ],
)
def test_the_check_sees_a_wrong_request(spoiled: Call, problem: str) -> None:
    (request,) = _sent(lambda alias: alias._session.call(spoiled), answer(404))
    assert any(problem in each for each in _problems(request))
