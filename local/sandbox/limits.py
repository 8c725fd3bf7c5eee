"""The quota as the marketplace counts it: arrivals, one count for each account."""

from bisect import bisect_left, insort
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

HOUR_MS = 3_600_000
DAY_MS = 86_400_000
LONGEST_DAY_MS = DAY_MS + HOUR_MS
"""A day on which the clocks are put back."""

Rule = Literal["interval", "hour", "day"]


class Limits(BaseModel):
    """What an account may do; None is no limit. A call over a limit is not charged against any."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    interval_ms: int | None = Field(default=None, ge=1)
    """One call each `interval_ms` on average, checked with GCRA."""
    burst: int = Field(default=1, ge=1)
    """Calls that an account which has been quiet may make at once."""
    tolerance_ms: int = Field(default=0, ge=0)
    """How much too early a call may arrive: the network does not keep distances exactly."""
    per_hour: int | None = Field(default=None, ge=1)
    per_day: int | None = Field(default=None, ge=1)
    windows: Literal["clock", "rolling"] = "clock"
    """`clock`: from the full hour and from 00:00 of `zone`. `rolling`: any 60 minutes, any 24 hours."""
    zone: str = "UTC"
    """Where days begin at midnight, by its IANA name: `America/Los_Angeles` at eBay."""
    second: Literal["average", "sliding", "clock"] = "average"
    """How `interval_ms` is counted. `average`: GCRA. `sliding`: no two calls within any interval. `clock`: one in each
    interval of the clock. The last two are strict: they count refused calls too, and know no burst and no tolerance."""
    enforce: bool = True
    """False: calls over a limit are answered all the same and only counted."""
    retry_after: bool = True
    """Whether the 429 carries `Retry-After`."""


@dataclass(frozen=True)
class Over:
    """A call over a limit: which, and the wait until it would be taken."""

    rule: Rule
    wait_ms: int


@dataclass(frozen=True)
class Day:
    """A day's calls, those that are left of them, and when the next day begins."""

    limit: int
    remaining: int
    reset_ms: int


@dataclass
class _Account:
    next_ms: int = 0
    """GCRA's theoretical arrival time."""
    last_ms: int | None = None
    """The last arrival, whether it was taken or refused."""
    arrivals: list[int] = field(default_factory=list)
    """Charged calls of the last day, in order."""


class Quotas:
    """Limits by marketplace, charged by marketplace and account."""

    def __init__(self) -> None:
        self._limits: dict[str, Limits] = {}
        self._accounts: defaultdict[tuple[str, str], _Account] = defaultdict(_Account)

    def set(self, marketplace: str, limits: Limits) -> None:
        """Replace the limits; what was charged stays charged."""
        self._limits[marketplace] = limits

    def of(self, marketplace: str) -> Limits:
        return self._limits[marketplace]

    def day(self, marketplace: str, account: str, at_ms: int) -> "Day | None":
        """How the account's day stands; None where the marketplace limits no day."""
        limits = self._limits[marketplace]
        if limits.per_day is None:
            return None
        start, end = _window(limits, DAY_MS, at_ms)
        arrivals = self._accounts[marketplace, account].arrivals
        used = len(arrivals) - bisect_left(arrivals, start)
        return Day(limits.per_day, max(0, limits.per_day - used), end)

    def charge(self, marketplace: str, account: str, at_ms: int) -> Over | None:
        """Charge a call that arrives at `at_ms`; an `Over` means that it was one too many and was not charged."""
        limits, state = self._limits[marketplace], self._accounts[marketplace, account]
        del state.arrivals[: bisect_left(state.arrivals, at_ms - LONGEST_DAY_MS + 1)]
        over = _over_interval(limits, state, at_ms) or _over_window(limits, state, at_ms)
        state.last_ms = at_ms if state.last_ms is None else max(at_ms, state.last_ms)
        if over is None:
            insort(state.arrivals, at_ms)
            state.next_ms = max(at_ms, state.next_ms) + (limits.interval_ms or 0)
        return over


def _over_interval(limits: Limits, state: _Account, at_ms: int) -> Over | None:
    """GCRA: `next_ms` is when a steady caller would come; one may be early by the burst and the tolerance.

    next_ms - (burst - 1) * interval - tolerance        next_ms
    ────────────────┼───────────────────────────────────────┼──────► time
      too early     │             taken                     │  taken
    """
    if limits.interval_ms is None:
        return None
    if limits.second != "average":
        return _over_strict(limits.second, limits.interval_ms, state.last_ms, at_ms)
    earliest = state.next_ms - (limits.burst - 1) * limits.interval_ms - limits.tolerance_ms
    return Over("interval", earliest - at_ms) if at_ms < earliest else None


def _over_strict(how: str, interval_ms: int, last_ms: int | None, at_ms: int) -> Over | None:
    """Strict counting: `last_ms` is the last arrival, taken or not."""
    if last_ms is None:
        return None
    opens = last_ms + interval_ms if how == "sliding" else (last_ms // interval_ms + 1) * interval_ms
    return Over("interval", opens - at_ms) if at_ms < opens else None


def _over_window(limits: Limits, state: _Account, at_ms: int) -> Over | None:
    windows: tuple[tuple[Rule, int, int | None], ...] = (
        ("day", DAY_MS, limits.per_day),
        ("hour", HOUR_MS, limits.per_hour),
    )
    for rule, length, most in windows:
        if most is None:
            continue
        start, end = _window(limits, length, at_ms)
        if len(state.arrivals) - bisect_left(state.arrivals, start) >= most:
            opens = end if limits.windows == "clock" else state.arrivals[-most] + length
            return Over(rule, opens - at_ms)
    return None


def _window(limits: Limits, length_ms: int, at_ms: int) -> tuple[int, int]:
    """The first millisecond of the window that holds `at_ms`, and the first after it."""
    if limits.windows == "rolling":
        return at_ms - length_ms + 1, at_ms + 1
    if length_ms == DAY_MS and limits.zone != "UTC":
        return _day(limits.zone, at_ms)
    start = at_ms - at_ms % length_ms
    return start, start + length_ms


def _day(zone: str, at_ms: int) -> tuple[int, int]:
    """The day of `zone` that holds `at_ms`, by the system's time zone database."""
    date = datetime.fromtimestamp(at_ms / 1000, ZoneInfo(zone)).date()
    midnights = (datetime.combine(day, time(), ZoneInfo(zone)) for day in (date, date + timedelta(days=1)))
    start, end = (round(midnight.timestamp() * 1000) for midnight in midnights)
    return start, end
