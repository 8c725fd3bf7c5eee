"""Pages of invented shops, for tests of what is read in them."""

import json
from pathlib import Path
from typing import Any

from sluice.pages import readers
from sluice.pages.readers.page import PageSource
from sluice.pages.reading import Reading

FOLDER = Path(__file__).parents[1] / "fixtures" / "pages"
URL = "https://northpier.example/products/harbour-runner"


def text(name: str) -> str:
    """The file `name` of the fixtures."""
    return (FOLDER / name).read_text(encoding="utf-8")


def read(html: str, url: str = URL, more: list[Any] | None = None) -> Reading:
    """What the page `html` at `url` says."""
    return readers.read(PageSource(url, html), more)


def fixture(system: str) -> Reading:
    """What the fixture of a shop system says, with what else of that shop is fetched."""
    more = [json.loads(text(f"{system}.{part}.json")) for part in ("product", "cart")] if system == "shopify" else None
    return read(text(f"{system}.html"), more=more)


def ld(*blocks: str, body: str = "<h1>Ridge Boot</h1>") -> str:
    """A page with these JSON-LD blocks."""
    scripts = "".join(f'<script type="application/ld+json">{block}</script>' for block in blocks)
    return f"<!doctype html><html><head><title>Ridge Boot</title>{scripts}</head><body>{body}</body></html>"


def offer(**fields: Any) -> str:
    """A JSON-LD product with one offer of these fields."""
    given = {"@type": "Offer", "price": "100.00", "priceCurrency": "EUR", "availability": "InStock", **fields}
    kept = {name: value for name, value in given.items() if value is not None}
    return json.dumps({"@type": "Product", "name": "Ridge Boot", "sku": "RB", "offers": kept})
