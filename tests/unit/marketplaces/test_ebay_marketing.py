"""What the Marketing adapter finds, and with whose token, against answers as eBay gives them, whole and spoiled."""

import json
from base64 import b64encode
from typing import Any

import httpx
import pytest

from sluice.jobs.model.outcomes import Then
from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.accounts import token_cache
from sluice.marketplaces.advertising import Ad, Advertiser, Campaign
from sluice.marketplaces.http.errors import AccountBroken, AlreadyExists, BadAnswer, Rejected
from tests.unit.marketplaces.conftest import Events
from tests.unit.marketplaces.ebay_answers import ACCOUNT, CREDENTIALS, error, network_of, open_ebay
from tests.unit.marketplaces.ebay_answers import found as items
from tests.unit.marketplaces.fakes import NOON, BudgetLog, Network, WatchedClock, answer, refused_grant, token
from tests.unit.marketplaces.marketing_answers import (
    BASE,
    CAMPAIGN_ID,
    FIVE,
    LISTING,
    REFRESH_TOKEN,
    ad,
    ads,
    campaign,
    campaigns,
    connect,
    created,
    marketing_with,
    open_marketing,
)
from tests.unit.marketplaces.stockx_answers import without


@pytest.fixture(autouse=True)
def _connected(cloud: None) -> None:
    connect()


# --- the seller's token ---


def test_ads_are_asked_for_with_the_sellers_token_and_prices_with_the_applications(calls: BudgetLog) -> None:
    network = network_of(items(), created(), tokens=(token("application-token"), token("token-of-the-seller")))
    open_ebay(network).quotes("DD1391-100", "us:10", "USD")
    open_marketing(network, calls).create_ads(CAMPAIGN_ID, {LISTING: FIVE})
    assert [sent.headers["authorization"] for sent in network.sent] == [
        "Bearer application-token",
        "Bearer token-of-the-seller",
    ]
    basic = b64encode(f"{CREDENTIALS['client_id']}:{CREDENTIALS['client_secret']}".encode()).decode()
    assert network.token_calls[1].headers["authorization"] == f"Basic {basic}"
    assert dict(httpx.QueryParams(network.token_calls[1].content.decode())) == {
        "grant_type": "refresh_token",
        "refresh_token": REFRESH_TOKEN,
    }
    assert calls.taken == 1


def test_each_token_is_renewed_for_itself(calls: BudgetLog) -> None:
    clock = WatchedClock()
    network = network_of(items(), tokens=(token("a1"), token("u1"), token("u2"), token("a2")))
    open_ebay(network, clock=clock).quotes("DD1391-100", "us:10", "USD")
    refuses = Network(error(401, 1001), campaigns(), tokens=(token("u1"), token("u2")))
    open_marketing(refuses, clock=clock).running_campaigns()
    assert [sent.headers["authorization"] for sent in refuses.sent] == ["Bearer u1", "Bearer u2"]
    token_cache.forget()
    found = accounts.find(ACCOUNT)
    assert found is not None
    assert [accounts.unseal(found, place)[1] for place in (accounts.TOKEN, accounts.USER_TOKEN)] == ["a1", "u2"]


def status_of_ads() -> str:
    return accounts.statuses([ACCOUNT], "ebay-marketing")[ACCOUNT]


def test_a_seller_who_took_the_permission_back_breaks_that_grant_alone(events: Events) -> None:
    network = network_of(campaigns(), tokens=(refused_grant("invalid_grant", "the grant was revoked by the user"),))
    with pytest.raises(AccountBroken):
        open_marketing(network).create_ads(CAMPAIGN_ID, {LISTING: FIVE})
    assert (status_of_ads(), network.sent, len(events)) == ("REVOKED", [], 1)
    assert accounts.statuses([ACCOUNT]) == {ACCOUNT: "ACTIVE"}
    assert open_ebay(network_of(items())).quotes("DD1391-100", "us:10", "USD")


def test_a_second_401_breaks_that_grant_alone(events: Events) -> None:
    with pytest.raises(AccountBroken):
        open_marketing(network_of(error(401, 1001), tokens=(token("u1"), token("u2")))).campaign(CAMPAIGN_ID)
    assert (status_of_ads(), accounts.statuses([ACCOUNT])) == ("BROKEN", {ACCOUNT: "ACTIVE"})


