"""What is sold: size charts, ids, GTINs and the fuzzy search."""

import pytest

from local.sandbox import ids
from local.sandbox.catalog import sizes
from local.sandbox.catalog.catalog import SYNTHETIC, Catalog
from local.sandbox.catalog.golden import CARD, FIGURE, GOLDEN, NAMED
from local.sandbox.catalog.products import read_gtin

CATALOG = Catalog(1000)


def _labels(chart: tuple[sizes.Size, ...], value: str) -> dict[str, str]:
    return dict(next(size for size in chart if size.value == value).labels)


def test_the_golden_set_is_ten_styles_of_three_brands_charts_and_genders() -> None:
    assert len({product.style_id for product in GOLDEN}) == 10
    assert {"DD1391-100", "DZ5485-410", "DZ5485-612"} <= {product.style_id for product in GOLDEN}
    assert {product.gender for product in GOLDEN} == {"men", "women", "child"}


@pytest.mark.parametrize(
    ("chart", "value", "expected"),
    [
        (sizes.nike_men(), "10", ["US M 10", "US W 11.5", "UK 9", "CM 28", "KR 280", "EU 44"]),
        (sizes.nike_women(), "8W", ["US M 6.5", "US W 8", "UK 5.5", "CM 25", "KR 250", "EU 39"]),
        (sizes.nike_youth(), "4Y", ["US M 4", "US W 5.5", "UK 3.5", "CM 23", "KR 230", "EU 36"]),
        (sizes.adidas(), "9.5", ["US M 9.5", "US W 10.5", "UK 9", "CM 27.5", "KR 275", "EU 43 1/3"]),
        (sizes.new_balance(), "10", ["US M 10", "US W 11.5", "UK 9.5", "CM 28", "KR 280", "EU 44"]),
    ],
)
def test_a_size_has_a_label_in_each_system(chart: tuple[sizes.Size, ...], value: str, expected: list[str]) -> None:
    labels = _labels(chart, value)
    assert [labels[system] for system in sizes.SYSTEMS] == expected


def test_labels_that_two_sizes_would_share_are_told_apart() -> None:
    assert _labels(sizes.nike_men(), "6.5")["uk"] == "UK 6 (EU 39)"
    assert _labels(sizes.nike_men(), "7")["uk"] == "UK 6 (EU 40)"
    assert _labels(sizes.nike_men(), "5")["cm"] == "CM 23.5 (US M 5)"


@pytest.mark.parametrize("product", NAMED, ids=lambda product: product.url_key)
def test_every_label_of_a_chart_is_its_own(product: object) -> None:
    labels = [label for size in product.sizes for _, label in size.labels]  # type: ignore[attr-defined]
    assert len(labels) == len(set(labels))


def test_ids_are_uuids_that_never_change_and_can_be_read_back() -> None:
    assert ids.make("stockx product", 1) == ids.make("stockx product", 1)
    assert ids.read("stockx product", ids.make("stockx product", 1_000_042)) == (1_000_042, 0)
    assert ids.read("stockx variant", ids.make("stockx product", 1)) is None
    assert ids.read("stockx product", "not-an-id") is None


def test_a_gtin_finds_its_variant() -> None:
    variant = GOLDEN[0].variants[5]
    for _, gtin in variant.gtins:
        assert CATALOG.by_gtin(gtin) == variant
    upc = variant.gtins[0][1]
    assert read_gtin(upc[:-1] + str((int(upc[-1]) + 1) % 10)) is None
    assert CATALOG.by_gtin("194502876062") is None
    assert GOLDEN[0].variants[3].gtins == ()


def test_synthetic_products_are_made_when_asked_for() -> None:
    first, last = CATALOG.product(SYNTHETIC + 1), CATALOG.product(SYNTHETIC + 1000)
    assert first is not None
    assert last is not None
    assert (first.style_id, last.style_id) == ("SLUICE-00001", "SLUICE-01000")
    assert CATALOG.product(SYNTHETIC + 1001) is None
    assert CATALOG.product(SYNTHETIC) is None


def _styles(query: str) -> list[str | None]:
    return [product.style_id for product in CATALOG.search(query)]


def test_search_shows_neighbours_beside_the_style_that_was_asked_for() -> None:
    assert _styles("DD1391-100")[0] == "DD1391-100"
    assert {"DD1391-101", "DD1399-100", "DD1399-105"} <= set(_styles("dd1391-100"))
    assert _styles("SLUICE-00500")[:3] == ["SLUICE-00500", "SLUICE-00501", "SLUICE-00499"]


def test_search_for_an_unknown_style_shows_neighbours_only() -> None:
    found = _styles("DD1391-109")
    assert found
    assert "DD1391-109" not in found
    assert _styles("QQ0000-000") == []
    assert "SLUICE-01001" not in _styles("SLUICE-01001")


def test_search_finds_by_words_by_gtin_and_by_half_of_a_double_style() -> None:
    assert _styles("Travis Scott Reverse Mocha")[0] == "DM7866-162"
    assert _styles(GOLDEN[1].variants[0].gtins[0][1]) == ["DZ5485-410"]
    assert "315115-112/DD8959-100" in _styles("DD8959-100")


def test_there_is_a_product_for_each_kind() -> None:
    assert (CARD.product_type, FIGURE.product_type) == ("trading-cards", "collectibles")
    assert {"sneakers", "trading-cards", "collectibles", "apparel"} <= {product.product_type for product in NAMED}
