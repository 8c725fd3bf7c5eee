"""Reading what is imported: a CSV file or a JSON list, row by row. Only requests that bring one load this."""

from pydantic import ValidationError

from sluice.inventory import csv_rows
from sluice.inventory.bodies import ImportItems, NewItem
from sluice.inventory.csv_rows import CsvRow
from sluice.inventory.sheet import Sheet
from sluice.platform.http import body
from sluice.platform.http.models import check
from sluice.platform.http.routing import JSON
from sluice.platform.imports.sheet import INDEX, LINE
from sluice.platform.imports.upload import row_problems


def read(data: bytes, media_type: str) -> Sheet:
    """The rows of an import.

    Raises:
        NoFile: a CSV file that cannot be taken as a whole.
        Invalid: a JSON body that cannot.
    """
    if media_type != JSON:
        sheet = Sheet(LINE)
        for row in csv_rows.read(data):
            sheet.add(row)
        return sheet
    sheet = Sheet(INDEX)
    for index, raw in enumerate(check(ImportItems, body.parse(data)).items):
        try:
            sheet.add(CsvRow(index, NewItem.model_validate(raw).raw()))
        except ValidationError as error:
            sheet.refuse(index, row_problems(error))
    return sheet
