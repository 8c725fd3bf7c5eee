"""Rolling windows: whatever workers, clocks and crashes do, none holds more arrivals than it allows; all are used."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.jobs.budgets.blocks import Hand, Rhythm, Times, free_by, leave, started_by, take
from sluice.jobs.budgets.rings import PLACES, Ring, Rings, Span, Ticket, decode, encode
from sluice.platform.clock import DAY, HOUR, MINUTE, SECOND

NOON = 1_795_348_800_000
# By how much the clocks of two workers differ, and how long a call is on its way, at most (ms).
SKEW, TRAVEL = 20, 30
MARGIN = SKEW + TRAVEL

spans = st.builds(Span, st.integers(1, 400), st.sampled_from([SECOND, 10 * SECOND, MINUTE, HOUR, DAY]))
# Small ones are used up often, so that many orders of events matter.
margins = st.sampled_from([0, MARGIN])
few = st.lists(st.builds(Span, st.integers(1, 12), st.integers(200, 4_000)), min_size=1, max_size=3)
rhythms = st.builds(
    Rhythm, st.sampled_from([0, 0, 1, 50, 400]), st.integers(1, 3), st.integers(1, 300), st.just(MARGIN)
)


@dataclass
class Marketplace:
    """Notes when calls arrive."""

    arrivals: list[int] = field(default_factory=list)

    def over(self, span: Span) -> list[tuple[int, int]]:
        """Arrivals that had so many before them that the window was over."""
        made = sorted(self.arrivals)
        return [(one, other) for one, other in zip(made, made[span.calls :], strict=False) if other - one < span.ms]


@dataclass
class Budget:
    """The stored item: what it says has been through its own form."""

    spans: Sequence[Span]
    times: Times = field(default_factory=Times)

    def read(self) -> Times:
        stored = decode(encode(self.times.rings)) if self.times.rings.rings else Rings()
        return self.times._replace(rings=stored.fitting(self.spans, MARGIN))


@dataclass
class Worker:
    """By its own clock, `ahead` ms ahead of the marketplace's."""

    budget: Budget
    marketplace: Marketplace
    rhythm: Rhythm
    ahead: int
    hand: Hand = field(default_factory=Hand)

    def call(self, now: int, count: int, late: int, travel: int) -> int:
        """Make the next call, `late` after it may start; the time that it is then."""
        if not self.hand.tickets:
            times, tickets = take(self.budget.read(), self.hand, count, now + self.ahead, self.rhythm)
            self.budget.times = times
            self.hand.take(tickets)
        start = max(now, self.hand.tickets[0].start - self.ahead) + late
        if start + self.ahead > self.hand.tickets[0].latest:
            self.hand.passed()
            return start
        self.hand.made(start + self.ahead)
        self.marketplace.arrivals.append(start + travel)
        return start

    def end(self) -> None:
        self.hand.drop()
        self.budget.times = leave(self.budget.read(), self.hand, self.rhythm)
        self.hand = Hand()


# Which worker, how long after the last step, how many calls its block has, how late it makes one, how long that is on
# its way; and whether it then goes on, ends, or dies.
steps = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from([0, 0, 0, 1, 30, 500]),
        st.integers(1, 5),
        st.sampled_from([0, 0, 0, 5, 100, 301]),
        st.integers(0, TRAVEL),
        st.sampled_from(["on", "on", "on", "on", "end", "die"]),
    ),
    max_size=80,
)
skews = st.lists(st.integers(0, SKEW), min_size=4, max_size=4)


@given(few, rhythms, skews, steps)
def test_no_window_holds_more_arrivals_than_it_allows(
    some: list[Span], rhythm: Rhythm, ahead: list[int], steps: list[tuple[int, int, int, int, int, str]]
) -> None:
    """Each worker makes its calls when it may, in the order in which their times come."""
    budget, marketplace, now = Budget(some), Marketplace(), NOON
    workers = [Worker(budget, marketplace, rhythm, skew) for skew in ahead]
    at = [NOON] * len(workers)
    for number, wait, count, late, travel, then in steps:
        # Who is asked may be waiting for its call until later: the others go on meanwhile.
        now += wait
        at[number] = workers[number].call(max(now, at[number]), count, late, travel)
        if then == "end":
            workers[number].end()
        elif then == "die":
            workers[number].hand = Hand()
    for span in some:
        assert marketplace.over(span) == []


