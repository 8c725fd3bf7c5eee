"""eBay Marketing API v1: the checks of every call, campaigns, ads one by one and in bulk."""

from collections.abc import Callable

from local.sandbox.accounts import Accounts
from local.sandbox.call import Answer, Call, Routes
from local.sandbox.ebay.errors import Json
from local.sandbox.ebay.marketing import bodies, inputs
from local.sandbox.ebay.marketing.book import COST_PER_SALE, ENDED, Ad, Book, Campaign
from local.sandbox.ebay.marketing.errors import RefusedError
from local.sandbox.ebay.marketing.faults import RefuseAd
from local.sandbox.ebay.seller_api import SellerApi
from local.sandbox.faults import Faults
from local.sandbox.limits import Limits
from local.sandbox.switch import AdAsked

BASE = "/sell/marketing/v1/ad_campaign"
CAMPAIGN = f"{BASE}/{{campaign_id}}"
STATUSES = {"DELETED", "DRAFT", ENDED, "ENDING_SOON", "PAUSED", "PENDING", "RUNNING", "SCHEDULED", "SYSTEM_PAUSED"}
MOVES = {"pause": "PAUSED", "resume": "RUNNING", "end": ENDED}

# Carries out what is asked for one listing, and gives the ad.
Act = Callable[[Campaign, str, str], Ad]


