"""When what waits will be done, if nothing comes in between: the limits played forward, hour by hour. Pure."""

from sluice.jobs.budgets.windows import Usage, Window
from sluice.platform.clock import DAY, HOUR
from sluice.platform.config.limits import Limits

# Further ahead nobody believes a forecast.
MOST_AHEAD_MS = 30 * DAY


def ends_at(calls: int, limits: Limits, usage: Usage, budget: str, now: int) -> int | None:
    """When the last of `calls` calls that wait on `budget` can start, epoch ms; None if not within 30 days.

    usage: what is used of it now. A call is charged to the hour and the day in which it starts, as when it is made.
    """
    at, left = max(now, usage.closed_until), calls
    first = Window.of(budget, now)
    used_day, day = usage.day, first.day
    pace = usage.slowed.of(limits.pace)
    while left > 0:
        if at - now > MOST_AHEAD_MS:
            return None
        window = Window.of(budget, at)
        if window.day != day:
            used_day, day = 0, window.day
        used_hour = usage.hour if window.hour_start == first.hour_start else 0
        free = room(limits, Usage(hour=used_hour, day=used_day), window.end - at, pace)
        taken = left if free is None else min(left, free)
        left -= taken
        used_day += taken
        if not left:
            return at + max(0, taken - 1) * pace
        at = max(window.end, at + taken * pace)
    return at


def room(limits: Limits, usage: Usage, ms: int, pace: int) -> int | None:
    """Calls that can start in the next `ms` of one hour; None where nothing limits them.

    As the engine counts: what every window leaves, and one call each `pace`, the first at once.
    """
    windows = usage.left(limits)
    paced = -(-ms // pace) if pace else None
    known = [one for one in (windows, paced) if one is not None]
    return min(known, default=None)


def per_hour(limits: Limits, pace: int) -> int | None:
    """Calls that an hour can hold at most; None where nothing limits them."""
    rates = [*([limits.per_hour] if limits.per_hour else []), *([HOUR // pace] if pace else [])]
    return min(rates) if rates else None
