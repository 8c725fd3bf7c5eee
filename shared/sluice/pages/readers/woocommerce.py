"""WooCommerce: `form.variations_form` carries its variations as JSON, up to 30 of them."""

from decimal import Decimal
from typing import Any

from sluice.pages import money_text, reading
from sluice.pages.readers import loose_json, schema_org
from sluice.pages.readers.page import PageSource, flag, gtin, identity, mapping, sequence, squeeze
from sluice.pages.reading import Availability, Money, Reading, ReadVariant

SOURCE = "woocommerce"


def read(page: PageSource) -> Reading | None:
    """The variations of the form; None where there is no form, or it asks for them only when one is chosen."""
    data = page.attribute("form.variations_form", "data-product_variations")
    found = loose_json.values(data) if data else []
    rows = [mapping(row) for value in found for row in sequence(value) if isinstance(row, dict)]
    if not rows:
        return None
    code = _currency(page)
    variants = [_variant(row, code) for row in rows if identity(row.get("variation_id"))]
    return reading.product(SOURCE, page.title, variants, "the form's variations", complete=len(variants) == len(rows))


def _variant(row: dict[str, Any], code: str | None) -> ReadVariant:
    amount = _amount(row.get("display_price"))
    stock = flag(row.get("is_in_stock"))
    available = Availability.UNKNOWN if stock is None else Availability.IN if stock else Availability.OUT
    if stock and flag(row.get("is_purchasable")) is False:
        available = Availability.OUT
    if stock and flag(row.get("backorders_allowed")) and "backorder" in str(row.get("availability_html", "")).lower():
        available = Availability.BACKORDER
    options = {
        name.removeprefix("attribute_").removeprefix("pa_")[:40]: squeeze(value)[:60]
        for name, value in mapping(row.get("attributes")).items()
        if squeeze(value)
    }
    return ReadVariant(
        id=identity(row["variation_id"]),
        options=options,
        price=Money(amount, code) if amount is not None and code else None,
        availability=available,
        sku=identity(row.get("sku")),
        gtin=gtin(row.get("global_unique_id")),
        text=f"display_price {row.get('display_price')}, is_in_stock {row.get('is_in_stock')}"[:200],
    )


def _amount(value: Any) -> Decimal | None:
    return money_text.machine(value)


def _currency(page: PageSource) -> str | None:
    """The page's one currency: the form does not say it, JSON-LD and tags do."""
    said = page.meta("product:price:currency", "og:price:currency")
    if code := money_text.currency(said):
        return code
    found = schema_org.currencies(page)
    return found.pop() if len(found) == 1 else None
