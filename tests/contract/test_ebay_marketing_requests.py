"""Every request of the Marketing adapter, checked against eBay's documents."""

import inspect
from contextlib import suppress

import httpx
import pytest

from sluice.marketplaces.accounts import oauth
from sluice.marketplaces.ebay.access import PATH
from sluice.marketplaces.ebay.marketing import Marketing
from sluice.marketplaces.http.errors import MarketplaceFailure
from sluice.marketplaces.http.transport import Transport
from tests.contract.documents import document
from tests.contract.marketing_calls import CALLS, open_marketing
from tests.support.clock import VirtualClock
from tests.unit.marketplaces.ebay_answers import used_up
from tests.unit.marketplaces.fakes import NOON, Network, answer, token
from tests.unit.marketplaces.marketing_answers import campaigns


def _problems(request: httpx.Request) -> list[str]:
    path = request.url.raw_path.decode().partition("?")[0]
    return document("ebay").check_request(
        request.method, path, query=dict(request.url.params), headers=dict(request.headers), body=request.content
    )


def test_every_public_method_is_looked_at() -> None:
    methods = {name for name, _ in inspect.getmembers(Marketing, inspect.isfunction) if not name.startswith("_")}
    assert methods == {name.partition(" ")[0] for name in CALLS}


@pytest.mark.parametrize("name", CALLS)
def test_every_request_is_as_documented(name: str) -> None:
    network = Network(campaigns())
    with suppress(MarketplaceFailure):
        CALLS[name](open_marketing(network))
    (request,) = network.sent
    assert _problems(request) == []


def test_the_look_for_the_quota_is_as_documented() -> None:
    network = Network(used_up(), httpx.Response(204))
    with pytest.raises(MarketplaceFailure):
        open_marketing(network).campaign("8036117041")
    assert [_problems(request) for request in network.sent] == [[], []]


def test_the_sellers_token_call_is_as_documented() -> None:
    network = Network(answer(500), tokens=(token(),))
    api = Transport("ebay", "http://api.test", VirtualClock(NOON), wire=network)
    oauth.refresh(api, PATH, {"refresh_token": "v^1.1#r"}, oauth.basic("app", "secret"))
    (request,) = network.token_calls
    assert _problems(request) == []
