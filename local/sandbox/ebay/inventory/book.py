"""What there is at eBay: sellers' items, offers, groups and listings, their policies and places. Times are epoch ms."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from local.sandbox.ebay.inventory.errors import RefusedError
from local.sandbox.ebay.marketing.book import Book as Ads

Json = dict[str, Any]
MOST_REVISIONS = 250
# So many writes back, a read that is behind can look.
MOST_PAST = 50
DAY_MS = 86_400_000
PACIFIC_MS = 8 * 3_600_000


@dataclass
class Listing:
    """What buyers see. status: in eBay's words. revisions: by day."""

    listing_id: str
    account: str
    site: str
    status: str = "ACTIVE"
    on_hold: bool = False
    revisions: Counter[int] = field(default_factory=Counter)

    @property
    def live(self) -> bool:
        return self.status in ("ACTIVE", "OUT_OF_STOCK")


@dataclass
class Item:
    """An item. body: as it was sent last."""

    sku: str
    body: Json
    locale: str


@dataclass
class Offer:
    """An offer. listing: the one that it is published as; None while it is not."""

    offer_id: str
    sku: str
    site: str
    body: Json
    listing: Listing | None = None
    sold: int = 0

    @property
    def status(self) -> str:
        return "PUBLISHED" if self.listing and self.listing.live else "UNPUBLISHED"


class Offers(dict[str, Offer]):
    """Offers by their id. by_sku: those of each sku, by their id too, so that thousands can be asked for one by one."""

    def __init__(self) -> None:
        super().__init__()
        self.by_sku: dict[str, dict[str, Offer]] = defaultdict(dict)

    def __setitem__(self, offer_id: str, offer: Offer) -> None:
        super().__setitem__(offer_id, offer)
        self.by_sku[offer.sku][offer_id] = offer

    def __delitem__(self, offer_id: str) -> None:
        del self.by_sku[self[offer_id].sku][offer_id]
        super().__delitem__(offer_id)


@dataclass
class Shop:
    """Everything of one seller."""

    items: dict[str, Item] = field(default_factory=dict)
    offers: Offers = field(default_factory=Offers)
    groups: dict[str, Json] = field(default_factory=dict)
    locations: dict[str, Json] = field(default_factory=dict)
    policies: dict[str, list[Json]] = field(default_factory=lambda: defaultdict(list))
    listings: list[Listing] = field(default_factory=list)
    selling_limit: int | None = None
    out_of_stock_control: bool = True
    past: list[tuple[int, "Shop"]] = field(default_factory=list, repr=False)

    def offer(self, offer_id: str) -> Offer:
        """Raises RefusedError when there is none."""
        if found := self.offers.get(offer_id):
            return found
        raise RefusedError(25713)

    def item(self, sku: str) -> Item:
        """Raises RefusedError when there is none."""
        if found := self.items.get(sku):
            return found
        raise RefusedError(25710)

    def offers_of(self, sku: str) -> list[Offer]:
        return list(self.offers.by_sku.get(sku, {}).values())

    def groups_of(self, sku: str) -> list[str]:
        return [key for key, group in self.groups.items() if sku in group.get("variantSKUs", ())]

    def live(self) -> list[Listing]:
        return [listing for listing in self.listings if listing.live]

    def live_of(self, sku: str) -> Iterator[Listing]:
        """The live listings in which the sku is."""
        yield from (offer.listing for offer in self.offers_of(sku) if offer.listing and offer.listing.live)

    def quantity(self, offer: Offer) -> int:
        """What buyers can buy: the smaller of what the item and the offer have."""
        item = self.items[offer.sku].body
        there = int(((item.get("availability") or {}).get("shipToLocationAvailability") or {}).get("quantity") or 0)
        return min(there, int(offer.body.get("availableQuantity", there)))

    def set_quantity(self, offer: Offer, quantity: int) -> None:
        body = self.items[offer.sku].body
        body.setdefault("availability", {})["shipToLocationAvailability"] = {"quantity": quantity}
        offer.body["availableQuantity"] = quantity
        self.restock(offer)

    def restock(self, offer: Offer) -> None:
        """A listing with nothing left is hidden, or ends; one with stock again is shown."""
        listing = offer.listing
        if listing is None or not listing.live:
            return
        if any(self.quantity(one) for one in self.offers.values() if one.listing is listing):
            listing.status = "ACTIVE"
        else:
            listing.status = "OUT_OF_STOCK" if self.out_of_stock_control else "ENDED"

    def remember(self, until_ms: int) -> None:
        """Remember how everything was until now, for reads that are behind."""
        past, self.past = self.past, []
        self.past = [*past[-MOST_PAST:], (until_ms, deepcopy(self))]

    def as_of(self, at_ms: int) -> "Shop":
        """How everything was at a time, as far as it is remembered."""
        return next((shop for until, shop in self.past if at_ms < until), self)


