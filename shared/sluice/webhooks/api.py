"""The routes of webhooks: say where events go, see what arrived, send it again."""

import re
from typing import Annotated, Any, ClassVar, NotRequired
from uuid import uuid4

from pydantic import Field
from typing_extensions import TypedDict

from sluice.capabilities import EVENTS
from sluice.platform.addresses import BadAddress
from sluice.platform.clock import iso, iso_or_none
from sluice.platform.config import live
from sluice.platform.http import paging
from sluice.platform.http.auth import Permission
from sluice.platform.http.errors import Conflict, Invalid, NotFound, TooMany
from sluice.platform.http.models import Body, Example, OneOf, PageQuery
from sluice.platform.http.routing import HttpRequest, Route
from sluice.platform.http.shapes import Among, Time
from sluice.platform.settings import settings
from sluice.platform.tables import ConditionFailed
from sluice.webhooks import bodies, deliveries, endpoints, messages, targets, turns
from sluice.webhooks.deliveries import Delivery, State, Try
from sluice.webhooks.endpoints import Endpoint, WantedEndpoint
from sluice.webhooks.messages import Deleted

# With every webhook taken, another fits when one is deleted; nobody can know when.
WAIT_SECONDS = 60
_ID = r"[a-z0-9-]{1,64}"
# What is not found where there is none.
WEBHOOK = ("webhook", "webhookId")


class NewWebhook(Body):
    """Where events go, and which."""

    example: ClassVar[Example] = {
        "url": "https://hooks.example.com/sluice",
        "eventTypes": ["job.dead", "account.broken"],
    }

    url: str = Field(description="https, a public host, and port 443 or 8443")
    event_types: Annotated[list[Annotated[str, OneOf(EVENTS)]], Field(min_length=1, max_length=len(EVENTS))]
    enabled: bool = True


class Webhook(TypedDict):
    """An endpoint.

    status: `ACTIVE`, or `DISABLED` with a `reason`. failures: deliveries given up in a row. restsUntil: it has not
    answered in time, and is sent nothing before. secret: what signs its events; shown when it is made, and never again.
    """

    webhookId: str
    url: str
    eventTypes: list[Annotated[str, Among(EVENTS)]]
    status: Annotated[str, Among(endpoints.Status)]
    reason: str | None
    failures: int
    restsUntil: Time | None
    createdAt: Time
    updatedAt: Time
    secret: NotRequired[str]


class WebhookList(TypedDict):
    """All endpoints, by id."""

    webhooks: list[Webhook]


class DeletedWebhook(TypedDict):
    """The endpoint that is no more."""

    webhookId: str


class DeliveryAttempt(TypedDict):
    """One attempt. status: of the answer. code: null if it arrived, else `refused`, `timed_out`, `unreachable` or
    `target_refused`."""

    at: Time
    status: int | None
    code: Annotated[str, Among(("refused", "timed_out", "unreachable", "target_refused"))] | None
    message: str | None
    ms: int


class DeliveryView(TypedDict):
    """One event on its way. messageId: the header `webhook-id`. state: `pending`, `delivered`, `failed`, `dropped`."""

    deliveryId: str
    messageId: str
    eventType: Annotated[str, Among((*EVENTS, bodies.TEST))]
    state: Annotated[str, Among(State)]
    nextAttemptAt: Time | None
    createdAt: Time
    updatedAt: Time
    attempts: list[DeliveryAttempt]


class DeliveryList(TypedDict):
    """A page of deliveries, newest event first. `next` leads to the next page."""

    deliveries: list[DeliveryView]
    next: str | None


def put_webhook(request: HttpRequest[NewWebhook, None]) -> Webhook:
    """Say where events go: a new endpoint, or a change of one."""
    wanted, webhook_id = _wanted(request.body), _webhook_id(request)
    if webhook_id is None:
        raise Invalid.field("webhookId", "must be 1 to 64 of a-z, 0-9 and -")
    try:
        found = endpoints.find(request.tenant, webhook_id)
        if found:
            changed = endpoints.change(found, wanted, request.now)
            turns.wake(request.tenant, request.now, request.now)  # what waited for it to answer is sent now, or dropped
            return _shown(changed)
        allowed = live.current().tenants.allowed(request.tenant).webhooks
        if len(endpoints.of(request.tenant)) >= allowed:
            raise TooMany("webhooks", allowed, WAIT_SECONDS)
        endpoint, secret = endpoints.create(request.tenant, webhook_id, wanted, request.now)
    except ConditionFailed:
        raise Conflict("somebody else is changing it just now; read it, and ask again", code="changing") from None
    return {**_shown(endpoint), "secret": secret}


def get_webhook(request: HttpRequest[None, None]) -> Webhook:
    """One of the caller's endpoints."""
    return _shown(_find(request))


def list_webhooks(request: HttpRequest[None, None]) -> WebhookList:
    """The caller's endpoints."""
    return {"webhooks": [_shown(endpoint) for endpoint in endpoints.of(request.tenant)]}


def delete_webhook(request: HttpRequest[None, None]) -> DeletedWebhook:
    """Send nothing there any more."""
    endpoint = _find(request)
    # Told first: were it told afterwards, and the function died in between, nobody would ever drop what is on its way.
    messages.tell_deleted(Deleted(request.tenant, request.now, endpoint.webhook_id), request.now)
    endpoints.delete(endpoint)
    return {"webhookId": endpoint.webhook_id}


