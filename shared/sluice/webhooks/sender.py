"""What the function webhook_sender does with a delivery of SQS messages: each stands alone.

```
 event ─► the feed keeps it
       ─► fan_out: a delivery for each endpoint that wants it ─► a turn of the tenant is announced
 turn  ─► serve:   what is due is sent, some at once, for two seconds ─► the next turn is announced, behind the others'
 deleted ─► clear: what is on its way to the endpoint is dropped, at once, and once more when nobody knows it any more
```
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sluice.feed import bus_events
from sluice.feed import table as feed
from sluice.feed.bus_events import Event, NoEvent
from sluice.platform import aws, sqs
from sluice.platform.clock import MINUTE, SECOND, Clock, iso
from sluice.platform.config import live
from sluice.platform.observe import count, logger
from sluice.platform.sqs import CorruptMessage
from sluice.webhooks import bodies, deliveries, endpoints, messages, signature, standing, turns
from sluice.webhooks.client import TIMED_OUT, Undelivered, WebhookClient
from sluice.webhooks.deliveries import Delivery, State, Try
from sluice.webhooks.endpoints import Endpoint, Status
from sluice.webhooks.messages import Deleted, Turn
from sluice.webhooks.standing import Ended

VERSION = 1
GONE = 410
# After this long a tenant's turn goes to the end of the queue, whatever is left of its work.
PART_MS = 2 * SECOND
# Attempts at once at one endpoint that answers, and of one tenant.
AT_ONCE = 5
THREADS = 16
# Deliveries of an endpoint that is switched off that are dropped at once.
MOST_DROPPED = 25
# By how much the clocks of two functions may differ.
CLOCK_SKEW_MS = SECOND
# So long after an endpoint was deleted no function runs any more that has read it before: 30 s each, at the most.
FORGOTTEN_MS = MINUTE


def work(found: Mapping[str, str], client: WebhookClient, clock: Clock) -> list[str]:
    """Handle the messages `found` (body by message id), all at once.

    Returns the ids of those that SQS must deliver again: a fault of ours, not of a receiver. Handling a message twice
    is harmless.
    """
    return sqs.consume(found, lambda text: _one(text, client, clock)).failed


def _one(text: str, client: WebhookClient, clock: Clock) -> None:
    message = messages.decode(text)
    if isinstance(message, Turn):
        serve(message, client, clock)
        return
    if isinstance(message, Deleted):
        clear(message, clock)
        return
    try:
        event = bus_events.event(message)
    except NoEvent as other:
        raise CorruptMessage(str(other)) from other
    keep_ms = live.current().engine.event_retention_ms
    event = feed.as_first_told(event, clock.now(), keep_ms)
    feed.keep(event, clock.now(), keep_ms)
    fan_out(event, clock.now())


def fan_out(event: Event, now: int) -> None:
    """Send `event` on its way to every endpoint of its tenants that wants it."""
    for tenant in event.tenants:
        wanting = [one for one in endpoints.of(tenant) if one.status == Status.ACTIVE and event.type in one.event_types]
        if wanting:
            body = bodies.body(event, tenant)
            for endpoint in wanting:
                deliveries.create(endpoint.key, event.at, event.id, event.type, body, now)
            turns.wake(tenant, min(max(now, one.rests_until or 0) for one in wanting), now)


def serve(turn: Turn, client: WebhookClient, clock: Clock) -> None:
    """Take the tenant's turn: send what is due to its endpoints, for a while, and announce the next one."""
    now = clock.now()
    if turn.at > now:
        messages.announce(turn, now)
        return
    if not turns.take(turn, now):
        return
    while True:
        found = endpoints.of(turn.tenant)
        more = _part(found, client, clock)
        if not more or clock.now() - now >= PART_MS:
            break
    # As they were read: whoever changes one meanwhile, or sends something on its way there, announces a turn.
    turns.leave(turn.tenant, _next_turn(found, clock.now()), clock.now())


def clear(deleted: Deleted, clock: Clock) -> None:
    """Drop what is on its way to an endpoint that was deleted, for a while; come again until there can be no more.

    An event may be sent on its way to the endpoint by a function that has read it just before it was deleted. Where
    one of its name was made meanwhile, that one's own turns drop what is older than it.
    """
    now = clock.now()
    more = _drop_waiting(deleted, clock)
    again_at = now if more else deleted.at + FORGOTTEN_MS
    if more or now < again_at:
        messages.tell_deleted(deleted, clock.now(), not_before=again_at)


def _drop_waiting(deleted: Deleted, clock: Clock) -> bool:
    """Drop what is on its way there, for a while. Whether there may be more."""
    began = clock.now()
    while True:
        line = deliveries.waiting(endpoints.key(deleted.tenant, deleted.webhook_id), clock.now(), MOST_DROPPED)
        # Looked at after the line: what stands there for one of its name that was made meanwhile is not to be dropped.
        if deleted.webhook_id in [one.webhook_id for one in endpoints.of(deleted.tenant)]:
            turns.wake(deleted.tenant, clock.now(), clock.now())
            return False
        for one in line.deliveries:
            deliveries.drop(one, clock.now())
        if not line.more or clock.now() - began >= PART_MS:
            return line.more


