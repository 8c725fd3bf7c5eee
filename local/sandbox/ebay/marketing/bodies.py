"""Answers as Marketing words them."""

from datetime import UTC, datetime

from local.sandbox.call import Answer, Call
from local.sandbox.ebay.errors import Json
from local.sandbox.ebay.marketing import inputs
from local.sandbox.ebay.marketing.book import COST_PER_SALE, Ad, Campaign
from local.sandbox.ebay.marketing.errors import RefusedError

DEFAULT_LIMIT, MOST = 10, 500


def campaign(campaign: Campaign, at_ms: int) -> Json:
    funding: Json = {"fundingModel": campaign.funding_model}
    if campaign.funding_model == COST_PER_SALE:
        funding |= {"bidPercentage": "2.0", "adRateStrategy": campaign.rate_strategy}
    body = {
        "campaignId": campaign.campaign_id,
        "campaignName": campaign.name,
        "campaignStatus": campaign.status_at(at_ms),
        "marketplaceId": campaign.site,
        "startDate": datetime.fromtimestamp(campaign.start_ms // 1000, UTC).isoformat().replace("+00:00", "Z"),
        "channels": ["ON_SITE"],
        "fundingStrategy": funding,
    }
    if campaign.by_rules:
        body["campaignCriterion"] = {"criterionType": "INVENTORY_PARTITION", "autoSelectFutureInventory": True}
    return body


def ad(ad: Ad) -> Json:
    return {"adId": ad.ad_id, "listingId": ad.listing_id, "bidPercentage": ad.rate}


def page(call: Call, name: str, found: list[Json]) -> Answer:
    limit, offset = inputs.whole(call, "limit", DEFAULT_LIMIT), inputs.whole(call, "offset", 0)
    if not 1 <= limit <= MOST:
        raise RefusedError(35029)
    if offset < 0:
        raise RefusedError(35030)
    shown = {name: found[offset : offset + limit], "total": len(found), "limit": limit, "offset": offset}
    return Answer(200, {"href": f"{call.base_url}{call.path}", **shown})
