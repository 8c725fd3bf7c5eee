"""What callers send, read and checked as the Inventory API does."""

import json
import re
from typing import Any

from local.sandbox.call import Call
from local.sandbox.ebay.errors import Json
from local.sandbox.ebay.inventory.errors import RefusedError

# `MarketplaceIdEnum`, with the locales that each site has.
SITES = {
    "EBAY_US": ("USD", ("en-US",)),
    "EBAY_GB": ("GBP", ("en-GB",)),
    "EBAY_DE": ("EUR", ("de-DE",)),
    "EBAY_AU": ("AUD", ("en-AU",)),
    "EBAY_CA": ("CAD", ("en-CA", "fr-CA")),
    "EBAY_FR": ("EUR", ("fr-FR",)),
    "EBAY_IT": ("EUR", ("it-IT",)),
    "EBAY_ES": ("EUR", ("es-ES",)),
    "EBAY_AT": ("EUR", ("de-AT",)),
    "EBAY_BE": ("EUR", ("nl-BE", "fr-BE")),
    "EBAY_CH": ("CHF", ("de-CH",)),
    "EBAY_IE": ("EUR", ("en-IE",)),
    "EBAY_NL": ("EUR", ("nl-NL",)),
    "EBAY_PL": ("PLN", ("pl-PL",)),
}
LOCALES = {locale for _, locales in SITES.values() for locale in locales}
CONDITIONS = {
    *("NEW", "LIKE_NEW", "NEW_OTHER", "NEW_WITH_DEFECTS", "CERTIFIED_REFURBISHED", "EXCELLENT_REFURBISHED"),
    *("VERY_GOOD_REFURBISHED", "GOOD_REFURBISHED", "SELLER_REFURBISHED", "USED_EXCELLENT", "USED_VERY_GOOD"),
    *("USED_GOOD", "USED_ACCEPTABLE", "FOR_PARTS_OR_NOT_WORKING", "PRE_OWNED_EXCELLENT", "PRE_OWNED_FAIR"),
}
_PRICE = re.compile(r"[0-9]{1,12}(\.[0-9]{1,2})?")


def body(call: Call) -> Json:
    try:
        found = json.loads(call.body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise RefusedError(25604, text1="The request body is not JSON.")
    return found


def locale(call: Call) -> str:
    """The language of a write. Both headers must name one, and none that is not eBay's."""
    for name in ("accept-language", "content-language"):
        if call.headers.get(name) not in LOCALES:
            raise RefusedError(25709, text1=f"header {name.title()}")
    return call.headers["content-language"]


def whole(call: Call, name: str, otherwise: int) -> int:
    text = call.query.get(name, "")
    if text and not (text.isascii() and text.isdecimal()):
        raise RefusedError(25709, text1=name)
    return int(text) if text else otherwise


def sku(text: str) -> str:
    if not 1 <= len(text) <= 50 or any(letter.isspace() for letter in text):
        raise RefusedError(25707)
    return text


def item(body: Json) -> Json:
    """An item's body; what is wrong in it is refused at once, what is missing only when it is published."""
    product = body.get("product") or {}
    if len(product.get("title") or "") > 80:
        raise RefusedError(25016, text1="product.title")
    if len(product.get("description") or "") > 4_000:
        raise RefusedError(25016, text1="product.description")
    pictures = product.get("imageUrls") or []
    if len(pictures) > 24:
        raise RefusedError(25014, text1="At most 24 pictures.")
    if wrong := next((url for url in pictures if not str(url).startswith("https://")), None):
        raise RefusedError(25015, text1=str(wrong))
    if body.get("condition") not in {None, *CONDITIONS}:
        raise RefusedError(25016, text1="condition")
    for name, values in (product.get("aspects") or {}).items():
        if len(name) > 40 or not isinstance(values, list) or any(len(value) > 50 for value in values):
            raise RefusedError(25016, text1=f"aspects.{name}")
    there = (body.get("availability") or {}).get("shipToLocationAvailability") or {}
    quantity(there.get("quantity"))
    return body


def offer(body: Json) -> Json:
    """An offer's body, checked as far as eBay does before it is published."""
    if body.get("marketplaceId") not in SITES:
        raise RefusedError(25709, text1="marketplaceId")
    if body.get("format") != "FIXED_PRICE":
        raise RefusedError(25709, text1="format")
    quantity(body.get("availableQuantity"))
    if found := (body.get("pricingSummary") or {}).get("price"):
        price(found, body["marketplaceId"])
    if len(body.get("listingDescription") or "") > 500_000:
        raise RefusedError(25016, text1="listingDescription")
    return body


def quantity(value: Any) -> None:
    if value is not None and (type(value) is not int or value < 0):
        raise RefusedError(25004, text1=str(value))


def price(value: Any, site: str) -> None:
    amount, currency = (value.get("value"), value.get("currency")) if isinstance(value, dict) else (None, None)
    if not isinstance(amount, str) or not _PRICE.fullmatch(amount) or float(amount) <= 0:
        raise RefusedError(25003, text1=str(amount))
    if currency != SITES[site][0]:
        raise RefusedError(25003, text1=f"{site} has prices in {SITES[site][0]}.")
