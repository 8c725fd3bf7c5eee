"""The event feed: table `events`. One item for each event and tenant, in the order of time.

```
 tenant   event
 acme     1795348800000#job.dead#c4ca4238a0b923820dcc509a6f75849b     when it happened, what it is, which one it is
 acme     ~5d41402abc4b2a76b9719d911017c592                           when an event of this id was told first
```
An event that comes twice is the same item, so writing it twice changes nothing. Whoever tells of an event once more
after a crash may give another time: what counts is the first (`as_first_told`), which stands behind all events.
"""

import re
from typing import Final, NamedTuple

from pynamodb.attributes import JSONAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from sluice.capabilities import ROUTINE
from sluice.feed import bus_events
from sluice.feed.bus_events import Event
from sluice.platform import tables
from sluice.platform.attributes import IntAttribute
from sluice.platform.clock import ttl
from sluice.platform.http import paging, table_pages
from sluice.platform.http.auth import TENANT
from sluice.platform.http.paging import Page, Place

# With it begins the key of an item that says when an event was told first: behind each time.
_FIRST: Final = "~"
# The range key, as a cursor names it.
KEY: Final = r"\d{13}#[a-z_.]{1,64}#(?s:.{1,900})"
_MANUAL: Final = "manual"
_LAST: Final = 10**13 - 1


class FeedEntry(tables.Table):
    """One event, as one tenant may know it.

    event: its time, type and id.
    type: as in `sluice.capabilities.EVENTS`.
    at: when it happened, epoch ms.
    event_id: the same as in the header `webhook-id`.
    data: as webhooks have it (docs/webhooks.md).
    """

    class Meta:
        table_name = tables.name("events")

    tenant = UnicodeAttribute(hash_key=True)
    event = UnicodeAttribute(range_key=True)
    type = UnicodeAttribute()
    at = IntAttribute()
    event_id = UnicodeAttribute()
    data = JSONAttribute()
    expires_at = IntAttribute()


class WantedEvents(NamedTuple):
    """Which events are wanted.

    type: one type, `job.dead`, or all that begin with a word, `job`.
    since, until: when they happened, epoch ms; until is not within it.
    """

    type: str | None = None
    since: int | None = None
    until: int | None = None


def is_news(event: Event) -> bool:
    """Whether the feed has the event.

    All but the success, or the cancelling, of routine work (prices, checks) that nobody waits for: that is most of all
    events, would cost each of its jobs a write, and says nothing that a list of jobs or prices does not.
    """
    if not event.is_of_a_job or event.type == "job.dead":
        return True
    return event.detail["kind"] not in ROUTINE or event.detail.get("priority") == _MANUAL


def keep(event: Event, now: int, for_ms: int) -> int:
    """Put the event into the feed of each tenant that it concerns, to stay for `for_ms`; how many.

    Work that nobody asked for by name, as checks of pages, has an asker that is no tenant.
    """
    if not is_news(event):
        return 0
    found = [tenant for tenant in event.tenants if re.fullmatch(TENANT, tenant)]
    for tenant in found:
        tables.put(
            FeedEntry(
                tenant=tenant,
                event=f"{_time(event.at)}#{event.type}#{event.id}",
                type=event.type,
                at=event.at,
                event_id=event.id,
                data=bus_events.data(event, tenant),
                expires_at=ttl(now + for_ms),
            )
        )
    return len(found)


def as_first_told(event: Event, now: int, for_ms: int) -> Event:
    """The event with the time at which it was told first, which is remembered for `for_ms`.

    Of what is told of a job, a stream's record says when it happened, and of what has no id of its own the bus: the
    same each time. Others say when they tell of it: a difference at eBay, a summary.
    """
    if event.is_of_a_job or not event.has_own_id:
        return event
    [tenant] = event.tenants
    first = FeedEntry(
        tenant=tenant,
        event=f"{_FIRST}{event.id}",
        type=event.type,
        at=event.at,
        event_id=event.id,
        data={},
        expires_at=ttl(now + for_ms),
    )
    try:
        tables.put(first, FeedEntry.event.does_not_exist())
    except tables.ConditionFailed as told_before:
        return event._replace(at=FeedEntry.from_raw_data(told_before.item or {}).at)
    return event


def page(tenant: str, wanted: WantedEvents, limit: int, after: Place | None) -> Page[FeedEntry]:
    """Up to `limit` of the tenant's events that come after the place `after`, newest first, in one read."""
    bounds = paging.within(wanted.since, wanted.until, after, _time)
    if bounds is None:
        return Page([])
    lowest, highest, after = bounds
    found = table_pages.read(
        FeedEntry,
        tenant,
        limit if wanted.type is None else paging.most_read(limit),
        after,
        _of_type(wanted.type),
        within=FeedEntry.event.between(lowest, highest),
        newest_first=True,
        consistent_read=False,
    )
    rows = list(found)
    if len(rows) <= limit:
        return found
    return Page(rows[:limit], Place(rows[limit - 1].event))


def _time(at: int) -> str:
    """A time as keys begin: in order as text, of years from 1970 to 2286."""
    return f"{min(max(at, 0), _LAST):013d}"


def _of_type(wanted: str | None) -> Condition | None:
    if wanted is None:
        return None
    condition: Condition = FeedEntry.type == wanted if "." in wanted else FeedEntry.type.startswith(f"{wanted}.")
    return condition
