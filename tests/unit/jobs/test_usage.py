"""What a budget's items mean: for whom its slots are spoken for, what can start soon, and what is left."""

import pytest

from sluice.jobs.budgets.blocks import WORTH_WAITING_MS
from sluice.jobs.budgets.pace import UNSLOWED, Slowed
from sluice.jobs.budgets.rings import Rings, Span
from sluice.jobs.budgets.shares import Shares
from sluice.jobs.budgets.windows import LOOK_MS, SEEN_MS, SOON_MS, Usage, Window, spans
from sluice.platform import days
from sluice.platform.clock import DAY, HOUR, MINUTE, SECOND
from sluice.platform.config.limits import CallWindow, Limits, by_clock
from tests.unit.jobs.conftest import NOON

PACED = Limits(interval_ms=1_000, tolerance_ms=0)
QUICK = Limits(interval_ms=100, tolerance_ms=0)
UNPACED = Limits(by_clock(100))
TWICE = Slowed(2_000, 1)


@pytest.mark.parametrize("ahead", [(700, 200, 200), (200, 700, 200), (200, 200, 700), (700, -1, -1)])
def test_the_slots_are_spoken_for_until_the_last_of_what_was_handed_out_and_of_what_waits(
    ahead: tuple[int, int, int],
) -> None:
    admitted, manual, next_ = (NOON + each for each in ahead)
    usage = Usage(admitted_until=admitted, manual_until=manual, next_at=next_)
    assert [usage.ahead(NOON + later) for later in (0, 699, 700, 900)] == [700, 1, 0, 0]


@pytest.mark.parametrize(
    ("limits", "slowed", "most"),
    [
        # Two workers, each with three calls, or with what comes in half a second.
        (PACED, UNSLOWED, 6_000),
        (PACED, TWICE, 12_000),
        (QUICK, UNSLOWED, 1_000),
        (Limits(interval_ms=200, tolerance_ms=0), UNSLOWED, 1_200),
    ],
)
def test_slots_are_taken_ahead_where_two_who_make_calls_have_not_taken_as_many(
    limits: Limits, slowed: Slowed, most: int
) -> None:
    for ahead, taken in ((0, False), (most, False), (most + 1, True)):
        assert Usage(next_at=NOON + ahead, slowed=slowed).taken_ahead(limits, NOON) is taken
    assert not Usage(next_at=NOON + HOUR).taken_ahead(UNPACED, NOON)


@pytest.mark.parametrize(
    ("usage", "soon", "checks"),
    [
        (Usage(), 6, 3),
        (Usage(slowed=TWICE), 3, 2),
        (Usage(slowed=Slowed(4_000, 2)), 2, 1),
        (Usage(manual_until=NOON - 1, next_at=NOON + 1), 6, 3),
        (Usage(manual_until=NOON + 1), 6, 3),
        (Usage(manual_until=NOON + 1_000), 5, 3),
        (Usage(manual_until=NOON + SOON_MS - 1), 1, 3),
        (Usage(manual_until=NOON + SOON_MS), 0, 3),
        (Usage(manual_until=NOON + HOUR), 0, 3),
        # Taken ahead: who comes first waits behind those, and nobody else.
        (Usage(next_at=NOON + HOUR), 1, 0),
        (Usage(next_at=NOON + HOUR, manual_until=NOON), 1, 0),
        (Usage(next_at=NOON + HOUR, manual_until=NOON + 1), 0, 0),
    ],
)
def test_what_can_start_soon_is_what_manual_work_leaves_of_the_next_seconds(
    usage: Usage, soon: int, checks: int
) -> None:
    assert (usage.soon(PACED, NOON), usage.checks(PACED, NOON)) == (soon, checks)
    assert usage.soon(UNPACED, NOON) is usage.checks(UNPACED, NOON) is None
    assert (SOON_MS, LOOK_MS) == (6_000, 3_000)


@pytest.mark.parametrize(
    ("usage", "limits", "crowded"),
    [
        (Usage(), PACED, False),
        (Usage(slowed=Slowed(1_001, 1)), PACED, True),
        (Usage(slowed=Slowed(1_000, 1)), PACED, False),
        (Usage(slowed=Slowed(100, 1)), UNPACED, True),
        (Usage(next_at=NOON + HOUR), PACED, True),
        (Usage(manual_until=NOON + SOON_MS), PACED, True),
        (Usage(manual_until=NOON + SOON_MS - 1), PACED, False),
        # Left behind by the last look, unless that is old news.
        (Usage(left_at=NOON), PACED, True),
        (Usage(left_at=NOON - SEEN_MS + 1), PACED, True),
        (Usage(left_at=NOON - SEEN_MS), PACED, False),
        (Usage(left_at=NOON), Limits(interval_ms=1, tolerance_ms=0), True),
        (Usage(left_at=NOON, next_at=NOON + HOUR, manual_until=NOON + HOUR), UNPACED, False),
    ],
)
def test_where_other_manual_work_goes_first_or_calls_are_slow_it_is_crowded(
    usage: Usage, limits: Limits, crowded: bool
) -> None:
    assert usage.crowded(limits, NOON) is crowded


BOTH = Limits(by_clock(hour=10, day=20))


