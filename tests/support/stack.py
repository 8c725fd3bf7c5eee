"""The local cloud and the deployed stack as tests start them, and how long tests wait.

Every wait of a test is for an event, and ends with it. How long it may take at the most is set here once: long enough
that only what never comes takes as long. `SLUICE_TEST_PATIENCE=3` makes all of it three times as long, for a machine
that is slow or busy.
"""

import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from local.cloud import LocalCloud
from local.laptop import Laptop

PATIENCE = float(os.environ.get("SLUICE_TEST_PATIENCE", "1"))
# The longest wait for one event, and for a program that does several things, in seconds.
SECONDS = 240 * PATIENCE
PROGRAM_SECONDS = 400 * PATIENCE
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
