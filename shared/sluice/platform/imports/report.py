"""The report of an import: the rows that were refused, and why, as far as they fit into one item."""

import json
import zlib
from collections.abc import Sequence
from typing import Any, Final, NotRequired

from typing_extensions import TypedDict

# Refused rows that are told of, as far as they fit into the item; the rest is counted.
MOST_TOLD: Final = 1_000
MOST_TOLD_CHARACTERS: Final = 300_000


class RowError(TypedDict):
    """What is wrong with one field."""

    field: str
    message: str


class RefusedRow(TypedDict):
    """A row that was not taken: `line` of the CSV file, whose header is line 1; or `index` of the JSON list."""

    line: NotRequired[int]
    index: NotRequired[int]
    fields: list[RowError]


def told(refused: Sequence[RefusedRow]) -> list[RefusedRow]:
    """The first of the refused rows, as many as a report has room for. What they name may be as long as the file."""
    rows: list[RefusedRow] = []
    room = MOST_TOLD_CHARACTERS
    for row in refused[:MOST_TOLD]:
        room -= len(_json(row))
        if room < 0:
            break
        rows.append(row)
    return rows


def pack(refused: Sequence[RefusedRow]) -> bytes:
    """The report of `refused`, compressed.

    Reports repeat themselves: a thousand rows are a few KB, which every write of the item costs.
    """
    return zlib.compress(_json(told(refused)).encode())


def unpack(report: bytes) -> list[RefusedRow]:
    """What `pack` has packed."""
    rows: list[Any] = json.loads(zlib.decompress(report))
    return rows


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
