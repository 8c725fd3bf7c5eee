"""Under which name an item is stored: one thing that is owned is one item, however its size is written.

A bare size means the product's own, which a size chart tells. An item that was added before anybody knew the chart
keeps its key (`DD1503-101:own-8`), and whoever adds the same size by its full name (`8W`) finds it there.
"""

from collections.abc import Sequence
from contextlib import suppress

from sluice.catalog import charts, meaning
from sluice.catalog.charts import ChartVariant, NoVariant
from sluice.catalog.meaning import WantedSize
from sluice.inventory import table as items
from sluice.inventory.rules import Draft, join
from sluice.inventory.table import Item
from sluice.marketplaces.registry import with_catalog
from sluice.marketplaces.sizes import LETTERS, OWN, OWN_US, UNNAMED, Size
from sluice.platform.refused import Refused


def settle(tenant: str, drafts: Sequence[Draft]) -> list[tuple[str, Draft]]:
    """For each of `drafts` the range key of its item, and the draft with its size as it is known now."""
    known = meaning.known([WantedSize(one.name, draft.sku, draft.named) for draft in drafts for one in with_catalog()])
    named = [_named(draft, _variant(draft, known), _styles(draft, known)) for draft in drafts]
    there = items.find_many(tenant, [key for _, keys in named for key in keys])
    places = []
    for draft, keys in named:
        key = next((key for key in keys if key in there), keys[0])
        places.append((key, _as_stored(draft, there.get(key))))
    return places


def _as_stored(draft: Draft, item: Item | None) -> Draft:
    """The draft, with the stored size where that says more exactly which it is."""
    if item is None or draft.size_system not in UNNAMED or item.named.system in UNNAMED:
        return draft
    return draft._replace(size=item.named.name, size_system=item.named.system)


def joined(places: Sequence[tuple[str, Draft]]) -> list[tuple[str, Draft]]:
    """`places` with those of one item joined: a sheet may have it as `8` and as `8W`. What contradicts is left out."""
    found: dict[str, Draft] = {}
    for key, draft in places:
        with suppress(Refused):
            found[key] = join(found[key], draft) if key in found else draft
    return list(found.items())


def _styles(draft: Draft, known: meaning.Known) -> list[str]:
    products = (known.get((one.name, draft.sku)) for one in with_catalog())
    return [product.style for product in products if product and product.style]


def _variant(draft: Draft, known: meaning.Known) -> ChartVariant | None:
    """The size in the first chart that has it."""
    for one in with_catalog():
        product = known.get((one.name, draft.sku))
        if product and product.is_charted:
            try:
                if found := charts.find(product.chart(), draft.named):
                    return found
            except NoVariant:
                continue
    return None


def _named(draft: Draft, variant: ChartVariant | None, styles: Sequence[str]) -> tuple[Draft, list[str]]:
    """The draft, and the keys that its item may have, the one for a new item first.

    styles: how marketplaces spell its SKU.
    """
    size = draft.named
    if variant and size.system in UNNAMED:
        size = Size(variant.size, variant.size_system)
    names = [size, draft.named]
    if variant and (variant.size, variant.size_system) == size:
        names += [Size(size.name, OWN), Size(size.name, OWN_US)]
    if variant is None and size.system == OWN:  # as it was stored when a bare size meant men's
        names.append(Size(size.name, "us"))
    letter = LETTERS.get(size.system)
    if letter:  # as it was stored before letters were read
        names.append(Size(f"{size.name}{letter}", "us"))
    spellings = {draft.sku, *styles}
    keys = dict.fromkeys(items.key(draft.sku, name) for name in names)
    keys |= dict.fromkeys(items.older_key(sku, name) for sku in sorted(spellings) for name in names)
    return draft._replace(size=size.name, size_system=size.system), list(keys)
