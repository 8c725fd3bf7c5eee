"""A seller's own listings at a marketplace that keeps what is sold (items) apart from how it is offered (offers).

One shape for all such marketplaces; today eBay. Loads no HTTP client.
```
 item (sku: what it is, how many)  ◄── offer (price, policies, category; one for a sku and site) ──publish──► listing
 group (several skus) ─────────────────────────────────────────────────────────────────────────publish──► one listing
```
Every write is a full replace, and may be repeated: it does not happen twice. A read has three outcomes: what is there,
None where the marketplace has proved that nothing is, and a failure where that is not known.

What a failure tells, besides its action:
```
OfferExists     there is an offer for this sku already; it says which
NotFound        what the call is about is gone, which the marketplace has proved: begin from the top
PolicyRefused   a business policy is not taken: what is remembered of them may be old
SellerMustAct   business: the message begins with what the seller must do
OnHold          business: nobody may change this listing
SellingLimit    snooze: the account may publish nothing more until `retry_at`
NotNow          snooze: the listing's own state forbids it for a while
uncertain       it may have been done all the same
```
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple, Protocol, Self

from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.http.errors import AlreadyExists, MarketplaceFailure

# eBay Inventory API, bulkUpdatePriceQuantity.
MOST_PRICES: Final = 25
# eBay: revisions of a listing in a calendar day.
MOST_REVISIONS: Final = 250

PUBLISHED: Final = "PUBLISHED"
UNPUBLISHED: Final = "UNPUBLISHED"

# eBay Inventory API, `ListingStatusEnum`: those of a listing that is for sale, or will be with stock again.
LIVE: Final = frozenset({"ACTIVE", "OUT_OF_STOCK"})

# eBay Account API: the kinds of business policies.
POLICY_KINDS: Final = ("fulfillment", "payment", "return")

Json = dict[str, Any]


class OfferExists(AlreadyExists):
    """The sku has an offer on this site already. offer_id: which."""

    offer_id = ""


class Warned(NamedTuple):
    """What a marketplace says besides doing what was asked: its code, its words, what they are about."""

    code: str
    message: str
    parameters: Mapping[str, str]


class Written(NamedTuple):
    """A write was carried out. made: the id of the offer or the listing that it is about; empty where none is told."""

    made: str = ""
    warnings: tuple[Warned, ...] = ()


class MarketOffer(NamedTuple):
    """An offer as the marketplace shows it.

    status: `PUBLISHED` or `UNPUBLISHED`. listing_status: of the listing that it is published as, in the marketplace's
    words. sold: how many were sold by this listing. body: the whole of it.
    """

    offer_id: str
    sku: str
    site: str
    status: str
    listing_id: str | None = None
    listing_status: str | None = None
    on_hold: bool = False
    sold: int = 0
    body: Json | None = None

    @property
    def live(self) -> bool:
        """Whether buyers can find it, or could if there were stock."""
        return self.status == PUBLISHED and (self.listing_status is None or self.listing_status in LIVE)


class PriceRow(NamedTuple):
    """A price and a quantity for a sku's offer. amount: in major units of the currency, as text.

    quantity: None to leave it as it is: some may have been sold since it was known.
    """

    sku: str
    offer_id: str
    amount: str
    currency: str
    quantity: int | None


class PriceResult(NamedTuple):
    """What became of one row: `error` says why it was not carried out, None that it was."""

    error: MarketplaceFailure | None = None
    warnings: tuple[Warned, ...] = ()


class ItemPage(NamedTuple):
    """Some of a seller's items. next: which page has others; None where there are none."""

    items: tuple[Json, ...]
    next: int | None = None


class Policy(NamedTuple):
    """A business policy of a seller. kind: one of `POLICY_KINDS`. digest: of its whole content, to see it change."""

    kind: str
    policy_id: str
    name: str
    digest: str


class Location(NamedTuple):
    """A place that goods are sent from. key: the seller's own name of it. digest: of its whole content."""

    key: str
    name: str
    enabled: bool
    digest: str


