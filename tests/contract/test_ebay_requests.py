"""Every request of the eBay adapter, the token call and the quota's too, checked against eBay's documents."""

import inspect
from base64 import b64encode
from itertools import product

import httpx
import pytest

from sluice.marketplaces.accounts import oauth
from sluice.marketplaces.accounts.session import Session
from sluice.marketplaces.ebay.access import PATH, SCOPE, sign
from sluice.marketplaces.ebay.adapter import SITES, SYSTEMS, EBay
from sluice.marketplaces.ebay.quota import Quota
from sluice.marketplaces.http.errors import MarketplaceFailure
from sluice.marketplaces.http.exchange import Call
from sluice.marketplaces.http.transport import Transport
from tests.contract.documents import document
from tests.support.clock import VirtualClock
from tests.unit.marketplaces.ebay_answers import error, used_up
from tests.unit.marketplaces.fakes import NOON, BudgetLog, Network, Ready, answer, token

SKU = "DD1391/100 é?#%"
SIZES = [f"{system}:{size}" for system, size in product(SYSTEMS, ("10", "42 2/3", "5Y", "ONE SIZE"))]


def _ebay(network: Network) -> EBay:
    clock = VirtualClock(NOON)
    api, calls = Transport("ebay", "http://api.test", clock, wire=network), BudgetLog()
    return EBay(Session(api, Ready(), sign, calls), Quota(api, Ready(), sign, clock), calls)


def _problems(request: httpx.Request) -> list[str]:
    path = request.url.raw_path.decode().partition("?")[0]
    return document("ebay").check_request(
        request.method, path, query=dict(request.url.params), headers=dict(request.headers), body=request.content
    )


def test_every_public_method_is_looked_at() -> None:
    methods = {name for name, _ in inspect.getmembers(EBay, inspect.isfunction) if not name.startswith("_")}
    assert methods == {"own_system", "quotes", "search", "variants"}


def test_search_and_variants_call_nobody() -> None:
    network = Network(answer(500))
    ebay = _ebay(network)
    assert ebay.search(SKU).product_id == SKU
    assert ebay.variants(SKU) == []
    assert network.sent == []


@pytest.mark.parametrize("currency", SITES)
@pytest.mark.parametrize("size", SIZES)
def test_every_search_is_as_documented(size: str, currency: str) -> None:
    network = Network(error(400, 12001))
    with pytest.raises(MarketplaceFailure):
        _ebay(network).quotes(SKU, size, currency)
    (request,) = network.sent
    assert _problems(request) == []


@pytest.mark.parametrize("currency", SITES)
def test_the_search_for_the_system_of_a_product_is_as_documented(currency: str) -> None:
    network = Network(error(400, 12001))
    with pytest.raises(MarketplaceFailure):
        _ebay(network).own_system(SKU, currency)
    (request,) = network.sent
    assert _problems(request) == []


def test_the_look_for_the_quota_is_as_documented() -> None:
    network = Network(used_up(), httpx.Response(204))
    with pytest.raises(MarketplaceFailure):
        _ebay(network).quotes(SKU, "us:10", "USD")
    assert [_problems(request) for request in network.sent] == [[], []]


def test_the_token_call_is_as_documented() -> None:
    network = Network(answer(500), tokens=(token(),))
    api = Transport("ebay", "http://api.test", VirtualClock(NOON), wire=network)
    oauth.client_credentials(api, PATH, SCOPE, "app", "secret")
    (request,) = network.token_calls
    assert _problems(request) == []
    assert request.headers["authorization"] == f"Basic {b64encode(b'app:secret').decode()}"


@pytest.mark.parametrize(
    ("spoiled", "problem"),
    [
        (Call("GET", "/buy/browse/v1/nowhere"), "no such call"),
        (Call("GET", "/buy/browse/v1/item_summary/search", query={"size": "10"}), "size is unknown"),
        (Call("POST", "/identity/v1/oauth2/token", form={"grant_type": "magic"}), "magic"),
    ],
)
def test_the_check_sees_a_wrong_request(spoiled: Call, problem: str) -> None:
    network = Network(answer(404), tokens=(answer(404),))
    with pytest.raises(MarketplaceFailure):
        _ebay(network)._session.call(spoiled)
    (request,) = [*network.sent, *network.token_calls]
    assert any(problem in each for each in _problems(request))
