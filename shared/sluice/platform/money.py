"""Amounts of money as callers give them: decimals in major units, exact, and written in one way. Pure."""

import re
from decimal import Decimal
from typing import Final

# ISO 4217, amendment 176: currencies whose minor unit is not a hundredth, by the number of its decimals.
_DECIMALS_OF: Final = {
    currency: decimals
    for decimals, currencies in (
        (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
        (3, "BHD IQD JOD KWD LYD OMR TND"),
        (4, "CLF UYW"),
    )
    for currency in currencies.split()
}
_USUAL_DECIMALS: Final = 2
MOST_AMOUNT: Final = Decimal(100_000_000)
_DECIMAL = r"-?[0-9]{1,15}(\.[0-9]{1,15})?"


def is_decimal(text: str) -> bool:
    """Whether `text` is written as an amount, also as a negative one."""
    return re.fullmatch(_DECIMAL, text) is not None


def decimals(currency: str) -> int:
    """How many decimals an amount in `currency` has: 2 in USD, 0 in JPY, 3 in KWD."""
    return _DECIMALS_OF.get(currency, _USUAL_DECIMALS)


def amount(value: object, currency: str, *, or_zero: bool = False) -> str:
    """`value` as Sluice writes an amount: `150`, `150.50`. or_zero: nothing at all is an amount too.

    More decimals than the currency has are refused as they are *written*, also when they are zeros: `1.000` is one
    dollar to us, and was a thousand to whoever separates thousands by a point.

    Raises:
        ValueError: it is none; says why.
    """
    if isinstance(value, bool) or not is_decimal(str(value)):
        raise ValueError('must be a decimal in major units, as "150.50"')
    written = str(value)
    number = Decimal(written)
    if or_zero and number < 0:
        raise ValueError("must not be negative")
    if not or_zero and number <= 0:
        raise ValueError("must be above zero")
    if number >= MOST_AMOUNT:
        raise ValueError(f"must be below {MOST_AMOUNT}")
    most = decimals(currency)
    if len(written.partition(".")[2]) > most:
        allowed = f"at most {most} decimals" if most else "no decimals"
        raise ValueError(f"must have {allowed} in {currency}; write thousands without a separator")
    return plain(abs(number))  # Decimal knows a zero below zero


def plain(number: Decimal) -> str:
    """An amount as Sluice writes it, without losing a digit: `150`, `150.50`, `1.255`, never `150.5` or `1.5E+2`."""
    if number == number.to_integral_value():
        return str(int(number))
    shown = f"{number.normalize():f}"
    places = len(shown.partition(".")[2])
    return shown + "0" * (_USUAL_DECIMALS - places)


def is_whole(written: str) -> bool:
    """Whether an amount is a whole number of major units."""
    return Decimal(written) == Decimal(written).to_integral_value()
