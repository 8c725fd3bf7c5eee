"""Pictures of things that are owned: the drawing of their category. A marketplace's picture would be asked of its host.

A page has each drawing once, and shows it by its name wherever it stands.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from markupsafe import Markup

from sluice.catalog import images
from sluice.dashboard.html import element


def picture(item: Mapping[str, Any], kind: str = "") -> Markup:
    """What stands for the item of the inventory. What it is stands beside it in words, so it says nothing itself."""
    shown = element("use", href=f"#drawing-{_name(item)}")
    return element("svg", shown, viewBox="0 0 400 300", class_=f"picture {kind}".strip(), aria_hidden="true")


def drawn(items: Iterable[Mapping[str, Any]]) -> Markup | None:
    """The drawings that pictures of these items show, once each: they stand in the page, and are not seen."""
    names = sorted({_name(item) for item in items})
    symbols = [element("symbol", _strokes(name), id=f"drawing-{name}", viewBox="0 0 400 300") for name in names]
    return element("svg", symbols, class_="unseen", aria_hidden="true") if symbols else None


def _name(item: Mapping[str, Any]) -> str:
    return images.fallback(item["category"]).removeprefix(images.PATH).removesuffix(".svg")


def _strokes(name: str) -> Markup:
    """What is inside the drawing's own element. It is a file of ours, so it is markup."""
    _, _, inner = (images.svg(name) or "").partition(">")
    return Markup(inner.rpartition("</svg>")[0])  # noqa: S704
