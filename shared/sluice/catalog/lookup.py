"""Looking a product up at a marketplace, and keeping what it says in the catalog for everybody.

Not every marketplace has pictures. One that has none takes those of another that was asked for the same SKU.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from pynamodb.expressions.update import Action as Update

from sluice.catalog import images
from sluice.catalog import table as catalog
from sluice.catalog.charts import in_normal_form
from sluice.catalog.table import SPELLING, Product
from sluice.marketplaces import products, registry
from sluice.marketplaces.http.errors import AmbiguousStyle, NotFound
from sluice.marketplaces.products import Adapter
from sluice.marketplaces.registry import Marketplace
from sluice.marketplaces.sizes import ONE_SIZE
from sluice.marketplaces.skus import key, styles
from sluice.platform import tables
from sluice.platform.clock import ttl

# The code of a SKU that a marketplace does not have.
UNKNOWN: Final = "product_unknown"
# What stands in for a picture is a path of ours.
_NO_PICTURE = Product.image.does_not_exist() | Product.image.startswith(images.PATH)


def look_up(
    adapter: Adapter,
    marketplace: Marketplace,
    sku: str,
    now: int,
    known: Product | None,
    *,
    asked: bool = False,
    moved: bool = False,
) -> Product | None:
    """Ask `marketplace` for the product and its sizes, and store them; None if it has no such product.

    A product whose sizes need a call of their own is stored before that is made: whoever tries again after a failure
    begins there. That there is no such product is remembered for a day, unless one is known.

    known: what is stored of it. asked: whoever else may have what is lacking is asked too, so that nobody needs to look
    again until the product is old. moved: the product is no longer where `known` says.

    Raises:
        Failure: what the marketplace answered.
    """
    if known and not moved and not catalog.is_searched_for(known, now):
        try:
            chart = adapter.variants(known.product_id)
        except NotFound:
            moved = True
        else:
            complete = has_picture(known) and has_name(known)
            return _store(marketplace, sku, [*_charted(chart, now), _checked(now if asked or complete else 0)])
    found = _search(adapter, marketplace, sku, now, known, forget=known is None or moved)
    if found is None:
        return None
    picture = found.image or (known.image if known and has_picture(known) else _picture_elsewhere(marketplace, sku))
    complete = picture is not None and _is_name(found.title, sku)
    actions = _described(found, marketplace, sku, picture)
    if found.variants is None:
        if known is None or not known.is_charted or known.product_id != found.product_id:
            _store(marketplace, sku, [*actions, Product.variants.set([]), Product.updated_at.set(0), _checked(0)])
        else:  # whoever prices the sizes that are known goes on with them
            _store(marketplace, sku, [*actions, Product.found_at.set(now)])
        chart = adapter.variants(found.product_id)
    else:
        chart = list(found.variants)
    return _store(marketplace, sku, [*actions, *_charted(chart, now), _checked(now if asked or complete else 0)])


def no_such_product(marketplace: str, sku: str) -> str:
    """What is told of a SKU that a marketplace does not have."""
    return f"{marketplace} has no product with style {sku}"


def _search(
    adapter: Adapter, marketplace: Marketplace, sku: str, now: int, known: Product | None, *, forget: bool
) -> products.FoundProduct | None:
    """The product. That it is not there is remembered where nothing is known of it (`forget`)."""
    try:
        found = adapter.search(known.sku if known and known.style else sku)
    except AmbiguousStyle as ambiguous:
        catalog.note_problem(marketplace.name, sku, ambiguous.code, f"{marketplace.name}: {ambiguous.message}", now)
        raise
    if marketplace.pictures:
        _tell_others(marketplace, sku, found.image if found else None)
    if found is None and forget:
        catalog.note_problem(marketplace.name, sku, UNKNOWN, no_such_product(marketplace.name, sku), now)
    return found


def _described(found: products.FoundProduct, marketplace: Marketplace, sku: str, picture: str | None) -> list[Update]:
    """What is stored of a product but for its sizes."""
    style = next((one for one in styles(found.sku or "") if key(one) == key(sku)), None)
    # A picture that somebody stored since it was looked for stays: what stands in for one never replaces it.
    stored = Product.image.set(picture or (Product.image | images.fallback(found.product_type)))
    return [
        Product.marketplace.set(marketplace.name),
        Product.product_id.set(found.product_id),
        Product.name.set(found.title),
        Product.brand.set(found.brand) if found.brand else Product.brand.remove(),
        Product.category.set(found.product_type) if found.product_type else Product.category.remove(),
        Product.url_key.set(found.url_key) if found.url_key else Product.url_key.remove(),
        Product.style.set(style) if style else Product.style.remove(),
        Product.rivals.set(list(found.rivals)) if found.rivals else Product.rivals.remove(),
        Product.problems.remove(),
        Product.expires_at.remove(),
        stored,
    ]


def _charted(chart: Sequence[products.FoundVariant], now: int) -> list[Update]:
    """What is stored of a product's sizes. What has no size at all, such as a card, is called `ONE SIZE`."""
    rows = [
        in_normal_form(one.variant_id, one.size_system, one.sizes or {one.size_system: one.value or ONE_SIZE})
        for one in chart
    ]
    return [
        Product.variants.set([[one.variant_id, one.size_system, one.sizes] for one in rows]),
        Product.spelling.set(SPELLING),
        Product.updated_at.set(now),
        Product.found_at.remove(),
    ]


