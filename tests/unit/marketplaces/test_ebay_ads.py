"""Ads that the Marketing adapter makes and changes, against answers as eBay gives them, whole and spoiled."""

import json
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.jobs.model.outcomes import BudgetClosed, Then
from sluice.marketplaces.advertising import LEAST_RATE, MOST_ADS, MOST_RATE, AdResult
from sluice.marketplaces.ebay import marketing as ebay_marketing
from sluice.marketplaces.http import errors
from sluice.marketplaces.http.errors import AlreadyExists, BadAnswer, NotReady, RateLimited, Rejected
from sluice.platform.clock import HOUR
from sluice.platform.observe import metrics
from tests.unit.marketplaces.ebay_answers import api, error, limits, network_of, rate
from tests.unit.marketplaces.fakes import NOON, BudgetLog, answer, token
from tests.unit.marketplaces.marketing_answers import (
    BASE,
    CAMPAIGN_ID,
    FIVE,
    LISTING,
    bulk,
    connect,
    created,
    made,
    marketing_with,
    open_marketing,
    refused,
)
from tests.unit.marketplaces.stockx_answers import without

TWO = {"110000000001": FIVE, "110000000002": Decimal("7.5")}


@pytest.fixture(autouse=True)
def _connected(cloud: None) -> None:
    connect()


# --- one ad ---


def test_one_ad_is_made_by_its_own_call(calls: BudgetLog) -> None:
    network = network_of(created())
    assert open_marketing(network, calls).create_ads(CAMPAIGN_ID, {LISTING: FIVE}) == [AdResult(LISTING, "300123")]
    assert network.sent[0].url.path == f"{BASE}/{CAMPAIGN_ID}/ad"
    assert json.loads(network.sent[0].content) == {"listingId": LISTING, "bidPercentage": "5.0"}
    assert calls.taken == 1


@given(st.decimals(LEAST_RATE, MOST_RATE, places=1))
def test_a_rate_is_sent_as_text_with_one_decimal_place(wanted: Decimal) -> None:
    sent = ebay_marketing._row(LISTING, wanted)["bidPercentage"]
    assert Decimal(sent) == wanted
    assert len(sent.partition(".")[2]) == 1


@pytest.mark.parametrize(
    "place",
    ["", "/", "https://api.ebay.com/ad_campaign/1/ad/{id}", "9" * 33, "https://x/1/ad", "https://x/ad/30 1", "ad/ü"],
)
def test_an_answer_that_does_not_say_what_was_made_leads_to_a_look(place: str) -> None:
    given = httpx.Response(201, headers={b"location": place.encode()} if place else {})
    (result,) = marketing_with(given).create_ads(CAMPAIGN_ID, {LISTING: FIVE})
    assert isinstance(result.error, BadAnswer)
    assert (result.ad_id, result.error.action, result.error.uncertain) == (None, Then.RETRY, True)


@pytest.mark.parametrize(
    ("given", "kind", "uncertain"),
    [
        (error(400, 35048), NotReady, False),
        (error(400, 35036), AlreadyExists, False),
        (error(500, 35001), errors.Unavailable, True),
        (error(409, 35067), Rejected, False),
        (error(409, 99999), errors.UnknownReason, False),
        (httpx.Response(400), errors.UnknownReason, False),
        (httpx.Response(502, text="<html>"), errors.Unavailable, True),
        (httpx.ReadTimeout("slow"), errors.TimedOut, True),
        (httpx.ConnectTimeout("slow"), errors.TimedOut, False),
        (httpx.RemoteProtocolError("empty"), errors.Unavailable, True),
    ],
)
def test_what_a_failure_of_one_ad_tells(given: Any, kind: type[Exception], uncertain: bool) -> None:
    (result,) = marketing_with(given).create_ads(CAMPAIGN_ID, {LISTING: FIVE})
    assert type(result.error) is kind
    assert (result.error.uncertain, result.ad_id) == (uncertain, None)


def test_an_unknown_reason_is_counted() -> None:
    marketing_with(error(409, 99999)).create_ads(CAMPAIGN_ID, {LISTING: FIVE})
    assert sum(metrics.metric_set["UnknownReasons"]["Value"]) == 1


# --- many ads ---


def test_many_ads_are_made_by_one_call_and_each_stands_alone(calls: BudgetLog) -> None:
    listings = [f"11000000000{number}" for number in range(7)]
    rows = [
        made(listings[5], statusCode=200),
        refused(listings[1], 35048),
        refused(listings[2], 35036, 409),
        refused(listings[3], "35001", 500),
        made(int(listings[4])),
        {"listingId": listings[6], "errors": [{"errorId": 35067, "longMessage": "terms"}]},
        made(listings[0]),
    ]
    network = network_of(bulk(*rows))
    results = open_marketing(network, calls).create_ads(CAMPAIGN_ID, dict.fromkeys(listings, FIVE))
    assert [result.listing_id for result in results] == listings
    kinds = [type(result.error) for result in results]
    none = type(None)
    assert kinds == [none, NotReady, AlreadyExists, errors.Unavailable, none, none, Rejected]
    assert results[0].ad_id == f"300{listings[0]}"
    assert network.sent[0].url.path == f"{BASE}/{CAMPAIGN_ID}/bulk_create_ads_by_listing_id"
    assert json.loads(network.sent[0].content)["requests"][0] == {"listingId": listings[0], "bidPercentage": "5.0"}
    assert calls.taken == 1


FIRST = made("110000000001")


