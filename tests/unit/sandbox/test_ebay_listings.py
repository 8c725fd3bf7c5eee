"""The sandbox's listings at eBay, as sellers have met the real one."""

from collections.abc import Iterator

import pytest

from local.sandbox.ebay.inventory.faults import RefuseListing, StaleRead, WarnListing
from local.sandbox.faults import FAULTS, Disconnect
from local.sandbox.server import Sandbox
from sluice.marketplaces.http import errors
from sluice.marketplaces.publishing import OfferExists, PriceRow
from sluice.platform.observe import metrics
from tests.support.ebay_shop import SELLER, SKU, EbayShop, item_body, offer_body
from tests.unit.sandbox.client import connected


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[EbayShop]:
    monkeypatch.setattr(metrics.provider, "namespace", "Sluice/test")
    yield EbayShop()
    metrics.clear_metrics()


def statuses(shop: EbayShop) -> list[str]:
    return [listing.status for listing in shop.shop.listings]


def test_a_put_replaces_the_whole_item(shop: EbayShop) -> None:
    shop.publish()
    shop.inventory.put_item(SKU, {"condition": "NEW", "product": {"title": "Only a title"}})
    found = shop.inventory.item(SKU)
    assert found
    assert "imageUrls" not in found["product"]
    assert statuses(shop) == ["OUT_OF_STOCK"]  # the quantity is gone too


def test_what_is_sent_twice_is_there_once(shop: EbayShop) -> None:
    offer_id, listing_id = shop.publish()
    with pytest.raises(OfferExists) as caught:
        shop.inventory.create_offer(offer_body())
    again = shop.inventory.publish(offer_id)
    assert (caught.value.offer_id, again.made) == (offer_id, listing_id)
    assert [one.code for one in again.warnings] == ["25402"]
    assert statuses(shop) == ["ACTIVE"]


def test_withdrawn_and_published_again_it_is_another_listing(shop: EbayShop) -> None:
    offer_id, first = shop.publish()
    shop.inventory.withdraw(offer_id)
    shop.inventory.withdraw(offer_id)
    assert statuses(shop) == ["ENDED"]
    assert shop.inventory.publish(offer_id).made != first
    assert statuses(shop) == ["ENDED", "ACTIVE"]


def test_ebay_shows_it_its_own_way(shop: EbayShop) -> None:
    shop.publish()
    item, [offer] = shop.inventory.item(SKU), shop.inventory.offers(SKU)
    assert item
    assert offer.body
    product = item["product"]
    assert all(url.startswith("https://i.ebayimg.com/") for url in product["imageUrls"])
    assert product["aspects"]["Brand"] == ["Jordan"]
    assert list(product["aspects"]) != ["US Shoe Size", "Department", "Color", "Brand"]
    assert (item["sku"], item["locale"]) == (SKU, "en_US")
    assert offer.body["pricingSummary"]["price"]["value"] == "245.0"
    assert offer.body["tax"] == {"applyTax": False}
    assert (offer.status, offer.listing_status, offer.sold, offer.live) == ("PUBLISHED", "ACTIVE", 0, True)


@pytest.mark.parametrize(
    ("item", "offer", "error_id"),
    [
        ({"imageUrls": []}, {}, "25002"),
        ({"title": ""}, {}, "25017"),
        ({"aspects": {}}, {}, "25002"),
        ({}, {"categoryId": "1"}, "25005"),
        ({}, {"merchantLocationKey": "moon"}, "25012"),
        ({}, {"listingPolicies": {}}, "25007"),
        ({}, {"pricingSummary": {}}, "25017"),
        ({}, {"availableQuantity": 0}, "25004"),
    ],
)
def test_what_is_missing_is_refused_when_it_is_published(
    shop: EbayShop, item: dict[str, object], offer: dict[str, object], error_id: str
) -> None:
    shop.inventory.put_item(SKU, item_body(1, **item))
    offer_id = shop.inventory.create_offer(offer_body(**offer)).made  # type: ignore[arg-type]
    with pytest.raises(errors.Rejected) as caught:
        shop.inventory.publish(offer_id)
    assert caught.value.code == error_id
    assert statuses(shop) == []


