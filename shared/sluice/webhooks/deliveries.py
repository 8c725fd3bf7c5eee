"""Deliveries: table `deliveries`. One event on its way to one endpoint, and the log of the attempts.

`due_at` is when somebody must next look at it. Whoever tries it moves that ahead first, so that of two messages for one
delivery one tries, and a sender that dies leaves it due again.

```
 sender A   due_at = now + 60 s ─── POST ─── delivered, or due_at = now + the next pause   (if due_at is still A's)
 sender B   due_at is not what it read ✗
```
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from enum import StrEnum
from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from sluice.platform import tables
from sluice.platform.attributes import IntAttribute
from sluice.platform.clock import DAY, HOUR, MINUTE, SECOND, ttl

# The pauses between attempts, as the Standard Webhooks specification proposes: the last try comes after 17.6 hours.
PAUSES_MS = (5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR)
MOST_ATTEMPTS = len(PAUSES_MS) + 1
# How long an attempt may take, and somewhat more.
CLAIM_MS = MINUTE
# How long deliveries are kept: far longer than they may be on their way.
KEEP_MS = 7 * DAY
# Resending starts the count anew, so the log may grow; its oldest entries go.
MOST_TRIES = 30

_ID = r"\d{13}-[A-Za-z0-9-]{1,64}"


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
    attempts: those since it was last sent on its way.
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


def delivery_id(at: int, message_id: str) -> str:
    """The id of the delivery of what happened at `at` (epoch ms): ids stand in the order of time."""
    return f"{at:013d}-{message_id}"


def is_id(text: str) -> bool:
    """Whether `text` has the form of a delivery's id."""
    return bool(re.fullmatch(_ID, text))


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
    return delivery.delivery


def find(webhook: str, delivery: str) -> Delivery | None:
    """The delivery as it is now."""
    try:
        return Delivery.get(webhook, delivery, consistent_read=True)
    except Delivery.DoesNotExist:
        return None


def page(webhook: str, limit: int, before: str | None) -> tuple[list[Delivery], str | None]:
    """The newest `limit` deliveries, older than `before`; and the id of the last one, if there may be more."""
    older = Delivery.delivery < before if before else None
    found = list(
        Delivery.query(webhook, older, scan_index_forward=False, limit=limit, page_size=limit, consistent_read=True)
    )
    return found, found[-1].delivery if len(found) == limit else None


def claim(delivery: Delivery, now: int) -> Delivery | None:
    """Be the one that tries it now. None when somebody else is, or it is over."""
    return _write(delivery, [Delivery.due_at.set(now + CLAIM_MS)], now)


def deliver(claimed: Delivery, tried: Try, now: int) -> Delivery | None:
    """The receiver has it."""
    return _write(claimed, [Delivery.state.set(State.DELIVERED), *_tried(claimed, tried)], now)


def fail(claimed: Delivery, tried: Try, now: int, *, for_good: bool) -> Delivery | None:
    """The attempt failed: try again after a pause, or give up when there were enough or it is `for_good`."""
    attempts = claimed.attempts + 1
    over = for_good or attempts >= MOST_ATTEMPTS
    then = Delivery.state.set(State.FAILED) if over else Delivery.due_at.set(now + PAUSES_MS[attempts - 1])
    return _write(claimed, [then, Delivery.attempts.set(attempts), *_tried(claimed, tried)], now)


def drop(delivery: Delivery, now: int) -> Delivery | None:
    """There is no endpoint for it any more."""
    return _write(delivery, [Delivery.state.set(State.DROPPED)], now)


def resend(delivery: Delivery, now: int) -> Delivery | None:
    """Send it on its way once more, from the first attempt. None when it is tried just now."""
    actions = [Delivery.state.set(State.PENDING), Delivery.attempts.set(0), Delivery.due_at.set(now)]
    actions.append(Delivery.expires_at.set(ttl(now + KEEP_MS)))
    as_read = (Delivery.due_at == delivery.due_at) & (Delivery.state == delivery.state)
    return _update(delivery, actions, as_read, now)


def _tried(claimed: Delivery, tried: Try) -> list[Action]:
    return [Delivery.tries.set([*claimed.tries, tried][-MOST_TRIES:])]


def _write(delivery: Delivery, actions: Sequence[Action], now: int) -> Delivery | None:
    return _update(delivery, actions, (Delivery.due_at == delivery.due_at) & (Delivery.state == State.PENDING), now)


def _update(delivery: Delivery, actions: Sequence[Action], condition: Condition, now: int) -> Delivery | None:
    key = (delivery.webhook, delivery.delivery)
    try:
        return tables.update(Delivery, key, [*actions, Delivery.updated_at.set(now)], condition)
    except tables.ConditionFailed:
        return None