def _checked(at: int) -> Update:
    return Product.checked_at.set(at)


def _store(marketplace: Marketplace, sku: str, actions: Sequence[Update]) -> Product:
    return tables.update(Product, (catalog.key(marketplace.name, sku),), actions)


def settle(product: Product, now: int) -> None:
    """Nothing more is to be had of it for now: nobody needs to look again until it is old."""
    with suppress(tables.ConditionFailed):
        tables.update(Product, (product.product,), [Product.checked_at.set(now)], Product.product.exists())


def retire(older: str, now: int) -> None:
    """Let go of the row `older`, whose key an earlier version made: another one is kept in its place."""
    with suppress(tables.ConditionFailed):
        actions = [Product.checked_at.set(now), Product.expires_at.set(ttl(now))]
        tables.update(Product, (older,), actions, Product.product.exists())


def has_name(product: Product) -> bool:
    """Whether it has a name; its style alone, which stands in for one, is none."""
    return _is_name(product.name, product.sku)


def has_picture(product: Product) -> bool:
    """Whether a marketplace has given a picture of it."""
    return not (product.image or images.PATH).startswith(images.PATH)


def _is_name(title: str, sku: str) -> bool:
    return bool(title) and key(sku) not in map(key, styles(title))


def _tell_others(marketplace: Marketplace, sku: str, picture: str | None) -> None:
    """Give the picture to the SKU's products of other marketplaces that have none.

    They lack nothing then, as of when they were looked up themselves; nor do they where there is no picture to be had.
    """
    for product in _elsewhere(marketplace, sku):
        actions: list[Update] = [Product.image.set(picture)] if picture else []
        if has_name(product):
            actions.append(Product.checked_at.set(Product.updated_at))
        if actions and not has_picture(product):
            with suppress(tables.ConditionFailed):
                tables.update(Product, (product.product,), actions, Product.product.exists() & _NO_PICTURE)


def _picture_elsewhere(marketplace: Marketplace, sku: str) -> str | None:
    """The picture that another marketplace has given of the SKU."""
    return next((product.image for product in _elsewhere(marketplace, sku) if has_picture(product)), None)


def _elsewhere(marketplace: Marketplace, sku: str) -> list[Product]:
    """The SKU's products of the other marketplaces."""
    others = {(other.name, sku) for other in registry.with_catalog() if other != marketplace}
    return list(catalog.load_many(others).values())
