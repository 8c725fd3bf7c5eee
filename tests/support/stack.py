"""The local cloud and the deployed stack as tests start them. Tests wait for events, and a wait ends with its event."""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from local.cloud import LocalCloud
from local.laptop import Laptop
from tests.support.patience import PROGRAM_SECONDS, SECONDS

__all__ = ["PROGRAM_SECONDS", "SECONDS", "deployed", "empty_cloud", "until"]

# Between two looks at what is awaited.
PAUSE_SECONDS = 0.1


def until(done: Callable[[], Any], what: str) -> None:
    """Wait until `done()`. what: is awaited, for the message when it never comes.

    Raises:
        TimeoutError: it did not come within `SECONDS`.
    """
    deadline = time.monotonic() + SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {SECONDS:g} s")
        time.sleep(PAUSE_SECONDS)


def empty_cloud() -> AbstractContextManager[LocalCloud]:
    """A local cloud in which nothing is deployed."""
    return LocalCloud()


def deployed(*, latency_ms: int, configuration: Mapping[str, Any] | None = None) -> AbstractContextManager[Laptop]:
    """The real template, deployed, with the marketplace sandbox and a token issuer.

    latency_ms: how long the sandbox takes for a call. configuration: what differs from the defaults.
    """
    return Laptop(latency_ms=latency_ms, configuration=json.dumps(configuration or {}))
