"""What the words of a marketplace mean, what a change came to, and what that makes of its listing. Pure.

StockX's own words for an operation are `PENDING`, `SUCCEEDED` and `FAILED`; sellers' tools also know `queued`,
`processing`, `completed`, `failed` and `partial_success`, and batches have some of either. Case does not matter.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final, NamedTuple

from sluice.listings.stockx.changes import Action, Change, ListingStatus, Status, merged
from sluice.listings.stockx.table import Entry, Listing
from sluice.marketplaces import selling
from sluice.marketplaces.selling import BatchItem, Terms
from sluice.platform import money
from sluice.platform.clock import MINUTE, SECOND

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

TIMEOUT: Final = "TIMEOUT"
TIMEOUT_MS: Final = 15 * MINUTE
TIMED_OUT: Final = "operation_timed_out"
TIMED_OUT_MESSAGE: Final = f"Operation timed out after {TIMEOUT_MS // MINUTE} minutes"

NO_ANSWER: Final = "no_answer"
NOT_SENT: Final = "not_sent"
INTERNAL: Final = "internal"
CANCELLED: Final = "cancelled"
NOT_FOUND: Final = "not_found"
FAILED_BY_MARKETPLACE: Final = "operation_failed"
AUTHENTICATION_FAILED: Final = "authentication_failed"

# A listing in one of these has ended at the marketplace.
ENDED: Final = frozenset({ListingStatus.DELETED, ListingStatus.SOLD, ListingStatus.CANCELED})

# A marketplace may keep times in whole seconds.
_SAME_TIME_MS = SECOND


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


@dataclass(frozen=True)
class Result:
    """What a change came to.

    status: COMPLETED, FAILED or PARTIAL. action: of the history entry. becomes: what the listing is now; None: as it
    was. terms: what it asks for now. error: `(code, message)`. more: for the entry's metadata.
    """

    status: Status
    action: str
    becomes: ListingStatus | None = None
    terms: Terms = field(default_factory=Terms)
    error: tuple[str, str] | None = None
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def recorded(self) -> str:
        """The status of the history entry: what the listing became, or that it did not."""
        return self.becomes if self.status is Status.COMPLETED and self.becomes else self.status


def succeeded(change: Change, was: str | None = None) -> Result:
    """The marketplace did as asked. was: the listing's status before, which an update leaves as it is."""
    becomes = AFTER.get(change.action) if change.active else ListingStatus.INACTIVE
    if becomes is None and was:
        becomes = ListingStatus(was)
    return Result(Status.COMPLETED, change.action, becomes, change.terms)


def failed(change: Change, code: str, message: str) -> Result:
    """The change did not happen. A listing that could not be created is none; any other stays as it was."""
    becomes = ListingStatus.FAILED if change.action is Action.CREATE else None
    return Result(Status.FAILED, change.action, becomes, error=(code, message))


def unsent(change: Change, code: str, message: str) -> Result:
    """The change did not happen, because it was not even sent: something of ours has ended its job before."""
    return replace(failed(change, code, message), more={"called": False})


def was_not_received(entry: Entry) -> bool:
    """Whether the change of a history entry is known to have never reached the marketplace, through no fault of its
    own, so that its job may do it after all when it is replayed.
    """
    code = (entry.metadata.get("error") or {}).get("code")
    return code == NO_ANSWER or (entry.metadata.get("called") is False and code not in (None, CANCELLED))


def uncalled(change: Change, status: str) -> Result:
    """The listing is as `change` wants it already, so nothing is sent."""
    return Result(Status.COMPLETED, change.action, ListingStatus(status), more={"called": False})


def partial(change: Change, seen: selling.MarketListing | None, was: str | None, *, read: bool) -> Result:
    """The marketplace did some of it: what the listing itself shows counts, if it was `read`."""
    result = Result(Status.PARTIAL, change.action)
    return observed(result, change, seen, was) if read else result


def timed_out(change: Change, seen: selling.MarketListing | None, was: str | None) -> Result:
    """The marketplace never said what became of it: what the listing shows is what happened."""
    result = Result(Status.FAILED, TIMEOUT, error=(TIMED_OUT, TIMED_OUT_MESSAGE))
    result = observed(result, change, seen, was)
    return replace(result, more={**result.more, "happened": bool(shows(change, seen))})


def observed(result: Result, change: Change, seen: selling.MarketListing | None, was: str | None = None) -> Result:
    """`result` of `change`, with the listing as the marketplace shows it; seen None: it has no such listing.

    was: the listing's status before. A status that is neither that nor what was asked for is one to tell of
    (`found` in the entry's metadata): the listing was sold, or somebody else has changed it.
    """
    status = _status(result, change, seen)
    told = status not in (None, ListingStatus.FAILED, was, succeeded(change, was).becomes)
    more = {
        **result.more,
        "seen": None if seen is None else seen.word,
        **({"found": str(status)} if told else {}),
        **({"order": seen.order} if seen and seen.order else {}),
    }
    return replace(result, becomes=status or result.becomes, terms=merged(result.terms, _terms(seen)), more=more)


