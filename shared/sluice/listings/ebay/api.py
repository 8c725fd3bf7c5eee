"""The routes of one eBay listing: its record, its history, its snapshots. A write answers at once with a job."""

from functools import partial
from typing import Any, Final
from urllib.parse import unquote

from sluice.jobs.ask import remember, require_room
from sluice.listings.ebay import asking, rules, taking, views
from sluice.listings.ebay import table as records
from sluice.listings.ebay.asking import Asker, Done
from sluice.listings.ebay.bodies import RecordBody, RecordEdit, RecordsQuery
from sluice.listings.ebay.desired import Desired
from sluice.listings.ebay.kinds import PUBLISH
from sluice.listings.ebay.table import Record
from sluice.listings.ebay.views import (
    RecordList,
    RecordView,
    Taken,
)
from sluice.platform.config import live
from sluice.platform.http import paging
from sluice.platform.http.auth import Permission
from sluice.platform.http.errors import (
    Conflict,
    FieldError,
    HttpError,
    Invalid,
    NotFound,
    WrongVersion,
)
from sluice.platform.http.routing import HttpRequest, Route
from sluice.platform.refused import CONFLICT, Refused

# A description of 500,000 characters, each of which may take several bytes in JSON.
MOST_BYTES: Final = 2 * 1024 * 1024


def put_ebay_listing(request: HttpRequest[RecordBody, None]) -> Taken:
    """Say how a listing is to be."""
    sku = sku_of(request)
    if request.body.sku not in (None, sku):
        raise Invalid.field("sku", "is another one than the path names")
    return _take(request, "put", lambda: taking.record(request.body.document(sku)))


def patch_ebay_listing(request: HttpRequest[RecordEdit, None]) -> Taken:
    """Change some of how a listing is to be."""
    changes = request.body.changes()
    if not changes:
        raise Invalid.field("body", "must say what to change")
    for _ in range(asking.TRIES):
        found = find(request)
        wanted = partial(taking.edited, found.document, changes)
        try:
            return _take(request, "patch", wanted, request.version or found.version)
        except WrongVersion:
            # Without If-Match it is about the newest version, whichever that is.
            if request.version is not None:
                raise
    raise Conflict("the record is changed all the time by others; send it again")


def delete_ebay_listing(request: HttpRequest[None, None]) -> Taken:
    """End a listing, and archive its record."""
    found = find(request, archived=True)
    return _take(request, "delete", lambda: asking.ended(found), request.version, archive=True)


def get_ebay_listing(request: HttpRequest[None, None]) -> RecordView:
    """A record, and what is known of it at eBay."""
    return views.view(find(request, archived=True), request.now)


def list_ebay_listings(request: HttpRequest[None, RecordsQuery]) -> RecordList:
    """The caller's records."""
    query = request.query
    condition = records.matching(status=query.status, marketplace=query.marketplace, group=query.group)
    page = records.page(request.tenant, query.limit, paging.start(query.cursor, request.tenant, rules.NAME), condition)
    shown = [views.summary(one) for one in page if one.archived_at is None or query.state == views.ARCHIVED]
    wanted = [one for one in shown if query.state in (None, one["state"]) and query.drift in (None, bool(one["drift"]))]
    return {"listings": wanted, "next": page.cursor(request.tenant)}


def asker(request: HttpRequest[Any, Any], action: str) -> Asker:
    """Who asks."""
    return Asker(request.tenant, request.subject, request.now, action, live.current())


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


def find(request: HttpRequest[Any, Any], *, archived: bool = False) -> Record:
    """The record that the path names.

    Raises:
        NotFound: there is none, or only one that is archived.
    """
    found = records.find(request.tenant, sku_of(request))
    if found is None or (found.archived_at and not archived):
        raise NotFound.of("listing", "sku")
    return found


def one(_: HttpRequest[Any, Any]) -> int:
    """One listing is asked for."""
    return 1


LISTING: Final = "/v1/ebay/listings/{sku}"
READ: Final = Permission.LISTINGS_READ
WRITE: Final = Permission.LISTINGS_WRITE

ROUTES = (
    Route("GET", "/v1/ebay/listings", "List your records", list_ebay_listings, RecordList, READ, query=RecordsQuery),
    Route(
        "PUT",
        LISTING,
        "Say how a listing is to be",
        put_ebay_listing,
        Taken,
        WRITE,
        body=RecordBody,
        status=202,
        errors=(Conflict,),
        asks=one,
        versioned=True,
        most_bytes=MOST_BYTES,
    ),
    Route("GET", LISTING, "Show a record and what is known of it at eBay", get_ebay_listing, RecordView, READ),
    Route(
        "PATCH",
        LISTING,
        "Change some of how a listing is to be",
        patch_ebay_listing,
        Taken,
        WRITE,
        body=RecordEdit,
        status=202,
        errors=(Conflict,),
        asks=one,
        versioned=True,
        most_bytes=MOST_BYTES,
    ),
    Route(
        "DELETE",
        LISTING,
        "End a listing and archive its record",
        delete_ebay_listing,
        Taken,
        WRITE,
        status=202,
        errors=(Conflict,),
        asks=one,
        versioned=True,
    ),
)
