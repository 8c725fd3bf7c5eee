"""What is drift and what is only eBay's own way of showing things, at the sandbox's eBay, by the real adapter."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from local.sandbox.ebay.inventory.faults import StaleRead, WarnListing
from sluice.listings.ebay import echo as echoes
from sluice.listings.ebay import projection
from sluice.listings.ebay.desired import Desired, FieldGroup, OnDrift, Price
from sluice.listings.ebay.drift import Drift, DriftClass, by_ebay, classify, to_ask, to_heal
from sluice.listings.ebay.echo import Echo
from sluice.marketplaces.publishing import MarketOffer, PriceRow, Warned
from sluice.platform.observe import metrics
from tests.support.ebay_shop import SELLER, EbayShop
from tests.support.ebay_wanted import IDS, record

SKU = record().sku
C = DriftClass


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[EbayShop]:
    monkeypatch.setattr(metrics.provider, "namespace", "Sluice/test")
    yield EbayShop()
    metrics.clear_metrics()


def publish(shop: EbayShop, want: Desired) -> str:
    shop.inventory.put_item(want.sku, projection.item_body(want))
    offer_id = shop.inventory.create_offer(projection.offer_body(want, IDS)).made
    shop.inventory.publish(offer_id)
    return offer_id


def look(shop: EbayShop, want: Desired) -> Echo | None:
    item, offers = shop.inventory.item(want.sku), shop.inventory.offers(want.sku)
    return echoes.seen(want, IDS, item, offers[0]) if offers else None


def accepted(shop: EbayShop, want: Desired) -> Echo:
    publish(shop, want)
    found = look(shop, want)
    assert found
    return found


def kinds(found: list[Drift]) -> list[DriftClass]:
    return [one.kind for one in found]


@pytest.mark.parametrize("seed", range(5))
def test_what_ebay_shows_its_own_way_is_no_drift(seed: int) -> None:
    shop, want = EbayShop(seed), record()
    taken = accepted(shop, want)
    assert taken.groups[FieldGroup.PRICE] == {"price": {"value": "245", "currency": "USD"}}
    assert not echoes.is_behind(taken, want, IDS)
    assert classify(taken, look(shop, want)) == []
    assert Echo.of(taken.stored()) == taken


def test_the_same_record_in_another_order_is_no_drift(shop: EbayShop) -> None:
    want = record()
    taken = accepted(shop, want)
    backwards = replace(want, aspects=dict(reversed(list(want.aspects.items()))))
    shop.inventory.put_item(SKU, projection.item_body(backwards))
    assert classify(taken, look(shop, want)) == []


@pytest.mark.parametrize(
    ("before", "now", "same"),
    [
        ("https://shop.example/a.jpg", "https://i.ebayimg.com/00/s/1/$_57.JPG", True),
        ("https://i.ebayimg.com/00/s/1/$_57.JPG", "https://i.ebayimg.com/00/s/1/$_57.JPG", True),
        ("https://i.ebayimg.com/00/s/1/$_57.JPG", "https://i.ebayimg.com/00/s/2/$_57.JPG", False),
        ("https://shop.example/a.jpg", "https://shop.example/b.jpg", False),
        ("https://i.ebayimg.com/00/s/1/$_57.JPG", "https://shop.example/a.jpg", False),
        ("https://shop.example/a.jpg", "https://ebayimg.com.evil.example/a.jpg", False),
    ],
)
def test_a_picture_may_move_to_ebays_own_host_once(before: str, now: str, same: bool) -> None:
    old, new = (Echo({FieldGroup.IMAGES: [url]}) for url in (before, now))
    assert (echoes.differs(old, new) == frozenset()) is same


SHOWN: dict[str, Any] = {
    "defaults": {"tax": {"applyTax": False}, "hideBuyerDetails": False, "listingStartDate": "2026-11-27T00:00:00Z"},
    "price": {"pricingSummary": {"price": {"value": "245.0", "currency": "USD"}, "pricingVisibility": "NONE"}},
    "words": {"listingDescription": "<p>New in box.</p> <p>Ships today.</p> "},
}


@pytest.mark.parametrize("name", SHOWN)
def test_forms_of_ebays_answers_are_one(name: str) -> None:
    want = record()
    body = projection.offer_body(want, IDS)
    plain, odd = (
        MarketOffer("1", SKU, "EBAY_US", "PUBLISHED", "11", "ACTIVE", body=one) for one in (body, body | SHOWN[name])
    )
    item = projection.item_body(want)
    other = {
        **item,
        "locale": "en_US",
        "product": {**item["product"], "aspects": {**item["product"]["aspects"], "EAN": ["1"]}},
    }
    first, second = echoes.seen(want, IDS, {**item, "locale": "en-US"}, plain), echoes.seen(want, IDS, other, odd)
    assert classify(first, second) == []


def test_each_edit_of_another_hand_is_found_in_its_field_group(shop: EbayShop) -> None:
    want = record()
    taken = accepted(shop, want)
    ebay, there = shop.world.ebay, shop.shop
    edits: dict[FieldGroup, Callable[[], None]] = {
        FieldGroup.PRICE: lambda: ebay.edit_offer(SELLER, SKU, price="1.00"),
        FieldGroup.DETAILS: lambda: ebay.edit_item(SELLER, SKU, title="Changed elsewhere"),
        FieldGroup.IMAGES: lambda: ebay.edit_item(SELLER, SKU, imageUrls=["https://x.example/1.jpg"]),
        FieldGroup.POLICIES: lambda: ebay.edit_offer(SELLER, SKU, merchantLocationKey="garage"),
        FieldGroup.QUANTITY: lambda: there.set_quantity(there.offers_of(SKU)[0], 9),
    }
    seen: set[FieldGroup] = set()
    for group, edit in edits.items():
        edit()
        seen.add(group)
        assert classify(taken, look(shop, want)) == [Drift(C.EXTERNAL_ONLY, frozenset(seen))]
    assert seen == set(FieldGroup)


def test_a_sale_is_no_drift(shop: EbayShop) -> None:
    want = record(quantity=5)
    taken = accepted(shop, want)
    shop.world.ebay.sell(SELLER, SKU, 2)
    assert classify(taken, look(shop, want)) == [Drift(C.SALE, sold=2)]


def test_a_sale_of_the_last_one_is_no_ending_and_no_drift(shop: EbayShop) -> None:
    want = record()
    taken = accepted(shop, want)
    shop.world.ebay.sell(SELLER, SKU)
    now = look(shop, want)
    assert now
    assert now.standing == echoes.LIVE
    assert classify(taken, now) == [Drift(C.SALE, sold=1)]


def test_a_sale_and_an_edit_are_both_told(shop: EbayShop) -> None:
    want = record(quantity=5)
    taken = accepted(shop, want)
    shop.world.ebay.sell(SELLER, SKU, 2)
    shop.shop.set_quantity(shop.shop.offers_of(SKU)[0], 8)
    assert kinds(classify(taken, look(shop, want))) == [C.SALE, C.EXTERNAL_ONLY]


@pytest.mark.parametrize(("by_hand", "standing"), [(False, echoes.ENDED), (True, echoes.ENDED_BY_EBAY)])
def test_an_ending_is_told_with_who_did_it(shop: EbayShop, by_hand: bool, standing: str) -> None:
    want = record()
    taken = accepted(shop, want)
    shop.world.ebay.end_by_hand(SELLER, SKU, by_ebay=by_hand)
    now = look(shop, want)
    assert now
    assert (now.standing, kinds(classify(taken, now))) == (standing, [C.ENDED])


def test_missing_needs_proof_and_a_hold_is_told(shop: EbayShop) -> None:
    want = record()
    taken = accepted(shop, want)
    shop.world.ebay.hold(SELLER, SKU)
    assert kinds(classify(taken, look(shop, want))) == [C.ON_HOLD]
    shop.inventory.delete_item(SKU)
    assert look(shop, want) is None
    assert kinds(classify(taken, None)) == [C.MISSING]
    assert classify(Echo(), None) == []


def test_what_the_record_changed_too_is_told_apart(shop: EbayShop) -> None:
    want = record()
    taken = accepted(shop, want)
    changed = [FieldGroup.PRICE]
    assert classify(taken, look(shop, want), changed) == [Drift(C.INTERNAL_ONLY, frozenset(changed))]
    shop.world.ebay.edit_offer(SELLER, SKU, price="1.00")
    assert classify(taken, look(shop, want), changed) == [Drift(C.BOTH, frozenset(changed))]
    shop.world.ebay.edit_item(SELLER, SKU, title="Changed elsewhere")
    assert kinds(classify(taken, look(shop, want), changed)) == [C.EXTERNAL_ONLY, C.BOTH]


def test_what_ebay_changed_when_it_took_it_is_its_echo_and_told_once(shop: EbayShop) -> None:
    want = record()
    offer_id = publish(shop, want)
    shop.world.faults.set(WarnListing(warning_id=25127, value="Red"))
    written = shop.inventory.put_item(SKU, projection.item_body(want))
    shop.world.faults.clear()
    assert by_ebay(written.warnings) == Drift(C.BY_EBAY, frozenset({FieldGroup.DETAILS}))
    taken = look(shop, want)
    assert taken
    assert taken.groups[FieldGroup.DETAILS]["item"]["product"]["aspects"]["Color"] == ["RED"]
    assert classify(taken, look(shop, want)) == []
    assert by_ebay([Warned("25402", "published already", {})]) is None
    assert offer_id


def test_a_look_that_is_behind_is_no_measure(shop: EbayShop) -> None:
    want = record()
    offer_id = publish(shop, want)
    shop.clock.time += 60_000
    shop.world.faults.set(StaleRead(seconds=30))
    shop.inventory.set_prices([PriceRow(SKU, offer_id, "200.00", "USD", 1)])
    cheaper = record(price=Price("200", "USD"))
    behind = look(shop, cheaper)
    assert behind
    assert echoes.is_behind(behind, cheaper, IDS)
    shop.clock.time += 31_000
    now = look(shop, cheaper)
    assert now
    assert not echoes.is_behind(now, cheaper, IDS)


def test_after_a_price_the_echo_is_known_without_a_look(shop: EbayShop) -> None:
    want = record(quantity=3)
    taken = accepted(shop, want)
    cheaper = record(quantity=2, price=Price("200.50", "USD"))
    [offer] = shop.inventory.offers(SKU)
    shop.inventory.set_prices([PriceRow(SKU, offer.offer_id, "200.50", "USD", 2)])
    assert classify(echoes.of_prices(taken, cheaper, IDS), look(shop, cheaper)) == []


def test_each_field_group_has_its_own_policy() -> None:
    found = [Drift(C.EXTERNAL_ONLY, frozenset(FieldGroup)), Drift(C.ENDED)]
    wanted = dict.fromkeys(FieldGroup, OnDrift.HEAL) | {
        FieldGroup.PRICE: OnDrift.ASK,
        FieldGroup.IMAGES: OnDrift.IGNORE,
    }
    assert to_heal(found, wanted) == {FieldGroup.QUANTITY, FieldGroup.DETAILS, FieldGroup.POLICIES}
    assert to_ask(found, wanted) == {FieldGroup.PRICE}
