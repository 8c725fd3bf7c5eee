"""A seller's listings at a marketplace that changes them in its own time, in one shape. Loads no HTTP client.

Every change answers at once with an operation, and is real only when that has succeeded. Status words are handed on as
they come; what they mean is the caller's business.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal, NamedTuple, Protocol

# StockX's document names this number for updates and deletes, and none for creates.
MOST_BATCH_ITEMS: Final = 100

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

    by_program: whether it was asked for through the door that Sluice uses too, and not by hand. changes: what it sets.
    Either is None where the marketplace does not say.
    """

    operation_id: str
    listing_id: str
    type: str | None
    word: str
    error: str | None = None
    created_at: int | None = None
    by_program: bool | None = None
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


class BatchAsk(NamedTuple):
    """What a batch asks of one listing: a create of one unit names the variant, an update or a delete the listing."""

    terms: Terms
    variant_id: str | None = None
    listing_id: str | None = None
    active: bool = True


class Seller(Protocol):
    """One account's listings. Every method but `find` makes one call; each may raise the errors of `Session.call`."""

    ahead_ms: int | None
    """How far the marketplace's clock is ahead of ours, by its newest answer; None as long as none has told."""

    def prepare(self) -> None:
        """Have a token at hand: what can fail before a call fails here, and not between a note and its call."""

    def create(self, variant_id: str, terms: Terms, *, active: bool) -> Operation:
        """Offer one unit of a variant. The marketplace knows no repeated create: asked twice, it makes two listings."""

    def update(self, listing_id: str, terms: Terms) -> Operation:
        """Change what a listing asks for."""

    def delete(self, listing_id: str) -> Operation:
        """Take a listing away for good."""

    def activate(self, listing_id: str, terms: Terms) -> Operation:
        """Put a listing on the market. One that has never had a price needs one now."""

    def deactivate(self, listing_id: str) -> Operation:
        """Take a listing off the market."""

    def operation(self, listing_id: str, operation_id: str) -> Operation:
        """How far an operation is. Raises NotFound when there is none of this id."""

    def listing(self, listing_id: str) -> MarketListing:
        """A listing with its last operation. Raises NotFound when there is none of this id."""

    def operations(self, listing_id: str) -> list[Operation]:
        """The newest operations on a listing, as many as the marketplace gives in one answer."""

    def find(self, variant_ids: Sequence[str], since: int) -> list[MarketListing]:
        """The listings of these variants that were created since `since` (epoch ms), and perhaps some from before."""

    def submit_batch(self, kind: BatchKind, items: Sequence[BatchAsk]) -> MarketBatch:
        """Create, update or delete up to `MOST_BATCH_ITEMS` listings in one call."""

    def batch(self, kind: BatchKind, batch_id: str) -> MarketBatch:
        """How far a batch is."""

    def batch_items(self, kind: BatchKind, batch_id: str) -> list[BatchItem]:
        """What became of each item of a batch."""
