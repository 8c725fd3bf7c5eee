"""Prices: table `prices`, the newest for each SKU, marketplace, size and currency. Amounts are decimal strings."""

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from types import MappingProxyType
from typing import Annotated, Any, Self

from pynamodb.attributes import JSONAttribute, UnicodeAttribute
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action as Update
from typing_extensions import TypedDict

from sluice.catalog import charts
from sluice.catalog import table as catalog
from sluice.catalog.charts import ChartVariant
from sluice.marketplaces import sizes, skus
from sluice.marketplaces.sizes import Size
from sluice.platform import tables
from sluice.platform.attributes import IntAttribute
from sluice.platform.clock import iso
from sluice.platform.config.services import MARKETPLACES
from sluice.platform.http import table_pages
from sluice.platform.http.paging import Page, Place
from sluice.platform.http.shapes import Among, Time
from sluice.prices import past
from sluice.prices.past import PastPrice

# Behind every range key of a marketplace.
_END = "~"


class PriceView(TypedDict):
    """A price as it was observed. Amounts are decimal strings in `currency`; null where there is no ask or bid.

    sku: the style as the product has it. sizes: the size in each size system.
    more: what else the marketplace says, by its name for it.
    """

    sku: str
    marketplace: Annotated[str, Among(MARKETPLACES)]
    size: str
    sizeSystem: str
    sizes: dict[str, str]
    currency: str
    ask: str | None
    bid: str | None
    more: dict[str, str]
    observedAt: Time


class Price(tables.Table):
    """What a marketplace asked and bid at `observed_at` (epoch ms).

    sku: its `skus.key`. style: the SKU as the marketplace spells it, or as it was asked for.
    `price` = `stockx:us-10:USD`, or `ebay:us-10:USD:CP-9654` where it is the price of this spelling alone.
    ask, bid: None where there is none. more: what else the marketplace gives, by name.
    sizes: the size in each size system.
    places: what stands in the ring of the last days (`past`); only `store` writes it.
    """

    class Meta:
        table_name = tables.name("prices")

    places: Mapping[str, str] = MappingProxyType({})

    sku = UnicodeAttribute(hash_key=True)
    style = UnicodeAttribute(null=True)
    price = UnicodeAttribute(range_key=True)
    marketplace = UnicodeAttribute()
    size = UnicodeAttribute()
    size_system = UnicodeAttribute()
    sizes = JSONAttribute()
    currency = UnicodeAttribute()
    ask = UnicodeAttribute(null=True)
    bid = UnicodeAttribute(null=True)
    more = JSONAttribute()
    observed_at = IntAttribute()

    @classmethod
    def from_raw_data(cls, data: dict[str, Any]) -> Self:
        """The price that the item `data` is, with its ring."""
        found = super().from_raw_data(data)
        found.places = {name: data[name]["S"] for name in past.PLACES if name in data}
        return found

    def past(self, now: int) -> list[PastPrice]:
        """What it was on each of the last 30 days on which it was observed, oldest first. now: epoch ms."""
        return past.read(self.places, now)

    @property
    def variant(self) -> ChartVariant:
        """The size and its names in their normal form, also of a price that was stored under another spelling."""
        return charts.in_normal_form(self.price, self.size_system, {self.size_system: self.size, **self.sizes})

    @property
    def names(self) -> set[str]:
        """The range keys under which the price of this size may be stored today."""
        named = self.variant.sizes.items()
        return {key(self.marketplace, size, system, self.currency, self.apart) for system, size in named}

    @property
    def apart(self) -> str:
        """The spelling of the SKU that it is the price of; empty where it is that of all spellings."""
        return "".join(self.price.split(":", 3)[3:])

    @property
    def shared(self) -> str:
        """The range key of the price of this size that is that of all spellings of the SKU."""
        return ":".join(self.price.split(":", 3)[:3])

    def view(self) -> PriceView:
        """The price as the API shows it."""
        variant = self.variant
        return {
            "sku": self.style or self.sku,
            "marketplace": self.marketplace,
            "size": variant.size,
            "sizeSystem": variant.size_system,
            "sizes": variant.sizes,
            "currency": self.currency,
            "ask": self.ask,
            "bid": self.bid,
            "more": self.more,
            "observedAt": iso(self.observed_at),
        }


def key(marketplace: str, size: str, size_system: str, currency: str, apart: str = "") -> str:
    """The range key of a price. apart: the spelling of the SKU, where it is the price of that one only."""
    shared = f"{marketplace}:{size_system}-{size}:{currency}"
    return f"{shared}:{apart}" if apart else shared


def load(sku: str, price: str) -> Price | None:
    """The stored price, if there is one; it may be that of a moment ago."""
    try:
        return Price.get(skus.key(sku), price)
    except Price.DoesNotExist:
        return None


def store(price: Price) -> bool:
    """Write `price` if it is newer than what is stored, and enter it in the ring of its last days.

    False when it is not newer, and nothing was written. One that stands there already is as good as written: it is
    this one, of which the answer was lost.
    """
    older = Price.observed_at.does_not_exist() | (Price.observed_at < price.observed_at)
    place, told = past.entry(price.observed_at, price.ask, price.bid)
    try:
        tables.update(Price, (price.sku, price.price), [*_whole(price), Path([place]).set(told)], older)
    except tables.ConditionFailed as failed:
        return failed.item is not None and Price.from_raw_data(failed.item).serialize() == price.serialize()
    return True


