"""The route of the event feed."""

from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

from sluice.capabilities import EVENTS
from sluice.feed import table
from sluice.feed.table import FeedEntry, WantedEvents
from sluice.platform.clock import iso
from sluice.platform.http import paging
from sluice.platform.http.auth import Permission
from sluice.platform.http.models import Moment, OneOf, PageQuery
from sluice.platform.http.moments import between
from sluice.platform.http.routing import HttpRequest, Route
from sluice.platform.http.shapes import Among, Time

# What stands before the point of a type: with it all of these are asked for.
GROUPS = tuple(dict.fromkeys(event.partition(".")[0] for event in EVENTS))


class EventsQuery(PageQuery):
    """Which events to list. All filters must match."""

    type: Annotated[str, OneOf((*EVENTS, *GROUPS))] | None = Field(
        None, description="one type, such as `listing.live`, or all that begin so, such as `listing`"
    )
    since: Moment | None = Field(None, alias="from", description="happened then or later")
    until: Moment | None = Field(None, alias="to", description="happened before then")


class FeedEvent(TypedDict):
    """Something that has happened. eventId: the same as in a webhook's header `webhook-id`. data: what the type has."""

    eventId: str
    type: Annotated[str, Among(EVENTS)]
    at: Time
    data: dict[str, Any]


class EventList(TypedDict):
    """A page of events, newest first. `next` leads to older ones, until it is null; a page may be short before."""

    events: list[FeedEvent]
    next: str | None


def list_events(request: HttpRequest[None, EventsQuery]) -> EventList:
    """What has happened to the caller's tenant."""
    query, tenant = request.query, request.tenant
    wanted = WantedEvents(query.type, *between(query.since, query.until))
    found = table.page(tenant, wanted, query.limit, paging.start(query.cursor, tenant, table.KEY))
    return {"events": [_view(one) for one in found], "next": found.cursor(tenant)}


def _view(entry: FeedEntry) -> FeedEvent:
    return {"eventId": entry.event_id, "type": entry.type, "at": iso(entry.at), "data": entry.data}


ROUTES = (
    Route(
        "GET", "/v1/events", "List what has happened", list_events, EventList, Permission.EVENTS_READ, query=EventsQuery
    ),
)
