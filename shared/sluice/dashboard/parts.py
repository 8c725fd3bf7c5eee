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
    """One column.

    value: what it is sorted by and what stands in the CSV; None for a column of buttons, which is neither.
    cell: how it looks; by default the value.
    """

    label: str
    value: Callable[[Row], str | int | float | None] | None
    cell: Callable[[Row], Child] | None = None


@dataclass(frozen=True)
class Table:
    """A table that can be sorted by each column, and taken as CSV.

    columns: by the names that a sort is asked for by. empty: what to say, and what to do, when there is no row.
    """

    visit: Visit
    columns: Mapping[str, Column]
    rows: Sequence[Row]
    caption: str
    empty: Child

    def html(self) -> Markup:
        """The table with its download."""
        if not self.rows:
            return element("p", self.empty, class_="empty")
        head = element("thead", element("tr", [self._heading(name) for name in self.columns]))
        body = element("tbody", [self._row(row) for row in self._ordered()])
        whole = element("table", element("caption", self.caption), head, body)
        download = link("Download as CSV", self.visit.here, {**self.visit.query, "format": "csv"})
        return join(
            [
                element("div", whole, class_="scroll", tabindex="0", role="region", aria_label=self.caption),
                element("p", download, class_="download"),
            ]
        )

    def csv(self) -> str:
        """The same as CSV. A cell that a spreadsheet would run as a formula begins with an apostrophe."""
        text = io.StringIO()
        writer = csv.writer(text)
        told = {column.label: column.value for column in self.columns.values() if column.value}
        writer.writerow(told)
        for row in self._ordered():
            writer.writerow([_harmless(value(row)) for value in told.values()])
        return text.getvalue()

    def _ordered(self) -> list[Row]:
        """The rows by the column that the page's query names; as they came if it names none. Empty cells come last."""
        by, descending = self._order()
        value = self.columns[by].value if by else None
        if value is None:
            return list(self.rows)
        known = [row for row in self.rows if value(row) is not None]
        unknown = [row for row in self.rows if value(row) is None]
        numbers = all(isinstance(value(row), int | float) for row in known)
        key = value if numbers else lambda row: str(value(row)).casefold()
        return sorted(known, key=key, reverse=descending) + unknown  # type: ignore[arg-type]

    def _order(self) -> tuple[str | None, bool]:
        wanted = self.visit.query.get("sort", "")
        name = wanted.removeprefix("-")
        return (name, wanted.startswith("-")) if name in self.columns else (None, False)

    def _heading(self, name: str) -> Markup:
        column, (by, descending) = self.columns[name], self._order()
        if column.value is None:
            return element("th", column.label, scope="col")
        turned = f"-{name}" if by == name and not descending else name
        order = ("descending" if descending else "ascending") if by == name else None
        leads = link(column.label, self.visit.here, {**self.visit.query, "sort": turned})
        return element("th", leads, scope="col", aria_sort=order)

    def _row(self, row: Row) -> Markup:
        return element("tr", [element("td", _cell(one, row), data_label=one.label) for one in self.columns.values()])


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


def filters(visit: Visit, *inputs: Child, label: str = "Filter") -> Markup:
    """A form that looks for something. What was asked for stands in the address afterwards."""
    tenant = [element("input", type="hidden", name="tenant", value=value) for value in visit.of_tenant().values()]
    sent = [button(label, kind="strong"), link("Clear", visit.here)]
    return element("form", tenant, inputs, sent, method="get", action=visit.here, class_="filter", role="search")


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


def _cell(column: Column, row: Row) -> Child:
    shown = column.cell(row) if column.cell else column.value(row) if column.value else None
    return NONE if shown is None else shown


def _harmless(value: str | int | float | None) -> str | int | float:
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return "" if value is None else value
