"""What a request carries: its bytes, or the JSON object in them, read strictly.

What could be understood in two ways is refused.
"""

import base64
import binascii
import json
import math
import re
from collections.abc import Mapping
from email.message import Message
from typing import Any

from sluice.platform.http.errors import FieldError, Invalid, TooLarge

MOST_BYTES = 256 * 1024
# Lambda takes events of 6 MB, in which what is no text is base64, a third longer.
MOST_UPLOAD_BYTES = 4 * 1024 * 1024
MOST_HEADER_CHARACTERS = 256
# Far more than any body of the API has. A value takes up to 40 times its own bytes of memory once it is built.
MOST_DEPTH = 20
MOST_LISTS_AND_OBJECTS = 50_000
MOST_VALUES = 250_000
# Python turns text of more digits than 4,300 into no number, and into fewer in a time that grows with their square.
MOST_DIGITS = 100

# Fields that are told of, where many are wrong.
MOST_TOLD = 20

# How JSON spells a half of a surrogate pair, alone or with the other; no table takes one alone.
_HALF = rb"\\u[dD][89a-fA-F]"
_QUOTE, _COMMA = ord('"'), ord(",")
_CLOSE = frozenset(b"]}")
_STRUCTURE = b'"[]{},'
_NO_STRUCTURE = bytes(set(range(256)) - set(_STRUCTURE))


class WrittenNumber(float):
    """A JSON number with a fraction, which still knows how it was written: `1.000` is not `1.0` where it is money."""

    def __new__(cls, written: str) -> "WrittenNumber":
        """The number that `written` is."""
        number = super().__new__(cls, written)
        number.written = written
        return number

    written: str


def read(event: Mapping[str, Any], most: int = MOST_BYTES) -> dict[str, Any]:
    """The JSON object that the body of an HTTP API event holds, `most` bytes long. The content type is not asked for.

    Raises:
        TooLarge, Invalid: as `raw` and `parse`.
    """
    return parse(raw(event, most))


def parse(raw: bytes) -> dict[str, Any]:
    """The JSON object that `raw` is.

    Raises:
        Invalid: it is empty, not UTF-8, not JSON, not an object, or has too many levels or values, a name twice, a
            number that JSON does not have, one that cannot be read exactly, or text that is no Unicode.
    """
    if not raw.strip():
        raise _invalid("the body is empty; send a JSON object")
    check_size(raw)
    try:
        value = json.loads(raw.decode("utf-8"), **_HOOKS)
    except UnicodeDecodeError as error:
        raise _invalid(f"the body is not UTF-8 (byte {error.start})") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise _invalid(f"the body is not JSON: {error.msg} ({place})") from None
    if not isinstance(value, dict):
        raise _invalid("the body must be a JSON object")
    if re.search(_HALF, raw) and (places := _halves(value)):
        message = "the body has text that is no Unicode: half of a surrogate pair, as \\ud800 is without its other half"
        raise Invalid(message, fields=[FieldError(place[:200], "is no Unicode text") for place in places[:MOST_TOLD]])
    return value


def _halves(value: Any) -> list[str]:
    """Where texts, or names, stand in `value` that no UTF-8 can spell; a name is told by the object that has it."""
    found, rest = list[str](), [("", value)]
    while rest:
        place, one = rest.pop()
        if isinstance(one, dict):
            if any(map(_is_half, one)):
                found.append(place or "body")
            rest += [(f"{place}.{name}" if place else name, inner) for name, inner in one.items() if not _is_half(name)]
        elif isinstance(one, list):
            rest += [(f"{place}[{number}]", inner) for number, inner in enumerate(one)]
        elif isinstance(one, str) and _is_half(one):
            found.append(place)
    return sorted(found)


def _is_half(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text)


def check_size(raw: bytes) -> None:
    """Do nothing if `raw`, which may be JSON, can be built: it has few enough levels, lists, objects and values.

    It is read once, byte by byte, and nothing is kept: what would fill the memory is refused before it does. Bytes that
    are no JSON are counted as if they were, and are refused by the parser at the first one that is wrong.

    Raises:
        Invalid: it has too many of one of them.
    """
    unescaped = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    depth = opened = commas = 0
    inside = False
    for byte in unescaped.translate(None, _NO_STRUCTURE):
        if byte == _QUOTE:
            inside = not inside
        elif inside:
            continue
        elif byte == _COMMA:
            commas += 1
            if commas > MOST_VALUES:
                raise _invalid(f"the body has more than {MOST_VALUES} values")
        elif byte in _CLOSE:
            depth -= 1
        else:
            depth += 1
            opened += 1
            if depth > MOST_DEPTH:
                raise _invalid(f"the body is nested more than {MOST_DEPTH} deep")
            if opened > MOST_LISTS_AND_OBJECTS:
                raise _invalid(f"the body has more than {MOST_LISTS_AND_OBJECTS} lists and objects")


def raw(event: Mapping[str, Any], most: int) -> bytes:
    """The bytes of an HTTP API event's body.

    Raises:
        TooLarge: more than `most`.
        Invalid: the event says that they are base64, and they are not.
    """
    found = _bytes(event)
    if len(found) > most:
        raise TooLarge(f"the body has {len(found)} bytes; {most} are allowed")
    return found


def media_type(event: Mapping[str, Any]) -> tuple[str, str]:
    """The media type that the body is said to be of, and its charset; each empty where the request does not say."""
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    said = headers.get("content-type") or ""
    message = Message()
    # Python reads parameters in a time that grows with the square of their length, and no bytes but ASCII.
    message["content-type"] = said if said.isascii() and len(said) <= MOST_HEADER_CHARACTERS else ""
    kind = message.get_content_type() if "content-type" in headers else ""
    return kind, message.get_content_charset("").lower()


def _bytes(event: Mapping[str, Any]) -> bytes:
    body = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return str(body).encode("utf-8", errors="surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise _invalid("the body is not base64, as the request says it is") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, value in pairs:
        if name in result:
            raise Invalid("the body names a field twice", fields=[FieldError(name[:64], "is given twice")])
        result[name] = value
    return result


def _constant(name: str) -> Any:
    raise _invalid(f"the body is not JSON: {name} is not a JSON value")


def _whole(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise _invalid(f"the body has a number of more than {MOST_DIGITS} digits")
    return int(text)


def _decimal(text: str) -> float:
    """A number with a point or an exponent. One that would become infinite, or zero, is not what was meant."""
    value = float(text) if len(text) <= MOST_DIGITS else math.inf
    if math.isinf(value) or (value == 0 and text.lower().partition("e")[0].strip("-0.")):
        raise _invalid("the body has a number that is too large, too small or too long to be read exactly")
    return WrittenNumber(text)


_HOOKS: Mapping[str, Any] = {
    "object_pairs_hook": _object,
    "parse_constant": _constant,
    "parse_int": _whole,
    "parse_float": _decimal,
}


def _invalid(message: str) -> Invalid:
    return Invalid(message, fields=[FieldError("body", message)])
