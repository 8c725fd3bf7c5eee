"""What a size of a SKU means at a marketplace: which variant, as far as it is known without asking anybody.

A size without a system means the product's own, so nobody but a size chart can tell. A marketplace without charts
(eBay) goes by those of the others: one size has one meaning everywhere. What a chart does not name (an EU size at
Alias) is found by the names that another's chart has for it.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from sluice.catalog import charts
from sluice.catalog import table as catalog
from sluice.catalog.charts import ChartVariant, NoVariant
from sluice.catalog.table import Product
from sluice.marketplaces import registry
from sluice.marketplaces.http.errors import AmbiguousStyle
from sluice.marketplaces.sizes import UNNAMED, Size, order
from sluice.marketplaces.skus import hyphenated

Known = Mapping[tuple[str, str], Product]


class WantedSize(NamedTuple):
    """A size of a SKU at a marketplace."""

    marketplace: str
    sku: str
    size: Size


# The field of a request that a problem of a look-up concerns.
_FIELDS = {"size_system_unknown": "sizeSystem"}


def known(wanted: Collection[WantedSize], *, consistent: bool = False) -> Known:
    """What the catalog has for `wanted`: their rows, and those of the marketplaces whose charts may say more."""
    charted = list(dict.fromkeys((name, one.sku) for one in wanted for name in _charted_rows(one.marketplace)))
    found = catalog.rows(charted, consistent=consistent) if charted else {}
    unknown = {(one.marketplace, one.sku) for one in wanted if _only_itself_tells(one, found)}
    return {**found, **catalog.rows(unknown, consistent=consistent)} if unknown else found


def _charted_rows(marketplace: str) -> list[str]:
    own = [marketplace] if registry.get(marketplace).lookup_calls else []
    return [*own, *_references(marketplace)]


def _only_itself_tells(one: WantedSize, found: Known) -> bool:
    """Whether nothing but the row of a marketplace without charts can say what system the size is in."""
    if registry.get(one.marketplace).lookup_calls or one.size.system not in UNNAMED:
        return False
    return not any(_known_chart(found, name, one.sku) for name in _references(one.marketplace))


def variant(marketplace: str, sku: str, size: Size, known: Known, now: int, age_ms: int) -> ChartVariant | None:
    """The variant; None while nobody has asked, or what is known is so old that it must be asked again.

    age_ms: how old what is known may be.

    Raises:
        NoVariant: it is known that there is none.
    """
    own = known.get((marketplace, sku))
    if told := catalog.rivalry(own, sku):
        raise NoVariant("sku", AmbiguousStyle.code, told)
    if problem := catalog.problem(own, sku, now):
        field = _FIELDS.get(problem["code"], "sku")
        if field == "sku" or size.system in UNNAMED:
            raise NoVariant(field, problem["code"], problem["message"])
    if registry.get(marketplace).lookup_calls:
        return _charted(own, marketplace, sku, size, known, now, age_ms)
    return _unchartered(own, marketplace, sku, size, known, now, age_ms)


def elsewhere(marketplace: str, sku: str, size: Size, known: Known) -> ChartVariant | None:
    """The variant in the chart of another marketplace, which has names for it that this one may not have."""
    for name in _references(marketplace):
        product = _known_chart(known, name, sku)
        if product and (found := charts.find(product.chart(), size)):
            return found
    return None


def style(marketplace: str, sku: str, known: Known) -> str:
    """The SKU in the spelling that the marketplace is asked for: as a catalog has it, else as it was written.

    What one spelling brings is for another only where a catalog says that both are one style: jobs are named by this.
    """
    return _told_style(marketplace, sku, known) or hyphenated(sku)


def apart(marketplace: str, sku: str, known: Known) -> str:
    """The spelling by which the prices of `sku` are kept apart; empty where all spellings of it are one style.

    Where there is no catalog, a search for one spelling finds what is called so, and that is no price of another.
    """
    return "" if _told_style(marketplace, sku, known) else catalog.own_spelling(marketplace, sku)


def _told_style(marketplace: str, sku: str, known: Known) -> str | None:
    """The style as the marketplace's own catalog has it, or as those of others do where it has none.

    None where one of them has rivals of it: then no two spellings are known to be one style.
    """
    names = [marketplace] if registry.get(marketplace).lookup_calls else _references(marketplace)
    rows = [row for name in names if (row := known.get((name, sku)))]
    return None if any(row.rivals for row in rows) else next((row.style for row in rows if row.style), None)


def _known_chart(known: Known, marketplace: str, sku: str) -> Product | None:
    """The product of the SKU, where its sizes are known."""
    product = known.get((marketplace, sku))
    return product if product and product.is_charted and catalog.rivalry(product, sku) is None else None


def in_chart(product: Product, marketplace: str, sku: str, size: Size, known: Known) -> ChartVariant | None:
    """The variant of `product` that is called `size`, or that has the name which another's chart has for that.

    Raises:
        NoVariant: several are.
    """
    chart = product.chart()
    found = charts.find(chart, size)
    if found:
        return found
    other = elsewhere(marketplace, sku, size, known)
    found = charts.find(chart, Size(other.size, other.size_system)) if other else None
    # Whoever reads its price by the name that was asked for finds it by that.
    return found._replace(sizes={**other.sizes, **found.sizes}) if found and other else None


def missing(sku: str, size: Size, product: Product) -> NoVariant:
    """The answer to whoever asks for a size that the product has not."""
    return NoVariant("size", "size_unknown", f"{sku} has no size {size.shown}; {charts.offered(product.chart(), size)}")


def _charted(
    own: Product | None, marketplace: str, sku: str, size: Size, known: Known, now: int, age_ms: int
) -> ChartVariant | None:
    if own is None or not own.is_charted:
        return None
    found = in_chart(own, marketplace, sku, size, known)
    if found is None and not catalog.is_old(own, now, age_ms):
        raise missing(sku, size, own)
    return found


def _unchartered(
    own: Product | None, marketplace: str, sku: str, size: Size, known: Known, now: int, age_ms: int
) -> ChartVariant | None:
    if found := elsewhere(marketplace, sku, size, known):
        system = "us-y" if "us-y" in found.sizes else found.size_system
        return found._replace(variant_id=f"{system}:{found.size}")
    for name in _references(marketplace):
        product = _known_chart(known, name, sku)
        if product and not catalog.is_old(product, now, age_ms):
            raise missing(sku, size, product)
    if size.system not in UNNAMED:
        systems = registry.get(marketplace).size_systems
        if size.system not in systems:
            there_are = f"{marketplace} knows no sizes in {size.system}; it knows {', '.join(systems)}"
            raise NoVariant("size", "size_unknown", there_are)
        return charts.uncharted(size.name, size.system)
    if order(size.name)[0]:  # clothes and cards: what is no number has no systems
        return charts.uncharted(size.name, "us")
    told = catalog.own_system(own, now)
    return charts.uncharted(size.name, told) if told else None


def _references(marketplace: str) -> list[str]:
    """The marketplaces whose charts may say more: the one that names each size in every system comes first."""
    names = [one.name for one in registry.with_catalog()]
    return names[: names.index(marketplace)] if marketplace in names else names
