"""Mail on an empty store: SNS is played, and time is virtual."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from sluice.notifications import mailer, receive, table, texts, topics
from sluice.platform import aws
from sluice.platform.observe import metrics
from tests.support.clock import VirtualClock
from tests.support.mailbox import REGION, Mailbox
from tests.support.store import Store, store

NOON = 1_795_348_800_000  # 2026-11-22T12:00:00Z
OPS = "ops@acme.example"
OTHERS = "desk@globex.example"
OPERATORS = "night@sluice.example"
OPERATOR_TOPIC = f"{REGION}:sluice-local-mail"


@dataclass
class Office:
    """What AWS does around the notifier. set_aside: messages that were none."""

    clock: VirtualClock
    box: Mailbox
    store: Store
    set_aside: list[str]

    def wants(self, *types: str, tenant: str = "acme", address: str = OPS, confirmed: bool = True) -> None:
        """A tenant wants mail of `types`, or of everything."""
        topic = topics.subscribe(tenant, address)
        wanted = table.Wanted(mail=(address, topic), types=types or tuple(texts.SAID))
        table.change(table.wants(tenant), tenant, wanted, self.clock.time)
        if confirmed:
            self.box.confirm(address)

    def operator_reads(self) -> None:
        """Whoever runs the deployment reads its mail."""
        self.box.topics[OPERATOR_TOPIC] = {OPERATORS: True}

    def operators_mails(self) -> list[tuple[str, str]]:
        """Subject and text of each mail that went there."""
        return [(subject, text) for address, subject, text in self.box.sent if address == OPERATORS]

    def happens(self, *events: dict[str, Any]) -> None:
        """Events reach the queue, and the notifier takes them in."""
        found = {str(number): json.dumps(event) for number, event in enumerate(events)}
        assert receive.work(found, self.clock) == []

    def minute(self, ms: int = 60_000) -> int:
        """Time passes, and the notifier's next run comes; how many tenants it served."""
        self.clock.time += ms
        return mailer.send_due(self.clock)

    def lines(self, tenant: str = "acme") -> list[str]:
        """What waits for the tenant's next mail."""
        return [one.text for one in table.waiting(tenant, 100)]


@pytest.fixture(scope="module")
def tables() -> Iterator[Store]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEAD_QUEUE_URL", "dead")
        patch.setenv("EVENT_BUS", "bus")
        patch.setenv("OPERATOR_TOPIC", OPERATOR_TOPIC)
        with store() as made:
            yield made


@pytest.fixture
def office(tables: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """Noon, empty tables, and nobody subscribed to anything."""
    tables.clear()
    tables.around = None
    made = Office(VirtualClock(NOON), Mailbox({OPERATOR_TOPIC: {}}), tables, [])
    tables.services["sns"] = made.box.answer
    monkeypatch.setattr(metrics.provider, "namespace", "Sluice/test")
    monkeypatch.setattr(aws, "send_message", lambda _queue, body, **_about: made.set_aside.append(body))
    yield made
    metrics.clear_metrics()


def event(kind: str, detail: Mapping[str, Any], event_id: str = "e1") -> dict[str, Any]:
    """An event as EventBridge sends it, of two seconds before noon."""
    return {
        "version": "0",
        "id": f"envelope-{event_id}",
        "source": "sluice",
        "detail-type": kind,
        "detail": {"version": 1, "id": event_id, "at": "2026-11-22T11:59:58.000Z", **detail},
    }


def dead(event_id: str = "e1", *tenants: str, **detail: Any) -> dict[str, Any]:
    """A job died for good."""
    wanted = {
        "jobId": "market.refresh:stockx:DD1391-100:us-10:USD",
        "kind": "market.refresh",
        "state": "dead",
        "account": "stockx:globex",
        "tenants": list(tenants or ("acme",)),
        "attempts": 3,
        "result": None,
        "error": {"code": "unavailable", "message": "stockx:globex answered 503", "at": NOON},
    }
    return event("job.dead", wanted | detail, event_id)


def live(event_id: str = "l1", tenant: str = "acme") -> dict[str, Any]:
    """A listing can be bought now, which the operator is not told."""
    return event(
        "listing.live", {"tenant": tenant, "marketplace": "ebay", "listingId": "1101", "sku": "DZ5485-612"}, event_id
    )


def broken(tenant: str = "acme", event_id: str = "b1") -> dict[str, Any]:
    """An account stopped working."""
    told = {"account": f"stockx:{tenant}", "marketplace": "stockx", "tenant": tenant, "grant": "seller"}
    return event("account.broken", told | {"status": "BROKEN", "reason": "the token was revoked"}, event_id)
