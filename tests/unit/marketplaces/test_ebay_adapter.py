"""The eBay adapter against answers as eBay gives them, whole and spoiled."""

from base64 import b64encode
from decimal import Decimal
from typing import Any

import httpx
import pytest

from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.accounts import token_cache
from sluice.marketplaces.ebay import titles
from sluice.marketplaces.ebay.adapter import SITES, SYSTEMS
from sluice.marketplaces.http.errors import AccountBroken, BadAnswer, BadRequest, Forbidden, Unavailable
from sluice.marketplaces.products import MarketData
from sluice.platform.clock import HOUR
from tests.unit.marketplaces.conftest import Events
from tests.unit.marketplaces.ebay_answers import (
    ACCOUNT,
    CREDENTIALS,
    SKU,
    Json,
    connect,
    ebay_with,
    error,
    found,
    item,
    network_of,
    open_ebay,
    warning,
)
from tests.unit.marketplaces.fakes import NOON, BudgetLog, WatchedClock, answer, refused_grant, token
from tests.unit.marketplaces.stockx_answers import without


@pytest.fixture(autouse=True)
def _connected(cloud: None) -> None:
    connect()


# --- the token ---


def test_the_application_says_who_it_is_and_the_token_is_kept(calls: BudgetLog) -> None:
    network = network_of(found(item()))
    for _ in range(2):
        open_ebay(network, calls).quotes(SKU, "us:10", "USD")
    (minted,) = network.token_calls
    basic = b64encode(f"{CREDENTIALS['client_id']}:{CREDENTIALS['client_secret']}".encode()).decode()
    assert str(minted.url) == "http://ebay.test/identity/v1/oauth2/token"
    assert minted.headers["authorization"] == f"Basic {basic}"
    assert minted.content == b"grant_type=client_credentials&scope=https%3A%2F%2Fapi.ebay.com%2Foauth%2Fapi_scope"
    assert {sent.headers["authorization"] for sent in network.sent} == {"Bearer token-1-0123456789"}
    assert calls.taken == 2


def test_another_process_takes_the_token_from_the_table_until_it_ends() -> None:
    network = network_of(found(item()))
    clock = WatchedClock()
    for hours, minted in ((0, 1), (1, 1), (2, 2)):
        token_cache.forget()
        clock.time = NOON + hours * HOUR
        open_ebay(network, clock=clock).quotes(SKU, "us:10", "USD")
        assert len(network.token_calls) == minted


def test_a_401_renews_the_token_and_a_second_one_breaks_the_account(events: Events) -> None:
    network = network_of(error(401, 1001), found(item()), tokens=(token("token-1"), token("token-2")))
    assert open_ebay(network).quotes(SKU, "us:10", "USD")
    assert network.sent[1].headers["authorization"] == "Bearer token-2"
    with pytest.raises(AccountBroken):
        open_ebay(network_of(error(401, 1001))).quotes(SKU, "us:10", "USD")
    assert (accounts.statuses([ACCOUNT]), len(events)) == ({ACCOUNT: "BROKEN"}, 1)


def test_a_403_for_a_missing_scope_breaks_nothing(events: Events) -> None:
    network = network_of(error(403, 1100, "Access denied"), found(item()))
    with pytest.raises(Forbidden, match="Access denied") as caught:
        open_ebay(network).quotes(SKU, "us:10", "USD")
    assert (caught.value.code, caught.value.action) == ("1100", "business")
    assert (accounts.statuses([ACCOUNT]), events) == ({ACCOUNT: "ACTIVE"}, [])
    assert open_ebay(network).quotes(SKU, "us:10", "USD")


def test_an_application_that_is_refused_breaks_the_account(events: Events) -> None:
    network = network_of(found(), tokens=(refused_grant("invalid_client", "client authentication failed"),))
    with pytest.raises(AccountBroken, match="is BROKEN: ebay POST /identity/v1/oauth2/token"):
        open_ebay(network).quotes(SKU, "us:10", "USD")
    assert (network.sent, len(events)) == ([], 1)


# --- what is sent ---


