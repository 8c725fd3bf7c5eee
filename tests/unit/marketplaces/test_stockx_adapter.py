"""The StockX adapter against answers as StockX gives them, whole and spoiled."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from sluice.marketplaces import accounts
from sluice.marketplaces.accounts import Account
from sluice.marketplaces.errors import (
    AccountBroken,
    BadAnswer,
    MarketplaceFailure,
    NotFound,
    RateLimited,
    Unavailable,
)
from sluice.marketplaces.products import MarketData, Product, Variant
from sluice.marketplaces.stockx import StockX
from sluice.platform.clock import MINUTE
from tests.unit.marketplaces.conftest import Events
from tests.unit.marketplaces.fakes import (
    ACCOUNT,
    CREDENTIALS,
    NOON,
    BudgetLog,
    Network,
    WatchedClock,
    answer,
    error,
    refused_grant,
    token,
)

pytestmark = pytest.mark.usefixtures("account")

PRODUCT_ID, VARIANT_ID = "5e6a1e57-1c7d-435a-82bd-5666a13560fe", "55da2c50-8c32-4ff2-9c36-b0d1c1b2d1a5"
Json = dict[str, Any]


def _row(**changes: Any) -> Json:
    row = {
        "productId": PRODUCT_ID,
        "brand": "Nike",
        "productType": "sneakers",
        "styleId": "DD1391-100",
        "urlKey": "nike-dunk-low-retro-white-black-2021",
        "title": "Nike Dunk Low Retro White Black Panda",
        "productAttributes": {
            "color": None,
            "colorway": "White/Black",
            "gender": "men",
            "releaseDate": "2021-03-10",
            "retailPrice": 115,
            "season": None,
        },
    }
    return row | changes


def _page(*rows: Json, number: int = 1, more: bool = False) -> httpx.Response:
    body = {"count": 99, "pageNumber": number, "pageSize": 50, "hasNextPage": more, "products": list(rows)}
    return answer(200, body)


def _variant(**changes: Any) -> Json:
    row = {
        "productId": PRODUCT_ID,
        "variantId": VARIANT_ID,
        "variantName": "Nike-Dunk-Low-Retro-White-Black-2021:13",
        "variantValue": "10",
        "sizeChart": {
            "defaultConversion": {"size": "10", "type": "us m"},
            "availableConversions": [
                {"size": "US M 10", "type": "us m"},
                {"size": "US W 11.5", "type": "us w"},
                {"size": "UK 9", "type": "uk"},
                {"size": "CM 28", "type": "cm"},
                {"size": "KR 280", "type": "kr"},
                {"size": "EU 44", "type": "eu"},
            ],
        },
        "gtins": [{"identifier": "194956623113", "type": "UPC"}],
        "isFlexEligible": True,
        "isDirectEligible": True,
    }
    return row | changes


def _market(**changes: Any) -> Json:
    row = {
        "productId": PRODUCT_ID,
        "variantId": VARIANT_ID,
        "currencyCode": "USD",
        "lowestAskAmount": "95",
        "highestBidAmount": "27",
        "sellFasterAmount": "59",
        "earnMoreAmount": "100",
        "flexLowestAskAmount": None,
        "standardMarketData": {"lowestAsk": "95", "highestBidAmount": "27", "sellFaster": "59", "earnMore": "100"},
        "flexMarketData": {},
        "directMarketData": {},
    }
    return row | changes


def _without(row: Json, *names: str) -> Json:
    return {name: value for name, value in row.items() if name not in names}


def _stockx(network: Network, calls: BudgetLog | None = None) -> StockX:
    return StockX.open(ACCOUNT, calls or BudgetLog(), WatchedClock(), wire=network)


def _network(*answers: Any, tokens: tuple[Any, ...] = ()) -> Network:
    return Network(*answers, tokens=tokens or (token(),))


def _ask(*answers: Any) -> StockX:
    return _stockx(_network(*answers))


# --- what is sent ---


def test_every_call_carries_key_and_token(calls: BudgetLog) -> None:
    network = _network(answer(200, _row()))
    _stockx(network, calls).product(PRODUCT_ID)
    (sent,) = network.sent
    assert sent.url == f"http://api.test/v2/catalog/products/{PRODUCT_ID}"
    assert sent.headers["x-api-key"] == CREDENTIALS["api_key"]
    assert sent.headers["authorization"] == "Bearer token-1-0123456789"
    assert calls.taken == 1


def test_the_token_call_is_a_form_and_not_charged(calls: BudgetLog) -> None:
    network = _network(answer(200, _row()))
    _stockx(network, calls).product(PRODUCT_ID)
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
    network = _network(answer(200, _market(currencyCode="EUR")))
    _stockx(network).market_data(PRODUCT_ID, VARIANT_ID, "EUR")
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
    found = _ask(_page(_row(styleId="DD1391-101"), _row(styleId=None), _row(styleId=style))).search(sku)
    assert found is not None
    assert found.sku == style


def test_what_only_looks_like_it_is_not_it() -> None:
    near = _page(*(_row(styleId=style) for style in ("DD1391-1000", "DD1391", "XDD1391-100", "", None)))
    assert _ask(near).search("DD1391-100") is None


def test_a_product() -> None:
    assert _ask(_page(_row())).search("DD1391-100") == Product(
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
    other = _row(styleId="DD1391-101")
    network = _network(_page(other, more=True), _page(other, _row(), more=True), _page(other))
    assert _stockx(network, calls).search("DD1391-100") is not None
    assert [dict(sent.url.params) for sent in network.sent] == [
        {"query": "DD1391-100", "pageNumber": "1", "pageSize": "50"},
        {"query": "DD1391-100", "pageNumber": "2", "pageSize": "50"},
    ]
    assert calls.taken == 2


def test_pages_are_not_walked_for_ever(calls: BudgetLog) -> None:
    assert _stockx(_network(_page(_row(styleId="other"), more=True)), calls).search("DD1391-100") is None
    assert calls.taken == 3


def test_a_product_without_decoration() -> None:
    bare = _row(title=None, brand=None, styleId="DD1391-100", productAttributes=None)
    found = _ask(_page(_without(bare, "productType") | {"brand": ["odd"], "new": {"field": 1}})).search("DD1391-100")
    assert found is not None
    assert (found.title, found.brand, found.product_type) == ("nike-dunk-low-retro-white-black-2021", None, None)
    assert (found.gender, found.retail_price) == (None, None)


# --- variants ---


def test_a_variant() -> None:
    assert _ask(answer(200, [_variant()])).variants(PRODUCT_ID) == [
        Variant(
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
        ({"variantValue": None, "sizeChart": _chart(None)}, "", "us", {}),
        ({"variantValue": None, "sizeChart": None, "gtins": None}, "", "us", {}),
    ],
)
def test_sizes(change: Json, value: str, system: str, sizes: Json) -> None:
    (variant,) = _ask(answer(200, [_variant(**change)])).variants(PRODUCT_ID)
    assert (variant.value, variant.size_system, variant.sizes) == (value, system, sizes)


# --- market data ---


def test_market_data() -> None:
    assert _ask(answer(200, _market())).market_data(PRODUCT_ID, VARIANT_ID, "USD") == MarketData(
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
    rows = [_market(), _market(variantId="another", lowestAskAmount=None)]
    found = _ask(answer(200, rows)).product_market_data(PRODUCT_ID, "USD")
    assert [(one.variant_id, one.lowest_ask) for one in found] == [(VARIANT_ID, Decimal(95)), ("another", None)]


@pytest.mark.parametrize(
    ("body", "ask"),
    [
        (_market(lowestAskAmount=None), None),
        (_market(lowestAskAmount="95.50"), Decimal("95.50")),
        (_market(lowestAskAmount=95), Decimal(95)),
        (_without(_market(), "lowestAskAmount"), Decimal(95)),
        (_without(_market(), "lowestAskAmount", "standardMarketData"), None),
        (_market(lowestAskAmount=None, standardMarketData=None, flexMarketData=None), None),
        (_without(_market(), "flexLowestAskAmount", "flexMarketData", "earnMoreAmount"), Decimal(95)),
        (_market(brandNew={"deep": [1]}), Decimal(95)),
    ],
)
def test_an_ask_may_be_missing_in_many_ways(body: Json, ask: Decimal | None) -> None:
    assert _ask(answer(200, body)).market_data(PRODUCT_ID, VARIANT_ID, "USD").lowest_ask == ask


# --- what is spoiled ---


@pytest.mark.parametrize(
    ("body", "ask", "place"),
    [
        (_market(lowestAskAmount=True), "market", r"\$\.lowestAskAmount"),
        (_market(lowestAskAmount="n/a"), "market", r"\$\.lowestAskAmount"),
        (_market(highestBidAmount={"amount": 3}), "market", r"\$\.highestBidAmount"),
        (_market(currencyCode="EUR"), "market", r"\$\.currencyCode is not the one asked for"),
        (_market(productId="another"), "market", r"\$\.productId is not the one asked for"),
        (_market(variantId="another"), "market", r"\$\.variantId is of another variant"),
        (_without(_market(), "currencyCode"), "market", r"\$\.currencyCode is missing"),
        ([_market()], "market", r"\$ is a list, not an object"),
        ("text", "market", r"\$ is text, not an object"),
        ([_variant(variantId=None)], "variants", r"\$\[0\]\.variantId is missing"),
        ([_variant(), _variant(variantId=36)], "variants", r"\$\[1\]\.variantId is a number"),
        ([_variant(sizeChart=[])], "variants", r"\$\[0\]\.sizeChart is a list"),
        ({"variants": []}, "variants", r"\$ is an object, not a list"),
        ({"products": [], "hasNextPage": "no"}, "search", r"\$\.hasNextPage is text"),
        ({"products": []}, "search", r"\$\.hasNextPage is missing"),
        ({"hasNextPage": False}, "search", r"\$\.products is missing"),
        ({"products": [_without(_row(), "productId")]}, "search", r"\$\.products\[0\]\.productId is missing"),
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
        assert asks[ask](_ask(answer(200, body))) is None
        return
    with pytest.raises(BadAnswer, match=f"stockx GET /catalog/.*{place}") as caught:
        asks[ask](_ask(answer(200, body)))
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
        _ask(given).market_data(PRODUCT_ID, VARIANT_ID, "USD")


def test_a_429_closes_the_budget_for_a_minute(calls: BudgetLog) -> None:
    with pytest.raises(RateLimited):
        _stockx(_network(error(429)), calls).product(PRODUCT_ID)
    assert calls.closed == [NOON + MINUTE]


# --- 401 and 403 ---


def test_a_401_renews_the_token_and_asks_again(calls: BudgetLog, events: Events) -> None:
    network = _network(error(401), answer(200, _row()), tokens=(token("token-1"), token("token-2")))
    assert _stockx(network, calls).product(PRODUCT_ID).product_id == PRODUCT_ID
    assert [sent.headers["authorization"] for sent in network.sent] == ["Bearer token-1", "Bearer token-2"]
    assert (calls.taken, len(network.token_calls), events) == (2, 2, [])


def test_a_401_for_a_token_that_is_old_news_takes_the_newer(calls: BudgetLog) -> None:
    def renewed_elsewhere(_: httpx.Request) -> httpx.Response:
        accounts.store_token(ACCOUNT, 2, "token-of-another-worker", NOON + 60 * MINUTE, NOON, None)
        return error(401)

    network = _network(renewed_elsewhere, answer(200, _row()))
    _stockx(network, calls).product(PRODUCT_ID)
    assert network.sent[1].headers["authorization"] == "Bearer token-of-another-worker"
    assert len(network.token_calls) == 1


@pytest.mark.parametrize("second", [401, 403])
def test_a_second_401_breaks_the_account(second: int, calls: BudgetLog, events: Events) -> None:
    network = _network(error(401), error(second))
    with pytest.raises(AccountBroken) as caught:
        _stockx(network, calls).product(PRODUCT_ID)
    assert (caught.value.action, caught.value.whole_batch) == ("snooze", True)
    assert accounts.statuses([ACCOUNT]) == {ACCOUNT: "BROKEN"}
    assert (len(network.sent), calls.taken, len(events)) == (2, 2, 1)
    with pytest.raises(AccountBroken):
        _stockx(network, calls).product(PRODUCT_ID)
    assert len(network.sent) == 2


def test_a_refused_key_breaks_the_account_at_once(calls: BudgetLog, events: Events) -> None:
    with pytest.raises(AccountBroken, match="403 Forbidden"):
        _stockx(_network(error(403)), calls).product(PRODUCT_ID)
    assert (accounts.statuses([ACCOUNT]), len(events)) == ({ACCOUNT: "BROKEN"}, 1)


def test_a_firewalls_403_does_not(events: Events) -> None:
    with pytest.raises(Unavailable):
        _ask(httpx.Response(403, text="<html>Access denied</html>")).product(PRODUCT_ID)
    assert (accounts.statuses([ACCOUNT]), events) == ({ACCOUNT: "ACTIVE"}, [])


def test_a_late_401_does_not_break_what_was_connected_again(events: Events) -> None:
    def connected_again(_: httpx.Request) -> httpx.Response:
        accounts.connect("stockx", "acme", CREDENTIALS, NOON)
        return error(401)

    with pytest.raises(AccountBroken):
        _ask(error(401), connected_again).product(PRODUCT_ID)
    assert (accounts.statuses([ACCOUNT]), events) == ({ACCOUNT: "ACTIVE"}, [])


def test_no_call_is_made_without_a_token(calls: BudgetLog, events: Events) -> None:
    network = _network(answer(200, _row()), tokens=(refused_grant(),))
    with pytest.raises(AccountBroken, match="is EXPIRED"):
        _stockx(network, calls).product(PRODUCT_ID)
    assert (network.sent, calls.taken, len(events)) == ([], 0, 1)


@pytest.mark.parametrize(
    "given",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("late"),
        error(503),
        httpx.Response(403, text="<html>Access denied</html>"),
        answer(404, {"message": "Not Found"}),
        answer(400, {"error": "invalid_request", "error_description": "x"}),
        answer(200, {"expires_in": 60}),
        answer(200, {"access_token": "two words"}),
        answer(200, {"access_token": "x" * 5_000}),
        token(expires_in=0),
        httpx.Response(200, text="<html>"),
    ],
)
def test_a_token_server_in_trouble_is_no_fault_of_the_account(given: Any, calls: BudgetLog, events: Events) -> None:
    with pytest.raises(MarketplaceFailure) as caught:
        _stockx(_network(answer(200, _row()), tokens=(given,)), calls).product(PRODUCT_ID)
    assert caught.value.action == "retry"
    assert (accounts.statuses([ACCOUNT]), events, calls.taken) == ({ACCOUNT: "ACTIVE"}, [], 0)


def test_a_token_that_does_not_say_how_long_it_lives() -> None:
    _ask_once = _stockx(_network(answer(200, _row()), tokens=(answer(200, {"access_token": "token-x"}),)))
    _ask_once.product(PRODUCT_ID)
    found = accounts.find(ACCOUNT)
    assert isinstance(found, Account)
    assert found.token_expires_at == NOON + 60 * MINUTE
