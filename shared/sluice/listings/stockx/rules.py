"""What may be asked of a listing. Pure: each answer is the reason against it, in words, or None."""

import re
from collections.abc import Sequence
from typing import Final

from sluice.listings.stockx.changes import Change
from sluice.listings.stockx.status import Action, ListingStatus
from sluice.marketplaces import registry
from sluice.platform import money
from sluice.platform.clock import DAY, from_iso

LONGEST_EXPIRY_MS: Final = 999 * DAY
_UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"

# A listing in one of these is over: nothing can be done to it any more.
OVER: Final = frozenset({ListingStatus.DELETED, ListingStatus.SOLD, ListingStatus.CANCELED, ListingStatus.FAILED})


def refusal(status: str, action: Action, open_changes: Sequence[Change] = ()) -> str | None:
    """Why `action` cannot be done to a listing with this status and these changes under way."""
    if action is Action.CREATE:
        return None if status in (ListingStatus.PENDING, ListingStatus.FAILED) else f"the listing is {status} already"
    if status in OVER:
        return f"the listing is {status}; it cannot be changed any more"
    if action is not Action.DELETE and any(change.action is Action.DELETE for change in open_changes):
        return "the listing is being deleted"
    return None


def needless(status: str, action: Action) -> bool:
    """Whether a listing with this status is as `action` wants it, so that there is nothing to send.

    One that was asked for twice exists; one that never came into being, or has gone, need not be taken away.
    """
    if action is Action.CREATE:
        return status in (ListingStatus.ACTIVE, ListingStatus.INACTIVE)
    gone = (ListingStatus.DELETED, ListingStatus.CANCELED, ListingStatus.FAILED)
    return action is Action.DELETE and status in gone


def currency(value: str, marketplace: str) -> str:
    """`value`, if the marketplace takes listings in it.

    Raises:
        ValueError: it does not; lists those that it takes.
    """
    known = registry.get(marketplace).listing_currencies
    if value not in known:
        raise ValueError(f"{marketplace} takes listings in {', '.join(sorted(known))}")
    return value


def amount(value: object, currency: str, marketplace: str) -> str:
    """`value` as an amount that the marketplace takes for a listing.

    Raises:
        ValueError: it does not; says why.
    """
    written = money.amount(value, currency)
    if registry.get(marketplace).whole_amounts and not money.is_whole(written):
        raise ValueError(f"must be a whole amount: {marketplace} takes no decimals in a listing, whatever the currency")
    return written


def expiry(value: str, now: int) -> int:
    """An RFC 3339 time in the future, as epoch ms.

    Raises:
        ValueError: it is not; says why.
    """
    try:
        at = from_iso(value)
    except ValueError:
        raise ValueError("must be a time with its time zone, as 2027-01-31T12:00:00Z") from None
    if at <= now:
        raise ValueError("must be in the future")
    if at > now + LONGEST_EXPIRY_MS:
        raise ValueError(f"must be within {LONGEST_EXPIRY_MS // DAY} days")
    return at


def variant_id(value: str) -> str:
    """`value` in lower case, if it has the form of StockX's variant ids (a UUID).

    Raises:
        ValueError: it has not.
    """
    if not re.fullmatch(_UUID, value.lower()):
        raise ValueError("must be a variant id of the marketplace, a UUID")
    return value.lower()
