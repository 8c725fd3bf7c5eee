"""What there is at eBay: published listings, sellers' campaigns, and the ads in them. Times are epoch ms."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from local.sandbox.chance import chance
from local.sandbox.ebay.marketing.errors import RefusedError

MINUTE_MS = 60_000
# A listing becomes known to Marketing this long after it was published, by seed.
FIRST_KNOWN_MS, LAST_KNOWN_MS = MINUTE_MS, 10 * MINUTE_MS
COST_PER_SALE = "COST_PER_SALE"
ENDED = "ENDED"


@dataclass(frozen=True)
class Published:
    """A listing, which Marketing knows from `known_at_ms` on."""

    account: str
    listing_id: str
    at_ms: int
    known_at_ms: int
    site: str = "EBAY_US"


@dataclass(frozen=True)
class Campaign:
    """A seller's campaign. by_rules: eBay chooses its listings. status: what it is from its start on.

    rate_strategy: `DYNAMIC` where eBay sets the rates. most_ads: how many it takes before it is full.
    """

    account: str
    campaign_id: str
    name: str
    start_ms: int
    funding_model: str = COST_PER_SALE
    site: str = "EBAY_US"
    by_rules: bool = False
    status: str = "RUNNING"
    rate_strategy: str = "FIXED"
    most_ads: int = 50_000

    def status_at(self, at_ms: int) -> str:
        return "SCHEDULED" if at_ms < self.start_ms and self.status == "RUNNING" else self.status


@dataclass(frozen=True)
class Ad:
    """An ad, which is there for good: nobody takes one away here."""

    account: str
    ad_id: str
    listing_id: str
    campaign_id: str
    rate: str
    at_ms: int


class Book:
    """Everything that Marketing keeps. `repeated` counts, by listing, ads that were asked for where there was one."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._published: dict[str, Published] = {}
        self._campaigns: dict[str, Campaign] = {}
        self._ads: dict[tuple[str, str], Ad] = {}
        self.repeated: Counter[str] = Counter()

    def publish(
        self, account: str, listing_id: str, at_ms: int, known_after_s: float | None = None, site: str = "EBAY_US"
    ) -> Published:
        """A listing is for sale from now on. known_after_s: when Marketing knows it; None leaves that to the seed."""
        spread = LAST_KNOWN_MS - FIRST_KNOWN_MS
        lag = FIRST_KNOWN_MS + int(spread * chance(self._seed, "index", listing_id))
        known_at = at_ms + (lag if known_after_s is None else round(known_after_s * 1000))
        published = Published(account, listing_id, at_ms, known_at, site)
        self._published[listing_id] = published
        return published

    def end_listing(self, listing_id: str) -> None:
        """The listing is for sale no more."""
        self._published.pop(listing_id, None)

    def add_campaign(self, account: str, name: str, start_ms: int, **more: Any) -> Campaign:
        """A new campaign. Raises RefusedError when the seller has one of this name."""
        if any(one.name == name for one in self.campaigns(account)):
            raise RefusedError(35021)
        campaign = Campaign(account, str(8_036_117_000 + len(self._campaigns)), name, start_ms, **more)
        self._campaigns[campaign.campaign_id] = campaign
        return campaign

    def set_status(self, campaign_id: str, status: str) -> None:
        """Pause, resume or end a campaign."""
        self._campaigns[campaign_id] = replace(self._campaigns[campaign_id], status=status)

    def campaigns(self, account: str) -> list[Campaign]:
        """The seller's campaigns, oldest first."""
        return [one for one in self._campaigns.values() if one.account == account]

    def campaign(self, account: str, campaign_id: str) -> Campaign:
        """One of the seller's campaigns. Raises RefusedError for that of anybody else."""
        found = self._campaigns.get(campaign_id)
        if found is None or found.account != account:
            raise RefusedError(35045)
        return found

    def ads(self, account: str) -> list[Ad]:
        """Every ad of the seller, oldest first."""
        return [ad for ad in self._ads.values() if ad.account == account]

    def ad(self, campaign: Campaign, listing_id: str) -> Ad:
        """The listing's ad in this campaign. Raises RefusedError when it has none."""
        if found := self._ads.get((campaign.campaign_id, listing_id)):
            return found
        raise RefusedError(35044)

    def add_ad(self, campaign: Campaign, listing_id: str, rate: str, at_ms: int) -> Ad:
        """Promote a listing. Raises RefusedError for what eBay does not promote, or not yet, or promotes already."""
        published = self._published.get(listing_id)
        if published is None or at_ms < published.known_at_ms:
            raise RefusedError(35048)
        if published.account != campaign.account:
            raise RefusedError(35057)
        if published.site != campaign.site:
            raise RefusedError(35054)
        # A listing is in one campaign that is paid by sale, whichever that is; one that has ended does not count.
        ads = [ad for ad in self.ads(campaign.account) if self._campaigns[ad.campaign_id].status != ENDED]
        if any(ad.listing_id == listing_id for ad in ads):
            self.repeated[listing_id] += 1
            raise RefusedError(35036)
        if sum(ad.campaign_id == campaign.campaign_id for ad in ads) >= campaign.most_ads:
            raise RefusedError(35103)
        ad = Ad(campaign.account, str(30_000_001 + len(self._ads)), listing_id, campaign.campaign_id, rate, at_ms)
        self._ads[campaign.campaign_id, listing_id] = ad
        return ad

    def set_rate(self, ad: Ad, rate: str) -> Ad:
        """Change what an ad costs."""
        changed = self._ads[ad.campaign_id, ad.listing_id] = replace(ad, rate=rate)
        return changed
