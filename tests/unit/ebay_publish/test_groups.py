"""Several sizes as one listing: one job, one lock, one count of revisions."""

from dataclasses import replace

import pytest

from local.sandbox.ebay.inventory.faults import RefuseListing
from local.sandbox.faults import Disconnect
from sluice.jobs.model.job import Job
from sluice.jobs.model.states import DEAD, SUCCEEDED
from sluice.listings.ebay import kinds, snapshots, table
from sluice.listings.ebay.desired import Status
from tests.support.ebay_seller import TENANT, EbaySeller
from tests.support.ebay_wanted import SHOES, size


def job(seller: EbaySeller) -> Job:
    assert seller.clock
    return Job.get(kinds.publish_id(table.group_owner(TENANT), "shoes"))


def published(seller: EbaySeller) -> str:
    seller.put_group(SHOES, size("9"), size("10"))
    seller.settle()
    [listing] = seller.live()
    seller.sandbox.log.clear()
    return listing.listing_id


def publish_unanswered(seller: EbaySeller) -> None:
    """A group of two sizes is live, and eBay's answer to its publication was lost."""
    seller.sandbox.faults.set(Disconnect(method="POST", path="*/publish_by_*", last=1))
    seller.put_group(SHOES, size("9"), size("10"))
    seller.later(31)
    seller.tick()
    assert len(seller.live()) == 1


def test_the_sizes_of_a_group_are_one_listing(seller: EbaySeller) -> None:
    seller.put_group(SHOES, size("9"), size("10"))
    seller.settle()
    [listing] = seller.live()
    assert seller.calls() == [
        "PUT inventory_item/J1-10",
        "POST offer",
        "PUT inventory_item/J1-9",
        "POST offer",
        "PUT inventory_item_group/shoes",
        "POST offer/publish_by_inventory_item_group",
    ]
    found = seller.group("shoes")
    assert (found.listing_id, found.standing, found.is_published) == (listing.listing_id, "live", True)
    for number in ("9", "10"):
        member = seller.record(f"J1-{number}")
        assert (member.listing_id, member.is_published, bool(member.unsure)) == (listing.listing_id, True, False)
    assert len(snapshots.page(found.listing, 10, None).items) == 1
    assert job(seller).state == SUCCEEDED


def test_a_price_of_one_size_is_one_quick_call(seller: EbaySeller) -> None:
    first = published(seller)
    seller.put_group(SHOES, size("9", "199"), size("10"))
    seller.settle()
    assert seller.calls() == ["POST bulk_update_price_quantity"]
    assert [one.listing_id for one in seller.live()] == [first]
    assert seller.record("J1-9").is_published


def test_nothing_new_is_nothing_sent(seller: EbaySeller) -> None:
    published(seller)
    seller.put_group(SHOES, size("9"), size("10"))
    seller.settle()
    assert seller.calls(reads=True) == []


def test_another_size_joins_the_listing(seller: EbaySeller) -> None:
    first = published(seller)
    seller.put_group(SHOES, size("9"), size("10"), size("11"))
    seller.settle()
    assert [one.listing_id for one in seller.live()] == [first]
    assert seller.record("J1-11").listing_id == first
    assert {offer.status for offer in seller.shop.offers.values()} == {"PUBLISHED"}
    assert seller.shop.groups["shoes"]["variantSKUs"] == ["J1-10", "J1-11", "J1-9"]


def test_a_size_that_has_ended_stays_with_nothing_to_buy(seller: EbaySeller) -> None:
    first = published(seller)
    seller.sandbox.ebay.sell(TENANT, "J1-9")
    seller.put_group(SHOES, size("9", status=Status.ENDED), size("10"))
    seller.settle()
    assert [one.listing_id for one in seller.live()] == [first]
    [offer] = seller.shop.offers_of("J1-9")
    assert seller.shop.quantity(offer) == 0
    assert seller.record("J1-9").is_published


