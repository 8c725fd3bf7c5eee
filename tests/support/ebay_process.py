"""A process that calls the sandbox's eBay with the real adapters, and forgets it afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sluice.jobs.queue import lanes
from sluice.marketplaces.accounts import token_cache
from sluice.marketplaces.http import transport
from sluice.platform import aws, observe
from sluice.platform.observe import metrics
from sluice.platform.settings import settings
from tests.support.sandbox_wire import SandboxWire


@contextmanager
def calling(wire: SandboxWire) -> Iterator[None]:
    """Every call to eBay goes to `wire`; keys are not encrypted, and events and wake-ups go nowhere."""
    client = transport._client(wire)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EBAY_API_URL", "http://sandbox.test")
        patch.setenv("EVENT_BUS", "bus")
        patch.setenv("WAKE_QUEUE_URL", "wake")
        patch.setattr(aws, "send_message", lambda queue, body, delay: None)
        patch.setattr(metrics.provider, "namespace", "Sluice/test")
        patch.setattr(transport, "_shared_client", lambda: client)
        patch.setattr(aws, "encrypt", lambda text, context: text.encode())
        patch.setattr(aws, "decrypt", lambda secret, context: secret.decode())
        patch.setattr(aws, "put_events", lambda events: None)
        _forget()
        yield
    _forget()


def _forget() -> None:
    settings.cache_clear()
    token_cache.forget()
    lanes.forget()
    observe.forget()
