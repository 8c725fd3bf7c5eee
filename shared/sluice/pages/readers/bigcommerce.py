"""BigCommerce: `var BCData = {"product_attributes": …}` with the price and stock of what is chosen."""

from sluice.pages import money_text, reading
from sluice.pages.readers.page import PageSource, flag, gtin, identity, mapping
from sluice.pages.reading import Availability, Money, Reading, ReadVariant

SOURCE = "bigcommerce"


def read(page: PageSource) -> Reading | None:
    """The product's attributes; None where the page has none."""
    for value in page.assigned(r"var\s+BCData\s*=\s*"):
        data = mapping(mapping(value).get("product_attributes"))
        if not data:
            continue
        price = mapping(data.get("price"))
        said = mapping(price.get("with_tax")) or mapping(price.get("without_tax"))
        span = mapping(price.get("price_range"))
        amount, code = money_text.machine(said.get("value")), money_text.currency(said.get("currency"))
        if _spans(span):
            amount = None  # a price for each choice, and none is chosen
        stock = flag(data.get("instock"))
        if flag(data.get("purchasable")) is False and stock:
            stock = False
        variant = ReadVariant(
            id="",
            price=Money(amount, code) if amount is not None and code else None,
            availability=Availability.UNKNOWN if stock is None else Availability.IN if stock else Availability.OUT,
            sku=identity(data.get("sku")),
            gtin=gtin(data.get("upc")),
            text=f"price {said.get('value')} {code or ''}, instock {data.get('instock')}, stock {data.get('stock')}"[
                :200
            ],
        )
        return reading.product(SOURCE, page.title, [variant], "the page's BCData")
    return None


def _spans(span: dict[str, object]) -> bool:
    ends = [
        mapping(mapping(span.get(name)).get("with_tax") or mapping(span.get(name)).get("without_tax"))
        for name in ("min", "max")
    ]
    low, high = (money_text.machine(end.get("value")) for end in ends)
    return low != high