class Listings:
    """The sellers' shops, by account. What is published is known to Marketing too, after its lag."""

    def __init__(self, seed: int, ads: Ads) -> None:
        self.seed, self._ads = seed, ads
        self._shops: dict[str, Shop] = {}
        self._ids = count(1)

    def shop(self, account: str) -> Shop:
        """A seller's shop. A new one has a policy of each kind, and one place."""
        if account not in self._shops:
            self._shops[account] = _new_shop()
        return self._shops[account]

    def new_offer(self, account: str, sku: str, site: str, body: Json) -> Offer:
        offer = Offer(str(9_400_000_000 + next(self._ids)), sku, site, body)
        self.shop(account).offers[offer.offer_id] = offer
        return offer

    def publish(self, account: str, offers: list[Offer], at_ms: int) -> Listing:
        """The offers are for sale as one listing. Raises RefusedError above the seller's limit."""
        shop, site = self.shop(account), offers[0].site
        if shop.selling_limit is not None and len(shop.live()) >= shop.selling_limit:
            raise RefusedError(25026, text1=f"You may list {shop.selling_limit} items.")
        listing = Listing(str(110_600_000_000 + next(self._ids)), account, site)
        shop.listings.append(listing)
        for offer in offers:
            offer.listing, offer.sold = listing, 0
        self._ads.publish(account, listing.listing_id, at_ms, site=site)
        return listing

    def end(self, listing: Listing, status: str = "ENDED") -> None:
        listing.status = status
        self._ads.end_listing(listing.listing_id)

    def revise(self, listing: Listing, at_ms: int) -> None:
        """Count a change of a live listing. Raises RefusedError on hold, and above the day's revisions."""
        if listing.on_hold:
            raise RefusedError(25097)
        day = (at_ms - PACIFIC_MS) // DAY_MS
        if listing.revisions[day] >= MOST_REVISIONS:
            raise RefusedError(25019, text1="You have reached the number of times that a listing may be revised a day.")
        listing.revisions[day] += 1

    # ── what others do ──

    def sell(self, account: str, sku: str, quantity: int = 1) -> None:
        """Buyers buy some of it, as far as there is."""
        shop = self.shop(account)
        for offer in shop.offers_of(sku):
            if offer.listing and offer.listing.live:
                sold = min(quantity, shop.quantity(offer))
                offer.sold += sold
                shop.set_quantity(offer, shop.quantity(offer) - sold)

    def end_by_hand(self, account: str, sku: str, *, by_ebay: bool = False) -> None:
        """The seller ends it in Seller Hub, or eBay does."""
        for listing in list(self.shop(account).live_of(sku)):
            self.end(listing, "EBAY_ENDED" if by_ebay else "ENDED")

    def hold(self, account: str, sku: str, *, on: bool = True) -> None:
        """eBay holds the listing, or lets it go."""
        for offer in self.shop(account).offers_of(sku):
            if offer.listing:
                offer.listing.on_hold = on

    def edit_item(self, account: str, sku: str, **product: Any) -> None:
        """Another application of the seller changes the item: fields of its product."""
        body = self.shop(account).item(sku).body
        body["product"] = {**body.get("product", {}), **product}

    def edit_offer(self, account: str, sku: str, *, price: str | None = None, **fields: Any) -> None:
        """Another application of the seller changes the offer."""
        for offer in self.shop(account).offers_of(sku):
            offer.body |= fields
            if price is not None:
                summary = offer.body.get("pricingSummary") or {}
                offer.body["pricingSummary"] = {**summary, "price": {**summary.get("price", {}), "value": price}}


def _new_shop() -> Shop:
    shop = Shop()
    for kind, number in (("fulfillment", 6_196_932_000), ("payment", 6_196_947_000), ("return", 6_196_944_000)):
        shop.policies[kind].append(
            {
                f"{kind}PolicyId": str(number),
                "name": f"Usual {kind}",
                "marketplaceId": "EBAY_US",
                "categoryTypes": [{"name": "ALL_EXCLUDING_MOTORS_VEHICLES"}],
            }
        )
    shop.locations["home"] = {
        "merchantLocationKey": "home",
        "name": "Home",
        "merchantLocationStatus": "ENABLED",
        "locationTypes": ["WAREHOUSE"],
        "location": {"address": {"postalCode": "95125", "country": "US"}},
    }
    return shop