def test_a_token_without_the_scope_breaks_nothing_and_says_what_to_do(events: Events) -> None:
    with pytest.raises(Rejected, match=r"scope sell\.marketing") as caught:
        marketing_with(error(403, 1100, "Access denied")).campaign(CAMPAIGN_ID)
    assert caught.value.action is Then.BUSINESS
    assert (accounts.statuses([ACCOUNT]), events) == ({ACCOUNT: "ACTIVE"}, [])


def test_an_account_that_was_connected_again_without_a_refresh_token(events: Events) -> None:
    accounts.connect("ebay", "acme", CREDENTIALS, NOON)
    network = network_of(created())
    (result,) = open_marketing(network).create_ads(CAMPAIGN_ID, {LISTING: FIVE})
    assert isinstance(result.error, Rejected)
    assert "has no refresh_token" in result.error.message
    assert (network.sent, network.token_calls, accounts.statuses([ACCOUNT])) == ([], [], {ACCOUNT: "ACTIVE"})


# --- campaigns ---


def test_a_campaign() -> None:
    network = network_of(answer(200, campaign()))
    advertiser: Advertiser = open_marketing(network)
    assert advertiser.campaign(CAMPAIGN_ID) == Campaign(
        CAMPAIGN_ID, "PLS", "RUNNING", cost_per_sale=True, site="EBAY_US"
    )
    assert network.sent[0].url.path == f"{BASE}/{CAMPAIGN_ID}"


@pytest.mark.parametrize("given", [error(404, 35045), error(400, 35045), httpx.Response(404)])
def test_a_campaign_of_nobody_or_another_seller(given: httpx.Response) -> None:
    with pytest.raises(Rejected, match="this seller has no such campaign"):
        marketing_with(given).campaign(CAMPAIGN_ID)


DYNAMIC = {"fundingStrategy": {"fundingModel": "COST_PER_SALE", "adRateStrategy": "DYNAMIC"}}
CLICKS = {"fundingStrategy": {"fundingModel": "COST_PER_CLICK"}}
BY_RULES = {"campaignCriterion": {"criterionType": "INVENTORY_PARTITION", "selectionRules": [{}]}}


@pytest.mark.parametrize(
    ("rows", "chosen"),
    [
        ([], []),
        ([campaign("9"), campaign("10"), campaign("8")], ["8", "9", "10"]),
        ([campaign("1", **CLICKS), campaign("2", **BY_RULES), campaign("3", campaignStatus="PAUSED")], []),
        ([campaign("1", fundingStrategy=None), campaign("20"), campaign("2", **DYNAMIC)], ["20"]),
    ],
)
def test_the_running_campaigns_that_take_ads_oldest_first(rows: list[Any], chosen: list[str]) -> None:
    network = network_of(campaigns(*rows))
    assert [one.campaign_id for one in open_marketing(network).running_campaigns()] == chosen
    assert dict(network.sent[0].url.params) == {"campaign_status": "RUNNING", "limit": "500", "offset": "0"}


def test_campaigns_are_looked_for_on_some_pages() -> None:
    full = campaigns(*(campaign(str(number), **CLICKS) for number in range(500)))
    network = network_of(full, campaigns(campaign("77")))
    [found] = open_marketing(network).running_campaigns()
    assert found.campaign_id == "77"
    assert [sent.url.params["offset"] for sent in network.sent] == ["0", "500"]
    endless = network_of(full)
    assert open_marketing(endless).running_campaigns() == []
    assert len(endless.sent) == 4


def test_a_campaign_is_known_by_its_exact_name() -> None:
    rows = campaigns(campaign("1", campaignName="sluice"), campaign("2", campaignName="Sluice", campaignStatus="ENDED"))
    found = marketing_with(rows).campaign_named("Sluice")
    assert found
    assert (found.campaign_id, found.takes_ads) == ("2", False)
    assert marketing_with(rows).campaign_named("another") is None


