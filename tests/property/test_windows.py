"""Windows: the hour and the day that a call is charged to, their margins, and what of them is left."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from sluice.jobs.budgets.windows import Usage, Window, outside_margin
from sluice.platform.clock import DAY, HOUR
from sluice.platform.config.limits import Limits, by_clock

moments = st.integers(0, 4_000_000_000_000) | st.integers(0, 1_000_000).map(lambda hour: hour * HOUR)
margins = st.integers(0, 14_999)
limits = st.builds(Limits, st.builds(by_clock, st.integers(0, 300), st.integers(0, 3_000)))
usages = st.builds(Usage, hour=st.integers(0, 400), day=st.integers(0, 4_000))


@given(moments)
def test_a_moment_lies_in_its_window(moment: int) -> None:
    window = Window.at(moment)
    there = datetime.fromtimestamp(moment / 1000, UTC)
    assert window.hour_start <= moment < window.end
    assert (window.day, window.hour) == (f"{there:%Y-%m-%d}", f"h{there:%H}")
    assert window.day_end - DAY <= moment < window.day_end
    assert window.end <= window.day_end


@given(moments, margins)
def test_a_start_is_moved_out_of_the_margin_and_no_further(moment: int, margin: int) -> None:
    start = outside_margin(moment, margin)
    assert Window.at(start).holds(start, margin)
    assert start >= moment
    if start > moment:
        assert not Window.at(moment).holds(moment, margin)
        assert not Window.at(start - 1).holds(start - 1, margin)
    # A clock that differs by up to the margin still sees the call in the window that it was charged to.
    assert {Window.at(start - margin), Window.at(start + max(0, margin - 1))} == {Window.at(start)}


@given(limits, usages, st.integers(0, 100))
def test_what_is_left_and_kept_never_exceeds_a_window(limits: Limits, usage: Usage, kept: int) -> None:
    left, spare = usage.left(limits), usage.left(limits, kept)
    if not (limits.per_hour or limits.per_day):
        assert left is spare is None
        return
    assert left is not None
    assert spare is not None
    assert 0 <= spare <= left
    for limit, used in ((limits.per_hour, usage.hour), (limits.per_day, usage.day)):
        if limit:
            assert left == 0 or used + left <= limit
            # Background work that takes all that is spare leaves the share that is kept.
            assert spare == 0 or (limit - used - spare) * 100 >= limit * kept


@given(limits, usages, moments)
def test_an_empty_window_says_when_there_is_more(limits: Limits, usage: Usage, now: int) -> None:
    window = Window.at(now)
    until = usage.empty_until(limits, window)
    assert (until is None) == (usage.left(limits) != 0)
    if until is not None:
        assert now < until <= window.day_end


@given(limits, st.integers(1, 5_000))
def test_no_run_reserves_more_than_a_whole_window(limits: Limits, calls: int) -> None:
    charge = limits.charge(calls)
    assert 1 <= charge <= calls
    assert all(charge <= limit for limit in (limits.per_hour, limits.per_day) if limit)
