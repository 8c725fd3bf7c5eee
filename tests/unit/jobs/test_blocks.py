"""By when what was handed out can have started: from now on, or behind what was handed out before."""

import pytest

from sluice.jobs.budgets.blocks import UNPACED_MS, Times, hand_out, handed_out
from sluice.jobs.budgets.rings import Ring, Span
from tests.unit.jobs.conftest import NOON


@pytest.mark.parametrize("pace", [0, 600])
@pytest.mark.parametrize(("before", "since"), [(0, NOON), (NOON - 5_000, NOON), (NOON, NOON), (NOON + 700, NOON + 700)])
def test_what_is_handed_out_starts_behind_what_was_and_never_before_now(before: int, since: int, pace: int) -> None:
    """Without slots, calls are counted as if one was made each 20 ms."""
    handed = handed_out(Times(), NOON, before, pace, 0)
    assert hand_out(Times(), NOON, before, handed, 10, pace, 0) == since + 10 * (pace or UNPACED_MS)


def test_a_place_of_a_ring_ends_with_the_latest_of_its_calls_whichever_was_taken_last() -> None:
    """A slowed budget holds its calls for less: the one that was taken before may start later."""
    ring = Ring.empty(Span(4, 1_000), 2).taken(0, 5_000, 0).taken(1, 4_800, 0)
    assert ring.ends == (5_000, 0)


def test_a_call_of_an_earlier_turn_of_the_ring_started_a_window_earlier_for_each() -> None:
    """So a limit that is changed leaves what is still in its new window, and no more."""
    ring = Ring(Span(4, 1_000), 0, (9_000, 9_500))
    assert [ring.started(number, 12) for number in (8, 10, 4, 6, 0)] == [9_000, 9_500, 8_000, 8_500, 7_000]


def test_what_is_left_of_the_place_that_calls_are_taken_from_is_free_too() -> None:
    ring, left = Ring.empty(Span(8, 1_000), 4), list[int]()
    for number in range(8):
        ring = ring.taken(number, NOON, 0)
        left.append(ring.free_by(number + 1, NOON, NOON, 0))
    assert left == [7, 6, 5, 4, 3, 2, 1, 0]
