"""Turns within the hour, where tenants share an application: who has had how many of its calls, and what is kept. Pure.

```
 of the hour's 150 calls, what one tenant may take        37 are kept at first for those who have had none yet
 00 ├──────────────── 113 at once ────────────────┤
 45 ├──────────────────────────── all 150 ────────────────────────────┤   by then all are given free, bit by bit
```
So a long queue of one tenant leaves something for the next one who comes, and nothing of the hour is wasted when none
does. What others have had counts as theirs: nothing is kept twice. Among those who wait, whoever has had less goes
first (`fair_order`).
"""

from collections.abc import Mapping
from typing import NamedTuple

from sluice.platform.clock import MINUTE

# One part in so many of the hour is kept for others, at its beginning.
KEPT_PART = 4
# After so much of the hour nothing is kept any more.
RELEASED_MS = 45 * MINUTE


class Shares(NamedTuple):
    """An hour's calls of one application, by tenant.

    limit: all of them. used: those reserved. elapsed: of the hour, ms. had: by tenant, those admitted so far.
    """

    limit: int
    used: int
    elapsed: int
    had: Mapping[str, int] = {}

    def fits(self, tenant: str, calls: int, taken: Mapping[str, int]) -> bool:
        """Whether `tenant` may take `calls` more. taken: by tenant, besides those `had`, and not in `used`."""
        return self.used + sum(taken.values()) + calls <= self.limit - self.kept_from(tenant, taken)

    def kept_from(self, tenant: str, taken: Mapping[str, int]) -> int:
        """Calls that `tenant` may not take, for they are kept for others. taken: by tenant, besides those `had`."""
        left_ms = max(0, RELEASED_MS - self.elapsed)
        kept = self.limit * left_ms // (KEPT_PART * RELEASED_MS)
        others = sum(calls for by in (self.had, taken) for one, calls in by.items() if one != tenant)
        return max(0, kept - others)
