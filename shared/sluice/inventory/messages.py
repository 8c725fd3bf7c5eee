"""What lies in the queue `inventory` besides rows of imports: items whose prices are wanted."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from sluice.platform.imports import chunks
from sluice.platform.imports.chunks import VERSION, Chunk
from sluice.platform.sqs import CorruptMessage


class Looked(NamedTuple):
    """Items that were shown with a stale price at `at` (epoch ms), by range key."""

    tenant: str
    items: Sequence[str]
    at: int


class Whole(NamedTuple):
    """The prices of a tenant's items are wanted now: of those behind the item `after`, by range key; None: of all."""

    tenant: str
    after: str | None


def send(message: Looked | Whole) -> None:
    """Put it in the queue.

    Raises:
        NotSent: it did not take it.
    """
    chunks.send([encode(message)], message.tenant)


def encode(message: Looked | Whole) -> str:
    """As it lies in the queue."""
    return json.dumps({"version": VERSION, **message._asdict()}, separators=(",", ":"))


def decode(text: str) -> Chunk | Looked | Whole:
    """What `encode` made, of these or of a chunk.

    Raises:
        CorruptMessage: something else did.
    """
    try:
        content = json.loads(text)
        if content.pop("version") != VERSION:
            raise CorruptMessage(f"not a message of version {VERSION}")
        if "after" in content:
            return Whole(**content)
        if "rows" in content:
            return chunks.decoded(content)
        return Looked(**content)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorruptMessage(f"neither rows nor items: {type(error).__name__}") from error
