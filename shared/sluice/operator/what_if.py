"""What a limit would have done to the calls of the last days: the windows' own rules, played over stored usage. Pure.

```
 hour          05:00   06:00   07:00   08:00
 calls made       80     140      20       0        what the day's item says
 a limit of      100     100     100     100        room: what hour and day leave, and one call each `pace`
 start            80     100      60       0
 wait              0      40       0       0        40 calls begin an hour later, first come first served
```
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sluice.jobs.budgets.windows import Usage, Window
from sluice.operator.forecast import before, room
from sluice.platform.clock import DAY, HOUR
from sluice.platform.config.limits import Limits

# What the stored usage cannot tell, said with each answer.
UNKNOWN: Final = (
    "work that waited under the limits of that time is seen when its calls were made, not when it was asked for",
    "calls are known by hour: within their hour they are taken to be spread evenly, so a burst may have waited longer",
    "priorities are not known: in truth manual work goes first, and background work waits longer than is told here",
    "a fifth of each window (engine.reserve_percent) is kept for manual and hot work, which is not played here",
    "closings and slower paces after refusals of the marketplace are not played",
)


class Waited(NamedTuple):
    """What waited in one day of the marketplace. calls: that were made. waited: of those, not in their own hour."""

    day: str
    calls: int
    waited: int


@dataclass
class Played:
    """The calls of some days under some limits. Waits are told in whole hours, rounded up.

    calls: all that were made. waited: so many would not have started in their own hour. longest_hours, mean_hours: of
    those. largest, largest_at: the most that waited at the end of an hour, and when (epoch ms). left: that would wait
    still at the end.
    """

    calls: int = 0
    waited: int = 0
    longest_hours: int = 0
    sum_hours: int = 0
    largest: int = 0
    largest_at: int | None = None
    left: int = 0
    days: list[Waited] = field(default_factory=list)

    @property
    def mean_hours(self) -> float | None:
        """How long those that waited did on average; None where none did."""
        return round(self.sum_hours / self.waited, 1) if self.waited else None


def hours(budget: str, stored: Mapping[str, Mapping[str, int]], since: int, now: int) -> dict[int, int]:
    """Calls by the beginning of each hour from `since` until now. stored: by day, as `budgets.history` gives them."""
    found = dict[int, int]()
    at = since - since % HOUR
    while at <= now:
        window = Window.of(budget, at)
        found[at] = max(0, stored.get(window.day, {}).get(window.hour, 0))
        at += HOUR
    return found


def play(budget: str, made: Mapping[int, int], limits: Limits) -> Played:
    """The calls `made`, by the beginning of their hour, as they would have started under `limits`."""
    played, waiting = Played(), deque[tuple[int, int]]()  # (hour, calls), first come first
    day, used = "", 0
    of_day: dict[str, list[int]] = {}
    started = dict[int, int]()
    for hour, calls in sorted(made.items()):
        window = Window.of(budget, hour)
        if window.day != day:
            day, used = window.day, 0
        if calls:
            waiting.append((hour, calls))
        played.calls += calls
        of_day.setdefault(day, [0, 0])[0] += calls
        left = room(limits, Usage(day=used), HOUR, limits.pace, before(limits, started, hour))
        while waiting and left != 0:
            since, number = waiting.popleft()
            taken = number if left is None else min(number, left)
            used += taken
            started[hour] = started.get(hour, 0) + taken
            left = None if left is None else left - taken
            _started(played, of_day, budget, since, taken, (hour - since) // HOUR)
            if taken < number:
                waiting.appendleft((since, number - taken))
        behind = sum(number for _, number in waiting)
        if behind > played.largest:
            played.largest, played.largest_at = behind, hour + HOUR
    last = max(made, default=0)
    for since, number in waiting:
        _started(played, of_day, budget, since, number, (last - since) // HOUR + 1)
        played.left += number
    played.days = [Waited(name.partition("@")[0], *numbers) for name, numbers in of_day.items()]
    return played


def _started(played: Played, of_day: dict[str, list[int]], budget: str, since: int, calls: int, waited: int) -> None:
    """Count `calls` of the hour `since` that started `waited` hours later."""
    if not waited:
        return
    played.waited += calls
    played.sum_hours += calls * waited
    played.longest_hours = max(played.longest_hours, waited)
    of_day[Window.of(budget, since).day][1] += calls


def since(days: int, now: int) -> int:
    """From when on `days` days back are played, the one of `now` included."""
    return now - (days - 1) * DAY
