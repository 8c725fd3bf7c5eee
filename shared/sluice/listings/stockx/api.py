"""The routes of listings and their operations. A write answers at once with a job."""

from typing import Any, TypeVar

from sluice.jobs.ask import require_room
from sluice.jobs.queue import cancel
from sluice.listings.stockx import request as asking
from sluice.listings.stockx import table as listings
from sluice.listings.stockx import views
from sluice.listings.stockx.bodies import (
    Accepted,
    History,
    ListingList,
    ListingsQuery,
    NewListing,
    NewTerms,
    draft,
    new_terms,
    taken,
)
from sluice.listings.stockx.changes import Action, ListingStatus, Status
from sluice.listings.stockx.kinds import BATCH, CHECK, SINGLE
from sluice.listings.stockx.request import AskedChange, Asker, UnknownListing
from sluice.listings.stockx.table import Listing
from sluice.marketplaces.skus import normal_sku
from sluice.platform.config import live
from sluice.platform.http import paging
from sluice.platform.http.auth import Permission
from sluice.platform.http.errors import Conflict, FieldError, Invalid, NotFound
from sluice.platform.http.models import Body, PageQuery, Query
from sluice.platform.http.paging import Page, Place
from sluice.platform.http.routing import HttpRequest, Route
from sluice.platform.refused import CONFLICT, Refused

B = TypeVar("B", bound=Body | None)
Q = TypeVar("Q", bound=Query | None)
# What is not found where there is none.
LISTING = ("listing", "listingId")


def create_listing(request: HttpRequest[NewListing, None]) -> Accepted:
    """Offer one unit."""
    require_room(request.tenant, 1, request.now, live.current())
    try:
        wanted = draft(request.body, request.now, request.seed)
        return {**accepted(asking.create(wanted, asker(request))), **taken(wanted)}
    except Refused as refused:
        raise _told(refused) from None


def update_listing(request: HttpRequest[NewTerms, None]) -> Accepted:
    """Change what a listing asks for."""
    if request.body.is_empty():
        raise Invalid.field("body", "must say what to change: amount, currency or expiresAt")
    return _change(request, Action.UPDATE, request.body)


def delete_listing(request: HttpRequest[None, None]) -> Accepted:
    """Take a listing away for good."""
    return _change(request, Action.DELETE)


def activate_listing(request: HttpRequest[NewTerms, None]) -> Accepted:
    """Put a listing on the market."""
    return _change(request, Action.ACTIVATE, request.body)


def deactivate_listing(request: HttpRequest[None, None]) -> Accepted:
    """Take a listing off the market."""
    return _change(request, Action.DEACTIVATE)


def list_listings(request: HttpRequest[None, ListingsQuery]) -> ListingList:
    """The caller's listings."""
    query = request.query
    after = paging.start(query.cursor, request.tenant, listings.ID)
    unconfirmed = query.status == ListingStatus.UNCONFIRMED
    wanted = (
        (Listing.status, None if unconfirmed else query.status),
        (Listing.sku, _sku(query.sku) if query.sku else None),
        (Listing.variant_id, query.variant_id.lower() if query.variant_id else None),
    )
    condition = None
    for attribute, value in wanted:
        if value is not None:
            condition = (attribute == value) if condition is None else condition & (attribute == value)
    found = listings.page(request.tenant, query.limit, after, condition)
    # That nobody knows is written in the changes, which DynamoDB cannot look into.
    shown = [one for one in found if query.status in (None, one.shown_status)]
    return {"listings": [views.listing(one) for one in shown], "next": found.cursor(request.tenant)}


def get_listing(request: HttpRequest[None, None]) -> views.ListingView:
    """One of the caller's listings."""
    return views.listing(_find(request))


