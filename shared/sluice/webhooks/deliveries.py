"""Deliveries: table `deliveries`. One event on its way to one endpoint, and the log of the attempts.

What is on its way stands in its endpoint's line too, so that what is due is found without reading all that was ever
sent. A place in the line is an item of the same table that has a key and nothing else:

```
 webhook         delivery                        one event, and what became of it
 webhook#due     due_at#delivery                 it is due then: its place in the line
```
The delivery is always written first. A place that says another time than its delivery, or one whose delivery is over,
is what a sender has left that died between two writes: whoever finds it puts it right (`due`).
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from enum import StrEnum
from typing import Any, NamedTuple

from pynamodb.attributes import JSONAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action as Update

from sluice.platform import tables
from sluice.platform.attributes import IntAttribute
from sluice.platform.clock import DAY, HOUR, MINUTE, SECOND, ttl
from sluice.platform.http import table_pages
from sluice.platform.http.paging import Page, Place

# The pauses between attempts, as the Standard Webhooks specification proposes: the last try comes after 17.6 hours.
PAUSES_MS = (5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR)
MOST_ATTEMPTS = len(PAUSES_MS) + 1
# How long deliveries are kept: far longer than they may be on their way.
KEEP_MS = 7 * DAY
# Resending starts the count anew, so the log may grow; its oldest entries go.
MOST_TRIES = 30

# An event's id is given by whoever tells of it: `c4ca42…`, or parts joined by `:`.
ID = r"\d{13}-[A-Za-z0-9:._-]{1,200}"


class State(StrEnum):
    """What has become of a delivery."""

    PENDING = "pending"  # on its way; `due_at` says when it is tried next
    DELIVERED = "delivered"  # the receiver answered 2xx
    FAILED = "failed"  # every attempt failed
    DROPPED = "dropped"  # its endpoint was disabled or deleted


Try = dict[str, Any]


class Delivery(tables.Table):
    """One event for one endpoint. `delivery` begins with the event's time. body: what is sent, each time the same.

    tries: `{"at": ms, "status": int | None, "code": str | None, "message": str | None, "ms": int}`, oldest first.
    attempts: those since it was last sent on its way. resent_at: when somebody has sent it on its way once more.
    token: of the last change (see `tables`).
    """

    class Meta:
        table_name = tables.name("deliveries")

    webhook = UnicodeAttribute(hash_key=True)
    delivery = UnicodeAttribute(range_key=True)
    message_id = UnicodeAttribute()
    event_type = UnicodeAttribute()
    body = UnicodeAttribute()
    state = UnicodeAttribute()
    attempts = IntAttribute(default=0)
    due_at = IntAttribute()
    tries = JSONAttribute()
    created_at = IntAttribute()
    updated_at = IntAttribute()
    expires_at = IntAttribute()
    resent_at = IntAttribute(null=True)
    token = UnicodeAttribute(null=True)

    @property
    def set_out_at(self) -> int:
        """When it was last sent on its way."""
        return self.resent_at or self.created_at


def delivery_id(at: int, message_id: str) -> str:
    """The id of the delivery of what happened at `at` (epoch ms): ids stand in the order of time."""
    return f"{at:013d}-{message_id}"


def is_id(text: str) -> bool:
    """Whether `text` has the form of a delivery's id."""
    return bool(re.fullmatch(ID, text))


def create(webhook: str, at: int, message_id: str, event_type: str, body: str, now: int) -> str:
    """Send an event on its way, if it is not already; the delivery's id."""
    delivery = Delivery(
        webhook=webhook,
        delivery=delivery_id(at, message_id),
        message_id=message_id,
        event_type=event_type,
        body=body,
        state=State.PENDING,
        due_at=now,
        tries=[],
        created_at=now,
        updated_at=now,
        expires_at=ttl(now + KEEP_MS),
    )
    with suppress(tables.ConditionFailed):  # the event has come before
        tables.put(delivery, Delivery.delivery.does_not_exist())
    _line_up(delivery)
    return delivery.delivery


def find(webhook: str, delivery: str) -> Delivery | None:
    """The delivery as it is now."""
    try:
        return Delivery.get(webhook, delivery, consistent_read=True)
    except Delivery.DoesNotExist:
        return None


def page(webhook: str, limit: int, after: Place | None) -> Page[Delivery]:
    """The newest `limit` deliveries that come after the place `after`."""
    return table_pages.read(Delivery, webhook, limit, after, newest_first=True)


class DueDeliveries(NamedTuple):
    """Some of what is due to an endpoint. more: there may be others behind them."""

    deliveries: list[Delivery]
    more: bool


