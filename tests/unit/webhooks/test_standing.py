"""How long an endpoint rests, and when it is switched off: for any course of attempts."""

from hypothesis import given
from hypothesis import strategies as st

from sluice.platform.clock import DAY, HOUR, MINUTE, SECOND
from sluice.webhooks.standing import MOST_REST_MS, Ended, EndpointStanding, after, rest

ARRIVED, REFUSED, LATE = Ended(arrived=True), Ended(arrived=False), Ended(arrived=False, late=True)
attempts = st.lists(st.sampled_from([ARRIVED, REFUSED, LATE]), min_size=1, max_size=5)
courses = st.lists(st.tuples(st.integers(1, 8 * HOUR), attempts), min_size=1, max_size=30)


def test_the_rests_grow_from_half_a_minute_to_a_quarter_of_an_hour() -> None:
    assert [rest(late) // SECOND for late in range(1, 8)] == [30, 60, 120, 240, 480, 900, 900]
    assert rest(10_000) == MOST_REST_MS == 15 * MINUTE


def test_attempts_at_once_that_are_all_late_are_one_rest() -> None:
    standing, off = after(EndpointStanding(), [LATE] * 5, 0)
    assert (standing.late, standing.rests_until, off) == (1, 30 * SECOND, None)


def test_a_refusal_at_once_costs_nobody_anything_and_rests_nothing() -> None:
    standing, _ = after(after(EndpointStanding(), [LATE], 0)[0], [REFUSED], MINUTE)
    assert (standing.late, standing.rests_until, standing.failing_since) == (0, None, 0)


def test_where_nothing_was_sent_for_a_day_nothing_is_known_of_that_day() -> None:
    failing, _ = after(EndpointStanding(), [REFUSED], 0)
    standing, off = after(failing, [REFUSED], 7 * DAY)
    assert (standing.failing_since, off) == (7 * DAY, None)


@given(courses)
def test_it_is_switched_off_after_a_day_without_an_arrival_and_never_before(
    course: list[tuple[int, list[Ended]]],
) -> None:
    now, standing, since, last = 0, EndpointStanding(), None, 0
    for pause, ended in course:
        now += pause
        if any(one.arrived for one in ended):
            since = None
        elif since is None or now - last >= DAY:
            since = now
        last = now
        standing, off = after(standing, ended, now)
        assert (off is not None) == (since is not None and now - since >= DAY)
        assert standing.failing_since == since
        assert (standing.rests_until or now) <= now + MOST_REST_MS
