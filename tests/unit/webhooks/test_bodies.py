"""What a tenant is told is what docs/webhooks.md says, and nothing of anybody else."""

import json
import re
from typing import Any

import pytest

from local.cloud.cloud import ROOT
from sluice.capabilities import EVENTS as EVENT_TYPES
from sluice.feed import bus_events
from sluice.platform.clock import iso
from sluice.webhooks import bodies
from sluice.webhooks.deliveries import PAUSES_MS
from tests.unit.webhooks.conftest import NOON, ended

DOCUMENT = (ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8")
TYPES: dict[str, tuple[type, ...]] = {
    "number": (int, float),
    "text": (str,),
    "text or null": (str, type(None)),
    "list": (list,),
    "list or null": (list, type(None)),
    "object or null": (dict, type(None)),
}
ERROR = {"code": "unavailable", "message": "stockx answered 503", "at": NOON}


DRIFT = {"id": "d", "tenant": "acme", "sku": "DZ5485-612-10", "listingId": "110551234567"}


def alert(kind: str) -> dict[str, Any]:
    seen = kind != "unreadable"
    return {
        "id": "7f3c",
        "tenant": "acme",
        "kind": kind,
        "pageId": "p1",
        "url": "https://shop.example/shoe",
        "label": None,
        "title": "A shoe",
        "variants": [{"variantId": "10", "text": "199.00"}] if seen else [],
        "reason": None if seen else "a challenge",
    }


EVENTS: dict[str, dict[str, Any]] = {
    "job.succeeded": ended(),
    "job.dead": ended("dead", result=None, error=ERROR),
    "job.cancelled": ended("cancelled", result=None),
    "account.broken": {
        "account": "stockx:acme",
        "marketplace": "stockx",
        "tenant": "acme",
        "grant": "seller",
        "status": "BROKEN",
        "reason": "the marketplace refuses the token",
    },
    "listing.changed": {
        "tenant": "acme",
        "listingId": "8a8d3f0e-0000-4000-8000-000000000001",
        "change": 2,
        "action": "UPDATE",
        "reason": "found",
        "status": "SOLD",
        "marketplaceId": None,
        "order": "12345678-87654321",
    },
    "listing.live": {"id": "l", "tenant": "acme", "marketplace": "stockx", "listingId": "l1", "sku": None},
    "listing.drift": {**DRIFT, "class": "external_only", "groups": ["price"]},
    "listing.on_hold": {**DRIFT, "class": "on_hold", "groups": []},
    "listing.sold": {**DRIFT, "class": "sale", "groups": [], "quantity": 2},
    "listing.ended": {**DRIFT, "class": "ended", "groups": [], "by": "ebay"},
    "failures.high": {
        "id": "f",
        "tenant": "acme",
        "percent": 35,
        "threshold": 20,
        "dead": 7,
        "ended": 20,
        "since": iso(NOON),
        "queues": [],
    },
    "summary.daily": {
        "id": "s",
        "tenant": "acme",
        "day": "2026-11-22",
        "from": iso(NOON),
        "to": iso(NOON),
        "jobs": [],
        "prices": None,
        "waiting": [],
        "quotas": [],
    },
    "webhook.disabled": {"tenant": "acme", "webhookId": "main", "reason": "gone"},
    **{f"page.{kind}": alert(kind) for kind in ("price_dropped", "back_in_stock", "variant_gone", "unreadable")},
}


def envelope(kind: str) -> dict[str, Any]:
    found = EVENTS[kind]
    if "detail" in found:
        return found
    detail = {"version": 1, **found, "at": iso(NOON)}
    return {"id": "e1", "source": "sluice", "detail-type": kind, "detail": detail}


def told(kind: str, tenant: str = "acme") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(bodies.body(bus_events.event(envelope(kind)), tenant))
    return found


def documented() -> dict[str, dict[str, tuple[type, ...]]]:
    """The fields of `data` for each type of event, as the document's tables have them."""
    tables: dict[str, dict[str, tuple[type, ...]]] = {}
    for part in re.split(r"^`data` of ", DOCUMENT, flags=re.MULTILINE)[1:]:
        title, _, rest = part.partition(":\n")
        rows = re.findall(r"^\| `(\w+)` \| ([\w ]+?) \|", rest.strip().split("\n\n")[0], re.MULTILINE)
        for kind in re.findall(r"`([\w.]+)`", title):
            tables[kind] = {name: TYPES[described] for name, described in rows}
    return tables


def test_every_type_is_documented() -> None:
    assert sorted(documented()) == sorted(EVENT_TYPES) == sorted(EVENTS)


@pytest.mark.parametrize("kind", EVENT_TYPES)
def test_a_body_is_what_the_document_says(kind: str) -> None:
    body = told(kind)
    assert list(body) == ["type", "timestamp", "data"]
    assert (body["type"], body["timestamp"]) == (kind, iso(NOON))
    fields = documented()[kind]
    assert list(body["data"]) == list(fields)
    assert {name for name, value in body["data"].items() if not isinstance(value, fields[name])} == set()


def test_names_are_those_of_the_api() -> None:
    assert told("job.succeeded")["data"]["result"] == {"ask": "150", "observedAt": "2026-11-22T11:59:59.000Z"}
    assert told("job.dead")["data"]["error"]["at"] == iso(NOON)


def test_the_document_has_the_schedule() -> None:
    row = next(line for line in DOCUMENT.splitlines() if line.startswith("| after |"))
    units = {"s": 1_000, "min": 60_000, "h": 3_600_000}
    pauses = [int(number) * units[unit] for number, unit in re.findall(r"(\d+) (s|min|h) ", row)]
    assert pauses == list(PAUSES_MS)


@pytest.mark.parametrize("tenant", ["globex", "acme-2"])
def test_another_asker_is_told_nothing_of_the_account(tenant: str) -> None:
    error = {**ERROR, "message": "stockx:acme answered 503"}
    event = bus_events.event(ended("dead", "acme", tenant, error=error, result=None))
    body = bodies.body(event, tenant)
    assert "stockx:acme answered" not in body
    assert "(another seller)" in body
