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

# Between two looks at what is awaited: at first, and at the most. Each look is work for the stack that is looked at, so
# what takes long is looked at less often: each pause is this share of the wait so far.
PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 0.5
SHARE_OF_THE_WAIT = 0.05


def until(done: Callable[[], Any], what: str) -> None:
    """Wait until `done()`. what: is awaited, for the message when it never comes.

    Raises:
        TimeoutError: it did not come within `SECONDS`.
    """
    began = time.monotonic()
    while not done():
        waited = time.monotonic() - began
        if waited > SECONDS:
            raise TimeoutError(f"{what}: not within {SECONDS:g} s")
        time.sleep(min(max(PAUSE_SECONDS, SHARE_OF_THE_WAIT * waited), LONGEST_PAUSE_SECONDS))


def empty_cloud() -> AbstractContextManager[LocalCloud]:
    """A local cloud in which nothing is deployed."""
    return LocalCloud()


def deployed(*, latency_ms: int, configuration: Mapping[str, Any] | None = None) -> AbstractContextManager[Laptop]:
    """The real template, deployed, with the marketplace sandbox and a token issuer.

    latency_ms: how long the sandbox takes for a call. configuration: what differs from the defaults.
    """
    return Laptop(latency_ms=latency_ms, configuration=json.dumps(configuration or {}))