def due(webhook: str, now: int, most: int) -> DueDeliveries:
    """What is due to the endpoint at `now`, the longest due first; `most` places of the line are looked at."""
    return _first(webhook, now, most, Delivery.delivery < f"{now + 1:013d}")


def waiting(webhook: str, now: int, most: int) -> DueDeliveries:
    """What is on its way to the endpoint, whenever it is due; as `due`."""
    return _first(webhook, now, most, None)


def next_due(webhook: str) -> int | None:
    """When somebody must look at the endpoint's line next, epoch ms; None when nothing is on its way."""
    first = next(iter(Delivery.query(_line(webhook), limit=1, page_size=1, consistent_read=True)), None)
    return int(first.delivery.partition("#")[0]) if first else None


def deliver(pending: Delivery, tried: Try, now: int) -> Delivery | None:
    """The receiver has it. None, as of every write here, when it was sent again or dropped meanwhile."""
    return _end(pending, [Delivery.state.set(State.DELIVERED), *_tried(pending, tried)], now)


def fail(pending: Delivery, tried: Try, now: int, *, for_good: bool) -> Delivery | None:
    """The attempt failed: try again after a pause, or give up when there were enough or it is `for_good`."""
    attempts = pending.attempts + 1
    over = for_good or attempts >= MOST_ATTEMPTS
    then = Delivery.state.set(State.FAILED) if over else Delivery.due_at.set(now + PAUSES_MS[attempts - 1])
    return _end(pending, [then, Delivery.attempts.set(attempts), *_tried(pending, tried)], now)


def drop(pending: Delivery, now: int) -> Delivery | None:
    """There is no endpoint for it any more."""
    return _end(pending, [Delivery.state.set(State.DROPPED)], now)


def resend(delivery: Delivery, now: int) -> Delivery | None:
    """Send it on its way once more, from the first attempt. None when somebody has just changed it."""
    actions = [Delivery.state.set(State.PENDING), Delivery.attempts.set(0), Delivery.due_at.set(now)]
    actions += [Delivery.resent_at.set(now), Delivery.expires_at.set(ttl(now + KEEP_MS))]
    as_read = (Delivery.due_at == delivery.due_at) & (Delivery.state == delivery.state)
    again = _update(delivery, actions, as_read, now)
    if again:
        _line_up(again)
    return again


def _first(webhook: str, now: int, most: int, when: Condition | None) -> DueDeliveries:
    places = list(Delivery.query(_line(webhook), when, limit=most, page_size=most, consistent_read=True))
    ids = [place.delivery.partition("#")[2] for place in places]
    wanted = [(webhook, delivery) for delivery in dict.fromkeys(ids)]
    stored = {one.delivery: one for one in Delivery.batch_get(wanted, consistent_read=True)} if wanted else {}
    pending: dict[str, Delivery] = {}
    for place, delivery in zip(places, ids, strict=True):
        known = stored.get(delivery)
        on_its_way = known is not None and known.state == State.PENDING
        if known and on_its_way and (when is None or known.due_at <= now):
            pending[delivery] = known
            continue
        if known and on_its_way:
            _line_up(known)
        _leave(webhook, place.delivery)
    return DueDeliveries(list(pending.values()), len(places) == most)


def _line(webhook: str) -> str:
    return f"{webhook}#due"


def _place(delivery: Delivery) -> str:
    return f"{delivery.due_at:013d}#{delivery.delivery}"


def _line_up(delivery: Delivery) -> None:
    tables.update(Delivery, (_line(delivery.webhook), _place(delivery)), [Delivery.expires_at.set(delivery.expires_at)])


def _leave(webhook: str, place: str) -> None:
    tables.delete(Delivery, (_line(webhook), place))


def _tried(pending: Delivery, tried: Try) -> list[Update]:
    return [Delivery.tries.set([*pending.tries, tried][-MOST_TRIES:])]


def _end(pending: Delivery, actions: Sequence[Update], now: int) -> Delivery | None:
    """Write the end of an attempt, and then where the delivery stands in the line, if it still does."""
    as_read = (Delivery.due_at == pending.due_at) & (Delivery.state == State.PENDING)
    after = _update(pending, actions, as_read, now)
    if after and after.state == State.PENDING:
        _line_up(after)
    if after:
        _leave(pending.webhook, _place(pending))
    return after


def _update(delivery: Delivery, actions: Sequence[Update], condition: Condition, now: int) -> Delivery | None:
    key = (delivery.webhook, delivery.delivery)
    try:
        return tables.update(Delivery, key, [*actions, Delivery.updated_at.set(now)], condition, token=Delivery.token)
    except tables.ConditionFailed:
        return None