class Publisher(Protocol):
    """One account's listings. Every method may raise the errors of `Session.exchange`."""

    def speaking(self, locale: str) -> Self:
        """The same, for listings in this language (`de-DE`), which every call then names."""

    def item(self, sku: str) -> Json | None:
        """An item; None when there certainly is none."""

    def items(self, page: int) -> ItemPage:
        """A page of all items, from 0. They say nothing of offers."""

    def items_of(self, skus: Sequence[str]) -> dict[str, Json | None]:
        """The items of at most `MOST_PRICES` skus, in one call; None of one that there certainly is none of.

        A sku of which it is not known is left out.
        """

    def put_item(self, sku: str, body: Json) -> Written:
        """Make the item, or replace the whole of it. A live listing of it changes at once."""

    def delete_item(self, sku: str) -> None:
        """Delete the item, its offers and its listings. One that is gone already is deleted."""

    def offers(self, sku: str) -> Sequence[MarketOffer]:
        """The sku's offers on all sites; none when there certainly is none."""

    def create_offer(self, body: Json) -> Written:
        """Make an offer. Raises OfferExists."""

    def update_offer(self, offer_id: str, body: Json) -> Written:
        """Replace the whole of an offer. Its live listing changes at once."""

    def publish(self, offer_id: str) -> Written:
        """Publish an offer: the listing's id. One that is published already keeps its listing."""

    def withdraw(self, offer_id: str) -> Written:
        """End the offer's listing. One that has ended, or an offer that is gone, is withdrawn already."""

    def group(self, key: str) -> Json | None:
        """A group of items; None when there certainly is none."""

    def put_group(self, key: str, body: Json) -> Written:
        """Make the group, or replace the whole of it."""

    def delete_group(self, key: str) -> None:
        """Let the group's items go, each to be published alone or in another one. One that is gone is deleted."""

    def publish_group(self, key: str, site: str) -> Written:
        """Publish the offers of the group's items as one listing: its id."""

    def withdraw_group(self, key: str, site: str) -> Written:
        """End the group's listing."""

    def set_prices(self, rows: Sequence[PriceRow]) -> list[PriceResult]:
        """Set prices and quantities, at most `MOST_PRICES`, in one call; the results are in their order.

        What holds up every call (the budget, the account) is raised. Whatever else fails is in the results.
        """

    def locations(self) -> list[Location]:
        """All places that goods are sent from."""


def offer_on(publisher: Publisher, sku: str, site: str) -> MarketOffer | None:
    """The sku's offer on this site; None where there certainly is none."""
    return next((one for one in publisher.offers(sku) if one.site == site), None)


class PolicyReader(Protocol):
    """One account's business policies. Every method may raise the errors of `Session.exchange`."""

    def policies(self, kind: str, site: str) -> list[Policy]:
        """The seller's policies of this kind on this site."""


class Aspect(NamedTuple):
    """What a category asks of an item. values: those that it takes, where it takes no others."""

    name: str
    required: bool
    for_variations: bool
    several: bool
    values: tuple[str, ...] = ()


class Categories(Protocol):
    """What a site's categories ask for. Every method may raise the errors of `Session.exchange`."""

    def tree(self, site: str) -> str:
        """The id of the site's category tree."""

    def aspects(self, tree: str, category: str) -> list[Aspect]:
        """The aspects of a leaf category. Raises Rejected when it is none."""

    def conditions(self, site: str, category: str) -> frozenset[str]:
        """The conditions that items of the category may have, as words of the Inventory API (`NEW`)."""


def money(amount: Decimal) -> str:
    """An amount as marketplaces take it: with two decimal places."""
    return f"{amount:.2f}"


def refusal(account_id: str) -> str | None:
    """Why nothing can be published on this account, and what to do; None when it can. See `accounts.no_seller`."""
    return accounts.no_seller(account_id, "listings")
