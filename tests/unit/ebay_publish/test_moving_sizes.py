"""Sizes that move to another group, or out of one, in whatever order the two are published."""

from dataclasses import replace

import pytest

from local.sandbox.ebay.inventory.faults import RefuseListing
from local.sandbox.faults import Disconnect, ServerError
from sluice.jobs.model.job import Job
from sluice.jobs.model.states import DEAD, SUCCEEDED
from sluice.listings.ebay import kinds, table
from sluice.listings.ebay.desired import Desired, Group, Status
from tests.support.ebay_seller import TENANT, EbaySeller
from tests.support.ebay_wanted import SHOES, size

BOOTS = replace(SHOES, key="boots", title="Boots in several sizes")
LATE = ServerError(method="PUT", path="*/inventory_item_group/shoes", last=4)


def state(key: str) -> str:
    return Job.get(kinds.publish_id(table.group_owner(TENANT), key)).state


def taken(seller: EbaySeller, group: Group, *sizes: Desired) -> None:
    """eBay has the group with these sizes, and has published nothing of it."""
    seller.sandbox.faults.set(RefuseListing(error_id=25003, call="publish_group", sku=group.key, last=1))
    seller.put_group(group, *sizes)
    seller.settle()
    assert state(group.key) == DEAD
    seller.sandbox.faults.clear()


def held(seller: EbaySeller) -> dict[str, set[str]]:
    """Which sizes each group has at eBay."""
    return {key: set(body["variantSKUs"]) for key, body in seller.shop.groups.items()}


@pytest.mark.parametrize("order", ["old first", "new first"])
@pytest.mark.parametrize("stays", [True, False], ids=["another stays", "none stays"])
def test_a_size_moves_to_another_group(seller: EbaySeller, order: str, stays: bool) -> None:
    taken(seller, SHOES, size("9"), *([size("10")] if stays else []))
    if order == "new first":
        seller.sandbox.faults.set(LATE)
    seller.put_group(BOOTS, size("9", group="boots"))
    seller.settle()
    assert held(seller) == {"boots": {"J1-9"}, **({"shoes": {"J1-10"}} if stays else {})}
    assert (state("boots"), len(seller.live())) == (SUCCEEDED, 2 if stays else 1)
    assert seller.record("J1-9").is_published


@pytest.mark.parametrize("order", ["old first", "new first"])
def test_a_size_is_sold_alone(seller: EbaySeller, order: str) -> None:
    taken(seller, SHOES, size("9"), size("10"))
    if order == "new first":
        seller.sandbox.faults.set(LATE)
    seller.put_group(SHOES, size("9", group=None, description="<p>New in box.</p>"))
    seller.settle()
    assert (seller.job("J1-9").state, seller.record("J1-9").standing) == (SUCCEEDED, "live")
    assert held(seller) == {"shoes": {"J1-10"}}


def test_two_groups_exchange_a_size(seller: EbaySeller) -> None:
    taken(seller, SHOES, size("9"), size("10"))
    taken(seller, BOOTS, size("11", group="boots"), size("12", group="boots"))
    seller.put_group(SHOES, size("9", group="boots"), size("11"))
    seller.settle()
    assert held(seller) == {"shoes": {"J1-10", "J1-11"}, "boots": {"J1-9", "J1-12"}}
    assert (state("shoes"), state("boots"), len(seller.live())) == (SUCCEEDED, SUCCEEDED, 2)


def test_a_size_that_moves_on_before_anything_was_published_waits_for_the_first(seller: EbaySeller) -> None:
    taken(seller, SHOES, size("9"), size("10"))
    seller.sandbox.faults.set(LATE)
    seller.put_group(BOOTS, size("9", group="boots"))
    seller.put_group(replace(BOOTS, key="sandals"), size("9", group="sandals"))
    seller.settle()
    assert held(seller) == {"shoes": {"J1-10"}, "sandals": {"J1-9"}}
    assert seller.record("J1-9").is_published


def test_a_size_whose_old_group_does_not_let_it_go_says_so(seller: EbaySeller) -> None:
    taken(seller, SHOES, size("9"), size("10"))
    seller.sandbox.faults.set(RefuseListing(error_id=25003, call="put_group", sku="shoes"))
    seller.put_group(BOOTS, size("9", group="boots"), size("12", group="boots"))
    seller.settle()
    assert (state("shoes"), state("boots")) == (DEAD, DEAD)
    assert "J1-9 is in group shoes at eBay" in seller.group("boots").error["message"]
    [listing] = seller.live()  # of the other size
    assert seller.record("J1-12").listing_id == listing.listing_id
    seller.sandbox.faults.clear()
    seller.put_group(replace(SHOES, title="Another title"))
    seller.settle()
    seller.put_group(BOOTS, size("9", group="boots"))
    seller.settle()
    assert held(seller)["boots"] == {"J1-9", "J1-12"}
    assert (seller.group("boots").error, seller.record("J1-9").standing) == (None, "live")


def test_a_size_that_ends_when_it_moves_waits_too(seller: EbaySeller) -> None:
    taken(seller, SHOES, size("9"), size("10"))
    seller.sandbox.faults.set(LATE)
    seller.put_group(BOOTS, size("12", group="boots"), size("9", group="boots", status=Status.ENDED))
    seller.settle()
    assert (state("boots"), held(seller)["shoes"]) == (SUCCEEDED, {"J1-10"})
    assert "25703" not in {one.error_id for one in seller.log()}
    assert sum(seller.shop.quantity(offer) for offer in seller.shop.offers_of("J1-9") if offer.listing) == 0


def test_a_size_that_may_have_been_listed_and_ends_when_it_leaves_does_not_end_the_others(seller: EbaySeller) -> None:
    taken(seller, SHOES, size("9"), size("10"))
    seller.sandbox.faults.set(Disconnect(method="POST", path="*/publish_by_*", last=1))
    seller.put_group(replace(SHOES, title="Another title"))
    seller.later(31)
    seller.tick()
    assert len(seller.live()) == 1
    assert not seller.record("J1-9").standing  # eBay has it, and nobody knows
    seller.put_group(SHOES, size("9", group=None, description="<p>New in box.</p>", status=Status.ENDED))
    seller.settle()
    assert (held(seller), len(seller.live())) == ({"shoes": {"J1-10"}}, 1)
    assert (seller.record("J1-10").standing, seller.record("J1-9").is_published) == ("live", True)
    assert not seller.record("J1-9").standing


def test_a_group_that_ends_before_it_was_published_lets_its_sizes_go(seller: EbaySeller) -> None:
    taken(seller, SHOES, size("9"))
    seller.put_group(replace(SHOES, status=Status.ENDED))
    seller.settle()
    assert held(seller) == {}
    seller.put_group(SHOES, size("9", group=None, description="<p>New in box.</p>"))
    seller.settle()
    assert seller.record("J1-9").standing == "live"
    assert not seller.group("shoes").held


def test_a_size_that_comes_back_is_published_where_it_was(seller: EbaySeller) -> None:
    taken(seller, SHOES, size("9"), size("10"))
    seller.put_group(BOOTS, size("9", group="boots"))
    seller.put_group(SHOES, size("9"))
    seller.settle()
    assert held(seller) == {"shoes": {"J1-9", "J1-10"}}
    assert (len(seller.live()), seller.record("J1-9").is_published) == (1, True)
    assert not seller.record("J1-9").left
