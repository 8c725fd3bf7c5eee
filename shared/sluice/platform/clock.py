"""Time as a value: epoch milliseconds (UTC) everywhere, read from a clock that tests replace."""

import threading
import time
from datetime import UTC, datetime
from typing import Protocol

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Clock(Protocol):
    """Where I/O code gets the time from. Pure rules take `now` as an argument instead."""

    def now(self) -> int:
        """The time in epoch milliseconds."""

    def wait_until(self, at: int, wake: threading.Event) -> bool:
        """Return at `at` (epoch ms), or earlier when `wake` is set. True when `wake` was set."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> int:
        return time.time_ns() // 1_000_000

    def wait_until(self, at: int, wake: threading.Event) -> bool:
        while (left := at - self.now()) > 0:
            if wake.wait(left / SECOND):
                return True
        return wake.is_set()


def iso(at: int) -> str:
    """Epoch milliseconds as RFC 3339 in UTC, the form in which the API and the logs show every time."""
    return datetime.fromtimestamp(at / SECOND, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def ttl(at: int) -> int:
    """Epoch milliseconds as DynamoDB's TTL attribute wants them: whole seconds.

    DynamoDB deletes up to days late, so nothing reads this attribute to decide anything.
    """
    return at // SECOND
