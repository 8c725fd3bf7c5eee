"""Tenants say how their eBay listings are to be, again and again, and have them promoted."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Final, TypeVar

from local.sandbox.ebay.inventory import echo as shown
from local.sandbox.ebay.inventory.book import Offer, Shop
from local.sandbox.ebay.inventory.offers import offer_shown
from sluice.jobs.model.states import SUCCEEDED
from sluice.listings.ebay import echo as echoes
from sluice.listings.ebay import projection
from sluice.listings.ebay import table as records
from sluice.listings.ebay.desired import Desired, Group, Price, Status
from sluice.listings.ebay.documents import document
from sluice.listings.ebay.drift import classify
from sluice.listings.ebay.table import Record
from sluice.marketplaces.ebay.inventory import _offer
from sluice.marketplaces.http.fields import Value
from sluice.platform.packing import unpack
from tests.soak.town import TENANTS, Town, Trade
from tests.support.ebay_wanted import IDS, record

W = TypeVar("W", Desired, Group)

SKUS: Final = ("A-1", "A-2", "B-1")


def less_sold(want: Desired, found: Record) -> Desired:
    """What is wanted, less what was found sold since that was said."""
    return replace(want, quantity=min(want.quantity, found.wanted.quantity))


@dataclass
class Wanted:
    """How a listing is to be.

    ended: somebody else has ended it, so that it is the seller's to say what comes now.
    sold: buyers have bought some of it.
    """

    tenant: str
    want: Desired
    ended: bool = False
    sold: bool = False


class Ebay(Trade):
    """Records of all tenants."""

    def __init__(self, town: Town) -> None:
        super().__init__(town)
        self._wanted: dict[tuple[str, str], Wanted] = {}
        self._rates: dict[tuple[str, str], str] = {}

    def act(self) -> None:
        if self._chance.random() < 0.15:
            self._chance.choice((self._promote, self._others))()
            return
        tenant, sku = self._chance.choice(TENANTS), self._chance.choice(SKUS)
        known = self._wanted.get((tenant, sku))
        if known is None:
            known = self._wanted[tenant, sku] = Wanted(tenant, record(sku))
            self._town.wanted_listings[tenant] += 1
        else:
            before = known.want
            kinds = ("price", "price", "price", "quantity", "title", "text", "pause", "end", "back")
            known.want = edited(before, self._chance.choice(kinds), self._chance)
            begins = before.status is Status.ENDED and known.want.status is not Status.ENDED
            self._town.wanted_listings[tenant] += begins
        self._put(known)

    def _put(self, known: Wanted) -> None:
        self._say(known.tenant, f"/v1/ebay/listings/{known.want.sku}", document(known.want))

    def _promote(self) -> None:
        """An ad for one of the listings that are for sale."""
        live = [(tenant, one.listing_id) for tenant in TENANTS for one in self._shop(tenant).live()]
        if not live:
            return
        tenant, listing_id = self._chance.choice(live)
        rate = f"{self._chance.randint(20, 99) / 10:.1f}"
        answer = self._town.ask("POST", "/v1/promotions", {"listingId": listing_id, "adRate": rate}, tenant=tenant)
        if answer.status == 202:
            self._rates[tenant, listing_id] = rate
            self._town.owe(tenant, answer.json["jobId"])

    def _others(self) -> None:
        """Buyers buy some of it; another application changes its price; or it is ended elsewhere."""
        known = self._chance.choice([*self._wanted.values()] or [None])
        if known is None:
            return
        book, where = self._town.sandbox.ebay, (known.tenant, known.want.sku)
        if not list(self._shop(known.tenant).live_of(known.want.sku)):
            return
        match self._chance.randint(0, 4):
            case 0 | 1:
                book.sell(*where)
                known.sold = True
            case 2 | 3:
                book.edit_offer(*where, price="9.00")
            case _ if self._is_told(known):
                book.end_by_hand(*where)
                known.ended = True

    @staticmethod
    def _is_told(known: Wanted) -> bool:
        """Whether Sluice has heard that the listing is for sale. Where it is ended before (the answer of its first
        publication was lost), the next attempt publishes it once more: see ADR 142.
        """
        found = records.find(known.tenant, known.want.sku)
        return found is not None and found.listing_id is not None

    def mend(self) -> None:
        """Whose publish has died has it asked for again."""
        for known in self._wanted.values():
            self._put(known)

    # ── the end ──

    def wrong(self) -> Iterator[str]:
        for (tenant, sku), known in self._wanted.items():
            yield from (f"{sku} of {tenant}: {what}" for what in self._differs(known))
        for tenant in TENANTS:
            most = self._town.wanted_listings[tenant]
            there = self._shop(tenant).listings
            if len(there) > most:
                yield f"{tenant} has {len(there)} listings, of which {most} were asked for"
            yield from self._ads(tenant)
        for listing_id, times in self._town.sandbox.ads.repeated.items():
            yield f"an ad of {listing_id} was asked for {times} times though it was there"

    def _ads(self, tenant: str) -> Iterator[str]:
        ads = self._town.sandbox.ads.ads(tenant)
        for listing_id, number in Counter(ad.listing_id for ad in ads).items():
            if number > 1:
                yield f"{listing_id} of {tenant} has {number} ads"
        there, ends = {ad.listing_id: ad.rate for ad in ads}, self._town.ends
        for (owner, listing_id), rate in self._rates.items():
            end = ends.get((owner, f"promotion.create:ebay:{owner}:{listing_id}"))
            if owner == tenant and end and end.state == SUCCEEDED and float(there.get(listing_id, 0)) != float(rate):
                yield f"{listing_id} of {tenant} has an ad at {there.get(listing_id)}, and {rate} was asked for last"

    def _differs(self, known: Wanted) -> Iterator[str]:
        shop, want = self._shop(known.tenant), known.want
        found, live = records.find(known.tenant, want.sku), list(shop.live_of(want.sku))
        if found is None:
            yield "it was taken and is not there"
            return
        if len(live) > 1:
            yield f"{len(live)} live listings"
        if known.ended:
            return
        if known.sold:
            want = less_sold(want, found)
        if not found.is_published:
            yield f"what is wanted is not published: {found.error}"
            return
        if want.status is Status.ENDED:
            yield from (f"it is to be ended and {one.listing_id} is {one.status}" for one in live)
            return
        offers = shop.offers_of(want.sku)
        if len(offers) > 1:
            yield f"{len(offers)} offers"
        if not live and want.status is not Status.PAUSED:
            yield "it is to be for sale, and is not"
        if offers:
            yield from self._shows(want, shop, offers[0])
        if live and offers and found.echo and not self._as_accepted(known, found.echo, shop, offers[0]):
            yield "what eBay shows is not what Sluice knows of it"

    def _shows(self, want: Desired, shop: Shop, offer: Offer) -> Iterator[str]:
        # Quantities apart: an offer that was sent before a sale was known of says one more, and the item's is the less.
        if {**offer.body, "availableQuantity": None} != {**projection.offer_body(want, IDS), "availableQuantity": None}:
            yield f"its offer is {offer.body}"
        item = shop.items[want.sku].body
        if {**item, "availability": None} != {**projection.item_body(want), "availability": None}:
            yield f"its item is {item}"
        if shop.quantity(offer) != want.shown_quantity:
            yield f"{shop.quantity(offer)} are for sale, and {want.shown_quantity} are wanted"

    def _as_accepted(self, known: Wanted, echo: bytes, shop: Shop, offer: Offer) -> bool:
        accepted = echoes.Echo.of(unpack(echo))
        item = shown.item(known.want.sku, shop.items[known.want.sku].body, "en-US", self._town.sandbox.seed, [])
        now = echoes.seen(known.want, IDS, item, _offer(Value(offer_shown(offer), "$")))
        return accepted is not None and classify(accepted, now) == []

    def _shop(self, tenant: str) -> Shop:
        return self._town.sandbox.ebay.shop(tenant)


def edited(want: Desired, kind: str, chance: Random) -> Desired:
    """One edit of a record."""
    match kind:
        case "price":
            return replace(want, price=Price(str(chance.randint(190, 260)), "USD"))
        case "quantity":
            return replace(want, quantity=chance.randint(1, 4))
    return said_anew(want, kind, "pair", chance)


def said_anew(want: W, kind: str, what: str, chance: Random) -> W:
    """One edit of what a record and a group have alike. what: what it is called in its title."""
    match kind:
        case "title":
            return replace(want, title=f"Air Jordan 1, {what} {chance.randint(1, 9)}")
        case "text":
            return replace(want, description=f"<p>{chance.randint(1, 9)}</p>")
        case "pause":
            return replace(want, status=Status.PAUSED)
        case "end":
            return replace(want, status=Status.ENDED)
    return replace(want, status=Status.ACTIVE)
