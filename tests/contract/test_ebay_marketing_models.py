"""What the Marketing adapter sends, and what the sandbox answers, against typed models of eBay's API.

bidkit's models are generated from eBay's contracts by somebody else, and come with the tests' packages: this check
needs no document at hand. The models allow unknown fields, so none may be left over.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
from bidkit.generated.models import sell_marketing as ebay
from pydantic import BaseModel, ValidationError

from local.sandbox.limits import Limits
from local.sandbox.server import Sandbox
from sluice.marketplaces.http.errors import MarketplaceFailure
from tests.contract.marketing_calls import CALLS, open_marketing
from tests.unit.marketplaces.fakes import Network
from tests.unit.marketplaces.marketing_answers import campaigns
from tests.unit.sandbox.advertiser import Seller
from tests.unit.sandbox.client import Clock, connected

BODIES: dict[str, type[BaseModel]] = {
    "create_campaign": ebay.CreateCampaignRequest,
    "create_ads": ebay.CreateAdRequest,
    "create_ads of several": ebay.BulkCreateAdRequest,
    "set_rate": ebay.BulkCreateAdRequest,
}


def _left_over(model: BaseModel) -> Iterator[str]:
    """The fields that the model does not know, and those of the models in it."""
    yield from model.model_extra or ()
    for name in type(model).model_fields:
        value = getattr(model, name)
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, BaseModel):
                yield from _left_over(part)


def _check(kind: type[BaseModel], body: bytes) -> None:
    # Enums are text in JSON, which is what strict mode makes of them there.
    assert list(_left_over(kind.model_validate_json(body, strict=True))) == []


@pytest.mark.parametrize("name", CALLS)
def test_every_body_that_is_sent(name: str) -> None:
    network = Network(campaigns())
    with suppress(MarketplaceFailure):
        CALLS[name](open_marketing(network))
    bodies = [sent.content for sent in network.sent if sent.content]
    assert bool(bodies) == (name in BODIES)
    for body in bodies:
        _check(BODIES[name], body)


@pytest.fixture
def seller() -> Iterator[Seller]:
    with Sandbox(seed=7, clock=Clock(), limits=Limits()) as sandbox, connected(sandbox) as client:
        sandbox.publish("tenant-a", "1", known_after_s=0)
        sandbox.world.ads.add_campaign("tenant-a", "rules", Clock().now, by_rules=True)
        yield Seller(client)


def test_every_body_that_the_sandbox_answers(seller: Seller) -> None:
    campaign = seller.campaign().headers["location"].rpartition("/")[2]
    rows = {"requests": [{"listingId": each, "bidPercentage": "6.0"} for each in ("1", "2")]}
    answers: list[tuple[httpx.Response, type[BaseModel]]] = [
        (seller.call("GET"), ebay.CampaignPagedCollectionResponse),
        (seller.call("GET", f"/{campaign}"), ebay.Campaign),
        (seller.call("POST", f"/{campaign}/bulk_create_ads_by_listing_id", rows), ebay.BulkAdResponse),
        (seller.call("POST", f"/{campaign}/bulk_update_ads_bid_by_listing_id", rows), ebay.BulkAdUpdateResponse),
        (seller.call("GET", f"/{campaign}/ad"), ebay.AdPagedCollectionResponse),
        (seller.call("GET", "/find_campaign_by_ad_reference", listing_id="1"), ebay.Campaigns),
    ]
    for answer, kind in answers:
        assert answer.status_code in (200, 207)
        _check(kind, answer.content)


@pytest.mark.parametrize("wrong", [{"bidPercentage": 5.0}, {"listingId": 1}, {"listing": "1"}])
def test_the_check_sees_a_wrong_body(wrong: dict[str, Any]) -> None:
    with pytest.raises((ValidationError, AssertionError)):
        _check(ebay.CreateAdRequest, json.dumps(wrong).encode())
