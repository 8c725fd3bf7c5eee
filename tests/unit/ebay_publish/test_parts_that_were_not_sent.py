"""What others have changed at eBay while a record's own change went there: what it did not send is no word of ours."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from local.sandbox.ebay.inventory.faults import StaleRead
from sluice.listings.ebay.desired import Desired, FieldGroup, OnDrift, Price
from sluice.platform import aws
from tests.support.ebay_seller import SKU, TENANT, EbaySeller
from tests.support.ebay_wanted import record
from tests.unit.ebay_publish.test_comparing import classes, look


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, seller: EbaySeller) -> list[Any]:
    events: list[Any] = []
    monkeypatch.setattr(aws, "put_events", lambda put: events.extend(one for one in put if "listing." in one[0]))
    return events


def published(seller: EbaySeller, how: OnDrift = OnDrift.HEAL) -> Desired:
    want = record(quantity=5, on_drift=dict.fromkeys(FieldGroup, how))
    seller.put(want)
    seller.settle()
    assert len(seller.live()) == 1
    return want


Edit = Callable[[EbaySeller], None]
PRICE: Edit = lambda seller: seller.sandbox.ebay.edit_offer(TENANT, SKU, price="1.00")  # noqa: E731
PLACE: Edit = lambda seller: seller.sandbox.ebay.edit_offer(TENANT, SKU, merchantLocationKey="garage")  # noqa: E731
TITLE: Edit = lambda seller: seller.sandbox.ebay.edit_item(TENANT, SKU, title="Changed elsewhere")  # noqa: E731
PICTURE: Edit = lambda seller: seller.sandbox.ebay.edit_item(TENANT, SKU, imageUrls=["https://x.example/1.jpg"])  # noqa: E731

# What others change, the record's own change that goes there in another call, and the field group that differs.
APART = [
    (PRICE, {"title": "Another title"}, "price"),
    (PLACE, {"title": "Another title"}, "policies"),
    (TITLE, {"description": "<p>Another</p>"}, "details"),
    (PICTURE, {"description": "<p>Another</p>"}, "images"),
    (TITLE, {"price": Price("199", "USD")}, "details"),
    (PLACE, {"quantity": 4}, "policies"),
]


@pytest.mark.parametrize(("edit", "change", "group"), APART)
def test_drift_beside_a_change_of_ours_is_found_told_once_and_mended(
    seller: EbaySeller, told: list[Any], edit: Edit, change: dict[str, Any], group: str
) -> None:
    want = published(seller)
    edit(seller)
    seller.put(replace(want, **change))
    seller.settle()
    assert look(seller)["drift"] == 1
    assert (classes(told), told[0][1]["groups"]) == ([("listing.drift", "external_only")], [group])
    seller.settle()
    assert look(seller)["drift"] == 0
    [offer] = seller.shop.offers.values()
    shown = (offer.body["merchantLocationKey"], seller.shop.items[SKU].body["product"]["imageUrls"])
    assert shown == (want.location, list(want.images))
    assert len(told) == 1


@pytest.mark.parametrize(("edit", "change", "group"), APART)
def test_a_case_stays_open_while_something_else_is_published(
    seller: EbaySeller, told: list[Any], edit: Edit, change: dict[str, Any], group: str
) -> None:
    want = published(seller, OnDrift.ASK)
    edit(seller)
    look(seller)
    [row] = seller.record().drift
    seller.put(replace(want, **change))
    seller.settle()
    assert seller.record().drift == [row]
    assert row["groups"] == [group]
    assert look(seller)["drift"] == 0
    assert len(told) == 1


def test_a_case_is_closed_by_a_publish_that_sends_what_it_is_about(seller: EbaySeller, told: list[Any]) -> None:
    want = published(seller, OnDrift.ASK)
    TITLE(seller)
    look(seller)
    seller.put(replace(want, title="Another title"))
    seller.settle()
    assert not seller.record().drift
    assert look(seller)["drift"] == 0
    assert len(told) == 1


def test_after_an_ignored_difference_others_are_found_still(seller: EbaySeller, told: list[Any]) -> None:
    want = published(seller, OnDrift.IGNORE)
    PRICE(seller)
    look(seller)
    seller.put(replace(want, title="Another title"))
    seller.settle()
    assert look(seller)["drift"] == 0
    PLACE(seller)
    assert look(seller)["drift"] == 1
    assert [detail["groups"] for _, detail in told] == [["price"], ["policies"]]
    assert seller.shop.offers_of(SKU)[0].body["pricingSummary"]["price"]["value"] == "1.00"


@pytest.mark.parametrize(
    ("happens", "event"),
    [(PRICE, "listing.drift"), (lambda seller: seller.sandbox.ebay.sell(TENANT, SKU, 2), "listing.sold")],
)
def test_what_happened_before_anybody_could_look_is_told_when_it_stays(
    seller: EbaySeller, told: list[Any], happens: Edit, event: str
) -> None:
    seller.sandbox.faults.set(StaleRead(seconds=600))
    published(seller)
    seller.sandbox.faults.clear()
    assert not seller.record().echo
    happens(seller)
    look(seller)
    assert told == []  # as far as anybody can tell, eBay is behind
    seller.later(3_700)
    look(seller)
    assert [kind for kind, _ in told] == [event]
    seller.settle()
    assert look(seller)["drift"] == 0
    [offer] = seller.shop.offers.values()
    left = 3 if event == "listing.sold" else 5
    assert (seller.record().wanted.quantity, seller.shop.quantity(offer)) == (left, left)
    assert offer.body["pricingSummary"]["price"]["value"] == "245.00"
    assert len(told) == 1


def sell(seller: EbaySeller, quantity: int) -> None:
    seller.sandbox.ebay.sell(TENANT, SKU, quantity)


@pytest.mark.parametrize(
    "change",
    [{"price": Price("199", "USD")}, {"title": "Another title"}, {"description": "<p>B</p>"}],
)
@pytest.mark.parametrize("also", [{}, {"title": "And this", "description": "<p>C</p>"}])
def test_what_was_sold_before_a_publish_is_told_and_not_sold_again(
    seller: EbaySeller, told: list[Any], change: dict[str, Any], also: dict[str, Any]
) -> None:
    want = published(seller)
    sell(seller, 2)
    seller.put(replace(want, **{**change, **also}))
    seller.settle()
    assert look(seller)["drift"] == 1
    seller.settle()
    assert (classes(told), told[0][1]["quantity"]) == ([("listing.sold", "sale")], 2)
    [offer] = seller.shop.offers.values()
    assert (seller.record().wanted.quantity, seller.shop.quantity(offer)) == (3, 3)
    assert seller.record().is_published
    assert (look(seller)["drift"], len(told)) == (0, 1)


@pytest.mark.parametrize("change", [{}, {"title": "Another title", "description": "<p>B</p>"}])
@pytest.mark.parametrize("later", [0, 1])
def test_a_quantity_that_was_set_after_a_sale_is_the_quantity(
    seller: EbaySeller, told: list[Any], change: dict[str, Any], later: int
) -> None:
    """The seller's software knows of the sale from eBay, and has told Sluice already."""
    want = published(seller)
    sell(seller, 2)
    seller.put(replace(want, quantity=3, **change))
    seller.settle()
    if later:
        sell(seller, later)
    assert look(seller)["drift"] == 1
    seller.settle()
    assert (classes(told), told[0][1]["quantity"]) == ([("listing.sold", "sale")], 2 + later)
    [offer] = seller.shop.offers.values()
    assert (seller.record().wanted.quantity, seller.shop.quantity(offer)) == (3 - later, 3 - later)
    assert (look(seller)["drift"], len(told)) == (0, 1)


def test_a_price_alone_leaves_the_quantity_as_it_is(seller: EbaySeller) -> None:
    want = published(seller)
    sell(seller, 2)
    seller.put(replace(want, price=Price("199", "USD")), quick=True)
    seller.settle()
    [offer] = seller.shop.offers.values()
    assert (seller.shop.quantity(offer), offer.body["pricingSummary"]["price"]["value"]) == (3, "199.00")
