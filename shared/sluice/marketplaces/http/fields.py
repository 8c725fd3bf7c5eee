"""Readers of JSON answers: typed, and as forgiving as is safe.

Unknown fields are never looked at. What a job needs is required, and anything else in its place is a `BadAnswer` that
names the place: `stockx GET /search: $.products[0].productId is missing`. What only decorates may be missing or odd.
Money is `Decimal`, from a string or a number, and never a float on its way.
"""

import json
import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sluice.marketplaces.http.errors import BadAnswer
from sluice.marketplaces.http.exchange import Answer
from sluice.platform.clock import from_iso
from sluice.platform.unicode_text import well_formed

# No price has more digits; a number such as 1e999999 must not be written out.
_MONEY = re.compile(r"[0-9]{1,12}(\.[0-9]{1,4})?")
_WHOLE = re.compile(r"-?[0-9]{1,18}")
# How JSON spells a half of a surrogate pair, and the bytes by which UTF-8 would, were it allowed to: in few answers.
_SURROGATE = rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]"
_NAMES = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "a number", Decimal: "a number"}


@dataclass(frozen=True)
class Value:
    """A value of an answer and where it stands. A field that is missing is a value of None, as null is."""

    raw: Any = field(repr=False)
    where: str

    def __getitem__(self, name: str) -> "Value":
        """The field `name` of this object."""
        inside = {} if self.raw is None else self._of(dict)
        return Value(inside.get(name), f"{self.where}.{name}")

    def has(self, name: str) -> bool:
        """Whether this object has the field `name`, if only as null."""
        return isinstance(self.raw, dict) and name in self.raw

    def rows(self) -> "list[Value]":
        """The items of this list."""
        return [Value(item, f"{self.where}[{place}]") for place, item in enumerate(self._of(list))]

    def optional_rows(self) -> "list[Value]":
        """The items of this list; none when there is no list."""
        return [] if self.raw is None else self.rows()

    def text(self) -> str:
        """Text that is not blank. A number is none: an id that lost its quotes may have lost digits too."""
        text: str = self._of(str)
        if not text.strip():
            raise self._wrong("is blank")
        return text

    def optional_text(self) -> str | None:
        """Text that only decorates: None when it is missing, blank or no text."""
        if isinstance(self.raw, int | Decimal) and not isinstance(self.raw, bool):
            return str(self.raw)
        return self.raw if isinstance(self.raw, str) and self.raw.strip() else None

    def optional_time(self) -> int | None:
        """A time as epoch ms that only decorates: None when it is missing or no time with its zone."""
        try:
            return from_iso(self.optional_text() or "")
        except ValueError:
            return None

    def flag(self) -> bool:
        """True or false."""
        flag: bool = self._of(bool)
        return flag

    def whole(self) -> int:
        """A whole number, also as text (`"13"`) or with a fraction of zero (`13.0`)."""
        text = self._number().removesuffix(".0")
        if not _WHOLE.fullmatch(text):
            raise self._wrong("is not a whole number")
        return int(text)

    def decimal(self) -> Decimal:
        """A number that is not negative, also as text: a size (`10.5`)."""
        return self._decimal("is not a number of usual length")

    def money(self) -> Decimal:
        """An amount that is not negative, in the unit that the marketplace uses."""
        return self._decimal("is not an amount of money")

    def cents(self) -> Decimal:
        """An amount in hundredths, as its major unit: `"23900"` is 239.00."""
        hundredths = self.whole()
        if hundredths < 0:
            raise self._wrong("is not an amount of money")
        return Decimal(hundredths).scaleb(-2)

    def optional_money(self) -> Decimal | None:
        """An amount, or None when it is missing, null or blank. Anything else is no amount, and not "none" either."""
        return None if self.raw is None or self.raw == "" else self.money()

    def _decimal(self, otherwise: str) -> Decimal:
        text = self._number()
        if not _MONEY.fullmatch(text):
            raise self._wrong(otherwise)
        return Decimal(text)

    def _number(self) -> str:
        if self.raw is None:
            raise self._wrong("is missing")
        if isinstance(self.raw, bool) or not isinstance(self.raw, str | int | Decimal):
            raise self._wrong(f"is {_name(self.raw)}, not a number")
        return str(self.raw).strip()

    def _of(self, kind: type) -> Any:
        if self.raw is None:
            raise self._wrong("is missing")
        if not isinstance(self.raw, kind):
            raise self._wrong(f"is {_name(self.raw)}, not {_NAMES[kind]}")
        return self.raw

    def _wrong(self, what: str) -> BadAnswer:
        return BadAnswer(f"{self.where} {what}", uncertain=True)


def read(answer: Answer) -> Value:
    """The JSON document of `answer`, in which every text can be stored.

    Raises:
        BadAnswer: it is none.
    """
    try:
        document = json.loads(answer.body, parse_float=Decimal, parse_constant=_no_constant)
        if re.search(_SURROGATE, answer.body):
            document = well_formed(document)
    except (ValueError, RecursionError) as error:
        message = f"{answer.source}: the answer is not JSON"
        raise BadAnswer(message, status=answer.status, uncertain=True) from error
    return Value(document, f"{answer.source}: $")


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _name(raw: Any) -> str:
    return _NAMES.get(type(raw), type(raw).__name__)
