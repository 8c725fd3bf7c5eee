"""What the marketplace saw, in numbers. Pure: entries in, counts out."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

from local.sandbox.limits import DAY_MS, HOUR_MS
from local.sandbox.log import Entry

TEN_MINUTES_MS = 600_000


@dataclass(frozen=True)
class Usage:
    """One account at one marketplace. Times and gaps in ms; only calls that count against a quota."""

    calls: int
    max_in_clock_hour: int
    max_in_rolling_hour: int
    max_in_utc_day: int
    max_in_rolling_day: int
    smallest_gap_ms: int | None
    """None with fewer than two calls."""
    over: dict[str, int]
    """Calls over a limit by its name: `interval`, `hour`, `day`."""


@dataclass(frozen=True)
class Create:
    """A listing that a marketplace was told to create, and did or still may; `account` as `marketplace/account`."""

    account: str
    variant: str
    amount: str
    currency: str
    at_ms: int


@dataclass(frozen=True)
class CreateCount:
    """How many listings were created alike."""

    account: str
    variant: str
    amount: str
    currency: str
    count: int


@dataclass(frozen=True)
class Report:
    """`duplicates` are calls for what changes slowly that repeat, within the asked time, one of the same account that
    was answered 2xx; `duplicate_creates` are listings like one that was created within that time before."""

    calls: int
    over: int
    duplicates: int
    duplicate_creates: int
    by_status: dict[str, int]
    by_route: dict[str, dict[str, int]]
    by_fault: dict[str, int]
    usage: dict[str, Usage] = field(default_factory=dict)
    """By `marketplace/account`."""
    creates: tuple[CreateCount, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def report(
    entries: Sequence[Entry], duplicates_within_ms: int = TEN_MINUTES_MS, creates: Sequence[Create] = ()
) -> Report:
    by_route: defaultdict[str, Counter[str]] = defaultdict(Counter)
    by_account: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_route[f"{entry.method} {entry.route}"][_status(entry)] += 1
        if entry.counted:
            by_account[f"{entry.marketplace}/{entry.account}"].append(entry)
    return Report(
        calls=len(entries),
        over=sum(entry.over is not None for entry in entries),
        duplicates=_duplicates(entries, duplicates_within_ms),
        duplicate_creates=_duplicate_creates(creates, duplicates_within_ms),
        by_status=dict(Counter(map(_status, entries))),
        by_route={route: dict(counts) for route, counts in sorted(by_route.items())},
        by_fault=dict(Counter(fault for entry in entries for fault in entry.faults)),
        usage={account: _usage(counted) for account, counted in sorted(by_account.items())},
        creates=tuple(CreateCount(*alike, count) for alike, count in sorted(Counter(map(_alike, creates)).items())),
    )


def _status(entry: Entry) -> str:
    return "unanswered" if entry.status is None else str(entry.status)


def _usage(entries: Sequence[Entry]) -> Usage:
    arrivals = sorted(entry.at_ms for entry in entries)
    return Usage(
        calls=len(arrivals),
        max_in_clock_hour=_most(Counter(at // HOUR_MS for at in arrivals).values()),
        max_in_rolling_hour=_most_within(arrivals, HOUR_MS),
        max_in_utc_day=_most(Counter(at // DAY_MS for at in arrivals).values()),
        max_in_rolling_day=_most_within(arrivals, DAY_MS),
        smallest_gap_ms=min((later - earlier for earlier, later in pairwise(arrivals)), default=None),
        over=dict(Counter(entry.over for entry in entries if entry.over is not None)),
    )


def _most(counts: Iterable[int]) -> int:
    return max(counts, default=0)


def _most_within(arrivals: Sequence[int], length_ms: int) -> int:
    """The most arrivals in any span of `length_ms`, its end not included."""
    most = first = 0
    for last, at in enumerate(arrivals):
        while arrivals[first] <= at - length_ms:
            first += 1
        most = max(most, last - first + 1)
    return most


def _duplicates(entries: Sequence[Entry], within_ms: int) -> int:
    answered: dict[tuple[str, ...], int] = {}
    duplicates = 0
    for entry in sorted(entries, key=lambda entry: entry.ordinal):
        if not entry.cacheable:
            continue
        query = "&".join(f"{name}={value}" for name, value in sorted(entry.query.items()))
        call = (entry.marketplace, entry.account, entry.method, entry.path, query)
        if call in answered and entry.at_ms - answered[call] < within_ms:
            duplicates += 1
        if entry.status is not None and entry.status < 300:
            answered[call] = entry.at_ms
    return duplicates


def _duplicate_creates(creates: Sequence[Create], within_ms: int) -> int:
    last: dict[tuple[str, ...], int] = {}
    duplicates = 0
    for create in sorted(creates, key=lambda create: create.at_ms):
        if _alike(create) in last and create.at_ms - last[_alike(create)] < within_ms:
            duplicates += 1
        last[_alike(create)] = create.at_ms
    return duplicates


def _alike(create: Create) -> tuple[str, str, str, str]:
    return create.account, create.variant, create.amount, create.currency
