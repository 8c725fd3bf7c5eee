"""Slots: whatever the clocks do and whoever asks, no two calls come closer than the marketplace allows."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sluice.jobs.budgets.windows import take_slots
from sluice.platform.config.limits import Limits

NOON = 1_795_348_800_000

limits = st.builds(
    Limits,
    interval_ms=st.integers(1, 5_000),
    burst=st.integers(1, 6),
    tolerance_ms=st.integers(0, 50),
)
# One caller's request: how far its clock stands from the last one's, how many slots it takes, how many it gives back.
requests = st.lists(
    st.tuples(st.integers(-3_000, 6_000), st.integers(1, 8), st.integers(0, 8)), min_size=1, max_size=40
)


def granted(limits: Limits, asked: list[tuple[int, int, int]]) -> list[int]:
    """The starts of every slot that was taken and kept, by the rules of the one stored number."""
    clock, next_at, kept = NOON, 0, list[int]()
    for step, count, unused in asked:
        clock += step
        slots = take_slots(next_at, clock, count, limits)
        unused = min(unused, count)
        # As `return_slots` does it: only while nobody has queued up behind, which holds at once after taking.
        next_at = slots.next_at - unused * slots.pace
        kept += slots.starts[: count - unused]
    return kept


def fits(starts: list[int], pace: int, burst: int) -> bool:
    """Whether every stretch W of `starts` holds at most burst + W/pace calls."""
    return all(
        (last - first + 1 - burst) * pace <= starts[last] - starts[first]
        for first in range(len(starts))
        for last in range(first, len(starts))
    )


@given(limits, requests)
def test_any_stretch_holds_at_most_the_burst_and_what_the_pace_allows(
    limits: Limits, asked: list[tuple[int, int, int]]
) -> None:
    assert fits(sorted(granted(limits, asked)), limits.pace, limits.burst)


@given(limits, requests)
def test_without_a_burst_no_two_calls_are_closer_than_the_pace(
    limits: Limits, asked: list[tuple[int, int, int]]
) -> None:
    starts = granted(replace(limits, burst=1), asked)
    assert all(later - earlier >= limits.pace for earlier, later in pairwise(starts))


@given(limits, requests)
def test_no_slot_lies_in_the_past_of_its_caller(limits: Limits, asked: list[tuple[int, int, int]]) -> None:
    clock, next_at = NOON, 0
    for step, count, _ in asked:
        clock += step
        slots = take_slots(next_at, clock, count, limits)
        assert len(slots.starts) == count
        assert min(slots.starts) >= clock
        assert slots.next_at > next_at
        next_at = slots.next_at


@given(limits, st.integers(0, 10_000), st.integers(1, 8))
def test_an_idle_budget_starts_at_once(limits: Limits, idle: int, count: int) -> None:
    slots = take_slots(NOON - idle, NOON, count, limits)
    assert slots.starts[0] == NOON
    assert slots.starts[: limits.kept_burst] == (NOON,) * min(count, limits.kept_burst)


def test_elapsed_time_is_never_rounded_in_the_callers_favour() -> None:
    """One millisecond before the pace has passed is too early, at every millisecond of the clock."""
    limits = Limits(interval_ms=600, tolerance_ms=0)
    first = take_slots(0, NOON, 1, limits)
    for late in range(1_200):
        second = take_slots(first.next_at, NOON + late, 1, limits)
        assert second.starts[0] - first.starts[0] == max(600, late)


def arrivals(starts: Sequence[int], lateness: list[int], tolerance: int) -> list[int]:
    """When calls arrive that start at `starts`: each as late as it may, by any lateness up to the tolerance."""
    return sorted(start + min(tolerance, lateness[number % len(lateness)]) for number, start in enumerate(starts))


late = st.lists(st.integers(0, 60), min_size=1, max_size=50)


@given(limits, requests, late)
def test_what_arrives_late_still_fits_the_marketplaces_own_bucket(
    limits: Limits, asked: list[tuple[int, int, int]], lateness: list[int]
) -> None:
    """It counts arrivals, by the interval and the burst that it allows."""
    assert fits(arrivals(granted(limits, asked), lateness, limits.tolerance_ms), limits.interval_ms, limits.burst)
