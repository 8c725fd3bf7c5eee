"""What eBay shows of a listing, in the shape of what it was sent, so that two looks can be compared. Pure.

Only what was sent is kept: eBay adds defaults, shows brand and product ids among the aspects too, and puts aspects in
another order. What it writes in its own way is put in one form: amounts (`245.0`), languages (`en_US`), white space of
descriptions, empty lists. What it changes for good (addresses of pictures, its own word for an aspect's value) stays:
it is the same at the next look.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NamedTuple

from sluice.listings.ebay import projection
from sluice.listings.ebay.desired import Desired, FieldGroup, Json, PolicyIds
from sluice.marketplaces.publishing import MarketOffer
from sluice.platform.packing import unpack

# Where eBay keeps its copies of pictures.
HOSTED: Final = r"https?://[a-z0-9.-]*\.?ebayimg\.com/"
# Lists in whose order nothing is said.
_UNORDERED: Final = frozenset({"upc", "ean", "isbn"})
_TEXTS: Final = frozenset({"listingDescription", "description", "conditionDescription"})


class Echo(NamedTuple):
    """A listing as eBay shows it.

    groups: by field group, the values that were sent, as they are shown. listing_id: of its listing, if it has one.
    standing: `live`, `ended`, `ended_by_ebay`, `unlisted`. on_hold: nobody may change it. sold: how many were sold.
    """

    groups: Mapping[FieldGroup, Any] = {}
    listing_id: str | None = None
    standing: str = "unlisted"
    on_hold: bool = False
    sold: int = 0

    def stored(self) -> Json:
        """As a record keeps it."""
        return {
            "groups": {str(one): value for one, value in self.groups.items()},
            "listing": self.listing_id or "",
            "standing": self.standing,
            "hold": self.on_hold,
            "sold": self.sold,
        }

    @classmethod
    def of(cls, stored: Mapping[str, Any] | None) -> "Echo | None":
        """What `stored` made."""
        if not stored:
            return None
        groups = {FieldGroup(one): value for one, value in stored["groups"].items()}
        return cls(groups, stored["listing"] or None, stored["standing"], stored["hold"], int(stored["sold"]))

    @classmethod
    def unpacked(cls, packed: bytes | None) -> "Echo | None":
        """What a record keeps packed; None where it keeps none."""
        return cls.of(unpack(packed)) if packed else None


LIVE: Final = "live"
ENDED: Final = "ended"
ENDED_BY_EBAY: Final = "ended_by_ebay"
UNLISTED: Final = "unlisted"


class Bodies(NamedTuple):
    """What of a record an attempt has sent. item, offer: the whole body. price, quantity: by a call for these alone."""

    item: bool = True
    offer: bool = True
    price: bool = True
    quantity: bool = True

    @property
    def any_price(self) -> bool:
        """Whether the price was sent by any call."""
        return self.offer or self.price

    @property
    def quantities(self) -> dict[str, bool]:
        """Whether the item's quantity was sent, and the offer's, by any call."""
        return {"item": self.item or self.quantity, "offer": self.offer or self.quantity}


EVERYTHING: Final = Bodies()


def seen(sent: Desired, policies: PolicyIds, item: Json | None, offer: MarketOffer | None) -> Echo:
    """What eBay shows of `sent`. None: it certainly has no such item, or offer."""
    groups = {
        one: _shown(part, _source(one, item or {}, offer)) for one, part in projection.parts(sent, policies).items()
    }
    if offer is None:
        return Echo(groups)
    return Echo(groups, offer.listing_id, _standing(offer), offer.on_hold, offer.sold)


def of_prices(before: Echo, sent: Desired, policies: PolicyIds, *, quantity: bool = True) -> Echo:
    """The echo after price and quantity were taken: eBay shows these as they were sent, so nobody has to look.

    quantity: whether it was sent too.
    """
    parts = projection.parts(sent, policies)
    groups = (FieldGroup.PRICE, FieldGroup.QUANTITY) if quantity else (FieldGroup.PRICE,)
    now = {one: _shown(parts[one], parts[one]) for one in groups}
    return Echo({**before.groups, **now}, before.listing_id, before.standing, before.on_hold, before.sold)


def is_behind(echo: Echo, sent: Desired, policies: PolicyIds, bodies: Bodies = EVERYTHING) -> bool:
    """Whether eBay still shows what was there before `sent`: it shows price, quantity and title as they are sent.

    Then the echo is no measure yet. bodies: what was sent, of which alone that can be told.
    """
    plain = as_sent(echo, sent, policies)
    if bodies.any_price and echo.groups.get(FieldGroup.PRICE) != plain.groups[FieldGroup.PRICE]:
        return True
    shown, wanted = (one.groups.get(FieldGroup.QUANTITY) or {} for one in (echo, plain))
    if any(is_sent and shown.get(name) != wanted[name] for name, is_sent in bodies.quantities.items()):
        return True
    return bodies.item and sent.group is None and _title(echo) != _title(plain)


def as_sent(echo: Echo, sent: Desired, policies: PolicyIds) -> Echo:
    """The echo with price, quantity and title as eBay shows them once it has taken `sent`."""
    parts = projection.parts(sent, policies)
    now = {one: _shown(parts[one], parts[one]) for one in (FieldGroup.PRICE, FieldGroup.QUANTITY)}
    details: Json = echo.groups.get(FieldGroup.DETAILS) or {}
    item: Json = details.get("item") or {}
    product = {**(item.get("product") or {}), "title": " ".join(sent.title.split())}
    titled = {**details, "item": {**item, "product": product}}
    return echo._replace(groups={**echo.groups, **now, FieldGroup.DETAILS: titled})


def with_more(echo: Echo, left: int) -> Echo:
    """The echo with at least `left` to buy."""
    shown: Json = echo.groups.get(FieldGroup.QUANTITY) or {}
    item: Json = shown.get("item") or {}
    there: Json = item.get("shipToLocationAvailability") or {}
    more = {"shipToLocationAvailability": {**there, "quantity": max(left, there.get("quantity") or 0)}}
    quantity = {"item": {**item, **more}, "offer": max(left, shown.get("offer") or 0)}
    return echo._replace(groups={**echo.groups, FieldGroup.QUANTITY: quantity})


def of_part(before: Echo, now: Echo, bodies: Bodies) -> Echo:
    """The echo of an attempt that has sent some bodies alone: what it did not send is measured as before.

    So what others have changed there is found by the next look, and not taken for ours.
    """
    was, seen = before.groups, now.groups

    def of_bodies(group: FieldGroup, **sent: bool) -> Json:
        old, new = was.get(group) or {}, seen.get(group) or {}
        return {**new, **{name: old[name] for name, is_sent in sent.items() if not is_sent and name in old}}

    amounts = of_bodies(FieldGroup.QUANTITY, **bodies.quantities)
    details = of_bodies(FieldGroup.DETAILS, item=bodies.item, language=bodies.item, offer=bodies.offer)
    rest = {FieldGroup.PRICE: bodies.any_price, FieldGroup.IMAGES: bodies.item, FieldGroup.POLICIES: bodies.offer}
    kept = {one: was[one] for one, is_sent in rest.items() if not is_sent and one in was}
    return now._replace(groups={**seen, **kept, FieldGroup.QUANTITY: amounts, FieldGroup.DETAILS: details})


def _title(echo: Echo) -> Any:
    details: Json = echo.groups.get(FieldGroup.DETAILS) or {}
    return ((details.get("item") or {}).get("product") or {}).get("title")


def differs(before: Echo, now: Echo) -> frozenset[FieldGroup]:
    """The field groups that eBay shows otherwise than before."""
    return frozenset(one for one in FieldGroup if not _same(one, before.groups.get(one), now.groups.get(one)))


def _same(group: FieldGroup, before: Any, now: Any) -> bool:
    if group is FieldGroup.IMAGES:
        return _same_pictures(before or [], now or [])
    if group is FieldGroup.DETAILS:
        return bool(_unordered(before) == _unordered(now))
    return bool(before == now)


def _unordered(details: Json | None) -> Json | None:
    """`details` with the values of each aspect in one order: eBay keeps none. An older echo has them as they came."""
    item: Json = (details or {}).get("item") or {}
    product: Json = item.get("product") or {}
    if not details or not product.get("aspects"):
        return details
    aspects = {name: sorted(map(str, values)) for name, values in product["aspects"].items()}
    return {**details, "item": {**item, "product": {**product, "aspects": aspects}}}


def _same_pictures(before: Sequence[str], now: Sequence[str]) -> bool:
    """Alike, or copied to eBay's host meanwhile, which it does some time after it took them."""
    return len(before) == len(now) and all(
        old == new or (re.match(HOSTED, new) and not re.match(HOSTED, old))
        for old, new in zip(before, now, strict=True)
    )


