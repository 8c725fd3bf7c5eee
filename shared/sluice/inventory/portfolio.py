"""Items with what the marketplaces pay for them now: three reads a page, however many items there are on it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from typing_extensions import TypedDict

from sluice.catalog import images
from sluice.catalog import table as catalog
from sluice.catalog.table import Product
from sluice.inventory import table as items
from sluice.inventory.rules import price_currency
from sluice.inventory.table import Item
from sluice.marketplaces import registry
from sluice.platform.clock import SECOND, iso
from sluice.prices import table as prices
from sluice.prices.table import Price

Products = Mapping[tuple[str, str], Product]


class MarketPrice(TypedDict):
    """What a marketplace asks and bids. Amounts are decimal strings in `currency`; null where there is none.

    observedAt, ageSeconds: null when no price is known yet. stale: it is fetched again when the item is looked at.
    """

    marketplace: str
    currency: str
    ask: str | None
    bid: str | None
    observedAt: str | None
    ageSeconds: int | None
    stale: bool


class LotView(TypedDict):
    """Units that cost the same. cost: of each; null where it is not known."""

    quantity: int
    cost: str | None
    currency: str | None


class ItemView(TypedDict):
    """An item with its prices, one for each of its marketplaces.

    quantity: of all units. cost: of each; null where it is not known, or where units have different costs. lots: the
    units by cost, each with its currency.

    name: null until a marketplace has been asked. image: the address of its picture, or a path of this API with the
    picture that stands for its category.
    """

    itemId: str
    sku: str
    size: str
    sizeSystem: str
    name: str | None
    category: str | None
    image: str
    quantity: int
    cost: str | None
    currency: str
    lots: list[LotView]
    prices: list[MarketPrice]
    createdAt: str
    updatedAt: str


class Holding(NamedTuple):
    """An item with what is known of it: its price at each marketplace, and its product at those that have a catalog."""

    item: Item
    prices: Mapping[str, Price | None]
    products: Sequence[Product]

    def is_stale(self, marketplace: str, now: int, stale_ms: int) -> bool:
        """Whether the price is not known, or older than `stale_ms`."""
        price = self.prices[marketplace]
        return price is None or now - price.observed_at >= stale_ms

    def due(self, now: int, stale_ms: int) -> list[str]:
        """The marketplaces whose price is to be asked for: it is stale, and nobody has asked since it became so.

        Who has asked in vain asks again after `stale_ms`.
        """
        return [
            name for name in self.prices if self.is_stale(name, now, stale_ms) and not self._asked(name, now, stale_ms)
        ]

    def _asked(self, marketplace: str, now: int, stale_ms: int) -> bool:
        asked, price = self.item.asked.get(marketplace), self.prices[marketplace]
        if asked is None or now - asked >= stale_ms:
            return False
        return price is None or asked >= price.observed_at + stale_ms


def load(found: Sequence[Item]) -> list[Holding]:
    """`found` with all that is known of them."""
    charted = {(name, one.sku) for one in found for name in one.priced_at if registry.get(name).lookup_calls}
    products = catalog.load_many(charted) if charted else {}
    keys = {(one.item, name): _price_key(one, name, products) for one in found for name in one.priced_at}
    wanted = {key for key in keys.values() if key}
    stored = prices.load_many(wanted) if wanted else {}
    return [
        Holding(
            one,
            {name: stored.get(key) if (key := keys[one.item, name]) else None for name in one.priced_at},
            [known for name in one.priced_at if (known := products.get((name, one.sku)))],
        )
        for one in found
    ]


def view(holding: Holding, now: int, stale_ms: int) -> ItemView:
    """`holding` as the API shows it."""
    one = holding.item
    known = next(iter(holding.products), None)
    category = one.category or (known.category if known else None)
    pictures = [product.image for product in holding.products if product.image]
    own = [picture for picture in pictures if not picture.startswith(images.PATH)]
    return {
        "itemId": items.public_id(one.item),
        "sku": one.sku,
        "size": one.size,
        "sizeSystem": one.size_system,
        "name": known.name if known else None,
        "category": category,
        "image": next(iter(own), images.fallback(category)),
        "quantity": sum(lot.quantity for lot in one.units),
        "cost": one.cost,
        "currency": one.currency,
        "lots": [{"quantity": lot.quantity, "cost": lot.cost, "currency": lot.currency} for lot in one.units],
        "prices": [_price(holding, name, now, stale_ms) for name in one.priced_at],
        "createdAt": iso(one.created_at),
        "updatedAt": iso(one.updated_at),
    }


def _price(holding: Holding, marketplace: str, now: int, stale_ms: int) -> MarketPrice:
    price = holding.prices[marketplace]
    return {
        "marketplace": marketplace,
        "currency": price_currency(marketplace, holding.item.currency),
        "ask": price.ask if price else None,
        "bid": price.bid if price else None,
        "observedAt": iso(price.observed_at) if price else None,
        "ageSeconds": max(0, now - price.observed_at) // SECOND if price else None,
        "stale": holding.is_stale(marketplace, now, stale_ms),
    }


def _price_key(one: Item, marketplace: str, products: Products) -> tuple[str, str] | None:
    """Where the price is stored; None while nobody knows which variant of the product the size is."""
    variant = catalog.uncharted(one.size, one.size_system)
    if registry.get(marketplace).lookup_calls:
        product = products.get((marketplace, one.sku))
        found = product.variant(one.size, one.size_system) if product else None
        if found is None:
            return None
        variant = found
    currency = price_currency(marketplace, one.currency)
    return one.sku, prices.key(marketplace, variant.size, variant.size_system, currency)
