"""The bodies of StockX's catalog API. Money is a string in major units, except `retailPrice`, which is a number."""

from collections.abc import Sequence
from typing import Any

from local.sandbox import ids
from local.sandbox.catalog.prices import Quote
from local.sandbox.catalog.products import Product, Variant
from local.sandbox.catalog.sizes import Size

PRODUCT, VARIANT = "stockx product", "stockx variant"
Json = dict[str, Any]


def product_id(product: Product) -> str:
    return ids.make(PRODUCT, product.number, product.moves)


def variant_id(variant: Variant) -> str:
    return ids.make(VARIANT, variant.product.number, variant.index)


def search_page(found: Sequence[Product], page_number: int, page_size: int) -> Json:
    start = (page_number - 1) * page_size
    rows = found[start : start + page_size]
    return {
        "count": len(found),
        "pageNumber": page_number,
        "pageSize": page_size,
        "hasNextPage": start + page_size < len(found),
        "products": [search_product(product) for product in rows],
    }


def search_product(product: Product) -> Json:
    return {
        "productId": product_id(product),
        "brand": product.brand,
        "productType": product.product_type,
        "styleId": product.style_id,
        "urlKey": product.url_key,
        "title": product.title,
        "productAttributes": {
            "color": None,
            "colorway": product.colorway,
            "gender": product.gender,
            "releaseDate": product.release_date,
            "retailPrice": product.retail_price,
            "season": product.season,
        },
    }


def product_details(product: Product) -> Json:
    systems = [system for system, _ in product.sizes[0].labels]
    conversions = [{"name": system.upper(), "type": system} for system in systems]
    return {
        **search_product(product),
        "sizeChart": {
            "defaultConversion": conversions[0] if conversions else None,
            "availableConversions": conversions,
        },
        "isFlexEligible": product.product_type == "sneakers",
        "isDirectEligible": product.product_type == "sneakers",
    }


def variant_row(variant: Variant) -> Json:
    """A row of the list. Things without sizes have no `variantValue` here."""
    size, product = variant.size, variant.product
    return {
        "productId": product_id(product),
        "variantId": variant_id(variant),
        "variantName": f"{product.url_key.title()}:{variant.index}",
        "variantValue": size.value or None,
        "sizeChart": _size_chart(size),
        "gtins": [{"identifier": identifier, "type": kind} for kind, identifier in variant.gtins],
        "isFlexEligible": product.product_type == "sneakers",
        "isDirectEligible": product.product_type == "sneakers",
    }


def variant_details(variant: Variant) -> Json:
    """A single variant. The document allows no null here, so the value of a thing without sizes is empty."""
    return {**variant_row(variant), "variantValue": variant.size.value}


def market_data(variant: Variant, quote: Quote, currency: str) -> Json:
    """There is no last sale in StockX's public API, so there is none here."""
    ask, bid = _money(quote.lowest_ask), _money(quote.highest_bid)
    sell_faster, earn_more = _money(quote.sell_faster), _money(quote.earn_more)
    empty = {"lowestAsk": None, "highestBidAmount": bid, "sellFaster": None, "earnMore": None, "beatUS": None}
    return {
        "productId": product_id(variant.product),
        "variantId": variant_id(variant),
        "currencyCode": currency,
        "highestBidAmount": bid,
        "lowestAskAmount": ask,
        "flexLowestAskAmount": _money(quote.flex_ask),
        "earnMoreAmount": earn_more,
        "sellFasterAmount": sell_faster,
        "standardMarketData": {**empty, "lowestAsk": ask, "sellFaster": sell_faster, "earnMore": earn_more},
        "flexMarketData": {**empty, "lowestAsk": _money(quote.flex_ask)},
        "directMarketData": empty,
    }


def _size_chart(size: Size) -> Json:
    default = None if size.system is None else {"size": size.value, "type": size.system}
    conversions = [{"size": label, "type": system} for system, label in size.labels]
    return {"defaultConversion": default, "availableConversions": conversions}


def _money(amount: int | None) -> str | None:
    return None if amount is None else str(amount)
