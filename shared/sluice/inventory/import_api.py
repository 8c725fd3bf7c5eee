"""The routes of imports: send many items at once, and see how far they are."""

from typing import Annotated, Any

from pydantic import WithJsonSchema

from sluice.inventory import imports, report
from sluice.inventory.bodies import ImportItems
from sluice.inventory.imports import ImportView
from sluice.inventory.messages import NotSent
from sluice.inventory.stock import STOCK
from sluice.platform import usage
from sluice.platform.config import live
from sluice.platform.http.auth import Permission
from sluice.platform.http.errors import FieldError, Invalid, NotFound, Unavailable
from sluice.platform.http.routing import JSON, HttpRequest, Route, Upload
from sluice.platform.observe import logger

# How the document shows a CSV file.
_DESCRIPTION = "UTF-8 or UTF-16, with a header line; cells are separated by commas, semicolons or tabs"
CsvFile: Any = Annotated[str, WithJsonSchema({"type": "string", "description": _DESCRIPTION})]
# What programs call a CSV file; the last one is what a browser says where a spreadsheet program is installed.
CSV = ("text/csv", "application/csv", "text/tab-separated-values", "application/vnd.ms-excel")


def import_items(request: HttpRequest[Upload, None]) -> ImportView:
    """Add many items. The answer has the rows that are refused; the others are stored by and by."""
    from sluice.inventory import upload
    from sluice.platform.csv_text import NoFile

    body = request.body
    try:
        found = upload.read(body.raw, body.media_type)
    except NoFile as refused:
        field = FieldError("body", f"line {refused.line}: {refused.message}")
        raise Invalid("file rejected; nothing was imported", fields=[field]) from None
    if not found.rows:
        raise Invalid("the file has no rows", fields=[FieldError("body", "has a header and no rows")])
    if not found.good:
        told = report.told(found.refused)
        fields = [FieldError(**one) for row in told for one in row["fields"]]
        raise Invalid(
            "every row was refused; nothing was imported",
            fields=fields,
            more={"refused": told, "refusedRows": len(found.refused)},
        )
    config, rows = live.current(), len(found.good)
    STOCK.require_room(request.tenant, rows, request.now, config)
    usage.charge(request.tenant, rows, request.now, config.tenants.allowed(request.tenant), requests=0)
    try:
        taken = imports.begin(request.tenant, body.raw, found, request.now, config.engine.retention_ms)
    except NotSent:
        logger.exception("an import could not be queued")
        raise Unavailable("not all rows could be queued; send the same file again to go on") from None
    return imports.view(taken)


def get_import(request: HttpRequest[None, None]) -> ImportView:
    """How far an import is."""
    found = imports.find(request.tenant, request.path["import_id"])
    if found is None:
        raise NotFound.of("import", "importId")
    return imports.view(found)


ROUTES = (
    Route(
        "POST",
        "/v1/inventory/import",
        "Add up to 10,000 items from a CSV file or a JSON list",
        import_items,
        ImportView,
        Permission.INVENTORY_WRITE,
        status=202,
        errors=(Unavailable,),
        uploads={**dict.fromkeys(CSV, CsvFile), JSON: ImportItems},
    ),
    Route(
        "GET",
        "/v1/inventory/imports/{import_id}",
        "Show how far an import is",
        get_import,
        ImportView,
        Permission.INVENTORY_READ,
    ),
)
