"""JSON as shops really write it: the strict parser first, a tolerant one when that has failed. Pure.

The tolerant one knows the mistakes that pages make (trailing and missing commas, raw newlines, comments, single quotes,
quotes inside a description, entities, several values in one script …) and nothing else. What ends too early, or has
anything that it does not know, gives nothing: half a product would be a wrong one.
"""

import html
import json
import re
from decimal import Decimal
from typing import Any

from sluice.platform.unicode_text import well_formed

# What the tolerant reader looks at. Longer blocks are read strictly or not at all.
MOST_CHARACTERS = 1_000_000
MOST_DEPTH = 64
MOST_VALUES = 50

_WRAPPING = (
    r"\s*(<!--|-->|<!\[CDATA\[|\]\]>|//\s*<!\[CDATA\[|//\s*\]\]>|/\*\s*<!\[CDATA\[\s*\*/|/\*\s*\]\]>\s*\*/|;|,)\s*"
)
_BLANK = r"(?:\s+|//[^\n]*|/\*.*?\*/)*"
_WORD = r"[A-Za-z_$][\w$-]*"
_NUMBER = r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?"
_KEY = rf"(?:\"[^\"\n]{{0,80}}\"|'[^'\n]{{0,80}}'|{_WORD})\s*:"
# What may stand behind the closing quote of a value in an object, and in a list.
_AFTER_VALUE = rf"\s*(?:[}}\]]|,\s*(?:{_KEY}|[}}\]]|/[/*])|{_KEY}|/[/*]|$)"
_AFTER_ITEM = r"\s*(?:\]|,\s*[\"'{\[\]0-9tfn/-]|[\"'{\[]|$)"
_AFTER_KEY = r"\s*:"
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
# How JSON spells half of a surrogate pair; two of them are one letter, and one alone is no Unicode.
_HALF = re.compile(r"\\u[dD]")
_NAMES: dict[str, Any] = {"true": True, "false": False, "null": None, "undefined": None, "NaN": None, "Infinity": None}


class _Broken(ValueError):  # noqa: N818 - an answer inside of this module
    """This is nothing that can be read."""


def values(text: str) -> list[Any]:
    """Every JSON value that the script `text` holds; none if any part of it cannot be read. Fractions are `Decimal`."""
    text = text.lstrip("\ufeff").strip()
    if not text:
        return []
    try:
        return [strict(text)]
    except (ValueError, RecursionError):
        pass
    if len(text) > MOST_CHARACTERS:
        return []
    if re.match(r"[\[{\s]*&quot;", text):
        text = html.unescape(text)
    try:
        return _Reader(text).all()
    except (_Broken, RecursionError, ArithmeticError):
        return []


def strict(text: str) -> Any:
    """The JSON value that `text` is, with exact fractions and without NaN.

    Raises:
        ValueError, RecursionError: it is none.
    """
    return _storable(json.loads(text, parse_float=Decimal, parse_constant=lambda _: None), text)


def value_at(text: str, start: int) -> Any:
    """The one value of JavaScript's or JSON's form that begins at `start` in a script; None if it cannot be read."""
    try:
        decoder = json.JSONDecoder(parse_float=Decimal, parse_constant=lambda _: None)
        return _storable(decoder.raw_decode(text, start)[0], text)
    except (ValueError, RecursionError):
        pass
    try:
        return _Reader(text[start : start + MOST_CHARACTERS]).value(0)
    except (_Broken, RecursionError, ArithmeticError):
        return None


def _storable(value: Any, text: str) -> Any:
    """`value`, read in `text`, without halves of surrogate pairs: shops cut texts in the middle of an emoji."""
    return well_formed(value) if _HALF.search(text) else value


class _Reader:
    """Reads forward, each character once; looks ahead a bounded way only."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def all(self) -> list[Any]:
        """Every value of the text, which holds nothing else."""
        found = list[Any]()
        while True:
            self._skip_wrapping()
            if self._at >= len(self._text):
                return found
            if len(found) == MOST_VALUES or self._text[self._at] not in "[{":
                raise _Broken
            found.append(self.value(0))

    def value(self, depth: int, after: str = _AFTER_ITEM) -> Any:
        """The next value. after: what stands behind a string's end, where the value is one."""
        if depth > MOST_DEPTH:
            raise _Broken
        self._skip(_BLANK)
        mark = self._peek()
        if mark == "{":
            return self._object(depth)
        if mark == "[":
            return self._list(depth)
        if mark in "\"'":
            return self._string(after)
        if word := self._take(_WORD):
            if word not in _NAMES:
                raise _Broken
            return _NAMES[word]
        if number := self._take(_NUMBER):
            return Decimal(number) if re.search(r"[.eE]", number) else int(number[:30])
        raise _Broken

    def _object(self, depth: int) -> dict[str, Any]:
        self._at += 1
        found = dict[str, Any]()
        while True:
            self._skip(rf"{_BLANK},?{_BLANK}")
            mark = self._peek()
            if mark == "}":
                self._at += 1
                return found
            key = self._string(_AFTER_KEY) if mark in "\"'" else self._take(_WORD)
            self._skip(_BLANK)
            if not isinstance(key, str) or self._peek() != ":":
                raise _Broken
            self._at += 1
            found[key] = self.value(depth + 1, _AFTER_VALUE)

    def _list(self, depth: int) -> list[Any]:
        self._at += 1
        found = list[Any]()
        while True:
            self._skip(rf"{_BLANK},?{_BLANK}")
            if self._peek() == "]":
                self._at += 1
                return found
            found.append(self.value(depth + 1))

    def _string(self, after: str) -> str:
        quote, parts = self._peek(), list[str]()
        self._at += 1
        ends = re.compile(rf"[{quote}\\]")
        follows = re.compile(after)
        while (found := ends.search(self._text, self._at)) is not None:
            parts.append(self._text[self._at : found.start()])
            self._at = found.end()
            if found[0] == "\\":
                parts.append(self._escape())
            elif follows.match(self._text, self._at):
                return str(well_formed("".join(parts)))
            else:
                parts.append(quote)
        raise _Broken

    def _escape(self) -> str:
        letter = self._peek()
        self._at += 1
        if letter in "ux":
            digits = self._take(r"[0-9a-fA-F]{4}" if letter == "u" else r"[0-9a-fA-F]{2}")
            if digits is None:
                raise _Broken
            return chr(int(digits, 16))
        return _ESCAPES.get(letter, letter)

    def _peek(self) -> str:
        if self._at >= len(self._text):
            raise _Broken
        return self._text[self._at]

    def _take(self, pattern: str) -> str | None:
        found = re.compile(pattern).match(self._text, self._at)
        if found is None:
            return None
        self._at = found.end()
        return found[0]

    def _skip(self, pattern: str) -> None:
        self._take(pattern if pattern != _BLANK else rf"(?s:{_BLANK})")

    def _skip_wrapping(self) -> None:
        self._take(rf"\s*(?:{_WRAPPING})*")
