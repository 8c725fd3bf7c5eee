"""What is read in the pages of each shop system, and in those that hold no price."""

from decimal import Decimal

import pytest

from sluice.pages.readers import shopify
from sluice.pages.readers.page import PageSource
from sluice.pages.reading import Availability, Money, ReadOutcome
from tests.support.pages import URL, fixture, ld, offer, read, text

IN, OUT, PRE, UNKNOWN = Availability.IN, Availability.OUT, Availability.PREORDER, Availability.UNKNOWN

# System: title, then for each variant its id, price, currency, availability, options, sku, GTIN.
Expected = tuple[str, list[tuple[str, str, str, Availability, dict[str, str], str, str]]]
EXPECTED: dict[str, Expected] = {
    "shopify": (
        "Harbour Runner",
        [
            ("9001", "129.00", "EUR", IN, {"Size": "41"}, "HR-41", "4006381333931"),
            ("9002", "119.50", "EUR", OUT, {"Size": "42"}, "HR-42", ""),
            ("9003", "129.00", "EUR", UNKNOWN, {"Size": "43"}, "HR-43", ""),
        ],
    ),
    "woocommerce": (
        "Pinewood Mug",
        [
            ("551", "14.5", "GBP", IN, {"colour": "green"}, "PM-G", ""),
            ("552", "18", "GBP", OUT, {"colour": "blue"}, "PM-B", ""),
        ],
    ),
    "magento": (
        "Fell Jacket",
        [("301", "1499", "SEK", IN, {"Size": "S"}, "FJ-S", ""), ("302", "1999", "SEK", OUT, {"Size": "M"}, "FJ-M", "")],
    ),
    "bigcommerce": ("Quay Lamp", [("", "1249", "USD", IN, {}, "QL-1", "036000291452")]),
    "prestashop": ("Vase Lumière", [("12-34", "35.91", "EUR", OUT, {"Couleur": "Rouge"}, "VL-R", "4006381333931")]),
    "shopware": ("Brunnen Kanne", [("", "54.95", "EUR", IN, {}, "BK-7", "4006381333931")]),
    "squarespace": (
        "Clay Bowl",
        [
            ("v-1", "36.00", "USD", IN, {"Glaze": "Ash"}, "CB-1", ""),
            ("v-2", "48.00", "USD", OUT, {"Glaze": "Salt"}, "CB-2", ""),
        ],
    ),
    "wix": ("Tide Print", [("", "22", "EUR", IN, {}, "", "")]),
    "jsonld": (
        "Ridge Boot",
        [
            ("RB-41", "189.5", "CHF", IN, {"size": "41"}, "RB-41", "4006381333931"),
            ("RB-42", "189.50", "CHF", PRE, {"size": "42"}, "RB-42", ""),
        ],
    ),
    "opengraph": ("Attic Chair", [("", "310.00", "DKK", OUT, {}, "", "")]),
}
SOURCES = {"shopware": "microdata", "jsonld": "json-ld"}


@pytest.mark.parametrize("system", EXPECTED)
def test_each_system_is_read_by_its_own_data(system: str) -> None:
    title, variants = EXPECTED[system]
    reading = fixture(system)
    assert (reading.outcome, reading.source) == (ReadOutcome.PRODUCT, SOURCES.get(system, system))
    assert reading.title == title
    found = [(v.id, v.price, v.availability, dict(v.options), v.sku, v.gtin) for v in reading.variants]
    assert found == [
        (own, Money(Decimal(price), currency), stock, options, sku, gtin)
        for own, price, currency, stock, options, sku, gtin in variants
    ]
    assert all(variant.text for variant in reading.variants)


def test_shopify_asks_for_its_data_in_the_locale_of_the_page() -> None:
    page = PageSource("https://northpier.example/de-ch/collections/all/products/harbour-runner", text("shopify.html"))
    base = "https://northpier.example/de-ch"
    assert shopify.more(page) == [f"{base}/products/harbour-runner.js", f"{base}/cart.js"]
    assert shopify.more(PageSource(URL, text("wix.html"))) == []