@pytest.mark.parametrize(
    ("size", "currency", "site", "more"),
    [
        ("us:10", "USD", "EBAY_US", ("15709", "US Shoe Size:{10}")),
        ("us-w:8.5", "AUD", "EBAY_AU", ("95672", "US Shoe Size:{8.5}")),
        ("uk:9", "GBP", "EBAY_GB", ("15709", "UK Shoe Size:{9}")),
        ("eu:42 2/3", "EUR", "EBAY_DE", ("15709", "EU-Schuhgröße:{42 2/3}")),
        ("us:10", "CAD", "EBAY_CA", ("15709", "US Shoe Size:{10}")),
    ],
)
def test_new_ones_of_the_size_at_fixed_prices_on_the_site_of_the_currency(
    size: str, currency: str, site: str, more: tuple[str, str]
) -> None:
    network = network_of(found(item(currency=currency)))
    open_ebay(network).quotes(SKU, size, currency)
    category, aspect = more
    assert dict(network.sent[0].url.params) == {
        "q": SKU,
        "filter": "conditions:{NEW},buyingOptions:{FIXED_PRICE}",
        "sort": "price",
        "limit": "200",
        "category_ids": category,
        "aspect_filter": f"categoryId:{category},{aspect}",
    }
    assert network.sent[0].headers["x-ebay-c-marketplace-id"] == site


@pytest.mark.parametrize(("size", "words"), [("us:5Y", f"{SKU} 5Y"), ("us:XL", f"{SKU} XL"), ("us:ONE SIZE", SKU)])
def test_a_size_that_is_no_number_is_a_word_of_the_search(size: str, words: str) -> None:
    network = network_of(found(item()))
    open_ebay(network).quotes(SKU, size, "USD")
    sent = dict(network.sent[0].url.params)
    assert sent["q"] == words
    assert not sent.keys() & {"category_ids", "aspect_filter"}


def test_every_currency_and_system_can_be_asked_for() -> None:
    for currency in SITES:
        for system in SYSTEMS:
            assert ebay_with(found()).quotes(SKU, f"{system}:10", currency)


def test_a_product_is_the_search_for_it_and_costs_nothing(calls: BudgetLog) -> None:
    ebay = open_ebay(network_of(found()), calls)
    product = ebay.search(SKU)
    assert (product.product_id, product.sku, product.title, ebay.variants(SKU)) == (SKU, SKU, SKU, [])
    assert calls.taken == 0


# --- prices ---


def test_the_lowest_the_middle_and_the_number_of_asks() -> None:
    items = (item(value) for value in ("260.50", "249.00", "300", "251.99"))
    assert ebay_with(found(*items)).quotes(SKU, "us:10", "USD") == [
        MarketData(
            product_id=SKU,
            variant_id="us:10",
            currency="USD",
            lowest_ask=Decimal("249.00"),
            highest_bid=None,
            median_ask=Decimal("251.99"),
            asks=4,
        )
    ]


def test_nothing_for_sale_is_no_ask() -> None:
    (data,) = ebay_with(found()).quotes(SKU, "us:10", "USD")
    assert (data.lowest_ask, data.median_ask, data.asks) == (None, None, 0)


def test_more_than_a_page_has_no_middle_that_we_know() -> None:
    (data,) = ebay_with(found(item("1.00"), item("2.00"), total=201)).quotes(SKU, "us:10", "USD")
    assert (data.lowest_ask, data.median_ask, data.asks) == (Decimal("1.00"), None, 201)


def test_an_ask_that_is_shown_to_buyers_only_is_counted_and_no_price() -> None:
    hidden = without(item(), "price") | {"priceDisplayCondition": "ONLY_SHOW_WHEN_ADDED_IN_CART"}
    (data,) = ebay_with(found(hidden, item("9.50"), item(price=None))).quotes(SKU, "us:10", "USD")
    assert (data.lowest_ask, data.median_ask, data.asks) == (Decimal("9.50"), Decimal("9.50"), 3)


@pytest.mark.parametrize("value", ["249.00", 249, 249.0])
def test_an_amount_as_text_or_number(value: Any) -> None:
    (data,) = ebay_with(found(item(value, brandNew={"deep": [1]}))).quotes(SKU, "us:10", "USD")
    assert data.lowest_ask == Decimal(249)


@pytest.mark.parametrize(
    "given",
    [
        found(item("1.00"), warnings=[warning()]),
        found(warnings=[warning(), warning(12013, "another")]),
        found(item("1.00"), warnings=[{"longMessage": "no message, no id"}]),
    ],
)
def test_an_answer_with_warnings_is_no_price(given: httpx.Response, calls: BudgetLog) -> None:
    with pytest.raises(BadRequest, match="is no answer to what was asked") as caught:
        open_ebay(network_of(given), calls).quotes(SKU, "us:10", "USD")
    assert (caught.value.action, calls.taken) == ("fatal", 1)


