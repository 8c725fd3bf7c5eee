"""A record proposed for something that the seller owns: what the catalog knows of it, in eBay's words. Pure."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from sluice.catalog.table import Product
from sluice.inventory.table import Item
from sluice.listings.ebay.desired import Json
from sluice.listings.ebay.item_rules import MOST_TITLE
from sluice.marketplaces.ebay.sites import EBAY_SITES

# What a record must have (see `bodies.RecordBody`).
REQUIRED: Final = (
    *("marketplace", "language", "title", "description", "condition", "category", "images", "price", "quantity"),
    *("policies", "location"),
)
# eBay's names of the aspect that says a size, by the system in which it is.
SIZE_ASPECTS: Final = {"us": "US Shoe Size", "uk": "UK Shoe Size", "eu": "EU Shoe Size"}


class Draft(NamedTuple):
    """What is proposed, and the required fields that the seller still has to say."""

    record: Json
    missing: list[str]


def of(item: Item, products: Iterable[Product], site: str) -> Draft:
    """The record that is proposed for `item`.

    products: what the marketplaces call its SKU; the first that has a name, a brand or a picture gives it.
    """
    found = [one for one in products if one.is_found]
    name = next((one.name for one in found if one.name), item.sku)
    brand = next((one.brand for one in found if one.brand), None)
    image = next((one.image for one in found if (one.image or "").startswith("https://")), None)
    size = f" Size {item.size}"
    aspects = {SIZE_ASPECTS[item.size_system]: [item.size]} if item.size_system in SIZE_ASPECTS else {}
    if brand:
        aspects["Brand"] = [brand]
    record: Json = {
        "sku": f"{item.sku}-{item.size}".replace(" ", "-").replace("/", "-"),
        "marketplace": site,
        "language": EBAY_SITES[site].locales[0],
        "title": name[: MOST_TITLE - len(size)].rstrip() + size,
        "condition": "NEW",
        "quantity": sum(lot.quantity for lot in item.units),
        "product": {**({"brand": brand} if brand else {}), "mpn": item.sku},
    }
    record |= {"aspects": aspects} if aspects else {}
    record |= {"images": [image]} if image else {}
    return Draft(record, [field for field in REQUIRED if field not in record])
