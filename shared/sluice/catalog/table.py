"""The catalog: table `catalog`. What a marketplace calls a SKU and its sizes, looked up and reused until it is old."""

from collections.abc import Iterable
from typing import NamedTuple

from pynamodb.attributes import JSONAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection

from sluice.marketplaces.sizes import same_size
from sluice.platform import tables
from sluice.platform.attributes import IntAttribute


class Variant(NamedTuple):
    """One size of a product. `size`, `size_system`: its canonical name; `sizes`: its name in each size system."""

    variant_id: str
    size: str
    size_system: str
    sizes: dict[str, str]


def uncharted(size: str, size_system: str) -> Variant:
    """A size of a marketplace without size charts (its `lookup_calls` is 0): it is its own name, `us:10`."""
    return Variant(f"{size_system}:{size}", size, size_system, {size_system: size})


class CheckedIndex(GlobalSecondaryIndex["Product"]):  # type: ignore[no-untyped-call]
    """A marketplace's products, longest unchecked first: whoever looks for what is old reads that and no more."""

    class Meta:
        index_name = "checked"
        projection = IncludeProjection(["name", "image", "updated_at"])

    marketplace = UnicodeAttribute(hash_key=True)
    checked_at = IntAttribute(range_key=True)


class Product(tables.Table):
    """A marketplace's product: `stockx:DD1391-100`. `variants` = `[[variant_id, size_system, sizes], …]`.

    image: a path of ours (`/v1/images/…`) stands in where no marketplace has given a picture. updated_at: when it was
    looked up. checked_at: since when nothing is known to be missing that somebody could still be asked for; 0 where
    something is. Both epoch ms.
    """

    class Meta:
        table_name = tables.name("catalog")

    product = UnicodeAttribute(hash_key=True)
    checked = CheckedIndex()
    marketplace = UnicodeAttribute()
    product_id = UnicodeAttribute()
    name = UnicodeAttribute()
    brand = UnicodeAttribute(null=True)
    category = UnicodeAttribute(null=True)
    url_key = UnicodeAttribute(null=True)
    image = UnicodeAttribute(null=True)
    variants = JSONAttribute()
    updated_at = IntAttribute()
    checked_at = IntAttribute()

    @property
    def sku(self) -> str:
        """The SKU, as Sluice spells it."""
        return self.product.partition(":")[2]

    def chart(self) -> list[Variant]:
        """The product's sizes: its size chart."""
        return [Variant(key, sizes.get(system, ""), system, sizes) for key, system, sizes in self.variants]

    def variant(self, size: str, size_system: str) -> Variant | None:
        """The variant that is called `size` in `size_system`."""
        return next((one for one in self.chart() if same_size(one.sizes, size, size_system)), None)


def is_old(product: Product, now: int, age_ms: int) -> bool:
    """Whether the product was looked up so long ago that the marketplace may know more of it by now."""
    return product.updated_at <= now - age_ms


def key(marketplace: str, sku: str) -> str:
    """The hash key of a product."""
    return f"{marketplace}:{sku}"


def load(marketplace: str, sku: str, *, consistent: bool = False) -> Product | None:
    """The product, if it has been looked up before. consistent: even if that was a moment ago."""
    try:
        return Product.get(key(marketplace, sku), consistent_read=consistent)
    except Product.DoesNotExist:
        return None


def load_many(wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Product]:
    """The known ones of the products `wanted`, by (marketplace, SKU)."""
    names = {key(marketplace, sku): (marketplace, sku) for marketplace, sku in wanted}
    return {names[product.product]: product for product in Product.batch_get(list(names))}
