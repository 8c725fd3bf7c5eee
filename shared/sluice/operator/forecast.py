"""When what waits will be done, if nothing comes in between: the limits played forward, hour by hour. Pure."""

from collections.abc import Mapping, Sequence

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
    taken_by_hour = {first.hour_start: in_window(limits, usage, now)}
    pace = usage.slowed.of(limits.pace)
    while left > 0:
        if at - now > MOST_AHEAD_MS:
            return None
        window = Window.of(budget, at)
        if window.day != day:
            used_day, day = 0, window.day
        used_hour = usage.hour if window.hour_start == first.hour_start else 0
        recent = before(limits, taken_by_hour, window.hour_start)
        free = room(limits, Usage(hour=used_hour, day=used_day), window.end - at, pace, recent)
        taken = left if free is None else min(left, free)
        left -= taken
        used_day += taken
        taken_by_hour[window.hour_start] = taken_by_hour.get(window.hour_start, 0) + taken
        if not left:
            return at + max(0, taken - 1) * pace
        at = max(window.end, at + taken * pace)
    return at


def in_window(limits: Limits, usage: Usage, now: int) -> int:
    """The most calls that a window of an hour or more, which rolls, holds at `now`."""
    rings = usage.rings_of(limits)
    return max((ring.used(rings.taken, now) for ring in rings.rings if ring.span.ms >= HOUR), default=0)


def before(limits: Limits, started: Mapping[int, int], hour: int) -> list[int]:
    """Calls of the hour that begins at `hour` so far, and of the hours before, as many as windows that roll ask for."""
    longest = max((window.ms for window in limits.rolling), default=0)
    return [started.get(hour - back * HOUR, 0) for back in range(max(1, longest // HOUR))]


def room(limits: Limits, usage: Usage, ms: int, pace: int, recent: Sequence[int] = ()) -> int | None:
    """Calls that can start in the next `ms` of one hour; None where nothing limits them.

    As the engine counts: what every window leaves, and one call each `pace`, the first at once. recent: calls that have
    started in this hour, and in each before it.
    """
    known = [limit - used for limit, used in ((limits.per_hour, usage.hour), (limits.per_day, usage.day)) if limit]
    for window in limits.rolling:
        if window.ms < HOUR:
            known.append(window.calls * -(-ms // window.ms))
        else:
            known.append(window.calls - sum(recent[: window.ms // HOUR]))
    if pace:
        known.append(-(-ms // pace))
    return max(0, min(known)) if known else None


def per_hour(limits: Limits, pace: int) -> int | None:
    """Calls that an hour can hold at most; None where nothing limits them."""
    most = limits.most_in(HOUR)
    rates = [*([most] if most else []), *([HOUR // pace] if pace else [])]
    return min(rates) if rates else None
