"""Listings that somebody ends at eBay, before any look finds it: no edit publishes another one."""

from dataclasses import replace

import pytest

from local.sandbox.ebay.inventory.faults import RefuseListing, StaleRead
from local.sandbox.faults import Disconnect, ServerError
from sluice.jobs.model.states import DEAD, SUCCEEDED
from sluice.listings.ebay import answers
from sluice.listings.ebay.desired import PolicyRef, Price, Status
from sluice.platform import aws
from tests.support.ebay_seller import SKU, TENANT, EbaySeller
from tests.support.ebay_wanted import SHOES, record, size
from tests.unit.ebay_publish.test_comparing import look
from tests.unit.ebay_publish.test_groups import job, published


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "put_events", lambda events: None)


def case(seller: EbaySeller, sku: str) -> str:
    [row] = seller.record(sku).drift
    assert row["class"] == "ended"
    return str(row["case"])


def test_a_size_that_joins_an_ended_group_publishes_nothing(seller: EbaySeller) -> None:
    published(seller)
    seller.sandbox.ebay.end_by_hand(TENANT, "J1-9")
    seller.put_group(SHOES, size("11"))
    seller.settle()
    assert (seller.live(), len(seller.shop.listings)) == ([], 1)
    assert "POST offer/publish_by_inventory_item_group" not in seller.calls()
    assert (job(seller).state, seller.group("shoes").error["code"]) == (DEAD, "listing_gone")
    found, row = answers.find(TENANT, case(seller, "J1-10"))
    seller.put_group(replace(SHOES, title="Another title"), size("11", "199"))
    seller.settle()
    assert seller.live() == []
    answers.ours(found, row, "ann", seller.clock.time, seller.config)
    seller.settle()
    [listing] = seller.live()
    assert {seller.record(f"J1-{number}").listing_id for number in (9, 10, 11)} == {listing.listing_id}
    assert job(seller).state == SUCCEEDED


@pytest.mark.parametrize("seen", [True, False], ids=["read back", "never seen"])
def test_what_ended_is_told_and_shown(seller: EbaySeller, monkeypatch: pytest.MonkeyPatch, seen: bool) -> None:
    told = list[tuple[str, str]]()
    monkeypatch.setattr(aws, "put_events", lambda events: told.extend((name, one["sku"]) for name, one in events))
    if not seen:  # nobody could look after the publish
        seller.sandbox.faults.set(ServerError(method="GET", path="*/inventory_item/*", last=9))
    published(seller)
    seller.sandbox.faults.set()
    seller.sandbox.ebay.end_by_hand(TENANT, "J1-9")
    for number in ("11", "12"):
        seller.put_group(SHOES, size(number))
        seller.settle()
    assert told == [("listing.ended", "J1-10")]
    assert seller.record("J1-10").standing == "ended"
    assert case(seller, "J1-10")


def test_what_ebay_does_not_answer_is_asked_again_and_publishes_nothing_before(seller: EbaySeller) -> None:
    first = published(seller)
    seller.sandbox.faults.set(ServerError(method="GET", path="*/offer", last=2))
    seller.put_group(SHOES, size("11"))
    seller.settle()
    assert [one.listing_id for one in seller.live()] == [first]
    published_at = [at for at, call in enumerate(seller.calls()) if "publish_by" in call]
    assert len(published_at) == 1
    assert (job(seller).state, seller.record("J1-11").listing_id) == (SUCCEEDED, first)


def test_a_read_that_is_behind_ends_nothing(seller: EbaySeller) -> None:
    seller.put_group(SHOES, size("9"), size("10"))
    seller.settle()
    [listing] = seller.live()
    seller.sandbox.faults.set(StaleRead(seconds=120, last=6))
    seller.put_group(SHOES, size("11"))
    seller.settle()
    assert (job(seller).state, seller.record("J1-11").listing_id) == (SUCCEEDED, listing.listing_id)
    assert (seller.record("J1-10").standing, seller.record("J1-10").drift) == ("live", None)


