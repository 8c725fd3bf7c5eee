"""The catalog: named products, and any number of synthetic ones made when somebody asks for them."""

import re
from collections.abc import Iterator
from dataclasses import replace
from difflib import SequenceMatcher
from functools import lru_cache

from local.sandbox.catalog import sizes
from local.sandbox.catalog.golden import NAMED
from local.sandbox.catalog.products import Product, Variant, read_gtin
from local.sandbox.chance import chance

# Synthetic products are numbered from here, so a named product can be added without moving them.
SYNTHETIC = 1_000_000
_SYNTHETIC_STYLE = re.compile(r"SLUICE-(\d{5,7})")
# How alike two style ids are when a fuzzy search takes one for the other: one wrong digit in ten passes.
_ALIKE = 0.75
_RUNNER_SIZES = sizes.nike_men()[7:20]
_BRANDS = ("Nike", "Jordan", "adidas", "New Balance")


class Catalog:
    """`size` synthetic products, `SLUICE-00001` and on, besides the named ones. They cost nothing until looked at."""

    def __init__(self, size: int = 0) -> None:
        self.size = size
        self._named = {product.number: product for product in NAMED}
        self.search = lru_cache(maxsize=10_000)(self._search)

    def move(self, style: str) -> None:
        """Give a named product another id: calls with the one before are 404, and a search finds the new one.

        Raises KeyError when no product with a name has this style.
        """
        moved = next((one for one in self._named.values() if one.style_id == style), None)
        if moved is None:
            raise KeyError(style)
        self._named[moved.number] = replace(moved, moves=moved.moves + 1)
        self.search.cache_clear()

    def product(self, number: int) -> Product | None:
        if (named := self._named.get(number)) is not None:
            return named
        return _synthetic(number - SYNTHETIC) if 1 <= number - SYNTHETIC <= self.size else None

    def by_gtin(self, gtin: str) -> Variant | None:
        if (read := read_gtin(gtin)) is None:
            return None
        product = self.product(read[0])
        if product is None or read[1] >= len(product.sizes):
            return None
        variant = product.variants[read[1]]
        return variant if variant.gtins else None

    def _search(self, query: str) -> tuple[Product, ...]:
        """Products that look like `query`, best first: text, a GTIN or a style id, as loosely as real marketplaces do.

        An unknown style id still finds its neighbours: who takes the first row without comparing it gets a wrong shoe.
        Synthetic products are found by style id and GTIN only.
        """
        wanted = query.strip().upper()
        if wanted.isdigit() and (variant := self.by_gtin(wanted)) is not None:
            return (variant.product,)
        scored = [(_likeness(wanted, product), -product.number, product) for product in self._named.values()]
        named = [product for score, _, product in sorted(scored, reverse=True) if score >= _ALIKE]
        return (*self._synthetic_like(wanted), *named)

    def _synthetic_like(self, wanted: str) -> Iterator[Product]:
        if (match := _SYNTHETIC_STYLE.fullmatch(wanted)) is None:
            return
        number = int(match[1])
        for close in (number, number + 1, number - 1, number + 10, number - 10):
            if (product := self.product(SYNTHETIC + close)) is not None:
                yield product


def _likeness(wanted: str, product: Product) -> float:
    """0 to 1: the better of how alike the style ids are and how many of the query's words the title has."""
    whole = product.style_id or ""
    styles = (whole, *whole.split("/"))
    by_style = max(SequenceMatcher(None, wanted, style).ratio() for style in styles)
    title = set(f"{product.brand} {product.title} {product.colorway or ''}".upper().replace("/", " ").split())
    words = wanted.split()
    by_title = sum(word in title for word in words) / len(words) if words else 0.0
    return max(by_style, by_title)


@lru_cache(maxsize=50_000)
def _synthetic(number: int) -> Product:
    """Fields depend on the number alone, so ids and names are the same under every seed."""
    brand = _BRANDS[int(chance(number, "brand") * len(_BRANDS))]
    return Product(
        SYNTHETIC + number,
        f"SLUICE-{number:05d}",
        f"{brand} Runner {number:05d}",
        brand,
        "sneakers",
        f"sluice-runner-{number:05d}",
        _RUNNER_SIZES,
        gender="men",
        colorway="Weir Grey/Spillway Blue",
        release_date=f"2026-{1 + number % 12:02d}-15",
        retail_price=90 + 5 * int(chance(number, "retail") * 30),
    )
