"""What a marketplace allows, as configuration: the one shape for every limit."""

from dataclasses import dataclass, replace

from sluice.platform.clock import HOUR, MINUTE

# The most that any limit can be: a larger one is none.
MOST = 1_000_000_000
# One worker runs them, each in a thread and with a connection of its own.
MOST_AT_ONCE = 50


@dataclass(frozen=True)
class Limits:
    """The limits of one budget. A limit of 0 means that there is none.

    interval_ms: at most one call in each of these intervals (slots), after a burst of `burst`.
    per_hour, per_day: most calls in a window. An hour is a clock hour; a day is the marketplace's own: UTC's at StockX
        and Alias, that of Pacific time at eBay (`platform.days`).
    rolling_hour: most calls in any 60 minutes, wherever they begin. It is kept by pacing (see `pace`).
    tolerance_ms: how late a call may start after its slot; also what is added to the interval, because the marketplace
        counts arrivals and two arrivals may differ by this much from their slots.
    jitter_ms: by how much the time from a call's start to its arrival may differ between two calls. It is added to the
        interval too: a marketplace that counts strictly refuses a call that arrives a millisecond early.
    margin_ms: no call starts this close to the end or beginning of a clock window, whose end the marketplace may see
        earlier or later than we do.
    by_account: each account has a budget of its own; otherwise each application (client id), which accounts may share.
    shards: how many keys one lane is spread over. A key takes 1,000 writes a second.
    at_once: most jobs that run at the same time, whatever the number of workers. Work with this limit has a worker of
        its own, which takes a seat for each job that it runs (see `jobs.seats`).
    """

    interval_ms: int = 0
    burst: int = 1
    per_hour: int = 0
    per_day: int = 0
    rolling_hour: int = 0
    tolerance_ms: int = 25
    jitter_ms: int = 0
    margin_ms: int = 500
    by_account: bool = False
    shards: int = 1
    at_once: int = 0

    def __post_init__(self) -> None:
        whole = (
            "interval_ms",
            "per_hour",
            "per_day",
            "rolling_hour",
            "tolerance_ms",
            "jitter_ms",
            "margin_ms",
            "at_once",
        )
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
        if self.rolling_hour and self.burst >= self.rolling_hour:
            raise ValueError(f"burst ({self.burst}) must be below rolling_hour ({self.rolling_hour})")

    @property
    def pace(self) -> int:
        """Milliseconds between two slots; 0 when calls need no slots.

        With a burst of b, a stretch of W ms holds at most b + W/pace calls. So a rolling limit of N calls an hour is
        kept in every rolling hour by one call each hour/(N - b) on average, with no record of the single calls.
        """
        rolling = -(-HOUR // (self.rolling_hour - self.burst)) if self.rolling_hour else 0
        interval = max(self.interval_ms, rolling)
        late = self.tolerance_ms + self.jitter_ms if self.kept_burst == self.burst else 0
        return interval + late if interval else 0

    @property
    def kept_burst(self) -> int:
        """How many slots may come at once: one fewer than the marketplace allows, where it allows several.

        Its bucket then always has one call in hand for arrivals that differ from their slots by up to an interval, so
        that the slots themselves need not lie further apart.
        """
        return self.burst - 1 if self.burst > 1 and 0 < self.tolerance_ms <= self.interval_ms else self.burst

    def charge(self, calls: int) -> int:
        """What a run that expects `calls` calls reserves first: at most a whole window, or it could never begin."""
        return min([calls, *(limit for limit in (self.per_hour, self.per_day) if limit)])

    def override(self, /, **changes: object) -> "Limits":
        """These limits with `changes`.

        Raises:
            ValueError: a name or a value that limits do not have, in words.
        """
        unknown = sorted(set(changes) - set(self.__dataclass_fields__))
        if unknown:
            raise ValueError(f"unknown limit {unknown[0]!r}; limits are {', '.join(self.__dataclass_fields__)}")
        return replace(self, **changes)  # type: ignore[arg-type]
