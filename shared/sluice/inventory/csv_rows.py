"""A CSV file of items, row by row: what is wrong with a row costs that row alone. Pure."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from sluice.inventory.rules import Raw
from sluice.platform import csv_records, money
from sluice.platform.csv_records import BadRow, Form, Record
from sluice.platform.csv_text import is_formula
from sluice.platform.http.errors import FieldError
from sluice.platform.imports.sheet import MOST_ROWS

COLUMNS: Final = ("sku", "size", "sizeSystem", "marketplaces", "cost", "currency", "category", "quantity")
# Of one row.
MOST_RECORD_CHARACTERS: Final = 1_000
FORM: Final = Form(COLUMNS, ("sku", "size"), csv_records.names_of(COLUMNS), MOST_ROWS, MOST_RECORD_CHARACTERS)
BETWEEN_MARKETPLACES: Final = "|"
_DECIMAL_COMMA = r"-?[0-9]{1,15},[0-9]{1,2}"


class CsvRow(NamedTuple):
    """What a row says, unchecked but for what is CSV's own. number: the line on which it begins."""

    number: int
    raw: Raw


def read(data: bytes) -> Iterator[CsvRow | BadRow]:
    """Every row of the file, in its order, the blank ones left out.

    Raises:
        NoFile: its header is wrong, it is no text, or too long. Rows that came before are of no use then.
    """
    return (one if isinstance(one, BadRow) else _row(one) for one in csv_records.read(data, FORM))


def _row(record: Record) -> CsvRow | BadRow:
    number, named = record.number, record.cells
    wrong = [FieldError(name, problem) for name, cell in named.items() if (problem := _bad(name, cell))]
    if wrong:
        return BadRow(number, tuple(wrong))
    said = {name: text for name, cell in named.items() if (text := cell.strip(" "))}
    names = said.get("marketplaces")
    return CsvRow(
        number,
        Raw(
            sku=said.get("sku", ""),
            size=said.get("size", ""),
            size_system=said.get("sizeSystem"),
            marketplaces=[name.strip(" ") for name in names.split(BETWEEN_MARKETPLACES)] if names else None,
            cost=said.get("cost"),
            currency=said.get("currency"),
            category=said.get("category"),
            quantity=said.get("quantity"),
        ),
    )


def _bad(column: str, cell: str) -> str | None:
    """What is wrong with the cell, whatever it is about."""
    if why := csv_records.unreadable(cell):
        return why
    if column == "cost" and re.fullmatch(_DECIMAL_COMMA, cell.strip(" ")):
        return f"has a decimal comma; write {cell.strip(' ').replace(',', '.')}"
    negative = column in ("cost", "quantity") and money.is_decimal(
        cell.strip(" ")
    )  # a number below zero is refused as that
    if is_formula(cell) and not negative:
        return "begins with = + - @ or a tab, as a spreadsheet's formula does"
    return None
