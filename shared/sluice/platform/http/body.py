"""What a request carries: its bytes, or the JSON object in them, read strictly.

What could be understood in two ways is refused.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from email.message import Message
from typing import Any

from sluice.platform.http.errors import FieldError, Invalid, TooLarge

MOST_BYTES = 256 * 1024
# Lambda takes events of 6 MB, in which what is no text is base64, a third longer.
MOST_UPLOAD_BYTES = 4 * 1024 * 1024


def read(event: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON object that the body of an HTTP API event holds. The content type is not asked for.

    Raises:
        TooLarge, Invalid: as `raw` and `parse`.
    """
    return parse(raw(event, MOST_BYTES))


def parse(raw: bytes) -> dict[str, Any]:
    """The JSON object that `raw` is.

    Raises:
        Invalid: it is empty, not UTF-8, not JSON, not an object, has a name that comes twice, or NaN.
    """
    if not raw.strip():
        raise _invalid("the body is empty; send a JSON object")
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_object, parse_constant=_constant)
    except UnicodeDecodeError as error:
        raise _invalid(f"the body is not UTF-8 (byte {error.start})") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise _invalid(f"the body is not JSON: {error.msg} ({place})") from None
    except (ValueError, RecursionError):
        raise _invalid("the body is not JSON that can be read: a number too long, or nested too deep") from None
    if not isinstance(value, dict):
        raise _invalid("the body must be a JSON object")
    return value


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
    message = Message()
    message["content-type"] = headers.get("content-type") or ""
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
            raise Invalid("the body names a field twice", fields=[FieldError(name[:64], "is there twice")])
        result[name] = value
    return result


def _constant(name: str) -> Any:
    raise _invalid(f"the body is not JSON: {name} is no JSON value")


def _invalid(message: str) -> Invalid:
    return Invalid(message, fields=[FieldError("body", message)])
