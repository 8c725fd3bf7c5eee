"""What pages are made of: links, times, words, tiles, facts. `table`, `forms` and `charts` have the larger parts."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from urllib.parse import urlencode

from markupsafe import Markup

from sluice.dashboard.html import Child, element
from sluice.platform.money import plain

# Where there is nothing to show.
NONE: Final = "\N{EN DASH}"


def link(label: Child, path: str, query: Mapping[str, str] | None = None, **attributes: Any) -> Markup:
    """A link to a page of the dashboard."""
    return element("a", label, href=address(path, query), **attributes)


def outside(url: str, label: Child = None) -> Child:
    """A link to a page elsewhere, which a user named: followed by a click alone, and told nothing of us."""
    if not url.startswith(("https://", "http://")):
        return label or url
    return element("a", label or url, href=url, rel="noreferrer noopener external")


def breakable(name: str) -> Child:
    """A long id, which a narrow column may break behind its colons."""
    *first, last = name.split(":")
    return [*([f"{piece}:", Markup("<wbr>")] for piece in first), last]


def address(path: str, query: Mapping[str, str] | None = None) -> str:
    """The address of a page."""
    asked = urlencode({name: value for name, value in (query or {}).items() if value})
    return f"{path}?{asked}" if asked else path


def moment(text: str | None) -> Child:
    """A time. Without script it is UTC; the script shows the viewer's zone, and UTC on hover."""
    if not text:
        return NONE
    utc = datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M:%S UTC")
    return element("time", utc, datetime=text, title=utc)


def duration(ms: int | None) -> str:
    """A duration in the largest unit that fits."""
    if ms is None:
        return NONE
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000)):
        if ms >= size:
            return f"{ms / size:.3g} {unit}"
    return f"{ms} ms"


def number(amount: str | None) -> float | None:
    """An amount of money as a number, to be sorted by."""
    return float(amount) if amount else None


def exact(amount: str) -> str:
    """An amount that somebody wrote, as the API writes it; what is none stays as it is."""
    try:
        return plain(Decimal(amount))
    except (InvalidOperation, ValueError):
        return amount


def money(row: Mapping[str, Any], name: str) -> str | None:
    """The amount that `row` has under `name`, with its currency."""
    return f"{row[name]} {row['currency'] or ''}".strip() if row[name] else None


def word(text: str, kind: str = "") -> Markup:
    """A state as a coloured word. The colour only repeats what the word says."""
    return element("span", text.replace("_", " "), class_=f"word {kind or text}")


def tile(label: str, value: Child, *, kind: str = "", to: str | None = None) -> Markup:
    """A number with what it counts."""
    inner = [element("span", value, class_="value"), element("span", label, class_="label")]
    return link(inner, to, class_=f"tile {kind}") if to else element("div", inner, class_=f"tile {kind}")


def facts(found: Mapping[str, Child]) -> Markup:
    """Names and values below each other."""
    return element("dl", [[element("dt", name), element("dd", value)] for name, value in found.items()])


def section(title: str, *children: Child) -> Markup:
    """A part of a page with a heading."""
    return element("section", element("h2", title), children)


def as_json(found: Any) -> Markup:
    """What has no form of its own, as the API has it."""
    return element("pre", json.dumps(found, indent=2, ensure_ascii=False), tabindex="0")


def documents(summary: str, whole: Mapping[str, Any]) -> Markup:
    """Documents with all that they say, behind a click; those that there are, each below its name."""
    told = [[element("h3", label), as_json(found)] for label, found in whole.items() if found]
    return element("details", element("summary", summary), told)
