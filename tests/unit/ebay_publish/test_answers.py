"""What a person says about an open difference, from the look that found it to what eBay is in the end."""

from dataclasses import replace
from typing import Any

import pytest

from sluice.listings.ebay import answers, cases
from sluice.listings.ebay.answers import NoCase, NotTheirs
from sluice.listings.ebay.desired import Desired, FieldGroup, OnDrift, PolicyIds, Price, Status
from sluice.platform import aws
from tests.support.ebay_seller import SKU, TENANT, EbaySeller
from tests.support.ebay_shop import EbayShop
from tests.support.ebay_wanted import IDS, record
from tests.unit.ebay_publish.test_comparing import look
from tests.unit.ebay_publish.test_drift import look as seen
from tests.unit.ebay_publish.test_drift import publish


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "put_events", lambda events: None)


def asked(seller: EbaySeller, *groups: FieldGroup) -> Desired:
    """A live listing whose drift in `groups` is asked about."""
    want = record(quantity=3, on_drift={**record().on_drift, **dict.fromkeys(groups, OnDrift.ASK)})
    seller.put(want)
    seller.settle()
    return want


def open_case(seller: EbaySeller) -> tuple[Any, cases.Row]:
    look(seller)
    [row] = seller.record().drift
    return answers.find(TENANT, row["case"])


def test_ours_is_sent_again(seller: EbaySeller) -> None:
    asked(seller, FieldGroup.PRICE)
    seller.sandbox.ebay.edit_offer(TENANT, SKU, price="1.00")
    answers.ours(*open_case(seller), "ann", seller.clock.time, seller.config)
    seller.settle()
    assert seller.shop.offers_of(SKU)[0].body["pricingSummary"]["price"]["value"] == "245.00"
    assert not seller.record().drift
    assert look(seller)["drift"] == 0


def test_what_is_ignored_is_the_measure(seller: EbaySeller) -> None:
    asked(seller, FieldGroup.PRICE)
    seller.sandbox.ebay.edit_offer(TENANT, SKU, price="1.00")
    answers.ignore(*open_case(seller))
    assert look(seller)["drift"] == 0
    assert not seller.record().drift
    seller.sandbox.ebay.edit_offer(TENANT, SKU, price="2.00")
    assert look(seller)["drift"] == 1


def test_theirs_is_what_ebay_shows(seller: EbaySeller) -> None:
    want = asked(seller, FieldGroup.PRICE, FieldGroup.DETAILS)
    seller.sandbox.ebay.edit_offer(TENANT, SKU, price="199.50")
    seller.sandbox.ebay.edit_item(TENANT, SKU, title="Changed elsewhere")
    found, row = open_case(seller)
    become = answers.theirs(found, row)
    assert (become.price, become.title) == (Price("199.50", "USD"), "Changed elsewhere")
    assert become.quantity == want.quantity
    answers.close(found, row)
    seller.put(become)
    seller.settle()
    assert look(seller)["drift"] == 0
    assert seller.record().is_published


@pytest.mark.parametrize("seed", range(3))
def test_what_ebay_shows_of_a_record_is_that_record(seed: int) -> None:
    shop, want = EbayShop(seed), record(quantity=3)
    publish(shop, want)
    shown = seen(shop, want)
    assert shown
    become = answers.as_shown(want, shown, list(FieldGroup))
    pictures = shown.groups[FieldGroup.IMAGES]
    assert replace(become, description=want.description) == replace(want, images=tuple(pictures))
    assert PolicyIds(*(str(one.id) for one in become.policies)) == IDS
    assert become.description == "<p>New in box.</p> <p>Ships today.</p>"


def test_an_ended_listing_comes_back_only_when_somebody_says_so(seller: EbaySeller) -> None:
    asked(seller)
    [first] = seller.live()
    seller.sandbox.ebay.end_by_hand(TENANT, SKU)
    found, row = open_case(seller)
    assert answers.theirs(found, row).status is Status.ENDED
    answers.ours(found, row, "ann", seller.clock.time, seller.config)
    seller.settle()
    [second] = seller.live()
    assert second.listing_id != first.listing_id
    assert (seller.record().listing_id, seller.record().standing) == (second.listing_id, "live")


def test_a_listing_whose_offer_is_gone_is_made_anew(seller: EbaySeller) -> None:
    asked(seller)
    [offer_id] = seller.shop.offers
    seller.sandbox.ebay.end(seller.live()[0])
    del seller.shop.offers[offer_id]
    answers.ours(*open_case(seller), "ann", seller.clock.time, seller.config)
    seller.settle()
    assert len(seller.live()) == 1
    assert seller.record().offer_id != offer_id


def test_a_policy_that_is_gone_is_nothing_to_take(seller: EbaySeller) -> None:
    asked(seller)
    found = seller.record()
    rows = [cases.row("policy_gone", ["policies"], "2026-11-28T10:00:00.000Z", "7", sku=SKU)]
    found.update(actions=[type(found).drift.set(rows)])
    with pytest.raises(NotTheirs, match="change the record"):
        answers.theirs(*answers.find(TENANT, rows[0]["case"]))


@pytest.mark.parametrize("case", [f"{SKU}.123456789012", "none", "", ".", f"{SKU}."])
def test_a_case_that_is_none_is_none(seller: EbaySeller, case: str) -> None:
    asked(seller)
    with pytest.raises(NoCase):
        answers.find(TENANT, case)
    with pytest.raises(NoCase):
        answers.find("globex", case)


def test_a_sku_with_points_keeps_them() -> None:
    case = cases.new_id("A.B.C")
    assert cases.sku_of(case) == "A.B.C"
