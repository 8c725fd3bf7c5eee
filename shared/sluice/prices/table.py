"""Prices: table `prices`, the newest for each SKU, marketplace, size and currency. Amounts are decimal strings."""

from collections.abc import Iterable

from pynamodb.attributes import JSONAttribute, UnicodeAttribute
from typing_extensions import TypedDict

from sluice.marketplaces.sizes import same_size
from sluice.platform import tables
from sluice.platform.attributes import IntAttribute
from sluice.platform.clock import iso


class PriceView(TypedDict):
    """A price as it was observed. Amounts are decimal strings in `currency`; null where there is no ask or bid.

    sizes: the size in each size system. more: what else the marketplace says, by its name for it.
    """

    sku: str
    marketplace: str
    size: str
    sizeSystem: str
    sizes: dict[str, str]
    currency: str
    ask: str | None
    bid: str | None
    more: dict[str, str]
    observedAt: str


class Price(tables.Table):
    """What a marketplace asked and bid at `observed_at` (epoch ms).

    `price` = `stockx:us-10:USD`. ask, bid: None where there is none. more: what else the marketplace gives, by name.
    sizes: the size in each size system.
    """

    class Meta:
        table_name = tables.name("prices")

    sku = UnicodeAttribute(hash_key=True)
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

    def view(self) -> PriceView:
        """The price as the API shows it."""
        return {
            "sku": self.sku,
            "marketplace": self.marketplace,
            "size": self.size,
            "sizeSystem": self.size_system,
            "sizes": self.sizes,
            "currency": self.currency,
            "ask": self.ask,
            "bid": self.bid,
            "more": self.more,
            "observedAt": iso(self.observed_at),
        }


def key(marketplace: str, size: str, size_system: str, currency: str) -> str:
    """The range key of a price."""
    return f"{marketplace}:{size_system}-{size}:{currency}"


def load(sku: str, price: str, *, consistent: bool = False) -> Price | None:
    """The stored price, if there is one. consistent: also one that was stored a moment ago; costs twice as much."""
    try:
        return Price.get(sku, price, consistent_read=consistent)
    except Price.DoesNotExist:
        return None


def store(price: Price) -> bool:
    """Write `price` if it is newer than what is stored. False when it is not, and nothing was written.

    One that stands there already is as good as written: it is this one, of which the answer was lost.
    """
    older = Price.observed_at.does_not_exist() | (Price.observed_at < price.observed_at)
    try:
        tables.put(price, older)
    except tables.ConditionFailed as failed:
        return failed.item == price.serialize()
    return True


def find(
    sku: str,
    marketplace: str | None = None,
    size: str | None = None,
    size_system: str | None = None,
    currency: str | None = None,
) -> list[Price]:
    """The prices of `sku`, narrowed by what is given. A size without a system matches in the price's own."""
    rows = Price.query(sku, Price.price.startswith(f"{marketplace}:") if marketplace else None)
    return [
        row
        for row in rows
        if (currency is None or row.currency == currency)
        and (size is None or same_size({**row.sizes, row.size_system: row.size}, size, size_system or row.size_system))
    ]


def load_many(wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Price]:
    """Those of the prices `wanted` that are stored, by (SKU, range key)."""
    return {(row.sku, row.price): row for row in Price.batch_get(list(set(wanted)))}
