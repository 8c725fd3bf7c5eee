"""How jobs are chosen, run, given up and kept: the section `engine` of the configuration. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from sluice.platform.clock import DAY, HOUR, MINUTE, SECOND
from sluice.platform.config.section import YEAR, number, read_by

# Kinds of job that are tried at set times: how long before the first try, and before each one that follows a failure.
# eBay knows a listing that was just published 1 to 10 minutes later.
TIMETABLES: dict[str, tuple[int, ...]] = {"promotion.create": (MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE, 10 * MINUTE)}
# A job's timeline has room for so many attempts, and for what else happens to it.
MOST_ATTEMPTS = 20


def _timetables(place: str, value: object) -> Mapping[str, tuple[int, ...]]:
    if not isinstance(value, dict):
        raise ValueError(f"{place} must be an object of waits by kind of job")
    for kind, waits in value.items():
        if kind not in TIMETABLES:
            raise ValueError(f"{place}: unknown kind {kind!r}; known are {', '.join(TIMETABLES)}")
        whole = isinstance(waits, list) and all(type(wait) is int and 0 <= wait <= DAY for wait in waits)
        if not whole or not 1 <= len(waits) <= MOST_ATTEMPTS:
            raise ValueError(
                f"{place}.{kind} must be 1 to {MOST_ATTEMPTS} waits of 0 to {DAY} milliseconds, one for each attempt"
            )
    return TIMETABLES | {kind: tuple(waits) for kind, waits in value.items()}


# A zero batch or lease would stop the engine without an error; so would a time that no calendar has, or a batch that is
# too large for a message.
@dataclass(frozen=True)
class Engine:
    """Every number of the engine that an operator may change. Times are milliseconds.

    lease_ms: how long a claimed job belongs to its worker before it is rescued.
    timetables: the set times at which jobs of a kind are tried (see `TIMETABLES`).
    age_limit_ms: a job that has waited this long is picked as if it had the next higher priority, after twice as
        long as the highest. This bounds the wait of background work.
    reserve_percent: when less than this share of a window is left, only manual and hot jobs are admitted.
    horizon_ms: how far ahead of its slots a budget is given work by the scheduler; never further than `lease_ms` lets
        it begin.
    batch: most jobs in one message to a worker.
    poll_batch: most operations that one run of the poller checks.
    retention_ms: how long finished jobs, requests and run records are kept.
    dead_letter_retention_ms: how long dead letters are kept.
    event_retention_ms: how long the event feed keeps what happened.
    hand_over_ms: work that several have asked for goes from an account whose calls are closed, or used up, for longer
        than this to another asker's whose are not.
    broken_ms: work whose account does not work for this long ends, with that reason.
    """

    lease_ms: int = number(5 * MINUTE, least=30 * SECOND, most=DAY)
    timetables: Mapping[str, tuple[int, ...]] = read_by(_timetables, TIMETABLES)
    age_limit_ms: int = number(HOUR, least=MINUTE, most=YEAR)
    reserve_percent: int = number(20, least=0, most=100)
    horizon_ms: int = number(75 * SECOND, least=SECOND, most=DAY)
    batch: int = number(25, least=1, most=50)
    poll_batch: int = number(50, least=1, most=1_000)
    retention_ms: int = number(3 * DAY, least=HOUR, most=YEAR)
    dead_letter_retention_ms: int = number(30 * DAY, least=DAY, most=10 * YEAR)
    event_retention_ms: int = number(7 * DAY, least=HOUR, most=YEAR)
    hand_over_ms: int = number(10 * MINUTE, least=MINUTE, most=DAY)
    broken_ms: int = number(7 * DAY, least=HOUR, most=YEAR)
