"""Amounts of money as pages write them. Two forms: what machines write, and what people read. Pure.

A wrong number is worse than none. So a text that could be read in two ways, or holds more than one number, is *unclear*
and gives None; so does one that says more than a price ("from 20", "29/mo", "20 % off").
"""

import re
import unicodedata
from decimal import Decimal
from typing import Final

MOST_CHARACTERS: Final = 64
MOST: Final = Decimal(100_000_000)

# Currencies that are written with a sign or an abbreviation of one meaning. "$" and "kr" have several.
_SIGNS: Final = {
    "€": "EUR",
    "£": "GBP",
    "₹": "INR",
    "₩": "KRW",
    "₽": "RUB",
    "₺": "TRY",
    "₫": "VND",
    "₴": "UAH",
    "₪": "ILS",
    "zł": "PLN",
    "Kč": "CZK",
    "Ft": "HUF",
    "lei": "RON",
    "US$": "USD",
    "C$": "CAD",
    "CA$": "CAD",
    "A$": "AUD",
    "AU$": "AUD",
    "HK$": "HKD",
    "NZ$": "NZD",
    "S$": "SGD",
    "R$": "BRL",
    "CHF": "CHF",
    "Fr.": "CHF",
}
_CODES: Final = (
    "AED AUD BGN BRL CAD CHF CLP CNY CZK DKK EUR GBP HKD HUF IDR ILS INR ISK JPY KRW MXN MYR NOK NZD PHP PLN RON RUB "
    "SAR SEK SGD THB TRY TWD UAH USD VND ZAR"
)
# Signs that several currencies share, and which. A dash in the place of the cents says nothing of the currency.
_DOLLARS: Final = "USD CAD AUD NZD HKD SGD MXN CLP TWD"
_CROWNS: Final = "SEK NOK DKK ISK"
_VAGUE: Final = {"$": _DOLLARS, "¥": "JPY CNY", **dict.fromkeys(("kr", "kr.", "Kr", "Kr."), _CROWNS)}
_DASHES: Final = (":-", ",-", ".-")
# ISO 4217: minor units where they are not two.
_MINOR: Final = {"CLP": 0, "ISK": 0, "JPY": 0, "KRW": 0, "VND": 0, "BHD": 3, "KWD": 3, "OMR": 3, "TND": 3, "JOD": 3}

# Besides these, a typographic apostrophe.
_QUOTES: Final = "' \u2019"
_GROUP = f"[.,{_QUOTES}]"


def machine(value: object) -> Decimal | None:
    """An amount in a machine's form: digits with at most one point; a number of JSON too. None if it is none, or 0."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    text = str(value).strip() if not isinstance(value, float) else repr(value)
    if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", text, re.ASCII):
        return None
    return _positive(Decimal(text))


def minor(value: object, currency: str | None, digits: int | None = None) -> Decimal | None:
    """An amount in minor units (cents). digits: how many there are, where the shop says so."""
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,14}", str(value), re.ASCII):
        return None
    places = minor_digits(currency) if digits is None else digits
    return _positive(Decimal(str(value)).scaleb(-places))


def minor_digits(currency: str | None) -> int:
    """How many decimals a currency has."""
    return _MINOR.get(currency or "", 2)


def currency(value: object) -> str | None:
    """An ISO 4217 code, in upper case; None if it is none."""
    text = str(value).strip().upper() if isinstance(value, str) else ""
    return text if re.fullmatch(r"[A-Z]{3}", text, re.ASCII) else None


def visible(text: str) -> tuple[Decimal, str | None] | None:
    """The one amount that `text` holds, and its currency where the sign tells; None where that is not certain."""
    if len(text) > MOST_CHARACTERS:
        return None
    plain = " ".join(unicodedata.normalize("NFKC", text).split())
    number = re.search(rf"[0-9](?:[0-9]|{_GROUP}(?=[0-9]))*", plain)
    if number is None:
        return None
    rest = f"{plain[: number.start()]}\0{plain[number.end() :]}"
    before, after = (part.strip() for part in rest.split("\0"))
    known, sign = _sign(before, after)
    if not known:
        return None
    amount = _amount(number[0], sign)
    return (amount, sign) if amount is not None else None


def _sign(before: str, after: str) -> tuple[bool, str | None]:
    """Whether what stands around a number says a currency and nothing else, and which."""
    found, shared = set[str](), set[str]()
    for word in f"{before} {after}".split():
        if word in _SIGNS:
            found.add(_SIGNS[word])
        elif word in _CODES.split():
            found.add(word)
        elif word in _VAGUE:
            shared.add(_VAGUE[word])
        elif word not in _DASHES:
            return False, None
    if len(found) > 1 or len(shared) > 1 or not (found or shared):
        return False, None
    code = next(iter(found), None)
    fits = code is None or all(code in codes.split() for codes in shared)
    return fits, code


def _amount(text: str, sign: str | None) -> Decimal | None:
    """The number that `text` is, if it can be read in one way only."""
    marks = [mark for mark in text if not mark.isdigit()]
    if not marks:
        return _positive(Decimal(text)) if len(text) <= 12 and not text.startswith("00") else None
    last = marks[-1]
    whole, _, tail = text.rpartition(last)
    if len(set(marks)) == 1 and len(marks) > 1:
        return _grouped(text, last)
    if len(set(marks)) > 1:
        # Two marks: the last is the decimal mark, if it stands once and is one; the others group.
        groups = set(marks[:-1])
        if last not in ".," or last in groups or len(groups) > 1 or not 1 <= len(tail) <= 2:
            return None
        number = _grouped(whole, marks[0])
        return None if number is None else _positive(number + Decimal(f"0.{tail}"))
    if last in _QUOTES:
        return _grouped(text, last)
    return _one_mark(whole, tail, sign)


def _one_mark(whole: str, tail: str, sign: str | None) -> Decimal | None:
    """One point or comma. With three digits behind it it groups, or it is a decimal mark: "0.999" could be either."""
    if len(whole) > 9 or (whole.startswith("0") and whole != "0"):
        return None
    if len(tail) in (1, 2):
        return _positive(Decimal(f"{whole}.{tail}"))
    if len(tail) == 3 and 1 <= len(whole) <= 3 and whole != "0" and minor_digits(sign) != 3:
        return _positive(Decimal(whole + tail))
    return None


def _grouped(text: str, mark: str) -> Decimal | None:
    """Digits in groups of three, or of two before the last three as in India."""
    head, *groups = text.split(mark)
    thousands = all(len(group) == 3 for group in groups)
    lakh = mark == "," and len(groups) > 1 and len(groups[-1]) == 3 and all(len(group) == 2 for group in groups[:-1])
    if not groups or head.startswith("0") or not 1 <= len(head) <= 3 or not (thousands or (lakh and len(head) <= 2)):
        return _positive(Decimal(text)) if not groups and text.isdigit() and len(text) <= 12 else None
    if not all(group.isdigit() for group in (head, *groups)):
        return None
    return _positive(Decimal(head + "".join(groups)))


def _positive(number: Decimal) -> Decimal | None:
    return number if 0 < number < MOST else None
