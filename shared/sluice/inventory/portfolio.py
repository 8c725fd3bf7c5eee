"""Items with what the marketplaces pay for them now: three reads a page, however many items there are on it."""

from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple, NotRequired

from typing_extensions import TypedDict

from sluice.catalog import images, meaning
from sluice.catalog.charts import ChartVariant, NoVariant
from sluice.catalog.meaning import WantedSize
from sluice.catalog.table import Product
from sluice.inventory import table as items
from sluice.inventory.rules import price_currency
from sluice.inventory.table import Item
from sluice.marketplaces.sizes import UNNAMED, Size, order, order_of_system
from sluice.platform.clock import SECOND, iso
from sluice.platform.config.services import MARKETPLACES
from sluice.platform.http.shapes import Among, Time
from sluice.prices import table as prices
from sluice.prices.table import Price


class PriceProblem(TypedDict):
    """Why a marketplace has no price of the item: a word for machines (`product_unknown`), and one for people."""

    code: str
    message: str


class MarketPrice(TypedDict):
    """What a marketplace asks and bids. Amounts are decimal strings in `currency`; null where there is none.

    observedAt, ageSeconds: null when no price is known yet. stale: it is fetched again when the item is looked at.
    problem: why there is no price, and for a while none is asked for; left out where nothing is known against it.
    """

    marketplace: Annotated[str, Among(MARKETPLACES)]
    currency: str
    ask: str | None
    bid: str | None
    observedAt: Time | None
    ageSeconds: int | None
    stale: bool
    problem: NotRequired[PriceProblem]


class DayPrice(TypedDict):
    """The last that was observed of a price on one day of UTC, as `2026-11-27`. ask, bid: null where there was none."""

    day: str
    ask: str | None
    bid: str | None


class PastPrices(TypedDict):
    """What a marketplace asked and bid, in `currency`, on each of the last 30 days, oldest first.

    A day on which the price was not observed is not among them.
    """

    marketplace: Annotated[str, Among(MARKETPLACES)]
    currency: str
    days: list[DayPrice]


class ItemPast(TypedDict):
    """What an item was worth on the last days, at each of its marketplaces."""

    itemId: str
    prices: list[PastPrices]


class LotView(TypedDict):
    """Units that cost the same. cost: of each; null where it is not known."""

    quantity: int
    cost: str | None
    currency: str | None


class ItemView(TypedDict):
    """An item with its prices, one for each of its marketplaces.

    sizeSystem: null until a size chart tells the system of a size that names none.
    quantity: of all units. cost: of each; null where it is not known, or where units have different costs. lots: the
    units by cost, each with its currency.

    name: null until a marketplace has been asked. image: the address of its picture, or a path of this API with the
    picture that stands for its category.
    """

    itemId: str
    sku: str
    size: str
    sizeSystem: str | None
    name: str | None
    category: str | None
    image: str
    quantity: int
    cost: str | None
    currency: str
    lots: list[LotView]
    prices: list[MarketPrice]
    createdAt: Time
    updatedAt: Time


class Holding(NamedTuple):
    """An item with what is known of it: its price at each marketplace, and its product at those that have a catalog.

    size: as it is known now. problems: why there can be no price, by marketplace.
    """

    item: Item
    size: Size
    prices: Mapping[str, Price | None]
    products: Sequence[Product]
    problems: Mapping[str, PriceProblem]

    def is_stale(self, marketplace: str, now: int, stale_ms: int) -> bool:
        """Whether the price is not known, or older than `stale_ms`."""
        price = self.prices[marketplace]
        return price is None or now - price.observed_at >= stale_ms

    def due(self, now: int, stale_ms: int) -> list[str]:
        """The marketplaces whose price is to be asked for: it is stale, and nobody has asked since it became so.

        Who has asked in vain asks again after `stale_ms`; where it is known that there is none, nobody does.
        """
        return [
            name
            for name in self.prices
            if name not in self.problems and self.is_stale(name, now, stale_ms) and not self._asked(name, now, stale_ms)
        ]

    def _asked(self, marketplace: str, now: int, stale_ms: int) -> bool:
        asked, price = self.item.asked.get(marketplace), self.prices[marketplace]
        if asked is None or now - asked >= stale_ms:
            return False
        return price is None or asked >= price.observed_at + stale_ms


