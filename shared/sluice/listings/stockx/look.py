"""Finding out how far a change is: from its operation, or where that says nothing, from the listing itself."""

from dataclasses import dataclass, replace
from decimal import Decimal

from sluice.listings.stockx import table as listings
from sluice.listings.stockx.changes import Change
from sluice.listings.stockx.results import shows
from sluice.listings.stockx.status import Status, meaning
from sluice.listings.stockx.submission import Submission
from sluice.marketplaces import selling as shapes
from sluice.marketplaces.http.errors import NotFound
from sluice.marketplaces.selling import Operation
from sluice.marketplaces.stockx.selling import MOST_PAGES, Selling
from sluice.platform.clock import SECOND
from sluice.platform.observe import count, logger

# How far the marketplace's clock may be behind ours.
CLOCKS_MS = 10 * SECOND


@dataclass(frozen=True)
class Look:
    """What was seen. status None: nothing that says whether the change was even received."""

    status: Status | None
    submission: Submission
    error: str | None = None


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
    """What the listing shows: our operation as its last one, or the change itself."""
    seen = find(selling, submission.marketplace_id or "")
    last = seen.last_operation if seen else None
    if last and _is_ours(last, submission):
        return read(submission, last)
    return Look(Status.COMPLETED if shows(submission.change, seen) else None, submission)


def find(selling: Selling, marketplace_id: str) -> shapes.Listing | None:
    """The marketplace's listing; None when it has none of this id."""
    try:
        return selling.listing(marketplace_id)
    except NotFound:
        return None


def for_created(selling: Selling, account: str, listing_id: str, variant_id: str, submission: Submission) -> Submission:
    """The submission with the listing that its create has made, if there is one: same variant and terms, created since.

    A listing is adopted by a conditional write, so two creates that look for theirs at once never find the same one.
    """
    since = submission.sent_at - CLOCKS_MS
    for page in range(1, MOST_PAGES + 1):
        found, more = selling.find([variant_id], since, page)
        for one in sorted(found, key=lambda each: each.created_at):
            ours = is_made_by(submission.change, variant_id, since, one)
            if ours and listings.adopt(account, one.listing_id, listing_id):
                return replace(submission, marketplace_id=one.listing_id)
        if not more:
            break
    return submission


def is_made_by(change: Change, variant_id: str, since: int, seen: shapes.Listing) -> bool:
    """Whether `seen` can be what creating by `change` has made. A listing that is not active yet may show no amount."""
    amount = change.terms.amount
    same_amount = seen.amount is None or amount is None or seen.amount == Decimal(amount)
    same_currency = seen.currency in (None, change.terms.currency)
    return seen.variant_id == variant_id and seen.created_at >= since and same_amount and same_currency


def _is_ours(operation: Operation, submission: Submission) -> bool:
    if submission.operation_id:
        return operation.operation_id == submission.operation_id
    created_at = operation.created_at
    since = submission.sent_at - CLOCKS_MS
    return operation.type == submission.change.action and created_at is not None and created_at >= since
