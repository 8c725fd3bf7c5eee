"""PrestaShop 1.7 and 8: `#product-details[data-product]` has the chosen combination as JSON."""

from typing import Any

from sluice.pages import money_text, reading
from sluice.pages.readers import loose_json, schema_org
from sluice.pages.readers.page import PageSource, flag, gtin, identity, mapping, squeeze
from sluice.pages.reading import Availability, Money, Reading, ReadVariant

SOURCE = "prestashop"


def read(page: PageSource) -> Reading | None:
    """The chosen combination; None where the page has none."""
    data = page.attribute("#product-details", "data-product")
    found = [value for value in loose_json.values(data) if isinstance(value, dict)] if data else []
    if not found or not identity(found[0].get("id_product")):
        return None
    product = found[0]
    code = _currency(page)
    amount = money_text.machine(product.get("price_amount"))
    if flag(product.get("show_price")) is False:
        amount = None
    choice = identity(product.get("id_product_attribute"))
    variant = ReadVariant(
        id=f"{identity(product['id_product'])}-{choice or '0'}",
        options={
            squeeze(one.get("group"))[:40]: squeeze(one.get("name"))[:60]
            for one in map(mapping, mapping(product.get("attributes")).values())
            if squeeze(one.get("group"))
        },
        price=Money(amount, code) if amount is not None and code else None,
        availability=_stock(product),
        sku=identity(product.get("reference")),
        gtin=gtin(product.get("ean13")) or gtin(product.get("upc")),
        text=f"price_amount {product.get('price_amount')}, quantity {product.get('quantity')}, "
        f"availability {product.get('availability')}"[:200],
    )
    return reading.product(SOURCE, squeeze(product.get("name")) or page.title, [variant], "the page's product details")


def _stock(product: dict[str, Any]) -> Availability:
    """Without a quantity nothing is said. What is not there may be ordered all the same, where the shop allows it."""
    quantity = product.get("quantity")
    if isinstance(quantity, bool) or not isinstance(quantity, int | str) or not str(quantity).lstrip("-").isdigit():
        return Availability.UNKNOWN
    if int(quantity) > 0:
        return Availability.IN
    allowed = flag(product.get("allow_oosp"))
    said = str(product.get("availability", ""))
    return Availability.BACKORDER if allowed or said == "available" else Availability.OUT


def _currency(page: PageSource) -> str | None:
    if code := money_text.currency(page.meta("product:price:currency")):
        return code
    for value in page.assigned(r"var\s+prestashop\s*=\s*"):
        if code := money_text.currency(mapping(mapping(value).get("currency")).get("iso_code")):
            return code
    found = schema_org.currencies(page)
    return found.pop() if len(found) == 1 else None