def test_shopify_without_its_data_is_read_by_json_ld() -> None:
    reading = read(text("shopify.html"), more=[None, None])
    assert (reading.source, reading.variants[0].availability) == ("json-ld", IN)


def test_shopify_without_a_currency_has_no_price_and_keeps_the_stock() -> None:
    reading = read(text("shopify.html"), more=[{"variants": [{"id": 1, "price": 999, "available": False}]}, None])
    assert [(v.price, v.availability) for v in reading.variants] == [(None, OUT)]


def test_the_shops_own_data_wins_over_json_ld_that_says_in_stock() -> None:
    assert fixture("prestashop").variants[0].availability is OUT
    assert '"availability":"https://schema.org/InStock"' in text("prestashop.html")


def test_woocommerce_above_thirty_variations_falls_back() -> None:
    page = text("woocommerce.html").split("data-product_variations=")[0] + 'data-product_variations="false"></form>'
    assert read(page).outcome is ReadOutcome.PRODUCT  # its stock is known, and its price spans
    assert read(page).variants[0].price is None


def test_prestashop_without_a_quantity_has_an_unknown_stock() -> None:
    page = text("prestashop.html").replace("&quot;quantity&quot;:0,", "")
    assert read(page).variants[0].availability is UNKNOWN


def test_magento_that_does_not_say_what_can_be_bought() -> None:
    page = text("magento.html").replace('"salable":{"93":{"5":["301"],"6":[]}},', "")
    assert {variant.availability for variant in read(page).variants} == {UNKNOWN}


def test_bigcommerce_with_a_price_range_has_no_price() -> None:
    spans = '"price_range":{"min":{"with_tax":{"value":10}},"max":{"with_tax":{"value":20}}}'
    assert read(text("bigcommerce.html").replace('"price_range":[]', spans)).variants[0].price is None


def test_squarespace_whose_two_forms_of_a_price_differ_has_none() -> None:
    page = text("squarespace.html").replace('"value":3600', '"value":36')
    assert [variant.price is None for variant in read(page).variants] == [True, False]


AVAILABILITIES = [
    *[(form, IN) for form in ("https://schema.org/InStock", "http://schema.org/InStock", "schema:InStock", "InStock")],
    *[("in stock", IN), ("LimitedAvailability", IN), ("https://schema.org/OutOfStock", OUT), ("SoldOut", OUT)],
    *[("Discontinued", OUT), ("PreOrder", PRE), ("BackOrder", Availability.BACKORDER), ("Perhaps", UNKNOWN)],
    *[({"@id": "http://schema.org/InStock"}, IN), (None, UNKNOWN), (7, UNKNOWN)],
]


@pytest.mark.parametrize(("said", "known"), AVAILABILITIES)
def test_availability_is_read_in_each_of_its_forms(said: object, known: Availability) -> None:
    assert read(ld(offer(availability=said))).variants[0].availability is known


OFFERS = [
    # An offer, and its price; None where it is not certain.
    ({"price": "2879.2"}, "2879.20"),
    ({"price": 19.99}, "19.99"),
    ({"price": "1.099,00"}, None),
    ({"price": "1,099.00"}, None),
    ({"price": "from 20"}, None),
    ({"price": 0}, None),
    ({"price": "-5"}, None),
    ({"price": True}, None),
    ({"price": "20", "priceCurrency": None}, None),
    ({"price": "20", "priceCurrency": "Euro"}, None),
    ({"@type": "AggregateOffer", "price": None, "lowPrice": "20", "highPrice": "35"}, None),
    ({"@type": "AggregateOffer", "price": None, "lowPrice": "20", "highPrice": "20.00"}, "20"),
    ({"price": None, "priceSpecification": {"price": "49.00", "priceCurrency": "EUR"}}, "49"),
    (
        {
            "price": None,
            "priceSpecification": [
                {"price": "99.00", "priceType": "https://schema.org/ListPrice"},
                {"price": "79.00", "priceType": "https://schema.org/SalePrice"},
            ],
        },
        "79",
    ),
    (
        {"price": None, "priceSpecification": [{"price": "99", "priceType": "StrikethroughPrice"}, {"price": "79"}]},
        "79",
    ),
    ({"price": None, "priceSpecification": [{"price": "99"}, {"price": "79"}]}, None),
]


