"""Looking a product up at a marketplace, and keeping what it says in the catalog for everybody.

Not every marketplace has pictures. One that has none takes those of another that was asked for the same SKU.
"""

from contextlib import suppress

from pynamodb.expressions.update import Action

from sluice.catalog import images
from sluice.catalog import table as catalog
from sluice.catalog.table import Product
from sluice.marketplaces import products, registry
from sluice.marketplaces.products import Adapter
from sluice.marketplaces.registry import Marketplace
from sluice.marketplaces.sizes import ONE_SIZE, normal_size, styles
from sluice.platform import tables

# What stands in for a picture is a path of ours.
_NO_PICTURE = Product.image.does_not_exist() | Product.image.startswith(images.PATH)


def look_up(
    adapter: Adapter, marketplace: Marketplace, sku: str, now: int, known: Product | None, *, asked: bool = False
) -> Product | None:
    """Ask `marketplace` for the product and its sizes, and store them; None if it has no such product.

    known: what is stored of it. asked: whoever else may have what is lacking is asked too, so that nobody needs to look
    again until the product is old.

    Raises:
        Failure: what the marketplace answered; nothing was stored.
    """
    found = adapter.search(sku)
    if marketplace.pictures:
        _tell_others(marketplace, sku, found.image if found else None)
    if found is None:
        return None
    chart = adapter.variants(found.product_id) if found.variants is None else found.variants
    picture = found.image or (known.image if known and has_picture(known) else _picture_elsewhere(marketplace, sku))
    complete = picture is not None and _is_name(found.title, sku)
    # A picture that somebody stored since `known` was read stays: what stands in for one never replaces it.
    stored = Product.image.set(picture or (Product.image | images.fallback(found.product_type)))
    actions = [
        Product.marketplace.set(marketplace.name),
        Product.product_id.set(found.product_id),
        Product.name.set(found.title),
        Product.brand.set(found.brand) if found.brand else Product.brand.remove(),
        Product.category.set(found.product_type) if found.product_type else Product.category.remove(),
        Product.url_key.set(found.url_key) if found.url_key else Product.url_key.remove(),
        stored,
        Product.variants.set([[one.variant_id, one.size_system, _sizes(one)] for one in chart]),
        Product.updated_at.set(now),
        Product.checked_at.set(now if asked or complete else 0),
    ]
    return tables.update(Product, (catalog.key(marketplace.name, sku),), actions)


def settle(product: Product, now: int) -> None:
    """Nothing more is to be had of it for now: nobody needs to look again until it is old."""
    with suppress(tables.ConditionFailed):
        tables.update(Product, (product.product,), [Product.checked_at.set(now)], Product.product.exists())


def has_name(product: Product) -> bool:
    """Whether it has a name; its style alone, which stands in for one, is none."""
    return _is_name(product.name, product.sku)


def has_picture(product: Product) -> bool:
    """Whether a marketplace has given a picture of it."""
    return not (product.image or images.PATH).startswith(images.PATH)


def _is_name(title: str, sku: str) -> bool:
    return bool(title) and sku not in styles(title)


def _tell_others(marketplace: Marketplace, sku: str, picture: str | None) -> None:
    """Give the picture to the SKU's products of other marketplaces that have none.

    They lack nothing then, as of when they were looked up themselves; nor do they where there is no picture to be had.
    """
    for product in _elsewhere(marketplace, sku):
        actions: list[Action] = [Product.image.set(picture)] if picture else []
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


def _sizes(variant: products.Variant) -> dict[str, str]:
    """The variant's sizes in Sluice's spelling. What has no size at all, such as a card, is called `ONE SIZE`."""
    sizes = {}
    for system, size in (variant.sizes or {variant.size_system: variant.value or ONE_SIZE}).items():
        with suppress(ValueError):  # a label that is no size: the variant is found by its sizes in other systems
            sizes[system] = normal_size(size)
    return sizes
