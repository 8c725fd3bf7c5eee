"""What a seller does at eBay's Marketing API, in a line each."""

from base64 import b64encode
from typing import Any

import httpx

from tests.unit.sandbox.client import Client

TOKEN = "/identity/v1/oauth2/token"
BASE = "/sell/marketing/v1/ad_campaign"
LISTING = "110551234567"


class Seller:
    """A seller with a token of its own."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.token = self.refresh().json()["access_token"]

    def refresh(self, **form: str) -> httpx.Response:
        known = self.client.credentials
        basic = b64encode(f"{known.client_id}:{known.client_secret}".encode()).decode()
        given = {"grant_type": "refresh_token", "refresh_token": known.refresh_token, **form}
        return self.client.http.post(TOKEN, data=given, headers={"authorization": f"Basic {basic}"})

    def call(self, method: str, path: str = "", body: object = None, **query: str | int) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token}"}
        return self.client.http.request(method, BASE + path, json=body, params=query, headers=headers)

    def campaign(self, name: str = "PLS", start: str = "2026-11-23T12:00:00Z", **funding: Any) -> httpx.Response:
        given = {"fundingModel": "COST_PER_SALE", "bidPercentage": "5.0", **funding}
        body = {"campaignName": name, "marketplaceId": "EBAY_US", "startDate": start, "fundingStrategy": given}
        return self.call("POST", body=body)

    def promote(self, campaign: str, listing: str = LISTING, rate: object = "5.0") -> httpx.Response:
        return self.call("POST", f"/{campaign}/ad", {"listingId": listing, "bidPercentage": rate})
