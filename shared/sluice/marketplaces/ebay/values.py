"""eBay's JSON as plain values. Pure."""

import hashlib
import json
from decimal import Decimal
from typing import Any


def plain(value: Any) -> Any:
    """`value` with fractions of numbers as text (`1.5` is "1.5"), and without the nulls of objects."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items() if one is not None}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, Decimal):
        return str(value)
    return value


def digest(value: Any) -> str:
    """A short word for the whole of `value`, the same for the same content in any order of names."""
    text = json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
