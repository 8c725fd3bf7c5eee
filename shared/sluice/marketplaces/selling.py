"""What a marketplace knows of a seller's listings, in one shape for all of them. Loads no HTTP client."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal, NamedTuple

# StockX's document names this number for updates and deletes, and none for creates.
MOST_BATCH_ITEMS: Final = 100

# What StockX calls the door through which Sluice asks.
VIA: Final = "PUBLIC-API"

BatchKind = Literal["create", "update", "delete"]


@dataclass(frozen=True)
class Terms:
    """What a listing asks for. amount: a decimal in major units, as text. expires_at: epoch ms. None: as it is."""

    amount: str | None = None
    currency: str | None = None
    expires_at: int | None = None


class Setting(NamedTuple):
    """What an operation sets on its listing. None: it leaves that as it is, or does not say."""

    amount: Decimal | None = None
    currency: str | None = None
    expires_at: int | None = None
    active: bool | None = None


class Operation(NamedTuple):
    """An asynchronous operation. word: its status, error: why it failed; both in the marketplace's words.

    via: through which door of the marketplace it was asked for, in its words. changes: what it sets. Either is None
    where the marketplace does not say.
    """

    operation_id: str
    listing_id: str
    type: str | None
    word: str
    error: str | None = None
    created_at: int | None = None
    via: str | None = None
    changes: Setting | None = None


class MarketListing(NamedTuple):
    """A listing as the marketplace shows it. Times are epoch ms.

    order: the number of the order that it was sold by. last_operation: known of a single listing.
    """

    listing_id: str
    word: str
    amount: Decimal | None
    currency: str | None
    expires_at: int | None
    variant_id: str | None
    created_at: int
    batch_id: str | None = None
    order: str | None = None
    last_operation: Operation | None = None


@dataclass(frozen=True)
class MarketBatch:
    """A batch. completed: the marketplace has given an end time. counts: its items by status word."""

    batch_id: str
    word: str
    completed: bool
    created_at: int | None
    total: int
    counts: Mapping[str, int] = field(default_factory=dict)


class BatchItem(NamedTuple):
    """One item of a batch: what was asked (`variant_id` and `amount` for a create), and what became of it."""

    item_id: str | None
    word: str | None
    listing_id: str | None
    variant_id: str | None
    amount: Decimal | None
    error: str | None
