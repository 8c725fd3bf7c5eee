"""What eBay's answers about listings mean: what is there, what is not, what is not known, what an error asks for."""

from typing import Any

import httpx
import pytest

from sluice.jobs.model.outcomes import Then
from sluice.marketplaces.accounts.session import Session
from sluice.marketplaces.ebay.access import RULES, sign
from sluice.marketplaces.ebay.inventory import Inventory
from sluice.marketplaces.ebay.listing_errors import ABSENT, MEANINGS
from sluice.marketplaces.ebay.quota import Quota
from sluice.marketplaces.http import errors
from sluice.marketplaces.http.errors import MarketplaceFailure
from sluice.marketplaces.http.transport import Transport
from sluice.marketplaces.publishing import MOST_PRICES, OfferExists, PriceRow, Written
from sluice.platform.clock import HOUR, MINUTE
from tests.support.clock import VirtualClock
from tests.unit.marketplaces.ebay_answers import documented_ids
from tests.unit.marketplaces.fakes import NOON, BudgetLog, Network, Ready, answer

ROW = PriceRow("a", "1", "10.00", "USD", 3)


def opened(*answers: Any) -> tuple[Inventory, Network, BudgetLog]:
    network, calls, clock = Network(*answers), BudgetLog(), VirtualClock(NOON)
    api = Transport("ebay", "http://api.test", clock, RULES, wire=network)
    return Inventory(Session(api, Ready(), sign, calls), Quota(api, Ready(), sign, clock), calls, clock), network, calls


def refused(status: int, error_id: int, words: str = "no", **parameters: str) -> httpx.Response:
    rows = [{"name": name, "value": value} for name, value in parameters.items()]
    said = {"errorId": error_id, "domain": "API_INVENTORY", "category": "REQUEST", "message": words}
    return answer(status, {"errors": [{**said, "parameters": rows}]})


def failure_of(response: httpx.Response) -> MarketplaceFailure:
    inventory, _, _ = opened(response)
    with pytest.raises(MarketplaceFailure) as caught:
        inventory.put_item("a", {"condition": "NEW"})
    return caught.value


@pytest.mark.parametrize("code", sorted(ABSENT))
def test_what_ebay_proves_to_be_absent_is_absent(code: str) -> None:
    for read in ("item", "group"):
        assert getattr(opened(refused(404, int(code)))[0], read)("a") is None
    assert opened(refused(404, int(code)))[0].offers("a") == []


@pytest.mark.parametrize(
    "response",
    [
        refused(404, 2002),
        answer(404),
        answer(404, {"message": "no route"}),
        refused(400, 25702),
        refused(500, 25001),
        answer(502),
        answer(200, []),
        httpx.Response(200, content=b"<html>"),
        httpx.ReadTimeout("late"),
    ],
)
def test_whatever_proves_nothing_is_a_failure_that_is_tried_again(response: Any) -> None:
    for read in ("item", "offers"):
        with pytest.raises(MarketplaceFailure) as caught:
            getattr(opened(response)[0], read)("a")
        assert caught.value.action is Then.RETRY, caught.value


def test_an_offer_that_is_there_is_named() -> None:
    inventory, _, _ = opened(refused(400, 25002, "Offer entity already exists.", offerId="9405"))
    with pytest.raises(OfferExists) as caught:
        inventory.create_offer({})
    assert caught.value.offer_id == "9405"


def test_the_same_id_without_an_offer_is_a_refusal_with_its_words() -> None:
    failure = failure_of(refused(400, 25002, "Add at least 1 photo.", text1="photo"))
    assert type(failure) is errors.Rejected
    assert failure.message == "Add at least 1 photo. [text1: photo]"


@pytest.mark.parametrize(
    ("error_id", "kind", "action"),
    [
        (25001, errors.Unavailable, Then.RETRY),
        (25025, errors.NotReady, Then.RETRY),
        (25003, errors.Rejected, Then.BUSINESS),
        (25604, errors.Rejected, Then.BUSINESS),
        (25007, errors.PolicyRefused, Then.BUSINESS),
        (25035, errors.PolicyRefused, Then.BUSINESS),
        (25018, errors.SellerMustAct, Then.BUSINESS),
        (25045, errors.SellerMustAct, Then.BUSINESS),
        (25086, errors.SellerMustAct, Then.BUSINESS),
        (25115, errors.SellerMustAct, Then.BUSINESS),
        (25026, errors.SellingLimit, Then.SNOOZE),
        (25039, errors.NotNow, Then.SNOOZE),
        (25097, errors.OnHold, Then.BUSINESS),
        (25098, errors.OnHold, Then.BUSINESS),
        (25713, errors.NotFound, Then.FATAL),
        (25734, errors.BadRequest, Then.FATAL),
        (25999, errors.UnknownReason, Then.RETRY),
    ],
)
def test_each_id_asks_for_one_thing(error_id: int, kind: type[MarketplaceFailure], action: Then) -> None:
    failure = failure_of(refused(500 if error_id in (25001, 25025) else 400, error_id))
    assert (type(failure), failure.action, failure.code) == (kind, action, str(error_id))


