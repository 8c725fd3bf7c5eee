"""How a pace adapts: never below the configured one, never above its bound, slower with refusals, back with answers."""

from hypothesis import given
from hypothesis import strategies as st

from sluice.jobs.budgets.pace import LONGEST_PAUSE_MS, MOST_TIMES, UNSLOWED, Slowed
from sluice.jobs.budgets.windows import take_slots
from sluice.platform.clock import HOUR, MINUTE, SECOND
from sluice.platform.config.limits import Limits

CONFIGURED = st.integers(1, 60_000)
# What happens to a budget, one after the other: refused (-1), or so many calls answered.
HISTORIES = st.lists(st.one_of(st.just(-1), st.integers(1, 200)), max_size=40)


def after(history: list[int], configured: int) -> list[Slowed]:
    states = [UNSLOWED]
    for event in history:
        last = states[-1]
        states.append(last.refused(configured) if event < 0 else last.answered(event, configured))
    return states


@given(HISTORIES, CONFIGURED)
def test_whatever_happens_the_pace_stays_between_the_configured_one_and_the_bound(
    history: list[int], configured: int
) -> None:
    states = after(history, configured)
    for before, event, then in zip(states, history, states[1:], strict=False):
        assert configured <= then.of(configured) <= MOST_TIMES * configured
        if event < 0:
            assert then.of(configured) == min(2 * before.of(configured), MOST_TIMES * configured)
            assert then.refusals == before.refusals + 1
        else:
            assert then.of(configured) <= before.of(configured)
            assert then.refusals == 0


@given(HISTORIES, CONFIGURED)
def test_enough_answers_bring_everything_back_and_nothing_is_kept(history: list[int], configured: int) -> None:
    assert after(history, configured)[-1].answered(200, configured) == UNSLOWED


@given(CONFIGURED, st.integers(1, 5))
def test_it_comes_back_slowly(configured: int, refusals: int) -> None:
    slowed = after([-1] * refusals, configured)[-1]
    one = slowed.answered(1, configured)
    assert one.of(configured) >= slowed.of(configured) * 15 // 16 - 1
    assert slowed.answered(3, configured) == one.answered(2, configured)


@given(HISTORIES, CONFIGURED, st.integers(1, 60_000))
def test_a_pace_that_is_configured_anew_is_kept_at_once(history: list[int], configured: int, anew: int) -> None:
    slowed = after(history, configured)[-1]
    assert slowed.of(anew) >= anew
    assert slowed.answered(1, anew).of(anew) >= anew
    assert anew <= slowed.refused(anew).of(anew) <= max(MOST_TIMES * anew, slowed.of(anew))


def test_pauses_grow_up_to_an_hour_and_begin_anew_after_an_answer() -> None:
    slowed, pauses = UNSLOWED, []
    for _ in range(9):
        slowed = slowed.refused(1_000)
        pauses.append(slowed.pause(MINUTE) // MINUTE)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert LONGEST_PAUSE_MS == HOUR
    assert slowed.answered(1, 1_000).refused(1_000).pause(MINUTE) == MINUTE


def test_a_window_that_is_used_up_says_nothing_of_the_pace() -> None:
    assert UNSLOWED.refused(1_000, pace_is_meant=False) == Slowed(0, 1)
    assert Slowed(4_000).refused(1_000, pace_is_meant=False) == Slowed(4_000, 1)


@given(st.data(), st.integers(1, 5_000), st.integers(1, 5))
def test_slots_never_come_faster_than_the_configured_pace_whatever_slows_them(
    data: st.DataObject, interval: int, burst: int
) -> None:
    """Blocks of any budget, one after the other, each as slow as it may be, at clocks that go anywhere."""
    limits = Limits(interval_ms=interval, burst=burst)
    clock, slowed, starts = 0, UNSLOWED, list[int]()
    for _ in range(data.draw(st.integers(1, 12))):
        now = data.draw(st.integers(0, 40 * SECOND))
        slowed = data.draw(st.sampled_from([UNSLOWED, slowed.refused(limits.pace), slowed.answered(2, limits.pace)]))
        taken = take_slots(clock, now, data.draw(st.integers(1, 4)), limits, slowed)
        clock = taken.next_at
        starts += taken.starts
    for first in range(len(starts)):
        for last in range(first + 1, len(starts)):
            most = limits.kept_burst + (starts[last] - starts[first]) // limits.pace
            assert last - first + 1 <= max(most, 1)


def test_a_limit_that_is_raised_makes_no_budget_quicker_by_its_next_refusal() -> None:
    """It was slowed to a pace that is beyond the bound of the new limit: it comes back with answers, as ever."""
    slow = Slowed()
    for _ in range(20):
        slow = slow.refused(1_000)
    assert slow.refused(100).pace == slow.pace > 100
