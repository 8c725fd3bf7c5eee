"""Prices in `meta` elements: `product:price:amount` and its like. One price for the page."""

from sluice.pages import money_text, reading
from sluice.pages.readers import schema_org
from sluice.pages.readers.page import PageSource, gtin, identity
from sluice.pages.reading import Money, Reading, ReadVariant

SOURCE = "opengraph"


def read(page: PageSource) -> Reading | None:
    """The price and stock of the page's `meta` elements; None where it names neither."""
    price = page.meta("product:sale_price:amount", "product:price:amount", "og:price:amount")
    code = page.meta("product:sale_price:currency", "product:price:currency", "og:price:currency")
    stock = page.meta("product:availability", "og:availability")
    if not price and not stock:
        return None
    amount, known = money_text.machine(price), money_text.currency(code)
    variant = ReadVariant(
        id="",
        price=Money(amount, known) if amount is not None and known else None,
        availability=schema_org.availability(stock),
        sku=identity(page.meta("product:retailer_item_id")),
        gtin=gtin(page.meta("product:ean", "product:upc", "product:gtin")),
        text=f"price {price or 'none'} {code}, availability {stock or 'none'}"[:200],
    )
    return reading.product(SOURCE, page.title, [variant], "OpenGraph tags of the page")
