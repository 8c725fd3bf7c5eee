"""After eBay has refused a change, the listing itself is read, and what it shows is stored."""

from typing import Any

import pytest

from local.sandbox.ebay.inventory.faults import RefuseListing
from local.sandbox.faults import Disconnect
from sluice.jobs.model.states import DEAD
from sluice.platform import aws
from sluice.platform.packing import unpack
from tests.support.ebay_seller import SKU, TENANT, EbaySeller
from tests.support.ebay_wanted import record
from tests.unit.ebay_publish.test_comparing import classes, look, published


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, seller: EbaySeller) -> list[tuple[str, dict[str, Any]]]:
    events: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(aws, "put_events", events.extend)
    return events


# By which call the change goes, and what is changed.
CHANGES = pytest.mark.parametrize(
    ("call", "change"),
    [("set_price", {"amount": "200"}), ("update_offer", {"description": "<p>Other</p>"}), ("put_item", {"title": "T"})],
)


def refuse(seller: EbaySeller, call: str, change: dict[str, Any], error_id: int = 25003) -> None:
    """The record is changed, and eBay refuses that."""
    seller.sandbox.faults.set(RefuseListing(error_id=error_id, call=call))
    seller.put(record(quantity=5, **change), quick="amount" in change)
    seller.settle()
    seller.sandbox.faults.clear()
    assert (seller.job().state, seller.job().error["code"]) == (DEAD, str(error_id))


@CHANGES
def test_a_sale_is_found(seller: EbaySeller, told: list[Any], call: str, change: dict[str, Any]) -> None:
    published(seller)
    seller.sandbox.ebay.sell(TENANT, SKU, 2)
    refuse(seller, call, change)
    found = seller.record()
    assert (found.wanted.quantity, found.standing, found.error["version"]) == (3, "live", found.version)
    assert unpack(found.observed)["sold"] == 2
    assert classes(told) == [("listing.sold", "sale")]
    assert look(seller)["drift"] == 0
    seller.put(record(quantity=3))
    seller.settle()
    assert seller.record().is_published
    assert seller.shop.quantity(seller.shop.offers_of(SKU)[0]) == 3


@CHANGES
def test_an_end_is_found(seller: EbaySeller, told: list[Any], call: str, change: dict[str, Any]) -> None:
    published(seller)
    seller.sandbox.ebay.end_by_hand(TENANT, SKU, by_ebay=True)
    refuse(seller, call, change)
    found = seller.record()
    assert (found.standing, [one["class"] for one in found.drift]) == ("ended", ["ended"])
    assert [(kind, detail["by"]) for kind, detail in told] == [("listing.ended", "ebay")]
    assert look(seller)["drift"] == 0


def test_a_hold_is_found(seller: EbaySeller, told: list[Any]) -> None:
    published(seller)
    seller.live()[0].on_hold = True
    refuse(seller, "put_item", {"title": "T"}, 25097)
    assert seller.record().standing == "on_hold"
    assert classes(told) == [("listing.on_hold", "on_hold")]


def test_what_the_refused_change_left_half_done_is_no_drift(seller: EbaySeller, told: list[Any]) -> None:
    published(seller)
    refuse(seller, "update_offer", {"title": "Another", "description": "<p>Other</p>"})
    found = seller.record()
    assert (found.standing, bool(found.drift), told) == ("live", False, [])
    assert unpack(found.observed)["standing"] == "live"
    assert look(seller)["drift"] == 0
    seller.put(record(quantity=5))
    seller.settle()
    assert seller.shop.items[SKU].body["product"]["title"] == record().title


def test_later_looks_go_on_seeing_what_becomes_of_it(seller: EbaySeller, told: list[Any]) -> None:
    published(seller)
    refuse(seller, "put_item", {"title": "T"})
    seller.sandbox.ebay.end_by_hand(TENANT, SKU, by_ebay=False)
    assert look(seller)["drift"] == 1
    assert classes(told) == [("listing.ended", "ended")]


def test_what_cannot_be_read_changes_nothing_but_the_error(seller: EbaySeller, told: list[Any]) -> None:
    published(seller)
    before = seller.record()
    seller.sandbox.ebay.end_by_hand(TENANT, SKU, by_ebay=True)
    seller.sandbox.faults.set(
        RefuseListing(error_id=25003, call="put_item"), Disconnect(method="GET", path="*", last=1000)
    )
    seller.put(record(quantity=5, title="T"))
    seller.settle()
    found = seller.record()
    assert (found.standing, found.observed_at, found.error["code"]) == ("live", before.observed_at, "25003")
    assert told == []


def test_a_refused_new_listing_is_not_read(seller: EbaySeller) -> None:
    seller.sandbox.faults.set(RefuseListing(error_id=25003, call="create_offer"))
    seller.put(record())
    seller.settle()
    assert "GET offer" not in seller.calls(reads=True)
