"""Tables: sortable by a click on a heading, downloadable as CSV, a card for each row on a phone."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from markupsafe import Markup

from sluice.dashboard.html import Child, element, join
from sluice.dashboard.parts import NONE, duration, link, moment, money, number, word
from sluice.dashboard.visit import Visit

Row = Mapping[str, Any]
# What a spreadsheet would run as a formula begins so.
_RUNS: Final = ("=", "+", "-", "@", "\t", "\r")


class Column(NamedTuple):
    """One column.

    value: what it is sorted by and what stands in the CSV; None for a column of buttons, which is neither.
    cell: how it looks; by default the value.
    """

    label: str
    value: Callable[[Row], str | int | float | None] | None
    cell: Callable[[Row], Child] | None = None


def text(label: str, name: str) -> Column:
    """What the row has under `name`, as it is."""
    return Column(label, lambda row: row.get(name))


def time(label: str, name: str) -> Column:
    """A time that the row has under `name`."""
    return Column(label, lambda row: row.get(name), lambda row: moment(row.get(name)))


def took(label: str, name: str) -> Column:
    """A duration that the row has under `name`, in ms."""
    return Column(label, lambda row: row.get(name), lambda row: duration(row.get(name)))


def amount(label: str, name: str) -> Column:
    """An amount of money that the row has under `name`, in its `currency`."""
    return Column(label, lambda row: number(row[name]), lambda row: money(row, name))


def state(label: str, name: str) -> Column:
    """A state that the row has under `name`, as a coloured word."""
    return Column(label, lambda row: row.get(name), lambda row: word(str(row[name]).lower()) if row.get(name) else None)


class Table(NamedTuple):
    """A table.

    columns: by the names that a sort is asked for by. empty: what to say, and what to do, when there is no row.
    name: of one that is not the only one of its page, by which it is sorted and downloaded.
    """

    visit: Visit
    columns: Mapping[str, Column]
    rows: Sequence[Row]
    caption: str
    empty: Child
    name: str = ""

    def html(self) -> Markup:
        """The table with its download."""
        if not self.rows:
            return element("p", self.empty, class_="empty")
        head = element("thead", element("tr", [self._heading(name) for name in self.columns]))
        body = element("tbody", [self._row(row) for row in self._ordered()])
        whole = element("table", element("caption", self.caption), head, body)
        asked = {**self.visit.query, "format": "csv", "table": self.name}
        download = link(["Download as CSV", _hidden(f": {self.caption}")], self.visit.here, asked)
        return join(
            [
                element("div", whole, class_="scroll", tabindex="0", role="region", aria_label=self.caption),
                element("p", download, class_="download"),
            ]
        )

    def csv(self) -> str:
        """The same as CSV. A cell that a spreadsheet would run as a formula begins with an apostrophe."""
        written = io.StringIO()
        writer = csv.writer(written)
        told = [column for column in self.columns.values() if column.value]
        writer.writerow([column.label for column in told])
        for row in self._ordered():
            writer.writerow([_harmless(column.value(row)) for column in told if column.value])
        return written.getvalue()

    @property
    def is_sorted(self) -> bool:
        """Whether the page's query asks for an order of it."""
        return self._order()[0] is not None

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

    @property
    def _sort(self) -> str:
        return f"{self.name}.sort" if self.name else "sort"

    def _order(self) -> tuple[str | None, bool]:
        wanted = self.visit.query.get(self._sort, "")
        name = wanted.removeprefix("-")
        return (name, wanted.startswith("-")) if name in self.columns else (None, False)

    def _heading(self, name: str) -> Markup:
        column, (by, descending) = self.columns[name], self._order()
        if column.value is None:
            return element("th", column.label, scope="col")
        turned = f"-{name}" if by == name and not descending else name
        order = ("descending" if descending else "ascending") if by == name else None
        leads = link(column.label, self.visit.here, {**self.visit.query, self._sort: turned})
        return element("th", leads, scope="col", aria_sort=order)

    def _row(self, row: Row) -> Markup:
        return element("tr", [element("td", _cell(one, row), data_label=one.label) for one in self.columns.values()])


def _cell(column: Column, row: Row) -> Child:
    shown = column.cell(row) if column.cell else column.value(row) if column.value else None
    return NONE if shown is None else shown


def _hidden(words: str) -> Markup:
    """What only a screen reader says: several downloads of one page have several names."""
    return element("span", words, class_="unseen")


def _harmless(value: str | int | float | None) -> str | int | float:
    if isinstance(value, str) and value.startswith(_RUNS):
        return f"'{value}"
    return "" if value is None else value