def test_a_size_that_had_ended_before_it_was_ever_for_sale_is_not_in_the_listing(seller: EbaySeller) -> None:
    seller.put_group(SHOES, size("9", status=Status.ENDED), size("10"))
    seller.settle()
    [listing] = seller.live()
    gone = seller.record("J1-9")
    assert (gone.is_published, gone.is_for_sale) == (True, False)
    assert not gone.listing_id
    seller.put_group(replace(SHOES, title="Another title"), size("10", status=Status.PAUSED))
    seller.settle()
    assert (job(seller).state, seller.group("shoes").error) == (SUCCEEDED, None)
    assert seller.shop.groups["shoes"]["variantSKUs"] == ["J1-10"]
    seller.put_group(SHOES, size("9"), size("10"))
    seller.settle()
    assert seller.record("J1-9").listing_id == listing.listing_id
    assert seller.shop.groups["shoes"]["variantSKUs"] == ["J1-10", "J1-9"]


@pytest.mark.parametrize("call", ["put_group", "publish_group"])
def test_a_size_that_has_ended_stays_in_the_listing_after_an_attempt_that_failed(seller: EbaySeller, call: str) -> None:
    first = published(seller)
    seller.sandbox.faults.set(RefuseListing(error_id=25003, call=call, sku="shoes", last=1))
    seller.put_group(SHOES, size("9", status=Status.ENDED), size("10"), size("11"))
    seller.settle()
    assert job(seller).state == DEAD
    seller.put_group(replace(SHOES, title="Another title"), size("10"))
    seller.settle()
    assert [one.listing_id for one in seller.live()] == [first]
    assert seller.shop.groups["shoes"]["variantSKUs"] == ["J1-10", "J1-11", "J1-9"]
    assert [seller.shop.quantity(offer) for offer in seller.shop.offers_of("J1-9")] == [0]


def test_a_group_that_ends_is_taken_down_and_comes_back_anew(seller: EbaySeller) -> None:
    first = published(seller)
    seller.put_group(replace(SHOES, status=Status.ENDED), size("9"), size("10"))
    seller.settle()
    assert (seller.live(), seller.group("shoes").standing) == ([], "ended")
    seller.put_group(SHOES, size("9"), size("10"))
    seller.settle()
    [second] = seller.live()
    assert second.listing_id != first


@pytest.mark.parametrize("path", ["*/inventory_item/*", "*/offer", "*/inventory_item_group/*", "*/publish_by_*"])
def test_a_lost_answer_makes_no_second_listing(seller: EbaySeller, path: str) -> None:
    seller.sandbox.faults.set(Disconnect(method="PUT", path=path, last=1), Disconnect(method="POST", path=path, last=1))
    seller.put_group(SHOES, size("9"), size("10"))
    seller.settle()
    assert (len(seller.shop.listings), len(seller.shop.offers), job(seller).state) == (1, 2, SUCCEEDED)


def test_a_size_whose_publication_was_not_answered_has_ended_with_its_group(seller: EbaySeller) -> None:
    publish_unanswered(seller)
    seller.put_group(replace(SHOES, status=Status.ENDED))
    seller.settle()
    assert (seller.live(), job(seller).state) == ([], SUCCEEDED)
    assert [seller.record(f"J1-{number}").is_published for number in (9, 10)] == [True, True]


def test_a_size_whose_publication_was_not_answered_is_ended_in_its_group(seller: EbaySeller) -> None:
    """Its whole offer is sent, with its policies: eBay refuses it without, and the group was never published."""
    publish_unanswered(seller)
    seller.put(replace(size("9"), status=Status.ENDED))
    seller.put_group(replace(SHOES, title="Air Jordan 1, once more"))
    seller.settle()
    assert (job(seller).state, job(seller).error) == (SUCCEEDED, None)
    assert [seller.shop.quantity(offer) for offer in seller.shop.offers_of("J1-9")] == [0]


def test_what_ebay_refuses_of_one_size_is_told_of_the_group(seller: EbaySeller) -> None:
    seller.sandbox.faults.set(RefuseListing(error_id=25003, call="create_offer", sku="J1-9"))
    seller.put_group(SHOES, size("9"), size("10"))
    seller.settle()
    assert (job(seller).state, seller.group("shoes").error["code"]) == (DEAD, "25003")
    assert seller.live() == []
    assert {entry.error_id for entry in seller.log() if entry.result == "failed"} == {"25003"}


def test_all_sizes_share_the_revisions_of_the_listing(seller: EbaySeller) -> None:
    published(seller)
    seller.put_group(SHOES, size("9", title="Other"), size("10", title="Other"))
    seller.settle()
    assert seller.group("shoes").revised(seller.clock.time) == (2, 2)
    assert [sum(one.revisions.values()) for one in seller.live()] == [2]
