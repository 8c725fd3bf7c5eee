"""The routes of one eBay listing: its record, its history, its snapshots. A write answers at once with a job."""

from functools import partial
from typing import Any, Final
from urllib.parse import unquote

from sluice.jobs.ask import remember, require_room
from sluice.listings.ebay import asking, rules, snapshots, taking, views
from sluice.listings.ebay import table as records
from sluice.listings.ebay.asking import Asker, Done
from sluice.listings.ebay.bodies import DiffQuery, EntriesQuery, RecordBody, RecordEdit, RecordsQuery
from sluice.listings.ebay.desired import Desired
from sluice.listings.ebay.kinds import PUBLISH
from sluice.listings.ebay.snapshots import Corrupt
from sluice.listings.ebay.table import Record, Snapshot
from sluice.listings.ebay.views import (
    ChangeList,
    Difference,
    RecordList,
    RecordView,
    SnapshotList,
    SnapshotState,
    SnapshotView,
    Taken,
)
from sluice.platform.config import live
from sluice.platform.differences import diff
from sluice.platform.http.auth import Permission
from sluice.platform.http.errors import (
    NOT_OUR_CURSOR,
    Conflict,
    FieldError,
    HttpError,
    Internal,
    Invalid,
    NotFound,
    WrongVersion,
)
from sluice.platform.http.routing import HttpRequest, Route
from sluice.platform.observe import logger
from sluice.platform.refused import CONFLICT, Refused

# A description of 500,000 characters, each of which may take several bytes in JSON.
MOST_BYTES: Final = 2 * 1024 * 1024


def put_listing(request: HttpRequest[RecordBody, None]) -> Taken:
    """Say how a listing is to be."""
    sku = sku_of(request)
    if request.body.sku not in (None, sku):
        raise Invalid.field("sku", "is another one than the path names")
    return _take(request, "put", lambda: taking.record(request.body.document(sku)))


def patch_listing(request: HttpRequest[RecordEdit, None]) -> Taken:
    """Change some of how a listing is to be."""
    changes = request.body.changes()
    if not changes:
        raise Invalid.field("body", "must say what to change")
    for _ in range(asking.TRIES):
        found = _find(request)
        wanted = partial(taking.edited, found.document, changes)
        try:
            return _take(request, "patch", wanted, request.version or found.version)
        except WrongVersion:
            # Without If-Match it is about the newest version, whichever that is.
            if request.version is not None:
                raise
    raise Conflict("the record is changed all the time by others; send it again")


def delete_listing(request: HttpRequest[None, None]) -> Taken:
    """End a listing, and archive its record."""
    found = _find(request, archived=True)
    return _take(request, "delete", lambda: asking.ended(found), request.version, archive=True)


def get_listing(request: HttpRequest[None, None]) -> RecordView:
    """A record, and what is known of it at eBay."""
    return views.view(_find(request, archived=True), request.now)


def list_listings(request: HttpRequest[None, RecordsQuery]) -> RecordList:
    """The caller's records."""
    query = request.query
    condition = None
    for attribute, value in (
        (Record.status, query.status),
        (Record.marketplace, query.marketplace),
        (Record.group, query.group),
    ):
        if value is not None:
            condition = (attribute == value) if condition is None else condition & (attribute == value)
    page = records.page(request.tenant, query.limit, _cursor(query.cursor), condition)
    shown = [views.summary(one) for one in page.records if one.archived_at is None or query.state == views.ARCHIVED]
    wanted = [one for one in shown if query.state in (None, one["state"]) and query.drift in (None, bool(one["drift"]))]
    return {"listings": wanted, "next": page.next}


def get_listing_history(request: HttpRequest[None, EntriesQuery]) -> ChangeList:
    """Every change of a record, and who made it."""
    found, following = records.history(
        _find(request, archived=True).listing, request.query.limit, _entry(request.query.cursor, "v")
    )
    return {"history": [views.change(one) for one in found], "next": following}


def list_snapshots(request: HttpRequest[None, EntriesQuery]) -> SnapshotList:
    """What was published of a listing, newest first."""
    found, following = snapshots.page(
        _find(request, archived=True).listing, request.query.limit, _entry(request.query.cursor, "n")
    )
    return {"snapshots": [views.snapshot(one) for one in found], "next": following}


def get_snapshot(request: HttpRequest[None, None]) -> SnapshotState:
    """What was published once."""
    number = request.path["number"]
    if not number.isascii() or not number.isdigit() or len(number) > 8:
        raise NotFound("there is no such snapshot", fields=[FieldError("number", "must be a whole number")])
    one = _snapshot(_find(request, archived=True), int(number), "number")
    return views.whole_snapshot(one, _state(one))


def diff_snapshots(request: HttpRequest[None, DiffQuery]) -> Difference:
    """What differs between two snapshots."""
    found, query = _find(request, archived=True), request.query
    before, after = (
        _state(_snapshot(found, number, name)) for name, number in (("before", query.before), ("after", query.after))
    )
    return {"before": query.before, "after": query.after, "changes": diff(before, after)}


