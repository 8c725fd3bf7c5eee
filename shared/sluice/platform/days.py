"""A marketplace's days, as its own clock has them. Pure.

```
 America/Los_Angeles     Nov 1, 00:00 ─── 01:00 PDT ─── 01:00 PST ─── … ─── Nov 2, 00:00        25 hours
 UTC                           07:00        08:00         09:00                   08:00
```
The zones that marketplaces count in are few, and each differs from UTC by whole hours: hours begin at the same moments
everywhere, and only days differ. So the rule of each zone stands here, and no time zone database is loaded at a start.
"""

from datetime import UTC, datetime
from functools import cache
from typing import Final, NamedTuple

from sluice.platform.clock import DAY, HOUR, SECOND

WORLD: Final = "UTC"
# Where eBay's days begin (docs: "the day resets at midnight Pacific time").
PACIFIC: Final = "America/Los_Angeles"
ZONES: Final = (WORLD, PACIFIC)


class Day(NamedTuple):
    """One day of a zone: its first millisecond, and the first after it. It has 23 hours, 24, or 25."""

    zone: str
    start: int
    end: int

    @classmethod
    def at(cls, now: int, zone: str) -> "Day":
        """The day that holds `now` (epoch ms)."""
        start = _midnight(now, zone)
        return cls(zone, start, _midnight(start + DAY + 6 * HOUR, zone))

    @property
    def name(self) -> str:
        """`2026-11-22` of UTC, `2026-11-22@America/Los_Angeles` of another zone: no two days have one name."""
        local = self.start + _ahead(self.start, self.zone)
        date = datetime.fromtimestamp(local / SECOND, UTC).strftime("%Y-%m-%d")
        return date if self.zone == WORLD else f"{date}@{self.zone}"


def _midnight(now: int, zone: str) -> int:
    """When the day of `now` began."""
    local = now + _ahead(now, zone)
    local -= local % DAY
    # By the clock as it was then: it may have been changed since. It never is at midnight itself.
    about = local - _ahead(now, zone)
    return local - _ahead(about, zone)


def _ahead(now: int, zone: str) -> int:
    """By how much the clocks of `zone` are ahead of UTC at `now`, ms; below 0 where they are behind."""
    if zone == WORLD:
        return 0
    return -7 * HOUR if _is_summer(now) else -8 * HOUR


def _is_summer(now: int) -> bool:
    """Whether California has daylight saving time (Energy Policy Act of 2005, section 110; since 2007).

    From the second Sunday of March to the first of November, both at 2:00 of the clock that ends then.
    """
    year = datetime.fromtimestamp(now / SECOND, UTC).year
    return _sunday(year, 3, 2) + 10 * HOUR <= now < _sunday(year, 11, 1) + 9 * HOUR


@cache
def _sunday(year: int, month: int, which: int) -> int:
    """The 00:00 UTC at which the first, second, … Sunday of the month begins."""
    first = datetime(year, month, 1, tzinfo=UTC)
    days = (6 - first.weekday()) % 7 + 7 * (which - 1)
    return int(first.timestamp()) * SECOND + days * DAY
