"""What the function webhook_sender does with a delivery of SQS messages: each stands alone."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sluice.platform import aws
from sluice.platform.clock import Clock, iso
from sluice.platform.observe import count, logger
from sluice.platform.settings import settings
from sluice.webhooks import bodies, deliveries, endpoints, messages, signature
from sluice.webhooks.bodies import NoEvent
from sluice.webhooks.client import Client, Undelivered
from sluice.webhooks.deliveries import Delivery, State, Try
from sluice.webhooks.endpoints import Endpoint, Status
from sluice.webhooks.messages import CorruptMessage, Due

VERSION = 1
GONE = 410


def work(found: Mapping[str, str], client: Client, clock: Clock) -> list[str]:
    """Handle the messages `found` (body by message id), all at once.

    Returns the ids of those that SQS must deliver again: a fault of ours, not of a receiver. Handling a message twice
    is harmless.
    """
    failed: list[str] = []
    with ThreadPoolExecutor(max(1, len(found))) as pool:
        handled = {key: pool.submit(_one, text, client, clock) for key, text in found.items()}
    for key, future in handled.items():
        try:
            future.result()
        except Exception:  # noqa: BLE001
            logger.exception("a message could not be handled; it is delivered again", extra={"message_id": key})
            failed.append(key)
    return failed


def _one(text: str, client: Client, clock: Clock) -> None:
    try:
        message = messages.decode(text)
        if isinstance(message, Due):
            attempt(message, client, clock)
        else:
            fan_out(bodies.event(message), clock.now())
    except (CorruptMessage, NoEvent) as corrupt:
        logger.error("a message goes to the dead-letter queue", extra={"reason": str(corrupt)})
        count("MessagesBuried")
        aws.send_message(settings().require("dead_queue_url"), text, reason=str(corrupt)[:256])


def fan_out(event: bodies.Event, now: int) -> None:
    """Send `event` on its way to every endpoint of its tenants that wants it."""
    for tenant in event.tenants:
        for endpoint in endpoints.of(tenant):
            if endpoint.status == Status.ACTIVE and event.type in endpoint.event_types:
                body = bodies.body(event, tenant)
                delivery = deliveries.create(endpoint.key, event.at, event.id, event.type, body, now)
                messages.send(endpoint.key, delivery)


def attempt(due: Due, client: Client, clock: Clock) -> None:
    """Try the delivery if it is due; if it is due later, have somebody look again then."""
    found, now = deliveries.find(due.webhook, due.delivery), clock.now()
    if found is None or found.state != State.PENDING:
        return
    if found.due_at > now:
        messages.send(due.webhook, due.delivery, found.due_at - now)
        return
    tenant, _, webhook_id = due.webhook.partition("/")
    endpoint = endpoints.find(tenant, webhook_id)
    if endpoint is None or endpoint.status != Status.ACTIVE:
        deliveries.drop(found, now)
        return
    claimed = deliveries.claim(found, now)
    if claimed:
        _try(claimed, endpoint, client, clock)


def _try(claimed: Delivery, endpoint: Endpoint, client: Client, clock: Clock) -> None:
    tried = _post(claimed, endpoint, client, clock)
    now, gone = clock.now(), tried["status"] == GONE
    about = {"webhook": claimed.webhook, "delivery": claimed.delivery, "status": tried["status"], "code": tried["code"]}
    logger.info("webhook sent", extra={**about, "ms": tried["ms"]})
    if tried["code"] is None:
        if deliveries.deliver(claimed, tried, now):
            count("WebhooksDelivered")
            endpoints.arrived(endpoint)
        return
    after = deliveries.fail(claimed, tried, now, for_good=gone)
    if after is None:
        return  # it was sent again meanwhile, and is tried by somebody else
    count("WebhookAttemptsFailed")
    if after.state == State.PENDING:
        messages.send(after.webhook, after.delivery, after.due_at - now)
        return
    count("WebhooksFailed")
    reason = endpoints.failed(endpoint, now, gone)
    if reason:
        _disabled(endpoint, reason, now)


def _post(claimed: Delivery, endpoint: Endpoint, client: Client, clock: Clock) -> Try:
    """Send it; what came of it. code: None when the receiver has it."""
    began = clock.now()
    headers = signature.headers(endpoints.secrets(endpoint, began), claimed.message_id, began, claimed.body)
    tried: dict[str, Any] = {"at": began, "status": None, "code": None, "message": None}
    try:
        tried["status"] = status = client.post(endpoint.url, headers, claimed.body.encode())
        if not 200 <= status < 300:
            tried |= {"code": "refused", "message": f"the receiver answered {status}; 2xx is wanted"}
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
