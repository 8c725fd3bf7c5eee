"""What eBay's Inventory and Account APIs mean by their error ids. Pure.

Sources: the errors that Inventory 1.18 and Account 1.9 list for their calls; 25002, 25713, 25759 and 25025 as sellers
have met them. 25002 is a word for anything: only with an `offerId` does it mean that there is an offer.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from sluice.jobs.model.outcomes import Then
from sluice.marketplaces.ebay.meanings import MISSING_SCOPE, Meaning
from sluice.marketplaces.http import errors
from sluice.marketplaces.http.errors import MarketplaceFailure, Said
from sluice.marketplaces.publishing import OfferExists
from sluice.platform.clock import HOUR, SECOND

EXISTS: Final = "25002"
NOT_AVAILABLE: Final = "25713"
# A 404 with one of these proves that there is no such item, group or offer.
ABSENT: Final = frozenset({"25702", "25705", "25710", NOT_AVAILABLE})
ON_HOLD: Final = "25759"


def _ids(*ranges: int | tuple[int, int]) -> Iterable[str]:
    for one in ranges:
        first, last = (one, one) if isinstance(one, int) else one
        yield from map(str, range(first, last + 1))


def _all(meaning: Meaning, *ranges: int | tuple[int, int]) -> dict[str, Meaning]:
    return dict.fromkeys(_ids(*ranges), meaning)


def _seller(advice: str) -> Meaning:
    return Meaning(errors.SellerMustAct, advice)


_WAIT_MS: Final = HOUR
# A seller's limit is of a month; by hand it is raised within days. So it is tried again a few times a day.
_LIMIT_MS: Final = 6 * HOUR
# Another change of the same item is under way: done in a moment.
_BUSY_MS: Final = 5 * SECOND

_OF_THE_LISTING = Meaning(errors.Rejected)
_OURS = Meaning(errors.BadRequest)
_GONE = Meaning(errors.NotFound)
_POLICY = Meaning(errors.PolicyRefused, "choose business policies that this site has, of the right kind")

MEANINGS: Mapping[str, Meaning] = {
    # The listing's own data, which the seller must change in the record.
    **_all(_OF_THE_LISTING, 25003, 25004, 25005, 25006, 25011, (25012, 25017), 25019, (25020, 25024), 25029),
    **_all(_OF_THE_LISTING, 25031, 25032, 25120, 25121, (25501, 25503), 25601, 25604, 25707, 25708, 25709),
    **_all(_OF_THE_LISTING, 25715, 25752, (25755, 25764), 25766, 25767, 25002),
    # Groups.
    **_all(_OF_THE_LISTING, 25701, 25703, 25704),
    # Tried again.
    "25001": Meaning(errors.Unavailable, uncertain=True),
    "25025": Meaning(errors.NotReady, pause_ms=_BUSY_MS),
    "20500": Meaning(errors.Unavailable),
    "20501": Meaning(errors.Unavailable),
    # Later.
    **_all(Meaning(errors.NotNow, "a bid, an offer or the listing's near end forbids it", _WAIT_MS), (25038, 25040)),
    "25026": Meaning(
        errors.SellingLimit, "ask eBay for a higher selling limit, or end listings: nothing new is published", _LIMIT_MS
    ),
    # Not there.
    **_all(_GONE, 25702, 25705, 25710, 25713, 25725),
    # Held.
    **_all(Meaning(errors.OnHold, "eBay holds this listing: see Seller Hub, and what eBay wrote"), 25097, 25098),
    # The seller.
    MISSING_SCOPE: _seller("connect the eBay account again with a refresh token for sell.inventory and sell.account"),
    **_all(_POLICY, (25007, 25009), (25034, 25036)),
    "20404": _POLICY,
    "25018": _seller("complete your eBay account: see My eBay, Account"),
    **_all(_seller("eBay's refurbished programme asks for more: see Seller Hub"), (25041, 25052)),
    **_all(_seller("eBay asks for product safety or regulatory data"), (25076, 25095), (25099, 25119), 25122),
    "25123": _seller("parts and accessories need a longer return policy: choose another"),
    # Our own request.
    **_all(_OURS, 25706, (25727, 25735), 20401, 20403),
}


def meaning(failure: MarketplaceFailure, now: int) -> MarketplaceFailure:
    """What `failure` of an Inventory or Account call is, as far as its ids tell more than HTTP does.

    Of several ids the first that is known counts. A 404 without an id that proves it says nothing of the thing itself:
    it, and every other refusal that has no meaning here, is `UnknownReason`.
    """
    if failure.status is None or failure.action is Then.SNOOZE:
        return failure
    said = failure.said or (Said(failure.code, failure.message, {}),)
    if existing := next((one.parameters["offerId"] for one in said if _exists(one)), ""):
        there = OfferExists(failure.message, status=failure.status, code=EXISTS)
        there.offer_id = existing
        return there
    first = next((one for one in said if one.code in MEANINGS), said[0])
    known = MEANINGS.get(first.code or "")
    if first.code == ON_HOLD and re.search(r"\bon[- ]hold\b", first.message.lower()):
        known = MEANINGS["25098"]
    if known is None:
        if failure.action is Then.RETRY:
            return failure
        known = Meaning(errors.UnknownReason)
    told = known.kind(
        _words(known.advice, first, failure.message),
        status=failure.status,
        code=first.code if first.code else None,
        retry_at=now + known.pause_ms if known.pause_ms else failure.retry_at,
        uncertain=failure.uncertain or known.uncertain,
    )
    told.said = failure.said
    return told


def _exists(one: Said) -> bool:
    return one.code == EXISTS and bool(one.parameters.get("offerId"))


def _words(advice: str, first: Said, otherwise: str) -> str:
    """The advice, what eBay says, and what it says it of."""
    about = "; ".join(f"{name}: {value}" for name, value in first.parameters.items() if value)
    said = first.message or otherwise
    whole = f"{said} [{about}]" if about else said
    return f"{advice} ({whole})" if advice else whole
