"""The calls on offers and groups: what is sent, and what is published of it."""

from local.sandbox.call import Answer, Call
from local.sandbox.ebay.errors import Json
from local.sandbox.ebay.inventory import echo, inputs
from local.sandbox.ebay.inventory.book import Listing, Offer, Shop
from local.sandbox.ebay.inventory.errors import RefusedError, said
from local.sandbox.ebay.inventory.seller import Desk
from local.sandbox.ebay.inventory.taxonomy import LEAVES

BASE = "/sell/inventory/v1"
OFFER = f"{BASE}/offer/{{offer_id}}"


class OfferCalls:
    """Offers are replaced whole. A published one is a live listing, which changes with it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.routes = (
            ("GET", f"{BASE}/offer", self.of_sku),
            ("POST", f"{BASE}/offer", self.create),
            ("GET", OFFER, self.get),
            ("PUT", OFFER, self.update),
            ("DELETE", OFFER, self.delete),
            ("POST", f"{OFFER}/publish", self.publish),
            ("POST", f"{OFFER}/withdraw", self.withdraw),
        )

    def of_sku(self, call: Call) -> Answer:
        sku = call.query.get("sku", "")
        if not sku:
            raise RefusedError(25707)
        found = self._desk.seen(call, sku).offers_of(sku)
        if not found:
            raise RefusedError(25713)
        href = f"{call.base_url}{BASE}/offer?sku={sku}"
        shown = [offer_shown(offer) for offer in found]
        return Answer(200, {"href": href, "total": len(shown), "size": len(shown), "limit": 25, "offers": shown})

    def get(self, call: Call, offer_id: str) -> Answer:
        sku = self._desk.shop(call).offer(offer_id).sku
        return Answer(200, offer_shown(self._desk.seen(call, sku).offer(offer_id)))

    def create(self, call: Call) -> Answer:
        inputs.locale(call)
        body, shop, account = inputs.offer(inputs.body(call)), self._desk.shop(call), self._desk.account(call)
        sku, site = str(body.get("sku", "")), body["marketplaceId"]
        if sku not in shop.items:
            raise RefusedError(25702, 400, text1=f"SKU {sku}")
        there = next((one for one in shop.offers_of(sku) if one.site == site), None)
        if there:
            words = "Offer entity already exists."
            raise RefusedError(25002, text1=words, offerId=there.offer_id)
        made, warnings = self._desk.done(
            call, "create_offer", sku, lambda: self._desk.listings.new_offer(account, sku, site, body)
        )
        return Answer(201, {"offerId": made.offer_id, **({"warnings": warnings} if warnings else {})})

    def update(self, call: Call, offer_id: str) -> Answer:
        inputs.locale(call)
        shop = self._desk.shop(call)
        offer = shop.offer(offer_id)
        body = {**inputs.body(call)}
        # The sku, the site and the format of an offer stay what they are.
        fixed = {name: offer.body[name] for name in ("sku", "marketplaceId", "format")}
        inputs.offer({**body, **fixed})

        def act() -> None:
            if offer.listing and offer.listing.live:
                if not body.get("listingDescription") and not shop.groups_of(offer.sku):
                    raise RefusedError(25017, text1="listingDescription")
                check(shop, {**body, **fixed})
                self._desk.listings.revise(offer.listing, call.at_ms)
            offer.body = {**body, **fixed}
            shop.restock(offer)

        _, warnings = self._desk.done(call, "update_offer", offer.sku, act)
        return Answer(200, {"offerId": offer_id, "warnings": warnings}) if warnings else Answer(204, None)

    def delete(self, call: Call, offer_id: str) -> Answer:
        shop = self._desk.shop(call)
        offer = shop.offer(offer_id)
        if offer.listing and offer.listing.live:
            self._desk.listings.end(offer.listing)
        del shop.offers[offer_id]
        return Answer(204, None)

    def publish(self, call: Call, offer_id: str) -> Answer:
        shop, account = self._desk.shop(call), self._desk.account(call)
        offer = shop.offer(offer_id)
        if shop.groups_of(offer.sku):
            raise RefusedError(25732)
        already = offer.listing if offer.listing and offer.listing.live else None

        def act() -> Listing:
            if already:
                return already
            check(shop, offer.body)
            if shop.quantity(offer) < 1:
                raise RefusedError(25004, text1="0")
            return self._desk.listings.publish(account, [offer], call.at_ms)

        listing, warnings = self._desk.done(call, "publish", offer.sku, act)
        if already:
            warnings.append(said(25402))
        return Answer(200, {"listingId": listing.listing_id, **({"warnings": warnings} if warnings else {})})

    def withdraw(self, call: Call, offer_id: str) -> Answer:
        shop = self._desk.shop(call)
        offer = shop.offer(offer_id)
        listing = offer.listing
        if listing is None or not listing.live:
            raise RefusedError(25713, 400)
        _, warnings = self._desk.done(call, "withdraw", offer.sku, lambda: self._desk.listings.end(listing))
        return Answer(200, {"listingId": listing.listing_id, **({"warnings": warnings} if warnings else {})})


def check(shop: Shop, offer: Json) -> None:
    """Raise for what a listing lacks. eBay looks only when it is published, and at each change of a live one."""
    body = shop.item(offer["sku"]).body
    product = body.get("product") or {}
    for name, there in (("title", product.get("title")), ("condition", body.get("condition"))):
        if not there:
            raise RefusedError(25017, text1=name)
    described = [shop.groups[key].get("description") for key in shop.groups_of(offer["sku"])]
    if not any((product.get("description"), offer.get("listingDescription"), *described)):
        raise RefusedError(25017, text1="description")
    if not product.get("imageUrls"):
        raise RefusedError(25002, text1="Add at least 1 photo.")
    category = str(offer.get("categoryId", ""))
    if category not in LEAVES:
        raise RefusedError(25005, text1=category)
    aspects = {*(product.get("aspects") or {})} | ({"Brand"} if product.get("brand") else set())
    if missing := [one.name for one in LEAVES[category].aspects if one.required and one.name not in aspects]:
        raise RefusedError(25002, text1=f"The item specific {missing[0]} is missing.")
    for kind, error_id in (("fulfillment", 25007), ("payment", 25008), ("return", 25009)):
        wanted = (offer.get("listingPolicies") or {}).get(f"{kind}PolicyId")
        there = [
            one[f"{kind}PolicyId"] for one in shop.policies[kind] if one["marketplaceId"] == offer["marketplaceId"]
        ]
        if wanted not in there:
            raise RefusedError(error_id, text1=str(wanted))
    if offer.get("merchantLocationKey") not in shop.locations:
        raise RefusedError(25012, text1=str(offer.get("merchantLocationKey")))
    if not (offer.get("pricingSummary") or {}).get("price"):
        raise RefusedError(25017, text1="price")


def offer_shown(offer: Offer) -> Json:
    """An offer as `getOffer` shows it."""
    shown = {"offerId": offer.offer_id, **echo.offer(offer.body), "status": offer.status}
    if offer.listing:
        shown["listing"] = {
            "listingId": offer.listing.listing_id,
            "listingStatus": offer.listing.status,
            "soldQuantity": offer.sold,
            **({"listingOnHold": True} if offer.listing.on_hold else {}),
        }
    return shown
