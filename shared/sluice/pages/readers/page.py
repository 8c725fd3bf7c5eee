"""A parsed page, and what several readers look up in it."""

import html
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from sluice.pages.readers import loose_json
from sluice.platform import html_guard

# Scripts and attributes that are longer are no shop's data of one product.
MOST_SCRIPT = 4_000_000


class PageSource:
    """The page at `url` (in normal form), parsed when it is first looked into.

    Raises:
        TooComplex: it would stall the parser.
    """

    def __init__(self, url: str, text: str) -> None:
        html_guard.check(text)
        self.url = url
        self.text = text

    @cached_property
    def tree(self) -> LexborHTMLParser:
        """The parsed page."""
        return LexborHTMLParser(self.text)

    def first(self, selector: str) -> LexborNode | None:
        """The first element that matches."""
        return self.tree.css_first(selector)

    def attribute(self, selector: str, name: str) -> str:
        """An attribute of the first element that matches; empty where there is none."""
        found = self.first(selector)
        return (found.attributes.get(name) or "").strip() if found else ""

    def meta(self, *names: str) -> str:
        """The content of the first `meta` element that has one of these names or properties."""
        return next((self._metas[name] for name in names if self._metas.get(name)), "")

    @cached_property
    def _metas(self) -> dict[str, str]:
        found = dict[str, str]()
        for node in self.tree.css("meta"):
            name, content = (
                node.attributes.get("property") or node.attributes.get("name"),
                node.attributes.get("content"),
            )
            if name and content:
                found.setdefault(name.strip().lower(), content.strip())
        return found

    @cached_property
    def scripts(self) -> list[tuple[str, str]]:
        """The type and text of each script that stands in the page itself."""
        return [
            ((node.attributes.get("type") or "").partition(";")[0].strip().lower(), text)
            for node in self.tree.css("script")
            if len(text := node.text(deep=True) or "") <= MOST_SCRIPT and text.strip()
        ]

    @cached_property
    def json_ld(self) -> list[Any]:
        """Every value of every JSON-LD block that can be read."""
        blocks = [text for kind, text in self.scripts if kind == "application/ld+json"]
        return [value for block in blocks for value in loose_json.values(block)]

    def assigned(self, pattern: str) -> Iterator[Any]:
        """The values that begin where `pattern` ends, in each script that has it: `var BCData = {…}`."""
        for _, text in self.scripts:
            if found := re.search(pattern, text):
                yield loose_json.value_at(text, found.end())

    @cached_property
    def title(self) -> str:
        """What the page calls itself."""
        heading = self.first("h1")
        own = self.meta("og:title") or (heading.text(strip=True) if heading else "")
        title = self.first("title")
        return squeeze(own or (title.text() if title else ""))

    @cached_property
    def canonical(self) -> str:
        """The page's own link to itself, as it stands there."""
        return self.attribute('link[rel~="canonical"]', "href") or self.meta("og:url")


def squeeze(text: Any) -> str:
    """A text of a page or of its data in one line, without entities; empty for what is no text."""
    return " ".join(html.unescape(text).split()) if isinstance(text, str) else ""


def identity(value: Any) -> str:
    """An id as text: ids come as numbers and as texts."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value).strip()[:100]


def gtin(value: Any) -> str:
    """A GTIN (EAN, UPC): 8 to 14 digits with a right check digit; else empty."""
    digits = identity(value).replace("-", "").replace(" ", "")
    if not re.fullmatch(r"[0-9]{8}|[0-9]{12,14}", digits, re.ASCII):
        return ""
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(digits[:-1]), 1))
    return digits if (total + int(digits[-1])) % 10 == 0 else ""


def flag(value: Any) -> bool | None:
    """A truth value as shops write it; None where it is none of both."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str | int):
        return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}.get(str(value).lower())
    return None


def mapping(value: Any) -> dict[str, Any]:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    """`value` as a list: itself, alone in one, or none."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
