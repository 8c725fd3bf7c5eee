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
        room = [left]
        room += [max(0, limits.per_hour - used_hour)] if limits.per_hour else []
        room += [max(0, limits.per_day - used_day)] if limits.per_day else []
        # So many calls can start before the hour ends, the first of them at once.
        room += [-(-(window.end - at) // pace)] if pace else []
        taken = min(room)
        left -= taken
        used_day += taken
        if not left:
            return at + max(0, taken - 1) * pace
        at = max(window.end, at + taken * pace)
    return at


def per_hour(limits: Limits, pace: int) -> int | None:
    """Calls that an hour can hold at most; None where nothing limits them."""
    rates = [*([limits.per_hour] if limits.per_hour else []), *([HOUR // pace] if pace else [])]
    return min(rates) if rates else None
