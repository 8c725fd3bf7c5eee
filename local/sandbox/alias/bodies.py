"""The bodies of Alias's catalog and pricing APIs. Prices are text in US cents, `"0"` where there is none."""

from collections.abc import Iterator
from typing import Any

from local.sandbox.catalog.golden import ONE_STYLE
from local.sandbox.catalog.prices import Quote, quote
from local.sandbox.catalog.products import Product, Variant
from local.sandbox.chance import chance

NEW, USED = "PRODUCT_CONDITION_NEW", "PRODUCT_CONDITION_USED"
GOOD, DAMAGED = "PACKAGING_CONDITION_GOOD_CONDITION", "PACKAGING_CONDITION_BADLY_DAMAGED"
# Each size in these conditions, at this share of its price.
CONDITIONS = ((NEW, GOOD, 1.0), (NEW, DAMAGED, 0.9), (USED, GOOD, 0.6))
GENDERS = {"child": "youth"}
Json = dict[str, Any]


def catalog_id(product: Product) -> str:
    """Readable, and with the product's number at its end."""
    moved = f"-moved-{product.moves}" if product.moves else ""
    return f"{product.url_key}{moved}-{product.number}"


def product_number(text: str) -> int | None:
    """The number in a catalog id."""
    number = text.rpartition("-")[2]
    return int(number) if number.isascii() and number.isdecimal() else None


def catalog_item(product: Product) -> Json:
    return {
        "catalog_id": catalog_id(product),
        "name": product.title,
        "sku": ONE_STYLE.get(product.style_id or "", product.style_id or "").replace("-", " "),
        "brand": product.brand,
        "gender": GENDERS.get(product.gender or "", product.gender),
        "release_date": product.release_date,
        "product_category_v2": "shoes",
        "product_type": product.product_type,
        "size_unit": "SIZE_UNIT_US",
        "allowed_sizes": [_allowed_size(variant) for variant in product.variants],
        "minimum_listing_price_cents": "2500",
        "maximum_listing_price_cents": "200000",
        "main_picture_url": f"https://images.example/{product.url_key}.png",
        "retail_price_cents": str((product.retail_price or 0) * 100),
        "colorway": product.colorway,
        "nickname": product.title.rpartition(" ")[2],
        "requires_listing_pictures": False,
        "resellable": True,
        "requested_pictures": [{"type": "PICTURE_TYPE_OUTER", "quantity": "1"}],
    }


def availabilities(seed: int, product: Product, at_ms: int, consigned: bool | None) -> Json:
    """Every size in every condition; with `consigned` in each row only when it was asked for."""
    rows = [_row(0, condition, box, _none()) for condition, box, _ in CONDITIONS[:1]]
    rows += [
        _row(us_size(variant), condition, box, _availability(seed, variant, at_ms, share, consigned))
        for variant in product.variants
        for condition, box, share in CONDITIONS
    ]
    return {"variants": [row if consigned is None else {**row, "consigned": consigned} for row in rows]}


def availability(seed: int, variant: Variant, at_ms: int, share: float, consigned: bool | None) -> Json:
    return {"availability": _availability(seed, variant, at_ms, share, consigned)}


def us_size(variant: Variant) -> float | int:
    """The size as a number: 10, 10.5, and 5 for a youth's 5Y."""
    size = float(variant.size.value.rstrip("WYC"))
    return int(size) if size.is_integer() else size


def _allowed_size(variant: Variant) -> Json:
    size = us_size(variant)
    return {"display_name": variant.size.value.rstrip("W"), "value": size, "us_size_equivalent": size}


def _row(size: float | int, condition: str, box: str, prices: Json) -> Json:
    return {"size": size, "product_condition": condition, "packaging_condition": box, "availability": prices}


def _availability(seed: int, variant: Variant, at_ms: int, share: float, consigned: bool | None) -> Json:
    """Alias's own level lies within 8 % of the others'; goods in its warehouses cost a little more."""
    now: Quote = quote(seed, variant, at_ms)
    about = ("alias", variant.product.number, variant.index)
    level = share * (0.92 + 0.16 * chance(seed, *about)) * (1.03 if consigned else 1.0)
    last = now.highest_bid and now.highest_bid * (1 + 0.1 * chance(seed, *about, "sold", at_ms // 3_600_000))
    return {
        "lowest_listing_price_cents": _cents(now.lowest_ask, level),
        "highest_offer_price_cents": _cents(now.highest_bid, level),
        "last_sold_listing_price_cents": _cents(last, level),
        "global_indicator_price_cents": _cents(now.sell_faster, level),
    }


def _none() -> Json:
    names = ("lowest_listing", "highest_offer", "last_sold_listing", "global_indicator")
    return {f"{name}_price_cents": "0" for name in names}


def _cents(dollars: float | None, level: float) -> str:
    return "0" if dollars is None else str(max(1, round(dollars * level)) * 100)


def pages(items: list[Json], start: int, limit: int) -> Json:
    """A page of the catalog. The token says where the next begins."""
    more = start + limit < len(items)
    return {
        "catalog_items": items[start : start + limit],
        "next_pagination_token": str(start + limit) if more else "",
        "has_more": more,
    }


def sold(products: tuple[Product, ...]) -> Iterator[Product]:
    """What Alias sells of `products`: sneakers with a style."""
    return (product for product in products if product.product_type == "sneakers" and product.style_id)