@pytest.mark.parametrize(
    "row",
    [
        None,
        "row",
        {},
        made(None),
        without(made("110000000002"), "adId"),
        made("110000000002", adId=None),
        made("110000000002", adId=["300"]),
        made("110000000002", statusCode="created"),
        made("110000000002", statusCode=201.5),
        {"listingId": "110000000002", "statusCode": 201, "errors": "none"},
        {"listingId": "110000000002", "statusCode": 400, "errors": ["no"]},
        {"listingId": "110000000002", "statusCode": 200},
    ],
)
def test_a_row_that_cannot_be_read_is_looked_up_and_spoils_no_other(row: Any) -> None:
    first, second = marketing_with(bulk(row, FIRST)).create_ads(CAMPAIGN_ID, TWO)
    assert first == AdResult("110000000001", "300110000000001")
    assert isinstance(second.error, BadAnswer)
    assert (second.ad_id, second.error.uncertain) == (None, True)


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"statusCode": 400}, "unknown_reason"),
        ({"statusCode": 400, "errors": []}, "unknown_reason"),
        ({"statusCode": 409, "errors": [{}]}, "unknown_reason"),
        ({"errors": [{"message": "no id"}]}, "unknown_reason"),
        ({"statusCode": 409, "errors": [{"errorId": True, "message": 5}]}, "unknown_reason"),
        ({"statusCode": "409", "errors": [{"errorId": 12345, "message": "new\nin 2027"}], "extra": [1]}, "12345"),
    ],
)
def test_a_row_that_is_refused_without_a_known_reason_is_tried_again(row: Any, code: str) -> None:
    _, second = marketing_with(bulk(FIRST, {"listingId": "110000000002", **row})).create_ads(CAMPAIGN_ID, TWO)
    assert isinstance(second.error, errors.UnknownReason)
    assert (second.error.action, second.error.code) == (Then.RETRY, code)
    assert second.error.message.isprintable()


def test_a_row_that_quotes_the_token_is_told_without_it() -> None:
    def echo(request: httpx.Request) -> httpx.Response:
        said = f"no: {request.headers['authorization']}"
        return bulk(FIRST, refused("110000000002", said.partition(" ")[2], words=said))

    _, second = marketing_with(echo).create_ads(CAMPAIGN_ID, TWO)
    assert second.error
    assert "token-1-0123456789" not in f"{second.error.message} {second.error.code}"


@pytest.mark.parametrize(
    ("given", "kind", "uncertain"),
    [
        (httpx.Response(200), BadAnswer, True),
        (answer(200, {}), BadAnswer, True),
        (answer(200, []), BadAnswer, True),
        (answer(200, {"responses": {}}), BadAnswer, True),
        (error(400, 35035), errors.DoesNotFit, False),
        (error(500, 35002), errors.Unavailable, True),
        (httpx.ReadTimeout("slow"), errors.TimedOut, True),
    ],
)
def test_what_fails_for_all_stands_in_every_result(given: Any, kind: type[Exception], uncertain: bool) -> None:
    results = marketing_with(given).create_ads(CAMPAIGN_ID, TWO)
    assert [result.listing_id for result in results] == list(TWO)
    for result in results:
        assert type(result.error) is kind
        assert result.error.uncertain is uncertain


@pytest.mark.parametrize("number", [0, MOST_ADS + 1])
def test_as_many_as_one_call_takes(number: int, calls: BudgetLog) -> None:
    with pytest.raises(ValueError, match="from 1 to 500"):
        open_marketing(network_of(created()), calls).create_ads("1", {str(one): FIVE for one in range(number)})
    assert calls.taken == 0


# --- the rate of an ad ---


def test_a_new_rate() -> None:
    network = network_of(bulk({"statusCode": 200, "listingId": LISTING, "adId": "300123"}, status=200))
    open_marketing(network).set_rate(CAMPAIGN_ID, LISTING, Decimal("6.5"))
    assert network.sent[0].url.path == f"{BASE}/{CAMPAIGN_ID}/bulk_update_ads_bid_by_listing_id"
    assert json.loads(network.sent[0].content) == {"requests": [{"listingId": LISTING, "bidPercentage": "6.5"}]}


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (bulk(refused(LISTING, 35044)), errors.NotFound),
        (bulk(refused(LISTING, 35035)), errors.DoesNotFit),
        (error(400, 35044), errors.NotFound),
        (bulk(), BadAnswer),
    ],
)
def test_a_rate_that_is_not_changed(given: httpx.Response, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        marketing_with(given).set_rate(CAMPAIGN_ID, LISTING, FIVE)


# --- the budget ---


def test_a_used_up_quota_closes_the_budget_until_ebay_begins_anew(calls: BudgetLog) -> None:
    reset = limits(api("sell", "marketing", rate("2026-11-23T08:00:00.000Z")))
    network = network_of(error(429, 2001), reset, tokens=(token("u1"), token("a1")))
    with pytest.raises(RateLimited, match="begins anew at 2026-11-23T08:00") as caught:
        open_marketing(network, calls).create_ads(CAMPAIGN_ID, TWO)
    assert calls.closed[-1] == caught.value.retry_at == NOON + 20 * HOUR
    assert network.sent[1].headers["authorization"] == "Bearer a1"


def test_a_closed_budget_is_told_and_nothing_is_sent() -> None:
    network = network_of(created())
    closed = BudgetLog(BudgetClosed("closed", retry_at=NOON))
    with pytest.raises(BudgetClosed):
        open_marketing(network, closed).create_ads(CAMPAIGN_ID, TWO)
    assert network.sent == []
