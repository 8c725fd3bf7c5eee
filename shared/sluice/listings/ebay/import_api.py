"""The routes of imports: say how many listings are to be by a file, and see how far that is."""

from typing import Annotated, Final

from typing_extensions import TypedDict

from sluice.jobs.ask import require_room
from sluice.listings.ebay import asking
from sluice.listings.ebay.api import READ, WRITE, refusals_told
from sluice.listings.ebay.bodies import ImportRecords
from sluice.listings.ebay.imported import COUNTS, SUBJECT
from sluice.platform.clock import iso
from sluice.platform.config import live
from sluice.platform.http.errors import Conflict, Unavailable
from sluice.platform.http.routing import JSON, HttpRequest, Route, Upload
from sluice.platform.http.shapes import Among, Time
from sluice.platform.imports import table as imports
from sluice.platform.imports import upload as uploads
from sluice.platform.imports.report import RefusedRow
from sluice.platform.imports.table import Import

KIND: Final = "ebay"


class ListingsImportView(TypedDict):
    """How far an import of records is.

    status: `processing`, then `done`. rows: of the file. refusedRows: so far: some are refused when the file is read,
    others when they are stored. queued, stored, unchanged: records so far, as in the answer to a single one; kept: left
    alone because somebody has changed them since. waiting: rows that are not stored yet. refused: the first refused
    rows, 1,000 at the most.
    """

    importId: str
    status: Annotated[str, Among(("processing", "done"))]
    rows: int
    queued: int
    stored: int
    unchanged: int
    kept: int
    refusedRows: int
    waiting: int
    refused: list[RefusedRow]
    acceptedAt: Time
    updatedAt: Time


def import_ebay_listings(request: HttpRequest[Upload, None]) -> ListingsImportView:
    """Say how many listings are to be. The answer has the rows that are refused; the others are stored by and by."""
    from sluice.listings.ebay import sheet

    found, config = uploads.read(request, sheet.read), live.current()
    with refusals_told():
        asking.require_account(request.tenant)
    require_room(request.tenant, found.taken, request.now, config)
    about = {SUBJECT: request.subject, COUNTS: found.counts}
    return _view(uploads.begin(KIND, request, found, found.taken, about))


def get_ebay_import(request: HttpRequest[None, None]) -> ListingsImportView:
    """How far an import of records is."""
    return _view(uploads.find(KIND, request))


def _view(found: Import) -> ListingsImportView:
    done = found.queued + found.stored + found.unchanged + found.kept
    refused = found.refused + found.refused_later
    return {
        "importId": found.import_id,
        "status": found.status,
        "rows": found.rows,
        "queued": found.queued,
        "stored": found.stored,
        "unchanged": found.unchanged,
        "kept": found.kept,
        "refusedRows": refused,
        "waiting": found.rows - done - refused,
        "refused": imports.refused_rows(found),
        "acceptedAt": iso(found.accepted_at),
        "updatedAt": iso(found.updated_at),
    }


ROUTES = (
    Route(
        "POST",
        "/v1/ebay/listings/import",
        "Say how up to 10,000 listings are to be, by a CSV file or a JSON list",
        import_ebay_listings,
        ListingsImportView,
        WRITE,
        status=202,
        errors=(Conflict, Unavailable),
        uploads={**dict.fromkeys(uploads.CSV, uploads.CsvFile), JSON: ImportRecords},
    ),
    Route(
        "GET",
        "/v1/ebay/imports/{import_id}",
        "Show how far an import of listings is",
        get_ebay_import,
        ListingsImportView,
        READ,
    ),
)
