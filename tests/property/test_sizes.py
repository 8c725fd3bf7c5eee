"""Sizes and SKUs in one spelling, whatever they are written like."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.catalog import charts
from sluice.catalog.charts import ChartVariant, NoVariant
from sluice.marketplaces import sizes, spreadsheets
from sluice.marketplaces.sizes import LETTERS, OWN, SYSTEMS, Size
from sluice.marketplaces.skus import compact, hyphenated, key, normal_sku, spelling, styles

HALVES = st.integers(1, 60).map(lambda half: Decimal(half) / 2)
THIRDS = st.tuples(st.integers(30, 50), st.sampled_from(["1/3", "2/3"])).map(lambda part: f"{part[0]} {part[1]}")
SYSTEM = st.sampled_from([None, *SYSTEMS])
BLANK = st.sampled_from(["", " ", "\u00a0", "\u202f", "  "])


def spellings(number: Decimal) -> list[str]:
    """Ways to write a number of halves."""
    whole, half = divmod(number, 1)
    written = [f"{number:.1f}", f"{number:.2f}", f"{number:.2f}".replace(".", ","), f"0{number}"]
    if not half:
        return [*written, str(int(whole))]
    return [*written, f"{whole} 1/2", f"{whole}½"] if whole else written


@given(HALVES, st.data(), BLANK, SYSTEM)
def test_a_number_has_one_name_however_it_is_written(
    number: Decimal, data: st.DataObject, blank: str, system: str | None
) -> None:
    text = blank + data.draw(st.sampled_from(spellings(number))) + blank
    assert sizes.read(text, system) == (f"{number.normalize():f}", system or OWN)


@given(THIRDS, BLANK)
def test_a_third_has_one_name(text: str, blank: str) -> None:
    whole, _, third = text.partition(" ")
    rounded = {"1/3": ["33", "333"], "2/3": ["66", "67", "667"]}[third]
    for written in (text, f"{whole}{blank}{'⅓' if third == '1/3' else '⅔'}", *(f"{whole}.{part}" for part in rounded)):
        assert sizes.read(f"EU {written}") == (text, "eu")


@given(HALVES, st.sampled_from(sorted(LETTERS)), st.booleans())
def test_the_letter_names_the_system_before_and_behind(number: Decimal, system: str, before: bool) -> None:
    name, letter = f"{number.normalize():f}", LETTERS[system]
    text = f"{letter} {number}" if before else f"{number}{letter.lower()}"
    for given_ in (None, system, "us"):
        assert sizes.read(text, given_) == (name, system)
    for other in {"uk", "eu", "cm", *LETTERS} - {system}:
        with pytest.raises(ValueError, match="names the size system"):
            sizes.read(text, other)


@given(st.text(max_size=20), SYSTEM)
def test_any_text_is_a_size_in_normal_form_or_is_refused(text: str, system: str | None) -> None:
    try:
        size = sizes.read(text, system)
    except ValueError:
        return
    assert sizes.stored(size.name, size.system) == size
    again = sizes.read(size.text, size.given_system)
    assert (again.name, again.system) == (size.name, size.system)
    assert ":" not in size.name


@given(st.text(max_size=70))
def test_any_text_is_a_sku_in_normal_form_or_is_refused(text: str) -> None:
    try:
        sku = normal_sku(text)
    except ValueError:
        return
    assert normal_sku(sku) == sku
    assert sku.isascii()
    assert styles(sku)[0] == sku
    assert compact(text) == compact(sku)
    assert key(key(sku)) == key(sku) == key(hyphenated(sku)) == key(spelling(sku))
    assert spelling(spelling(sku)) == spelling(sku) == spelling(hyphenated(sku))


SKUS = st.from_regex(r"[A-Z0-9][A-Z0-9._/ -]{0,20}", fullmatch=True)


@given(SKUS, SKUS)
def test_two_skus_have_one_key_exactly_where_they_are_the_same_without_what_separates(one: str, other: str) -> None:
    same = compact(one) == compact(other)
    reordered = sorted(compact(one).split("/")) == sorted(compact(other).split("/"))
    assert same <= (key(one) == key(other)) <= reordered


@given(
    st.from_regex(r"([A-Z]{2}[0-9]{4}|[0-9]{6})-[0-9]{3}", fullmatch=True), st.sampled_from(["", " ", "_", "--", " - "])
)
def test_a_style_of_nike_has_its_hyphen_however_it_is_written(style: str, mark: str) -> None:
    written = style.lower().replace("-", mark)
    assert key(written) == hyphenated(written) == spelling(written) == style


@pytest.mark.parametrize(
    ("sku", "name"),
    [
        ("1201A019-108", "1201A019108"),
        ("CP-9654", "CP9654"),
        ("CW2288-111/315122-111", "315122-111/CW2288-111"),
        ("315122111/cw2288 111", "315122-111/CW2288-111"),
        ("M/L-1", "M/L1"),
    ],
)
def test_the_key_of_a_sku(sku: str, name: str) -> None:
    assert key(sku) == name


@given(st.lists(HALVES, min_size=2, unique=True))
def test_sizes_are_listed_by_their_value(numbers: list[Decimal]) -> None:
    names = [f"{number.normalize():f}" for number in numbers]
    assert sizes.listed(names, most=len(names)).split(", ") == [f"{n.normalize():f}" for n in sorted(numbers)]


CHART = [
    ChartVariant("a", "10.5", "us-c", {"us-c": "10.5"}),
    ChartVariant("b", "1", "us", {"us": "1", "us-y": "1"}),
    ChartVariant("c", "1", "us-c", {"us-c": "1"}),
    ChartVariant("d", "2", "us", {"us": "2", "us-y": "2", "eu": "33"}),
    ChartVariant("e", "2.5", "us", {"us": "2.5", "us-y": "2.5", "eu": "33"}),
]


@pytest.mark.parametrize(
    ("text", "found"),
    [("10.5", "a"), ("10.5C", "a"), ("1Y", "b"), ("1C", "c"), ("2", "d"), ("3", None), ("10.5W", None)],
)
def test_a_size_is_the_variant_that_is_called_so(text: str, found: str | None) -> None:
    variant = charts.find(CHART, sizes.read(text))
    assert (variant.variant_id if variant else None) == found


@pytest.mark.parametrize(("text", "names"), [("1", "1 in us, 1 in us-c"), ("EU 33", "2 in us, 2.5 in us")])
def test_a_size_that_two_variants_are_called_is_refused_naming_both(text: str, names: str) -> None:
    with pytest.raises(NoVariant, match=f"may be {names}"):
        charts.find(CHART, sizes.read(text))


def test_a_youths_chart_of_an_older_spelling_is_one() -> None:
    rows = [[f"v-{size}", "us", {"us": size, "us-w": str(float(size) + 1.5)}] for size in ("3.5", "5", "7")]
    chart = charts.of_older_spelling(rows)  # type: ignore[arg-type]
    found = charts.find(chart, sizes.read("5Y"))
    assert found is not None
    assert (found.variant_id, found.size_system) == ("v-5", "us")
    assert charts.find(chart, sizes.read("5W")) is None
    men = charts.of_older_spelling([*rows, ["v-8", "us", {"us": "8"}]])  # type: ignore[list-item]
    assert charts.find(men, sizes.read("5Y")) is None


DAMAGED_SIZES = """10. Mai|7-Jun|7-jun|05. Okt|Jun 26|1. März 2026|10-May|May-10|10 mai|7 août|12-ene|10.05.2026
2026-05-10|5/10/26|45787|45787.5|10.05.|10 мая|5月10日|TRUE|wahr|VRAI|#N/A|#REF!|#DIV/0!|#NAME?|#NV|#BEZUG!|#####
1.05E+01|1,05E+01"""
DAMAGED_SKUS = "2.19E+26|2,19E+26|1.23E+12|1E+15|TRUE|False|FALSCH|7-Jun|10. Mai|05. Okt|1-Mar|2026-05-10|#REF!|#WERT!"


@pytest.mark.parametrize("cell", DAMAGED_SIZES.replace("\n", "|").split("|"))
def test_a_size_that_a_spreadsheet_has_changed_is_seen(cell: str) -> None:
    with pytest.raises(ValueError, match="a spreadsheet has changed this cell"):
        sizes.read(cell)


@pytest.mark.parametrize("cell", DAMAGED_SKUS.split("|"))
def test_a_sku_that_a_spreadsheet_has_changed_is_seen(cell: str) -> None:
    with pytest.raises(ValueError, match="a spreadsheet has changed this cell"):
        normal_sku(cell)


@pytest.mark.parametrize(
    "sku", ["45787", "MAR-10", "10-SET", "3-PRO", "DEC-100", "12E4", "555088-105", "3E5X", "99-88-77"]
)
def test_a_style_that_only_looks_a_little_like_it_is_none(sku: str) -> None:
    assert normal_sku(sku) == sku


@given(st.sampled_from(SYSTEMS), HALVES)
def test_no_size_of_a_shoe_looks_changed(system: str, number: Decimal) -> None:
    assert spreadsheets.changed_size(f"{number.normalize():f}") is None
    assert sizes.read(f"{number}", system) == Size(f"{number.normalize():f}", system)
