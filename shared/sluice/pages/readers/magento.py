"""Magento 2: the configurable product's `spConfig` in a `text/x-magento-init` script."""

from typing import Any

from sluice.pages import money_text, reading
from sluice.pages.readers import loose_json, schema_org
from sluice.pages.readers.page import PageSource, identity, mapping, sequence, squeeze
from sluice.pages.reading import Availability, Money, Reading, ReadVariant

SOURCE = "magento"
_FORM = "#product_addtocart_form"


def read(page: PageSource) -> Reading | None:
    """The options of the form; None where the page has no such form."""
    for kind, text in page.scripts:
        if kind == "text/x-magento-init" and "spConfig" in text:
            for value in loose_json.values(text):
                config = mapping(mapping(mapping(mapping(value).get(_FORM)).get("configurable")).get("spConfig"))
                if config.get("optionPrices"):
                    return _reading(page, config)
    return None


def _reading(page: PageSource, config: dict[str, Any]) -> Reading:
    code = money_text.currency(config.get("currencyCode")) or _currency(page)
    labels = _labels(config)
    index, salable = mapping(config.get("index")), _salable(config)
    variants = list[ReadVariant]()
    for product, prices in mapping(config.get("optionPrices")).items():
        final = mapping(mapping(prices).get("finalPrice")).get("amount")
        amount = money_text.machine(final)
        stock = Availability.UNKNOWN if salable is None else Availability.IN if product in salable else Availability.OUT
        chosen = mapping(index.get(product))
        variants.append(
            ReadVariant(
                id=identity(product),
                options={
                    labels[key][0]: labels[key][1].get(str(value), "") for key, value in chosen.items() if key in labels
                },
                price=Money(amount, code) if amount is not None and code else None,
                availability=stock,
                sku=identity(mapping(config.get("sku")).get(product)),
                text=f"finalPrice {final}, salable {'not said' if salable is None else product in salable}"[:200],
            )
        )
    return reading.product(SOURCE, page.title, variants, "the form's spConfig", complete=bool(variants))


def _labels(config: dict[str, Any]) -> dict[str, tuple[str, dict[str, str]]]:
    """By the attribute's id: its name, and the name of each of its options."""
    found = dict[str, tuple[str, dict[str, str]]]()
    for key, value in mapping(config.get("attributes")).items():
        attribute = mapping(value)
        options = {
            identity(one.get("id")): squeeze(one.get("label"))[:60]
            for one in map(mapping, sequence(attribute.get("options")))
        }
        found[key] = (squeeze(attribute.get("label"))[:40] or key, options)
    return found


def _salable(config: dict[str, Any]) -> set[str] | None:
    """The products that can be bought; None where the shop does not say."""
    said = config.get("salable")
    if not isinstance(said, dict):
        return None
    return {
        identity(product)
        for options in said.values()
        for products in mapping(options).values()
        for product in sequence(products)
    }


def _currency(page: PageSource) -> str | None:
    said = page.meta("product:price:currency", "og:price:currency")
    if code := money_text.currency(said or page.attribute('[itemprop="priceCurrency"]', "content")):
        return code
    found = schema_org.currencies(page)
    return found.pop() if len(found) == 1 else None
