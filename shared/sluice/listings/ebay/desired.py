"""How a seller wants a listing to be: the whole of it, as one frozen value. Pure.

`documents` makes it of what the API takes, in one normal form: two documents that mean the same are equal values.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, NamedTuple

from sluice.platform import money

Json = dict[str, Any]


class Status(StrEnum):
    """Whether the listing is to be for sale.

    active: it is. paused: it stays, and shows no stock. ended: it is taken down; the record stays.
    """

    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


class FieldGroup(StrEnum):
    """The parts of a listing that change, drift and are mended apart."""

    PRICE = "price"
    QUANTITY = "quantity"
    DETAILS = "details"
    IMAGES = "images"
    POLICIES = "policies"


class OnDrift(StrEnum):
    """What is done when eBay's state differs from the record: mend it, open a case, or leave it."""

    HEAL = "heal"
    ASK = "ask"
    IGNORE = "ignore"


class Price(NamedTuple):
    """An amount in major units, as text in Sluice's form (`150`, `150.50`), and its currency (ISO 4217)."""

    amount: str
    currency: str

    @property
    def at_ebay(self) -> Json:
        """As eBay writes it: with all decimals that the currency has (`150.00`)."""
        return {"value": f"{Decimal(self.amount):.{money.decimals(self.currency)}f}", "currency": self.currency}


class PolicyRef(NamedTuple):
    """A business policy, named by eBay's id or by the seller's own name of it: one of the two."""

    id: str | None = None
    name: str | None = None


class Policies(NamedTuple):
    """The business policies of a listing, as the seller names them."""

    fulfillment: PolicyRef
    payment: PolicyRef
    returns: PolicyRef


class PolicyIds(NamedTuple):
    """The same, as eBay knows them: what `Policies` came to."""

    fulfillment: str
    payment: str
    returns: str


class BestOffer(NamedTuple):
    """Buyers may offer less. accept, decline: amounts in the price's currency that are answered by themselves."""

    accept: str | None = None
    decline: str | None = None


class Product(NamedTuple):
    """What the thing is known as. upc, ean, isbn: product ids, or the site's own words for "none"."""

    brand: str | None = None
    mpn: str | None = None
    upc: tuple[str, ...] = ()
    ean: tuple[str, ...] = ()
    isbn: tuple[str, ...] = ()
    epid: str | None = None


HEAL_ALL: Final[Mapping[FieldGroup, OnDrift]] = dict.fromkeys(FieldGroup, OnDrift.HEAL)


@dataclass(frozen=True)
class Desired:
    """One listing as its seller wants it. A record without a title, price or policies cannot be published.

    sku: the seller's own name of it, which is eBay's too.
    marketplace, language: one site and one of its locales (`EBAY_US`, `en-US`); a sku has one of each.
    description: HTML of the allowed kind. condition: a word of eBay's Inventory API (`NEW`).
    category: eBay's id of a leaf category. aspects: values by eBay's aspect name, each list in order.
    images: https URLs, the first is the main one. location: the seller's key of the place that it is sent from.
    auto_promote, ad_rate: whether an ad is placed once it is published, and its rate in percent (`5.0`).
    on_drift: what is done about drift, for every field group.
    group: the key of the group that it is a variation of; None for a listing of its own.
    """

    sku: str
    marketplace: str
    language: str
    title: str
    condition: str
    category: str
    images: tuple[str, ...]
    price: Price
    quantity: int
    policies: Policies
    location: str
    status: Status = Status.ACTIVE
    subtitle: str | None = None
    description: str | None = None
    condition_description: str | None = None
    aspects: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    product: Product = field(default_factory=Product)
    best_offer: BestOffer | None = None
    auto_promote: bool = False
    ad_rate: str | None = None
    on_drift: Mapping[FieldGroup, OnDrift] = field(default_factory=lambda: dict(HEAL_ALL))
    group: str | None = None

    @property
    def shown_quantity(self) -> int:
        """How many buyers are to see: none while it is paused."""
        return self.quantity if self.status is Status.ACTIVE else 0


@dataclass(frozen=True)
class Group:
    """Several skus as one listing, of which buyers pick one. What is said here is said of all of them.

    key: the seller's own name of the group. varies_by: the aspects in which its members differ, as their records spell
    them. images_vary_by: those of `varies_by` by which eBay changes the picture. aspects: what all members share.
    status: ended takes the whole listing down.
    """

    key: str
    marketplace: str
    language: str
    title: str
    description: str
    images: tuple[str, ...]
    varies_by: tuple[str, ...]
    images_vary_by: tuple[str, ...] = ()
    subtitle: str | None = None
    aspects: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    status: Status = Status.ACTIVE