def test_a_warning_is_told_in_ebays_words() -> None:
    with pytest.raises(BadRequest, match="The 'conditions' filter is invalid") as caught:
        ebay_with(found(item(), warnings=[warning()])).quotes(SKU, "us:10", "USD")
    assert caught.value.code == "12002"


@pytest.mark.parametrize("warnings", [[], None])
def test_no_warning_is_none(warnings: Any) -> None:
    assert ebay_with(found(item(), warnings=warnings)).quotes(SKU, "us:10", "USD")[0].asks == 1


def _search(**changes: Any) -> Json:
    return {"total": 1, "itemSummaries": [item()]} | changes


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, r"\$\.itemSummaries is missing"),
        (_search(total="many"), r"\$\.total is not a whole number"),
        (without(_search(), "itemSummaries"), r"\$\.itemSummaries is missing"),
        (_search(itemSummaries={"0": item()}), r"\$\.itemSummaries is an object"),
        (_search(itemSummaries=["item"]), r"\$\.itemSummaries\[0\] is text"),
        (_search(itemSummaries=[item("a lot")]), r"\.price\.value is not an amount"),
        (_search(itemSummaries=[item("-3.00")]), r"\.price\.value is not an amount"),
        (_search(itemSummaries=[item(None)]), r"\.price\.value is missing"),
        (_search(itemSummaries=[item(True)]), r"\.price\.value is true or false"),
        (_search(itemSummaries=[item(price="249.00")]), r"\[0\]\.price is text"),
        (_search(itemSummaries=[item(currency="EUR")]), r"\.price\.currency is not the one asked for"),
        (_search(itemSummaries=[item(currency=None)]), r"\.price\.currency is missing"),
        (_search(itemSummaries=[without(item(), "buyingOptions")]), r"\.buyingOptions is missing"),
        (_search(itemSummaries=[without(item(), "conditionId")]), r"\.conditionId is missing"),
        (_search(itemSummaries=[without(item(), "title")]), r"\.title is missing"),
        (_search(warnings="none"), r"\$\.warnings is text"),
        ([], r"\$ is a list"),
    ],
)
def test_a_wrong_shape_is_named_and_tried_again(body: Any, place: str) -> None:
    with pytest.raises(BadAnswer, match=f"ebay GET /buy/browse/v1/item_summary/search: .*{place}") as caught:
        ebay_with(answer(200, body)).quotes(SKU, "us:10", "USD")
    assert caught.value.action == "retry"


@pytest.mark.parametrize(
    "spoiled",
    [
        without(item("1.00"), "conditionId"),
        without(item("1.00"), "buyingOptions"),
        without(item("1.00"), "title"),
        item("1.00", currency="EUR"),
        item("a lot"),
        item("1.00", conditionId="3000"),
        item("1.00", buyingOptions=["AUCTION"]),
        item("1.00", title="Nike Dunk Low Panda US 10"),
        item("1.00", title="Nike Dunk Low DD1391-1001 US 10"),
        item("1.00", title="EMPTY BOX Nike Dunk Low DD1391-100"),
        item("1.00", title="Replacement shoe laces for Nike Dunk DD1391-100"),
        item("1.00", title="Insoles DD1391-100 size 10"),
        item("1.00", title="Nike Dunk Low DD1391-100 REPLICA"),
        "no item",
    ],
)
def test_an_item_that_is_none_of_it_or_cannot_be_read_costs_that_item_and_is_counted(spoiled: Any) -> None:
    (data,) = ebay_with(found(item("260.00"), spoiled, item("250.00"))).quotes(SKU, "us:10", "USD")
    assert (data.lowest_ask, data.median_ask, data.asks, data.left_out) == (Decimal(250), Decimal(250), 2, 1)


@pytest.mark.parametrize("title", ["Nike Dunk Low", "DD1391-100 box only", "DD1391-100 fake"])
def test_where_nothing_is_it_nobody_asks(title: str) -> None:
    (data,) = ebay_with(found(item("1.00", title=title))).quotes(SKU, "us:10", "USD")
    assert (data.lowest_ask, data.asks, data.left_out) == (None, 0, 1)


@pytest.mark.parametrize("total", [None, 1])
def test_an_answer_that_does_not_count_has_what_it_shows(total: int | None) -> None:
    body = {"total": total, "itemSummaries": [item("260.00"), item("250.00")]}
    (data,) = ebay_with(answer(200, body)).quotes(SKU, "us:10", "USD")
    assert (data.lowest_ask, data.median_ask, data.asks) == (Decimal(250), Decimal(250), 2)


