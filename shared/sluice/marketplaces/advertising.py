"""A seller's ads at a marketplace, in one shape for all of them. Loads no HTTP client.

An ad shows one listing to more buyers. Its rate is the percentage of the sale price that it costs; it stands in a
campaign, and is paid for only when the item is sold through it (cost per sale).

What a failure tells whoever asked for an ad, besides its action:
```
AlreadyExists   the listing has an ad, in this campaign or another: find it (`ads`) and set its rate
uncertain       the ad may have been made all the same: look for it (`ads`) before asking again
DoesNotFit      business: not in this campaign (its site, its kind, its room), but perhaps in another
NotReady        retry: the marketplace does not know the listing yet, or prepares the campaign
UnknownReason   retry: the marketplace has a reason that is not known here
Rejected        business: the message begins with what the seller must do
```
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple, Protocol

from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.http.errors import MarketplaceFailure

# eBay Marketing API, `bidPercentage`: one decimal place, from 2.0 to 100.0.
LEAST_RATE: Final = Decimal("2.0")
MOST_RATE: Final = Decimal("100.0")
_RATE = r"[0-9]{1,3}(\.[0-9])?"

# eBay Marketing API, bulkCreateAdsByListingId.
MOST_ADS: Final = 500

# eBay Marketing API, `CampaignStatusEnum`: those that take no ads any more.
_OVER = frozenset({"DELETED", "ENDED", "ENDING_SOON"})


class Campaign(NamedTuple):
    """A campaign. status: in the marketplace's words. cost_per_sale: an ad costs something only when it sells.

    by_rules: the marketplace itself chooses its listings, so that none can be added.
    fixed_rates: each ad has the rate that is asked for; else the marketplace sets the rates.
    site: the marketplace's site whose listings it takes.
    """

    campaign_id: str
    name: str
    status: str
    cost_per_sale: bool
    by_rules: bool = False
    fixed_rates: bool = True
    site: str = ""

    @property
    def takes_ads(self) -> bool:
        """Whether an ad with a rate can be added, as far as is shown: that it is full, only a refusal tells."""
        return self.cost_per_sale and self.fixed_rates and not self.by_rules and not self.over

    @property
    def over(self) -> bool:
        """Whether its ads show nothing any more, or soon will not."""
        return self.status in _OVER


class Ad(NamedTuple):
    """An ad. rate: None when it has none of its own, and its campaign's holds."""

    ad_id: str
    listing_id: str
    campaign_id: str
    rate: Decimal | None = None


class AdResult(NamedTuple):
    """What became of one listing's ad: it was made, or `error` says why not."""

    listing_id: str
    ad_id: str | None = None
    error: MarketplaceFailure | None = None


class Advertiser(Protocol):
    """One account's ads. Every method may raise the errors of `Session.call`."""

    def campaign(self, campaign_id: str) -> Campaign:
        """A campaign of this seller. Raises Rejected when there is none: it may be another seller's."""

    site: str
    """The site whose listings are promoted where nobody says otherwise."""

    def running_campaigns(self) -> list[Campaign]:
        """The seller's running campaigns that take ads, the oldest first."""

    def campaign_named(self, name: str) -> Campaign | None:
        """The seller's campaign of exactly this name, whatever its status."""

    def create_campaign(self, name: str, now: int) -> Campaign:
        """A campaign that begins within a minute and takes ads at once. Raises AlreadyExists when the name is taken."""

    def ads(self, listing_id: str, campaign_id: str | None = None) -> list[Ad]:
        """The listing's ads in this campaign, or in any: one call more for each campaign that it is in."""

    def create_ads(self, campaign_id: str, rates: Mapping[str, Decimal]) -> list[AdResult]:
        """Make an ad for each listing of `rates`, at most `MOST_ADS`, in one call; the answers are in their order.

        What holds up every call (the budget, the account) is raised. Whatever else fails is in the results, also
        where it is the same for all of them: a campaign that has ended, no answer in time.
        """

    def set_rate(self, campaign_id: str, listing_id: str, rate: Decimal) -> None:
        """Change the rate of the listing's ad. Raises NotFound when it has none in this campaign."""


def rate(text: str) -> Decimal:
    """An ad rate in percent, with one decimal place: `5` and `5.0` are `5.0`.

    Raises:
        ValueError: it is none, in words.
    """
    found = Decimal(text).quantize(LEAST_RATE) if re.fullmatch(_RATE, text) else None
    if found is None or not LEAST_RATE <= found <= MOST_RATE:
        raise ValueError(f"must be a percentage from {LEAST_RATE} to {MOST_RATE} with at most one decimal place")
    return found


def refusal(account_id: str) -> str | None:
    """Why no ads can be asked for on this account, and what to do; None when they can. See `accounts.no_seller`."""
    return accounts.no_seller(account_id, "ads")
