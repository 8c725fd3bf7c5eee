"""JSON documents packed for a table: what compresses to a few kilobytes costs a few write units. Pure."""

import json
import zlib
from typing import Any


def pack(value: Any) -> bytes:
    """`value` as compressed JSON, the same for the same value."""
    return zlib.compress(plain(value), 9)


def unpack(packed: bytes) -> Any:
    """What `pack` packed."""
    return json.loads(zlib.decompress(packed))


def plain(value: Any) -> bytes:
    """`value` as JSON in one form: names in order, no blanks."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
