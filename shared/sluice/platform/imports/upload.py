"""The routes of imports: what they accept, how a file or a row of it is refused, and how an import is found."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, TypeVar

from pydantic import ValidationError, WithJsonSchema

from sluice.platform import usage
from sluice.platform.config import live
from sluice.platform.http.errors import FieldError, Invalid, NotFound, Unavailable
from sluice.platform.http.models import problems
from sluice.platform.http.routing import HttpRequest, Upload
from sluice.platform.imports import report, table
from sluice.platform.imports.chunks import NotSent
from sluice.platform.imports.sheet import Sheet
from sluice.platform.imports.table import Import
from sluice.platform.observe import logger

S = TypeVar("S", bound=Sheet)

# How the document shows a CSV file.
_DESCRIPTION = "UTF-8 or UTF-16, with a header line; cells are separated by commas, semicolons or tabs"
CsvFile: Any = Annotated[str, WithJsonSchema({"type": "string", "description": _DESCRIPTION})]
# What programs call a CSV file; the last one is what a browser says where a spreadsheet program is installed.
CSV: Final = ("text/csv", "application/csv", "text/tab-separated-values", "application/vnd.ms-excel")


def read(request: HttpRequest[Upload, None], sheet_of: Callable[[bytes, str], S]) -> S:
    """What the request brings, read by `sheet_of` from its bytes and their media type.

    Raises:
        Invalid: it is no file, or has no row that is good.
    """
    from sluice.platform.csv_text import NoFile

    try:
        found = sheet_of(request.body.raw, request.body.media_type)
    except NoFile as refused:
        field = FieldError("body", f"line {refused.line}: {refused.message}")
        raise Invalid("file rejected; nothing was imported", fields=[field]) from None
    if not found.rows:
        raise Invalid("the file has no rows", fields=[FieldError("body", "has a header and no rows")])
    if not found.taken:
        told = report.told(found.refused)
        raise Invalid(
            "every row was refused; nothing was imported",
            fields=[FieldError(**one) for row in told for one in row["fields"]],
            more={"refused": told, "refusedRows": len(found.refused)},
        )
    return found


def row_problems(wrong: ValidationError) -> list[FieldError]:
    """Why a row is not taken. What is wrong with the whole of it is told of `row`: the body is the list."""
    return [one._replace(field="row") if one.field == "body" else one for one in problems(wrong)]


def begin(
    kind: str, request: HttpRequest[Upload, None], sheet: Sheet, rows: int, about: Mapping[str, str] | None = None
) -> Import:
    """Take the good rows of `sheet`. rows: how many things are asked for. about: as `table.begin`.

    Raises:
        TooMany: they are more than the tenant may ask for in this hour. Unavailable: the queue did not take all.
    """
    config, tenant = live.current(), request.tenant
    usage.charge(tenant, rows, request.now, config.tenants.allowed(tenant), requests=0)
    try:
        return table.begin(kind, tenant, request.body.raw, sheet, request.now, config.engine.retention_ms, about)
    except NotSent:
        logger.exception("an import could not be queued")
        raise Unavailable("not all rows could be queued; send the same file again to go on") from None


def find(kind: str, request: HttpRequest[None, None]) -> Import:
    """The import that the path names.

    Raises:
        NotFound: the tenant has none of this kind.
    """
    found = table.find(kind, request.tenant, request.path["import_id"])
    if found is None:
        raise NotFound.of("import", "importId")
    return found
