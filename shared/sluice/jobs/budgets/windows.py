"""The arithmetic of windows and slots. Pure, in whole milliseconds: nothing here rounds in the caller's favour."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sluice.jobs.budgets.blocks import WORTH_WAITING_MS, Times
from sluice.jobs.budgets.pace import UNSLOWED, Slowed
from sluice.jobs.budgets.rings import Rings, Span
from sluice.jobs.budgets.shares import Shares
from sluice.jobs.model import keys
from sluice.platform import days
from sluice.platform.clock import HOUR, MINUTE, SECOND
from sluice.platform.config.limits import Limits
from sluice.platform.config.services import zone_of

# How far ahead of its slots a budget is given manual work. Whoever runs the last of it asks for more (`Batch.more`).
# What was handed out is its worker's: nobody else's account can do it sooner, whoever asks for it too.
SOON_MS = 6 * SECOND
# One look at operations checks what the slots can start in about this time. Whoever looks waits for these slots, and
# what becomes due meanwhile, whosever it is, waits for the next look.
LOOK_MS = 3 * SECOND
# Slots are taken for about this long ahead: long enough that a block serves several calls, short enough that a manual
# request, whose worker queues up behind the block, waits no longer than this.
BLOCK_MS = SECOND // 2
# Each block is one write, so a call costs at most a third of one.
LEAST_BLOCK = 3
# Where slots are taken further ahead than the blocks of so many, one more would only wait with them: its place is
# better another's.
MOST_AT_IT = 2
# What a tick has seen is old news when the next minute's has been there.
SEEN_MS = MINUTE


class Window(NamedTuple):
    """One hour and the day it lies in; the two limits that a call started in it is charged to.

    zone: in which the day is counted. Hours begin at the same moments in all of them.
    """

    hour_start: int
    zone: str = days.WORLD

    @classmethod
    def at(cls, now: int, zone: str = days.WORLD) -> "Window":
        """The window that a call starting at `now` falls into."""
        return cls(now - now % HOUR, zone)

    @classmethod
    def of(cls, budget: str, now: int) -> "Window":
        """The window of `budget` that a call starting at `now` falls into: its day is that of its marketplace."""
        return cls.at(now, zone_of(keys.service_of(budget)))

    @property
    def day(self) -> str:
        """The day's name, `2026-11-22`: the range key of the budget's item."""
        return self._day.name

    @property
    def hour(self) -> str:
        """The hour's counter on that item, `h00` for the day's first hour; a day of 25 hours ends with `h24`."""
        return f"h{(self.hour_start - self._day.start) // HOUR:02d}"

    @property
    def end(self) -> int:
        """The first millisecond after the hour."""
        return self.hour_start + HOUR

    @property
    def day_end(self) -> int:
        """The first millisecond after the day."""
        return self._day.end

    @property
    def _day(self) -> days.Day:
        return days.Day.at(self.hour_start, self.zone)

    def holds(self, start: int, margin: int) -> bool:
        """Whether a call that starts at `start` is seen in this window by a clock that differs by up to `margin`."""
        return self.hour_start + margin <= start < self.end - margin


def outside_margin(start: int, margin: int) -> int:
    """The first moment from `start` on that is not within `margin` of an hour's boundary."""
    window = Window.at(start)
    if start < window.hour_start + margin:
        return window.hour_start + margin
    return start if start < window.end - margin else window.end + margin


def spans(limits: Limits) -> list[Span]:
    """The rolling windows of `limits`, as `rings` keep them."""
    return [Span(window.calls, window.ms) for window in limits.rolling]


