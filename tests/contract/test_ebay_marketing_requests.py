"""Every request of the Marketing adapter, checked against eBay's documents."""

import inspect
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal

import httpx
import pytest

from sluice.marketplaces import oauth
from sluice.marketplaces.ebay_access import PATH, sign
from sluice.marketplaces.ebay_marketing import Marketing
from sluice.marketplaces.ebay_quota import Quota
from sluice.marketplaces.errors import MarketplaceFailure
from sluice.marketplaces.session import Session
from sluice.marketplaces.transport import Transport
from tests.contract.documents import document
from tests.support.clock import VirtualClock
from tests.unit.marketplaces.ebay_answers import used_up
from tests.unit.marketplaces.fakes import NOON, BudgetLog, Network, Ready, answer, token
from tests.unit.marketplaces.marketing_answers import LISTING, campaigns

RATE = Decimal("5.5")
# Each public method, with what it is asked for, and how many calls that makes here.
CALLS: dict[str, tuple[Callable[[Marketing], object], int]] = {
    "campaign": (lambda marketing: marketing.campaign("8036117041"), 1),
    "running_campaign": (lambda marketing: marketing.running_campaign(), 1),
    "campaign_named": (lambda marketing: marketing.campaign_named("Sluice & söhne"), 1),
    "create_campaign": (lambda marketing: marketing.create_campaign("Sluice", NOON), 1),
    "ads": (lambda marketing: marketing.ads(LISTING), 1),
    "ads of a campaign": (lambda marketing: marketing.ads(LISTING, "8036117041"), 1),
    "create_ads": (lambda marketing: marketing.create_ads("8036117041", {LISTING: RATE}), 1),
    "create_ads of several": (lambda marketing: marketing.create_ads("1", {LISTING: RATE, "11": RATE}), 1),
    "set_rate": (lambda marketing: marketing.set_rate("8036117041", LISTING, RATE), 1),
}


def _marketing(network: Network) -> Marketing:
    clock = VirtualClock(NOON)
    api, calls = Transport("ebay", "http://api.test", clock, wire=network), BudgetLog()
    return Marketing(Session(api, Ready(), sign, calls), Quota(api, Ready(), sign, clock), calls, clock)


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
    ask, expected = CALLS[name]
    network = Network(campaigns())
    with suppress(MarketplaceFailure):
        ask(_marketing(network))
    assert len(network.sent) == expected
    assert [_problems(request) for request in network.sent] == [[]] * expected


def test_the_look_for_the_quota_is_as_documented() -> None:
    network = Network(used_up(), httpx.Response(204))
    with pytest.raises(MarketplaceFailure):
        _marketing(network).campaign("8036117041")
    assert [_problems(request) for request in network.sent] == [[], []]


def test_the_sellers_token_call_is_as_documented() -> None:
    network = Network(answer(500), tokens=(token(),))
    api = Transport("ebay", "http://api.test", VirtualClock(NOON), wire=network)
    oauth.refresh(api, PATH, {"refresh_token": "v^1.1#r"}, oauth.basic("app", "secret"))
    (request,) = network.token_calls
    assert _problems(request) == []
