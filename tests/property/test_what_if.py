"""A limit played over stored usage is the engine's own rule: call by call it comes to the same, and loses none."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from sluice.jobs.budgets.windows import Usage, Window
from sluice.operator import what_if
from sluice.platform.clock import HOUR
from sluice.platform.config.limits import Limits, by_clock

START = 1_795_348_800_000  # 2026-11-22T12:00:00Z
BUDGETS = ("stockx:acme", "ebay:app.3f9c")

limits = st.builds(
    Limits,
    st.builds(by_clock, st.sampled_from([0, 1, 3, 7, 50]), st.sampled_from([0, 1, 10, 40])),
    interval_ms=st.sampled_from([0, HOUR // 5, HOUR // 3, 2 * HOUR]),
    tolerance_ms=st.just(0),
)
hours = st.lists(st.integers(0, 12), min_size=1, max_size=40)


def call_by_call(budget: str, made: dict[int, int], allowed: Limits) -> Counter[tuple[int, int]]:
    """How many calls of each hour started so many hours later, as the engine would have let them: one after another."""
    waiting, started, day, used_day = list[int](), Counter[tuple[int, int]](), "", 0
    for hour, calls in made.items():
        window, used_hour = Window.of(budget, hour), 0
        if window.day != day:
            day, used_day = window.day, 0
        waiting += [hour] * calls
        while waiting:
            usage = Usage(hour=used_hour, day=used_day)
            slot = hour + used_hour * allowed.pace
            if usage.empty_until(allowed, window) is not None or slot >= window.end:
                break
            since = waiting.pop(0)
            started[since, (hour - since) // HOUR] += 1
            used_hour, used_day = used_hour + 1, used_day + 1
    return started


@given(st.sampled_from(BUDGETS), hours, limits)
def test_it_comes_to_the_same_as_call_by_call(budget: str, calls: list[int], allowed: Limits) -> None:
    made = {START + place * HOUR: number for place, number in enumerate(calls)}
    played, real = what_if.play(budget, made, allowed), call_by_call(budget, made, allowed)
    assert played.calls == sum(calls)
    assert played.left == sum(calls) - real.total()
    assert played.waited == sum(number for (_, late), number in real.items() if late) + played.left
    assert sum(day.calls for day in played.days) == played.calls
    assert sum(day.waited for day in played.days) == played.waited
    assert played.longest_hours >= max((late for _, late in real), default=0)


@given(st.sampled_from(BUDGETS), hours)
def test_without_a_limit_nothing_waits(budget: str, calls: list[int]) -> None:
    made = {START + place * HOUR: number for place, number in enumerate(calls)}
    played = what_if.play(budget, made, Limits())
    assert (played.waited, played.left, played.longest_hours, played.mean_hours) == (0, 0, 0, None)
