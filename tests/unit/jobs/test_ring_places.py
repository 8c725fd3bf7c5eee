"""Places of a ring: which calls are in which, when each may start, and what its worker may still say of it."""

import pytest

from sluice.jobs.budgets.rings import Ring, Rings, Span, Ticket, decode, encode
from sluice.platform.clock import DAY, HOUR, MINUTE, SECOND
from tests.unit.jobs.conftest import NOON

WEEK = 7 * DAY


@pytest.mark.parametrize(
    ("calls", "places", "members"),
    [
        (4, 4, [range(1), range(1, 2), range(2, 3), range(3, 4)]),
        (4, 2, [range(2), range(2), range(2, 4), range(2, 4)]),
        (5, 2, [range(3), range(3), range(3), range(3, 5), range(3, 5)]),
        (3, 1, [range(3)] * 3),
        (7, 3, [range(3)] * 3 + [range(3, 5)] * 2 + [range(5, 7)] * 2),
    ],
)
def test_neighbours_share_a_place_and_so_they_do_in_the_next_turn(
    calls: int, places: int, members: list[range]
) -> None:
    ring = Ring.empty(Span(calls, SECOND), places)
    assert [ring.members(number) for number in range(calls)] == members
    later = [range(calls + one.start, calls + one.stop) for one in members]
    assert [ring.members(calls + number) for number in range(calls)] == later
    assert [ring.place(number) for number in range(calls)] == [ring.place(calls + number) for number in range(calls)]
    sizes = [len(one) for one in dict.fromkeys(members)]
    assert [ring._size(place) for place in range(places)] == sizes


def test_a_window_of_few_calls_has_no_more_places_than_calls() -> None:
    assert len(Ring.empty(Span(3, SECOND), 200).ends) == 3
    assert len(Ring.empty(Span(300, SECOND), 200).ends) == 200


def test_the_first_call_of_a_place_waits_for_those_that_it_held_and_the_others_go_with_it() -> None:
    ring = Ring(Span(4, SECOND), 0, (NOON + 100, NOON + 300))
    openings = list[int]()
    for number in range(4, 8):
        openings.append(ring.opening(number, 7) - NOON)
        ring = ring.taken(number, NOON + 5_000 + number, 7)
    assert openings == [1_107, 1_107, 1_307, 1_307]
    assert [end - NOON for end in ring.ends] == [5_005, 5_007]
    assert ring.opens == NOON + 1_307


@pytest.mark.parametrize(
    ("own", "taken", "ends"),
    [
        # All calls of the first place are the worker's: it ends when the last of them was made.
        ({0: 10, 1: 20}, 2, [20, 0]),
        ({0: 20, 1: 10}, 2, [20, 0]),
        ({0: 10}, 1, [10, 0]),
        # One of them is another's, of whom it knows nothing.
        ({0: 10}, 2, [500, 0]),
        ({1: 10}, 2, [500, 0]),
        ({0: 10, 1: 20, 2: 30}, 3, [20, 30]),
        ({0: 10, 1: 20, 2: 30}, 4, [20, 500]),
        # By now it has been entered again: what the worker says is of calls that have left.
        ({0: 10, 1: 20}, 5, [500, 500]),
        ({2: 10, 3: 20}, 5, [500, 20]),
        ({4: 10}, 5, [10, 500]),
        ({}, 5, [500, 500]),
        # The rings were lost, and have begun anew since.
        ({2: 10}, 1, [500, 0]),
        ({9: 10}, 0, [0, 0]),
    ],
)
def test_who_has_all_calls_of_a_place_says_when_it_ends(own: dict[int, int], taken: int, ends: list[int]) -> None:
    ring = Ring.empty(Span(4, SECOND), 2)
    for number in range(taken):
        ring = ring.taken(number, NOON + 500, 0)
    settled = ring.settled({number: NOON + end for number, end in own.items()}, taken)
    assert settled.ends == tuple(NOON + end if end else 0 for end in ends)
    assert settled.opens == ring.opens


