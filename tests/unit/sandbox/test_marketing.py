"""eBay's Marketing API over HTTP: the seller's token, campaigns, ads, and the lag until a listing is known."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from local.sandbox.ebay.marketing.errors import ERRORS
from local.sandbox.ebay.marketing.faults import RefuseAd
from local.sandbox.faults import Disconnect, EmptyAnswer, RefuseRefresh, RevokedToken, ServerError
from local.sandbox.limits import Limits
from local.sandbox.server import Sandbox
from tests.unit.sandbox.advertiser import BASE, LISTING, TOKEN, Seller
from tests.unit.sandbox.client import NOON, Client, Clock, connected

MINUTE = 60_000


def _made(answer: httpx.Response) -> str:
    """The id of what was made."""
    assert answer.status_code == 201, answer.text
    assert answer.content == b""
    return answer.headers["location"].rpartition("/")[2]


def _error(answer: httpx.Response) -> int:
    error: int = answer.json()["errors"][0]["errorId"]
    return error


@pytest.fixture
def seller(client: Client) -> Seller:
    return Seller(client)


@pytest.fixture
def campaign(seller: Seller, sandbox: Sandbox) -> str:
    """A running campaign, and a listing that is known."""
    sandbox.publish("tenant-a", LISTING, known_after_s=0)
    return _made(seller.campaign())


@pytest.fixture
def another(sandbox: Sandbox) -> Iterator[Seller]:
    with connected(sandbox, "tenant-b") as client:
        yield Seller(client)


# --- who may call ---


def test_a_seller_gets_a_token_for_two_hours(seller: Seller, clock: Clock) -> None:
    answer = seller.refresh().json()
    assert (answer["expires_in"], answer["token_type"]) == (7_200, "User Access Token")
    assert "refresh_token" not in answer
    assert seller.call("GET").status_code == 200
    clock.now += 7_200_000
    assert _error(seller.call("GET")) == 1001


def test_an_application_has_not_the_scope(seller: Seller) -> None:
    scope = "https://api.ebay.com/oauth/api_scope"
    seller.token = seller.refresh(grant_type="client_credentials", scope=scope).json()["access_token"]
    answer = seller.call("GET")
    assert (answer.status_code, _error(answer)) == (403, 1100)


def test_a_revoked_seller_gets_no_token(seller: Seller, sandbox: Sandbox) -> None:
    sandbox.world.accounts.revoke("tenant-a")
    answer = seller.refresh()
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert seller.call("GET").status_code == 401


def test_the_token_faults(seller: Seller, sandbox: Sandbox) -> None:
    sandbox.faults.set(RefuseRefresh(path=TOKEN), RevokedToken(last=1, path=f"{BASE}*"))
    assert seller.refresh().json()["error"] == "invalid_grant"
    assert [seller.call("GET").status_code for _ in range(2)] == [401, 401]


def test_marketing_has_a_quota_of_its_own(seller: Seller, sandbox: Sandbox) -> None:
    sandbox.set_limits(Limits(per_day=2, retry_after=False), "ebay-marketing")
    answers = [seller.call("GET") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert (_error(answers[2]), "retry-after" in answers[2].headers) == (2001, False)
    scope = "https://api.ebay.com/oauth/api_scope"
    token = seller.refresh(grant_type="client_credentials", scope=scope).json()["access_token"]
    limits = seller.client.http.get(
        "/developer/analytics/v1_beta/rate_limit/", headers={"authorization": f"Bearer {token}"}
    ).json()
    (rate,) = [one["resources"][0]["rates"][0] for one in limits["rateLimits"] if one["apiName"] == "marketing"]
    assert (rate["limit"], rate["remaining"], rate["reset"]) == (2, 0, "2026-11-24T00:00:00.000Z")


# --- campaigns ---


def test_a_campaign_is_scheduled_until_it_starts(seller: Seller, clock: Clock) -> None:
    campaign = _made(seller.campaign(start="2026-11-23T12:01:00Z"))
    body = seller.call("GET", f"/{campaign}").json()
    assert (body["campaignName"], body["campaignStatus"]) == ("PLS", "SCHEDULED")
    assert body["fundingStrategy"]["fundingModel"] == "COST_PER_SALE"
    clock.now += MINUTE
    assert seller.call("GET", f"/{campaign}").json()["campaignStatus"] == "RUNNING"


@pytest.mark.parametrize(("move", "status"), [("pause", "PAUSED"), ("resume", "RUNNING"), ("end", "ENDED")])
def test_a_campaign_is_paused_resumed_and_ended(seller: Seller, campaign: str, move: str, status: str) -> None:
    assert seller.call("POST", f"/{campaign}/{move}").status_code == 204
    assert seller.call("GET", f"/{campaign}").json()["campaignStatus"] == status


def test_campaigns_are_listed_by_name_status_and_page(seller: Seller, sandbox: Sandbox) -> None:
    for number in range(3):
        sandbox.world.ads.add_campaign("tenant-a", f"c{number}", NOON, status="RUNNING" if number else "ENDED")

    def names(**query: Any) -> list[str]:
        return [row["campaignName"] for row in seller.call("GET", **query).json()["campaigns"]]

    assert names() == ["c0", "c1", "c2"]
    assert names(campaign_status="RUNNING") == ["c1", "c2"]
    assert names(campaign_name="c2") == ["c2"]
    assert names(limit=1, offset=1) == ["c1"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"name": ""}, 35019),
        ({"start": ""}, 35026),
        ({"start": "soon"}, 35026),
        ({"start": "2026-11-23T11:59:59Z"}, 35026),
        ({"fundingModel": "COST_PER_CLICK"}, 35038),
        ({"bidPercentage": "1.9"}, 35007),
        ({"bidPercentage": None}, 35007),
    ],
)
def test_a_campaign_that_ebay_refuses(seller: Seller, change: dict[str, Any], error: int) -> None:
    assert _error(seller.campaign(**change)) == error


def test_a_name_is_taken_once(seller: Seller, another: Seller) -> None:
    _made(seller.campaign())
    assert _error(seller.campaign()) == 35021
    _made(another.campaign())


# --- when a listing is known ---


def test_a_listing_is_known_from_one_to_ten_minutes_after_it_was_published(sandbox: Sandbox) -> None:
    lags = [sandbox.publish("tenant-a", str(number)).known_at_ms - NOON for number in range(200)]
    assert all(MINUTE <= lag <= 10 * MINUTE for lag in lags)
    assert max(lags) - min(lags) > 8 * MINUTE
    assert [sandbox.publish("tenant-a", str(number)).known_at_ms - NOON for number in range(200)] == lags


def test_before_that_its_ad_is_refused(seller: Seller, campaign: str, sandbox: Sandbox, clock: Clock) -> None:
    sandbox.publish("tenant-a", "110000000001", known_after_s=180)
    assert _error(seller.promote(campaign, "110000000001")) == 35048
    clock.now += 3 * MINUTE - 1
    assert _error(seller.promote(campaign, "110000000001")) == 35048
    clock.now += 1
    _made(seller.promote(campaign, "110000000001"))
    sandbox.world.ads.end_listing(LISTING)
    assert _error(seller.promote(campaign)) == 35048


# --- ads ---


def test_an_ad_is_made_once_and_there_to_see(seller: Seller, campaign: str, sandbox: Sandbox) -> None:
    ad_id = _made(seller.promote(campaign, rate="5"))
    assert _error(seller.promote(campaign)) == 35036
    (ad,) = seller.call("GET", f"/{campaign}/ad", listing_ids=f"{LISTING},1").json()["ads"]
    assert ad == {"adId": ad_id, "listingId": LISTING, "bidPercentage": "5.0"}
    assert seller.call("GET", f"/{campaign}/ad", listing_ids="1").json()["total"] == 0
    assert [one.ad_id for one in sandbox.ads("tenant-a")] == [ad_id]
    assert sandbox.world.ads.repeated == {LISTING: 1}
    other = _made(seller.campaign("another"))
    assert _error(seller.promote(other)) == 35036
    found = seller.call("GET", "/find_campaign_by_ad_reference", listing_id=LISTING).json()["campaigns"]
    assert [row["campaignId"] for row in found] == [campaign]
    assert seller.call("GET", "/find_campaign_by_ad_reference", listing_id="1").status_code == 409


def test_the_rate_of_an_ad_is_changed_by_its_id_and_by_its_listing(
    seller: Seller, campaign: str, sandbox: Sandbox
) -> None:
    ad_id = _made(seller.promote(campaign))
    assert seller.call("POST", f"/{campaign}/ad/{ad_id}/update_bid", {"bidPercentage": "6.5"}).status_code == 204
    assert sandbox.ads("tenant-a")[0].rate == "6.5"
    rows = {"requests": [{"listingId": LISTING, "bidPercentage": "7.0"}, {"listingId": "2", "bidPercentage": "7.0"}]}
    answer = seller.call("POST", f"/{campaign}/bulk_update_ads_bid_by_listing_id", rows)
    assert answer.status_code == 207
    assert [row["statusCode"] for row in answer.json()["responses"]] == [200, 400]
    assert answer.json()["responses"][1]["errors"][0]["errorId"] == 35044
    assert sandbox.ads("tenant-a")[0].rate == "7.0"
    assert _error(seller.call("POST", f"/{campaign}/ad/1/update_bid", {"bidPercentage": "6.5"})) == 35044


@pytest.mark.parametrize("rate", ["1.9", "100.1", "5.25", "", "NaN", "-5.0", 5.0, None])
def test_a_rate_that_ebay_refuses(seller: Seller, campaign: str, rate: object, sandbox: Sandbox) -> None:
    assert _error(seller.promote(campaign, rate=rate)) == 35007
    assert sandbox.ads("tenant-a") == []


@pytest.mark.parametrize(("listing", "error"), [("", 35014), ("v1|1|0", 35013), ("99", 35048)])
def test_a_listing_that_ebay_refuses(seller: Seller, campaign: str, listing: str, error: int) -> None:
    assert _error(seller.promote(campaign, listing)) == error


def test_another_sellers_listing_and_campaign(seller: Seller, campaign: str, another: Seller) -> None:
    assert _error(another.promote(campaign)) == 35045
    assert _error(another.call("GET", f"/{campaign}")) == 35045
    assert another.call("GET").json()["campaigns"] == []
    assert _error(another.promote(_made(another.campaign()))) == 35057


@pytest.mark.parametrize(
    ("more", "error"),
    [({"status": "ENDED"}, 35035), ({"by_rules": True}, 35064), ({"funding_model": "COST_PER_CLICK"}, 35080)],
)
def test_a_campaign_that_takes_no_ads(seller: Seller, sandbox: Sandbox, more: dict[str, Any], error: int) -> None:
    campaign = sandbox.world.ads.add_campaign("tenant-a", "special", NOON, **more)
    assert _error(seller.promote(campaign.campaign_id)) == error


def test_rows_of_a_bulk_call_stand_alone(seller: Seller, campaign: str, sandbox: Sandbox) -> None:
    sandbox.publish("tenant-a", "110000000002", known_after_s=0)
    rows = [{"listingId": each, "bidPercentage": "5.0"} for each in (LISTING, "3", "110000000002")]
    answer = seller.call("POST", f"/{campaign}/bulk_create_ads_by_listing_id", {"requests": rows})
    assert answer.status_code == 207
    assert [row["statusCode"] for row in answer.json()["responses"]] == [201, 400, 201]
    assert [ad.listing_id for ad in sandbox.ads("tenant-a")] == [LISTING, "110000000002"]


@pytest.mark.parametrize(
    ("requests", "error"),
    [([], 35033), (None, 35033), ([1], 35033), ([{"listingId": "1"}] * 2, 35018), ([{"listingId": "1"}] * 501, 35071)],
)
def test_a_bulk_call_that_ebay_refuses_as_a_whole(seller: Seller, campaign: str, requests: Any, error: int) -> None:
    answer = seller.call("POST", f"/{campaign}/bulk_create_ads_by_listing_id", {"requests": requests})
    assert _error(answer) == error


# --- switches ---


@pytest.mark.parametrize("error", [*sorted(set(ERRORS) - {1001, 1100, 2001, 2003}), 99999])
def test_every_error_can_be_had_for_one_ad(seller: Seller, campaign: str, sandbox: Sandbox, error: int) -> None:
    sandbox.faults.set(RefuseAd(error_id=error, listing=LISTING, last=1))
    answer = seller.promote(campaign)
    assert (answer.status_code, _error(answer)) == (ERRORS.get(error, (409, ""))[0], error)
    assert sandbox.ads("tenant-a") == []
    _made(seller.promote(campaign))


def test_an_error_after_which_the_ad_is_there(seller: Seller, campaign: str, sandbox: Sandbox) -> None:
    sandbox.faults.set(RefuseAd(error_id=35001, effect=True, last=1))
    assert _error(seller.promote(campaign)) == 35001
    assert len(sandbox.ads("tenant-a")) == 1
    assert _error(seller.promote(campaign)) == 35036


def test_an_error_for_one_row(seller: Seller, campaign: str, sandbox: Sandbox) -> None:
    sandbox.publish("tenant-a", "2", known_after_s=0)
    sandbox.faults.set(RefuseAd(error_id=35067, listing="2", campaign=campaign))
    rows = [{"listingId": each, "bidPercentage": "5.0"} for each in (LISTING, "2")]
    answer = seller.call("POST", f"/{campaign}/bulk_create_ads_by_listing_id", {"requests": rows})
    assert [row["statusCode"] for row in answer.json()["responses"]] == [201, 409]


def test_an_answer_without_anything_in_it(seller: Seller, campaign: str, sandbox: Sandbox) -> None:
    sandbox.faults.set(EmptyAnswer())
    answer = seller.promote(campaign)
    assert (answer.status_code, answer.content, "location" in answer.headers) == (201, b"", False)
    answer = seller.call("GET", f"/{campaign}")
    assert (answer.status_code, answer.content) == (200, b"")
    assert len(sandbox.ads("tenant-a")) == 1
    assert [entry.faults for entry in sandbox.requests(marketplace="ebay-marketing")][-1] == ("empty_answer",)


def test_an_answer_that_is_lost(seller: Seller, campaign: str, sandbox: Sandbox) -> None:
    sandbox.faults.set(Disconnect(path=f"{BASE}/*/ad"))
    with pytest.raises(httpx.RemoteProtocolError):
        seller.promote(campaign)
    assert len(sandbox.ads("tenant-a")) == 1


def test_a_server_error_has_no_effect(seller: Seller, campaign: str, sandbox: Sandbox) -> None:
    sandbox.faults.set(ServerError(status=500))
    answer = seller.promote(campaign)
    assert (answer.status_code, _error(answer), len(sandbox.ads("tenant-a"))) == (500, 35001, 0)


# --- the control plane ---


def test_listings_are_published_and_ads_looked_at_from_outside(seller: Seller, campaign: str) -> None:
    http = seller.client.http
    known = http.put("/_sandbox/accounts/tenant-a/ebay_listings/5", json={"known_after_s": 0}).json()
    assert (known["at_ms"], known["known_at_ms"]) == (NOON, NOON)
    assert http.put("/_sandbox/accounts/tenant-a/ebay_listings/6").json()["known_at_ms"] >= NOON + MINUTE
    assert http.put("/_sandbox/accounts/tenant-a/ebay_listings/7", json={"known_after_s": -1}).status_code == 400
    _made(seller.promote(campaign, "5"))
    seller.promote(campaign, "5")
    answer = http.get("/_sandbox/accounts/tenant-a/ads").json()
    assert (answer["count"], answer["ads"][0]["listing_id"], answer["repeated"]) == (1, "5", {"5": 1})


def test_the_switch_can_be_set_from_outside(seller: Seller, campaign: str) -> None:
    plan = [{"kind": "refuse_ad", "error_id": 35078}, {"kind": "empty_answer", "method": "GET"}]
    assert seller.client.http.put("/_sandbox/faults", json=plan).json()[0]["error_id"] == 35078
    assert _error(seller.promote(campaign)) == 35078
    assert seller.call("GET").content == b""
