"""What the words of a marketplace mean. The one table of both vocabularies. Pure.

StockX's own words are `PENDING`, `SUCCEEDED` and `FAILED`; sellers' tools also know `queued`, `processing`,
`completed`, `failed` and `partial_success`, and batches have some of either. Case does not matter.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Status(StrEnum):
    """How far an operation is."""

    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    PARTIAL = "PARTIAL"


class Action(StrEnum):
    """What can be done to a listing."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    ACTIVATE = "ACTIVATE"
    DEACTIVATE = "DEACTIVATE"


class ListingStatus(StrEnum):
    """What a listing is. FAILED: it never came into being. UNCONFIRMED: nobody knows yet what became of a change of it;
    this is never stored, but follows from its changes.
    """

    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    DELETED = "DELETED"
    SOLD = "SOLD"
    CANCELED = "CANCELED"
    FAILED = "FAILED"
    UNCONFIRMED = "UNCONFIRMED"


WORDS: Final[Mapping[str, Status]] = {
    "QUEUED": Status.IN_PROGRESS,
    "PROCESSING": Status.IN_PROGRESS,
    "PENDING": Status.IN_PROGRESS,
    "IN_PROGRESS": Status.IN_PROGRESS,
    "COMPLETED": Status.COMPLETED,
    "SUCCEEDED": Status.COMPLETED,
    "FAILED": Status.FAILED,
    "PARTIAL_SUCCESS": Status.PARTIAL,
}

# What a listing is after an action has succeeded. An update leaves it on the market, or off it, as it was.
AFTER: Final[Mapping[Action, ListingStatus]] = {
    Action.CREATE: ListingStatus.ACTIVE,
    Action.ACTIVATE: ListingStatus.ACTIVE,
    Action.DEACTIVATE: ListingStatus.INACTIVE,
    Action.DELETE: ListingStatus.DELETED,
}

# StockX's words for a listing itself. Matched and completed both mean that it is sold.
LISTING_WORDS: Final[Mapping[str, ListingStatus]] = {
    "ACTIVE": ListingStatus.ACTIVE,
    "INACTIVE": ListingStatus.INACTIVE,
    "DELETED": ListingStatus.DELETED,
    "CANCELED": ListingStatus.CANCELED,
    "MATCHED": ListingStatus.SOLD,
    "COMPLETED": ListingStatus.SOLD,
}


def meaning(word: str) -> Status | None:
    """What an operation's status word means; None for one that nobody knows, which is taken for "still running"."""
    return WORDS.get(word.strip().upper())


def of_listing(word: str) -> ListingStatus | None:
    """What a listing's status word means; None for one that nobody knows, which says nothing."""
    return LISTING_WORDS.get(word.strip().upper())


def of_batch(completed: int, failed: int) -> Status:
    """What a batch came to, by its items."""
    if not failed:
        return Status.COMPLETED
    return Status.PARTIAL if completed else Status.FAILED
