"""Which item of a marketplace's batch is which change of ours, and what it says. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sluice.listings.stockx.changes import Change
from sluice.listings.stockx.results import FAILED_BY_MARKETPLACE, Result, failed, succeeded
from sluice.listings.stockx.status import Action, Status, meaning
from sluice.listings.stockx.table import Listing
from sluice.marketplaces.selling import BatchItem


@dataclass(frozen=True)
class Row:
    """One change of a batch. change: None once it is settled. amount: what a create asked for."""

    listing: Listing
    change: Change | None
    amount: str | None


def matched(action: Action, rows: Sequence[Row], items: Sequence[BatchItem]) -> list[tuple[Row, BatchItem | None]]:
    """Each of `rows` with its item.

    An update or delete names its listing. A create is known by variant and amount: those that are alike in both are
    interchangeable, and each gets an item of its own; a row that has its listing already gets that one's. All rows take
    part, settled ones too, and both sides are in a fixed order, so a second run finds the same pairs as the first.
    """
    left = sorted(items, key=lambda item: item.item_id or "")
    taken = {row.listing.marketplace_id for row in rows if row.listing.marketplace_id}
    pairs: list[tuple[Row, BatchItem | None]] = []
    for row in rows:
        fit = [item for item in left if _is(action, row, item)]
        own = [item for item in fit if item.listing_id and item.listing_id == row.listing.marketplace_id]
        item = next(iter(own or [item for item in fit if item.listing_id not in taken]), None)
        if item:
            left.remove(item)
        pairs.append((row, item))
    return pairs


def same(rows: Sequence[Row], items: Sequence[BatchItem]) -> bool:
    """Whether a batch that created `items` is one that was asked to create `rows`: as many, of the same variants, for
    the same amounts."""
    ours = Counter((row.listing.variant_id, Decimal(row.amount or 0)) for row in rows)
    return ours == Counter((item.variant_id or "", item.amount or Decimal(0)) for item in items)


def result_of(change: Change, item: BatchItem | None, was: str | None = None) -> Result | None:
    """What `item` says of `change`; None while it is running, or in a word that nobody knows."""
    match meaning(item.word or "") if item else None:
        case Status.COMPLETED:
            return succeeded(change, was)
        case Status.FAILED:
            error = item.error if item else None
            return failed(change, FAILED_BY_MARKETPLACE, error or "the marketplace gives no reason")
    return None


def _is(action: Action, row: Row, item: BatchItem) -> bool:
    if action is not Action.CREATE:
        return item.listing_id == row.listing.marketplace_id
    return item.variant_id == row.listing.variant_id and (row.amount is None or item.amount == Decimal(row.amount))