def renew_secret(request: HttpRequest[None, None]) -> Webhook:
    """Make a new secret; the one before it signs beside it for a day."""
    try:
        endpoint, secret = endpoints.renew_secret(_find(request), request.now)
    except ConditionFailed:
        raise NotFound.of(*WEBHOOK) from None
    return {**_shown(endpoint), "secret": secret}


def list_deliveries(request: HttpRequest[None, PageQuery]) -> DeliveryList:
    """What was sent to an endpoint, and what came of it."""
    query, tenant = request.query, request.tenant
    after = paging.start(query.cursor, tenant, deliveries.ID)
    found = deliveries.page(_find(request).key, query.limit, after)
    return {"deliveries": [_delivery(one) for one in found], "next": found.cursor(tenant)}


def resend_delivery(request: HttpRequest[None, None]) -> DeliveryView:
    """Send an event once more, now, whatever came of it before."""
    endpoint, delivery_id = _find(request), request.path["delivery_id"]
    found = deliveries.find(endpoint.key, delivery_id) if deliveries.is_id(delivery_id) else None
    if found is None:
        raise NotFound.of("delivery", "deliveryId")
    _require_active(endpoint)
    again = deliveries.resend(found, request.now)
    if again is None:
        raise Conflict("it is being sent just now", code="changing")
    turns.wake(endpoint.tenant, request.now, request.now)
    return _delivery(again)


def test_webhook(request: HttpRequest[None, None]) -> DeliveryView:
    """Send an event that says nothing but that it is a test, signed and tried again like any other."""
    endpoint = _find(request)
    _require_active(endpoint)
    event_id = (request.seed or uuid4().hex)[:32]
    shown = bodies.test(endpoint.webhook_id, request.now)
    delivery_id = deliveries.create(endpoint.key, request.now, event_id, bodies.TEST, shown, request.now)
    turns.wake(endpoint.tenant, request.now, request.now)
    made = deliveries.find(endpoint.key, delivery_id)
    if made is None:
        raise NotFound.of("delivery", "deliveryId")
    return _delivery(made)


def _require_active(endpoint: Endpoint) -> None:
    if endpoint.status != endpoints.Status.ACTIVE:
        raise Conflict("the webhook is disabled; enable it first", code="disabled")


def _wanted(body: NewWebhook) -> WantedEndpoint:
    try:
        targets.check(body.url, local=settings().on_a_laptop)
    except BadAddress as bad:
        raise Invalid.field("url", str(bad)) from None
    return WantedEndpoint(body.url, sorted(set(body.event_types)), body.enabled)


def _webhook_id(request: HttpRequest[Any, Any]) -> str | None:
    webhook_id = request.path["webhook_id"]
    return webhook_id if re.fullmatch(_ID, webhook_id) else None


def _find(request: HttpRequest[Any, Any]) -> Endpoint:
    webhook_id = _webhook_id(request)
    endpoint = endpoints.find(request.tenant, webhook_id) if webhook_id else None
    if endpoint is None:
        raise NotFound.of(*WEBHOOK)
    return endpoint


def _shown(endpoint: Endpoint) -> Webhook:
    return {
        "webhookId": endpoint.webhook_id,
        "url": targets.masked(endpoint.url),
        "eventTypes": endpoint.event_types,
        "status": endpoint.status,
        "reason": endpoint.reason,
        "failures": endpoint.failures,
        "restsUntil": iso_or_none(endpoint.rests_until),
        "createdAt": iso(endpoint.created_at),
        "updatedAt": iso(endpoint.updated_at),
    }


def _delivery(delivery: Delivery) -> DeliveryView:
    return {
        "deliveryId": delivery.delivery,
        "messageId": delivery.message_id,
        "eventType": delivery.event_type,
        "state": delivery.state,
        "nextAttemptAt": iso(delivery.due_at) if delivery.state == State.PENDING else None,
        "createdAt": iso(delivery.created_at),
        "updatedAt": iso(delivery.updated_at),
        "attempts": [_attempt(one) for one in delivery.tries],
    }


def _attempt(tried: Try) -> DeliveryAttempt:
    return {
        "at": iso(tried["at"]),
        "status": tried["status"],
        "code": tried["code"],
        "message": tried["message"],
        "ms": tried["ms"],
    }


_READ, _WRITE = Permission.WEBHOOKS_READ, Permission.WEBHOOKS_WRITE
_ALL = "/v1/webhooks"
_ONE = f"{_ALL}/{{webhook_id}}"
_SENT = f"{_ONE}/deliveries"
ROUTES = (
    Route("PUT", _ONE, "Say where events go", put_webhook, Webhook, _WRITE, body=NewWebhook, errors=(Conflict,)),
    Route("GET", _ONE, "Show a webhook", get_webhook, Webhook, _READ),
    Route("GET", _ALL, "List your webhooks", list_webhooks, WebhookList, _READ),
    Route("DELETE", _ONE, "Delete a webhook", delete_webhook, DeletedWebhook, _WRITE),
    Route("POST", f"{_ONE}/secret", "Make a new secret", renew_secret, Webhook, _WRITE, shows_secret=True),
    Route("GET", _SENT, "List what was sent", list_deliveries, DeliveryList, _READ, query=PageQuery),
    Route(
        "POST",
        f"{_SENT}/{{delivery_id}}/resend",
        "Send an event once more",
        resend_delivery,
        DeliveryView,
        _WRITE,
        status=202,
        errors=(Conflict,),
        asks=lambda _: 1,
    ),
    Route(
        "POST",
        f"{_ONE}/test",
        "Send a test event",
        test_webhook,
        DeliveryView,
        _WRITE,
        status=202,
        errors=(Conflict,),
        asks=lambda _: 1,
    ),
)
