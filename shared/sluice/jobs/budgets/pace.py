"""How a budget's pace adapts to refusals. Pure.

```
 a 429 while windows have room     pace doubles, and the budget closes for a pause
 the next call is refused too      pace doubles again, and the pause, each up to its bound
 answered calls                    pauses begin anew; the pace comes back a little with each call
```
The pace is never below the configured one. A budget that was never refused keeps nothing: `Slowed()` is stored as no
attributes at all.
"""

from typing import NamedTuple

from sluice.platform.clock import HOUR, MINUTE

# A pace is at most so many times the configured one.
MOST_TIMES = 16
# A pause that the marketplace did not name is at most this long: so a day that is used up costs a call an hour.
LONGEST_PAUSE_MS = HOUR
# Who asks for a longer pause than this does not mean our pace, but a window that is used up.
PACE_PAUSE_MS = 10 * MINUTE
# The part of the slowness that one answered call takes back; at least so large a part of the configured pace.
BACK, LEAST_BACK = 16, 32


class Slowed(NamedTuple):
    """What is kept of refusals. pace: ms between two calls, 0 where it is the configured one. refusals: in a row."""

    pace: int = 0
    refusals: int = 0

    def of(self, configured: int) -> int:
        """The pace that holds, where `configured` ms are allowed."""
        return max(self.pace, configured)

    def refused(self, configured: int, *, pace_is_meant: bool = True, spacing: int = 0) -> "Slowed":
        """After one more refusal.

        spacing: ms between two calls that come evenly; this is what is doubled where no pace is configured.
        """
        usual = max(configured, spacing)
        doubled = min(2 * self.of(usual), MOST_TIMES * usual)
        return Slowed(max(self.pace, doubled) if pace_is_meant else self.pace, self.refusals + 1)

    def answered(self, calls: int, configured: int) -> "Slowed":
        """After `calls` more were answered."""
        slowness = self.of(configured) - configured
        for _ in range(calls):
            if slowness <= 0:
                break
            slowness -= max(slowness // BACK, configured // LEAST_BACK, 1)
        refusals = 0 if calls else self.refusals
        return Slowed(configured + slowness if slowness > 0 else 0, refusals)

    def pause(self, first_ms: int) -> int:
        """How long to close after the last refusal, where the first one closes for `first_ms`."""
        doublings = min(max(0, self.refusals - 1), 32)
        return max(first_ms, min(first_ms << doublings, LONGEST_PAUSE_MS))


# A budget that was not refused lately.
UNSLOWED = Slowed()