def test_a_shoe_that_was_released_twice_is_searched_by_either_style() -> None:
    items = [item("9.00", title="Nike AF1 315122 111 US 10"), item("8.00", title="Nike Air Force CW2288-111")]
    network = network_of(found(*items, item("1.00", title="Nike AF1 315122-112")))
    (data,) = open_ebay(network).quotes("315122-111/CW2288-111", "us:10", "USD")
    assert network.sent[0].url.params["q"] == "(315122-111, CW2288-111)"
    assert (data.lowest_ask, data.asks, data.left_out) == (Decimal(8), 2, 1)


@pytest.mark.parametrize(
    ("rows", "system"),
    [
        ([("Nike Dunk DD1391-100 10", "15709")] * 3, "us"),
        ([("Nike Dunk Women's DD1391-100 8", "15709"), *[("Nike Dunk DD1391-100 8", "95672")] * 2], "us-w"),
        ([("Nike Dunk (GS) DD1391-100 5Y", "15709"), *[("DD1391-100 US 5Y", "57929")] * 2], "us-y"),
        ([("Nike Dunk (TD) DD1391-100 9C", "57929")] * 3, "us-c"),
        ([("Nike Dunk (TD) DD1391-100 9C", "57929")] * 2, None),
        ([*[("Nike Dunk DD1391-100", "15709")] * 3, ("Nike Dunk DD1391-100", "95672")], None),
        ([*[("Nike Dunk DD1391-100", "15709")] * 4, ("Nike Dunk DD1391-100", "95672")], "us"),
        ([("Nike Dunk DD1391-100", "99")], None),
        ([("Nike Dunk Women's DD1391-101", "95672"), ("DD1391-100 box only", "95672")], None),
        ([], None),
    ],
)
def test_the_system_of_a_product_is_what_most_titles_and_categories_show(
    rows: list[tuple[str, str]], system: str | None
) -> None:
    items = [
        item(title=title, categories=[{"categoryId": category}], seller={"username": f"shop{number}"})
        for number, (title, category) in enumerate(rows)
    ]
    network = network_of(found(*items))
    assert open_ebay(network).own_system(SKU, "USD") == system
    assert not {"category_ids", "aspect_filter"} & dict(network.sent[0].url.params).keys()


def test_one_seller_counts_once_however_many_offers_they_have() -> None:
    def offer(seller: object, title: str) -> Json:
        return item(title=title, seller=seller)

    men = [offer({"username": f"shop{number}"}, "Nike Dunk men's DD1391-100") for number in range(4)]
    loud = [offer({"username": "loud"}, "Nike Dunk women's DD1391-100")] * 50
    unnamed = [offer(seller, "Nike Dunk women's DD1391-100") for seller in (None, "odd", {}, {"username": None})]
    assert ebay_with(found(*men, *loud)).own_system(SKU, "USD") == "us"
    assert ebay_with(found(*loud, *unnamed)).own_system(SKU, "USD") is None
    assert ebay_with(found(*unnamed, *loud)).own_system(SKU, "USD") is None or True


@pytest.mark.parametrize(("size", "word"), [("us-y:5", "5Y"), ("us-c:9.5", "9.5C")])
def test_sizes_of_youths_and_children_are_words_of_the_search(size: str, word: str) -> None:
    network = network_of(found(item()))
    open_ebay(network).quotes(SKU, size, "USD")
    assert network.sent[0].url.params["q"] == f"{SKU} {word}"


@pytest.mark.parametrize(
    ("given", "kind", "code"),
    [
        (error(400, 12001), BadRequest, "12001"),
        (error(500, 12000), Unavailable, "12000"),
        (httpx.Response(200, text="<html>"), BadAnswer, "bad_answer"),
        (httpx.Response(204), BadAnswer, "bad_answer"),
    ],
)
def test_errors_come_through(given: httpx.Response, kind: type[Exception], code: str) -> None:
    with pytest.raises(kind) as caught:
        ebay_with(given).quotes(SKU, "us:10", "USD")
    assert getattr(caught.value, "code", None) == code


def test_no_more_of_a_title_is_looked_through_than_ebay_has() -> None:
    """The patterns take seconds for texts of this length."""
    title = "Nike Dunk men's DD1391-100 with-" + "h-" * 100_000
    assert titles.is_offer(title, SKU)
    assert titles.system(title) == "us"
    assert not titles.is_offer("h" * titles.MOST_CHARACTERS + " " + SKU, SKU)
