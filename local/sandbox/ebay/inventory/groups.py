"""The calls on groups: several skus that are one listing."""

from local.sandbox.call import Answer, Call
from local.sandbox.ebay.errors import Json
from local.sandbox.ebay.inventory import inputs
from local.sandbox.ebay.inventory.book import Listing, Offer, Shop
from local.sandbox.ebay.inventory.errors import RefusedError, said
from local.sandbox.ebay.inventory.offers import check
from local.sandbox.ebay.inventory.seller import Desk

BASE = "/sell/inventory/v1"
GROUP = f"{BASE}/inventory_item_group/{{key}}"


class GroupCalls:
    """Groups are replaced whole. All members that are published with one are one listing."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.routes = (
            ("GET", GROUP, self.get),
            ("PUT", GROUP, self.put),
            ("DELETE", GROUP, self.delete),
            ("POST", f"{BASE}/offer/publish_by_inventory_item_group", self.publish),
            ("POST", f"{BASE}/offer/withdraw_by_inventory_item_group", self.withdraw),
        )

    def get(self, call: Call, key: str) -> Answer:
        shop = self._desk.seen(call, key)
        return Answer(200, {"inventoryItemGroupKey": key, **_group(shop, key)})

    def put(self, call: Call, key: str) -> Answer:
        inputs.locale(call)
        body, shop = inputs.body(call), self._desk.shop(call)
        skus = body.get("variantSKUs") or []
        if lost := [sku for sku in skus if sku not in shop.items]:
            raise RefusedError(25701, text1=", ".join(lost))
        for sku in skus:
            if any(other != key for other in shop.groups_of(sku)):
                raise RefusedError(25703, text1=sku)
            if any(not _is_of(shop, listing, key) for listing in shop.live_of(sku)):
                raise RefusedError(25704, text1=sku)
        _spelt_alike(shop, body)
        sold = {offer.sku for offer in shop.offers.values() if offer.sold}
        if kept := [sku for sku in shop.groups.get(key, {}).get("variantSKUs", ()) if sku in sold and sku not in skus]:
            raise RefusedError(25019, text1=f"{kept[0]} has sales and cannot be taken out.")

        def act() -> None:
            listings = {listing.listing_id: listing for sku in skus for listing in shop.live_of(sku)}
            for listing in listings.values():
                self._desk.listings.revise(listing, call.at_ms)
            for sku in set(shop.groups.get(key, {}).get("variantSKUs", ())) - set(skus):
                for offer in shop.offers_of(sku):
                    offer.listing = None  # its variation is taken out of the listing
            shop.groups[key] = {name: value for name, value in body.items() if name != "inventoryItemGroupKey"}

        _, warnings = self._desk.done(call, "put_group", key, act)
        return Answer(200, {"warnings": warnings}) if warnings else Answer(204, None)

    def delete(self, call: Call, key: str) -> Answer:
        shop = self._desk.shop(call)
        _group(shop, key)
        del shop.groups[key]
        return Answer(204, None)

    def publish(self, call: Call) -> Answer:
        key, site = _asked(inputs.body(call))
        shop, account = self._desk.shop(call), self._desk.account(call)
        offers = _offers(shop, key, site)

        def act() -> tuple[Listing, list[Json]]:
            good, warnings = list[Offer](), list[Json]()
            for offer in offers:
                try:
                    check(shop, offer.body)
                    good.append(offer)
                except RefusedError as refused:
                    warnings.append(refused.body())
            if not good:
                raise RefusedError(25013, text1=str(warnings[0]["message"]) if warnings else "No offer.")
            if live := next((one.listing for one in good if one.listing and one.listing.live), None):
                for offer in good:
                    offer.listing = live
                return live, [*warnings, said(25402)]
            return self._desk.listings.publish(account, good, call.at_ms), warnings

        (listing, told), warnings = self._desk.done(call, "publish_group", key, act)
        told += warnings
        return Answer(200, {"listingId": listing.listing_id, **({"warnings": told} if told else {})})

    def withdraw(self, call: Call) -> Answer:
        key, site = _asked(inputs.body(call))
        shop = self._desk.shop(call)
        live = [one.listing for one in _offers(shop, key, site) if one.listing and one.listing.live]
        if not live:
            raise RefusedError(25713, 400)

        def act() -> None:
            for listing in live:
                self._desk.listings.end(listing)

        self._desk.done(call, "withdraw_group", key, act)
        return Answer(204, None)


def _asked(body: Json) -> tuple[str, str]:
    return str(body.get("inventoryItemGroupKey", "")), str(body.get("marketplaceId", ""))


def _group(shop: Shop, key: str) -> Json:
    if key not in shop.groups:
        raise RefusedError(25705, text1=key)
    return shop.groups[key]


def _offers(shop: Shop, key: str, site: str) -> list[Offer]:
    skus = _group(shop, key).get("variantSKUs", ())
    return [offer for sku in skus for offer in shop.offers_of(sku) if offer.site == site]


def _is_of(shop: Shop, listing: Listing, key: str) -> bool:
    members = {offer.sku for offer in shop.offers.values() if offer.listing is listing}
    return all(key in shop.groups_of(sku) for sku in members)


def _spelt_alike(shop: Shop, body: Json) -> None:
    """What a group varies by must be an aspect of each item, spelt as there."""
    for axis in (body.get("variesBy") or {}).get("specifications") or []:
        for sku in body.get("variantSKUs") or []:
            aspects = (shop.items[sku].body.get("product") or {}).get("aspects") or {}
            if not set(aspects.get(axis["name"], ())) & set(axis.get("values") or ()):
                raise RefusedError(25013, text1=f"{axis['name']} of {sku}")