def force_snapshot(request: HttpRequest[None, None]) -> SnapshotView:
    """Keep what is published now, whether or not it was kept before."""
    found = _find(request)
    made = snapshots.force(found, request.now, live.current().ebay)
    if made is None:
        raise Conflict("nothing of this listing was published yet")
    return views.snapshot(made)


def asker(request: HttpRequest[Any, Any], action: str) -> Asker:
    """Who asks."""
    assert request.caller  # noqa: S101 - every route here has one
    return Asker(request.tenant, request.caller.subject, request.now, action, live.current())


def told(error: Exception) -> HttpError | None:
    """How a refusal is answered; None for what is none."""
    if isinstance(error, asking.WrongVersion):
        has = f"is at version {error.found}" if error.found else "does not exist"
        return WrongVersion(f"the record {has}; look at it again", fields=[FieldError("If-Match", has)])
    if isinstance(error, Refused):
        kind = Conflict if error.code == CONFLICT else Invalid
        return kind("the request is not valid" if kind is Invalid else error.message, fields=error.fields)
    return None


def sku_of(request: HttpRequest[Any, Any]) -> str:
    """The sku that the path names.

    Raises:
        Invalid: no listing can be called so.
    """
    sku = unquote(request.path["sku"])
    if problem := rules.sku_problem(sku):
        raise Invalid.field(*problem)
    return sku


def _take(
    request: HttpRequest[Any, None], action: str, wanted: Any, version: int | None = None, *, archive: bool = False
) -> Taken:
    by = asker(request, action)
    try:
        desired: Desired = wanted()
        if not archive:
            asking.require_account(by.tenant)
            require_room(by.tenant, 1, by.now, by.config)
        done = asking.put(by, desired, request.version if version is None else version, archive=archive)
    except (asking.WrongVersion, Refused) as refused:
        raise told(refused) or refused from None
    remembered(by, [done])
    return views.taken(desired.sku, done)


def remembered(by: Asker, done: list[Done]) -> None:
    """Note which jobs the request has led to."""
    jobs = [(PUBLISH.name, asking.PRIORITY, one.enqueued) for one in done if one.enqueued]
    if jobs:
        remember(by.tenant, jobs, by.now, by.config)


def _find(request: HttpRequest[Any, Any], *, archived: bool = False) -> Record:
    found = records.find(request.tenant, sku_of(request))
    if found is None or (found.archived_at and not archived):
        raise NotFound("there is no such listing", fields=[FieldError("sku", "not found")])
    return found


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


def _cursor(text: str | None) -> str | None:
    if text is not None and rules.sku_problem(text):
        raise Invalid.field(*NOT_OUR_CURSOR)
    return text


def _entry(text: str | None, letter: str) -> str | None:
    if text is not None and not (text[:1] == letter and text[1:].isascii() and text[1:].isdigit()):
        raise Invalid.field(*NOT_OUR_CURSOR)
    return text


def _one(_: HttpRequest[Any, Any]) -> int:
    return 1


_LISTING: Final = "/v1/ebay/listings/{sku}"
_READ: Final = Permission.LISTINGS_READ
_WRITE: Final = Permission.LISTINGS_WRITE

ROUTES = (
    Route("GET", "/v1/ebay/listings", "List your records", list_listings, RecordList, _READ, query=RecordsQuery),
    Route(
        "PUT",
        _LISTING,
        "Say how a listing is to be",
        put_listing,
        Taken,
        _WRITE,
        body=RecordBody,
        status=202,
        errors=(Conflict,),
        asks=_one,
        versioned=True,
        most_bytes=MOST_BYTES,
    ),
    Route("GET", _LISTING, "Show a record and what is known of it at eBay", get_listing, RecordView, _READ),
    Route(
        "PATCH",
        _LISTING,
        "Change some of how a listing is to be",
        patch_listing,
        Taken,
        _WRITE,
        body=RecordEdit,
        status=202,
        errors=(Conflict,),
        asks=_one,
        versioned=True,
        most_bytes=MOST_BYTES,
    ),
    Route(
        "DELETE",
        _LISTING,
        "End a listing and archive its record",
        delete_listing,
        Taken,
        _WRITE,
        status=202,
        errors=(Conflict,),
        asks=_one,
        versioned=True,
    ),
    Route(
        "GET",
        f"{_LISTING}/history",
        "Show every change of a record",
        get_listing_history,
        ChangeList,
        _READ,
        query=EntriesQuery,
    ),
    Route(
        "GET",
        f"{_LISTING}/snapshots",
        "List what was published of a listing",
        list_snapshots,
        SnapshotList,
        _READ,
        query=EntriesQuery,
    ),
    Route(
        "POST",
        f"{_LISTING}/snapshots",
        "Keep what is published now",
        force_snapshot,
        SnapshotView,
        _WRITE,
        status=201,
        errors=(Conflict,),
        asks=_one,
    ),
    Route(
        "GET",
        f"{_LISTING}/snapshots/diff",
        "Show what differs between two snapshots",
        diff_snapshots,
        Difference,
        _READ,
        query=DiffQuery,
    ),
    Route(
        "GET", f"{_LISTING}/snapshots/{{number}}", "Show what was published once", get_snapshot, SnapshotState, _READ
    ),
)