def _standing(offer: MarketOffer) -> str:
    if offer.live:
        return LIVE
    if offer.listing_id is None and offer.listing_status is None:
        return UNLISTED
    return ENDED_BY_EBAY if offer.listing_status == "EBAY_ENDED" else ENDED


def _source(group: FieldGroup, item: Json, offer: MarketOffer | None) -> Any:
    """Where eBay shows the values of a field group, in the shape of `projection.parts`."""
    body = (offer.body if offer else None) or {}
    match group:
        case FieldGroup.PRICE:
            return body.get("pricingSummary")
        case FieldGroup.QUANTITY:
            return {"item": item.get("availability"), "offer": body.get("availableQuantity")}
        case FieldGroup.IMAGES:
            return (item.get("product") or {}).get("imageUrls")
        case FieldGroup.POLICIES:
            return body
        case FieldGroup.DETAILS:
            return {"item": item, "offer": body, "language": str(item.get("locale") or "").replace("_", "-")}


def _shown(sent: Any, there: Any, name: str = "") -> Any:
    """What is shown of `sent`, in one form."""
    if isinstance(sent, dict):
        found = there if isinstance(there, dict) else {}
        return {one: _shown(value, found.get(one), one) for one, value in sent.items()}
    if isinstance(sent, list):
        values = [_text(one, name) for one in there] if isinstance(there, list) else []
        return sorted(values) if name in _UNORDERED else values
    return _text(there, name)


def _text(value: Any, name: str) -> Any:
    if name == "value":
        return amount(value)
    if isinstance(value, str):
        return " ".join(value.split()) if name in _TEXTS or name == "title" else value
    return value


def amount(value: Any) -> Any:
    """An amount in one form: `245.0`, `245.00` and `245` are one amount."""
    try:
        return f"{Decimal(str(value)).normalize():f}"
    except InvalidOperation:
        return value