def _whole(price: Price) -> list[Update]:
    """All that a price says, in place of what was there."""
    found = {name: getattr(price, name) for name in Price.get_attributes()}
    del found["sku"], found["price"]
    return [
        Path([name]).remove() if value is None else getattr(Price, name).set(value) for name, value in found.items()
    ]


def find(sku: str, marketplace: str, currency: str) -> list[Price]:
    """The prices of `sku`, however it is written, at a marketplace and in a currency, by size.

    What was stored under another spelling of a size gives way to the newer price of the same size.
    """
    return _narrowed(Price.query(skus.key(sku), Price.price.startswith(f"{marketplace}:")), None, currency)


def page(
    sku: str, marketplaces: Sequence[str], size: Size | None, currency: str | None, limit: int, after: Place | None
) -> Page[Price]:
    """As `find`, of the next `limit` rows of these marketplaces, in their order: fewer, or none, may match.

    An older spelling of a size gives way also to what is on another page, and the price of all spellings of the SKU and
    that of this one to the newer of the two. A size without a system matches in the price's own.
    A marketplace without size charts has as many sizes as somebody has asked for, so nobody reads all rows at once.
    """
    names = list(marketplaces) if after is None else marketplaces[marketplaces.index(_marketplace(after.key)) :]
    found, place = list[Price](), after
    for name in names:
        begins = place if place and _marketplace(place.key) == name else None
        own = Price.price.startswith(f"{name}:")
        part = table_pages.read(Price, skus.key(sku), limit - len(found), begins, within=own, consistent_read=False)
        found += part
        # The next marketplace begins behind the end of this one.
        place = part.next or (Place(f"{name}:{_END}") if name != names[-1] else None)
        if part.next or len(found) == limit:
            break
    found = [row for row in found if row.apart in ("", skus.spelling(sku))]
    shown = {row.price for row in found}
    narrowed = _narrowed([*found, *_elsewhere(sku, found)], size, currency)
    return Page([row for row in narrowed if row.price in shown], place)


def _elsewhere(sku: str, rows: Sequence[Price]) -> list[Price]:
    """The prices of the same sizes that are not among `rows`: under today's key, or apart from them.

    That of all spellings of a SKU and that of this one stand side by side: on two pages only where one begins or ends.
    """
    today = {name for row in rows if row.price not in row.names for name in row.names}
    wanted = today.union(*(_spelt(sku, row.shared) for row in (*rows[:1], *rows[-1:]))) - {row.price for row in rows}
    return list(Price.batch_get([(rows[0].sku, name) for name in sorted(wanted)])) if wanted else []


def _marketplace(price: str) -> str:
    return price.partition(":")[0]


def _narrowed(rows: Iterable[Price], size: Size | None, currency: str | None) -> list[Price]:
    """Those of `rows` that are called `size`, in order. Names that one marketplace has hold for the others too."""
    named = [(row, row.variant) for row in rows]
    called = {_name(variant) for _, variant in named if size is None or charts.is_called(variant, size)}
    newest = _newest(named)
    found = [
        (row, variant)
        for row, variant in named
        if _name(variant) in called
        and currency in (None, row.currency)
        and newest.get((row.marketplace, row.currency, variant.size_system, variant.size), 0) <= row.observed_at
    ]
    return [row for row, _ in sorted(found, key=lambda one: _order(*one))]


def _newest(named: Iterable[tuple[Price, ChartVariant]]) -> dict[tuple[str, str, str, str], int]:
    """When each size of each marketplace and currency was observed last, under any of its names."""
    found = dict[tuple[str, str, str, str], int]()
    for row, variant in named:
        for system, size in variant.sizes.items():
            name = (row.marketplace, row.currency, system, size)
            found[name] = max(row.observed_at, found.get(name, 0))
    return found


def _name(variant: ChartVariant) -> Size:
    """The canonical name of its size."""
    return Size(variant.size, variant.size_system)


def _order(row: Price, variant: ChartVariant) -> tuple[Any, ...]:
    return row.marketplace, sizes.order_of_system(variant.size_system), sizes.order(variant.size), row.currency


def load_many(wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Price]:
    """Those of the prices `wanted` that are stored, by (SKU, range key) as they are given: the newest of each.

    Its last days are those of both, where the price is kept for all spellings of the SKU and for this one.
    """
    keys = {(sku, price): [(skus.key(sku), one) for one in _spelt(sku, price)] for sku, price in wanted}
    every = dict.fromkeys(one for several in keys.values() for one in several)
    found = {(row.sku, row.price): row for row in Price.batch_get(list(every))}
    rows = {name: [found[one] for one in several if one in found] for name, several in keys.items()}
    return {name: _together(several) for name, several in rows.items() if several}


def _together(rows: Sequence[Price]) -> Price:
    """The newest of the rows of one price, with the last days of all."""
    found, *newer = sorted(rows, key=lambda row: row.observed_at)
    for row in newer:
        places = past.together(found.places, row.places)
        found = copy(row)  # the row of all spellings is another SKU's too, which has other days
        found.places = places
    return found


def _spelt(sku: str, price: str) -> list[str]:
    """The range keys of a price of `sku`: that of all spellings, and that of this one where it may be kept apart."""
    own = catalog.own_spelling(_marketplace(price), sku)
    return [price, f"{price}:{own}"] if own else [price]
