"""Amounts that people read: the right number or none, in every way that shops write them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.pages import money_text

READ = {
    "€ 19,99": ("19.99", "EUR"),
    "19,99 €": ("19.99", "EUR"),
    "1.099,00 €": ("1099.00", "EUR"),
    "1099,00 €": ("1099.00", "EUR"),
    "1.299 kr": ("1299", None),
    "1 299 kr": ("1299", None),
    "1\u202f299,50 €": ("1299.50", "EUR"),
    "1\u00a0299,50 Kč": ("1299.50", "CZK"),
    "CHF 1'299.50": ("1299.50", "CHF"),
    "CHF 1\u2019299.50": ("1299.50", "CHF"),
    "£1,299": ("1299", "GBP"),
    "$20": ("20", None),
    "US$ 20.00": ("20.00", "USD"),
    "20 USD": ("20", "USD"),
    "₹1,23,456.00": ("123456.00", "INR"),
    "₹12,34,567": ("1234567", "INR"),
    "\uff11\uff19\uff0e\uff19\uff19 €": ("19.99", "EUR"),
    "¥12,800": ("12800", None),
    "199,- kr": ("199", None),
    "2879.2 €": ("2879.20", "EUR"),
}
UNCLEAR = [
    *(
        "0.999 €",
        "was 199 € now 149 €",
        "from € 20",
        "€ 20 \u2013 35",
        "29 €/mo",
        "free",
        "20 % off",
        "",
        "€",
        "12345",
        "0 €",
    ),
    *("0,00 €", "1.2.3 €", "1,23,45 €", "1.2345 €", "12,3456 €", "-5 €", "5 € 6 €", "€ 5 $", "5 EUR USD", "1'2 CHF"),
    *("1.299.5 €", "1,299,50 €", "007 €", "20 pcs", "Size 42 €", "€ 1 2", "1..5 €", "x" * 100, "save 5 €", "ab 20 €"),
]


@pytest.mark.parametrize("text", READ)
def test_what_can_be_read_in_one_way_is_read(text: str) -> None:
    amount, currency = READ[text]
    assert money_text.visible(text) == (Decimal(amount), currency)


@pytest.mark.parametrize("text", UNCLEAR)
def test_what_has_two_readings_or_none_is_unclear(text: str) -> None:
    assert money_text.visible(text) is None


# How a shop may write an amount: the mark that groups, the decimal mark, and what stands around it.
STYLES = [(group, mark) for group in ("", ".", ",", " ", "\u202f", "'") for mark in (".", ",") if group != mark]
AROUND = ["{} €", "€{}", "EUR {}", "{} EUR"]


def grouped(number: int, mark: str) -> str:
    return f"{number:,}".replace(",", mark)


@given(
    st.integers(1, 99_999_999),
    st.integers(0, 99),
    st.sampled_from(STYLES),
    st.sampled_from(AROUND),
    st.booleans(),
)
def test_no_amount_is_ever_read_as_another(
    whole: int, cents: int, style: tuple[str, str], around: str, fraction: bool
) -> None:
    group, mark = style
    number = grouped(whole, group) + (f"{mark}{cents:02d}" if fraction else "")
    found = money_text.visible(around.format(number))
    assert found is None or found == (Decimal(f"{whole}.{cents:02d}" if fraction else whole), "EUR")


@given(st.integers(1, 99_999_999), st.integers(0, 99), st.sampled_from(STYLES))
def test_an_amount_with_cents_is_read(whole: int, cents: int, style: tuple[str, str]) -> None:
    group, mark = style
    text = f"{grouped(whole, group)}{mark}{cents:02d} €"
    assert money_text.visible(text) == (Decimal(f"{whole}.{cents:02d}"), "EUR")


@given(st.text(alphabet="0123456789.,' €$kr-\u2013%", max_size=20))
def test_any_text_has_an_amount_of_its_own_digits_or_none(text: str) -> None:
    found = money_text.visible(text)
    if found:
        digits = "".join(character for character in text if character.isdigit()).lstrip("0")
        assert str(found[0]).replace(".", "").lstrip("0").rstrip("0") == digits.rstrip("0")


@pytest.mark.parametrize(
    "value", ["19,99", "1.2.3", "", " ", "abc", "1e5", "-3", "0", "0.00", None, True, [], "1" * 20, "٣"]
)
def test_machines_write_digits_with_at_most_one_point(value: object) -> None:
    assert money_text.machine(value) is None


@given(st.decimals(min_value="0.01", max_value="99999999", places=2))
def test_two_spellings_of_a_machine_are_one_price(amount: Decimal) -> None:
    assert money_text.machine(str(amount)) == money_text.machine(f"{amount}0") == amount


@pytest.mark.parametrize(
    ("value", "currency", "amount"),
    [(12900, "EUR", "129"), ("12900", "EUR", "129"), (12900, "JPY", "12900"), (12900, "KWD", "12.9"), (0, "EUR", None)],
)
def test_minor_units_are_those_of_the_currency(value: object, currency: str, amount: str | None) -> None:
    assert money_text.minor(value, currency) == (Decimal(amount) if amount else None)
    assert money_text.minor(1.5, currency) is None
