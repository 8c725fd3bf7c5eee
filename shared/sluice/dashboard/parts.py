"""What pages are made of: tiles, tables, times, meters, sparklines, forms."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from markupsafe import Markup

from sluice.dashboard.html import Child, element, join
from sluice.dashboard.visit import Visit

Row = Mapping[str, Any]
# Where there is nothing to show.
NONE: Final = "\N{EN DASH}"


@dataclass(frozen=True)
class Column:
    """One column. value: what it is sorted by and what stands in the CSV. cell: how it looks; by default the value."""

    label: str
    value: Callable[[Row], str | int | float | None]
    cell: Callable[[Row], Child] | None = None


def table(visit: Visit, columns: Mapping[str, Column], rows: Sequence[Row], *, empty: Child, caption: str) -> Markup:
    """A table that can be sorted by each column, and taken as CSV.

    empty: what to say, and what to do, when there is nothing.
    """
    if not rows:
        return element("p", empty, class_="empty")
    by, descending = _order(visit, columns)
    head = [_heading(visit, name, column, by, descending) for name, column in columns.items()]
    body = [
        element("tr", [element("td", _cell(column, row), data_label=column.label) for column in columns.values()])
        for row in ordered(visit, columns, rows)
    ]
    download = link("Download as CSV", visit.here, {**visit.query, "format": "csv"})
    return join(
        [
            element(
                "div",
                element(
                    "table", element("caption", caption), element("thead", element("tr", head)), element("tbody", body)
                ),
                class_="scroll",
                tabindex="0",
                role="region",
                aria_label=caption,
            ),
            element("p", download, class_="download"),
        ]
    )


def as_csv(visit: Visit, columns: Mapping[str, Column], rows: Sequence[Row]) -> str:
    """The same table as CSV. A cell that a spreadsheet would run as a formula begins with an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([column.label for column in columns.values()])
    for row in ordered(visit, columns, rows):
        writer.writerow([_harmless(column.value(row)) for column in columns.values()])
    return text.getvalue()


def ordered(visit: Visit, columns: Mapping[str, Column], rows: Sequence[Row]) -> list[Row]:
    """The rows by the column that the page's query names; as they came if it names none."""
    by, descending = _order(visit, columns)
    if by is None:
        return list(rows)
    value = columns[by].value
    known = [row for row in rows if value(row) is not None]
    unknown = [row for row in rows if value(row) is None]
    numbers = all(isinstance(value(row), int | float) for row in known)
    found = sorted(known, key=(value if numbers else lambda row: str(value(row)).casefold()), reverse=descending)  # type: ignore[arg-type]
    return found + unknown


def link(label: Child, path: str, query: Mapping[str, str] | None = None, **attributes: Any) -> Markup:
    """A link to a page of the dashboard."""
    return element("a", label, href=address(path, query), **attributes)


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


def word(text: str, kind: str = "") -> Markup:
    """A state as a coloured word. The colour only repeats what the word says."""
    return element("span", text.replace("_", " "), class_=f"word {kind or text}")


def tile(label: str, value: Child, *, kind: str = "", to: str | None = None) -> Markup:
    """A number with what it counts."""
    inner = [element("span", value, class_="value"), element("span", label, class_="label")]
    return link(inner, to, class_=f"tile {kind}") if to else element("div", inner, class_=f"tile {kind}")


def gauge(used: int, limit: int, label: str) -> Markup:
    """How much of a limit is used."""
    return element(
        "meter", f"{used} of {limit}", min=0, max=limit, value=min(used, limit), high=0.9 * limit, aria_label=label
    )


def sparkline(values: Sequence[int], label: str) -> Markup:
    """Numbers over time as a small line. What it shows stands in words beside it for whoever does not see it."""
    if not values:
        return Markup("")
    most, last = max(1, *values), max(1, len(values) - 1)
    points = " ".join(f"{100 * place / last:.1f},{23 - 21 * value / most:.1f}" for place, value in enumerate(values))
    told = f"{label}: {', '.join(map(str, values))}"
    return element(
        "svg",
        element("title", told),
        element("polyline", points=points, fill="none", stroke="currentColor", stroke_width="2"),
        viewBox="0 0 100 24",
        role="img",
        class_="spark",
        preserveAspectRatio="none",
    )


def form(
    visit: Visit, path: str, *children: Child, hidden: Mapping[str, str | None] | None = None, **attributes: Any
) -> Markup:
    """A form that does something. It carries the key of the session, and leads back to this page."""
    held = {"form_key": visit.session.form_key, "back": address(visit.here, visit.query), **(hidden or {})}
    inputs = [element("input", type="hidden", name=name, value=value) for name, value in held.items() if value]
    return element("form", inputs, children, method="post", action=path, **attributes)


def button(label: str, *, name: str | None = None, value: str | None = None, kind: str = "") -> Markup:
    """A button that sends its form."""
    return element("button", label, type="submit", name=name, value=value, class_=kind or None)


def select(name: str, label: str, options: Iterable[str], chosen: str | None) -> Markup:
    """A choice, with *any* first."""
    made = [element("option", "any", value="")]
    made += [element("option", one, value=one, selected=one == chosen) for one in options]
    return element("label", label, element("select", made, name=name))


def field(name: str, label: str, value: str | None, wrong: str | None = None, **attributes: Any) -> Markup:
    """A text to fill in, with what is wrong with it."""
    told = element("span", wrong, class_="wrong", id=f"wrong-{name}") if wrong else None
    return element(
        "label",
        label,
        element(
            "input",
            type="text",
            name=name,
            value=value or "",
            aria_invalid="true" if wrong else None,
            aria_describedby=f"wrong-{name}" if wrong else None,
            **attributes,
        ),
        told,
    )


def facts(found: Mapping[str, Child]) -> Markup:
    """Names and values below each other."""
    return element("dl", [[element("dt", name), element("dd", value)] for name, value in found.items()])


def section(title: str, *children: Child) -> Markup:
    """A part of a page with a heading."""
    return element("section", element("h2", title), children)


def next_page(visit: Visit, cursor: str | None) -> Markup | None:
    """The link to what comes after."""
    if cursor is None:
        return None
    return element("p", link("Next page", visit.here, {**visit.query, "cursor": cursor}, rel="next"))


def _order(visit: Visit, columns: Mapping[str, Column]) -> tuple[str | None, bool]:
    wanted = visit.query.get("sort", "")
    name = wanted.removeprefix("-")
    return (name, wanted.startswith("-")) if name in columns else (None, False)


def _heading(visit: Visit, name: str, column: Column, by: str | None, descending: bool) -> Markup:
    turned = f"-{name}" if by == name and not descending else name
    order = ("descending" if descending else "ascending") if by == name else None
    return element("th", link(column.label, visit.here, {**visit.query, "sort": turned}), scope="col", aria_sort=order)


def _cell(column: Column, row: Row) -> Child:
    shown = column.cell(row) if column.cell else column.value(row)
    return NONE if shown is None else shown


def _harmless(value: str | int | float | None) -> str | int | float:
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return "" if value is None else value
