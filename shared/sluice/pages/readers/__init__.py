"""Readers of product pages, one for each kind of source, in the order of how much they can be trusted.

```
 the shop's own variant data ─► JSON-LD ─► microdata ─► OpenGraph ─► visible text, strictly
 (Shopify, WooCommerce, Magento, BigCommerce, PrestaShop, Squarespace, Wix)
```
The first that is certain of something wins. What a later one says is never mixed into it: where JSON-LD has InStock and
the shop's own data has sold out, the shop's own data is right.
"""

from collections.abc import Callable
from typing import Any

from sluice.pages.readers import (
    bigcommerce,
    magento,
    microdata,
    opengraph,
    prestashop,
    schema_org,
    shopify,
    squarespace,
    visible,
    wix,
    woocommerce,
)
from sluice.pages.readers.page import PageSource
from sluice.pages.reading import Reading, ReadOutcome

_READERS: tuple[Callable[[PageSource], Reading | None], ...] = (
    woocommerce.read,
    magento.read,
    bigcommerce.read,
    prestashop.read,
    squarespace.read,
    wix.read,
    schema_org.read,
    microdata.read,
    opengraph.read,
    visible.read,
)
# From the most trusted to the least.
SOURCES = (
    *(shopify.SOURCE, woocommerce.SOURCE, magento.SOURCE, bigcommerce.SOURCE, prestashop.SOURCE, squarespace.SOURCE),
    *(wix.SOURCE, schema_org.SOURCE, microdata.SOURCE, opengraph.SOURCE, visible.SOURCE),
)


# A page with less to read than this is filled in by its scripts.
_SHELL_CHARACTERS = 400


def more(page: PageSource) -> list[str]:
    """What else of the shop must be fetched to read the page: URLs, whose JSON `read` is given in their order."""
    return shopify.more(page)


def read(page: PageSource, more: list[Any] | None = None) -> Reading:
    """What the page says. more: what the URLs of `more` answered, None for one that could not be read."""
    unclear: Reading | None = None
    if more:
        found = shopify.read(page, *more)
        if found and found.outcome is ReadOutcome.PRODUCT:
            return _whole(found, page)
        unclear = found
    for reader in _READERS:
        found = reader(page)
        if found and found.outcome is ReadOutcome.PRODUCT:
            return _whole(found, page)
        unclear = unclear or found
    if unclear:
        return _whole(unclear, page)
    return Reading(ReadOutcome.NO_PRODUCT, seen=_what(page), title=page.title, canonical=page.canonical)


def _whole(found: Reading, page: PageSource) -> Reading:
    return Reading(
        found.outcome,
        found.source,
        found.seen,
        found.title or page.title,
        found.variants,
        found.complete,
        page.canonical,
    )


def _what(page: PageSource) -> str:
    body = page.first("body")
    shown = body.text(separator=" ")[:_SHELL_CHARACTERS].strip() if body else ""
    if len(shown) < _SHELL_CHARACTERS // 2 and page.scripts:
        return "the page is filled in by a browser's scripts and holds no product itself"
    return f"a page titled {page.title!r} without a product that could be read"
