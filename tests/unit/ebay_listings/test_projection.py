"""What eBay is sent for a record: the whole of it, in every body."""

from dataclasses import replace
from typing import Any

import pytest

from sluice.listings.ebay import projection
from sluice.listings.ebay.desired import (
    BestOffer,
    Desired,
    FieldGroup,
    Group,
    PolicyIds,
    Price,
    Status,
)
from sluice.listings.ebay.documents import document, group_document, group_of_document, of_document
from tests.support.ebay_records import SKU, desired
from tests.support.ebay_records import document as said

POLICIES = PolicyIds("6196932000", "6196947000", "6196944000")


def test_an_item_is_sent_whole() -> None:
    assert projection.item_body(desired(subtitle="Ships today")) == {
        "availability": {"shipToLocationAvailability": {"quantity": 3}},
        "condition": "NEW",
        "product": {
            "title": "Nike Air Jordan 1 Retro High OG Chicago Lost and Found",
            "subtitle": "Ships today",
            "aspects": {"Brand": ["Nike"], "Color": ["Black", "Red"], "US Shoe Size": ["10"]},
            "imageUrls": ["https://img.example.com/1.jpg", "https://img.example.com/2.jpg"],
            "brand": "Nike",
            "mpn": "DZ5485-612",
        },
    }


def test_an_offer_is_sent_whole() -> None:
    assert projection.offer_body(desired(), POLICIES) == {
        "sku": SKU,
        "marketplaceId": "EBAY_US",
        "format": "FIXED_PRICE",
        "availableQuantity": 3,
        "categoryId": "15709",
        "includeCatalogProductDetails": False,
        "listingDuration": "GTC",
        "listingDescription": "<p>New, with box.</p>",
        "listingPolicies": {
            "fulfillmentPolicyId": "6196932000",
            "paymentPolicyId": "6196947000",
            "returnPolicyId": "6196944000",
        },
        "merchantLocationKey": "wh-1",
        "pricingSummary": {"price": {"value": "245.00", "currency": "USD"}},
    }


def test_an_update_of_an_offer_leaves_out_what_never_changes() -> None:
    new, later = projection.offer_body(desired(), POLICIES), projection.offer_update(desired(), POLICIES)
    assert new.keys() - later.keys() == {"sku", "marketplaceId", "format"}
    assert all(new[name] == value for name, value in later.items())


def test_a_paused_listing_stays_and_shows_no_stock() -> None:
    paused = desired(status="paused")
    assert projection.item_body(paused)["availability"] == {"shipToLocationAvailability": {"quantity": 0}}
    assert projection.offer_update(paused, POLICIES)["availableQuantity"] == 0


def test_best_offers_are_in_the_listings_currency() -> None:
    terms = projection.offer_update(desired(bestOffer={"accept": "240", "decline": "200.50"}), POLICIES)
    assert terms["listingPolicies"]["bestOfferTerms"] == {
        "bestOfferEnabled": True,
        "autoAcceptPrice": {"value": "240.00", "currency": "USD"},
        "autoDeclinePrice": {"value": "200.50", "currency": "USD"},
    }
    assert projection.offer_update(replace(desired(), best_offer=BestOffer()), POLICIES)["listingPolicies"][
        "bestOfferTerms"
    ] == {"bestOfferEnabled": True}


def test_each_value_that_is_sent_stands_in_one_field_group() -> None:
    one = desired(subtitle="s", bestOffer={"accept": "240"}, product={"ean": ["4006381333931"]})
    parts = projection.parts(one, POLICIES)
    assert parts.keys() == set(FieldGroup)

    def leaves(value: Any) -> list[str]:
        if isinstance(value, dict):
            return [leaf for each in value.values() for leaf in leaves(each)]
        if isinstance(value, list):
            return [leaf for each in value for leaf in leaves(each)]
        return [repr(value)]

    sent = leaves(projection.item_body(one)) + leaves(projection.offer_body(one, POLICIES)) + [repr(one.language)]
    assert sorted(leaf for part in parts.values() for leaf in leaves(part)) == sorted(sent)


@pytest.mark.parametrize(
    ("changes", "group"),
    [
        ({"price": Price("250", "USD")}, FieldGroup.PRICE),
        ({"quantity": 4}, FieldGroup.QUANTITY),
        ({"status": Status.PAUSED}, FieldGroup.QUANTITY),
        ({"images": ("https://img.example.com/3.jpg",)}, FieldGroup.IMAGES),
        ({"location": "wh-2"}, FieldGroup.POLICIES),
        ({"best_offer": BestOffer("240")}, FieldGroup.POLICIES),
        ({"title": "Another"}, FieldGroup.DETAILS),
        ({"category": "1"}, FieldGroup.DETAILS),
        ({"description": "<p>Other</p>"}, FieldGroup.DETAILS),
        ({"language": "en-GB"}, FieldGroup.DETAILS),
        ({"condition_description": "worn once"}, FieldGroup.DETAILS),
    ],
)
def test_a_change_is_in_its_own_field_group_alone(changes: dict[str, Any], group: FieldGroup) -> None:
    before = projection.parts(desired(), POLICIES)
    after = projection.parts(replace(desired(), **changes), POLICIES)
    assert {one for one in FieldGroup if before[one] != after[one]} == {group}


def member(sku: str, size: str, **changes: Any) -> Desired:
    return desired(sku=sku, group="dz5485", aspects={"US Shoe Size": [size], "Brand": ["Nike"]}, **changes)


GROUP = {
    "key": "dz5485",
    "marketplace": "EBAY_US",
    "language": "en-US",
    "title": "Air Jordan 1",
    "description": "<p>All sizes.</p>",
    "images": ["https://img.example.com/1.jpg"],
    "variesBy": ["US Shoe Size"],
    "aspects": {"Brand": ["Nike"]},
}


def test_a_group_says_what_its_members_differ_in() -> None:
    group = group_of_document(GROUP)
    members = [member("b", "9.5"), member("a", "10"), member("c", "11", status="ended")]
    assert projection.group_body(group, members) == {
        "title": "Air Jordan 1",
        "description": "<p>All sizes.</p>",
        "imageUrls": ["https://img.example.com/1.jpg"],
        "aspects": {"Brand": ["Nike"]},
        "variantSKUs": ["a", "b"],
        "variesBy": {"specifications": [{"name": "US Shoe Size", "values": ["10", "9.5"]}]},
    }
    assert "listingDescription" not in projection.offer_body(members[0], POLICIES)
    assert group_of_document(group_document(group)) == group
    assert isinstance(group, Group)


def test_a_record_comes_back_from_its_document() -> None:
    full = said(
        status="paused",
        subtitle="s",
        bestOffer={"decline": "1.5"},
        autoPromote=True,
        adRate="5",
        onDrift={"price": "ask"},
        group="g",
        conditionDescription="x",
        product={"epid": "1", "upc": ["2", "1"]},
    )
    one = of_document(full)
    assert of_document(document(one)) == one
    assert document(one)["adRate"] == "5.0"
    assert document(one)["product"] == {"epid": "1", "upc": ["1", "2"]}
    assert document(one)["onDrift"] == {
        "price": "ask", "quantity": "heal", "details": "heal", "images": "heal", "policies": "heal"
    }  # fmt: skip