def test_a_listing_is_revised_250_times_a_day(shop: EbayShop) -> None:
    offer_id, _ = shop.publish()
    rows = [PriceRow(SKU, offer_id, "240.00", "USD", 1)]
    assert all(shop.inventory.set_prices(rows)[0].error is None for _ in range(250))
    [over] = shop.inventory.set_prices(rows)
    assert over.error
    assert over.error.code == "25019"
    shop.clock.time += 86_400_000
    assert shop.inventory.set_prices(rows)[0].error is None


def test_sales_endings_holds_and_other_hands(shop: EbayShop) -> None:
    offer_id, _ = shop.publish()
    book = shop.world.ebay
    shop.inventory.set_prices([PriceRow(SKU, offer_id, "240.00", "USD", 3)])
    book.sell(SELLER, SKU, 2)
    [offer] = shop.inventory.offers(SKU)
    assert offer.body
    assert (offer.sold, offer.body["availableQuantity"]) == (2, 1)
    book.sell(SELLER, SKU, 5)
    assert shop.inventory.offers(SKU)[0].listing_status == "OUT_OF_STOCK"
    book.edit_offer(SELLER, SKU, price="1.00")
    book.edit_item(SELLER, SKU, title="Changed elsewhere")
    found = shop.inventory.item(SKU)
    assert found
    assert found["product"]["title"] == "Changed elsewhere"
    book.hold(SELLER, SKU)
    assert shop.inventory.offers(SKU)[0].on_hold
    with pytest.raises(errors.OnHold):
        shop.inventory.update_offer(offer_id, offer_body())
    book.end_by_hand(SELLER, SKU, by_ebay=True)
    [offer] = shop.inventory.offers(SKU)
    assert (offer.status, offer.listing_status, offer.live) == ("UNPUBLISHED", "EBAY_ENDED", False)


def test_a_group_is_one_listing_with_one_count_of_revisions(shop: EbayShop) -> None:
    for size in ("9", "10"):
        shop.inventory.put_item(size, item_body(aspects={"US Shoe Size": [size], "Department": ["Men"]}))
        shop.inventory.create_offer(offer_body(size))
    axis = {"specifications": [{"name": "US Shoe Size", "values": ["9", "10"]}]}
    shop.inventory.put_group("shoes", {"title": "Shoes", "variantSKUs": ["9", "10"], "variesBy": axis})
    made = shop.inventory.publish_group("shoes", "EBAY_US").made
    assert {offer.listing_id for sku in ("9", "10") for offer in shop.inventory.offers(sku)} == {made}
    assert shop.inventory.publish_group("shoes", "EBAY_US").made == made
    for size in ("9", "10"):
        shop.inventory.put_item(size, item_body(aspects={"US Shoe Size": [size], "Department": ["Men"]}))
    assert [sum(one.revisions.values()) for one in shop.shop.listings] == [2]
    with pytest.raises(errors.Rejected):
        shop.inventory.put_group("shoes", {"variantSKUs": ["9"], "variesBy": {"specifications": [{"name": "size"}]}})
    shop.inventory.withdraw_group("shoes", "EBAY_US")
    assert statuses(shop) == ["ENDED"]


def test_a_sku_that_is_live_alone_cannot_join_a_group(shop: EbayShop) -> None:
    shop.publish()
    with pytest.raises(errors.Rejected, match="published alone"):
        shop.inventory.put_group("shoes", {"variantSKUs": [SKU]})


def test_the_sellers_limit_refuses_the_next_listing(shop: EbayShop) -> None:
    shop.publish()
    shop.shop.selling_limit = 1
    shop.inventory.put_item("two", item_body())
    offer_id = shop.inventory.create_offer(offer_body("two")).made
    with pytest.raises(errors.SellingLimit):
        shop.inventory.publish(offer_id)


