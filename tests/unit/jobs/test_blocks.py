"""By when what was handed out can have started: from now on, or behind what was handed out before."""

import pytest

from sluice.jobs.budgets.blocks import (
    MOST_OWN,
    UNPACED_MS,
    Hand,
    Rhythm,
    Times,
    free_by,
    hand_out,
    handed_out,
    leave,
    started_by,
    take,
)
from sluice.jobs.budgets.rings import Ring, Rings, Span, Ticket
from sluice.platform.clock import HOUR, MINUTE, SECOND
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


FOUR = Times(rings=Rings().fitting([Span(4, 10 * SECOND)], 0))


def taken(calls: int, *, at: int = NOON, times: Times = FOUR) -> Times:
    """After so many of the calls were taken, each of which starts when it may."""
    for _ in range(calls):
        times, _ticket = take(times, Hand(), 1, at, Rhythm(0, 1, 0, 0))
    return times._replace(next_at=0)


@pytest.mark.parametrize(
    ("times", "until", "pace", "free"),
    [
        (Times(), NOON + 900, 0, None),
        (Times(), NOON + 900, 300, 3),
        (Times(), NOON + 901, 300, 4),
        (Times(NOON + 300), NOON + 900, 300, 2),
        (Times(NOON - 300), NOON + 900, 300, 3),
        (Times(NOON + 900), NOON + 900, 300, 0),
        (Times(NOON + 1_900), NOON + 900, 300, 0),
        (FOUR, NOON, 0, 4),
        (FOUR, NOON + 10 * SECOND - 1, 0, 4),
        (FOUR, NOON + 10 * SECOND, 0, 8),
        (FOUR, NOON + 900, 300, 3),
        (FOUR, NOON + 9_000, 300, 4),
        (taken(3), NOON, 0, 1),
        (taken(4), NOON + 9_999, 0, 0),
    ],
)
def test_what_may_start_by_a_time_is_bound_by_the_pace_and_by_the_windows(
    times: Times, until: int, pace: int, free: int | None
) -> None:
    assert free_by(times, NOON, until, pace, 0) == free


@pytest.mark.parametrize(
    ("times", "until", "pace", "handed"),
    [
        (Times(), NOON, 0, 0),
        (Times(), NOON - 5_000, 0, 0),
        (Times(), NOON + 1, 0, 1),
        (Times(), NOON + 60, 0, 3),
        (Times(), NOON + 901, 300, 4),
        (Times(NOON + 600), NOON + 900, 300, 3),  # who takes slots has been handed them before
        (FOUR, NOON + 2 * UNPACED_MS, 0, 2),
        (FOUR, NOON + SECOND, 0, 4),
        (taken(3), NOON + SECOND, 0, 1),
        (taken(4), NOON + SECOND, 0, 0),
    ],
)
def test_of_what_was_handed_out_no_more_can_be_left_than_could_start_until_then(
    times: Times, until: int, pace: int, handed: int
) -> None:
    assert handed_out(times, NOON, until, pace, 0) == handed


@pytest.mark.parametrize(
    ("until", "before", "count", "pace", "by"),
    [
        (0, 0, 3, 0, NOON + 60),
        (0, 0, 4, 0, NOON + 80),
        (0, 0, 5, 0, NOON + 10 * SECOND),
        (NOON + 50, 3, 1, 0, NOON + 50 + UNPACED_MS),
        (NOON + 50, 4, 1, 0, NOON + 10 * SECOND),
        (NOON + 50, 4, 5, 0, NOON + 20 * SECOND),
        (0, 0, 3, 900, NOON + 2_700),
        (NOON + 50, 0, 3, 900, NOON + 2_750),
        (0, 4_000, 1, 0, NOON + 10 * MINUTE),
    ],
)
def test_what_is_handed_out_of_a_window_has_started_when_that_is_open_for_it(
    until: int, before: int, count: int, pace: int, by: int
) -> None:
    assert hand_out(FOUR, NOON, until, before, count, pace, 0) == by


@pytest.mark.parametrize(("most", "by"), [(HOUR, 20_000), (5_000, 5_000), (0, 0), (-9, 0)])
def test_nobody_looks_further_ahead_than_is_asked_for(most: int, by: int) -> None:
    assert started_by(FOUR, 12, NOON, NOON + most, 0, 0) == NOON + by
    assert started_by(Times(), 12, NOON, NOON + HOUR, 0, 0) == NOON


def test_a_worker_remembers_its_last_calls_and_no_more() -> None:
    hand = Hand()
    for first in (0, MOST_OWN - 1):
        hand.take([Ticket(NOON, NOON + number, number) for number in range(first, first + MOST_OWN)])
    assert list(hand.own) == list(range(MOST_OWN - 1, 2 * MOST_OWN - 1))
    hand.made(NOON + 7)
    hand.passed()
    assert (hand.own[MOST_OWN - 1], hand.own[MOST_OWN]) == (NOON + 7, NOON + MOST_OWN)
    assert [ticket.number for ticket in hand.unmade] == [MOST_OWN]
    hand.drop()
    assert (len(hand.unmade), hand.tickets) == (MOST_OWN - 1, [])


