"""A CSV file as records, read one by one: what is wrong with a record costs that record alone. Pure.

Python's reader does the parsing. It is given the lines of one record at a time, because a quote that is never closed
would make the rest of the file one field: what is no record is refused by the line on which it begins, and the reader
goes on with the next line.
"""

import csv
import io
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from sluice.platform import csv_text
from sluice.platform.csv_text import DELIMITERS, NoFile, folded
from sluice.platform.http.errors import FieldError

# What opens a quote and does not close it is read again from its second line on: a line is read at most as often as a
# record may have lines.
MOST_RECORD_LINES: Final = 100
# Of a name that is shown to whoever misspelt it.
MOST_SHOWN: Final = 40
_OPEN_QUOTE: Final = f"opens a quote and does not close it within {MOST_RECORD_LINES} lines"
# What is left of a byte that cannot be read: Python's mark for it, or the one that a gateway puts in its place.
_UNREADABLE = "[\udc80-\udcff\ufffd]"


class Form(NamedTuple):
    """What a file of some kind looks like.

    columns: those that are known, in the order in which they are told. required: those that must be there.
    named: the column that a header's cell names; empty for none. most_rows: of a file; with blank lines among them,
    twice as many lines. most_characters: of one record.
    """

    columns: Sequence[str]
    required: Sequence[str]
    named: Callable[[str], str]
    most_rows: int
    most_characters: int


class Record(NamedTuple):
    """The cells of a row that are not empty, by column. number: the line on which it begins."""

    number: int
    cells: dict[str, str]


class BadRow(NamedTuple):
    """Why a row is refused, field by field; field `row` where it is the row as a whole."""

    number: int
    fields: tuple[FieldError, ...]


def names_of(columns: Sequence[str]) -> Callable[[str], str]:
    """What tells these columns by their names, however they are written."""
    known = {folded(column): column for column in columns}
    return lambda cell: known.get(folded(cell), "")


def read(data: bytes, form: Form) -> Iterator[Record | BadRow]:
    """Every row of the file, in its order, the blank ones left out.

    Raises:
        NoFile: its header is wrong, it is no text, or too long. Rows that came before are of no use then.
    """
    lines = _Lines(csv_text.open_text(data), form.most_characters)
    dialect = csv_text.dialect(lines.peek(), {folded(column) for column in form.columns})
    if dialect.delimiter not in DELIMITERS:
        raise NoFile(1, "sep= must name a comma, a semicolon or a tab")
    if dialect.directive:
        lines.skip()
    records = _records(lines, dialect.delimiter, 2 * form.most_rows)
    columns = _header(next(records, None), form)
    for count, (number, cells) in enumerate(records):
        if count == form.most_rows:
            raise NoFile(number, f"a file has at most {form.most_rows} rows; send the rest as another one")
        yield BadRow(number, (FieldError("row", cells),)) if isinstance(cells, str) else _row(number, columns, cells)


def unreadable(cell: str) -> str | None:
    """What is wrong with a cell that is no text."""
    return "is not UTF-8; save the file as CSV UTF-8" if re.search(_UNREADABLE, cell) else None


def _header(record: "tuple[int, list[str] | str] | None", form: Form) -> list[str]:
    """The name of each column; empty for those that have none, of which no row may have a cell."""
    expected = f"the header names the columns, separated by commas, semicolons or tabs: {', '.join(form.columns)}"
    if record is None:
        raise NoFile(1, f"the file is empty; {expected}")
    line, cells = record
    if isinstance(cells, str):
        raise NoFile(line, f"{cells}; {expected}")
    names = []
    for number, cell in enumerate(cells, 1):
        name = form.named(cell)
        if not name and cell.strip():
            shown = "".join(letter if letter.isprintable() else "?" for letter in cell.strip()[:MOST_SHOWN])
            raise NoFile(line, f"column {number} is not known ({shown}); {expected}")
        names.append(name)
    if twice := [name for name in dict.fromkeys(names) if name and names.count(name) > 1]:
        raise NoFile(line, f"the column {twice[0]} is given twice")
    if missing := [name for name in form.required if name not in names]:
        raise NoFile(line, f"the column {missing[0]} is missing; {expected}")
    return names


def _row(number: int, columns: Sequence[str], cells: Sequence[str]) -> Record | BadRow:
    """Cells that are missing at the end are empty, and empty ones beyond the last column are none."""
    for place, cell in enumerate(cells):
        if cell.strip() and not (place < len(columns) and columns[place]):
            why = f"has a cell in column {place + 1}, which the header does not name"
            return BadRow(number, (FieldError("row", why),))
    return Record(number, {name: cell for name, cell in zip(columns, cells, strict=False) if name})


class _TooLong(Exception):  # noqa: N818 - an answer
    """The record goes on for longer than any can."""


class _Lines(Iterator[str]):
    """The lines of a file, one by one, with their ends. Those of one record can be read again."""

    def __init__(self, text: io.TextIOWrapper, most_characters: int) -> None:
        self._file = text
        self._most = most_characters
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
        if self._characters > self._most or len(self._record) > MOST_RECORD_LINES:
            raise _TooLong
        return line

    @property
    def most(self) -> int:
        """How many characters a record may have."""
        return self._most

    def peek(self) -> str:
        """The first line that is not blank, or as much of it as a record may have. Nothing is taken away."""
        while len(self._again) < MOST_RECORD_LINES and (line := self._file.readline()):
            self._again.append(line)
            if line.strip():
                return line[: self._most]
        return ""

    def skip(self) -> None:
        """Pass over everything up to the first line that is not blank, and over that line."""
        while self._again:
            self.number += 1
            if self._again.popleft().strip():
                return

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


def _records(lines: _Lines, delimiter: str, most_lines: int) -> Iterator[tuple[int, list[str] | str]]:
    """The line and the cells of each record; in place of the cells, why it is none. Blank ones are left out."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        number = lines.begin()
        if number > most_lines + 1:
            raise NoFile(number, f"a file has at most {most_lines} lines")
        try:
            cells = next(reader)
        except StopIteration:
            return
        except _TooLong:
            long = lines.only_the_first()
            yield number, f"has more than {lines.most} characters" if long else _OPEN_QUOTE
        except csv.Error as error:
            open_quote = "end of data" in str(error)
            lines.only_the_first()
            yield number, _OPEN_QUOTE if open_quote else f"is not CSV: {error}"
        else:
            if any(cell.strip(" ") for cell in cells):
                yield number, cells
