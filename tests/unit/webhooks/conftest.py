"""Webhooks on an empty store: the queue, the bus and the key are played, and time is virtual."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from sluice.capabilities import EVENTS as EVENT_TYPES
from sluice.platform import aws
from sluice.platform.clock import SECOND
from sluice.platform.observe import metrics
from sluice.webhooks import endpoints, sender
from sluice.webhooks.client import Undelivered, WebhookClient
from sluice.webhooks.deliveries import Delivery
from sluice.webhooks.endpoints import Endpoint, WantedEndpoint
from tests.support.clock import VirtualClock
from tests.support.store import Store, store

NOON = 1_795_348_800_000  # 2026-11-22T12:00:00Z
URL = "https://hooks.example.com/sluice"
Answers = int | Undelivered
TIMED_OUT = Undelivered("timed_out", "no answer within 10 seconds")


@dataclass
class Sent:
    """One request to a receiver."""

    at: int
    url: str
    headers: Mapping[str, str]
    body: str

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


class Receivers(WebhookClient):
    """Every receiver there is. It answers with each of `answers` in turn, then with 204."""

    def __init__(self, clock: VirtualClock) -> None:
        self.sent: list[Sent] = []
        self.answers: list[Answers] = []
        self.meanwhile: list[Any] = []
        self._clock = clock

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        self.sent.append(Sent(self._clock.time, url, headers, body.decode()))
        if self.meanwhile:
            self.meanwhile.pop(0)()
        answer = self.answers.pop(0) if self.answers else 204
        if isinstance(answer, Undelivered):
            raise answer
        return answer


@dataclass
class Post:
    """What AWS does. queue: messages with the time from which they are seen."""

    clock: VirtualClock
    receivers: Receivers
    queue: list[tuple[int, str]] = field(default_factory=list)
    buried: list[tuple[str, str]] = field(default_factory=list)
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def send(self, queue: str, body: str, delay: int = 0, **attributes: str) -> None:
        """The queue takes a message."""
        if queue == "dead":
            self.buried.append((body, attributes["reason"]))
        else:
            assert 0 <= delay <= 900
            self.queue.append((self.clock.time + delay * SECOND, body))

    def handle(self, *bodies: str) -> list[str]:
        """One delivery to one sender; those that it gives back."""
        return sender.work({str(number): body for number, body in enumerate(bodies)}, self.receivers, self.clock)

    def publish(self, event: Mapping[str, Any]) -> None:
        """An event reaches the queue."""
        self.queue.append((self.clock.time, json.dumps(event)))

    def step(self) -> None:
        """Handle the next message, at its time."""
        self.queue.sort(key=lambda entry: entry[0])
        at, body = self.queue.pop(0)
        self.clock.time = max(self.clock.time, at)
        assert self.handle(body) == []

    def run(self) -> None:
        """Handle messages until there are none."""
        while self.queue:
            self.step()


@pytest.fixture(scope="module")
def tables() -> Iterator[Store]:
    with pytest.MonkeyPatch.context() as patch:
        names = (
            ("WEBHOOK_QUEUE_URL", "webhooks"),
            ("DEAD_QUEUE_URL", "dead"),
            ("EVENT_BUS", "bus"),
            ("TOKEN_KEY", "key"),
        )
        for name, value in names:
            patch.setenv(name, value)
        with store() as made:
            yield made


@pytest.fixture
def post(tables: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    """Noon, empty tables and an empty queue."""
    tables.clear()
    tables.around = None
    clock = VirtualClock(NOON)
    made = Post(clock, Receivers(clock))
    monkeypatch.setattr(metrics.provider, "namespace", "Sluice/test")
    monkeypatch.setattr(aws, "send_message", made.send)
    monkeypatch.setattr(aws, "put_event", lambda kind, detail: made.events.append((kind, detail)))
    monkeypatch.setattr(aws, "encrypt", lambda text, context: json.dumps([text, context]).encode())
    monkeypatch.setattr(aws, "decrypt", _decrypt)
    yield made
    metrics.clear_metrics()


def _decrypt(sealed: bytes | str, context: Mapping[str, str]) -> str:
    text, sealed_for = json.loads(sealed)
    assert sealed_for == context
    return str(text)


def endpoint(
    tenant: str = "acme", webhook_id: str = "main", *types: str, url: str = URL, enabled: bool = True
) -> tuple[Endpoint, str]:
    """Make an endpoint that wants `types`, or everything; with its secret."""
    return endpoints.create(tenant, webhook_id, WantedEndpoint(url, list(types or EVENT_TYPES), enabled), NOON)


def ended(state: str = "succeeded", *tenants: str, **detail: Any) -> dict[str, Any]:
    """The event of a job that has ended, as EventBridge sends it."""
    return {
        "version": "0",
        "id": "1b2c3d4e-0000-4000-8000-000000000000",
        "source": "sluice",
        "detail-type": f"job.{state}",
        "detail": {
            "version": 1,
            "id": "c4ca4238a0b923820dcc509a6f75849b",
            "jobId": "market.refresh:stockx:DD1391-100:us-10:USD",
            "kind": "market.refresh",
            "state": state,
            "account": "stockx:acme",
            "tenants": list(tenants or ("acme",)),
            "attempts": 1,
            "result": {"ask": "150", "observed_at": "2026-11-22T11:59:59.000Z"},
            "error": None,
            "at": "2026-11-22T12:00:00.000Z",
            **detail,
        },
    }


def delivery(webhook: str = "acme/main") -> Delivery:
    """The one delivery of a webhook."""
    [found] = Delivery.query(webhook)
    return found


def states(webhook: str = "acme/main") -> list[str]:
    """The states of a webhook's deliveries, oldest event first."""
    return [one.state for one in Delivery.query(webhook)]


def state_of(tenant: str = "acme", webhook_id: str = "main") -> tuple[str, int]:
    """An endpoint's status and the failures that count against it."""
    found = Endpoint.get(tenant, webhook_id)
    return found.status, found.failures


def signature(secret: str, sent: Sent) -> str:
    """How `secret` signs what was sent."""
    at = datetime.fromtimestamp(sent.at // SECOND, UTC)
    return Webhook(secret).sign(sent.headers["webhook-id"], at, sent.body)
