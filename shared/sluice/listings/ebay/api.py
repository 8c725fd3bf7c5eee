"""The routes of one eBay listing: its record, its history, its snapshots. A write answers at once with a job."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, Final
from urllib.parse import unquote

from sluice.jobs.ask import require_room
from sluice.listings.ebay import asking, rules, taking, views
from sluice.listings.ebay import table as records
from sluice.listings.ebay.asking import Done
from sluice.listings.ebay.bodies import RecordBody, RecordEdit, RecordsQuery
from sluice.listings.ebay.change import Asker
from sluice.listings.ebay.desired import Desired, Group, Json
from sluice.listings.ebay.table import Record
from sluice.listings.ebay.views import (
    RecordList,
    RecordView,
    TakenRecord,
)
from sluice.platform import races
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


def put_ebay_listing(request: HttpRequest[RecordBody, None]) -> TakenRecord:
    """Say how a listing is to be."""
    sku = sku_of(request)
    if request.body.sku not in (None, sku):
        raise Invalid.field("sku", "is another one than the path names")
    return views.taken(sku, take(request, "put", lambda: taking.record(request.body.document(sku))))


def patch_ebay_listing(request: HttpRequest[RecordEdit, None]) -> TakenRecord:
    """Change some of how a listing is to be."""
    return views.taken(sku_of(request), edit(request, request.body.changes(), taking.edited))


def delete_ebay_listing(request: HttpRequest[None, None]) -> TakenRecord:
    """End a listing, and archive its record."""
    found = find(request, archived=True)
    return views.taken(found.sku, take(request, "delete", lambda: asking.ended(found), archive=True))


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


@contextmanager
def refusals_told() -> Iterator[None]:
    """What is refused within is answered so."""
    try:
        yield
    except (asking.WrongVersion, Refused) as refused:
        raise told(refused) or refused from None


def sku_of(request: HttpRequest[Any, Any]) -> str:
    """The sku, or the key of a group, that the path names.

    Raises:
        Invalid: none can be called so.
    """
    field = "key" if "key" in request.path else "sku"
    name = unquote(request.path[field])
    if problem := rules.sku_problem(name, field):
        raise Invalid.field(*problem)
    return name


def take(
    request: HttpRequest[Any, None],
    action: str,
    wanted: Callable[[], Desired | Group],
    version: int | None = None,
    *,
    archive: bool = False,
) -> Done:
    """Store what is wanted. version: the one that it is about, where the request names none."""
    by = asker(request, action)
    with refusals_told():
        if not archive:
            asking.require_account(by.tenant)
            require_room(by.tenant, 1, by.now, by.config)
        done = asking.put(by, wanted(), version if request.version is None else request.version, archive=archive)
    asking.remember(by, [done])
    return done


def edit(
    request: HttpRequest[Any, None], changes: Json, edited: Callable[[Mapping[str, Any], Json], Desired | Group]
) -> Done:
    """Change some of what is stored. edited: what comes of a stored document and the changes."""
    if not changes:
        raise Invalid.field("body", "must say what to change")
    race = races.Race("the record was changed while it was edited")
    while True:
        found = find(request)
        try:
            return take(request, "patch", partial(edited, found.document, changes), found.version)
        except WrongVersion:
            # Without If-Match it is about the newest version, whichever that is.
            if request.version is not None:
                raise
            race.lost()


def find(request: HttpRequest[Any, Any], *, archived: bool = False) -> Record:
    """The record that the path names, of a sku or of a group.

    Raises:
        NotFound: there is none, or only one that is archived.
    """
    of_group, name = "key" in request.path, sku_of(request)
    found = records.find_group(request.tenant, name) if of_group else records.find(request.tenant, name)
    if found is None or (found.archived_at and not archived):
        raise NotFound.of(*(("group", "key") if of_group else ("listing", "sku")))
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
        TakenRecord,
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
        TakenRecord,
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
        TakenRecord,
        WRITE,
        status=202,
        errors=(Conflict,),
        asks=one,
        versioned=True,
    ),
)
