"""The price that people read, as the last source: one element that is named as the price, read strictly."""

from sluice.pages import money_text, reading
from sluice.pages.readers.page import PageSource, squeeze
from sluice.pages.reading import Money, Reading, ReadVariant

SOURCE = "text"
_PRICES = '[class~="price"], [class~="product-price"], [class~="product__price"], [id="price"]'
_BUY = (
    'button[name="add"], button[name="add-to-cart"], [class~="add-to-cart"], form[action*="cart"] button[type="submit"]'
)


def read(page: PageSource) -> Reading | None:
    """The one price that the page shows beside a button to buy; None where it shows no such thing."""
    if page.first(_BUY) is None:
        return None
    texts = {squeeze(node.text(deep=True)) for node in page.tree.css(_PRICES)} - {""}
    if not texts:
        return None
    read = {money_text.visible(text) for text in texts}
    only = read.pop() if len(read) == 1 else None
    price = Money(only[0], only[1]) if only and only[1] else None
    shown = "; ".join(sorted(texts))[: reading.TEXT_CHARACTERS]
    return reading.product(
        SOURCE, page.title, [ReadVariant(id="", price=price, text=shown)], f"the page shows: {shown}"
    )
