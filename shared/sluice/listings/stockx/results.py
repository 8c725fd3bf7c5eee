"""What a change came to, and what that makes of its listing. Pure."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from sluice.listings.stockx.changes import Change
from sluice.listings.stockx.status import AFTER, Action, ListingStatus, Status, of_listing
from sluice.marketplaces import selling
from sluice.marketplaces.selling import Terms
from sluice.platform import money
from sluice.platform.clock import MINUTE, SECOND

TIMEOUT: Final = "TIMEOUT"
TIMEOUT_MS: Final = 15 * MINUTE
TIMED_OUT: Final = "operation_timed_out"
FAILED_BY_MARKETPLACE: Final = "operation_failed"
AUTHENTICATION_FAILED: Final = "authentication_failed"

# A marketplace may keep times in whole seconds.
_SAME_TIME_MS = SECOND


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


def succeeded(change: Change) -> Result:
    """The marketplace did as asked."""
    becomes = AFTER[change.action] if change.active else ListingStatus.INACTIVE
    return Result(Status.COMPLETED, change.action, becomes, change.terms)


def failed(change: Change, code: str, message: str) -> Result:
    """The change did not happen. A listing that could not be created is none; any other stays as it was."""
    becomes = ListingStatus.FAILED if change.action is Action.CREATE else None
    return Result(Status.FAILED, change.action, becomes, error=(code, message))


def partial(change: Change, seen: selling.Listing | None, *, looked: bool) -> Result:
    """The marketplace did some of it: what the listing itself shows counts, if it was `looked` at."""
    if not looked:
        return Result(Status.PARTIAL, change.action)
    return Result(Status.PARTIAL, change.action, _status(change, seen), _terms(seen), more=_seen(seen))


def timed_out(change: Change, seen: selling.Listing | None, *, looked: bool) -> Result:
    """Nobody said in time what became of it. If the listing was `looked` at, what it shows is what really happened."""
    error = (TIMED_OUT, f"Operation timed out after {TIMEOUT_MS // MINUTE} minutes")
    if not looked:
        return Result(Status.FAILED, TIMEOUT, failed(change, *error).becomes, error=error)
    more = {**_seen(seen), "happened": shows(change, seen)}
    return Result(Status.FAILED, TIMEOUT, _status(change, seen), _terms(seen), error, more)


def shows(change: Change, seen: selling.Listing | None) -> bool:
    """Whether the marketplace's listing is as `change` wants it. None: the marketplace has no such listing."""
    if seen is None:
        return change.action is Action.DELETE
    status = of_listing(seen.word)
    if change.action is Action.UPDATE:
        return status in (ListingStatus.ACTIVE, ListingStatus.INACTIVE) and _agrees(change.terms, seen)
    return status is succeeded(change).becomes and _agrees(change.terms, seen)


def overdue(sent_at: int, now: int) -> bool:
    """Whether an operation that was started at `sent_at` has taken too long by `now`."""
    return now - sent_at > TIMEOUT_MS


def _agrees(terms: Terms, seen: selling.Listing) -> bool:
    """Whether what was asked for is what the listing has. What a listing off the market does not show agrees."""
    asked = None if terms.amount is None else Decimal(terms.amount)
    if asked is not None and seen.amount is not None and asked != seen.amount:
        return False
    if terms.currency is not None and seen.currency not in (None, terms.currency):
        return False
    if terms.expires_at is not None and seen.expires_at is not None:
        return abs(terms.expires_at - seen.expires_at) <= _SAME_TIME_MS
    return True


def _status(change: Change, seen: selling.Listing | None) -> ListingStatus | None:
    if seen is None:
        return ListingStatus.FAILED if change.action is Action.CREATE else ListingStatus.DELETED
    return of_listing(seen.word)


def _terms(seen: selling.Listing | None) -> Terms:
    if seen is None:
        return Terms()
    return Terms(None if seen.amount is None else money.plain(seen.amount), seen.currency, seen.expires_at)


def _seen(seen: selling.Listing | None) -> dict[str, Any]:
    return {"seen": None if seen is None else seen.word}
