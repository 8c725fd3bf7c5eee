"""Amounts of money as callers give them: decimals in major units, exact, and written in one way. Pure."""

import re
from decimal import Decimal
from typing import Final

# ISO 4217: these have no minor unit.
_WHOLE: Final = frozenset({"CLP", "JPY", "KRW", "VND"})
_DECIMALS: Final = 2
MOST_AMOUNT: Final = Decimal(100_000_000)
_DECIMAL = r"-?[0-9]{1,15}(\.[0-9]{1,15})?"


def is_decimal(text: str) -> bool:
    """Whether `text` is written as an amount, also as a negative one."""
    return re.fullmatch(_DECIMAL, text) is not None


def amount(value: object, currency: str, *, or_zero: bool = False) -> str:
    """`value` as Sluice writes an amount: `150`, `150.50`. or_zero: nothing at all is an amount too.

    Raises:
        ValueError: it is none; says why.
    """
    if isinstance(value, bool) or not is_decimal(str(value)):
        raise ValueError('must be a decimal in major units, as "150.50"')
    number = Decimal(str(value))
    if or_zero and number < 0:
        raise ValueError("must not be negative")
    if not or_zero and number <= 0:
        raise ValueError("must be above zero")
    if number >= MOST_AMOUNT:
        raise ValueError(f"must be below {MOST_AMOUNT}")
    decimals = 0 if currency in _WHOLE else _DECIMALS
    if number != round(number, decimals):
        most = f"at most {decimals} decimals" if decimals else "no decimals"
        raise ValueError(f"must have {most} in {currency}")
    return plain(abs(number))  # Decimal knows a zero below zero


def plain(number: Decimal) -> str:
    """An amount as Sluice writes it: `150`, `150.50`, never `150.5` or `1.5E+2`."""
    return str(int(number)) if number == number.to_integral_value() else f"{number:.2f}"
