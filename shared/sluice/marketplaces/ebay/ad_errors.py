"""What eBay's Marketing API means by its error ids. Pure.

Sources: the errors that the Marketing API 1.22 lists for createAdByListingId, bulkCreateAdsByListingId,
bulkUpdateAdsBidByListingId, getAds, getCampaign(s) and createCampaign. Two of them are read as sellers have met them:
35048 ("invalid or has ended") is also what a listing gets that was published minutes ago and is not indexed yet, and
35001 ("internal problem") may come for an ad that is there afterwards, so whoever gets it looks before asking again.
"""

from collections.abc import Mapping
from typing import Final

from sluice.jobs.model.outcomes import Then
from sluice.marketplaces.ebay.meanings import MISSING_SCOPE, Meaning
from sluice.marketplaces.http import errors
from sluice.marketplaces.http.errors import MarketplaceFailure
from sluice.platform.clock import MINUTE

# "Please wait a few minutes and try the call again."
FEW_MINUTES: Final = 5 * MINUTE


def _seller(advice: str) -> Meaning:
    return Meaning(errors.Rejected, advice)


def _campaign(advice: str) -> Meaning:
    """About the campaign alone: where none was named, the next one is tried."""
    return Meaning(errors.DoesNotFit, advice)


_OTHER_CAMPAIGN = "name another campaign, or none"
_NO_CAMPAIGN = _campaign(f"this seller has no such campaign: {_OTHER_CAMPAIGN}")
_ENDED = _campaign(f"the campaign has ended, or is about to: {_OTHER_CAMPAIGN}")
_CLICKS = _campaign(f"the campaign is paid by click: {_OTHER_CAMPAIGN}, whose ads cost something only when they sell")
_OWN_RATES = _campaign(f"eBay sets the rates of this campaign: {_OTHER_CAMPAIGN}, whose rates are fixed")
_KIND_OF_LISTING = _seller("eBay does not promote listings of this category and quantity: change the listing")
_STANDING = _seller("eBay wants a better seller level and recent sales before it promotes: see Seller Hub, Performance")
_NAME = _seller("eBay does not take this name for a campaign: name a campaign that there is")
# Sluice checks or makes these parts of a request itself: whatever eBay has against them is ours to mend.
_OURS = Meaning(errors.BadRequest)

MEANINGS: Mapping[str, Meaning] = {
    # Tried again.
    "35001": Meaning(errors.Unavailable, uncertain=True),
    "35002": Meaning(errors.Unavailable, pause_ms=FEW_MINUTES, uncertain=True),
    "35048": Meaning(errors.NotReady, "eBay does not know the listing: it is not indexed yet, or has ended"),
    "35061": Meaning(errors.NotReady, pause_ms=FEW_MINUTES),
    # There already.
    "35021": Meaning(errors.AlreadyExists),
    "35036": Meaning(errors.AlreadyExists),
    # Not there.
    "35044": Meaning(errors.NotFound),
    # The campaign.
    "35045": _NO_CAMPAIGN,
    "35046": _NO_CAMPAIGN,
    "35035": _ENDED,
    "35063": _ENDED,
    "35064": _campaign(f"the campaign chooses its listings by rules: {_OTHER_CAMPAIGN}"),
    "35103": _campaign(f"the campaign is full: {_OTHER_CAMPAIGN}"),
    "35010": _OWN_RATES,
    "35113": _OWN_RATES,
    "35080": _CLICKS,
    "36101": _CLICKS,
    "36108": _CLICKS,
    "36152": _CLICKS,
    "35094": _seller("eBay allows no more campaigns: name one that there is"),
    "35020": _NAME,
    "35023": _NAME,
    # What was asked for.
    "35007": _seller("ask with an ad rate from 2.0 to 100.0, with at most one decimal place"),
    "35013": _seller("ask with the id that eBay gave the listing"),
    "35014": _seller("ask with the id that eBay gave the listing"),
    # The listing.
    "35037": _seller("the listing has ended: publish it again"),
    "35054": Meaning(
        errors.WrongSite, "the listing is on another eBay site than the campaign: name a campaign of that site"
    ),
    "35057": _seller("the listing is another seller's: ask with the account that sells it"),
    "35058": _seller("eBay promotes fixed price listings only: change the listing's format"),
    "35052": _KIND_OF_LISTING,
    "35059": _KIND_OF_LISTING,
    "35075": _KIND_OF_LISTING,
    "35072": _seller("a variation is promoted by the listing that it belongs to: ask with that"),
    "35084": _seller("the listing's ad is archived: take it away at eBay, then ask again"),
    # The seller.
    MISSING_SCOPE: _seller("connect the eBay account again with a refresh token that has the scope sell.marketing"),
    "35051": _seller("eBay has no promoted listings on this site"),
    "35067": _seller("accept eBay's terms for promoted listings in Seller Hub, Advertising, then ask again"),
    "35077": _STANDING,
    "35078": _STANDING,
    "35089": _seller("eBay opens this kind of ad by invitation only"),
    # Our own request.
    **dict.fromkeys(("35018", "35033", "35068", "35071", "35029", "35030", "35083"), _OURS),
    **dict.fromkeys(("35006", "35019", "35025", "35026", "35038", "35041", "35043", "35106"), _OURS),
    **dict.fromkeys(("36106", "36210", "36219", "36221", "36412"), _OURS),
}


def meaning(failure: MarketplaceFailure, now: int) -> MarketplaceFailure:
    """What `failure` of a Marketing call is, as far as its id or its status tells more than HTTP does.

    A path names a campaign before anything else, so a 404 without an id here is a campaign that this seller does not
    have. Any other refusal that has no meaning here is `UnknownReason`.
    """
    known = MEANINGS.get(failure.code) or (_NO_CAMPAIGN if isinstance(failure, errors.NotFound) else None)
    if known is None:
        if failure.status is None or failure.action not in (Then.FATAL, Then.BUSINESS):
            return failure
        known = Meaning(errors.UnknownReason)
    return known.kind(
        f"{known.advice} ({failure.message})" if known.advice else failure.message,
        status=failure.status,
        code=failure.code if failure.code != type(failure).code else None,
        retry_at=now + known.pause_ms if known.pause_ms else failure.retry_at,
        uncertain=failure.uncertain or known.uncertain,
    )