class Marketing(SellerApi):
    """Ads of sellers, who call with their own token. An application's is refused: it has not the scope."""

    name = "ebay-marketing"
    prefixes: tuple[str, ...] = ("/sell/marketing/",)
    # eBay's own day. A 429 says nothing of when to come back.
    limits = Limits(per_day=10_000, zone="America/Los_Angeles", retry_after=False)
    refused = RefusedError
    no_such = 2003
    failed = 35001
    needs_body = False

    def __init__(self, seed: int, accounts: Accounts, faults: Faults) -> None:
        super().__init__(accounts)
        self._faults = faults
        self.book = Book(seed)
        self._routes = Routes(
            ("POST", BASE, self._create_campaign),
            ("GET", BASE, self._campaigns),
            ("GET", f"{BASE}/find_campaign_by_ad_reference", self._campaigns_with),
            ("GET", CAMPAIGN, self._campaign),
            *(("POST", f"{CAMPAIGN}/{move}", self._move) for move in MOVES),
            ("GET", f"{CAMPAIGN}/ad", self._ads),
            ("POST", f"{CAMPAIGN}/ad", self._create_ad),
            ("POST", f"{CAMPAIGN}/ad/{{ad_id}}/update_bid", self._update_bid),
            ("POST", f"{CAMPAIGN}/bulk_create_ads_by_listing_id", self._bulk_create),
            ("POST", f"{CAMPAIGN}/bulk_update_ads_bid_by_listing_id", self._bulk_update),
        )

    def _create_campaign(self, call: Call) -> Answer:
        body = inputs.body(call)
        funding = body.get("fundingStrategy") or {}
        for field, error_id in (("campaignName", 35019), ("marketplaceId", 35041), ("startDate", 35026)):
            if not isinstance(body.get(field), str) or not body[field]:
                raise RefusedError(error_id)
        if funding.get("fundingModel") != COST_PER_SALE:
            raise RefusedError(35038)
        if "bidPercentage" not in funding:
            raise RefusedError(35106)
        inputs.rate(funding["bidPercentage"])
        start = inputs.time(body["startDate"])
        if start < call.at_ms:
            raise RefusedError(35026)
        made = self.book.add_campaign(self.account(call), body["campaignName"], start, site=body["marketplaceId"])
        return Answer(201, None, {"Location": f"{call.base_url}{BASE}/{made.campaign_id}"})

    def _campaigns(self, call: Call) -> Answer:
        name, status = call.query.get("campaign_name"), call.query.get("campaign_status")
        if status and status not in STATUSES:
            raise RefusedError(35043)
        found = [
            bodies.campaign(one, call.at_ms)
            for one in self.book.campaigns(self.account(call))
            if name in (None, one.name) and status in (None, one.status_at(call.at_ms))
        ]
        return bodies.page(call, "campaigns", found)

    def _campaigns_with(self, call: Call) -> Answer:
        listing_id = call.query.get("listing_id")
        if not listing_id:
            raise RefusedError(35031)
        account = self.account(call)
        ids = {ad.campaign_id for ad in self.book.ads(account) if ad.listing_id == listing_id}
        found = [bodies.campaign(one, call.at_ms) for one in self.book.campaigns(account) if one.campaign_id in ids]
        if not found:
            # Sellers have met this status here, where the document has 404.
            return Answer(409, {"errors": [RefusedError(2003).body()]})
        return Answer(200, {"campaigns": found})

    def _campaign(self, call: Call, campaign_id: str) -> Answer:
        return Answer(200, bodies.campaign(self.book.campaign(self.account(call), campaign_id), call.at_ms))

    def _move(self, call: Call, campaign_id: str) -> Answer:
        campaign = self._open(call, campaign_id)
        self.book.set_status(campaign.campaign_id, MOVES[call.path.rpartition("/")[2]])
        return Answer(204, None)

    def _ads(self, call: Call, campaign_id: str) -> Answer:
        campaign = self.book.campaign(self.account(call), campaign_id)
        wanted = set(filter(None, call.query.get("listing_ids", "").split(",")))
        ads = [ad for ad in self.book.ads(campaign.account) if ad.campaign_id == campaign_id]
        return bodies.page(call, "ads", [bodies.ad(ad) for ad in ads if not wanted or ad.listing_id in wanted])

    def _create_ad(self, call: Call, campaign_id: str) -> Answer:
        campaign, row = self._open(call, campaign_id), inputs.body(call)
        ad = self._done(call, campaign, row, self._made(call))
        return Answer(201, None, {"Location": f"{call.base_url}{BASE}/{campaign_id}/ad/{ad.ad_id}"})

    def _update_bid(self, call: Call, campaign_id: str, ad_id: str) -> Answer:
        campaign = self._open(call, campaign_id)
        ad = next((one for one in self.book.ads(campaign.account) if one.ad_id == ad_id), None)
        if ad is None or ad.campaign_id != campaign_id:
            raise RefusedError(35044)
        self._done(call, campaign, {**inputs.body(call), "listingId": ad.listing_id}, self._changed)
        return Answer(204, None)

    def _bulk_create(self, call: Call, campaign_id: str) -> Answer:
        return self._bulk(call, campaign_id, self._made(call), 201)

    def _bulk_update(self, call: Call, campaign_id: str) -> Answer:
        return self._bulk(call, campaign_id, self._changed, 200)

    def _bulk(self, call: Call, campaign_id: str, act: Act, done: int) -> Answer:
        campaign, rows = self._open(call, campaign_id), inputs.body(call).get("requests")
        if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
            raise RefusedError(35033)
        if len(rows) > bodies.MOST:
            raise RefusedError(35071)
        listings = [str(row.get("listingId")) for row in rows]
        if len(set(listings)) < len(listings):
            raise RefusedError(35018)
        answers: list[Json] = []
        for row in rows:
            try:
                ad = self._done(call, campaign, row, act)
                href = f"{call.base_url}{BASE}/{campaign_id}/ad/{ad.ad_id}"
                answers.append({"statusCode": done, "listingId": ad.listing_id, "adId": ad.ad_id, "href": href})
            except RefusedError as refused:
                listing = {"listingId": str(row.get("listingId", ""))}
                answers.append({"statusCode": refused.status, **listing, "errors": [refused.body()]})
        return Answer(207 if any("errors" in row for row in answers) else 200, {"responses": answers})

    def _open(self, call: Call, campaign_id: str) -> Campaign:
        """The campaign, which must be one whose ads can be changed."""
        campaign = self.book.campaign(self.account(call), campaign_id)
        if campaign.status == ENDED:
            raise RefusedError(35035)
        if campaign.by_rules:
            raise RefusedError(35064)
        if campaign.funding_model != COST_PER_SALE:
            raise RefusedError(35080)
        if campaign.rate_strategy == "DYNAMIC":
            raise RefusedError(35010)
        return campaign

    def _done(self, call: Call, campaign: Campaign, row: Json, act: Act) -> Ad:
        """Do what is asked for one listing, or what a switch has for it."""
        listing_id = row.get("listingId")
        if not listing_id:
            raise RefusedError(35014)
        if not isinstance(listing_id, str) or not listing_id.isdecimal():
            raise RefusedError(35013)
        rate = inputs.rate(row.get("bidPercentage"))
        asked = AdAsked(call.method, call.path, campaign.account, listing_id, campaign.campaign_id)
        struck = [strike.fault for strike in self._faults.strikes(asked) if isinstance(strike.fault, RefuseAd)]
        if struck and not struck[0].effect:
            raise RefusedError(struck[0].error_id)
        ad = act(campaign, listing_id, rate)
        if struck:
            raise RefusedError(struck[0].error_id)
        return ad

    def _made(self, call: Call) -> Act:
        return lambda campaign, listing_id, rate: self.book.add_ad(campaign, listing_id, rate, call.at_ms)

    def _changed(self, campaign: Campaign, listing_id: str, rate: str) -> Ad:
        return self.book.set_rate(self.book.ad(campaign, listing_id), rate)
