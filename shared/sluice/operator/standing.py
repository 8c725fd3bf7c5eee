"""The one word for how a queue stands. Pure. A queue is the jobs of one kind at one marketplace.

```
 paused ── failing ── at its limit ── backlogged ── active ── idle       the first that fits
```
"""

from enum import StrEnum
from typing import NamedTuple

from sluice.platform.clock import MINUTE

# Work that is due and waits for longer than this is a backlog.
LATE_MS = MINUTE
# So many tries must have gone wrong, and at least half of all, before a queue is called failing.
LEAST_FAILURES = 5


class QueueHealth(StrEnum):
    """How a queue stands."""

    PAUSED = "paused"  # an operator holds it
    FAILING = "failing"  # most of what it tries goes wrong
    AT_ITS_LIMIT = "at_its_limit"  # what the marketplace allows is used up, or it refuses calls
    BACKLOGGED = "backlogged"  # work waits for more than a minute
    ACTIVE = "active"  # it has work
    IDLE = "idle"  # it has none


class Numbers(NamedTuple):
    """What is known of a queue. Times are ms.

    queued, leased, waiting: its jobs by state. completed, failed: tries of the last hours that went well, or not.
    oldest_due_ms: how long the longest due job has waited. delay_p95: how long 95 % waited at most before they began.
    paused: an operator holds all of it. at_limit: a budget that it is charged to takes no calls now.
    """

    queued: int = 0
    leased: int = 0
    waiting: int = 0
    completed: int = 0
    failed: int = 0
    oldest_due_ms: int = 0
    delay_p95: int | None = None
    paused: bool = False
    at_limit: bool = False


def health(numbers: Numbers) -> QueueHealth:
    """The word for it."""
    if numbers.paused:
        return QueueHealth.PAUSED
    if numbers.failed >= max(LEAST_FAILURES, numbers.completed):
        return QueueHealth.FAILING
    if numbers.queued:
        if numbers.at_limit:
            return QueueHealth.AT_ITS_LIMIT
        if numbers.oldest_due_ms > LATE_MS or (numbers.delay_p95 or 0) > LATE_MS:
            return QueueHealth.BACKLOGGED
    if numbers.queued or numbers.leased or numbers.waiting:
        return QueueHealth.ACTIVE
    return QueueHealth.IDLE
