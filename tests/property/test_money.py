"""Money on its way from an answer to a stored price: exact, in any spelling, and never a float."""

import ast
import json
import statistics
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.marketplaces.alias import adapter as alias
from sluice.marketplaces.ebay import adapter as ebay
from sluice.marketplaces.http import fields
from sluice.marketplaces.http.errors import BadAnswer, BadRequest
from sluice.marketplaces.http.exchange import Answer
from sluice.marketplaces.http.fields import Value
from sluice.marketplaces.stockx import adapter as stockx

SHARED = Path(__file__).resolve().parents[2] / "shared" / "sluice"
# Whatever touches an amount.
MONEY = [
    *(SHARED / "market").glob("*.py"),
    *(SHARED / "pricing").glob("*.py"),
    *(SHARED / "inventory").glob("*.py"),
    SHARED / "platform" / "money.py",
    *(
        SHARED / "marketplaces" / f"{name}.py"
        for name in ("alias/adapter", "ebay/adapter", "http/fields", "products", "stockx/adapter")
    ),
]

CENTS = st.integers(0, 10**12)
AMOUNTS = st.builds(lambda cents: f"{cents // 100}.{cents % 100:02d}", CENTS)
# What no marketplace should ever send as an amount.
NONSENSE = st.one_of(
    st.booleans(),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.integers(max_value=-1),
    st.sampled_from(["", " ", "n/a", "1,5", "1e3", "NaN", "Infinity", "-0.01", "0x10", "١٢", "1_000", "9" * 40, "+1"]),
)


def _read(document: Any) -> Value:
    return fields.read(Answer("test GET /", 200, {}, json.dumps(document).encode()))


@given(CENTS, st.booleans())
def test_cents_are_exact_as_text_and_as_number(cents: int, text: bool) -> None:
    amount = _read({"cents": str(cents) if text else cents})["cents"].cents()
    assert type(amount) is Decimal
    assert amount * 100 == cents
    assert str(amount) == f"{cents // 100}.{cents % 100:02d}"


@given(AMOUNTS)
def test_an_amount_is_as_it_was_written(text: str) -> None:
    assert str(_read({"value": text})["value"].money()) == text


@given(AMOUNTS)
def test_a_number_is_read_digit_by_digit(text: str) -> None:
    """JSON's numbers have no digits of their own: 0.1 is read as 0.1, not as the nearest power of two."""
    body = f'{{"value": {text}}}'.encode()
    amount = fields.read(Answer("test GET /", 200, {}, body))["value"].money()
    assert (type(amount), str(amount)) == (Decimal, text)


@given(NONSENSE)
def test_what_is_no_amount_is_never_taken_for_one(value: Any) -> None:
    field = _read({"value": value})["value"]
    with pytest.raises(BadAnswer):
        field.money()
    with pytest.raises(BadAnswer):
        field.cents()


@given(st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: number != int(number)))
def test_cents_have_no_fractions(number: float) -> None:
    with pytest.raises(BadAnswer):
        _read({"cents": number})["cents"].cents()


@given(CENTS, CENTS)
def test_alias_says_none_by_zero(ask: int, bid: int) -> None:
    prices = {"lowest_listing_price_cents": str(ask), "highest_offer_price_cents": bid}
    data = alias._market_data(_read(prices), "product", "10")
    assert [data.lowest_ask, data.highest_bid] == [Decimal(cents) / 100 if cents else None for cents in (ask, bid)]


def _item(value: str, currency: str) -> dict[str, Any]:
    price = {"value": value, "currency": currency}
    return {"title": "Shoe SKU-1", "price": price, "buyingOptions": ["FIXED_PRICE"], "conditionId": "1000"}


@given(st.lists(AMOUNTS, max_size=20), st.sampled_from(sorted(ebay.SITES)))
def test_ebays_lowest_and_middle_ask_are_asks(amounts: list[str], currency: str) -> None:
    body = {"total": len(amounts), "itemSummaries": [_item(amount, currency) for amount in amounts]}
    data = ebay._market_data(_read(body), "SKU-1", "us:10", currency)
    asks = sorted(map(Decimal, amounts))
    assert data.lowest_ask == min(asks, default=None)
    assert data.median_ask == (statistics.median_low(asks) if asks else None)
    assert (data.asks, data.currency) == (len(asks), currency)


@given(AMOUNTS, st.sampled_from(sorted(ebay.SITES)), st.text(max_size=4))
def test_ebay_never_gives_an_amount_of_another_currency(amount: str, asked: str, given_: str) -> None:
    body = _read({"total": 1, "itemSummaries": [_item(amount, given_)]})
    if given_ == asked:
        assert ebay._market_data(body, "SKU-1", "us:10", asked).lowest_ask == Decimal(amount)
        return
    with pytest.raises(BadAnswer):
        ebay._market_data(body, "SKU-1", "us:10", asked)


@given(st.lists(st.dictionaries(st.text(max_size=8), st.integers(), max_size=2), min_size=1, max_size=3))
def test_ebay_gives_no_amount_beside_a_warning(warnings: list[dict[str, int]]) -> None:
    body = _read({"total": 1, "itemSummaries": [_item("1.00", "USD")], "warnings": warnings})
    with pytest.raises(BadRequest):
        ebay._market_data(body, "SKU-1", "us:10", "USD")


@given(AMOUNTS, st.text(max_size=4))
def test_stockx_never_gives_an_amount_of_another_currency(amount: str, given_: str) -> None:
    body = {"productId": "p", "variantId": "v", "currencyCode": given_, "lowestAskAmount": amount}
    if given_ == "USD":
        assert stockx._market_data(_read(body), "p", "USD").lowest_ask == Decimal(amount)
        return
    with pytest.raises(BadAnswer):
        stockx._market_data(_read(body), "p", "USD")


@pytest.mark.parametrize("path", MONEY, ids=lambda path: path.relative_to(SHARED).as_posix())
def test_nothing_that_touches_money_knows_a_float(path: Path) -> None:
    found = [
        getattr(node, "lineno", 1) for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if _is_float(node)
    ]
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [lines[number - 1].strip() for number in found if "SECONDS" not in lines[number - 1]] == []


def _is_float(node: ast.AST) -> bool:
    """The name, a literal, or a division, which makes one of whole numbers."""
    match node:
        case ast.Name(id="float") | ast.BinOp(op=ast.Div()):
            return True
        case ast.Constant(value=float()):
            return True
    return False


def test_the_check_sees_a_float() -> None:
    for text in ("float(x)", "1.5", "a / b"):
        assert any(map(_is_float, ast.walk(ast.parse(text))))
    assert not any(map(_is_float, ast.walk(ast.parse("a // b + 1"))))