def test_what_is_given_back_is_as_it_was_unless_somebody_has_taken_after_it() -> None:
    before = Rings(0, (Ring.empty(Span(4, SECOND), 2), Ring.empty(Span(3, MINUTE), 3)))
    tickets, states = list[Ticket](), [before]
    for number in range(3):
        rings, ticket = states[-1].take(NOON + number, NOON + 500, 0)
        states.append(rings)
        tickets.append(ticket)
    assert [ticket.number for ticket in tickets] == [0, 1, 2]
    assert states[-1].give_back([], 0) == states[-1]
    assert states[-1].give_back(tickets[:2], 0) == states[-1], "the last one is another's"
    for left, order in ((2, tickets[2:]), (1, tickets[1:]), (0, tickets), (0, tickets[::-1])):
        after = states[-1].give_back(order, 0)
        assert after.taken == left
        assert after.opening(0) == states[left].opening(0)
        assert [ring.used(left, NOON) for ring in after.rings] == [left, left]


@pytest.mark.parametrize(
    ("taken", "at", "used"),
    [(0, 0, 0), (1, 0, 1), (2, 0, 2), (3, 0, 3), (4, 0, 4), (3, 999, 3), (3, 1_000, 0), (5, 0, 3)],
)
def test_what_is_used_of_a_window_are_the_calls_that_have_not_left(taken: int, at: int, used: int) -> None:
    """The fifth call enters the first place anew, which has room for one more."""
    ring = Ring.empty(Span(4, SECOND), 2)
    for number in range(taken):
        ring = ring.taken(number, NOON, 0)
    assert ring.used(taken, NOON + at) == used


@pytest.mark.parametrize(("ms", "unit"), [(SECOND, 1), (HOUR, 1), (2 * HOUR, 1), (DAY, 11), (WEEK, 73)])
def test_ends_of_places_are_kept_to_the_millisecond_and_less_exactly_where_windows_are_long(ms: int, unit: int) -> None:
    """Rounded up: no call is thought to have left early; and two windows ago is long enough ago."""
    span = Span(3, ms)
    assert span.unit == unit
    newest = NOON + 3
    rings = Rings(9, (Ring(span, NOON - 5, (newest, newest - ms, newest - 2 * ms + 1)),))
    stored = decode(encode(rings))
    assert (stored.taken, stored.rings[0].opens, stored.rings[0].span) == (9, NOON - 5, span)
    assert all(0 <= kept - end < unit for kept, end in zip(stored.rings[0].ends, rings.rings[0].ends, strict=True))
    long_ago = decode(encode(Rings(9, (Ring(span, 0, (newest, 1, 0)),)))).rings[0].ends
    assert long_ago[1:] == (0, 0)


def test_of_several_windows_the_latest_to_open_and_the_fewest_calls_count() -> None:
    rings = Rings(0, (Ring(Span(2, SECOND), 0, (NOON, NOON)), Ring(Span(3, MINUTE), 0, (NOON - MINUTE,) * 3)))
    assert rings.opening(5) == NOON + 1_005
    assert [rings.free_by(NOON, NOON + at, 5) for at in (0, 1_004, 1_005, MINUTE)] == [0, 0, 2, 3]
    assert Rings().opening(5) == 0
    assert Rings().free_by(NOON, NOON, 5) is None
    after, ticket = rings.take(NOON + 1_005, NOON + 1_500, 5)
    assert ticket == Ticket(NOON + 1_005, NOON + 1_500, 0, (NOON + 1_005, NOON + 5))
    assert (after.taken, after.rings[0].opens, after.rings[1].opens) == (1, NOON + 1_005, NOON + 5)


@pytest.mark.parametrize("stored", [b"\x02", bytes(10), b"\x01\x01" + bytes(8), b"\x01\x01" + bytes(40)])
def test_what_is_damaged_is_said_to_be(stored: bytes) -> None:
    with pytest.raises(ValueError, match="rings"):
        decode(stored)
