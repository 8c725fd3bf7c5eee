"""What callers send, read and checked as Marketing does."""

import json
import re
from datetime import datetime
from typing import Any

from local.sandbox.call import Call
from local.sandbox.ebay.errors import Json
from local.sandbox.ebay.marketing.errors import RefusedError

_RATE = re.compile(r"[0-9]{1,3}(\.[0-9])?")


def whole(call: Call, name: str, otherwise: int) -> int:
    text = call.query.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() else -1 if text else otherwise


def rate(value: Any) -> str:
    if not isinstance(value, str) or not _RATE.fullmatch(value) or not 2 <= float(value) <= 100:
        raise RefusedError(35007)
    return f"{float(value):.1f}"


def time(text: str) -> int:
    try:
        return round(datetime.fromisoformat(text).timestamp() * 1000)
    except ValueError:
        raise RefusedError(35026) from None


def body(call: Call) -> Json:
    try:
        found = json.loads(call.body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise RefusedError(35033)
    return found