def test_a_held_quantity_is_an_auction_and_a_held_listing_is_a_hold() -> None:
    assert type(failure_of(refused(400, 25759, "The auction holds the stock."))) is errors.Rejected
    assert type(failure_of(refused(400, 25759, "The parent listing is on-hold."))) is errors.OnHold


def test_of_several_errors_the_first_that_is_known_counts() -> None:
    body = {"errors": [{"errorId": 25999, "message": "odd"}, {"errorId": 25026, "message": "limit"}]}
    failure = failure_of(answer(400, body))
    assert isinstance(failure, errors.SellingLimit)
    assert failure.retry_at == NOON + 6 * HOUR


def test_a_missing_scope_says_how_to_connect_again() -> None:
    failure = failure_of(refused(403, 1100))
    assert isinstance(failure, errors.SellerMustAct)
    assert "sell.inventory" in failure.message


def test_no_id_stands_for_a_warning_and_an_error_at_once() -> None:
    assert not {"25028", "25030", "25033", "25037", "25096", "25124", "25127", "25401", "25402"} & MEANINGS.keys()


def test_a_429_is_asked_about_and_closes_the_budget() -> None:
    inventory, network, calls = opened(refused(429, 2001), httpx.Response(204))
    with pytest.raises(errors.RateLimited):
        inventory.item("a")
    assert [request.url.path for request in network.sent][-1].startswith("/developer/analytics/")
    assert calls.closed
    assert min(calls.closed) >= NOON + MINUTE


def test_rows_stand_alone() -> None:
    rows = [
        {"statusCode": 200, "sku": "a", "offerId": "1", "warnings": [{"errorId": 25401, "message": "dropped"}]},
        {"statusCode": 400, "sku": "b", "offerId": "2", "errors": [{"errorId": 25003, "message": "bad price"}]},
        {"statusCode": 404, "sku": "c", "errors": [{"errorId": 25702, "message": "no such sku"}]},
        {"statusCode": 500, "sku": "d", "offerId": "4", "errors": [{"errorId": 25001, "message": "internal"}]},
    ]
    inventory, network, _ = opened(answer(207, {"responses": rows}))
    asked = [PriceRow(sku, str(number), "10.00", "USD", 3) for number, sku in enumerate("abcde", 1)]
    results = inventory.set_prices(asked)
    assert [type(one.error) for one in results] == [
        type(None),
        errors.Rejected,
        errors.NotFound,
        errors.Unavailable,
        errors.BadAnswer,
    ]
    assert [one.code for one in results[0].warnings] == ["25401"]
    assert [bool(one.error and one.error.uncertain) for one in results] == [False, False, False, True, True]
    assert len(network.sent) == 1


def test_a_call_that_failed_has_failed_for_each_row_and_a_closed_budget_for_all() -> None:
    results = opened(answer(500))[0].set_prices([ROW, ROW])
    assert [one.error.uncertain for one in results if one.error] == [True, True]
    with pytest.raises(errors.RateLimited):
        opened(refused(429, 2001), httpx.Response(204))[0].set_prices([ROW])


@pytest.mark.parametrize("number", [0, MOST_PRICES + 1])
def test_no_more_rows_are_sent_than_ebay_takes(number: int) -> None:
    inventory, network, _ = opened(answer(200, {"responses": []}))
    with pytest.raises(ValueError, match="from 1 to 25"):
        inventory.set_prices([ROW] * number)
    assert network.sent == []


def test_a_number_with_a_fraction_is_text_and_a_null_is_nothing() -> None:
    inventory, _, _ = opened(
        answer(200, {"sku": "a", "packageWeightAndSize": {"weight": {"value": 1.5, "unit": None}}})
    )
    assert inventory.item("a") == {"sku": "a", "packageWeightAndSize": {"weight": {"value": "1.5"}}}


OUR_CALLS = (
    ("PUT", "/inventory_item/a"),
    ("GET", "/inventory_item/a"),
    ("POST", "/bulk_get_inventory_item"),
    ("POST", "/bulk_update_price_quantity"),
    ("POST", "/offer"),
    ("GET", "/offer"),
    ("PUT", "/offer/1"),
    ("POST", "/offer/1/publish"),
    ("POST", "/offer/1/withdraw"),
    ("PUT", "/inventory_item_group/g"),
    ("DELETE", "/inventory_item_group/g"),
    ("POST", "/offer/publish_by_inventory_item_group"),
    ("POST", "/offer/withdraw_by_inventory_item_group"),
)


@pytest.mark.parametrize(("method", "path"), OUR_CALLS)
def test_every_id_that_ebay_documents_for_our_calls_has_a_meaning(method: str, path: str) -> None:
    assert set(documented_ids(method, f"/sell/inventory/v1{path}")) - MEANINGS.keys() == set()


@pytest.mark.parametrize("error_id", [25713, 25725])
def test_what_is_withdrawn_already_is_withdrawn(error_id: int) -> None:
    """After a lost answer: eBay says that there is no offer any more."""
    assert opened(refused(400, error_id))[0].withdraw_group("g", "EBAY_US") == Written()
    assert opened(refused(400, error_id))[0].withdraw("1") == Written()
