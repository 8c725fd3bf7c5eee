"""What eBay is sent for a record: the JSON bodies of its Inventory API. Pure.

Every body is a full replace (eBay wipes what a body leaves out), so each is made of the whole record, and a change only
decides which of them are sent.

```
 createOrReplaceInventoryItem   item_body      what it is, its pictures, how many
 createOffer, updateOffer       offer_body     price, policies, category, description
 createOrReplaceInventoryItemGroup  group_body    several items as one listing
```
Price and quantity alone go by bulkUpdatePriceQuantity, whose rows hold what both bodies hold of them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sluice.listings.ebay.desired import Desired, FieldGroup, Group, Json, PolicyIds, Status

# Raised when the same record is projected to other bodies than before.
VERSION: Final = 1


def item_body(desired: Desired) -> Json:
    """The body of createOrReplaceInventoryItem."""
    product = desired.product
    return {
        "availability": {"shipToLocationAvailability": {"quantity": desired.shown_quantity}},
        "condition": desired.condition,
        **_given(conditionDescription=desired.condition_description),
        "product": {
            "title": desired.title,
            "imageUrls": list(desired.images),
            **_given(
                subtitle=desired.subtitle,
                aspects=_lists(desired.aspects),
                brand=product.brand,
                mpn=product.mpn,
                upc=list(product.upc),
                ean=list(product.ean),
                isbn=list(product.isbn),
                epid=product.epid,
            ),
        },
    }


def offer_body(desired: Desired, policies: PolicyIds) -> Json:
    """The body of createOffer. That of updateOffer is the same without `offer_key`: see `offer_update`.

    `includeCatalogProductDetails` is false, because eBay would put its catalogue's words and pictures in place of the
    seller's. The description of a variation is its group's.
    """
    return {**offer_key(desired), **offer_update(desired, policies)}


def offer_key(desired: Desired) -> Json:
    """What an offer is found by, and never changes."""
    return {"sku": desired.sku, "marketplaceId": desired.marketplace, "format": "FIXED_PRICE"}


def offer_update(desired: Desired, policies: PolicyIds) -> Json:
    """The body of updateOffer."""
    return {
        "availableQuantity": desired.shown_quantity,
        "categoryId": desired.category,
        "includeCatalogProductDetails": False,
        "listingDuration": "GTC",
        **_given(listingDescription=None if desired.group else desired.description),
        "listingPolicies": {
            "fulfillmentPolicyId": policies.fulfillment,
            "paymentPolicyId": policies.payment,
            "returnPolicyId": policies.returns,
            **_given(bestOfferTerms=_best_offer(desired)),
        },
        "merchantLocationKey": desired.location,
        "pricingSummary": {"price": desired.price.at_ebay},
    }


def group_body(group: Group, members: Sequence[Desired]) -> Json:
    """The body of createOrReplaceInventoryItemGroup. Members whose listing has ended are left out of it."""
    listed = sorted((one for one in members if one.status is not Status.ENDED), key=lambda one: one.sku)
    return {
        "title": group.title,
        "description": group.description,
        "imageUrls": list(group.images),
        **_given(subtitle=group.subtitle, aspects=_lists(group.aspects)),
        "variantSKUs": [one.sku for one in listed],
        "variesBy": {
            **_given(aspectsImageVariesBy=list(group.images_vary_by)),
            "specifications": [
                {"name": name, "values": list(dict.fromkeys(value for one in listed for value in one.aspects[name]))}
                for name in group.varies_by
            ],
        },
    }


def parts(desired: Desired, policies: PolicyIds) -> dict[FieldGroup, Any]:
    """The bodies taken apart by field group: each value that is sent stands in exactly one of them."""
    item, offer = item_body(desired), offer_update(desired, policies)
    quantity = {"item": item.pop("availability"), "offer": offer.pop("availableQuantity")}
    return {
        FieldGroup.PRICE: offer.pop("pricingSummary"),
        FieldGroup.QUANTITY: quantity,
        FieldGroup.IMAGES: item["product"].pop("imageUrls"),
        FieldGroup.POLICIES: {
            "listingPolicies": offer.pop("listingPolicies"),
            "merchantLocationKey": offer.pop("merchantLocationKey"),
        },
        FieldGroup.DETAILS: {"item": item, "offer": {**offer, **offer_key(desired)}, "language": desired.language},
    }


def _best_offer(desired: Desired) -> Json | None:
    if desired.best_offer is None:
        return None
    accept, decline = desired.best_offer
    return {
        "bestOfferEnabled": True,
        **_given(
            autoAcceptPrice=accept and desired.price._replace(amount=accept).at_ebay,
            autoDeclinePrice=decline and desired.price._replace(amount=decline).at_ebay,
        ),
    }


def _lists(aspects: Mapping[str, tuple[str, ...]]) -> Json:
    return {name: list(values) for name, values in aspects.items()}


def _given(**values: Any) -> Json:
    """Those of `values` that say something: no null, and nothing empty."""
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}
