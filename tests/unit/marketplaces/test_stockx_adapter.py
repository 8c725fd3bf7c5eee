"""The StockX adapter against answers as StockX gives them, whole and spoiled."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from sluice.marketplaces.http.errors import BadAnswer, MarketplaceFailure, NotFound, RateLimited, Unavailable
from sluice.marketplaces.products import FoundProduct, FoundVariant, MarketData
from sluice.marketplaces.stockx.adapter import StockX
from sluice.platform.clock import MINUTE
from tests.unit.marketplaces.fakes import (
    CREDENTIALS,
    NOON,
    BudgetLog,
    answer,
    error,
)
from tests.unit.marketplaces.stockx_answers import (
    PRODUCT_ID,
    VARIANT_ID,
    Json,
    market,
    network_of,
    open_stockx,
    page,
    product,
    stockx_with,
    variant,
    without,
)

pytestmark = pytest.mark.usefixtures("account")

# --- what is sent ---


def test_every_call_carries_key_and_token(calls: BudgetLog) -> None:
    network = network_of(answer(200, product()))
    open_stockx(network, calls).product(PRODUCT_ID)
    (sent,) = network.sent
    assert sent.url == f"http://api.test/v2/catalog/products/{PRODUCT_ID}"
    assert sent.headers["x-api-key"] == CREDENTIALS["api_key"]
    assert sent.headers["authorization"] == "Bearer token-1-0123456789"
    assert calls.taken == 1


def test_the_token_call_is_a_form_and_not_charged(calls: BudgetLog) -> None:
    network = network_of(answer(200, product()))
    open_stockx(network, calls).product(PRODUCT_ID)
    (sent,) = network.token_calls
    assert (sent.method, str(sent.url)) == ("POST", "http://auth.test/oauth/token")
    assert {name: value for name, (value,) in parse_qs(sent.content.decode()).items()} == {
        "grant_type": "refresh_token",
        "client_id": CREDENTIALS["client_id"],
        "client_secret": CREDENTIALS["client_secret"],
        "audience": "gateway.stockx.com",
        "refresh_token": CREDENTIALS["refresh_token"],
    }
    assert calls.taken == 1


def test_market_data_is_asked_for_in_a_currency_and_no_country() -> None:
    network = network_of(answer(200, market(currencyCode="EUR")))
    open_stockx(network).market_data(PRODUCT_ID, VARIANT_ID, "EUR")
    assert dict(network.sent[0].url.params) == {"currencyCode": "EUR"}


# --- search ---


@pytest.mark.parametrize(
    ("sku", "style"),
    [
        ("DD1391-100", "DD1391-100"),
        ("dd1391 100", "DD1391-100"),
        ("DD1391_100", "dd1391-100"),
        ("DD1391-100", "DD1391 100"),
        (" DD1391--100 ", "DD1391  100"),
        ("DD8959-100", "315115-112/DD8959-100"),
        ("315115-112", "315115-112 / DD8959-100"),
    ],
)
def test_the_style_is_matched_in_one_spelling(sku: str, style: str) -> None:
    found = stockx_with(page(product(styleId="DD1391-101"), product(styleId=None), product(styleId=style))).search(sku)
    assert found is not None
    assert found.sku == style


@pytest.mark.parametrize("style", ["CW2288-111/315122-111", "315122-111/CW2288-111", "CW2288-111 / 315122-111"])
@pytest.mark.parametrize("sku", ["CW2288-111/315122-111", "315122-111/CW2288-111", "cw2288111/315122 111"])
def test_a_product_of_both_styles_goes_before_one_of_either_whatever_their_order(sku: str, style: str) -> None:
    rows = [product(styleId="315122-111"), product(styleId="CW2288-111"), product(styleId=style)]
    found = stockx_with(page(*rows)).search(sku)
    assert found is not None
    assert (found.sku, found.rivals) == (style, ())


def test_a_shoe_with_two_styles_is_searched_for_as_it_was_written() -> None:
    network = network_of(page(product(styleId="CW2288-111/315122-111")))
    assert open_stockx(network).search("CW2288111/315122-111") is not None
    assert [sent.url.params["query"] for sent in network.sent] == ["CW2288-111/315122-111"]


def test_what_only_looks_like_it_is_not_it() -> None:
    near = page(*(product(styleId=style) for style in ("DD1391-1000", "DD1391", "XDD1391-100", "", None)))
    assert stockx_with(near).search("DD1391-100") is None


def test_a_product() -> None:
    assert stockx_with(page(product())).search("DD1391-100") == FoundProduct(
        product_id=PRODUCT_ID,
        sku="DD1391-100",
        title="Nike Dunk Low Retro White Black Panda",
        product_type="sneakers",
        brand="Nike",
        url_key="nike-dunk-low-retro-white-black-2021",
        gender="men",
        colorway="White/Black",
        release_date="2021-03-10",
        retail_price=Decimal(115),
    )


def test_pages_are_walked_while_there_are_more(calls: BudgetLog) -> None:
    other = product(styleId="DD1391-101")
    network = network_of(page(other, more=True), page(other, product(), more=True), page(other))
    assert open_stockx(network, calls).search("DD1391-100") is not None
    assert [dict(sent.url.params) for sent in network.sent] == [
        {"query": "DD1391-100", "pageNumber": "1", "pageSize": "50"},
        {"query": "DD1391-100", "pageNumber": "2", "pageSize": "50"},
    ]
    assert calls.taken == 2


def test_pages_are_not_walked_for_ever(calls: BudgetLog) -> None:
    assert open_stockx(network_of(page(product(styleId="other"), more=True)), calls).search("DD1391-100") is None
    assert calls.taken == 3


def test_a_product_without_decoration() -> None:
    bare = product(title=None, brand=None, styleId="DD1391-100", productAttributes=None)
    found = stockx_with(page(without(bare, "productType") | {"brand": ["odd"], "new": {"field": 1}})).search(
        "DD1391-100"
    )
    assert found is not None
    assert (found.title, found.brand, found.product_type) == ("nike-dunk-low-retro-white-black-2021", None, None)
    assert (found.gender, found.retail_price) == (None, None)


# --- variants ---


def test_a_variant() -> None:
    assert stockx_with(answer(200, [variant()])).variants(PRODUCT_ID) == [
        FoundVariant(
            variant_id=VARIANT_ID,
            value="10",
            size_system="us",
            sizes={"us": "10", "us-w": "11.5", "uk": "9", "cm": "28", "kr": "280", "eu": "44"},
            gtins=("194956623113",),
        )
    ]


def _chart(default: Any, *conversions: Any) -> Json:
    return {"defaultConversion": default, "availableConversions": list(conversions)}


@pytest.mark.parametrize(
    ("change", "value", "system", "sizes"),
    [
        # A women's shoe is named in its own system.
        (
            {
                "variantValue": "8W",
                "sizeChart": _chart(
                    {"size": "8", "type": "us w"}, {"size": "US W 8", "type": "us w"}, {"size": "UK 5.5", "type": "uk"}
                ),
            },
            "8W",
            "us-w",
            {"us-w": "8", "uk": "5.5"},
        ),
        # The form of the document's own example, and odd spelling.
        ({"sizeChart": _chart(None, {"size": " us m  5 ", "type": "US M"})}, "10", "us", {"us": "5"}),
        ({"sizeChart": _chart({"size": "5", "type": "us m"})}, "10", "us", {"us": "5"}),
        ({"sizeChart": _chart(None, {"size": "EU 42 2/3", "type": "eu"})}, "10", "eu", {"eu": "42 2/3"}),
        # Two sizes share the label: it names neither.
        (
            {"sizeChart": _chart({"size": "6", "type": "us m"}, {"size": "UK 6 (EU 39)", "type": "uk"})},
            "10",
            "us",
            {"us": "6"},
        ),
        # Systems that Sluice has no name for, and halves of a conversion.
        (
            {"sizeChart": _chart({"size": "10", "type": "us m"}, {"size": "J 1", "type": "jp"}, {"size": None}, {})},
            "10",
            "us",
            {"us": "10"},
        ),
        # Clothes, and things without any size.
        ({"variantValue": "XL", "sizeChart": _chart(None)}, "XL", "us", {"us": "XL"}),
        # A youth's and a child's, whose letter stands in one place or the other.
        (
            {
                "variantValue": "5Y",
                "sizeChart": _chart({"size": "5Y", "type": "us m"}, {"size": "US M 5", "type": "us m"}),
            },
            "5Y",
            "us",
            {"us-y": "5", "us": "5"},
        ),
        (
            {
                "variantValue": "5Y",
                "sizeChart": _chart({"size": "5", "type": "us m"}, {"size": "UK 4.5", "type": "uk"}),
            },
            "5Y",
            "us",
            {"us-y": "5", "us": "5", "uk": "4.5"},
        ),
        ({"variantValue": "9C", "sizeChart": _chart({"size": "9C", "type": "us m"})}, "9C", "us-c", {"us-c": "9"}),
        ({"variantValue": "42⅔", "sizeChart": _chart({"size": "42⅔", "type": "eu"})}, "42⅔", "eu", {"eu": "42 2/3"}),
        ({"variantValue": None, "sizeChart": _chart(None)}, "", "us", {}),
        ({"variantValue": None, "sizeChart": None, "gtins": None}, "", "us", {}),
    ],
)
def test_sizes(change: Json, value: str, system: str, sizes: Json) -> None:
    (found,) = stockx_with(answer(200, [variant(**change)])).variants(PRODUCT_ID)
    assert (found.value, found.size_system, found.sizes) == (value, system, sizes)


# --- market data ---


def test_market_data() -> None:
    assert stockx_with(answer(200, market())).market_data(PRODUCT_ID, VARIANT_ID, "USD") == MarketData(
        product_id=PRODUCT_ID,
        variant_id=VARIANT_ID,
        currency="USD",
        lowest_ask=Decimal(95),
        highest_bid=Decimal(27),
        sell_faster=Decimal(59),
        earn_more=Decimal(100),
        flex_lowest_ask=None,
    )


def test_market_data_of_a_whole_product() -> None:
    rows = [market(), market(variantId="another", lowestAskAmount=None)]
    found = stockx_with(answer(200, rows)).quotes(PRODUCT_ID, VARIANT_ID, "USD")
    assert [(one.variant_id, one.lowest_ask) for one in found] == [(VARIANT_ID, Decimal(95)), ("another", None)]


def test_a_size_that_the_whole_product_leaves_out_is_asked_for_by_itself() -> None:
    stockx = stockx_with(answer(200, [market(variantId="another")]), answer(200, market()))
    found = stockx.quotes(PRODUCT_ID, VARIANT_ID, "USD")
    assert [one.variant_id for one in found] == ["another", VARIANT_ID]


@pytest.mark.parametrize("wrong", [{"lowestAskAmount": "free"}, {"productId": "of another"}, {"variantId": None}])
def test_a_size_that_cannot_be_read_costs_no_other_its_price(wrong: dict[str, Any]) -> None:
    rows = [market(**{"variantId": "another", **wrong}), market()]
    found = stockx_with(answer(200, rows)).quotes(PRODUCT_ID, VARIANT_ID, "USD")
    assert [one.variant_id for one in found] == [VARIANT_ID]
    with pytest.raises(BadAnswer):
        stockx_with(answer(200, [market(**wrong), market(variantId="another")])).quotes(PRODUCT_ID, VARIANT_ID, "USD")


@pytest.mark.parametrize(
    ("body", "ask"),
    [
        (market(lowestAskAmount=None), None),
        (market(lowestAskAmount="95.50"), Decimal("95.50")),
        (market(lowestAskAmount=95), Decimal(95)),
        (without(market(), "lowestAskAmount"), Decimal(95)),
        (without(market(), "lowestAskAmount", "standardMarketData"), None),
        (market(lowestAskAmount=None, standardMarketData=None, flexMarketData=None), None),
        (without(market(), "flexLowestAskAmount", "flexMarketData", "earnMoreAmount"), Decimal(95)),
        (market(brandNew={"deep": [1]}), Decimal(95)),
    ],
)
def test_an_ask_may_be_missing_in_many_ways(body: Json, ask: Decimal | None) -> None:
    assert stockx_with(answer(200, body)).market_data(PRODUCT_ID, VARIANT_ID, "USD").lowest_ask == ask


# --- what is spoiled ---


@pytest.mark.parametrize(
    ("body", "ask", "place"),
    [
        (market(lowestAskAmount=True), "market", r"\$\.lowestAskAmount"),
        (market(lowestAskAmount="n/a"), "market", r"\$\.lowestAskAmount"),
        (market(highestBidAmount={"amount": 3}), "market", r"\$\.highestBidAmount"),
        (market(currencyCode="EUR"), "market", r"\$\.currencyCode is not the one asked for"),
        (market(productId="another"), "market", r"\$\.productId is not the one asked for"),
        (market(variantId="another"), "market", r"\$\.variantId is of another variant"),
        (without(market(), "currencyCode"), "market", r"\$\.currencyCode is missing"),
        ([market()], "market", r"\$ is a list, not an object"),
        ("text", "market", r"\$ is text, not an object"),
        ([variant(variantId=None)], "variants", r"\$\[0\]\.variantId is missing"),
        ([variant(), variant(variantId=36)], "variants", r"\$\[1\]\.variantId is a number"),
        ([variant(sizeChart=[])], "variants", r"\$\[0\]\.sizeChart is a list"),
        ({"variants": []}, "variants", r"\$ is an object, not a list"),
        ({"products": [], "hasNextPage": "no"}, "search", r"\$\.hasNextPage is text"),
        ({"products": []}, "search", r"\$\.hasNextPage is missing"),
        ({"hasNextPage": False}, "search", r"\$\.products is missing"),
        ({"products": [without(product(), "productId")]}, "search", r"\$\.products\[0\]\.productId is missing"),
        ({"products": [None], "hasNextPage": False, "x": 1}, "search", None),
        ({"products": ["x"], "hasNextPage": False}, "search", r"\$\.products\[0\] is text"),
    ],
)
def test_a_wrong_shape_is_named_and_tried_again(body: Any, ask: str, place: str | None) -> None:
    asks: dict[str, Callable[[StockX], object]] = {
        "market": lambda stockx: stockx.market_data(PRODUCT_ID, VARIANT_ID, "USD"),
        "variants": lambda stockx: stockx.variants(PRODUCT_ID),
        "search": lambda stockx: stockx.search("DD1391-100"),
    }
    if place is None:
        assert asks[ask](stockx_with(answer(200, body))) is None
        return
    with pytest.raises(BadAnswer, match=f"stockx GET /catalog/.*{place}") as caught:
        asks[ask](stockx_with(answer(200, body)))
    assert caught.value.action == "retry"


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (error(404, "Variant not found"), NotFound),
        (error(500), Unavailable),
        (httpx.Response(200, text="<"), BadAnswer),
    ],
)
def test_errors_come_through(given: httpx.Response, kind: type[MarketplaceFailure]) -> None:
    with pytest.raises(kind):
        stockx_with(given).market_data(PRODUCT_ID, VARIANT_ID, "USD")


def test_a_429_closes_the_budget_for_a_minute(calls: BudgetLog) -> None:
    with pytest.raises(RateLimited):
        open_stockx(network_of(error(429)), calls).product(PRODUCT_ID)
    assert calls.closed == [NOON + MINUTE]
