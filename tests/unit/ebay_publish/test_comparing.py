"""The reconciler: what others do at eBay is found, told once, and mended, asked about or left, as the record says."""

from dataclasses import replace
from typing import Any

import pytest

from local.sandbox.ebay.inventory.faults import RefuseListing, StaleRead
from sluice.listings.ebay import documents, hashes, reconciler, sellers, shares, table
from sluice.listings.ebay.desired import Desired, FieldGroup, OnDrift, Status
from sluice.platform import aws
from sluice.platform.context import Context
from sluice.platform.packing import unpack
from tests.support.ebay_seller import ACCOUNT, SKU, TENANT, EbaySeller
from tests.support.ebay_wanted import record


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, seller: EbaySeller) -> list[tuple[str, dict[str, Any]]]:
    """What is on the bus."""
    events: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(aws, "put_events", events.extend)
    return events


def published(seller: EbaySeller, **more: Any) -> Desired:
    want = replace(record(quantity=5), **more)
    seller.put(want)
    seller.settle()
    assert len(seller.live()) == 1
    return want


def look(seller: EbaySeller) -> dict[str, Any]:
    """The reconciler's minute, and the look that it asks for; then the engine's rest."""
    seller.later(60)
    done = reconciler.run(Context(seller.clock, seller.config))
    assert done["asked"] == 1
    seller.sandbox.log.clear()
    seller.tick()
    from sluice.jobs.model.job import Job
    from sluice.listings.ebay import kinds

    result: dict[str, Any] = Job.get(kinds.compare_id(TENANT)).result
    return result


def classes(told: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, str]]:
    return [(kind, detail["class"]) for kind, detail in told]


def test_what_is_as_it_was_costs_two_calls_and_one_write(seller: EbaySeller, told: list[Any]) -> None:
    published(seller)
    before = seller.record()
    assert look(seller) == {"looked": 1, "unknown": 0, "drift": 0, "round": True}
    assert seller.calls(reads=True) == ["POST bulk_get_inventory_item", "GET offer"]
    assert documents.document(seller.record().wanted) == documents.document(before.wanted)
    assert (told, seller.record().observed_at) == ([], before.observed_at)


def test_drift_is_told_once_and_mended(seller: EbaySeller, told: list[Any]) -> None:
    published(seller)
    seller.sandbox.ebay.edit_offer(TENANT, SKU, price="1.00")
    seller.sandbox.ebay.edit_item(TENANT, SKU, title="Changed elsewhere")
    assert look(seller)["drift"] == 1
    assert classes(told) == [("listing.drift", "external_only")]
    assert told[0][1]["groups"] == ["details", "price"]
    seller.settle()
    [offer] = seller.shop.offers.values()
    assert offer.body["pricingSummary"]["price"]["value"] == "245.00"
    assert seller.shop.items[SKU].body["product"]["title"] == record().title
    assert look(seller)["drift"] == 0
    assert len(told) == 1


def test_what_a_person_decides_is_a_case_told_once_and_left(seller: EbaySeller, told: list[Any]) -> None:
    published(seller, on_drift={**record().on_drift, FieldGroup.PRICE: OnDrift.ASK})
    seller.sandbox.ebay.edit_offer(TENANT, SKU, price="1.00")
    assert look(seller)["drift"] == 1
    [case] = seller.record().drift
    assert (case["class"], case["groups"]) == ("external_only", ["price"])
    assert case["case"].startswith(f"{SKU}.")
    assert look(seller)["drift"] == 0
    seller.settle()
    assert (len(told), seller.shop.offers_of(SKU)[0].body["pricingSummary"]["price"]["value"]) == (1, "1.00")


def test_what_is_ignored_is_told_once_and_left(seller: EbaySeller, told: list[Any]) -> None:
    published(seller, on_drift=dict.fromkeys(FieldGroup, OnDrift.IGNORE))
    seller.sandbox.ebay.edit_offer(TENANT, SKU, price="1.00")
    assert [look(seller)["drift"], look(seller)["drift"]] == [1, 0]
    seller.settle()
    assert (len(told), seller.record().drift) == (1, None)
    assert seller.shop.offers_of(SKU)[0].body["pricingSummary"]["price"]["value"] == "1.00"


def test_a_sale_lowers_the_records_quantity_and_nothing_is_sent(seller: EbaySeller, told: list[Any]) -> None:
    published(seller)
    seller.sandbox.ebay.sell(TENANT, SKU, 2)
    assert look(seller)["drift"] == 1
    found = seller.record()
    assert (found.wanted.quantity, found.version, found.is_published) == (3, 2, True)
    assert found.record_hash == hashes.of_record(found.wanted)
    assert classes(told) == [("listing.sold", "sale")]
    assert told[0][1]["quantity"] == 2
    seller.settle()
    assert [one for one in seller.calls() if "bulk_get" not in one] == []
    [entry] = list(table.history(found.listing, 10))
    assert (entry.action, entry.fields, entry.version) == ("sale", ["/quantity"], 2)
    assert look(seller)["drift"] == 0


def test_a_sale_while_an_edit_waits_is_not_undone_by_it(seller: EbaySeller, told: list[Any]) -> None:
    published(seller)
    seller.sandbox.ebay.sell(TENANT, SKU, 2)
    look(seller)
    seller.put(replace(seller.record().wanted, title="Another title"))
    seller.settle()
    assert seller.shop.quantity(seller.shop.offers_of(SKU)[0]) == 3
    assert len(told) == 1


