"""Tenants sell several sizes as one eBay listing, and say again and again how the group and each size is to be."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from local.sandbox.ebay.inventory.book import Listing, Offer, Shop
from sluice.listings.ebay import table as records
from sluice.listings.ebay.desired import Desired, Group, Status
from sluice.listings.ebay.documents import document, group_document
from tests.soak.ebay import edited, less_sold, said_anew
from tests.soak.town import TENANTS, Town, Trade
from tests.support.ebay_wanted import SHOES, size

SIZES: Final = ("8", "9", "10", "11")


@dataclass
class Wanted:
    """How a group is to be, and its members by sku. ended: somebody else has ended it. sold: skus that were bought."""

    group: Group
    members: dict[str, Desired]
    ended: bool = False
    sold: set[str] = field(default_factory=set)

    @property
    def is_for_sale(self) -> bool:
        """Whether buyers are to be able to buy any of it."""
        return self.group.status is Status.ACTIVE and any(one.shown_quantity for one in self.members.values())


class Groups(Trade):
    """One group of each tenant."""

    def __init__(self, town: Town) -> None:
        super().__init__(town)
        self._wanted: dict[str, Wanted] = {}

    def act(self) -> None:
        tenant = self._chance.choice(TENANTS)
        known = self._wanted.get(tenant)
        if known is None:
            known = self._wanted[tenant] = Wanted(SHOES, {})
            self._town.wanted_listings[tenant] += 1
            self._put_group(tenant, known)
        elif self._chance.random() < 0.1:
            self._others(tenant, known)
        elif self._chance.random() < 0.25:
            before = known.group
            kind = self._chance.choice(("title", "text", "pause", "end", "back", "back"))
            known.group = said_anew(before, kind, "lot", self._chance)
            begins = before.status is Status.ENDED and known.group.status is not Status.ENDED
            self._town.wanted_listings[tenant] += begins
            self._put_group(tenant, known)
        else:
            one = size(self._chance.choice(SIZES))
            kind = self._chance.choice(("price", "price", "quantity", "title", "pause", "end", "back", "back"))
            known.members[one.sku] = edited(known.members.get(one.sku, one), kind, self._chance)
            self._put(tenant, known.members[one.sku])

    def _put_group(self, tenant: str, known: Wanted) -> None:
        self._say(tenant, f"/v1/ebay/groups/{known.group.key}", group_document(known.group))

    def _put(self, tenant: str, member: Desired) -> None:
        self._say(tenant, f"/v1/ebay/listings/{member.sku}", document(member))

    def _others(self, tenant: str, known: Wanted) -> None:
        """Buyers buy one of a size; another application changes its price; or the listing is ended elsewhere."""
        book, live = self._town.sandbox.ebay, [sku for sku in known.members if self._listings(tenant, sku)]
        if not live:
            return
        sku = self._chance.choice(live)
        match self._chance.randint(0, 6):
            case 0 | 1 | 2:
                book.sell(tenant, sku)
                known.sold.add(sku)
            case 3 | 4 | 5:
                book.edit_offer(tenant, sku, price="9.00")
            case _ if (found := records.find_group(tenant, known.group.key)) and found.listing_id:  # as in `Ebay`
                book.end_by_hand(tenant, sku)
                known.ended = True

    def mend(self) -> None:
        """Whose publish has died has it asked for again."""
        for tenant, known in self._wanted.items():
            self._put_all(tenant, known)

    def _put_all(self, tenant: str, known: Wanted) -> None:
        self._put_group(tenant, known)
        for member in known.members.values():
            self._put(tenant, member)

    # ── the end ──

    def wrong(self) -> Iterator[str]:
        for tenant, known in self._wanted.items():
            yield from (f"the group of {tenant}: {what}" for what in self._differs(tenant, known))

    def _differs(self, tenant: str, known: Wanted) -> Iterator[str]:
        found, shop = records.find_group(tenant, known.group.key), self._town.sandbox.ebay.shop(tenant)
        if found is None:
            yield "it was taken and is not there"
            return
        live = {one.listing_id for sku in known.members for one in self._listings(tenant, sku)}
        if len(live) > 1:
            yield f"{len(live)} live listings: {sorted(live)}"
        if known.ended:
            return
        known = replace(known, members={sku: self._less_sold(tenant, sku, known) for sku in known.members})
        if not found.is_published:
            yield f"what is wanted is not published: {found.error}"
            return
        if known.group.status is Status.ENDED:
            if live:
                yield f"it is to be ended, and {sorted(live)} is live"
            return
        if known.is_for_sale and not live:
            yield "it is to be for sale, and is not"
        if live:
            yield from self._shows(tenant, known, shop)

    def _shows(self, tenant: str, known: Wanted, shop: Shop) -> Iterator[str]:
        body = shop.groups[known.group.key]
        if (body["title"], body["description"]) != (known.group.title, known.group.description):
            yield f"as eBay shows it, it is {body}"
        for sku, member in known.members.items():
            offers = shop.offers_of(sku)
            if len(offers) > 1:
                yield f"{sku} has {len(offers)} offers"
            for what in self._member_shows(known, member, offers, shop):
                yield f"{sku}: {what}"

    def _member_shows(self, known: Wanted, member: Desired, offers: list[Offer], shop: Shop) -> Iterator[str]:
        shown = member.shown_quantity if known.group.status is Status.ACTIVE else 0
        if not offers or not offers[0].listing or not offers[0].listing.live:
            if shown:
                yield "it is to be for sale in it, and is not"
            return
        offer = offers[0]
        if shop.quantity(offer) != shown:
            yield f"{shop.quantity(offer)} are for sale, and {shown} are wanted"
        if member.status is not Status.ENDED:
            price = offer.body["pricingSummary"]["price"]
            if price != member.price.at_ebay:
                yield f"it costs {price}, and {member.price} is wanted"
            if shop.items[member.sku].body["product"]["title"] != member.title:
                yield f"its item is {shop.items[member.sku].body}"

    @staticmethod
    def _less_sold(tenant: str, sku: str, known: Wanted) -> Desired:
        found = records.find(tenant, sku)
        return less_sold(known.members[sku], found) if found and sku in known.sold else known.members[sku]

    def _listings(self, tenant: str, sku: str) -> list[Listing]:
        return list(self._town.sandbox.ebay.shop(tenant).live_of(sku))
