"""How eBay shows what it was sent. Pure: the same body and seed always look alike.

```
 sent                                  shown
 imageUrls: https://shop.example/a.jpg https://i.ebayimg.com/00/s/…/$_57.JPG      copied to eBay's own host
 brand, mpn, ean                       the same, and as aspects; aspects Brand and MPN as brand and mpn
 aspects in any order                  in an order of its own
 price "245.00"                        "245.0"
 description "<p>a  b</p>\\n"           "<p>a b</p>"                              its own form of HTML
 nothing                               defaults: tax, listingDuration, allocationByFormat, …
```
"""

import re
from functools import lru_cache
from typing import Any

from local.sandbox.chance import chance, digest

Json = dict[str, Any]

HOST = "https://i.ebayimg.com"


def item(sku: str, body: Json, locale: str, seed: int, groups: list[str]) -> Json:
    """An item as `getInventoryItem` shows it."""
    shown = dict(body)
    if product := body.get("product"):
        shown["product"] = _product(product, seed)
    quantity = ((body.get("availability") or {}).get("shipToLocationAvailability") or {}).get("quantity")
    if quantity is not None:
        there = {"quantity": quantity, "allocationByFormat": {"fixedPrice": quantity, "auction": 0}}
        shown["availability"] = {**body["availability"], "shipToLocationAvailability": there}
    shown |= {"sku": sku, "locale": locale.replace("-", "_")}
    if groups:
        shown |= {"groupIds": groups, "inventoryItemGroupKeys": groups}
    return shown


def offer(body: Json) -> Json:
    """The seller's part of an offer as `getOffer` shows it."""
    defaults: Json = {
        "listingDuration": "GTC",
        "includeCatalogProductDetails": True,
        "tax": {"applyTax": False},
        "hideBuyerDetails": False,
    }
    shown = {**defaults, **body}
    shown["listingPolicies"] = {"eBayPlusIfEligible": False, **(body.get("listingPolicies") or {})}
    if price := (body.get("pricingSummary") or {}).get("price"):
        summary = {**body["pricingSummary"], "price": {**price, "value": _number(price["value"])}}
        shown["pricingSummary"] = summary
    if text := body.get("listingDescription"):
        shown["listingDescription"] = _html(text)
    return shown


def picture(url: str, seed: int) -> str:
    """Where eBay keeps its copy of a picture."""
    return url if url.startswith(HOST) else f"{HOST}/00/s/{digest(seed, 'picture', url)[:16]}/$_57.JPG"


def _product(product: Json, seed: int) -> Json:
    shown = dict(product)
    aspects = {name: list(values) for name, values in (product.get("aspects") or {}).items()}
    for field, aspect in (("brand", "Brand"), ("mpn", "MPN")):
        if field in product:
            aspects.setdefault(aspect, [product[field]])
        elif aspect in aspects:
            shown[field] = aspects[aspect][0]
    for field in ("ean", "upc", "isbn"):
        if product.get(field):
            aspects.setdefault(field.upper(), list(product[field]))
    shown["aspects"] = {name: aspects[name] for name in sorted(aspects, key=lambda one: _place(seed, one))}
    if "imageUrls" in product:
        shown["imageUrls"] = [picture(url, seed) for url in product["imageUrls"]]
    if text := product.get("description"):
        shown["description"] = _html(text)
    return shown


@lru_cache(maxsize=10_000)
def _place(seed: int, aspect: str) -> float:
    """Where eBay shows an aspect, in an order of its own."""
    return chance(seed, "aspect", aspect)


def _number(value: str) -> str:
    """eBay writes an amount as a number with as few places as it needs, and at least one."""
    whole, _, places = value.partition(".")
    return f"{whole}.{places.rstrip('0') or '0'}"


def _html(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