@pytest.mark.parametrize(("fields", "price"), OFFERS)
def test_what_is_paid_is_read_and_nothing_else(fields: dict[str, object], price: str | None) -> None:
    found = read(ld(offer(**fields))).variants[0].price
    assert found == (Money(Decimal(price), "EUR") if price else None)


def test_offers_inside_an_aggregate_offer_are_its_variants() -> None:
    inner = [{"sku": "A", "price": "10", "availability": "InStock"}, {"sku": "B", "price": "12"}]
    reading = read(ld(offer(**{"@type": "AggregateOffer", "price": None, "offers": inner})))
    assert [(v.id, v.price) for v in reading.variants] == [
        ("A", Money(Decimal(10), "EUR")),
        ("B", Money(Decimal(12), "EUR")),
    ]


def test_two_products_on_one_page_are_unclear() -> None:
    other = offer(price="5").replace("Ridge Boot", "Laces").replace('"RB"', '"LA"')
    assert read(ld(offer(), other)).outcome is ReadOutcome.UNCLEAR


def test_the_product_that_names_the_pages_address_is_the_one() -> None:
    mine = offer()[:-1] + f', "url": "{URL}"}}'
    other = offer(price="5").replace("Ridge Boot", "Laces").replace('"RB"', '"LA"')
    assert read(ld(other, mine)).variants[0].price == Money(Decimal(100), "EUR")


def test_related_products_without_offers_do_no_harm() -> None:
    related = '{"@type": "Product", "name": "Laces"}'
    assert read(ld(related, offer())).title == "Ridge Boot"


def test_a_page_that_only_recommends_another_product_is_unclear() -> None:
    """As a page does that is no more and says so to people alone."""
    other = (
        offer(price="5").replace("Ridge Boot", "Laces")[:-1] + ', "url": "https://northpier.example/products/laces"}'
    )
    assert read(ld(other, body="<h1>Sorry, this one is sold for good</h1>")).outcome is ReadOutcome.UNCLEAR
    named = other.replace("Laces", "Ridge Boot")
    assert read(ld(named)).outcome is ReadOutcome.PRODUCT, "an odd address alone makes it no other product"


def test_a_price_behind_a_login_is_unclear() -> None:
    reading = read(ld(offer(price="", availability="https://schema.org/OutOfStock")))
    assert (reading.outcome, reading.variants[0].price) == (ReadOutcome.UNCLEAR, None)


@pytest.mark.parametrize(
    "page",
    [
        '<html><head><title>Shop</title><script>window.x=1</script></head><body><div id="root"></div></body></html>',
        "<html><head><title>Sorry</title></head><body><h1>Page not found</h1><p>We looked.</p></body></html>",
        "",
        "plain words",
    ],
)
def test_a_page_without_a_product_is_none(page: str) -> None:
    reading = read(page)
    assert (reading.outcome, reading.variants) == (ReadOutcome.NO_PRODUCT, ())
    assert reading.seen


VISIBLE = '<h1>Lamp</h1><p class="price">{}</p><form action="/cart/add"><button type="submit">Buy</button></form>'


@pytest.mark.parametrize(
    ("shown", "price"), [("€ 19,99", "19.99"), ("from € 20", None), ("$ 20", None), ("was 199 € now 149 €", None)]
)
def test_visible_text_is_the_last_source_and_strict(shown: str, price: str | None) -> None:
    reading = read(VISIBLE.format(shown))
    assert reading.source == "text"
    assert reading.outcome is (ReadOutcome.PRODUCT if price else ReadOutcome.UNCLEAR)
    assert reading.variants[0].price == (Money(Decimal(price), "EUR") if price else None)


def test_variants_that_cannot_be_told_apart_are_not_kept() -> None:
    twice = {"variants": [{"id": 1, "price": 100}, {"id": 1, "price": 200}, {"id": 2, "price": 300}]}
    assert [v.id for v in read(text("shopify.html"), more=[twice, {"currency": "EUR"}]).variants] == ["2"]