def test_switches_refuse_warn_and_lag(shop: EbayShop) -> None:
    offer_id, _ = shop.publish()
    shop.world.faults.set(RefuseListing(error_id=25001, call="update_offer", effect=True, last=1))
    with pytest.raises(errors.Unavailable) as caught:
        shop.inventory.update_offer(offer_id, offer_body(price="200.00"))
    assert caught.value.uncertain
    assert shop.shop.offers[offer_id].body["pricingSummary"]["price"]["value"] == "200.00"
    shop.world.faults.set(WarnListing(warning_id=25124, value="77", call="update_offer"))
    written = shop.inventory.update_offer(offer_id, offer_body())
    assert [one.code for one in written.warnings] == ["25124"]
    assert shop.shop.offers[offer_id].body["listingPolicies"]["returnPolicyId"] == "77"
    shop.world.faults.set(StaleRead(seconds=30))
    shop.clock.time += 60_000
    shop.inventory.update_offer(offer_id, offer_body(price="100.00"))
    [behind] = shop.inventory.offers(SKU)
    assert behind.body
    assert behind.body["pricingSummary"]["price"]["value"] == "245.0"
    shop.clock.time += 31_000
    [offer] = shop.inventory.offers(SKU)
    assert offer.body
    assert offer.body["pricingSummary"]["price"]["value"] == "100.0"


def test_a_lost_answer_was_carried_out(shop: EbayShop) -> None:
    shop.world.faults.set(Disconnect(method="POST", path="*/publish", last=1))
    with pytest.raises(errors.Unavailable) as caught:
        shop.publish()
    assert caught.value.uncertain
    assert statuses(shop) == ["ACTIVE"]


@pytest.mark.parametrize("header", ["*", "xx-XX"])
def test_a_language_that_is_none_is_refused(shop: EbayShop, header: str) -> None:
    with pytest.raises(errors.MarketplaceFailure) as caught:
        shop.inventory.speaking(header).put_item(SKU, item_body())
    assert caught.value.code == "25709"


def test_categories_say_what_they_ask_for(shop: EbayShop) -> None:
    tree = shop.taxonomy.tree("EBAY_US")
    required = {one.name for one in shop.taxonomy.aspects(tree, "15709") if one.required}
    assert required == {"Brand", "US Shoe Size", "Department"}
    assert {"NEW", "PRE_OWNED_EXCELLENT"} <= shop.taxonomy.conditions("EBAY_US", "15709")
    assert shop.taxonomy.conditions("EBAY_US", "183454") == {"LIKE_NEW", "USED_VERY_GOOD"}
    with pytest.raises(errors.Rejected, match="choose one that has no others below it"):
        shop.taxonomy.aspects(tree, "1")


def test_the_control_plane_shows_and_does_it() -> None:
    with Sandbox(seed=7) as sandbox, connected(sandbox) as client:
        there = sandbox.world.ebay.shop("tenant-a")
        sandbox.world.ebay.new_offer("tenant-a", SKU, "EBAY_US", offer_body())
        base = "/_sandbox/accounts/tenant-a/ebay"
        assert client.http.get(base).json()["offers"][0]["status"] == "UNPUBLISHED"
        done = client.http.post(f"{base}/{SKU}", json={"deed": "edit", "price": "9.00"}).json()
        assert done["offers"][0]["pricingSummary"]["price"]["value"] == "9.0"
        client.http.post(f"{base}/6196944000", json={"deed": "delete_policy"})
        assert there.policies["return"] == []
        assert client.http.post(f"{base}/{SKU}", json={"deed": "burn"}).status_code == 400
        plan = [{"kind": "stale_read", "seconds": 3}, {"kind": "refuse_listing", "error_id": 25026, "sku": "A*"}]
        assert client.http.put("/_sandbox/faults", json=plan).status_code == 200
        assert FAULTS.dump_python(sandbox.faults.current)[1]["error_id"] == 25026
