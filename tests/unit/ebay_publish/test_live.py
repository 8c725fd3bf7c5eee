"""`listing.live`: told of an eBay listing when it is published, and not when it is changed."""

from dataclasses import replace
from typing import Any

import pytest

from sluice.listings import live
from sluice.listings.ebay.desired import Status
from sluice.listings.ebay.kinds import KINDS
from sluice.listings.ebay.plan import Step
from sluice.platform import aws
from tests.support.ebay_seller import SKU, TENANT, EbaySeller
from tests.support.ebay_wanted import record
from tests.support.stream import changes

Told = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Told:
    """What is on the bus of the stream of jobs."""
    put: Told = []
    monkeypatch.setattr(aws, "put_events", put.extend)
    return put


def test_a_record_that_is_published_is_live_once(seller: EbaySeller, bus: Told) -> None:
    seller.put(record(quantity=3))
    seller.settle()
    [listing] = seller.live()
    assert live.tell(changes("jobs")) == 1
    [(kind, detail)] = bus
    assert (kind, detail["tenant"], detail["marketplace"]) == ("listing.live", TENANT, "ebay")
    assert (detail["sku"], detail["listingId"]) == (SKU, listing.listing_id)


def test_a_change_of_what_is_live_and_its_end_are_not_told(seller: EbaySeller, bus: Told) -> None:
    seller.put(record(quantity=3))
    seller.settle()
    changes("jobs")
    seller.put(record(amount="250", quantity=2))
    seller.settle()
    seller.put(replace(record(amount="250", quantity=2), status=Status.ENDED))
    seller.settle()
    assert seller.live() == []
    assert live.tell(changes("jobs")) == 0
    assert bus == []


def test_the_names_are_those_of_the_publisher() -> None:
    """They are written out, so that who hands on the stream need not load all of eBay."""
    assert live.PUBLISH in {kind.name for kind in KINDS}
    assert live.PUBLISHES == Step.PUBLISH
