"""The rows of an import in pieces, as they lie in the queue `inventory`."""

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from sluice.platform import aws, packing
from sluice.platform.imports.sheet import Piece
from sluice.platform.settings import settings
from sluice.platform.sqs import CorruptMessage

VERSION: Final = 1
# Rows in one message: some seconds of a small function's work.
CHUNK_ROWS: Final = 100
# Of their contents, each packed by itself: together they pack to less. As base64 that is 200 KB of SQS's 256.
CHUNK_BYTES: Final = 150_000
# Before there were rows of others, no message said its kind.
FIRST_KIND: Final = "inventory"


class NotSent(Exception):  # noqa: N818 - an answer
    """The queue did not take all of them. Some may lie there."""


class Chunk(NamedTuple):
    """Some rows of an import: number `chunk` of it.

    kind: of what the rows are. at: when the import was taken, epoch ms. rows: plain JSON, as `Piece.content`.
    about: what else whoever stores them must know of the import.
    """

    kind: str
    tenant: str
    import_id: str
    chunk: int
    at: int
    rows: Sequence[Any]
    about: Mapping[str, str] = {}


def cut(pieces: Sequence[Piece]) -> list[list[Any]]:
    """The contents of `pieces` in lists that are about `CHUNK_ROWS` rows, and fit into a message."""
    chunks: list[list[Any]] = [[]]
    rows = size = 0
    for piece in pieces:
        more = len(zlib.compress(packing.plain(piece.content)))
        if chunks[-1] and (rows >= CHUNK_ROWS or size + more > CHUNK_BYTES):
            chunks.append([])
            rows = size = 0
        chunks[-1].append(piece.content)
        rows += piece.rows
        size += more
    return chunks


def send(messages: Sequence[str], tenant: str) -> None:
    """Put messages of `tenant` in the queue.

    Raises:
        NotSent: it did not take all of them.
    """
    try:
        aws.send_messages(settings().require("inventory_queue_url"), messages, tenant)
    except Exception as error:
        raise NotSent(f"{type(error).__name__}: {error}") from error


def encode(chunk: Chunk) -> str:
    """As it lies in the queue. SQS refuses some characters that a row may hold (U+FFFE), and packed it has none."""
    packed = base64.b64encode(packing.pack(chunk.rows)).decode()
    return json.dumps({"version": VERSION, **chunk._asdict(), "rows": packed}, separators=(",", ":"))


def decoded(content: dict[str, Any]) -> Chunk:
    """The chunk of which `content` is the message without its version.

    Raises:
        CorruptMessage: it is none.
    """
    try:
        rows = content["rows"]
        if isinstance(rows, str):
            rows = packing.unpack(base64.b64decode(rows, validate=True))
        return Chunk(**{"kind": FIRST_KIND, **content, "rows": rows})
    except (ValueError, KeyError, TypeError, zlib.error) as error:
        raise CorruptMessage(f"no rows of an import: {type(error).__name__}") from error
