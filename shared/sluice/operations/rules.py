"""What may be asked of a listing. Pure: each answer is the reason against it, in words, or None."""

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from sluice.marketplaces import registry
from sluice.operations.changes import Change
from sluice.operations.results import plain
from sluice.operations.status import Action, ListingStatus
from sluice.platform.clock import DAY, SECOND

# ISO 4217: these have no minor unit.
_WHOLE: Final = frozenset({"JPY", "KRW"})
_DECIMALS: Final = 2
MOST_AMOUNT: Final = Decimal(100_000_000)
LONGEST_EXPIRY_MS: Final = 999 * DAY
_DECIMAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

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


def amount(value: object, currency: str) -> str:
    """`value` as Sluice writes an amount: `150`, `150.50`.

    Raises:
        ValueError: it is none that can be asked for; says why.
    """
    if isinstance(value, bool) or not _DECIMAL.fullmatch(str(value)):
        raise ValueError('must be a decimal in major units, as "150.50"')
    number = Decimal(str(value))
    if number <= 0:
        raise ValueError("must be above zero")
    if number >= MOST_AMOUNT:
        raise ValueError(f"must be below {MOST_AMOUNT}")
    decimals = 0 if currency in _WHOLE else _DECIMALS
    if number != round(number, decimals):
        most = f"at most {decimals} decimals" if decimals else "no decimals"
        raise ValueError(f"must have {most} in {currency}")
    return plain(number)


def currency(value: str, marketplace: str) -> str:
    """`value`, if the marketplace takes listings in it.

    Raises:
        ValueError: it does not; lists those that it takes.
    """
    known = registry.get(marketplace).listing_currencies
    if value not in known:
        raise ValueError(f"{marketplace} takes listings in {', '.join(sorted(known))}")
    return value


def expiry(value: str, now: int) -> int:
    """An RFC 3339 time in the future, as epoch ms.

    Raises:
        ValueError: it is not; says why.
    """
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("must be a time such as 2027-01-31T12:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError("must say its time zone, as 2027-01-31T12:00:00Z")
    at = int(moment.timestamp() * SECOND)
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
    if not _UUID.fullmatch(value.lower()):
        raise ValueError("must be a variant id of the marketplace, a UUID")
    return value.lower()