def get_history(request: HttpRequest[None, PageQuery]) -> History:
    """What became of each change of a listing."""
    query, tenant = request.query, request.tenant
    after = paging.start(query.cursor, tenant, listings.NUMBER)
    listing = _find(request)
    found = listings.history(tenant, listing.listing_id, query.limit, int(after.key) if after else 0)
    page = Page(found, Place(str(found[-1].number)) if len(found) == query.limit else None)
    return {"history": [views.entry(one) for one in page], "next": page.cursor(tenant)}


def get_operation(request: HttpRequest[None, None]) -> views.OperationView:
    """How far a change is."""
    job = cancel.find_by_path(request.path["job_id"], request.tenant)
    if job is None or job.kind not in _KINDS:
        raise NotFound.of("operation", "jobId")
    return views.operation(job)


def _one(_: HttpRequest[Any, Any]) -> int:
    """One listing is changed."""
    return 1


def asker(request: HttpRequest[B, Q]) -> Asker:
    """Who asks."""
    return Asker(request.tenant, request.subject, request.now, live.current())


def accepted(asked: AskedChange) -> Accepted:
    """The answer to a change that was taken."""
    status = Status.IN_PROGRESS if asked.open else Status.COMPLETED
    return {"jobId": asked.job_id, "listingId": asked.listing_id, "operationId": None, "status": str(status)}


def _change(request: HttpRequest[Any, None], action: Action, body: NewTerms | None = None) -> Accepted:
    found = _find(request)
    try:
        asked = new_terms(body, found, request.now) if body else None
        return accepted(asking.change_listing(asker(request), found.listing_id, action, asked))
    except UnknownListing:
        raise NotFound.of(*LISTING) from None
    except Refused as refused:
        raise _told(refused) from None


def _find(request: HttpRequest[Any, Any]) -> Listing:
    found = listings.find(request.tenant, request.path["listing_id"])
    if found is None:
        raise NotFound.of(*LISTING)
    return found


def _told(refused: Refused) -> Invalid | Conflict:
    if refused.code == CONFLICT:
        return Conflict(refused.message, fields=[FieldError(refused.field, refused.message)])
    return Invalid.field(refused.field, refused.message)


def _sku(text: str) -> str:
    try:
        return normal_sku(text)
    except ValueError as error:
        raise Invalid.field("sku", str(error)) from None


_KINDS = {BATCH.name, CHECK.name, *(kind.name for kind in SINGLE.values())}


def _change_route(method: str, path: str, summary: str, change: Any, body: type[Body] | None = None) -> Route[Any, Any]:
    """A route that changes one listing, and answers with a job."""
    write = Permission.LISTINGS_WRITE
    return Route(method, path, summary, change, Accepted, write, body=body, status=202, errors=(Conflict,), asks=_one)


_ALL = "/v1/stockx/listings"
_ONE = f"{_ALL}/{{listing_id}}"

ROUTES = (
    _change_route("POST", _ALL, "Offer one unit for sale", create_listing, NewListing),
    Route(
        "GET",
        _ALL,
        "List your listings",
        list_listings,
        ListingList,
        Permission.LISTINGS_READ,
        query=ListingsQuery,
    ),
    Route("GET", _ONE, "Show a listing", get_listing, views.ListingView, Permission.LISTINGS_READ),
    _change_route("PATCH", _ONE, "Change what a listing asks for", update_listing, NewTerms),
    _change_route("DELETE", _ONE, "Take a listing away for good", delete_listing),
    _change_route("POST", f"{_ONE}/activate", "Put a listing on the market", activate_listing, NewTerms),
    _change_route("POST", f"{_ONE}/deactivate", "Take a listing off the market", deactivate_listing),
    Route(
        "GET",
        f"{_ONE}/history",
        "Show what became of each change of a listing",
        get_history,
        History,
        Permission.LISTINGS_READ,
        query=PageQuery,
    ),
    Route(
        "GET",
        "/v1/operations/{job_id}",
        "Show how far a change is",
        get_operation,
        views.OperationView,
        Permission.LISTINGS_READ,
    ),
)
