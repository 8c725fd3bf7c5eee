"""Answers as eBay's Marketing API gives them, to be changed at will, and adapters that get them."""

from decimal import Decimal
from typing import Any

import httpx

from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.ebay.marketing import Marketing
from tests.unit.marketplaces.ebay_answers import ACCOUNT, CREDENTIALS, network_of
from tests.unit.marketplaces.fakes import NOON, BudgetLog, Network, WatchedClock, answer

REFRESH_TOKEN = "v^1.1#refresh-of-acme-0123456789"
CAMPAIGN_ID = "8036117041"
LISTING = "110551234567"
BASE = "/sell/marketing/v1/ad_campaign"
FIVE = Decimal("5.0")
AD = f"https://api.ebay.com/sell/marketing/v1/ad_campaign/{CAMPAIGN_ID}/ad/300123"
Json = dict[str, Any]


def connect() -> None:
    accounts.connect("ebay", "acme", CREDENTIALS | {"refresh_token": REFRESH_TOKEN}, NOON)


def open_marketing(network: Network, calls: BudgetLog | None = None, clock: WatchedClock | None = None) -> Marketing:
    return Marketing.open(ACCOUNT, calls or BudgetLog(), clock or WatchedClock(), wire=network)


def marketing_with(*answers: Any) -> Marketing:
    return open_marketing(network_of(*answers))


def campaign(campaign_id: Any = CAMPAIGN_ID, **changes: Any) -> Json:
    row = {
        "campaignId": campaign_id,
        "campaignName": "PLS",
        "campaignStatus": "RUNNING",
        "marketplaceId": "EBAY_US",
        "startDate": "2026-11-01T00:00:00.000Z",
        "campaignCriterion": None,
        "channels": ["ON_SITE"],
        "fundingStrategy": {"fundingModel": "COST_PER_SALE", "bidPercentage": "5.0", "adRateStrategy": "FIXED"},
    }
    return row | changes


def campaigns(*rows: Any) -> httpx.Response:
    return answer(200, {"campaigns": list(rows), "total": len(rows), "limit": 500, "offset": 0, "href": "h"})


def ad(listing_id: Any = LISTING, **changes: Any) -> Json:
    return {"adId": "300123", "listingId": listing_id, "bidPercentage": "5.0", "alerts": []} | changes


def ads(*rows: Any) -> httpx.Response:
    return answer(200, {"ads": list(rows), "total": len(rows), "limit": 500, "offset": 0, "href": "h"})


def created(
    place: str = f"https://api.ebay.com/sell/marketing/v1/ad_campaign/{CAMPAIGN_ID}/ad/300123",
) -> httpx.Response:
    """The answer to something made: no body, its id in `Location` alone."""
    return httpx.Response(201, headers={"location": place} if place else {})


def made(listing_id: Any = LISTING, **changes: Any) -> Json:
    """A row of a bulk answer for an ad that was made."""
    return {"statusCode": 201, "listingId": listing_id, "adId": f"300{listing_id}", "href": "h"} | changes


def refused(listing_id: Any, error_id: Any, status: Any = 400, words: Any = "eBay says no") -> Json:
    """A row of a bulk answer for an ad that was not."""
    error = {"errorId": error_id, "domain": "API_MARKETING", "category": "REQUEST", "message": words}
    return {"statusCode": status, "listingId": listing_id, "errors": [error]}


def bulk(*rows: Any, status: int = 207) -> httpx.Response:
    return answer(status, {"responses": list(rows)})
