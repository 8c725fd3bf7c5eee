"""schema.org products as microdata: `itemprop` attributes, which Shopware's buy widget has."""

from selectolax.lexbor import LexborNode

from sluice.pages import money_text, reading
from sluice.pages.readers import schema_org
from sluice.pages.readers.page import PageSource, gtin, identity, squeeze
from sluice.pages.reading import Money, Reading, ReadOutcome, ReadVariant

SOURCE = "microdata"
_PRODUCT = '[itemtype$="schema.org/Product"]'
_OFFER = '[itemtype$="schema.org/Offer"], [itemtype$="schema.org/AggregateOffer"]'


def read(page: PageSource) -> Reading | None:
    """The one product of the page's microdata; None where it has none."""
    products = [node for node in page.tree.css(_PRODUCT) if node.css_first(_OFFER)]
    offers = [offer for product in products for offer in product.css(_OFFER)] or page.tree.css(_OFFER)
    if not offers:
        return None
    if len(products) > 1 or len(offers) > 1:
        tiers = len(products) <= 1 and _is_aggregate(offers[0])
        if not tiers:
            what = f"{len(products)} products" if len(products) > 1 else f"{len(offers)} offers"
            return Reading(ReadOutcome.UNCLEAR, SOURCE, f"the page has {what} in its microdata")
    product, offer = products[0] if products else None, offers[0]
    name = _value(product, "name") if product else ""
    return reading.product(SOURCE, squeeze(name) or page.title, [_variant(product, offer)], "microdata of the page")


def _variant(product: LexborNode | None, offer: LexborNode) -> ReadVariant:
    amount = None if _is_aggregate(offer) else money_text.machine(_value(offer, "price"))
    low, high = (money_text.machine(_value(offer, name)) for name in ("lowPrice", "highPrice"))
    if _is_aggregate(offer) and low is not None and low == high:
        amount = low
    code = money_text.currency(_value(offer, "priceCurrency"))
    stock = _value(offer, "availability")
    owner = product if product is not None else offer
    numbers = [gtin(_value(owner, name)) for name in ("gtin13", "gtin", "gtin14", "gtin12", "gtin8")]
    return ReadVariant(
        id="",
        price=Money(amount, code) if amount is not None and code else None,
        availability=schema_org.availability(stock),
        sku=identity(_value(owner, "sku") or _value(offer, "sku")),
        gtin=next((one for one in numbers if one), ""),
        text=f"price {_value(offer, 'price') or 'none'} {code or ''}, availability {stock or 'none'}"[:200],
    )


def _is_aggregate(offer: LexborNode) -> bool:
    return (offer.attributes.get("itemtype") or "").endswith("AggregateOffer")


def _value(node: LexborNode, name: str) -> str:
    """The value of an `itemprop`: in its attribute, where it has one."""
    found = node.css_first(f'[itemprop="{name}"]')
    if found is None:
        return ""
    given = (found.attributes.get(key) for key in ("content", "href", "value"))
    return next((one.strip() for one in given if one), "") or found.text(strip=True)[:100]
