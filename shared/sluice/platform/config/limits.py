"""What a marketplace allows, as configuration: the one shape for every limit."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sluice.platform import days
from sluice.platform.clock import DAY, HOUR, MINUTE, SECOND

# The most that any limit can be: a larger one is none.
MOST = 1_000_000_000
# One worker runs them, each in a thread and with a connection of its own.
MOST_AT_ONCE = 50
# Of a budget's windows. Those that roll share the places that one item has for them.
MOST_WINDOWS = 8
# A window that rolls is at most so long.
LONGEST_SECONDS: Final = 31 * DAY // SECOND
_LENGTHS: Final = {"hour": HOUR, "day": DAY}
# What limits were called before they were windows.
_OLD: Final = {"per_hour": "hour", "per_day": "day", "rolling_hour": ""}


@dataclass(frozen=True)
class CallWindow:
    """At most `calls` in a stretch of time: in any `seconds`, or in each hour or day of a clock.

    seconds: the length of a window that rolls; 0 of one that follows a clock.
    per: `hour` or `day`, of one that follows a clock.
    zone: of that clock, by its IANA name.
    """

    calls: int
    seconds: int = 0
    per: str = ""
    zone: str = ""

    def __post_init__(self) -> None:
        if self.per:
            object.__setattr__(self, "zone", self.zone or days.WORLD)
        if type(self.calls) is not int or not 1 <= self.calls <= MOST:
            raise ValueError(f"calls must be a whole number from 1 to {MOST}, not {self.calls!r}")
        if bool(self.seconds) == bool(self.per):
            raise ValueError('a window has either "seconds" (it rolls) or "per" ("hour" or "day" of a clock)')
        if self.per and self.per not in tuple(_LENGTHS):
            raise ValueError(f'per must be "hour" or "day", not {self.per!r}')
        if not self.per and self.zone:
            raise ValueError('a window of "seconds" rolls, and has no "zone"')
        if self.per and self.zone not in days.ZONES:
            raise ValueError(f"zone must be one of {', '.join(days.ZONES)}, not {self.zone!r}")
        if not self.per and (type(self.seconds) is not int or not 1 <= self.seconds <= LONGEST_SECONDS):
            raise ValueError(f"seconds must be a whole number from 1 to {LONGEST_SECONDS}, not {self.seconds!r}")

    @classmethod
    def of(cls, text: str, zone: str = days.WORLD) -> "CallWindow":
        """The window that people write as `100/hour`, `25000/day` or `200/10s`.

        Raises:
            ValueError: it is none, in words.
        """
        found = re.fullmatch(r"([0-9]{1,10})/(?:(hour|day)|([0-9]{1,8})s)", text.strip())
        if not found:
            raise ValueError(f"{text!r} is no window: write it as 100/hour, 25000/day or 200/10s")
        calls, per, seconds = found.groups()
        return cls(int(calls), per=per, zone=zone) if per else cls(int(calls), seconds=int(seconds))

    @property
    def ms(self) -> int:
        """Its length; a day's is that of most days."""
        return self.seconds * SECOND if self.seconds else _LENGTHS[self.per]

    @property
    def name(self) -> str:
        """What people call it: `hour`, `day`, `10 s`."""
        return self.per or f"{self.seconds} s"

    @property
    def text(self) -> str:
        """As people write it; see `of`."""
        return f"{self.calls}/{self.per or f'{self.seconds}s'}"

    def to_json(self) -> dict[str, Any]:
        """As the configuration has it."""
        if self.seconds:
            return {"calls": self.calls, "seconds": self.seconds}
        return {"calls": self.calls, "per": self.per, "zone": self.zone}


def by_clock(hour: int = 0, day: int = 0, zone: str = days.WORLD) -> tuple[CallWindow, ...]:
    """So many calls in each hour and in each day of a zone's clock; 0 is no limit."""
    both = (("hour", hour), ("day", day))
    return tuple(CallWindow(calls, per=per, zone=zone) for per, calls in both if calls)