@given(few, rhythms, st.lists(st.integers(-DAY, DAY), max_size=30), st.lists(st.integers(1, 5), min_size=30))
def test_a_clock_that_is_put_forward_or_back_makes_no_window_shorter(
    some: list[Span], rhythm: Rhythm, clocks: list[int], counts: list[int]
) -> None:
    """By the times that the calls were given: whoever was there first is waited for, whatever clock it had."""
    times, starts = Times(rings=Rings().fitting(some, MARGIN)), list[int]()
    for clock, count in zip(clocks, counts, strict=False):
        times, tickets = take(times, Hand(), count, NOON + clock, rhythm)
        assert all(ticket.start >= NOON + clock for ticket in tickets)
        starts += [ticket.start for ticket in tickets]
    for span in some:
        for number, start in enumerate(starts[span.calls :]):
            assert start - starts[number] >= 0 or start >= NOON - DAY
            place = Ring.empty(span, PLACES // len(some)).members(number + span.calls)
            before = starts[place.start - span.calls : min(place.stop - span.calls, number + 1)]
            assert start >= max(before) + span.ms + MARGIN


LONE = [Span(1, 10 * SECOND), Span(7, 10 * SECOND), Span(200, 10 * SECOND), Span(450, HOUR)]


@pytest.mark.parametrize("span", LONE)
@pytest.mark.parametrize(("count", "answer"), [(1, 20), (3, 1)])
def test_a_lone_worker_with_work_uses_all_of_a_window(span: Span, count: int, answer: int) -> None:
    """At least 99 % of what fits between the margins, with bursts as large as its answers allow."""
    budget, marketplace = Budget([span]), Marketplace()
    worker = Worker(budget, marketplace, Rhythm(0, 1, 500, 10), 0)
    now, turns = NOON, 3
    while now < NOON + turns * span.ms and len(marketplace.arrivals) < turns * span.calls:
        now = worker.call(now, count, 0, 0) + answer
    made = sum(at < NOON + turns * span.ms for at in marketplace.arrivals)
    # The first window is full at once; from then on each call waits for the one that it follows.
    assert made >= 0.99 * (turns - 1) * span.calls + span.calls * (turns * 10 < span.ms)
    assert marketplace.over(span) == []


def test_a_whole_window_may_be_used_in_a_burst() -> None:
    span = Span(200, 10 * SECOND)
    times, tickets = take(Times(rings=Rings().fitting([span], 0)), Hand(), 200, NOON, Rhythm(0, 1, 500, 0))
    assert {ticket.start for ticket in tickets} == {NOON}
    assert times.rings.rings[0].used(200, NOON) == 200
    _, [next_] = take(times, Hand(), 1, NOON, Rhythm(0, 1, 500, 0))
    assert next_.start == NOON + 500 + 10 * SECOND, "the others may start at this time still"


@given(spans, st.lists(st.integers(0, 400), max_size=12), st.integers(1, 9))
def test_what_is_used_and_what_is_free_are_the_window(span: Span, taken: list[int], wait: int) -> None:
    times, now = Times(rings=Rings().fitting([span], 0)), NOON
    for count in taken:
        now += wait * span.ms // 20
        free = free_by(times, now, now, 0, 0)
        ring = times.rings.rings[0]
        assert free is not None
        assert free >= 0
        assert free + ring.used(times.rings.taken, now) <= span.calls
        some = min(count, free)
        if some:
            times, tickets = take(times, Hand(), some, now, Rhythm(0, 1, 0, 0))
            assert {ticket.start for ticket in tickets} == {now}, "what is free may start at once"
        many = span.calls + count
        by = started_by(times, many, now, now + 500 * span.ms, 0, 0)
        assert (free_by(times, now, by, 0, 0) or 0) >= many
        assert by == now or (free_by(times, now, by - 1, 0, 0) or 0) < many


@given(
    st.builds(Span, st.integers(1, 12), st.integers(200, 4_000)),
    st.lists(st.integers(0, 2_000), max_size=30),
    st.integers(0, 5_000),
    st.integers(0, 9_000),
)
def test_what_is_free_by_a_time_is_what_may_start_until_then(
    span: Span, taken: list[int], since: int, ahead: int
) -> None:
    """As many as start if each does as soon as it may, and the clock has gone on since the last."""
    ring, now = Ring.empty(span, PLACES), NOON
    for number, gap in enumerate(taken):
        now = max(now + gap, ring.opening(number, MARGIN))
        ring = ring.taken(number, now, MARGIN)
    now, number, at = now + since, len(taken), now + since
    free = ring.free_by(number, now, now + ahead, MARGIN)
    while (at := max(at, ring.opening(number, MARGIN))) <= now + ahead:
        ring, number = ring.taken(number, at, MARGIN), number + 1
    assert free == number - len(taken)


def test_a_place_that_was_half_taken_long_ago_is_free_again_a_window_after_its_rest_can_be_taken() -> None:
    """Two of its four calls were made at noon; the other two may start now, and count from now."""
    ring = Ring(Span(4, SECOND), NOON - SECOND, (NOON,))
    now = NOON + 10 * SECOND
    assert ring.free_by(2, now, now + SECOND + MARGIN - 1, MARGIN) == 2
    assert ring.free_by(2, now, now + SECOND + MARGIN, MARGIN) == 6


@pytest.mark.parametrize(
    ("calls", "places", "number", "after"), [(4, 4, 0, 4), (4, 2, 1, 4), (4, 2, 3, 6), (5, 1, 4, 5)]
)
def test_a_place_is_entered_again_by_the_first_call_of_its_next_turn(
    calls: int, places: int, number: int, after: int
) -> None:
    """Until then its worker may still say when its calls were made."""
    ring = Ring.empty(Span(calls, SECOND), places)
    assert [ring.entered_again(number, after + taken) for taken in (0, 1, 2)] == [False, True, True]


def test_a_block_has_no_calls_that_would_have_to_wait_for_the_window() -> None:
    """Whoever holds them would keep them from those who come meanwhile."""
    times = Times(rings=Rings().fitting([Span(2, 10 * SECOND)], MARGIN))
    _, tickets = take(times, Hand(), 3, NOON, Rhythm(0, 1, 500, MARGIN))
    assert [ticket.start for ticket in tickets] == [NOON, NOON]


def test_after_a_burst_calls_come_at_the_pace() -> None:
    times = Times(rings=Rings().fitting([Span(90, 10 * SECOND)], 0))
    _, tickets = take(times, Hand(), 5, NOON, Rhythm(100, 3, 500, 0))
    assert [ticket.start - NOON for ticket in tickets] == [0, 0, 0, 100, 200]


def test_a_call_that_is_made_anew_leaves_its_place_to_who_may_be_later_in_it() -> None:
    rings = Rings(2, (Ring(Span(4, SECOND), NOON, (NOON + 900,)),))
    for latest, end in ((NOON + 600, NOON + 900), (NOON + 1_000, NOON + 1_000)):
        after, ticket = rings.take_again(Ticket(NOON, NOON + 500, 0, (NOON,)), NOON + 100, latest)
        assert (after.rings[0].ends, ticket.latest) == ((end,), latest)


def test_of_several_windows_the_one_of_the_same_length_tells_what_was_called_in_a_new_one() -> None:
    short, long = Span(5, SECOND), Span(10, MINUTE)
    known = Rings(1, (Ring(long, NOON, (NOON + 9, *(0,) * 9)), Ring(short, NOON, (NOON + 1, *(0,) * 4))))
    [ring] = known.fitting([Span(7, SECOND)], 0).rings
    assert ring.ends == (NOON + 1, *(0,) * 6)
    assert known.fitting([short], 0).rings == (known.rings[1],), "one that stays is as it was"


def test_a_limit_of_other_length_and_as_many_places_is_another_window() -> None:
    before, after = Span(7, SECOND), Span(7, MINUTE)
    known = Rings(1, (Ring(before, NOON, (NOON, *(0,) * 6)),))
    [ring] = known.fitting([after], MARGIN).rings
    assert (ring.span, ring.ends) == (after, (NOON, *(0,) * 6))
    assert known.fitting([before], MARGIN) is known


def test_a_limit_that_is_changed_takes_of_calls_that_share_a_place_now_the_one_that_may_start_last() -> None:
    """The first one's worker has died, so it may have started later than the second."""
    few, many = Span(4, 10 * SECOND), Span(2 * PLACES, 10 * SECOND)
    known = Rings(2, (Ring(few, NOON, (NOON + 500, NOON, 0, 0)),))
    [ring] = known.fitting([many], MARGIN).rings
    assert ring.members(0) == range(2)
    assert ring.ends[:2] == (NOON + 500, 0)


def test_a_limit_that_is_changed_while_a_place_is_half_taken_opens_it_when_its_calls_before_have_left() -> None:
    """Both windows have places of several calls, and three calls of one turn were taken of what is now one place."""
    before, after = Span(2, 10 * SECOND), Span(2 * PLACES + 1, 20 * SECOND)
    calls = 2 * PLACES + 2
    known = Rings(calls, (Ring(before, NOON, (NOON + 1_000, NOON + 2_000)),))
    [ring] = known.fitting([after], MARGIN).rings
    current = ring.members(calls)
    assert current.start < calls
    left = [known.rings[0].started(number - after.calls, calls) for number in current]
    assert ring.opening(calls, MARGIN) == max(left) + after.ms + MARGIN


@given(spans, spans, st.lists(st.tuples(st.integers(0, 90), st.integers(0, 5_000)), max_size=12), margins)
def test_a_limit_that_is_changed_keeps_what_was_called(
    before: Span, after: Span, taken: list[tuple[int, int]], margin: int
) -> None:
    times, now, starts = Times(rings=Rings().fitting([before], margin)), NOON, list[int]()
    rhythm = Rhythm(0, 1, 0, margin)
    for spans_, moves in (([before], taken), ([after], [*taken, (400, 0)])):
        times = times._replace(rings=times.rings.fitting(spans_, margin))
        assert [ring.span for ring in times.rings.rings] == spans_
        for count, wait in moves:
            now += wait
            for _ in range(count):
                times, [ticket] = take(times, Hand(), 1, now, rhythm)
                now = ticket.start
                starts.append(now)
        if spans_ == [before]:
            known = len(starts)
    # Counted from the change on, no window of the new limit is over, those that began before it among them.
    for number in range(max(0, known - after.calls), len(starts) - after.calls):
        if number + after.calls >= known:
            assert starts[number + after.calls] - starts[number] >= after.ms + margin
    assert all(one <= other for one, other in pairwise(starts))


@given(st.lists(spans, min_size=1, max_size=3), st.integers(0, 2**40), st.data())
def test_what_is_stored_opens_no_earlier_than_what_was_meant(some: list[Span], taken: int, data: st.DataObject) -> None:
    rings = Rings(taken).fitting(some, 0)
    filled = [
        ring._replace(
            opens=data.draw(st.integers(0, NOON)),
            ends=tuple(
                data.draw(
                    st.lists(
                        st.integers(NOON - ring.span.ms, NOON) | st.just(0),
                        min_size=len(ring.ends),
                        max_size=len(ring.ends),
                    )
                )
            ),
        )
        for ring in rings.rings
    ]
    meant = Rings(taken, tuple(filled))
    stored = decode(encode(meant))
    assert stored.taken == taken
    for one, other in zip(meant.rings, stored.rings, strict=True):
        assert (one.span, one.opens) == (other.span, other.opens)
        assert all(0 <= then - end < one.span.unit for end, then in zip(one.ends, other.ends, strict=True))
    assert encode(stored) == encode(meant), "written again as it was read"
    assert len(encode(meant)) <= 3 * PLACES + 100, "it stays within one write unit"


def test_what_cannot_be_read_is_said() -> None:
    stored = encode(Rings().fitting([Span(10, SECOND)], 0))
    for broken in (stored[:-1], b"\x07" + stored[1:], b"x"):
        with pytest.raises(ValueError, match="rings"):
            decode(broken)
    assert decode(None) == decode(b"") == Rings()
    full = Rings.unreadable(NOON).fitting([Span(10, SECOND), Span(3, MINUTE)], 5)
    assert full.opening(5) == NOON + MINUTE + 5, "as if all calls had been made just now"
    assert full.rings[0].used(0, NOON) == 10
