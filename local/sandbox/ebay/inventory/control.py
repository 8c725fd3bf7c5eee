"""`/_sandbox/accounts/{account}/ebay`: what is really there, and what others do to it."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from local.sandbox.ebay.errors import Json
from local.sandbox.ebay.inventory.book import Listings, Shop
from local.sandbox.ebay.inventory.offers import offer_shown


class Deed(BaseModel):
    """What others do to a sku, with what.

    `sell` (`quantity`), `end` (`by_ebay`), `hold` (`on`), `edit` (`price`, `product`, `offer`: fields that another
    application of the seller sets), `delete_policy` (the sku is a policy id).
    """

    model_config = ConfigDict(extra="forbid")

    deed: Literal["sell", "end", "hold", "edit", "delete_policy"]
    quantity: int = Field(default=1, ge=1)
    by_ebay: bool = False
    on: bool = True
    price: str | None = None
    product: Mapping[str, Any] = Field(default_factory=dict)
    offer: Mapping[str, Any] = Field(default_factory=dict)


def do(listings: Listings, account: str, sku: str, deed: Deed) -> None:
    """Do it. What is not there is left alone."""
    match deed.deed:
        case "sell":
            listings.sell(account, sku, deed.quantity)
        case "end":
            listings.end_by_hand(account, sku, by_ebay=deed.by_ebay)
        case "hold":
            listings.hold(account, sku, on=deed.on)
        case "edit":
            if deed.product:
                listings.edit_item(account, sku, **deed.product)
            if deed.price is not None or deed.offer:
                listings.edit_offer(account, sku, price=deed.price, **deed.offer)
        case "delete_policy":
            for kind, policies in listings.shop(account).policies.items():
                policies[:] = [one for one in policies if one[f"{kind}PolicyId"] != sku]


def shown(shop: Shop) -> Json:
    """Everything of one seller: items, offers, groups, listings with their revisions, policies."""
    return {
        "items": {sku: item.body for sku, item in shop.items.items()},
        "offers": [offer_shown(offer) for offer in shop.offers.values()],
        "groups": shop.groups,
        "listings": [
            {
                "listingId": one.listing_id,
                "status": one.status,
                "onHold": one.on_hold,
                "revisions": sum(one.revisions.values()),
            }
            for one in shop.listings
        ],
        "policies": dict(shop.policies),
        "locations": list(shop.locations),
    }