@dataclass(frozen=True)
class Limits:
    """The limits of one budget. A number of 0 means that there is none.

    windows: most calls in stretches of time. Those that roll are kept exactly, wherever they begin (`budgets.rings`).
    interval_ms: the pace, at most one call in each of these intervals (slots), after a burst of `burst`.
    tolerance_ms: how late a call may start after its slot; also what is added to the interval, because the marketplace
        counts arrivals and two arrivals may differ by this much from their slots.
    jitter_ms: by how much the time from a call's start to its arrival may differ between two calls. It is added to the
        interval, and to windows that roll: a marketplace that counts strictly refuses what comes a millisecond early.
    margin_ms: no call starts this close to the end or beginning of a clock window, whose end the marketplace may see
        earlier or later than we do.
    by_account: each account has a budget of its own; otherwise each application (client id), which accounts may share.
    shards: how many keys one lane is spread over. A key takes 1,000 writes a second.
    at_once: most jobs that run at the same time, whatever the number of workers. Work with this limit has a worker of
        its own, which takes a seat for each job that it runs (see `jobs.seats`).
    """

    windows: tuple[CallWindow, ...] = ()
    interval_ms: int = 0
    burst: int = 1
    tolerance_ms: int = 25
    jitter_ms: int = 0
    margin_ms: int = 500
    by_account: bool = False
    shards: int = 1
    at_once: int = 0

    def __post_init__(self) -> None:
        whole = ("interval_ms", "tolerance_ms", "jitter_ms", "margin_ms", "at_once")
        for field, least in (*((name, 0) for name in whole), ("burst", 1), ("shards", 1)):
            value = getattr(self, field)
            if type(value) is not int or not least <= value <= MOST:
                raise ValueError(f"{field} must be a whole number from {least} to {MOST}, not {value!r}")
        if not isinstance(self.by_account, bool):
            raise ValueError(f"by_account must be true or false, not {self.by_account!r}")
        if self.at_once > MOST_AT_ONCE:
            raise ValueError(f"at_once must be at most {MOST_AT_ONCE}, not {self.at_once}")
        if 4 * self.margin_ms >= MINUTE:
            raise ValueError(f"margin_ms must be below {MINUTE // 4}, not {self.margin_ms}")
        if len(self.windows) > MOST_WINDOWS:
            raise ValueError(f"windows: {MOST_WINDOWS} are the most, not {len(self.windows)}")
        zones = {window.zone for window in self.windows if window.per}
        if len(zones) > 1:
            raise ValueError(
                f"windows: all clocks of one budget must be of one zone, not of {', '.join(sorted(zones))}"
            )

    @property
    def per_hour(self) -> int:
        """Most calls in an hour of the clock; 0 where that is not limited."""
        return min((window.calls for window in self.windows if window.per == "hour"), default=0)

    @property
    def per_day(self) -> int:
        """Most calls in a day of the clock; 0 where that is not limited."""
        return min((window.calls for window in self.windows if window.per == "day"), default=0)

    @property
    def rolling(self) -> tuple[CallWindow, ...]:
        """The windows that roll."""
        return tuple(window for window in self.windows if window.seconds)

    @property
    def zone(self) -> str:
        """Of the clock that its hours and days follow, by its IANA name."""
        return next((window.zone for window in self.windows if window.per), days.WORLD)

    def most_in(self, ms: int) -> int:
        """Most calls in so long a time by the windows that are not longer; 0 where none limits them."""
        rates = [window.calls * ms // window.ms for window in self.windows if window.ms <= ms]
        return min(rates, default=0)

    @property
    def spacing(self) -> int:
        """Milliseconds between two calls that come evenly, by the pace or the windows that roll; 0 where none asks."""
        return max([self.pace, *(window.ms // window.calls for window in self.rolling)])

    @property
    def arrival_ms(self) -> int:
        """By how much two arrivals may lie closer together than the calls' starts."""
        return self.tolerance_ms + self.jitter_ms

    @property
    def pace(self) -> int:
        """Milliseconds between two slots; 0 when calls need no slots."""
        late = self.arrival_ms if self.kept_burst == self.burst else 0
        return self.interval_ms + late if self.interval_ms else 0

    @property
    def kept_burst(self) -> int:
        """How many slots may come at once: one fewer than the marketplace allows, where it allows several.

        Its bucket then always has one call in hand for arrivals that differ from their slots by up to an interval, so
        that the slots themselves need not lie further apart.
        """
        return self.burst - 1 if self.burst > 1 and 0 < self.tolerance_ms <= self.interval_ms else self.burst

    def charge(self, calls: int) -> int:
        """What a run that expects `calls` calls reserves first: at most a whole window, or it could never begin."""
        return min([calls, *(window.calls for window in self.windows)])

    def override(self, /, **changes: object) -> "Limits":
        """These limits with `changes`, as the configuration has them: `windows` is a list, and replaces all of them.

        Raises:
            ValueError: a name or a value that limits do not have, in words.
        """
        if old := sorted(_OLD.keys() & changes):
            now = json.dumps(migrated(changes, self)["windows"])
            raise ValueError(f'{" and ".join(old)} are windows now: write "windows": {now}')
        unknown = sorted(set(changes) - set(self.__dataclass_fields__))
        if unknown:
            raise ValueError(f"unknown limit {unknown[0]!r}; limits are {', '.join(self.__dataclass_fields__)}")
        if "windows" in changes:
            changes["windows"] = _windows(changes["windows"], self.zone)
        return replace(self, **changes)  # type: ignore[arg-type]


def migrated(changes: Mapping[str, Any], limits: Limits) -> dict[str, Any]:
    """`changes` of `limits`, with the names of before (`_OLD`) written as windows."""
    if not _OLD.keys() & changes:
        return dict(changes)
    made = [window.to_json() for window in limits.windows]
    for name, per in _OLD.items():
        if name not in changes:
            continue
        made = [one for one in made if one.get("per", "") != per or (not per and one["seconds"] != HOUR // SECOND)]
        if changes[name]:
            made.append(
                {"calls": changes[name], **({"per": per, "zone": limits.zone} if per else {"seconds": HOUR // SECOND})}
            )
    return {**{name: value for name, value in changes.items() if name not in _OLD}, "windows": made}


def _windows(value: object, zone: str) -> tuple[CallWindow, ...]:
    """The windows that a list in the configuration names. zone: of clocks that do not name theirs."""
    if isinstance(value, tuple) and all(isinstance(one, CallWindow) for one in value):
        return value
    if not isinstance(value, list):
        raise ValueError(
            f'windows must be a list of {{"calls", "seconds"}} or {{"calls", "per", "zone"}}, not {value!r:.40}'
        )
    made = list[CallWindow]()
    for number, one in enumerate(value):
        names = CallWindow.__dataclass_fields__
        if not isinstance(one, dict) or "calls" not in one or one.keys() - names:
            raise ValueError(
                f"windows[{number}] must have {', '.join(names)} (calls, and seconds or per), not {one!r:.80}"
            )
        try:
            made.append(CallWindow(**{"zone": zone, **one} if one.get("per") else one))
        except ValueError as error:
            raise ValueError(f"windows[{number}]: {error}") from None
    return tuple(made)
