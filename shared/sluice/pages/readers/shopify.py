"""Shopify: `/products/{handle}.js` has every variant; the page's own JSON-LD may say InStock of what is sold out."""

import re
from typing import Any
from urllib.parse import urlsplit

from sluice.pages import money_text, reading
from sluice.pages.readers.page import PageSource, flag, gtin, identity, mapping, sequence, squeeze
from sluice.pages.reading import Availability, Money, Reading, ReadVariant

SOURCE = "shopify"
_HANDLE = (
    r"^(?P<locale>(?:/[a-z]{2}(?:-[a-z]{2,4})?)?)(?:/collections/[^/]+)?/products/(?P<handle>[^/?#]+?)(?:\.html)?/?$"
)


def recognises(page: PageSource) -> bool:
    """Whether the page is one of Shopify's."""
    return any("Shopify.shop" in text for _, text in page.scripts)


def more(page: PageSource) -> list[str]:
    """What else is fetched: the product's data, and the currency that its prices are in."""
    parts = urlsplit(page.url)
    found = re.match(_HANDLE, parts.path, re.IGNORECASE)
    if not (recognises(page) and found):
        return []
    base = f"{parts.scheme}://{parts.netloc}{found['locale']}"
    return [f"{base}/products/{found['handle']}.js", f"{base}/cart.js"]


def read(page: PageSource, product: Any, cart: Any) -> Reading | None:
    """The variants of the product's data; None where it is none. cart: `/cart.js`, which names the currency."""
    data = mapping(product)
    rows = [mapping(row) for row in sequence(data.get("variants"))]
    if not rows:
        return None
    code = money_text.currency(mapping(cart).get("currency"))
    names = [
        squeeze(mapping(one).get("name") if isinstance(one, dict) else one) for one in sequence(data.get("options"))
    ]
    variants = [_variant(row, names, code) for row in rows if identity(row.get("id"))]
    title = squeeze(data.get("title")) or page.title
    return reading.product(SOURCE, title, variants, "the shop's product data", complete=len(variants) == len(rows))


def _variant(row: dict[str, Any], names: list[str], code: str | None) -> ReadVariant:
    price, stock = row.get("price"), flag(row.get("available"))
    # Text is of `.json`, in major units; a whole number is of `.js`, in minor ones.
    amount = money_text.machine(price) if isinstance(price, str) else money_text.minor(price, code, 2)
    values = sequence(row.get("options")) or [row.get(f"option{number}") for number in (1, 2, 3)]
    options = {
        (name or "Option")[:40]: squeeze(value)[:60]
        for name, value in zip(names, values, strict=False)
        if squeeze(value) and squeeze(value) != "Default Title"
    }
    return ReadVariant(
        id=identity(row["id"]),
        options=options,
        price=Money(amount, code) if amount is not None and code else None,
        availability=Availability.UNKNOWN if stock is None else Availability.IN if stock else Availability.OUT,
        sku=identity(row.get("sku")),
        gtin=gtin(row.get("barcode")),
        text=f"price {price} {code or ''}, available {row.get('available')}"[:200],
    )
