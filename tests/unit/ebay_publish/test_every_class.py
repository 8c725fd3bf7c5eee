"""Every class of drift, each from something that others did at eBay: told once, by its own name, however often one
looks.
"""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from local.sandbox.ebay.inventory.faults import WarnListing
from sluice.listings.ebay import following, reconciler
from sluice.listings.ebay.desired import FieldGroup, OnDrift, Price
from sluice.listings.ebay.drift import DriftClass
from sluice.platform import aws
from sluice.platform.context import Context
from tests.support.ebay_seller import SKU, TENANT, EbaySeller
from tests.support.ebay_wanted import record

C = DriftClass
LOOKS = 3


def elsewhere(seller: EbaySeller, chance: Random) -> None:
    """One edit by another hand."""
    ebay = seller.sandbox.ebay
    edits: list[Callable[[], None]] = [
        lambda: ebay.edit_offer(TENANT, SKU, price=f"{chance.randint(1, 99)}.00"),
        lambda: ebay.edit_item(TENANT, SKU, title=f"Changed elsewhere {chance.randint(1, 99)}"),
        lambda: ebay.edit_item(TENANT, SKU, imageUrls=["https://x.example/1.jpg"]),
        lambda: ebay.edit_offer(TENANT, SKU, merchantLocationKey="garage"),
    ]
    chance.choice(edits)()


def both(seller: EbaySeller, chance: Random) -> None:
    """The record's price changes, and eBay's does, before either knows of the other."""
    seller.put(replace(seller.record().wanted, price=Price("199", "USD")))
    seller.sandbox.ebay.edit_offer(TENANT, SKU, price=f"{chance.randint(1, 99)}.00")


def sold(seller: EbaySeller, chance: Random) -> None:
    seller.sandbox.ebay.sell(TENANT, SKU, chance.randint(1, 4))


def ended(seller: EbaySeller, chance: Random) -> None:
    seller.sandbox.ebay.end_by_hand(TENANT, SKU, by_ebay=chance.random() < 0.5)


def gone(seller: EbaySeller, _: Random) -> None:
    [offer_id] = seller.shop.offers
    del seller.shop.offers[offer_id]


def held(seller: EbaySeller, _: Random) -> None:
    seller.sandbox.ebay.hold(TENANT, SKU)


def edited_here(seller: EbaySeller, _: Random) -> None:
    seller.put(replace(seller.record().wanted, price=Price("199", "USD")))


# What is done, the class, and the events that tell it.
CASES: list[tuple[Callable[[EbaySeller, Random], None], DriftClass, list[str]]] = [
    (elsewhere, C.EXTERNAL_ONLY, ["listing.drift"]),
    (sold, C.SALE, ["listing.sold"]),
    (ended, C.ENDED, ["listing.ended"]),
    (gone, C.MISSING, ["listing.ended"]),
    (held, C.ON_HOLD, ["listing.on_hold"]),
]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, seller: EbaySeller) -> list[tuple[str, Any]]:
    """What is on the bus, of listings."""
    events: list[tuple[str, Any]] = []
    monkeypatch.setattr(aws, "put_events", lambda put: events.extend(one for one in put if "listing" in one[0]))
    return events


def published(seller: EbaySeller, on_drift: OnDrift = OnDrift.IGNORE) -> None:
    seller.put(replace(record(quantity=5), on_drift=dict.fromkeys(FieldGroup, on_drift)))
    seller.settle()
    assert len(seller.live()) == 1


def look(seller: EbaySeller, seconds: int = 60) -> None:
    seller.later(seconds)
    reconciler.run(Context(seller.clock, seller.config))
    seller.tick()


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("happens", "kind", "events"), CASES, ids=[str(one[1]) for one in CASES])
def test_what_others_did_is_told_once_by_its_class(
    seller: EbaySeller,
    told: list[tuple[str, Any]],
    happens: Callable[[EbaySeller, Random], None],
    kind: DriftClass,
    events: list[str],
    seed: int,
) -> None:
    published(seller)
    look(seller)
    assert told == []
    happens(seller, Random(seed))
    for _ in range(LOOKS):
        look(seller)
    assert [(event, detail["class"]) for event, detail in told] == [(one, str(kind)) for one in events]
    assert all((detail["sku"], detail["id"] != "") == (SKU, True) for _, detail in told)


def test_what_others_do_once_more_is_told_under_another_id(seller: EbaySeller, told: list[tuple[str, Any]]) -> None:
    """Whoever drops what it has had by its id, as our own mails do, would else hear nothing of it."""
    published(seller)
    look(seller)
    for price in ("50.00", "60.00", "50.00"):
        seller.sandbox.ebay.edit_offer(TENANT, SKU, price=price)
        look(seller)
    assert len(told) == len({detail["id"] for _, detail in told}) == 3


def test_what_is_told_again_after_a_crash_has_the_same_id(
    seller: EbaySeller, told: list[tuple[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    published(seller)
    look(seller)
    seller.sandbox.ebay.edit_offer(TENANT, SKU, price="50.00")
    with monkeypatch.context() as dying:
        dying.setattr(following, "_measure", lambda *_: pytest.fail("killed before anything was written"))
        with pytest.raises(pytest.fail.Exception):
            look(seller)
    for _ in range(LOOKS):
        seller.later(600)
        look(seller)
    assert len(told) == 2
    assert len({detail["id"] for _, detail in told}) == 1


@pytest.mark.parametrize("seed", range(2))
def test_what_was_changed_on_both_sides_is_told_once_and_the_record_wins(
    seller: EbaySeller, told: list[tuple[str, Any]], seed: int
) -> None:
    published(seller, OnDrift.HEAL)
    both(seller, Random(seed))
    look(seller, seconds=20)
    assert [(event, detail["class"]) for event, detail in told] == [("listing.drift", str(C.BOTH))]
    seller.settle()
    for _ in range(LOOKS):
        look(seller)
    assert len(told) == 1
    [offer] = seller.shop.offers.values()
    assert offer.body["pricingSummary"]["price"]["value"] == "199.00"


def test_what_the_record_alone_changed_is_told_to_nobody(seller: EbaySeller, told: list[tuple[str, Any]]) -> None:
    published(seller)
    edited_here(seller, Random(0))
    for _ in range(LOOKS):
        look(seller)
    assert told == []
    assert not seller.record().drift


@pytest.mark.parametrize("warning", [25028, 25030, 25124, 25125, 25127, 25401])
def test_what_ebay_changed_when_it_took_it_stands_on_the_record_once(
    seller: EbaySeller, told: list[tuple[str, Any]], warning: int
) -> None:
    seller.sandbox.faults.set(WarnListing(warning_id=warning, value="6196944000" if warning == 25124 else "Red"))
    published(seller)
    seller.sandbox.faults.clear()
    for _ in range(LOOKS):
        look(seller)
    assert [one["class"] for one in seller.record().drift or []] == [str(C.BY_EBAY)]
    assert told == []


def test_each_class_is_among_these() -> None:
    assert {kind for _, kind, _ in CASES} | {C.BOTH, C.INTERNAL_ONLY, C.BY_EBAY} == set(DriftClass)
