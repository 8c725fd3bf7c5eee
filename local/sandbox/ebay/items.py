"""What is for sale on eBay: a function of the seed, the product and the hour."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from local.sandbox.catalog.prices import quote
from local.sandbox.catalog.products import Product, Variant
from local.sandbox.chance import chance

HOUR_MS = 3_600_000
CATEGORIES = {"men": "15709", "women": "95672"}
ELSEWHERE = "99"
CONDITIONS = {"1000": "New", "1500": "New without box", "3000": "Pre-owned"}
# Sites with their currency, and the language of their aspects.
SITES = {
    "EBAY_US": ("USD", "{} Shoe Size"),
    "EBAY_GB": ("GBP", "{} Shoe Size"),
    "EBAY_DE": ("EUR", "{}-Schuhgröße"),
    "EBAY_CA": ("CAD", "{} Shoe Size"),
    "EBAY_AU": ("AUD", "{} Shoe Size"),
}
Json = dict[str, Any]


@dataclass(frozen=True)
class Item:
    """One offer of one size. price: None while it is auctioned."""

    item_id: str
    variant: Variant
    price: str | None
    currency: str
    condition_id: str
    buying_option: str

    @property
    def title(self) -> str:
        product, size = self.variant.product, self.variant.size.value
        return " ".join(filter(None, (product.title, product.style_id, f"US {size}" if size else "")))

    @property
    def category(self) -> str:
        return CATEGORIES.get(self.variant.product.gender or "", ELSEWHERE)

    def sizes(self) -> dict[str, str]:
        """Its size by eBay's name of the system."""
        labels = {system: label[len(system) + 1 :].split(" (")[0] for system, label in self.variant.size.labels}
        own = "us w" if self.variant.product.gender == "women" else "us m"
        return {name: labels[system] for name, system in (("US", own), ("UK", "uk"), ("EU", "eu")) if system in labels}

    def summary(self) -> Json:
        body: Json = {
            "itemId": f"v1|{self.item_id}|0",
            "legacyItemId": self.item_id,
            "title": self.title,
            "condition": CONDITIONS[self.condition_id],
            "conditionId": self.condition_id,
            "buyingOptions": [self.buying_option],
            "categories": [{"categoryId": self.category}],
            "seller": {"username": f"shop{self.item_id[-2:]}", "feedbackPercentage": "99.8", "feedbackScore": 4210},
            "itemWebUrl": f"https://www.ebay.com/itm/{self.item_id}",
        }
        if self.price is None:
            return {**body, "currentBidPrice": {"value": "1.00", "currency": self.currency}, "bidCount": 1}
        return {**body, "price": {"value": self.price, "currency": self.currency}}


def for_sale(seed: int, product: Product, at_ms: int, currency: str) -> Iterator[Item]:
    """Of each size: some new ones from a little below the market to half above it, one without its box, one worn, and
    one in an auction. A size that nobody asks for elsewhere has none here."""
    hour = at_ms // HOUR_MS
    for variant in product.variants:
        ask = quote(seed, variant, at_ms, currency).lowest_ask
        if ask is None:
            continue
        name = ("ebay", product.number, variant.index, hour)
        new = 3 + int(12 * chance(seed, "count", *name))
        for place in range(new + 3):
            level = 0.95 + 0.5 * chance(seed, "level", *name, place)
            cents = round(ask * level * 100)
            item_id = (
                f"{110_000_000_000 + product.number % 1_000 * 100_000_000 + variant.index * 1_000_000 + place:012d}"
            )
            match place - new:
                case 1:
                    condition, option = "3000", "FIXED_PRICE"
                case 2:
                    condition, option = "1000", "AUCTION"
                case odd:
                    condition, option = "1500" if odd == 0 else "1000", "FIXED_PRICE"
            price = f"{cents // 100}.{cents % 100:02d}" if option == "FIXED_PRICE" else None
            yield Item(item_id, variant, price, currency, condition, option)
