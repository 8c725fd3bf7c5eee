"""One check of a change that was sent: of its operation, or where that says nothing, of the listing itself.

Nothing here decides what follows from it (`follow`). Every function makes some calls, and raises their errors.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from sluice.listings.stockx import table as listings
from sluice.listings.stockx.changes import Change
from sluice.listings.stockx.results import is_made_by, shows
from sluice.listings.stockx.status import Action, Status, meaning
from sluice.listings.stockx.submission import Submission
from sluice.marketplaces import selling as shapes
from sluice.marketplaces.http.errors import NotFound
from sluice.marketplaces.selling import Operation
from sluice.marketplaces.stockx.selling import MOST_PAGES, Selling
from sluice.platform.clock import HOUR, MINUTE, SECOND
from sluice.platform.observe import count, logger

# How far the marketplace's clock may be from what its `Date` header says, and from ours where there is none.
CLOCKS_MS = 10 * SECOND
NO_DATE_MS = 2 * MINUTE


@dataclass(frozen=True)
class Look:
    """What a check has found.

    status: of the operation; None: nothing that says whether the change was even received.
    submission: with what is known now.
    error: the marketplace's words for a failure, or for having no such listing.
    read: the listing itself was read, and seen is what it shows; None: the marketplace has no such listing.
    made: False where nothing could be asked.
    """

    status: Status | None
    submission: Submission
    error: str | None = None
    seen: shapes.MarketListing | None = None
    read: bool = False
    made: bool = True

    @property
    def gone(self) -> bool:
        """Whether the marketplace says that it has no such listing."""
        return self.read and self.seen is None


def at_operation(selling: Selling, submission: Submission) -> Look:
    """Ask for the operation; if the marketplace does not know it, look at the listing."""
    try:
        operation = selling.operation(submission.marketplace_id or "", submission.operation_id or "")
    except NotFound:
        return at_listing(selling, submission)
    return read(submission, operation)


def read(submission: Submission, operation: Operation) -> Look:
    """What `operation` says. A word that nobody knows means "still running", and is counted."""
    status = meaning(operation.word)
    if status is None:
        count("OperationWordsUnknown")
        logger.warning("an operation has a status that nobody knows", extra={"status_word": operation.word})
    return Look(status or Status.IN_PROGRESS, submission.started(operation), operation.error)


def at_listing(selling: Selling, submission: Submission) -> Look:
    """What the listing shows: our operation among those on it, or the change itself."""
    seen, words = _find(selling, submission.marketplace_id or "")
    ours = _our_operation(selling, submission, seen)
    if ours:
        return replace(read(submission, ours), seen=seen, read=True)
    happened = shows(submission.change, seen)
    return Look(Status.COMPLETED if happened else None, submission, words, seen, read=True)


def find(selling: Selling, marketplace_id: str) -> shapes.MarketListing | None:
    """The marketplace's listing; None when it has none of this id."""
    return _find(selling, marketplace_id)[0]


def for_created(selling: Selling, account: str, listing_id: str, variant_id: str, submission: Submission) -> Submission:
    """The submission with the listing that its create has made, if there is one: of its variant and terms, created
    since by an operation that asked for just this.

    A listing is adopted by a conditional write, so two creates that look for theirs at once never find the same one.
    """
    change = submission.change
    for one in candidates(selling, [variant_id], submission.first_sent):
        ours = could_be(change, variant_id, one) and listings.owner(account, one.listing_id) in (None, listing_id)
        if not ours:
            continue
        made, operation = creation(selling, change, one)
        if made and listings.adopt(account, one.listing_id, listing_id):
            found = replace(submission, marketplace_id=one.listing_id)
            return found.started(operation) if operation else found
    return submission


def candidates(selling: Selling, variant_ids: list[str], sent_at: int) -> list[shapes.MarketListing]:
    """The listings of these variants that were created since about `sent_at`, oldest first."""
    found: list[shapes.MarketListing] = []
    for page in range(1, MOST_PAGES + 1):
        # The marketplace takes a day only, and its day may be another one: an hour is more than clocks differ by.
        some, more = selling.find(variant_ids, sent_at - HOUR, page)
        found += some
        if not more:
            break
    earliest = since(selling, sent_at)
    return sorted((one for one in found if one.created_at >= earliest), key=lambda one: one.created_at)


def since(selling: Selling, sent_at: int) -> int:
    """The earliest time, by the marketplace's clock, at which it can have received what was sent at `sent_at`."""
    if selling.ahead_ms is None:
        return sent_at - NO_DATE_MS
    return sent_at + selling.ahead_ms - CLOCKS_MS


def could_be(change: Change, variant_id: str, seen: shapes.MarketListing) -> bool:
    """Whether `seen` can be what creating by `change` has made. A listing that is not active yet may show no amount."""
    amount = change.terms.amount
    same_amount = seen.amount is None or amount is None or seen.amount == Decimal(amount)
    same_currency = seen.currency in (None, change.terms.currency)
    return seen.variant_id == variant_id and same_amount and same_currency


def creation(selling: Selling, change: Change, seen: shapes.MarketListing) -> tuple[bool, Operation | None]:
    """Whether `change` can have created `seen`, which is like it, and the operation that did.

    Where the marketplace tells no operation, or not what it set, the listing's own values decide.
    """
    created = next((one for one in _operations(selling, seen.listing_id) if one.type == Action.CREATE), None)
    if created is None:
        return True, None
    contradicted = created.changes is not None and not is_made_by(created, change, 0)
    return created.via in (None, shapes.VIA) and not contradicted, created


def _find(selling: Selling, marketplace_id: str) -> tuple[shapes.MarketListing | None, str | None]:
    """The listing, or the marketplace's words for having none."""
    try:
        return selling.listing(marketplace_id), None
    except NotFound as gone:
        return None, gone.message


def _our_operation(selling: Selling, submission: Submission, seen: shapes.MarketListing | None) -> Operation | None:
    """The operation that the change has started, as far as the listing's operations tell."""
    earliest, last = since(selling, submission.first_sent), seen.last_operation if seen else None
    if last and _is_ours(last, submission, earliest):
        return last
    if last and last.created_at is not None and last.created_at < earliest:
        return None  # nothing has happened to the listing since
    if seen is None and submission.change.action is not Action.CREATE:
        return None  # what is gone has no operation of ours to wait for
    operations = _operations(selling, submission.marketplace_id or "")
    return next((one for one in operations if _is_ours(one, submission, earliest)), None)


def _is_ours(operation: Operation, submission: Submission, earliest: int) -> bool:
    if submission.operation_id:
        return operation.operation_id == submission.operation_id
    return is_made_by(operation, submission.change, earliest)


def _operations(selling: Selling, listing_id: str) -> list[Operation]:
    try:
        return selling.operations(listing_id)
    except NotFound:
        return []
