"""What lies in the queue `inventory`: rows of an import, and items whose prices are wanted."""

import json
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sluice.inventory.lots import Lot
from sluice.inventory.rules import Draft
from sluice.platform import aws
from sluice.platform.settings import settings
from sluice.platform.sqs import CorruptMessage

VERSION: Final = 1


class NotSent(Exception):  # noqa: N818 - an answer
    """The queue did not take all of them. Some may lie there."""


class Chunk(NamedTuple):
    """Some rows of an import: number `chunk` of it. at: when the import was taken, epoch ms."""

    tenant: str
    import_id: str
    chunk: int
    at: int
    rows: Sequence[Draft]


class Looked(NamedTuple):
    """Items that were shown with a stale price at `at` (epoch ms), by range key."""

    tenant: str
    items: Sequence[str]
    at: int


class Whole(NamedTuple):
    """The prices of a tenant's items are wanted now: of those behind the item `after`, by range key; None: of all."""

    tenant: str
    after: str | None


def send(messages: Sequence[Chunk | Looked | Whole]) -> None:
    """Put them in the queue.

    Raises:
        NotSent: it did not take all of them.
    """
    try:
        aws.send_messages(settings().require("inventory_queue_url"), [encode(message) for message in messages])
    except Exception as error:
        raise NotSent(f"{type(error).__name__}: {error}") from error


def encode(message: Chunk | Looked | Whole) -> str:
    """As it lies in the queue: in ASCII, because SQS refuses some characters that a category may hold (U+FFFE)."""
    return json.dumps({"version": VERSION, **message._asdict()}, separators=(",", ":"))


def decode(text: str) -> Chunk | Looked | Whole:
    """What `encode` made.

    Raises:
        CorruptMessage: something else did.
    """
    try:
        content = json.loads(text)
        if content.pop("version") != VERSION:
            raise CorruptMessage(f"not a message of version {VERSION}")
        if "after" in content:
            return Whole(**content)
        if "rows" not in content:
            return Looked(**content)
        return Chunk(**{**content, "rows": [_draft(row) for row in content["rows"]]})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorruptMessage(f"neither rows nor items: {type(error).__name__}") from error


def _draft(row: list[Any]) -> Draft:
    draft = Draft(*row)
    marketplaces = tuple(draft.marketplaces) if draft.marketplaces else None
    lots = tuple(Lot(*lot) for lot in draft.lots) if draft.lots else None
    return draft._replace(marketplaces=marketplaces, lots=lots)
