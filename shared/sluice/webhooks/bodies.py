"""What a webhook is sent: `{"type", "timestamp", "data"}`, as the Standard Webhooks specification has it. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from sluice.feed import bus_events
from sluice.feed.bus_events import Event
from sluice.platform.clock import iso

# The type of the event that a tenant has sent to try an endpoint. It is on no bus, and nobody subscribes to it.
TEST = "webhook.test"


def body(event: Event, tenant: str) -> str:
    """What `tenant` is sent of an event."""
    return _written(event.type, event.at, bus_events.data(event, tenant))


def test(webhook_id: str, at: int) -> str:
    """What an endpoint is sent that is tried. at: epoch ms."""
    return _written(TEST, at, {"webhookId": webhook_id, "message": "This is a test. Nothing has happened."})


def _written(kind: str, at: int, shown_data: Mapping[str, Any]) -> str:
    shown = {"type": kind, "timestamp": iso(at), "data": shown_data}
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":"))
