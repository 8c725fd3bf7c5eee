"""Squarespace: `Static.SQUARESPACE_CONTEXT = {…}` has the product with its variants."""

from typing import Any

from sluice.pages import money_text, reading
from sluice.pages.readers.page import PageSource, flag, identity, mapping, sequence, squeeze
from sluice.pages.reading import Availability, Money, Reading, ReadVariant

SOURCE = "squarespace"


def read(page: PageSource) -> Reading | None:
    """The variants of the page's context; None where it has no product."""
    for value in page.assigned(r"Static\.SQUARESPACE_CONTEXT\s*=\s*"):
        product = mapping(mapping(value).get("product"))
        rows = [mapping(row) for row in sequence(product.get("variants"))]
        variants = [_variant(row) for row in rows]
        if variants:
            title = squeeze(product.get("title")) or page.title
            return reading.product(
                SOURCE, title, variants, "the page's context", complete=all(one.id for one in variants)
            )
    return None


def _variant(row: dict[str, Any]) -> ReadVariant:
    sale = flag(row.get("onSale"))
    money = _money(row.get("salePrice")) if sale else _money(row.get("price"))
    return ReadVariant(
        id=identity(row.get("id")) or identity(row.get("sku")),
        options={
            squeeze(key)[:40]: squeeze(value)[:60]
            for key, value in mapping(row.get("attributes")).items()
            if squeeze(value)
        },
        price=money,
        availability=_stock(mapping(row.get("stock"))),
        sku=identity(row.get("sku")),
        text=f"price {_said(row.get('price'))}, sale {_said(row.get('salePrice')) if sale else 'none'}, "
        f"stock {mapping(row.get('stock')).get('quantity')}"[:200],
    )


def _money(value: Any) -> Money | None:
    """`{"currencyCode": "USD", "decimalValue": "19.99", "value": 1999}`: where both forms stand, they must agree."""
    said = mapping(value)
    code = money_text.currency(said.get("currencyCode") or said.get("currency"))
    exact, small = money_text.machine(said.get("decimalValue")), money_text.minor(said.get("value"), code)
    if code is None or (exact is not None and small is not None and exact != small):
        return None
    amount = exact if exact is not None else small
    return Money(amount, code) if amount is not None else None


def _stock(stock: dict[str, Any]) -> Availability:
    if flag(stock.get("unlimited")):
        return Availability.IN
    quantity = stock.get("quantity")
    if isinstance(quantity, bool) or not isinstance(quantity, int):
        return Availability.UNKNOWN
    return Availability.IN if quantity > 0 else Availability.OUT


def _said(value: Any) -> str:
    said = mapping(value)
    return f"{said.get('decimalValue') or said.get('value')} {said.get('currencyCode') or ''}".strip()
