"""When a daily summary is due: at an hour of the tenant's own clock, once for each of its days. Pure.

A clock that is set forward over that hour has it when it goes on; one that is set back has it the first time.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sluice.platform.clock import SECOND


class Moment(NamedTuple):
    """day: of the tenant's clock. at: when its summary is due, epoch ms."""

    day: date
    at: int


def is_zone(name: str) -> bool:
    """Whether there is such a time zone: `Europe/Berlin`, `UTC`."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # not known, no name at all, or a folder of names
        return False
    return True


def last(hour: int, zone: str, now: int) -> Moment:
    """The last summary that was due at or before `now`."""
    clock = ZoneInfo(zone)
    day = datetime.fromtimestamp(now / SECOND, UTC).astimezone(clock).date() + timedelta(days=1)
    while (at := _at(day, hour, clock)) > now:
        day -= timedelta(days=1)
    return Moment(day, at)


def following(hour: int, zone: str, now: int) -> Moment:
    """The first summary that is due after `now`."""
    before = last(hour, zone, now)
    day = before.day + timedelta(days=1)
    return Moment(day, _at(day, hour, ZoneInfo(zone)))


def _at(day: date, hour: int, clock: ZoneInfo) -> int:
    return int(datetime.combine(day, time(hour), clock).timestamp()) * SECOND
