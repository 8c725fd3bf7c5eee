"""The routes of imports: send many items at once, and see how far they are."""

from typing import Final

from sluice.inventory import import_view
from sluice.inventory.bodies import ImportItems
from sluice.inventory.import_view import ImportView
from sluice.inventory.stock import STOCK
from sluice.platform.config import live
from sluice.platform.http.auth import Permission
from sluice.platform.http.errors import Unavailable
from sluice.platform.http.routing import JSON, HttpRequest, Route, Upload
from sluice.platform.imports import table as imports
from sluice.platform.imports import upload as uploads
from sluice.platform.imports.table import Import

KIND: Final = "inventory"


def import_items(request: HttpRequest[Upload, None]) -> ImportView:
    """Add many items. The answer has the rows that are refused; the others are stored by and by."""
    from sluice.inventory import upload

    found = uploads.read(request, upload.read)
    rows = len(found.good)
    STOCK.require_room(request.tenant, rows, request.now, live.current())
    return _shown(uploads.begin(KIND, request, found, rows))


def get_import(request: HttpRequest[None, None]) -> ImportView:
    """How far an import is."""
    return _shown(uploads.find(KIND, request))


def _shown(found: Import) -> ImportView:
    return import_view.view(found, imports.refused_rows(found))


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
        uploads={**dict.fromkeys(uploads.CSV, uploads.CsvFile), JSON: ImportItems},
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
