"""What a marketplace knows of products and prices, in one shape for all of them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple, Protocol, Self

from sluice.jobs.model.run import Calls
from sluice.platform.clock import Clock


class FoundVariant(NamedTuple):
    """A size of a product.

    value: the size as the product page writes it (`10`, `8W`), empty for things without sizes. size_system: the system
    of that page. sizes: the size in each system by Sluice's names, `{"us": "10", "uk": "9"}`.
    """

    variant_id: str
    value: str
    size_system: str
    sizes: Mapping[str, str]
    gtins: tuple[str, ...] = ()


class FoundProduct(NamedTuple):
    """A product. sku: the style as the marketplace writes it; retail_price in US dollars; release_date `YYYY-MM-DD`.

    image: the address of a picture. variants: its sizes, where they come with it; None where `variants` must be asked.
    rivals: the styles of other products that the search has shown and that differ in nothing but blanks and hyphens.
    """

    product_id: str
    sku: str | None
    title: str
    product_type: str | None
    brand: str | None = None
    url_key: str | None = None
    gender: str | None = None
    colorway: str | None = None
    release_date: str | None = None
    retail_price: Decimal | None = None
    image: str | None = None
    variants: tuple[FoundVariant, ...] | None = None
    rivals: tuple[str, ...] = ()


class MarketData(NamedTuple):
    """The market of one variant in one currency, in major units. None: there is no such ask or bid, or nobody says.

    sell_faster, earn_more: the marketplace's own suggestions for an ask. flex_lowest_ask: of goods in its warehouse.
    last_sale: what it was last sold for. global_indicator: the marketplace's own estimate of its worth everywhere.
    asks: how many ask now; median_ask: the middle one, the lower of two. left_out: offers that the search has shown and
    that are none of the product: without its style in their title, boxes and laces, replicas, used, unreadable.
    """

    product_id: str
    variant_id: str
    currency: str
    lowest_ask: Decimal | None
    highest_bid: Decimal | None
    sell_faster: Decimal | None = None
    earn_more: Decimal | None = None
    flex_lowest_ask: Decimal | None = None
    last_sale: Decimal | None = None
    global_indicator: Decimal | None = None
    median_ask: Decimal | None = None
    asks: int | None = None
    left_out: int | None = None


class Adapter(Protocol):
    """What the market capability asks of a marketplace. Every method raises `Failure`s."""

    @classmethod
    def open(cls, account_id: str, calls: Calls, clock: Clock) -> Self:
        """The marketplace as `account_id` sees it, whose calls are charged to `calls`."""

    def search(self, sku: str) -> FoundProduct | None:
        """The product whose style is `sku`, or the only one that is the same without blanks and hyphens."""

    def variants(self, product_id: str) -> list[FoundVariant]:
        """The sizes of a product."""

    def quotes(self, product_id: str, variant_id: str, currency: str) -> list[MarketData]:
        """The market of one size now, in one call, and of each other size that this call answers too."""


class Uncharted(Adapter, Protocol):
    """A marketplace without size charts."""

    def own_system(self, sku: str, currency: str) -> str | None:
        """The system of a size of `sku` that names none, as what is for sale shows it; None where it does not."""
