"""What an import brings to the records: one row each. Only requests that bring a file load this."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from sluice.listings.ebay import csv_rows, documents, taking
from sluice.listings.ebay.bodies import ImportRecords, RecordItem
from sluice.platform.csv_records import BadRow
from sluice.platform.http import body
from sluice.platform.http.errors import FieldError
from sluice.platform.http.models import check
from sluice.platform.http.routing import JSON
from sluice.platform.imports import sheet
from sluice.platform.imports.sheet import INDEX, LINE, Piece
from sluice.platform.imports.upload import row_problems
from sluice.platform.refused import Refused


@dataclass
class Sheet(sheet.Sheet):
    """The rows of one import of records."""

    _records: dict[str, Piece] = field(default_factory=dict)

    @property
    def pieces(self) -> Sequence[Piece]:
        """See `sheet.Sheet`. Each is the number of its row, and the record's document."""
        return list(self._records.values())

    def add(self, number: int, row: object) -> None:
        """Check the row, by every rule that asks for nothing that is stored, and keep it on its side."""
        try:
            item = RecordItem.model_validate(row)
            record = taking.record(item.document(item.sku))
        except ValidationError as wrong:
            self.refuse(number, row_problems(wrong))
        except Refused as refused:
            self.refuse(number, refused.fields)
        else:
            if record.sku in self._records:
                self.refuse(number, [FieldError("sku", "is given twice")])
            else:
                self._records[record.sku] = Piece([number, documents.document(record)])
                self.taken += 1


def read(data: bytes, media_type: str) -> Sheet:
    """The rows of an import.

    Raises:
        NoFile: a CSV file that cannot be taken as a whole. Invalid: a JSON body that cannot.
    """
    if media_type == JSON:
        found = Sheet(INDEX)
        for index, row in enumerate(check(ImportRecords, body.parse(data)).items):
            found.add(index, row)
        return found
    found = Sheet(LINE)
    for one in csv_rows.read(data):
        if isinstance(one, BadRow):
            found.refuse(one.number, one.fields)
        else:
            found.add(*one)
    return found
