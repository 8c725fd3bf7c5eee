"""The calls on items, prices and places."""

from local.sandbox.call import Answer, Call
from local.sandbox.ebay.errors import Json
from local.sandbox.ebay.inventory import echo, inputs
from local.sandbox.ebay.inventory.book import Item, Shop
from local.sandbox.ebay.inventory.errors import RefusedError
from local.sandbox.ebay.inventory.seller import Desk

BASE = "/sell/inventory/v1"
MOST_ROWS, MOST_PAGE = 25, 200


class ItemCalls:
    """Items are replaced whole; what a live listing shows of them changes at once."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.routes = (
            ("GET", f"{BASE}/inventory_item", self.page),
            ("GET", f"{BASE}/inventory_item/{{sku}}", self.get),
            ("PUT", f"{BASE}/inventory_item/{{sku}}", self.put),
            ("DELETE", f"{BASE}/inventory_item/{{sku}}", self.delete),
            ("POST", f"{BASE}/bulk_get_inventory_item", self.get_some),
            ("POST", f"{BASE}/bulk_update_price_quantity", self.set_prices),
            ("GET", f"{BASE}/location", self.locations),
            ("POST", f"{BASE}/location/{{key}}", self.add_location),
        )

    def get(self, call: Call, sku: str) -> Answer:
        return Answer(200, self._shown(self._desk.seen(call, sku), sku))

    def get_some(self, call: Call) -> Answer:
        skus = [str(row.get("sku", "")) for row in inputs.body(call).get("requests") or []]
        if not 1 <= len(skus) <= MOST_ROWS:
            raise RefusedError(25727)
        rows: list[Json] = []
        for sku in skus:
            try:
                shown = self._shown(self._desk.seen(call, sku), sku)
                rows.append({"statusCode": 200, "sku": sku, "inventoryItem": shown})
            except RefusedError as refused:
                rows.append({"statusCode": refused.status, "sku": sku, "errors": [refused.body()]})
        return Answer(207 if any("errors" in row for row in rows) else 200, {"responses": rows})

    def page(self, call: Call) -> Answer:
        limit, page = inputs.whole(call, "limit", 25), inputs.whole(call, "offset", 0)
        if not 1 <= limit <= MOST_PAGE:
            raise RefusedError(25706, text1="limit")
        shop = self._desk.seen(call, "*")
        skus = list(shop.items)[page * limit : (page + 1) * limit]
        href = f"{call.base_url}{BASE}/inventory_item?limit={limit}&offset="
        body: Json = {
            "href": f"{href}{page}",
            "total": len(shop.items),
            "size": -(-len(shop.items) // limit),
            "limit": limit,
            "inventoryItems": [self._shown(shop, sku) for sku in skus],
        }
        if (page + 1) * limit < len(shop.items):
            body["next"] = f"{href}{page + 1}"
        return Answer(200, body)

    def put(self, call: Call, sku: str) -> Answer:
        locale, body = inputs.locale(call), inputs.item(inputs.body(call))
        inputs.sku(sku)
        shop = self._desk.shop(call)

        def act() -> None:
            for listing in shop.live_of(sku):
                self._desk.listings.revise(listing, call.at_ms)
            shop.items[sku] = Item(sku, body, locale)
            for offer in shop.offers_of(sku):
                shop.restock(offer)

        _, warnings = self._desk.done(call, "put_item", sku, act)
        return Answer(200, {"warnings": warnings}) if warnings else Answer(204, None)

    def delete(self, call: Call, sku: str) -> Answer:
        shop = self._desk.shop(call)
        shop.item(sku)

        def act() -> None:
            for listing in list(shop.live_of(sku)):
                self._desk.listings.end(listing)
            for offer in shop.offers_of(sku):
                del shop.offers[offer.offer_id]
            for group in shop.groups.values():
                group["variantSKUs"] = [one for one in group.get("variantSKUs", ()) if one != sku]
            del shop.items[sku]

        self._desk.done(call, "delete_item", sku, act)
        return Answer(204, None)

    def set_prices(self, call: Call) -> Answer:
        rows = inputs.body(call).get("requests")
        if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
            raise RefusedError(25604, text1="requests")
        if sum(max(1, len(row.get("offers") or ())) for row in rows) > MOST_ROWS:
            raise RefusedError(25727)
        asked: list[tuple[Json, Json]] = []
        for row in rows:
            offers: list[Json] = row.get("offers") or [{}]
            asked += [(row, one) for one in offers]
        answers = [self._set_price(call, row, one) for row, one in asked]
        failed = any(row["statusCode"] >= 300 for row in answers)
        return Answer(207 if failed else 200, {"responses": answers})

    def _set_price(self, call: Call, row: Json, asked: Json) -> Json:
        sku, offer_id = str(row.get("sku", "")), str(asked.get("offerId", ""))
        about = {"sku": sku} | ({"offerId": offer_id} if offer_id else {})
        try:
            _, warnings = self._desk.done(call, "set_price", sku, lambda: self._priced(call, sku, row, asked))
        except RefusedError as refused:
            return {"statusCode": refused.status, **about, "errors": [refused.body()]}
        return {"statusCode": 200, **about, **({"warnings": warnings} if warnings else {})}

    def _priced(self, call: Call, sku: str, row: Json, asked: Json) -> None:
        shop = self._desk.shop(call)
        item = shop.item(sku)
        there = (row.get("shipToLocationAvailability") or {}).get("quantity")
        inputs.quantity(there)
        inputs.quantity(asked.get("availableQuantity"))
        offer = shop.offer(str(asked["offerId"])) if asked else None
        if offer and offer.sku != sku:
            raise RefusedError(25713)
        if offer and "price" in asked:
            inputs.price(asked["price"], offer.site)
        for listing in shop.live_of(sku):
            self._desk.listings.revise(listing, call.at_ms)
        if there is not None:
            item.body["availability"] = {"shipToLocationAvailability": {"quantity": there}}
        if offer:
            if "availableQuantity" in asked:
                offer.body["availableQuantity"] = asked["availableQuantity"]
            if "price" in asked:
                offer.body["pricingSummary"] = {**(offer.body.get("pricingSummary") or {}), "price": asked["price"]}
            shop.restock(offer)

    def locations(self, call: Call) -> Answer:
        found = list(self._desk.shop(call).locations.values())
        limit, offset = inputs.whole(call, "limit", 100), inputs.whole(call, "offset", 0)
        page = found[offset : offset + limit]
        href = f"{call.base_url}{BASE}/location"
        return Answer(200, {"href": href, "total": len(found), "limit": limit, "offset": offset, "locations": page})

    def add_location(self, call: Call, key: str) -> Answer:
        shop = self._desk.shop(call)
        if key in shop.locations:
            raise RefusedError(25803, 409)
        made = {"merchantLocationStatus": "ENABLED", **inputs.body(call), "merchantLocationKey": key}
        shop.locations[key] = made
        return Answer(204, None)

    def _shown(self, shop: Shop, sku: str) -> Json:
        item = shop.item(sku)
        return echo.item(sku, item.body, item.locale, self._desk.listings.seed, shop.groups_of(sku))
