"""Imports of items as the API shows them. Pure."""

from typing import Annotated

from typing_extensions import TypedDict

from sluice.platform.clock import iso
from sluice.platform.http.shapes import Among, Time
from sluice.platform.imports.report import RefusedRow
from sluice.platform.imports.table import Import


class ImportView(TypedDict):
    """How far an import is.

    status: `processing`, then `done`. rows: of the file; accepted, refusedRows: as they were read; several rows may be
    one item. created, existing: items stored so far; kept: left alone because somebody changed them meanwhile, or
    because a row does not say which of their units are gone. refreshes: prices asked for; one that is not old is not.
    refreshesRefused: prices that cannot be asked for. problems: some of the reasons for both. refused: the first
    refused rows, 1,000 at the most.
    """

    importId: str
    status: Annotated[str, Among(("processing", "done"))]
    rows: int
    accepted: int
    refusedRows: int
    created: int
    existing: int
    kept: int
    refreshes: int
    refreshesRefused: int
    problems: list[str]
    refused: list[RefusedRow]
    acceptedAt: Time
    updatedAt: Time


def view(found: Import, refused: list[RefusedRow]) -> ImportView:
    """As the API shows it. refused: the rows that are told of."""
    return {
        "importId": found.import_id,
        "status": found.status,
        "rows": found.rows,
        "accepted": found.rows - found.refused,
        "refusedRows": found.refused,
        "created": found.created,
        "existing": found.existing,
        "kept": found.kept,
        "refreshes": found.asked,
        "refreshesRefused": found.not_asked,
        "problems": sorted(found.problems or ()),
        "refused": refused,
        "acceptedAt": iso(found.accepted_at),
        "updatedAt": iso(found.updated_at),
    }