def _part(found: Sequence[Endpoint], client: WebhookClient, clock: Clock) -> bool:
    """Send some of what is due to each endpoint, all at once. Whether there may be more."""
    now, more = clock.now(), False
    chosen: list[tuple[Endpoint, Delivery]] = []
    for endpoint in found:
        if endpoint.status != Status.ACTIVE:
            line = deliveries.waiting(endpoint.key, now, MOST_DROPPED)
            # Looked at after the line: what stands there since it was switched on again is not to be dropped.
            off = line.deliveries and not _is_on(endpoint)
            dropped, kept = line.deliveries if off else [], list[Delivery]()
        elif (endpoint.rests_until or 0) > now:
            continue
        else:
            line = deliveries.due(endpoint.key, now, 1 if endpoint.late else AT_ONCE)
            # What was on its way to an endpoint of this name that was deleted is none of this one's.
            kept = [one for one in line.deliveries if one.set_out_at >= endpoint.created_at - CLOCK_SKEW_MS]
            dropped = [one for one in line.deliveries if one not in kept]
        more = more or line.more
        for one in dropped:
            deliveries.drop(one, now)
        chosen += [(endpoint, one) for one in kept]
    ended: dict[str, list[Ended]] = defaultdict(list)
    with ThreadPoolExecutor(min(THREADS, max(1, len(chosen)))) as pool:
        tries = [(endpoint, pool.submit(_try, one, endpoint, client, clock)) for endpoint, one in chosen]
    for endpoint, future in tries:
        if came_to := future.result():
            ended[endpoint.key].append(came_to)
    for endpoint in found:
        _judge(endpoint, ended[endpoint.key], clock.now())
    return more


def _is_on(endpoint: Endpoint) -> bool:
    """Whether events are sent to the endpoint, as it is now."""
    on = [one.webhook_id for one in endpoints.of(endpoint.tenant) if one.status == Status.ACTIVE]
    return endpoint.webhook_id in on


def _next_turn(found: Sequence[Endpoint], now: int) -> int | None:
    """When something is due to one of the endpoints `found` that does not rest then."""
    times = [
        max(at, now, endpoint.rests_until or 0)
        for endpoint in found
        if (at := deliveries.next_due(endpoint.key)) is not None
    ]
    return min(times, default=None)


def _judge(endpoint: Endpoint, ended: Sequence[Ended], now: int) -> None:
    """Keep how the endpoint stands after these attempts, here too; say so where that switches it off."""
    after, off = standing.after(endpoint.standing, ended, now)
    if not ended or not endpoints.keep(endpoint, after, off, now):
        return
    endpoint.rests_until = after.rests_until
    if off:
        _disabled(endpoint, off, now)


def _try(pending: Delivery, endpoint: Endpoint, client: WebhookClient, clock: Clock) -> Ended | None:
    """Send it once. None when it was sent again, or dropped, meanwhile: then this attempt says nothing."""
    tried = _post(pending, endpoint, client, clock)
    now, gone = clock.now(), tried["status"] == GONE
    about = {"webhook": pending.webhook, "delivery": pending.delivery, "status": tried["status"], "code": tried["code"]}
    logger.info("webhook sent", extra={**about, "ms": tried["ms"]})
    if tried["code"] is None:
        if deliveries.deliver(pending, tried, now) is None:
            return None
        count("WebhooksDelivered")
        return Ended(arrived=True)
    after = deliveries.fail(pending, tried, now, for_good=gone)
    if after is None:
        return None
    count("WebhookAttemptsFailed")
    given_up = after.state != State.PENDING
    if given_up:
        count("WebhooksFailed")
    return Ended(arrived=False, late=tried["code"] == TIMED_OUT, given_up=given_up, gone=gone)


def _post(pending: Delivery, endpoint: Endpoint, client: WebhookClient, clock: Clock) -> Try:
    """Send it; what came of it. code: None when the receiver has it."""
    began = clock.now()
    headers = signature.headers(endpoints.secrets(endpoint, began), pending.message_id, began, pending.body)
    tried: dict[str, Any] = {"at": began, "status": None, "code": None, "message": None}
    try:
        tried["status"] = status = client.post(endpoints.target(endpoint), headers, pending.body.encode())
        if not 200 <= status < 300:
            tried |= {"code": "refused", "message": f"the receiver answered {status}; only 2xx counts as received"}
    except Undelivered as undelivered:
        tried |= {"code": undelivered.code, "message": str(undelivered)}
    return {**tried, "ms": clock.now() - began}


def _disabled(endpoint: Endpoint, reason: str, now: int) -> None:
    logger.warning("a webhook is disabled", extra={"webhook": endpoint.key, "reason": reason})
    count("WebhooksDisabled")
    detail = {
        "version": VERSION,
        "tenant": endpoint.tenant,
        "webhookId": endpoint.webhook_id,
        "reason": reason,
        "at": iso(now),
    }
    try:
        aws.put_event("webhook.disabled", detail)
    except Exception:  # noqa: BLE001 - it is disabled either way, and tells so itself
        logger.exception("the event webhook.disabled was not published", extra={"webhook": endpoint.key})
