"""The routes of what was: a record's history, the snapshots of what was published, and what differs between two."""

from typing import Any

from sluice.listings.ebay import snapshots, views
from sluice.listings.ebay import table as records
from sluice.listings.ebay.api import LISTING, READ, WRITE, find, one
from sluice.listings.ebay.bodies import DiffQuery
from sluice.listings.ebay.snapshots import Corrupt
from sluice.listings.ebay.table import Record, Snapshot
from sluice.listings.ebay.views import ChangeList, Difference, SnapshotList, SnapshotState, SnapshotView
from sluice.platform import tables
from sluice.platform.config import live
from sluice.platform.differences import diff
from sluice.platform.http import paging
from sluice.platform.http.errors import Conflict, FieldError, Internal, NotFound
from sluice.platform.http.models import PageQuery
from sluice.platform.http.routing import HttpRequest, Route
from sluice.platform.observe import logger


def get_ebay_history(request: HttpRequest[None, PageQuery]) -> ChangeList:
    """Every change of a record, and who made it."""
    after = paging.start(request.query.cursor, request.tenant, r"v[0-9]{8,}")
    page = records.history(find(request, archived=True).listing, request.query.limit, after)
    return {"history": [views.change(one) for one in page], "next": page.cursor(request.tenant)}


def list_ebay_snapshots(request: HttpRequest[None, PageQuery]) -> SnapshotList:
    """What was published of a listing, newest first."""
    after = paging.start(request.query.cursor, request.tenant, r"n[0-9]{8,}")
    page = snapshots.page(find(request, archived=True).listing, request.query.limit, after)
    return {"snapshots": [views.snapshot(one) for one in page], "next": page.cursor(request.tenant)}


def get_ebay_snapshot(request: HttpRequest[None, None]) -> SnapshotState:
    """What was published once."""
    number = request.path["number"]
    if not number.isascii() or not number.isdigit() or len(number) > 8:
        raise NotFound("there is no such snapshot", fields=[FieldError("number", "must be a whole number")])
    one = _snapshot(find(request, archived=True), int(number), "number")
    return views.whole_snapshot(one, _state(one))


def diff_ebay_snapshots(request: HttpRequest[None, DiffQuery]) -> Difference:
    """What differs between two snapshots."""
    found, query = find(request, archived=True), request.query
    before, after = (
        _state(_snapshot(found, number, name)) for name, number in (("before", query.before), ("after", query.after))
    )
    return {"before": query.before, "after": query.after, "changes": diff(before, after)}


def force_ebay_snapshot(request: HttpRequest[None, None]) -> SnapshotView:
    """Keep what is published now, whether or not it was kept before."""
    try:
        made = snapshots.force(find(request), request.now, live.current().ebay)
    except tables.ConditionFailed:
        raise Conflict("another snapshot is being kept just now; send it again") from None
    if made is None:
        raise Conflict("nothing of this listing was published yet")
    return views.snapshot(made)


def _snapshot(record: Record, number: int, field: str) -> Snapshot:
    found = snapshots.find(record.listing, number)
    if found is None:
        raise NotFound("there is no such snapshot", fields=[FieldError(field, "not found, or not kept any more")])
    return found


def _state(one: Snapshot) -> dict[str, Any]:
    try:
        return snapshots.read(one)
    except Corrupt:
        logger.exception("a snapshot cannot be read")
        raise Internal from None


ROUTES = (
    Route(
        "GET",
        f"{LISTING}/history",
        "Show every change of a record",
        get_ebay_history,
        ChangeList,
        READ,
        query=PageQuery,
    ),
    Route(
        "GET",
        f"{LISTING}/snapshots",
        "List what was published of a listing",
        list_ebay_snapshots,
        SnapshotList,
        READ,
        query=PageQuery,
    ),
    Route(
        "POST",
        f"{LISTING}/snapshots",
        "Keep what is published now",
        force_ebay_snapshot,
        SnapshotView,
        WRITE,
        status=201,
        errors=(Conflict,),
        asks=one,
    ),
    Route(
        "GET",
        f"{LISTING}/snapshots/diff",
        "Show what differs between two snapshots",
        diff_ebay_snapshots,
        Difference,
        READ,
        query=DiffQuery,
    ),
    Route(
        "GET",
        f"{LISTING}/snapshots/{{number}}",
        "Show what was published once",
        get_ebay_snapshot,
        SnapshotState,
        READ,
    ),
)