def test_a_new_campaign_begins_at_once_and_costs_something_only_when_it_sells() -> None:
    network = network_of(created("https://api.ebay.com/sell/marketing/v1/ad_campaign/8036117099"))
    found = open_marketing(network).create_campaign("Sluice", NOON)
    assert (found.campaign_id, found.name, found.takes_ads) == ("8036117099", "Sluice", True)
    assert json.loads(network.sent[0].content) == {
        "campaignName": "Sluice",
        "marketplaceId": "EBAY_US",
        "startDate": "2026-11-22T12:00:30Z",
        "fundingStrategy": {"fundingModel": "COST_PER_SALE", "bidPercentage": "2.0"},
    }


def test_a_name_that_is_taken() -> None:
    with pytest.raises(AlreadyExists):
        marketing_with(error(400, 35021)).create_campaign("Sluice", NOON)


# --- ads that there are ---


def test_the_ads_of_a_listing_in_a_campaign() -> None:
    network = network_of(ads(ad(), ad("110999999999"), ad(bidPercentage=None)))
    expected = [Ad("300123", LISTING, CAMPAIGN_ID, FIVE), Ad("300123", LISTING, CAMPAIGN_ID, None)]
    assert open_marketing(network).ads(LISTING, CAMPAIGN_ID) == expected
    assert network.sent[0].url.path == f"{BASE}/{CAMPAIGN_ID}/ad"
    assert network.sent[0].url.params["listing_ids"] == LISTING


def test_the_ads_of_a_listing_in_any_campaign() -> None:
    network = network_of(answer(200, {"campaigns": [campaign("1"), campaign("2")]}), ads(ad()), ads(ad(adId="2")))
    found = open_marketing(network).ads(LISTING)
    assert [(one.campaign_id, one.ad_id) for one in found] == [("1", "300123"), ("2", "2")]
    assert [sent.url.path for sent in network.sent[:1]] == [f"{BASE}/find_campaign_by_ad_reference"]


@pytest.mark.parametrize("given", [httpx.Response(404), error(404, 35045), answer(200, {}), campaigns()])
def test_a_listing_without_an_ad(given: httpx.Response) -> None:
    assert marketing_with(given).ads(LISTING) == []


@pytest.mark.parametrize("body", [{}, {"ads": None}, {"ads": [], "total": 0}])
def test_no_ads_in_a_campaign(body: Any) -> None:
    assert marketing_with(answer(200, body)).ads(LISTING, CAMPAIGN_ID) == []


# --- wrong shapes ---


@pytest.mark.parametrize(
    ("row", "place"),
    [
        (without(campaign(), "campaignId"), r"\.campaignId is missing"),
        (campaign(8036117041), r"\.campaignId is a number"),
        (without(campaign(), "campaignStatus"), r"\.campaignStatus is missing"),
        (campaign(fundingStrategy="CPS"), r"\.fundingStrategy is text"),
        ("campaign", r"\$ is text"),
        ([], r"\$ is a list"),
    ],
)
def test_a_wrong_shape_of_a_campaign_is_named_and_tried_again(row: Any, place: str) -> None:
    with pytest.raises(BadAnswer, match=place) as caught:
        marketing_with(answer(200, row)).campaign(CAMPAIGN_ID)
    assert caught.value.action is Then.RETRY


@pytest.mark.parametrize(
    ("row", "place"),
    [
        (without(ad(), "adId"), r"\.adId is missing"),
        (ad(bidPercentage="a lot"), r"\.bidPercentage is not an amount"),
        (ad(bidPercentage=True), r"\.bidPercentage is true or false"),
        ("ad", r"\.ads\[0\] is text"),
    ],
)
def test_a_wrong_shape_of_an_ad_is_named_and_tried_again(row: Any, place: str) -> None:
    with pytest.raises(BadAnswer, match=place):
        marketing_with(ads(row)).ads(LISTING, CAMPAIGN_ID)


def test_what_is_added_to_an_answer_is_not_looked_at() -> None:
    more = {"brandNew": {"deep": [None]}, "alerts": "text", "channels": 5}
    assert marketing_with(answer(200, campaign(**more))).campaign(CAMPAIGN_ID).takes_ads
    assert marketing_with(ads(ad(**more))).ads(LISTING, CAMPAIGN_ID)[0].rate == FIVE