class Usage(NamedTuple):
    """What a budget's items say at one time.

    hour, day: calls reserved so far in the window's hour and day.
    next_at: when the next slot may start at the earliest.
    admitted_until: up to when the scheduler has handed out work. manual_until: the same of manual work alone.
    left_at: when a tick last left manual work behind, because the slots are spoken for.
    closed_at, closed_until, closed_reason: since when the marketplace takes no calls, until when, and why.
    slowed: how the marketplace's refusals have changed the pace.
    had: by tenant, calls that were admitted in the hour, of a budget that is an application's.
    rings: what is taken of the windows that roll.
    at: when this was read.
    """

    hour: int = 0
    day: int = 0
    next_at: int = 0
    admitted_until: int = 0
    closed_at: int = 0
    closed_until: int = 0
    closed_reason: str = ""
    slowed: Slowed = UNSLOWED
    had: Mapping[str, int] | None = None
    manual_until: int = 0
    left_at: int = 0
    rings: Rings = Rings()
    at: int = 0

    def ahead(self, now: int) -> int:
        """For how long, in ms, the slots are spoken for: by work that was handed out, and by calls that wait."""
        return max(self.admitted_until, self.manual_until, self.next_at, now) - now

    def soon(self, limits: Limits, now: int) -> int | None:
        """Calls of further manual work that the slots can start soon; None where there are no slots to wait for."""
        if self.taken_ahead(limits, now):
            # Who comes first waits behind those, because nobody else would ask for it when they are done.
            return 0 if self.manual_until > now else 1
        ahead = max(0, self.manual_until - now)
        return self._further(SOON_MS - ahead, limits)

    def checks(self, limits: Limits, now: int) -> int | None:
        """The same of the checks of one look."""
        return 0 if self.taken_ahead(limits, now) else self._further(LOOK_MS, limits)

    def taken_ahead(self, limits: Limits, now: int) -> bool:
        """Whether the slots are taken for longer than two who make calls take them: at least a third is at it."""
        block_ms = max(BLOCK_MS, LEAST_BLOCK * self.slowed.of(limits.pace))
        return bool(limits.pace) and self.next_at - now > MOST_AT_IT * block_ms

    def _further(self, ms: int, limits: Limits) -> int | None:
        return -(-max(0, ms) // self.slowed.of(limits.pace)) if limits.pace else None

    def crowded(self, limits: Limits, now: int) -> bool:
        """Whether manual work is not done soon, though a person waits for it: other manual work stands before it, or
        refusals have slowed the calls down.

        Work that several want is then done sooner on the account of another of them.
        """
        if self.slowed.pace > limits.pace:
            return True
        waits = self.taken_ahead(limits, now) or self.soon(limits, now) == 0
        return waits or (limits.pace > 0 and self.left_at > now - SEEN_MS)

    def left(self, limits: Limits, kept_percent: int = 0) -> int | None:
        """Calls that every window still allows when `kept_percent` of each is kept; None where nothing limits them.

        Of a window that rolls these are the calls that can start within the time that is worth waiting for. Of one that
        is no longer than that nothing is kept: whoever comes next waits for it no longer, and manual work goes first.
        """
        windows = [(limits.per_hour, limits.per_hour - self.hour), (limits.per_day, limits.per_day - self.day)]
        rolling = self.rings_of(limits)
        left = [free - _kept(limit, kept_percent) for limit, free in windows if limit]
        for ring in rolling.rings:
            free = ring.free_by(rolling.taken, self.at, self.at + WORTH_WAITING_MS, limits.arrival_ms)
            is_long = ring.span.ms > WORTH_WAITING_MS
            left.append(free - (_kept(ring.span.calls, kept_percent) if is_long else 0))
        return max(0, min(left)) if left else None

    def rings_of(self, limits: Limits) -> Rings:
        """The windows of `limits` that roll."""
        return self.rings.fitting(spans(limits), limits.arrival_ms)

    def times(self, limits: Limits) -> Times:
        """From when on calls can be had."""
        return Times(self.next_at, self.rings_of(limits))

    def scarce(self, limits: Limits, reserve_percent: int) -> bool:
        """Whether all that is left of a window is kept for manual and hot jobs."""
        return self.left(limits, reserve_percent) == 0

    def scarce_until(self, limits: Limits, window: Window, reserve_percent: int) -> int | None:
        """When the clock's window of which only the kept part is left begins anew; None where it is one that rolls."""
        for limit, used, end in ((limits.per_day, self.day, window.day_end), (limits.per_hour, self.hour, window.end)):
            if limit and limit - used <= _kept(limit, reserve_percent):
                return end
        return None

    def shares(self, budget: str, limits: Limits, now: int) -> Shares | None:
        """Who has had what of the hour, where tenants may share `budget`."""
        most = limits.most_in(HOUR)
        if not (most and keys.application_of(budget)):
            return None
        elapsed = now - Window.of(budget, now).hour_start
        return Shares(most, self.hour, elapsed, self.had or {})

    def empty_until(self, limits: Limits, window: Window) -> int | None:
        """When calls are to be had again, if there are none left now (epoch ms)."""
        if until := self.scarce_until(limits, window, 0):
            return until
        rolling = self.rings_of(limits)
        opening = rolling.opening(limits.arrival_ms)
        return opening if rolling.rings and opening > self.at + WORTH_WAITING_MS else None


def _kept(limit: int, percent: int) -> int:
    return -(-limit * percent // 100)


@dataclass(frozen=True)
class Slots:
    """`count` starting times in a row, from a token bucket kept as one number (GCRA).

    base: the theoretical arrival time of the first. pace: ms between two of them. burst: how many may come at once.
    slowed: how the budget is slowed by refusals, after they were taken.
    """

    base: int
    count: int
    pace: int
    burst: int
    now: int
    slowed: Slowed = UNSLOWED
    starts: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        early = (self.burst - 1) * self.pace
        times = (max(self.now, self.base + number * self.pace - early) for number in range(self.count))
        object.__setattr__(self, "starts", tuple(times))

    @property
    def next_at(self) -> int:
        """The clock after these slots are taken."""
        return self.base + self.count * self.pace


def take_slots(next_at: int, now: int, count: int, limits: Limits, slowed: Slowed = UNSLOWED) -> Slots:
    """The next `count` slots of a budget whose slot clock stands at `next_at`.

    The clock only moves forward, whatever the callers' own clocks do, so two grants never overlap.

    slowed: by refusals; then no burst is allowed either.
    """
    pace = slowed.of(limits.pace)
    burst = limits.kept_burst if pace == limits.pace else 1
    return Slots(base=max(next_at, now), count=count, pace=pace, burst=burst, now=now, slowed=slowed)