@pytest.mark.parametrize("fault", ["lost", "unanswered"])
def test_a_publication_that_was_broken_is_made_again_only_while_the_listing_is_there(
    seller: EbaySeller, fault: str
) -> None:
    published(seller)
    path = "*/publish_by_*"
    seller.sandbox.faults.set(
        Disconnect(method="POST", path=path, last=1)
        if fault == "lost"
        else ServerError(method="POST", path=path, last=1)
    )
    seller.put_group(SHOES, size("11"))
    seller.later(31)
    seller.tick()
    assert job(seller).state not in (SUCCEEDED, DEAD)
    seller.sandbox.ebay.end_by_hand(TENANT, "J1-9")
    seller.settle()
    assert (seller.live(), len(seller.shop.listings)) == ([], 1)
    assert (job(seller).state, seller.group("shoes").error["code"]) == (DEAD, "listing_gone")


def test_a_size_that_left_does_not_hide_that_the_listing_has_ended(seller: EbaySeller) -> None:
    published(seller)
    for number in ("9", "10"):
        seller.put_group(SHOES, size(number, status=Status.ENDED))
    seller.settle()
    seller.sandbox.ebay.end_by_hand(TENANT, "J1-9")
    seller.put_group(SHOES, size("11"))
    seller.settle()
    assert (seller.live(), job(seller).state, seller.group("shoes").error["code"]) == ([], DEAD, "listing_gone")
    # What the error says to do.
    seller.put_group(replace(SHOES, status=Status.ENDED))
    seller.settle()
    seller.put_group(SHOES)
    seller.settle()
    [listing] = seller.live()
    assert seller.record("J1-11").listing_id == listing.listing_id


def test_a_listing_that_moves_to_another_site_has_not_ended_before(seller: EbaySeller) -> None:
    want = record()
    seller.put(want)
    seller.settle()
    seller.sandbox.ebay.end_by_hand(TENANT, SKU)
    seller.sandbox.log.clear()
    moved = replace(want, marketplace="EBAY_CA", language="en-CA", price=Price("300", "CAD"))
    for amount in ("300", "310"):
        seller.put(replace(moved, price=Price(amount, "CAD")))
        seller.settle()
    assert (seller.live(), seller.calls()) == ([], [])
    assert (seller.job().state, seller.record().error["code"], seller.record().standing) == (
        DEAD,
        "listing_gone",
        "ended",
    )
    [row] = seller.record().drift
    answers.ours(*answers.find(TENANT, row["case"]), "ann", seller.clock.time, seller.config)
    seller.settle()
    assert f"PUT inventory_item/{SKU}" in seller.calls()


def test_theirs_takes_one_size_out_of_what_is_wanted(seller: EbaySeller) -> None:
    published(seller)
    seller.sandbox.ebay.end_by_hand(TENANT, "J1-9")
    look(seller)
    for number in ("9", "10"):
        want = answers.theirs(*answers.find(TENANT, case(seller, f"J1-{number}")))
        assert want.status is Status.ENDED
        seller.put_group(SHOES, want)
        seller.settle()
    assert [seller.record(f"J1-{number}").is_published for number in (9, 10)] == [True, True]
    assert (seller.live(), job(seller).state, seller.group("shoes").error) == ([], SUCCEEDED, None)


def test_a_record_that_was_refused_and_taken_back_has_no_error_any_more(seller: EbaySeller) -> None:
    for policies in (record().policies, record().policies._replace(payment=PolicyRef(name="Gone")), record().policies):
        seller.put(record(policies=policies))
        seller.settle()
    assert seller.record().error is None


@pytest.mark.parametrize("fault", ["lost", "refused"])
def test_a_title_of_a_group_that_was_taken_back_is_sent_back(seller: EbaySeller, fault: str) -> None:
    published(seller)
    lost = Disconnect(method="PUT", path="*/inventory_item_group/*", last=9)
    refused = RefuseListing(error_id=25003, call="put_group", effect=True, last=1)
    seller.sandbox.faults.set(lost if fault == "lost" else refused)
    seller.put_group(replace(SHOES, title="Another title"))
    seller.settle()
    assert (job(seller).state, seller.shop.groups["shoes"]["title"]) == (DEAD, "Another title")
    seller.sandbox.faults.set()
    seller.put_group(SHOES)
    seller.settle()
    assert seller.shop.groups["shoes"]["title"] == SHOES.title