@pytest.mark.parametrize(
    ("limits", "hour", "day", "kept", "left"),
    [
        (BOTH, 0, 0, 0, 10),
        (BOTH, 3, 3, 0, 7),
        (BOTH, 3, 15, 0, 5),
        (BOTH, 3, 3, 25, 4),  # 2.5 of ten calls are three
        (BOTH, 0, 15, 10, 3),
        (BOTH, 8, 8, 25, 0),
        (BOTH, 12, 12, 0, 0),
        (Limits(by_clock(hour=10)), 4, 400, 0, 6),
        (Limits(by_clock(day=10)), 400, 4, 0, 6),
        (PACED, 400, 400, 50, None),
    ],
)
def test_what_is_left_is_what_each_window_allows_without_what_is_kept(
    limits: Limits, hour: int, day: int, kept: int, left: int | None
) -> None:
    usage = Usage(hour=hour, day=day)
    assert usage.left(limits, kept) == left
    assert usage.scarce(limits, kept) == (left == 0)


SHORT, LONG = CallWindow(4, seconds=60), CallWindow(8, seconds=3_600)


@pytest.mark.parametrize(
    ("window", "taken", "left", "kept"),
    [
        # Of a minute all will come free within the minute that is worth waiting for, and nothing is kept.
        (SHORT, 0, 4, 4),
        (SHORT, 4, 0, 0),
        (LONG, 0, 8, 6),
        (LONG, 5, 3, 1),
        (LONG, 7, 1, 0),
        (LONG, 8, 0, 0),
    ],
)
def test_of_a_window_that_rolls_what_comes_free_soon_is_left(
    window: CallWindow, taken: int, left: int, kept: int
) -> None:
    limits = Limits((window,))
    rings, margin = Rings().fitting(spans(limits), limits.arrival_ms), limits.arrival_ms
    for _ in range(taken):
        rings, _ticket = rings.take(NOON, NOON, margin)
    usage = Usage(rings=rings, at=NOON)
    assert (usage.left(limits), usage.left(limits, 25)) == (left, kept)
    opens = NOON + window.ms + margin
    empty = taken == window.calls and window.ms + margin > WORTH_WAITING_MS
    assert usage.empty_until(limits, Window.at(NOON)) == (opens if empty else None)
    # What is worth waiting for is not empty.
    assert usage._replace(at=opens - WORTH_WAITING_MS).empty_until(limits, Window.at(NOON)) is None
    assert (usage.left(limits, 25) == 0) == (kept == 0)


def test_a_budget_that_has_no_window_that_rolls_is_not_empty_by_one() -> None:
    full = Rings.unreadable(NOON).fitting([Span(8, HOUR)], 0)
    usage = Usage(rings=full, at=NOON)
    assert usage.empty_until(UNPACED, Window.at(NOON)) is None
    assert usage.empty_until(Limits((LONG, *by_clock(hour=5))), Window.at(NOON))
    assert usage.left(UNPACED) == 100


@pytest.mark.parametrize(
    ("hour", "day", "kept", "until"),
    [
        (0, 0, 25, None),
        (7, 7, 25, "hour"),  # three are left, and three are kept
        (6, 6, 25, None),
        (6, 15, 25, "day"),
        (10, 20, 0, "day"),
        (10, 19, 0, "hour"),
        (9, 19, 0, None),
    ],
)
def test_a_window_of_which_only_the_kept_part_is_left_begins_anew_with_its_clock(
    hour: int, day: int, kept: int, until: str | None
) -> None:
    window = Window(NOON, days.PACIFIC)  # four in the morning there
    ends = {"hour": NOON + HOUR, "day": NOON + 20 * HOUR, None: None}
    usage = Usage(hour=hour, day=day)
    assert usage.scarce_until(BOTH, window, kept) == ends[until]
    if not kept:
        assert usage.empty_until(BOTH, window) == ends[until]
    assert usage.scarce_until(Limits(by_clock(hour=10)), window, kept) == (
        ends["hour"] if hour > 6 + (not kept) * 3 else None
    )


def test_an_applications_hour_is_shared_by_what_was_had_of_it_and_how_much_of_it_has_passed() -> None:
    usage, application = Usage(hour=5, had={"acme": 4}), "ebay:app.3f9c"
    assert usage.shares(application, UNPACED, NOON + MINUTE) == Shares(100, 5, MINUTE, {"acme": 4})
    assert Usage().shares(application, Limits((CallWindow(2, seconds=60),)), NOON) == Shares(120, 0, 0, {})
    assert usage.shares("stockx:acme", UNPACED, NOON) is None
    assert usage.shares(application, Limits(by_clock(day=5)), NOON) is None


@pytest.mark.parametrize(
    ("zone", "at", "day", "hour", "end"),
    [
        (days.WORLD, NOON, "2026-11-22", "h12", NOON + 12 * HOUR),
        (days.PACIFIC, NOON, "2026-11-22", "h04", NOON + 20 * HOUR),
        (days.PACIFIC, NOON - 5 * HOUR, "2026-11-21", "h23", NOON - 4 * HOUR),
        # The day on which clocks go back has 25 hours there: November 1.
        (days.PACIFIC, NOON - 21 * DAY + 19 * HOUR + SECOND, "2026-11-01", "h24", NOON - 21 * DAY + 20 * HOUR),
    ],
)
def test_a_window_is_named_by_the_marketplaces_own_day_and_its_hour_in_it(
    zone: str, at: int, day: str, hour: str, end: int
) -> None:
    window = Window.at(at, zone)
    assert (window.day.partition("@")[0], window.hour, window.day_end) == (day, hour, end)
    assert window.hour_start <= at < window.end == window.hour_start + HOUR