def shows(change: Change, seen: selling.MarketListing | None) -> bool | None:
    """Whether the marketplace's listing is as `change` wants it; None where it does not show that.

    seen: None where the marketplace has no such listing.
    """
    if seen is None:
        return change.action is Action.DELETE
    status = of_listing(seen.word)
    if status is None:
        return None
    if change.action is Action.CREATE and status in ENDED:
        return True  # it came into being, and has gone since
    if change.action is Action.UPDATE:
        return _agrees(change.terms, seen) if status in (ListingStatus.ACTIVE, ListingStatus.INACTIVE) else False
    agrees = _agrees(change.terms, seen) if status is succeeded(change).becomes else False
    # That it is there at all is what a create asks for; one that is off the market may show no amount.
    return agrees is not False if change.action is Action.CREATE else agrees


def is_made_by(operation: selling.Operation, change: Change, since: int) -> bool:
    """Whether `operation` is the one that asking for `change` has started, at or after `since` (epoch ms).

    By what it sets and who asked for it; its type and its time alone prove nothing.
    """
    if operation.type != change.action or operation.created_at is None or operation.created_at < since:
        return False
    if operation.by_program is False:
        return False
    wanted = change.terms
    if wanted == selling.Terms():
        return operation.by_program is True
    sets = operation.changes
    return sets is not None and (
        (wanted.amount is None or sets.amount == Decimal(wanted.amount))
        and (wanted.currency is None or sets.currency in (None, wanted.currency))
        and (wanted.expires_at is None or _same_time(wanted.expires_at, sets.expires_at))
        and (change.action is not Action.CREATE or sets.active in (None, change.active))
    )


def overdue(sent_at: int, now: int) -> bool:
    """Whether an operation that was started at `sent_at` has taken too long by `now`."""
    return now - sent_at > TIMEOUT_MS


def _agrees(terms: Terms, seen: selling.MarketListing) -> bool | None:
    """Whether what was asked for is what the listing has; None where it does not show all of it and no other."""
    answers = [
        None if shown is None else same
        for wanted, shown, same in (
            (terms.amount, seen.amount, terms.amount is not None and Decimal(terms.amount) == seen.amount),
            (terms.currency, seen.currency, terms.currency == seen.currency),
            (terms.expires_at, seen.expires_at, _same_time(terms.expires_at, seen.expires_at)),
        )
        if wanted is not None
    ]
    if False in answers:
        return False
    return None if None in answers else True


def _same_time(one: int | None, other: int | None) -> bool:
    return one is not None and other is not None and abs(one - other) <= _SAME_TIME_MS


def _status(result: Result, change: Change, seen: selling.MarketListing | None) -> ListingStatus | None:
    if seen is not None:
        return of_listing(seen.word)
    never = change.action is Action.CREATE and result.status is not Status.COMPLETED
    return ListingStatus.FAILED if never else ListingStatus.DELETED


def _terms(seen: selling.MarketListing | None) -> Terms:
    if seen is None:
        return Terms()
    return Terms(None if seen.amount is None else money.plain(seen.amount), seen.currency, seen.expires_at)


class BatchRow(NamedTuple):
    """One change of a batch. change: None once it is settled. amount: what a create asked for."""

    listing: Listing
    change: Change | None
    amount: str | None


def matched(
    action: Action, rows: Sequence[BatchRow], items: Sequence[BatchItem]
) -> list[tuple[BatchRow, BatchItem | None]]:
    """Each of `rows` with its item.

    An update or delete names its listing. A create is known by variant and amount: those that are alike in both are
    interchangeable, and each gets an item of its own; a row that has its listing already gets that one's. All rows take
    part, settled ones too, and both sides are in a fixed order, so a second run finds the same pairs as the first.
    """
    left = sorted(items, key=lambda item: item.item_id or "")
    taken = {row.listing.marketplace_id for row in rows if row.listing.marketplace_id}
    pairs: list[tuple[BatchRow, BatchItem | None]] = []
    for row in rows:
        fit = [item for item in left if _is_item_of(action, row, item)]
        own = [item for item in fit if item.listing_id and item.listing_id == row.listing.marketplace_id]
        item = next(iter(own or [item for item in fit if item.listing_id not in taken]), None)
        if item:
            left.remove(item)
        pairs.append((row, item))
    return pairs


def same_items(rows: Sequence[BatchRow], items: Sequence[BatchItem]) -> bool:
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


def _is_item_of(action: Action, row: BatchRow, item: BatchItem) -> bool:
    if action is not Action.CREATE:
        return item.listing_id == row.listing.marketplace_id
    return item.variant_id == row.listing.variant_id and (row.amount is None or item.amount == Decimal(row.amount))