def load(found: Sequence[Item], now: int, age_ms: int) -> list[Holding]:
    """`found` with all that is known of them. age_ms: how old what is known of a product may be."""
    known = meaning.known([WantedSize(name, one.sku, one.named) for one in found for name in one.priced_at])
    meant = [{name: _meant(one, name, known, now, age_ms) for name in one.priced_at} for one in found]
    wanted = {
        _price_key(one, name, variant)
        for one, by_name in zip(found, meant, strict=True)
        for name, variant in by_name.items()
        if isinstance(variant, ChartVariant)
    }
    stored = prices.load_many(wanted) if wanted else {}
    return [_holding(one, by_name, known, stored) for one, by_name in zip(found, meant, strict=True)]


def _holding(
    one: Item,
    meant: Mapping[str, ChartVariant | NoVariant | None],
    known: meaning.Known,
    stored: Mapping[tuple[str, str], Price],
) -> Holding:
    variants = {name: variant for name, variant in meant.items() if isinstance(variant, ChartVariant)}
    size = one.named
    if size.system in UNNAMED and variants:
        first = next(iter(variants.values()))
        size = Size(first.size, first.size_system)
    return Holding(
        item=one,
        size=size,
        prices={
            name: stored.get(_price_key(one, name, variants[name])) if name in variants else None for name in meant
        },
        products=[product for name in one.priced_at if (product := known.get((name, one.sku))) and product.is_found],
        problems={
            name: {"code": none.code, "message": none.message}
            for name, none in meant.items()
            if isinstance(none, NoVariant)
        },
    )


def _meant(one: Item, marketplace: str, known: meaning.Known, now: int, age_ms: int) -> ChartVariant | NoVariant | None:
    """What the item's size is at the marketplace, or why it is none; None while nobody knows."""
    try:
        return meaning.variant(marketplace, one.sku, one.named, known, now, age_ms)
    except NoVariant as none:
        return none


def in_order(holdings: Sequence[Holding]) -> list[Holding]:
    """By SKU and size. Range keys are text, in which 10 stands before 9."""
    return sorted(holdings, key=lambda one: (one.item.sku, order_of_system(one.size.system), order(one.size.name)))


def view(holding: Holding, now: int, stale_ms: int) -> ItemView:
    """`holding` as the API shows it."""
    one = holding.item
    known = next(iter(holding.products), None)
    category = one.category or (known.category if known else None)
    pictures = [product.image for product in holding.products if product.image]
    own = [picture for picture in pictures if not picture.startswith(images.PATH)]
    return {
        "itemId": items.public_id(one.item),
        "sku": next((product.style for product in holding.products if product.style), one.sku),
        "size": holding.size.name,
        "sizeSystem": holding.size.given_system,
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


def past(holding: Holding, now: int) -> ItemPast:
    """What is known of the last days of `holding`, as the API shows it."""
    return {
        "itemId": items.public_id(holding.item.item),
        "prices": [
            {
                "marketplace": name,
                "currency": price_currency(name, holding.item.currency),
                "days": [{"day": one.day, "ask": one.ask, "bid": one.bid} for one in price.past(now)] if price else [],
            }
            for name, price in holding.prices.items()
        ],
    }


def _price(holding: Holding, marketplace: str, now: int, stale_ms: int) -> MarketPrice:
    price = holding.prices[marketplace]
    shown: MarketPrice = {
        "marketplace": marketplace,
        "currency": price_currency(marketplace, holding.item.currency),
        "ask": price.ask if price else None,
        "bid": price.bid if price else None,
        "observedAt": iso(price.observed_at) if price else None,
        "ageSeconds": max(0, now - price.observed_at) // SECOND if price else None,
        "stale": holding.is_stale(marketplace, now, stale_ms),
    }
    if marketplace in holding.problems:
        shown["problem"] = holding.problems[marketplace]
    return shown


def _price_key(one: Item, marketplace: str, variant: ChartVariant) -> tuple[str, str]:
    """Where the price is stored."""
    currency = price_currency(marketplace, one.currency)
    return one.sku, prices.key(marketplace, variant.size, variant.size_system, currency)
