"""The Alias adapter against answers as Alias gives them, whole and spoiled."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from sluice.marketplaces.alias.adapter import Alias
from sluice.marketplaces.http.errors import AmbiguousStyle, BadAnswer, BadRequest
from sluice.marketplaces.products import FoundProduct, FoundVariant, MarketData
from tests.unit.marketplaces.alias_answers import (
    CATALOG_ID,
    TOKEN,
    Json,
    alias_with,
    connect,
    item,
    open_alias,
    page,
    prices,
    row,
    size,
)
from tests.unit.marketplaces.fakes import BudgetLog, Network, answer
from tests.unit.marketplaces.stockx_answers import without


@pytest.fixture(autouse=True)
def _connected(cloud: None) -> None:
    connect()


# --- what is sent ---


def test_every_call_carries_the_personal_token_as_it_was_given(calls: BudgetLog) -> None:
    network = Network(prices(row()))
    alias = open_alias(network, calls)
    for _ in range(2):
        alias.quotes(CATALOG_ID, "10", "USD")
    assert {sent.headers["authorization"] for sent in network.sent} == {f"Bearer {TOKEN}"}
    assert str(network.sent[0].url) == f"http://alias.test/api/v1/pricing_insights/availabilities/{CATALOG_ID}"
    assert (calls.taken, network.token_calls) == (2, [])


def test_a_style_is_sent_with_blanks() -> None:
    network = Network(page(item()))
    open_alias(network).search("dd1391-100")
    assert dict(network.sent[0].url.params) == {"query": "DD1391 100", "limit": "50"}


@pytest.mark.parametrize(
    ("consigned", "query"), [(None, {}), (True, {"consigned": "true"}), (False, {"consigned": "false"})]
)
def test_goods_in_its_warehouses_can_be_asked_for_alone(consigned: bool | None, query: dict[str, str]) -> None:
    network = Network(prices(row()))
    open_alias(network).availabilities(CATALOG_ID, consigned=consigned)
    assert dict(network.sent[0].url.params) == query


# --- search ---


@pytest.mark.parametrize(
    ("sku", "style"),
    [
        ("DD1391-100", "DD1391 100"),
        ("dd1391 100", "DD1391-100"),
        ("DD1391_100", " dd1391  100 "),
        ("DD8959-100", "315115 112/DD8959 100"),
    ],
)
def test_the_style_is_matched_in_one_spelling(sku: str, style: str) -> None:
    found = alias_with(page(item(sku="DD1391 101"), item(sku=None), item(sku=style))).search(sku)
    assert found is not None
    assert found.sku == style


def test_what_only_looks_like_it_is_not_it() -> None:
    near = page(*(item(sku=style) for style in ("DD1391 1000", "DD1391", "DD1391 10", "", None)))
    assert alias_with(near).search("DD1391-100") is None


@pytest.mark.parametrize(
    ("sku", "style"), [("DD1391100", "DD1391 100"), ("CP-9654", "CP9654"), ("dd_1391-100", "DD1391 100")]
)
def test_the_only_style_that_is_the_same_without_blanks_and_hyphens_is_it(sku: str, style: str) -> None:
    rows = [item(sku="DD1391 101", catalog_id="a"), item(sku=style, catalog_id="b"), item(sku="CP9655", catalog_id="c")]
    found = alias_with(page(*rows)).search(sku)
    assert found is not None
    assert (found.product_id, found.sku) == ("b", style)


def test_of_several_such_styles_none_is_taken_and_an_exact_one_is() -> None:
    rows = [item(sku="C P9654", catalog_id="a"), item(sku="CP 9654", catalog_id="b")]
    with pytest.raises(AmbiguousStyle, match="CP9654 may be several products: C P9654, CP 9654"):
        alias_with(page(*rows)).search("CP9654")
    found = alias_with(page(*rows)).search("CP-9654")
    assert found is not None
    assert (found.product_id, found.rivals) == ("b", ("C-P9654",))


@pytest.mark.parametrize("sku", ["DD1391-100", "DD1391100", "DD13-91100"])
def test_nikes_hyphen_has_its_place_wherever_somebody_writes_it(sku: str) -> None:
    rows = [item(sku="DD13 91100", catalog_id="a"), item(sku="DD1391 100", catalog_id="b")]
    found = alias_with(page(*rows)).search(sku)
    assert found is not None
    assert (found.product_id, found.rivals) == ("b", ("DD13-91100",))


def test_a_product_of_the_style_itself_goes_before_one_of_several_styles() -> None:
    rows = [item(sku="315122 111/CW2288 111", catalog_id="a"), item(sku="CW2288 111", catalog_id="b")]
    for sku, product_id in (("CW2288-111", "b"), ("315122-111", "a"), ("315122-111/CW2288-111", "a")):
        found = alias_with(page(*rows)).search(sku)
        assert found is not None
        assert (found.product_id, found.rivals) == (product_id, ())


@pytest.mark.parametrize("style", ["CW2288 111/315122 111", "315122 111/CW2288 111"])
@pytest.mark.parametrize("sku", ["CW2288-111/315122-111", "315122-111/CW2288-111", "cw2288111/315122 111"])
def test_a_product_of_both_styles_goes_before_one_of_either_whatever_their_order(sku: str, style: str) -> None:
    rows = [item(sku="315122 111", catalog_id="a"), item(sku="CW2288 111", catalog_id="b"), item(sku=style)]
    found = alias_with(page(*rows)).search(sku)
    assert found is not None
    assert (found.sku, found.rivals) == (style, ())


def test_what_is_not_found_with_nikes_hyphen_is_searched_for_as_it_was_written_too() -> None:
    network = Network(page(), page(item(sku="DD1391 100")))
    found = open_alias(network).search("DD1391100")
    assert found is not None
    assert [sent.url.params["query"] for sent in network.sent] == ["DD1391 100", "DD1391100"]


@pytest.mark.parametrize("style", ["CW2288 111", "315122 111", "315122 111/CW2288 111"])
def test_a_shoe_that_was_released_twice_is_found_by_whichever_style_alias_has(style: str) -> None:
    network = Network(page(item(sku="CW2288 112")), page(item(sku="315122 112")), page(item(sku=style)))
    found = open_alias(network).search("315122-111/CW2288-111")
    assert found is not None
    assert found.sku == style
    queries = [sent.url.params["query"] for sent in network.sent]
    assert queries == ["315122 111/CW2288 111", "315122 111", "CW2288 111"]


def test_a_product_with_its_sizes_in_one_call(calls: BudgetLog) -> None:
    assert open_alias(Network(page(item())), calls).search("DD1391-100") == FoundProduct(
        product_id=CATALOG_ID,
        sku="DD1391 100",
        title="Dunk Low 'Black White'",
        product_type="sneakers",
        brand="Nike",
        gender="men",
        colorway="White/Black/White",
        release_date="2021-03-10",
        retail_price=Decimal("115.00"),
        image="https://image.example/a.png",
        variants=(FoundVariant("10", "10", "us", {"us": "10"}), FoundVariant("10.5", "10.5", "us", {"us": "10.5"})),
    )
    assert calls.taken == 1


def test_pages_are_walked_while_there_are_more(calls: BudgetLog) -> None:
    other = item(sku="DD1391 101")
    network = Network(page(other, following="a+b="), page(other, following="c"), page(item()))
    assert open_alias(network, calls).search("DD1391-100") is not None
    assert [sent.url.params.get("pagination_token") for sent in network.sent] == [None, "a+b=", "c"]


def test_pages_are_not_walked_for_ever(calls: BudgetLog) -> None:
    assert open_alias(Network(page(item(sku="other"), following="x")), calls).search("DD1391-100") is None
    assert calls.taken == 3


def test_a_product_without_decoration() -> None:
    bare = without(
        item(brand=["odd"], new={"field": 1}, main_picture_url="ftp://x"), "name", "colorway", "product_type"
    )
    found = alias_with(page(bare | {"retail_price_cents": None})).search("DD1391-100")
    assert found is not None
    assert (found.title, found.brand, found.image, found.retail_price) == ("DD1391 100", None, None, None)


def test_sizes_of_a_product_by_its_id(calls: BudgetLog) -> None:
    network = Network(answer(200, {"catalog_item": item()}))
    assert [variant.variant_id for variant in open_alias(network, calls).variants(CATALOG_ID)] == ["10", "10.5"]
    assert network.sent[0].url.path == f"/api/v1/catalog/{CATALOG_ID}"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        # A woman's and a child's shoe, and one from Italy.
        ({"gender": "women", "allowed_sizes": [size(8)]}, ("8", "8", "us-w", {"us-w": "8"})),
        ({"gender": "youth", "allowed_sizes": [size(5, label="5Y")]}, ("5", "5Y", "us", {"us-y": "5", "us": "5"})),
        (
            {"size_unit": "SIZE_UNIT_IT", "allowed_sizes": [size(42, us=9, label="42")]},
            ("9", "42", "it", {"us": "9", "it": "42"}),
        ),
        (
            {"size_unit": "SIZE_UNIT_EU", "gender": "women", "allowed_sizes": [size(38.5, us=8)]},
            ("8", "38.5", "eu", {"us-w": "8", "eu": "38.5"}),
        ),
        (
            {"size_unit": "SIZE_UNIT_JP", "allowed_sizes": [size(28, us=10)]},
            ("10", "28", "cm", {"us": "10", "cm": "28"}),
        ),
        # A unit that nobody knows, and numbers as text.
        ({"size_unit": None, "allowed_sizes": [size("10.0")]}, ("10", "10.0", "us", {"us": "10"})),
        # A preschool's chart goes from children's sizes to youths'; a toddler's says so by its gender.
        ({"gender": "youth", "allowed_sizes": [size(11, label="11C")]}, ("11", "11C", "us-c", {"us-c": "11"})),
        ({"gender": "infant", "allowed_sizes": [size(9)]}, ("9", "9", "us-c", {"us-c": "9"})),
        ({"gender": "women", "allowed_sizes": [size(8, label="8W")]}, ("8", "8W", "us-w", {"us-w": "8"})),
        ({"allowed_sizes": [{"value": 10.50, "us_size_equivalent": "10.5"}]}, ("10.5", "10.5", "us", {"us": "10.5"})),
        ({"allowed_sizes": [size(0), size(100)]}, ("100", "100", "us", {"us": "100"})),
    ],
)
def test_sizes(change: Json, expected: tuple[Any, ...]) -> None:
    found = alias_with(page(item(**change))).search("DD1391-100")
    assert found is not None
    assert found.variants == (FoundVariant(*expected),)


# --- prices ---


def test_all_sizes_in_one_answer(calls: BudgetLog) -> None:
    rows = (row(10), row(10.5, ask="0", bid="0"), row("11", ask=25000, bid=24000.0))
    assert open_alias(Network(prices(*rows)), calls).quotes(CATALOG_ID, "10", "USD") == [
        _market("10", "239.00", "236.00"),
        _market("10.5", None, None),
        _market("11", "250.00", "240.00"),
    ]
    assert calls.taken == 1


def _market(size: str, ask: str | None, bid: str | None) -> MarketData:
    lowest, highest = (Decimal(amount) if amount else None for amount in (ask, bid))
    return MarketData(CATALOG_ID, size, "USD", lowest, highest, last_sale=Decimal("240.00"))


@pytest.mark.parametrize(
    "other",
    [
        row(0),
        row(10, ask="1", product_condition="PRODUCT_CONDITION_USED"),
        row(10, ask="1", packaging_condition="PACKAGING_CONDITION_BADLY_DAMAGED"),
        row(10, ask="1", product_condition="PRODUCT_CONDITION_INVALID", availability=None),
    ],
)
def test_only_new_in_a_good_box_and_of_a_size(other: Json) -> None:
    assert alias_with(prices(other, row(), other)).quotes(CATALOG_ID, "10", "USD") == [
        _market("10", "239.00", "236.00")
    ]


def test_consigned_and_not_are_one_market() -> None:
    rows = (row(ask="0", bid="100", consigned=True), row(ask="300", bid="0"), row(ask="200", bid="50", consigned=False))
    (data,) = alias_with(prices(*rows)).quotes(CATALOG_ID, "10", "USD")
    assert (data.lowest_ask, data.highest_bid) == (Decimal("2.00"), Decimal("1.00"))


@pytest.mark.parametrize("rows", [(), (row(11),)])
def test_a_size_that_is_left_out_has_no_market(rows: tuple[Json, ...]) -> None:
    data = alias_with(prices(*rows)).quotes(CATALOG_ID, "10", "USD")[-1]
    assert (data.variant_id, data.lowest_ask, data.highest_bid, data.last_sale) == ("10", None, None, None)


def test_only_dollars(calls: BudgetLog) -> None:
    with pytest.raises(BadRequest, match="USD only, not in EUR"):
        open_alias(Network(prices()), calls).quotes(CATALOG_ID, "10", "EUR")
    assert calls.taken == 0


def _prices_with(name: str, value: Any = None, *, gone: bool = False) -> Json:
    given = row()["availability"] | {name: value}
    return {"variants": [row(availability=without(given, name) if gone else given)]}


ASK, SALE = "lowest_listing_price_cents", "last_sold_listing_price_cents"


@pytest.mark.parametrize("value", [None, "", "0", 0])
def test_a_last_sale_may_be_missing_in_many_ways(value: Any) -> None:
    for body in (_prices_with(SALE, value), _prices_with(SALE, gone=True)):
        (data,) = alias_with(answer(200, body | {"brand_new": {}})).quotes(CATALOG_ID, "10", "USD")
        assert data.last_sale is None


@pytest.mark.parametrize(
    ("body", "ask", "place"),
    [
        (
            _prices_with(ASK, gone=True),
            "prices",
            r"\$\.variants\[0\]\.availability\.lowest_listing_price_cents is missing",
        ),
        (_prices_with(ASK, None), "prices", "lowest_listing_price_cents is missing"),
        (_prices_with(ASK, ""), "prices", "lowest_listing_price_cents is not a whole number"),
        (_prices_with(ASK, "239.50"), "prices", "lowest_listing_price_cents is not a whole number"),
        (_prices_with(ASK, "-100"), "prices", "lowest_listing_price_cents is not an amount of money"),
        (_prices_with(ASK, True), "prices", "lowest_listing_price_cents is true or false"),
        (_prices_with("highest_offer_price_cents", {"units": 3}), "prices", "highest_offer_price_cents is an object"),
        (_prices_with(SALE, "soon"), "prices", "last_sold_listing_price_cents is not a whole number"),
        ({"variants": [row(availability=None)]}, "prices", "lowest_listing_price_cents is missing"),
        ({"variants": [row(size=None)]}, "prices", r"\$\.variants\[0\]\.size is missing"),
        ({"variants": [row(size="ten")]}, "prices", r"\.size is not a number"),
        ({"variants": [without(row(), "product_condition")]}, "prices", "product_condition is missing"),
        ({"variants": [row(packaging_condition=1)]}, "prices", "packaging_condition is a number"),
        ({"variants": {}}, "prices", r"\$\.variants is an object"),
        ([], "prices", r"\$ is a list"),
        ({}, "search", r"\$\.catalog_items is missing"),
        ({"catalog_items": []}, "search", r"\$\.has_more is missing"),
        ({"catalog_items": [item(catalog_id=7)]}, "search", r"\$\.catalog_items\[0\]\.catalog_id is a number"),
        ({"catalog_items": [item(allowed_sizes=None)]}, "search", "allowed_sizes is missing"),
        (
            {"catalog_items": [item(allowed_sizes=[{"value": 10}])]},
            "search",
            r"allowed_sizes\[0\]\.us_size_equivalent is m",
        ),
        ({"catalog_items": [item(retail_price_cents="a lot")]}, "search", "retail_price_cents is not a whole number"),
        ({"catalog_item": None}, "product", r"\$\.catalog_item\.catalog_id is missing"),
    ],
)
def test_a_wrong_shape_is_named_and_tried_again(body: Any, ask: str, place: str) -> None:
    asks: dict[str, Callable[[Alias], object]] = {
        "prices": lambda alias: alias.quotes(CATALOG_ID, "10", "USD"),
        "search": lambda alias: alias.search("DD1391-100"),
        "product": lambda alias: alias.product(CATALOG_ID),
    }
    with pytest.raises(BadAnswer, match=f"alias GET /.*{place}") as caught:
        asks[ask](alias_with(answer(200, body)))
    assert caught.value.action == "retry"