@pytest.mark.parametrize(("by_ebay", "by"), [(True, "ebay"), (False, "seller")])
def test_an_ending_is_told_once_with_who_did_it_and_not_undone(
    seller: EbaySeller, told: list[Any], by_ebay: bool, by: str
) -> None:
    published(seller)
    seller.sandbox.ebay.end_by_hand(TENANT, SKU, by_ebay=by_ebay)
    assert [look(seller)["drift"], look(seller)["drift"]] == [1, 0]
    assert (classes(told), told[0][1]["by"]) == ([("listing.ended", "ended")], by)
    assert ([one["class"] for one in seller.record().drift], seller.record().standing) == (["ended"], "ended")
    seller.settle()
    assert seller.live() == []


def test_missing_and_on_hold(seller: EbaySeller, told: list[Any]) -> None:
    published(seller)
    seller.sandbox.ebay.hold(TENANT, SKU)
    assert [look(seller)["drift"], look(seller)["drift"]] == [1, 0]
    assert seller.record().standing == "on_hold"
    seller.sandbox.ebay.hold(TENANT, SKU, on=False)
    assert look(seller)["drift"] == 0
    [offer_id] = seller.shop.offers
    del seller.shop.offers[offer_id]
    assert [look(seller)["drift"], look(seller)["drift"]] == [1, 0]
    assert classes(told) == [("listing.on_hold", "on_hold"), ("listing.ended", "missing")]
    assert told[1][1]["by"] == "seller"


def test_what_is_not_known_changes_nothing(seller: EbaySeller, told: list[Any]) -> None:
    published(seller)
    before = seller.record().attribute_values
    seller.sandbox.faults.set(RefuseListing(error_id=25001, call="read", sku=SKU))
    seller.sandbox.ebay.edit_offer(TENANT, SKU, price="1.00")
    assert look(seller) == {"looked": 1, "unknown": 1, "drift": 0, "round": True}
    assert (seller.record().attribute_values, told) == (before, [])


def test_what_nobody_could_see_after_the_publish_is_measured_by_the_next_look(
    seller: EbaySeller, told: list[Any]
) -> None:
    seller.sandbox.faults.set(StaleRead(seconds=600))
    published(seller)
    assert not seller.record().echo
    seller.later(1200)
    look(seller)
    assert unpack(seller.record().echo)["standing"] == "live"
    assert told == []


def test_a_listing_whose_publish_is_under_way_is_left_alone(seller: EbaySeller, told: list[Any]) -> None:
    published(seller)
    seller.record().update(actions=[table.Record.unsure.set({"groups": ["price"], "listing": False})])
    seller.sandbox.ebay.edit_offer(TENANT, SKU, price="1.00")
    assert look(seller)["drift"] == 0
    assert told == []


def test_rounds_go_on_slice_by_slice_and_say_their_age(
    seller: EbaySeller, told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "SLICE", 2)
    monkeypatch.setattr(shares, "MOST_CALLS", 3)
    for number in range(5):
        seller.put(record(f"SKU-{number}"))
    seller.settle()
    rounds = [look(seller) for _ in range(3)]
    assert [one["looked"] for one in rounds] == [2, 2, 1]
    assert [one["round"] for one in rounds] == [False, False, True]
    found = sellers.progress_of(ACCOUNT)
    assert found
    assert found.listings == 5
    assert not found.cursor
    assert shares.mean_age_ms(found) == (found.round_ms or 0) // 2 > 0
    assert told == []


@pytest.mark.parametrize("change", [{"title": "Another"}, {"amount": "200"}])
def test_a_listing_that_was_found_ended_is_not_published_again_by_an_edit(
    seller: EbaySeller, told: list[Any], change: dict[str, Any]
) -> None:
    published(seller)
    seller.sandbox.ebay.end_by_hand(TENANT, SKU, by_ebay=True)
    look(seller)
    seller.put(record(quantity=5, **change))
    seller.settle()
    assert (seller.live(), seller.record().error["code"]) == ([], "listing_gone")
    assert [one["class"] for one in seller.record().drift] == ["ended"]
    assert len(told) == 1
    # Who ends the record and makes it active again wants another listing.
    seller.put(record(quantity=5, status=Status.ENDED))
    seller.settle()
    seller.put(record(quantity=5))
    seller.settle()
    assert len(seller.live()) == 1


def test_an_end_is_found_though_nobody_could_see_the_listing_when_it_was_published(
    seller: EbaySeller, told: list[Any]
) -> None:
    seller.sandbox.faults.set(StaleRead(seconds=600))
    published(seller)
    seller.sandbox.faults.clear()
    assert not seller.record().echo
    seller.sandbox.ebay.end_by_hand(TENANT, SKU)
    assert look(seller)["drift"] == 1
    assert classes(told) == [("listing.ended", "ended")]
    assert seller.record().standing == "ended"
    assert look(seller)["drift"] == 0


def test_what_was_ended_and_made_ready_without_stock_is_published_when_there_is_some(seller: EbaySeller) -> None:
    published(seller)
    for change in ({"status": Status.ENDED}, {"status": Status.PAUSED}, {}):
        seller.put(record(quantity=5, **change))
        seller.settle()
    assert (len(seller.live()), seller.record().standing) == (1, "live")
