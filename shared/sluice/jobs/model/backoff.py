"""How long to wait before the next attempt. Pure: randomness comes in as a value."""

from typing import NamedTuple

from sluice.platform.clock import MINUTE, SECOND


class Backoff(NamedTuple):
    """Exponential backoff with full jitter: attempt n waits between 0 and min(cap, base · 2^(n-1)) ms.

    Full jitter spreads the retries of a burst of failures best (AWS Architecture Blog,
    "Exponential Backoff and Jitter"). `floor_ms` keeps the first retry from following at once.
    """

    base_ms: int = 10 * SECOND
    cap_ms: int = 15 * MINUTE
    floor_ms: int = SECOND

    def delay(self, attempt: int, chance: float) -> int:
        """Milliseconds until the attempt after `attempt` (1 is the first); `chance` lies in [0, 1)."""
        # The exponent is bounded so that a corrupt attempt number cannot build a huge integer.
        ceiling = min(self.cap_ms, self.base_ms * 2 ** min(max(attempt, 1) - 1, 32))
        return max(self.floor_ms, int(ceiling * chance))


class Timetable(NamedTuple):
    """Attempts at set times: `waits_ms[0]` after the request, `waits_ms[n]` after attempt n has begun; one a wait.

    For work that waits for something whose time is known: a burst of failures is no reason to come at another one.
    """

    waits_ms: tuple[int, ...]

    @property
    def attempts(self) -> int:
        """How often the work is tried."""
        return len(self.waits_ms)

    def delay(self, attempt: int) -> int:
        """Milliseconds from the beginning of `attempt` to that of the next one; 0 is the request."""
        return self.waits_ms[min(attempt, len(self.waits_ms) - 1)]
