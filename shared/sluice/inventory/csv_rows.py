"""A CSV file of items, read row by row: what is wrong with a row costs that row alone. Pure.

Python's reader does the parsing. It is given the lines of one record at a time, because a quote that is never closed
would make the rest of the file one field: what is no record is refused by the line on which it begins, and the reader
goes on with the next line.
"""

import csv
import io
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sluice.inventory.rules import MOST_ROWS, Raw, is_formula
from sluice.platform import money
from sluice.platform.http.errors import FieldError

COLUMNS: Final = ("sku", "size", "sizeSystem", "marketplaces", "cost", "currency", "category")
REQUIRED: Final = ("sku", "size")
# With blank lines among the rows. What is longer is not read to its end.
MOST_LINES: Final = 2 * MOST_ROWS
# Of one record. What opens a quote and does not close it is read again from its second line on: a line is read at most
# as often as a record may have lines.
MOST_RECORD_CHARACTERS: Final = 1_000
MOST_RECORD_LINES: Final = 100
_OPEN_QUOTE: Final = f"opens a quote and does not close it within {MOST_RECORD_LINES} lines"
BETWEEN_MARKETPLACES: Final = "|"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
# What is left of a byte that is not UTF-8: Python's mark for it, or the one that a gateway puts in its place.
_UNREADABLE = re.compile("[\udc80-\udcff\ufffd]")


class NoFile(Exception):  # noqa: N818 - an answer to the caller
    """The file as a whole cannot be taken; nothing of it was."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")
        self.line, self.message = line, message


@dataclass(frozen=True)
class Row:
    """What a row says, unchecked but for what is CSV's own. number: the line on which it begins."""

    number: int
    raw: Raw


@dataclass(frozen=True)
class BadRow:
    """Why a row is refused, field by field; field `row` where it is the row as a whole."""

    number: int
    fields: tuple[FieldError, ...]


def read(data: bytes) -> Iterator[Row | BadRow]:
    """Every row of the file, in its order, the blank ones left out.

    Raises:
        NoFile: its header is wrong, it is UTF-16, or too long. Rows that came before are of no use then.
    """
    if data.startswith(_UTF_16):
        raise NoFile(1, "the file is UTF-16; save it as CSV UTF-8")
    records = _records(_Lines(data))
    columns = _header(next(records, None))
    for count, (number, cells) in enumerate(records):
        if count == MOST_ROWS:
            raise NoFile(number, f"a file has at most {MOST_ROWS} rows; send the rest as another one")
        yield BadRow(number, (FieldError("row", cells),)) if isinstance(cells, str) else _row(number, columns, cells)


def _header(record: "tuple[int, list[str] | str] | None") -> list[str]:
    expected = f"the header names the columns, separated by commas: {', '.join(COLUMNS)}"
    if record is None:
        raise NoFile(1, f"the file is empty; {expected}")
    line, cells = record
    if isinstance(cells, str):
        raise NoFile(line, f"{cells}; {expected}")
    known = {column.lower(): column for column in COLUMNS}
    names = [known.get(cell.strip(" ").lower(), "") for cell in cells]
    if "" in names:
        raise NoFile(line, f"column {names.index('') + 1} is not known; {expected}")
    if twice := [name for name in COLUMNS if names.count(name) > 1]:
        raise NoFile(line, f"the column {twice[0]} is there twice")
    if missing := [name for name in REQUIRED if name not in names]:
        raise NoFile(line, f"the column {missing[0]} is missing; {expected}")
    return names


def _row(number: int, columns: Sequence[str], cells: Sequence[str]) -> Row | BadRow:
    if len(cells) != len(columns):
        return BadRow(number, (FieldError("row", f"has {len(cells)} cells; the header has {len(columns)}"),))
    wrong = [
        FieldError(name, problem) for name, cell in zip(columns, cells, strict=True) if (problem := _bad(name, cell))
    ]
    if wrong:
        return BadRow(number, tuple(wrong))
    said = {name: text for name, cell in zip(columns, cells, strict=True) if (text := cell.strip(" "))}
    names = said.get("marketplaces")
    return Row(
        number,
        Raw(
            sku=said.get("sku", ""),
            size=said.get("size", ""),
            size_system=said.get("sizeSystem"),
            marketplaces=[name.strip(" ") for name in names.split(BETWEEN_MARKETPLACES)] if names else None,
            cost=said.get("cost"),
            currency=said.get("currency"),
            category=said.get("category"),
        ),
    )


def _bad(column: str, cell: str) -> str | None:
    """What is wrong with the cell, whatever it is about."""
    if _UNREADABLE.search(cell):
        return "is not UTF-8; save the file as CSV UTF-8"
    negative = column == "cost" and money.is_decimal(cell.strip(" "))  # a cost below zero is refused as that
    if is_formula(cell) and not negative:
        return "begins with = + - @ or a tab, as a spreadsheet's formula does"
    return None


class _TooLong(Exception):  # noqa: N818 - an answer
    """The record goes on for longer than any can."""


class _Lines(Iterator[str]):
    """The lines of a file, one by one, with their ends. Those of one record can be read again."""

    def __init__(self, data: bytes) -> None:
        self._file = io.TextIOWrapper(io.BytesIO(data), "utf-8-sig", errors="surrogateescape", newline="")
        self._again = deque[str]()
        self._record: list[str] = []
        self._characters = 0  # of the record so far
        self.number = 0

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._file.readline()
        if not line:
            raise StopIteration
        self.number += 1
        self._record.append(line)
        self._characters += len(line)
        if self._characters > MOST_RECORD_CHARACTERS or len(self._record) > MOST_RECORD_LINES:
            raise _TooLong
        return line

    def begin(self) -> int:
        """A record begins; returns the number of its first line."""
        self._record.clear()
        self._characters = 0
        return self.number + 1

    def only_the_first(self) -> bool:
        """Whether the record has one line so far. The others are given back, to be read as records of their own."""
        first, rest = self._record[:1], self._record[1:]
        self._again.extendleft(reversed(rest))
        self.number -= len(rest)
        self._record = first
        return not rest


def _records(lines: _Lines) -> Iterator[tuple[int, list[str] | str]]:
    """The line and the cells of each record; in place of the cells, why it is none. Blank ones are left out."""
    reader = csv.reader(lines, strict=True)
    while True:
        number = lines.begin()
        if number > MOST_LINES + 1:
            raise NoFile(number, f"a file has at most {MOST_LINES} lines")
        try:
            cells = next(reader)
        except StopIteration:
            return
        except _TooLong:
            long = lines.only_the_first()
            yield number, f"has more than {MOST_RECORD_CHARACTERS} characters" if long else _OPEN_QUOTE
        except csv.Error as error:
            open_quote = "end of data" in str(error)
            lines.only_the_first()
            yield number, _OPEN_QUOTE if open_quote else f"is not CSV: {error}"
        else:
            if any(cell.strip(" ") for cell in cells):
                yield number, cells
