"""Wix: `script#wix-warmup-data` has the product under `appsWarmupData … catalog.product`."""

from typing import Any

from sluice.pages import money_text, reading
from sluice.pages.readers import loose_json
from sluice.pages.readers.page import PageSource, flag, identity, mapping, sequence, squeeze
from sluice.pages.reading import Availability, Money, Reading, ReadVariant

SOURCE = "wix"
MOST_NODES = 5_000


def read(page: PageSource) -> Reading | None:
    """The product of the warm-up data; None where the page has none."""
    script = page.first("script#wix-warmup-data")
    found = loose_json.values(script.text(deep=True) or "") if script else []
    products = _products([mapping(value).get("appsWarmupData") for value in found])
    if len(products) != 1:
        return None
    [product] = products
    code = money_text.currency(product.get("currency"))
    rows = [mapping(row) for row in sequence(product.get("productItems"))]
    variants = [_variant(row, product, code) for row in rows if identity(row.get("id"))]
    complete = bool(rows) and len(variants) == len(rows)
    title = squeeze(product.get("name")) or page.title
    return reading.product(
        SOURCE, title, variants or [_single(product, code)], "the page's warm-up data", complete=complete
    )


def _products(values: list[Any]) -> list[dict[str, Any]]:
    """Each `catalog.product` below."""
    found, waiting = list[dict[str, Any]](), list(values)
    for _ in range(MOST_NODES):
        if not waiting:
            break
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            product = mapping(mapping(value.get("catalog")).get("product"))
            found += [product] if product else []
            waiting += value.values()
    return found


def _single(product: dict[str, Any], code: str | None) -> ReadVariant:
    discounted = product.get("discountedPrice")
    said = discounted if money_text.machine(discounted) else product.get("price")
    amount = money_text.machine(said)
    return ReadVariant(
        id="",
        price=Money(amount, code) if amount is not None and code else None,
        availability=_stock(product),
        sku=identity(product.get("sku")),
        text=f"price {said} {code or ''}, inventory {mapping(product.get('inventory')).get('status')}"[:200],
    )


def _variant(row: dict[str, Any], product: dict[str, Any], code: str | None) -> ReadVariant:
    amount = money_text.machine(row.get("price"))
    names = {
        identity(choice.get("id")): (squeeze(option.get("title")), squeeze(choice.get("value")))
        for option in map(mapping, sequence(product.get("options")))
        for choice in map(mapping, sequence(option.get("selections")))
    }
    chosen = [names[identity(one)] for one in sequence(row.get("optionsSelections")) if identity(one) in names]
    return ReadVariant(
        id=identity(row["id"]),
        options={name[:40]: value[:60] for name, value in chosen if name},
        price=Money(amount, code) if amount is not None and code else None,
        availability=_stock(row),
        sku=identity(row.get("sku")),
        text=f"price {row.get('price')} {code or ''}, inventory {mapping(row.get('inventory')).get('status')}"[:200],
    )


def _stock(product: dict[str, Any]) -> Availability:
    inventory = mapping(product.get("inventory"))
    status = str(inventory.get("status", "")).lower()
    if status in ("in_stock", "out_of_stock"):
        return Availability.IN if status == "in_stock" else Availability.OUT
    stock = flag(product.get("isInStock"))
    quantity = inventory.get("quantity")
    if stock is None and isinstance(quantity, int) and not isinstance(quantity, bool):
        stock = quantity > 0
    return Availability.UNKNOWN if stock is None else Availability.IN if stock else Availability.OUT
