"""A CSV file of records: one row each, with a column for each field. Pure.

Fields within others are named with a point (`price.amount`, `product.brand`), as are aspects, whose names are eBay's
own (`aspects.US Shoe Size`). Values of a list are separated by `|`.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from sluice.platform import csv_records
from sluice.platform.csv_records import BadRow, Form, Record
from sluice.platform.csv_text import is_formula
from sluice.platform.http.errors import FieldError
from sluice.platform.imports.sheet import MOST_ROWS

ASPECT: Final = "aspects."
BETWEEN: Final = "|"
COLUMNS: Final = (
    *("sku", "marketplace", "language", "status", "title", "subtitle", "description", "condition"),
    *("conditionDescription", "category", "images", "product.brand", "product.mpn", "product.upc", "product.ean"),
    *("product.isbn", "product.epid", "price.amount", "price.currency", "quantity", "policies.fulfillment"),
    *("policies.payment", "policies.return", "location", "bestOffer.accept", "bestOffer.decline", "autoPromote"),
    *("adRate", "group"),
)
REQUIRED: Final = ("sku", "title", "price.amount", "quantity")
LISTS: Final = ("images", "product.upc", "product.ean", "product.isbn")
POLICIES: Final = ("policies.fulfillment", "policies.payment", "policies.return")
# Words that a person may write in any case, as in every file: these stand in capitals in a record.
CAPITALS: Final = ("marketplace", "condition", "price.currency")
MOST_CHARACTERS: Final = 100_000
_WHOLE: Final = r"-?[0-9]{1,9}"
_TRUE: Final = ("true", "yes", "1")
_FALSE: Final = ("false", "no", "0")
_known = csv_records.names_of(COLUMNS)


def _named(cell: str) -> str:
    """The column that a header's cell names. Aspects keep their spelling: eBay's names are case sensitive."""
    name = cell.strip()
    if name.lower().startswith(ASPECT) and len(name) > len(ASPECT):
        return ASPECT + name[len(ASPECT) :].strip()
    return _known(cell)


FORM: Final = Form((*COLUMNS, f"{ASPECT}<name>"), REQUIRED, _named, MOST_ROWS, MOST_CHARACTERS)


def read(data: bytes) -> Iterator[tuple[int, dict[str, Any]] | BadRow]:
    """Each row's line, and the document that it describes, unchecked but for what is CSV's own.

    Raises:
        NoFile: the file as a whole cannot be read.
    """
    for one in csv_records.read(data, FORM):
        yield one if isinstance(one, BadRow) else _row(one)


def _row(record: Record) -> tuple[int, dict[str, Any]] | BadRow:
    wrong = [FieldError(name, why) for name, cell in record.cells.items() if (why := _bad(name, cell))]
    if wrong:
        return BadRow(record.number, tuple(wrong))
    doc: dict[str, Any] = {}
    for name, cell in record.cells.items():
        if text := cell.strip():
            _put(doc, name, _value(name, text))
    return record.number, doc


def _bad(name: str, cell: str) -> str | None:
    """What is wrong with the cell, whatever it is about."""
    if why := csv_records.unreadable(cell):
        return why
    text = cell.strip()
    if name == "quantity" and text and not re.fullmatch(_WHOLE, text):
        return "must be a whole number"
    if name == "autoPromote" and text and text.lower() not in (*_TRUE, *_FALSE):
        return "must be true or false"
    if is_formula(cell) and not re.fullmatch(_WHOLE, text):
        return "begins with = + - @ or a tab, as a spreadsheet's formula does"
    return None


def _value(name: str, text: str) -> Any:
    if name in LISTS or name.startswith(ASPECT):
        return [one.strip() for one in text.split(BETWEEN) if one.strip()]
    if name in POLICIES:
        return {"id": text} if text.isascii() and text.isdigit() else {"name": text}
    if name == "quantity":
        return int(text)
    if name == "autoPromote":
        return text.lower() in _TRUE
    if name in CAPITALS:
        return text.upper()
    return text.lower() if name == "status" else text


def _put(doc: dict[str, Any], name: str, value: Any) -> None:
    """An aspect's own name may hold points."""
    inside, point, field = name.partition(".")
    if point:
        doc.setdefault(inside, {})[field] = value
    else:
        doc[name] = value
