"""Time as a value: epoch milliseconds (UTC) everywhere, read from a clock that tests replace."""

import threading
import time
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = datetime.fromtimestamp(0, UTC)


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
    return (_EPOCH + timedelta(milliseconds=at)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_or_none(at: int | None) -> str | None:
    """As `iso`; None where there is no time."""
    return None if at is None else iso(at)


def from_iso(text: str, *, zone: tzinfo | None = None) -> int:
    """An RFC 3339 time as epoch milliseconds, cut off and never rounded up. zone: of a time that does not name its own.

    Raises:
        ValueError: it is no time, has no zone, or is not within the years 1 to 9999 in UTC, which `iso` can show.
    """
    moment = datetime.fromisoformat(text.upper())  # `t` and `z` are as good (RFC 3339, 5.6)
    if moment.tzinfo is None:
        if zone is None:
            raise ValueError("the time does not say its zone")
        moment = moment.replace(tzinfo=zone)
    try:
        return (moment.astimezone(UTC) - _EPOCH) // timedelta(milliseconds=1)
    except OverflowError:
        raise ValueError("the time is not within the years 1 to 9999") from None


def ttl(at: int) -> int:
    """Epoch milliseconds as DynamoDB's TTL attribute wants them: whole seconds.

    DynamoDB deletes up to days late, so nothing reads this attribute to decide anything.
    """
    return at // SECOND
