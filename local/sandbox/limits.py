"""The quota as the marketplace counts it: arrivals, one count for each account."""

from bisect import bisect_left, insort
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

HOUR_MS = 3_600_000
DAY_MS = 86_400_000

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
    """`clock`: from the full hour and from 00:00 UTC. `rolling`: any 60 minutes, any 24 hours."""
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
    arrivals: list[int] = field(default_factory=list)
    """Charged calls of the last 24 hours, in order."""


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
        start = _start(limits, DAY_MS, at_ms)
        arrivals = self._accounts[marketplace, account].arrivals
        used = len(arrivals) - bisect_left(arrivals, start)
        return Day(limits.per_day, max(0, limits.per_day - used), start + DAY_MS)

    def charge(self, marketplace: str, account: str, at_ms: int) -> Over | None:
        """Charge a call that arrives at `at_ms`; an `Over` means that it was one too many and was not charged."""
        limits, state = self._limits[marketplace], self._accounts[marketplace, account]
        del state.arrivals[: bisect_left(state.arrivals, at_ms - DAY_MS + 1)]
        over = _over_interval(limits, state, at_ms) or _over_window(limits, state, at_ms)
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
    earliest = state.next_ms - (limits.burst - 1) * limits.interval_ms - limits.tolerance_ms
    return Over("interval", earliest - at_ms) if at_ms < earliest else None


def _over_window(limits: Limits, state: _Account, at_ms: int) -> Over | None:
    windows: tuple[tuple[Rule, int, int | None], ...] = (
        ("day", DAY_MS, limits.per_day),
        ("hour", HOUR_MS, limits.per_hour),
    )
    for rule, length, most in windows:
        if most is None:
            continue
        start = _start(limits, length, at_ms)
        if len(state.arrivals) - bisect_left(state.arrivals, start) >= most:
            opens = start + length if limits.windows == "clock" else state.arrivals[-most] + length
            return Over(rule, opens - at_ms)
    return None


def _start(limits: Limits, length_ms: int, at_ms: int) -> int:
    return at_ms - at_ms % length_ms if limits.windows == "clock" else at_ms - length_ms + 1
