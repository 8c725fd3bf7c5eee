"""The pages of the shops, each as its system makes them. Pure: a shop and what it sells in, HTML or JSON out."""

import html
import json
from collections.abc import Callable, Sequence
from typing import Any

from local.sandbox.shops.shops import Shop, Variant

Variants = Sequence[Variant]


def page(shop: Shop, variants: Variants) -> str:
    """The product's page."""
    head, body = _SYSTEMS[shop.system](shop, variants)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{shop.product} | {shop.name}</title>'
        f"{head}</head><body><header>{shop.name}</header><main><h1>{shop.product}</h1>{body}</main></body></html>"
    )


def data(shop: Shop, variants: Variants) -> Any:
    """Shopify's `/products/{handle}.js`."""
    rows = [
        {"id": int(one.id), "title": one.size, "option1": one.size, "price": one.cents, "available": one.available}
        for one in variants
    ]
    return {"id": 1, "title": shop.product, "options": [{"name": "Size", "position": 1}], "variants": rows}


def _shopify(shop: Shop, variants: Variants) -> tuple[str, str]:
    script = f'<script>var Shopify = {{}}; Shopify.shop = "{shop.name}.example";</script>'
    return script + _ld(_offer(shop, variants[0])), ""


def _woocommerce(shop: Shop, variants: Variants) -> tuple[str, str]:
    rows = [
        {
            "variation_id": int(one.id),
            "attributes": {"attribute_size": one.size},
            "display_price": one.cents / 100,
            "is_in_stock": one.available,
            "is_purchasable": True,
        }
        for one in variants
    ]
    low, high = (select(one.cents for one in variants) / 100 for select in (min, max))
    span = {"@type": "AggregateOffer", "lowPrice": f"{low:.2f}", "highPrice": f"{high:.2f}"}
    ld = {"@type": "Product", "name": shop.product, "offers": [{**span, "priceCurrency": shop.currency}]}
    return _ld(ld), f'<form class="variations_form cart" data-product_variations="{_attribute(rows)}"></form>'


def _magento(shop: Shop, variants: Variants) -> tuple[str, str]:
    options = [{"id": one.size, "label": one.size, "products": [one.id]} for one in variants]
    config = {
        "attributes": {"93": {"id": "93", "label": "Size", "options": options}},
        "optionPrices": {one.id: {"finalPrice": {"amount": one.cents / 100}} for one in variants},
        "index": {one.id: {"93": one.size} for one in variants},
        "salable": {"93": {one.size: [one.id] if one.available else [] for one in variants}},
    }
    wrapped = {"#product_addtocart_form": {"configurable": {"spConfig": config}}}
    head = f'<meta property="product:price:currency" content="{shop.currency}">'
    script = f'<script type="text/x-magento-init">{json.dumps(wrapped)}</script>'
    return head, f'<form id="product_addtocart_form"></form>{script}'


def _bigcommerce(shop: Shop, variants: Variants) -> tuple[str, str]:
    one = variants[0]
    price = {"with_tax": {"value": one.cents / 100, "currency": shop.currency}, "price_range": []}
    known = {"sku": one.id, "instock": one.available, "purchasable": True, "price": price}
    return "", f"<script>var BCData = {json.dumps({'product_attributes': known})};</script>"


def _prestashop(shop: Shop, variants: Variants) -> tuple[str, str]:
    one = variants[0]
    known = {
        "id_product": 12,
        "id_product_attribute": int(one.id),
        "name": shop.product,
        "price_amount": one.cents / 100,
        "quantity": 3 if one.available else 0,
        "availability": "available" if one.available else "unavailable",
    }
    # What the shop's own JSON-LD says of the stock is not true, as it often is.
    offer = {"@type": "Offer", "price": one.price, "priceCurrency": shop.currency, "availability": "InStock"}
    ld = {"@type": "Product", "name": shop.product, "offers": offer}
    return _ld(ld), f'<div id="product-details" data-product="{_attribute(known)}"></div>'


def _shopware(shop: Shop, variants: Variants) -> tuple[str, str]:
    one, said = variants[0], "InStock" if variants[0].available else "OutOfStock"
    offer = (
        f'<meta itemprop="price" content="{one.price}"><meta itemprop="priceCurrency" content="{shop.currency}">'
        f'<link itemprop="availability" href="https://schema.org/{said}">'
    )
    inner = f'<div itemprop="offers" itemscope itemtype="https://schema.org/Offer">{offer}</div>'
    return "", f'<div itemscope itemtype="https://schema.org/Product">{inner}</div>'


def _squarespace(shop: Shop, variants: Variants) -> tuple[str, str]:
    def money(cents: int) -> dict[str, Any]:
        return {"currencyCode": shop.currency, "decimalValue": f"{cents / 100:.2f}", "value": cents}

    rows = [
        {
            "id": one.id,
            "attributes": {"Size": one.size},
            "price": money(one.cents),
            "onSale": False,
            "salePrice": money(0),
            "stock": {"unlimited": False, "quantity": 3 if one.available else 0},
        }
        for one in variants
    ]
    context = {"product": {"title": shop.product, "variants": rows}}
    return f"<script>Static.SQUARESPACE_CONTEXT = {json.dumps(context)};</script>", ""


def _wix(shop: Shop, variants: Variants) -> tuple[str, str]:
    one = variants[0]
    product = {
        "name": shop.product,
        "price": one.cents / 100,
        "currency": shop.currency,
        "inventory": {"status": "in_stock" if one.available else "out_of_stock"},
        "productItems": [],
    }
    warm = {"appsWarmupData": {"stores": {"page": {"catalog": {"product": product}}}}}
    return f'<script id="wix-warmup-data" type="application/json">{json.dumps(warm)}</script>', ""


def _json_ld(shop: Shop, variants: Variants) -> tuple[str, str]:
    parts = [{**_offer(shop, one), "sku": one.id, "size": one.size} for one in variants]
    group = {"@type": "ProductGroup", "name": shop.product, "hasVariant": parts}
    # With a trailing comma, as many are.
    return f'<script type="application/ld+json">{json.dumps({"@graph": [group]})[:-1]},}}</script>', ""


def _opengraph(shop: Shop, variants: Variants) -> tuple[str, str]:
    one = variants[0]
    said = "in stock" if one.available else "out of stock"
    pairs = {"price:amount": one.price, "price:currency": shop.currency, "availability": said}
    return "".join(f'<meta property="product:{name}" content="{value}">' for name, value in pairs.items()), ""


def _offer(shop: Shop, one: Variant) -> dict[str, Any]:
    said = "https://schema.org/" + ("InStock" if one.available else "OutOfStock")
    offer = {"@type": "Offer", "price": one.price, "priceCurrency": shop.currency, "availability": said}
    return {"@type": "Product", "name": shop.product, "offers": offer}


def _ld(value: Any) -> str:
    return f'<script type="application/ld+json">{json.dumps(value)}</script>'


def _attribute(value: Any) -> str:
    return html.escape(json.dumps(value), quote=True)


_SYSTEMS: dict[str, Callable[[Shop, Variants], tuple[str, str]]] = {
    "shopify": _shopify,
    "woocommerce": _woocommerce,
    "magento": _magento,
    "bigcommerce": _bigcommerce,
    "prestashop": _prestashop,
    "shopware": _shopware,
    "squarespace": _squarespace,
    "wix": _wix,
    "json-ld": _json_ld,
    "opengraph": _opengraph,
}