@pytest.mark.parametrize(
    ("next_at", "rhythm", "starts", "after"),
    [
        (0, Rhythm(0, 1, 0, 0), [0, 0, 0, 0], 0),
        (0, Rhythm(100, 1, 0, 0), [0, 100, 200, 300], 400),
        (50, Rhythm(100, 1, 0, 0), [50, 150, 250, 350], 450),
        (-50, Rhythm(100, 1, 0, 0), [0, 100, 200, 300], 400),
        (0, Rhythm(100, 3, 0, 0), [0, 0, 0, 100], 400),
        # A full bucket that was emptied a while ago: two of three are there again.
        (100, Rhythm(100, 3, 0, 0), [0, 0, 100, 200], 500),
        (500, Rhythm(100, 3, 0, 0), [300, 400, 500, 600], 900),
    ],
)
def test_calls_of_a_block_come_at_the_pace_after_the_burst(
    next_at: int, rhythm: Rhythm, starts: list[int], after: int
) -> None:
    times, tickets = take(FOUR._replace(next_at=NOON + next_at), Hand(), 4, NOON, rhythm)
    assert [ticket.start - NOON for ticket in tickets] == starts
    assert times.next_at == NOON + after


@pytest.mark.parametrize(
    ("ends", "waited", "calls"),
    [([0, 500], 0, 2), ([0, 501], 0, 1), ([0, 900], 500, 2), ([300, 900], 0, 1), ([900, 950], 0, 2)],
)
def test_a_block_ends_before_a_call_that_comes_half_a_second_after_the_one_before_it(
    ends: list[int], waited: int, calls: int
) -> None:
    """Not before its first, however far that is."""
    ring = Ring(Span(2, SECOND), 0, tuple(NOON - SECOND + end for end in ends))
    _, tickets = take(Times(0, Rings(2, (ring,))), Hand(), 2, NOON + waited, Rhythm(0, 1, 0, 0))
    assert len(tickets) == calls


def test_who_is_done_gives_back_the_last_calls_and_tells_when_the_others_were_made() -> None:
    """Of those that somebody has taken calls after, the places stay as they are."""
    rhythm = Rhythm(0, 1, 500, 0)
    first, last = Hand(), Hand()
    times, tickets = take(FOUR, first, 2, NOON, rhythm)
    first.take(tickets)
    times, tickets = take(times, last, 2, NOON, rhythm)
    last.take(tickets)
    for hand in (first, last):
        hand.made(NOON + 100)
        hand.drop()
    left = leave(times, first, rhythm).rings
    assert (left.taken, left.rings[0].ends) == (4, (NOON + 100, NOON + 500, NOON + 500, NOON + 500))
    left = leave(times, last, rhythm).rings
    assert (left.taken, left.rings[0].ends) == (3, (NOON + 500, NOON + 500, NOON + 100, 0))


def test_a_call_that_was_not_made_in_time_is_the_first_of_the_next_block() -> None:
    rhythm, hand = Rhythm(0, 1, 500, 0), Hand()
    times, tickets = take(FOUR, hand, 2, NOON, rhythm)
    hand.take(tickets)
    hand.passed()
    hand.passed()
    later = NOON + 4 * SECOND
    times, tickets = take(times, hand, 3, later, rhythm)
    assert [(ticket.number, ticket.start, ticket.latest) for ticket in tickets] == [
        (number, later, later + 500) for number in (0, 1, 2)
    ]
    assert (times.rings.taken, times.rings.rings[0].ends) == (3, (*(later + 500,) * 3, 0))
    hand.take(tickets)
    assert hand.unmade == []


def test_of_calls_that_were_not_made_only_those_whose_places_are_the_workers_still_come_again() -> None:
    """Each not before its own time, and however long that is after the one before it."""
    times, tickets = take(FOUR, Hand(), 3, NOON, Rhythm(0, 1, 500, 0))
    later = [tickets[1]._replace(start=NOON + 20 * SECOND), tickets[2]._replace(start=NOON + 25 * SECOND)]
    hand = Hand(unmade=[tickets[0], *later])
    now = NOON + 15 * SECOND
    times, others = take(times, Hand(), 2, now, Rhythm(0, 1, 500, 0))
    assert [ticket.number for ticket in others] == [3, 4], "the fifth call enters the place of the first anew"
    _, again = take(times, hand, 2, now, Rhythm(0, 1, 500, 0))
    assert [(ticket.number, ticket.start) for ticket in again] == [(1, NOON + 20 * SECOND), (2, NOON + 25 * SECOND)]
