"""eBay Marketing API v1: promoted listings, paid when they sell. The `Advertiser` of eBay.

Calls for ads have a quota of their own, and need the seller's token. What eBay answers with is read in
`ebay_ad_errors`. An id of something new stands only in the `Location` header.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Final

from sluice.jobs.model.outcomes import Then
from sluice.marketplaces.advertising import LEAST_RATE, MOST_ADS, Ad, AdResult, Campaign
from sluice.marketplaces.ebay import bulk
from sluice.marketplaces.ebay.ad_errors import meaning
from sluice.marketplaces.ebay.seller_api import SellerApi
from sluice.marketplaces.http import fields
from sluice.marketplaces.http.errors import BadAnswer, MarketplaceFailure
from sluice.marketplaces.http.exchange import Answer, Call
from sluice.marketplaces.http.fields import Value
from sluice.platform.clock import SECOND, iso

BASE: Final = "/sell/marketing/v1/ad_campaign"
CAMPAIGN: Final = f"{BASE}/{{campaign_id}}"
SITE: Final = "EBAY_US"
COST_PER_SALE: Final = "COST_PER_SALE"
RUNNING: Final = "RUNNING"
DYNAMIC: Final = "DYNAMIC"
NO_SUCH: Final = "2003"
PAGE_SIZE: Final = 500
MOST_PAGES: Final = 4
# eBay takes no start that has passed (35026), and its clock may be ahead of ours.
START_MS: Final = 30 * SECOND
_ID = re.compile(r"[0-9]{1,32}")


class Marketing(SellerApi):
    """One seller's ads; see `advertising.Advertiser`."""

    api = "marketing"
    _means = staticmethod(meaning)
    site = SITE

    def campaign(self, campaign_id: str) -> Campaign:
        """See `Advertiser`."""
        return _campaign(self._call(Call("GET", CAMPAIGN, {"campaign_id": campaign_id})))

    def running_campaigns(self) -> list[Campaign]:
        """See `Advertiser`. The oldest has the lowest id."""
        running = self._campaigns(campaign_status=RUNNING)
        found = (campaign for campaign in running if campaign.takes_ads and campaign.status == RUNNING)
        return sorted(found, key=lambda one: (len(one.campaign_id), one.campaign_id))

    def campaign_named(self, name: str) -> Campaign | None:
        """See `Advertiser`."""
        return next((campaign for campaign in self._campaigns(campaign_name=name) if campaign.name == name), None)

    def create_campaign(self, name: str, now: int) -> Campaign:
        """See `Advertiser`. Its own rate holds for no ad of ours, each of which has one."""
        body = {
            "campaignName": name,
            "marketplaceId": SITE,
            "startDate": f"{iso(now + START_MS)[:19]}Z",
            "fundingStrategy": {"fundingModel": COST_PER_SALE, "bidPercentage": str(LEAST_RATE)},
        }
        made = self._exchange(Call("POST", BASE, json=body))
        return Campaign(_created(made), name, "SCHEDULED", cost_per_sale=True, site=SITE)

    def ads(self, listing_id: str, campaign_id: str | None = None) -> list[Ad]:
        """See `Advertiser`."""
        campaigns = self._campaigns_with(listing_id) if campaign_id is None else [campaign_id]
        return [ad for each in campaigns for ad in self._ads(listing_id, each)]

    def create_ads(self, campaign_id: str, rates: Mapping[str, Decimal]) -> list[AdResult]:
        """See `Advertiser`. One ad is made by createAdByListingId, several by bulkCreateAdsByListingId."""
        if not 1 <= len(rates) <= MOST_ADS:
            raise ValueError(f"from 1 to {MOST_ADS} ads are made in one call, not {len(rates)}")
        try:
            if len(rates) > 1:
                return self._create_many(campaign_id, rates)
            ((listing_id, rate),) = rates.items()
            request = Call("POST", f"{CAMPAIGN}/ad", {"campaign_id": campaign_id}, json=_row(listing_id, rate))
            return [AdResult(listing_id, _created(self._exchange(request)))]
        except MarketplaceFailure as failure:
            if failure.action is Then.SNOOZE:
                raise
            return [AdResult(listing_id, error=failure) for listing_id in rates]

    def set_rate(self, campaign_id: str, listing_id: str, rate: Decimal) -> None:
        """See `Advertiser`. bulkUpdateAdsBidByListingId, because it needs no id of the ad."""
        path = f"{CAMPAIGN}/bulk_update_ads_bid_by_listing_id"
        (result,) = self._bulk(path, campaign_id, {listing_id: rate})
        if result.error:
            raise result.error

    def _campaigns(self, **query: str) -> Iterator[Campaign]:
        """The seller's campaigns that match, of some pages."""
        for page in range(MOST_PAGES):
            paged: dict[str, str | int] = {**query, "limit": PAGE_SIZE, "offset": page * PAGE_SIZE}
            rows = self._call(Call("GET", BASE, query=paged))["campaigns"].optional_rows()
            yield from map(_campaign, rows)
            if len(rows) < PAGE_SIZE:
                return

    def _campaigns_with(self, listing_id: str) -> list[str]:
        """The ids of the campaigns that the listing is in and that go on. findCampaignByAdReference.

        A listing that is in none is a 404, or a 409 with 2003.
        """
        request = Call("GET", f"{BASE}/find_campaign_by_ad_reference", query={"listing_id": listing_id})
        try:
            rows = self._call(request)["campaigns"].optional_rows()
        except MarketplaceFailure as failure:
            if failure.status != 404 and failure.code != NO_SUCH:
                raise
            return []
        return [campaign.campaign_id for campaign in map(_campaign, rows) if not campaign.over]

    def _ads(self, listing_id: str, campaign_id: str) -> Iterator[Ad]:
        ids = {"campaign_id": campaign_id}
        request = Call("GET", f"{CAMPAIGN}/ad", ids, {"listing_ids": listing_id, "limit": PAGE_SIZE})
        for row in self._call(request)["ads"].optional_rows():
            if row["listingId"].optional_text() == listing_id:
                yield Ad(row["adId"].text(), listing_id, campaign_id, row["bidPercentage"].optional_money())

    def _create_many(self, campaign_id: str, rates: Mapping[str, Decimal]) -> list[AdResult]:
        made = self._bulk(f"{CAMPAIGN}/bulk_create_ads_by_listing_id", campaign_id, rates)
        nameless = BadAnswer("eBay says that it made the ad, and not which", uncertain=True)
        return [one if one.ad_id or one.error else one._replace(error=nameless) for one in made]

    def _bulk(self, path: str, campaign_id: str, rates: Mapping[str, Decimal]) -> list[AdResult]:
        """One result for each of `rates`, whatever rows the answer has."""
        body = {"requests": [_row(listing_id, rate) for listing_id, rate in rates.items()]}
        answer = self._exchange(Call("POST", path, {"campaign_id": campaign_id}, json=body))
        rows = fields.read(answer)["responses"]
        found = dict(self._results(rows.rows(), answer.secrets))
        silent = BadAnswer(f"{rows.where} has no row for this listing", uncertain=True)
        return [found.get(listing_id) or AdResult(listing_id, error=silent) for listing_id in rates]

    def _results(self, rows: Iterable[Value], secrets: Iterable[str]) -> Iterator[tuple[str, AdResult]]:
        """Each row by its listing. One that cannot be read spoils no other."""
        for row in rows:
            if listing_id := _listing_id(row):
                try:
                    failure = bulk.row_failure(row, secrets)
                    ad_id = None if failure else row["adId"].optional_text()
                except BadAnswer as odd:
                    failure, ad_id = odd, None
                yield listing_id, AdResult(listing_id, ad_id, failure and self._understood(failure))

    def _call(self, request: Call) -> Value:
        return fields.read(self._exchange(request))


def _campaign(row: Value) -> Campaign:
    return Campaign(
        campaign_id=row["campaignId"].text(),
        name=row["campaignName"].optional_text() or "",
        status=row["campaignStatus"].text(),
        cost_per_sale=row["fundingStrategy"]["fundingModel"].optional_text() == COST_PER_SALE,
        by_rules=bool(row["campaignCriterion"].raw),
        fixed_rates=row["fundingStrategy"]["adRateStrategy"].optional_text() != DYNAMIC,
        site=row["marketplaceId"].optional_text() or SITE,
    )


def _row(listing_id: str, rate: Decimal) -> dict[str, str]:
    """What is asked for one listing. The rate as text with one decimal place, as `advertising.rate` makes it."""
    return {"listingId": listing_id, "bidPercentage": f"{rate:.1f}"}


def _created(answer: Answer) -> str:
    """The id of what was made: the end of its address."""
    made = answer.headers.get("location", "").rstrip("/").rpartition("/")[2]
    if not _ID.fullmatch(made):
        raise BadAnswer(f"{answer.source}: no Location that names what was made", uncertain=True)
    return made


def _listing_id(row: Value) -> str | None:
    return row["listingId"].optional_text() if isinstance(row.raw, dict) else None
