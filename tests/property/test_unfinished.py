"""Counts of unfinished jobs are put right though jobs come and go, and at the same cost in a minute whatever waits.

A small world stands for the engine: jobs are created and end, the stream tells the counter of each change later, or
never, and each minute has its turn of the sweep.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.jobs.queue import unfinished
from sluice.jobs.queue.unfinished import Count, Recount

EARNED, MOST_SAVED = 10, 400
TENANTS = ("acme", "bolt", "crow")


class World:
    """Tenants' jobs, the counters that follow them, and the sweep that compares both. Numbers are by tenant.

    jobs: that there are. counters: what the counters say. told: changes that the stream has still to tell.
    lost: changes that it never will. in_flight: the most that it had to tell when somebody was counted.
    """

    def __init__(self) -> None:
        self.jobs, self.counters, self.told = Counter[str](), Counter[str](), Counter[str]()
        self.lost, self.in_flight = Counter[str](), Counter[str]()
        self.turn, self.read, self.moves = Recount.decode(None), 0, 0

    def change(self, tenant: str, by: int) -> None:
        """Jobs are created, or end."""
        by = max(by, -self.jobs[tenant])
        self.jobs[tenant] += by
        self.told[tenant] += by

    def follow(self, tenant: str) -> None:
        """The stream tells what it has to tell."""
        self.counters[tenant] += self.told.pop(tenant, 0)

    def lose(self, tenant: str) -> None:
        """The stream loses it."""
        self.lost[tenant] += abs(self.told.pop(tenant, 0))

    def minute(self) -> None:
        """One turn of the sweep, as `recounts` takes it."""
        turn = Recount.decode(self.turn.encode()).earn()
        tenant = turn.tenant if turn.open else TENANTS[(TENANTS.index(turn.tenant) + 1) % 3 if turn.tenant else 0]
        counters = {"n:unfinished": self.counters[tenant]}
        if turn.enough(counters, lambda _: True):
            assert turn.saved <= unfinished.MOST_SAVED
            here, limit = self.jobs[tenant], turn.saved
            count = Count(Counter({"n:unfinished": min(here, limit)}), here < limit, min(here, limit))
            self.read += count.read
            self.in_flight[tenant] = max(self.in_flight[tenant], abs(self.told[tenant]))
            turn, moves = turn.after(tenant, count, count.off(counters, lambda _: True))
            self.counters[tenant] += sum(moves.values())
            self.moves += bool(moves)
        self.turn = turn

    def off(self, tenant: str) -> int:
        """By how much the tenant's counter will be off when all has been told."""
        return self.counters[tenant] + self.told[tenant] - self.jobs[tenant]


@contextmanager
def small() -> Iterator[None]:
    """Savings that a short history uses up."""
    with patch.multiple(unfinished, EARNED=EARNED, MOST_SAVED=MOST_SAVED):
        yield


tenants = st.sampled_from(TENANTS)
steps = st.one_of(
    st.tuples(st.just("change"), tenants, st.integers(-60, 90)),
    st.tuples(st.just("follow"), tenants),
    st.tuples(st.just("lose"), tenants),
    st.tuples(st.just("minute")),
    st.tuples(st.just("minute")),
)
histories = st.lists(steps, max_size=60)


def play(history: list[tuple[object, ...]]) -> Iterator[World]:
    world = World()
    for name, *arguments in history:
        getattr(world, str(name))(*arguments)
        yield world


@given(histories)
def test_a_counter_is_never_further_off_than_what_was_lost_or_on_its_way(history: list[tuple[object, ...]]) -> None:
    with small():
        for world in play(history):
            for tenant in TENANTS:
                assert abs(world.off(tenant)) <= world.lost[tenant] + world.in_flight[tenant]


@given(histories)
def test_when_it_is_calm_all_counters_become_right(history: list[tuple[object, ...]]) -> None:
    with small():
        *_, world = World(), *play(history)
        for tenant in TENANTS:
            world.follow(tenant)
            world.change(tenant, min(0, MOST_SAVED // 2 - world.jobs[tenant]))
            world.follow(tenant)
        for _ in range(4 * len(TENANTS) * MOST_SAVED // EARNED):
            world.minute()
        assert {tenant: world.off(tenant) for tenant in TENANTS} == dict.fromkeys(TENANTS, 0)


@given(st.lists(steps.filter(lambda step: step[0] != "lose"), max_size=60))
def test_counters_that_follow_are_never_moved(history: list[tuple[object, ...]]) -> None:
    with small():
        world = World()
        for name, *arguments in history:
            if name == "minute":
                for tenant in TENANTS:
                    world.follow(tenant)
            getattr(world, str(name))(*arguments)
        assert not world.moves


@given(histories)
def test_no_more_is_read_than_the_minutes_have_saved(history: list[tuple[object, ...]]) -> None:
    minutes = 0
    with small():
        for world, step in zip(play(history), history, strict=True):
            minutes += step[0] == "minute"
            assert world.read <= minutes * EARNED


@pytest.mark.parametrize("waiting", [0, 30, 1_000, 10_000, 24_000])
@pytest.mark.parametrize("counted", [0.0, 0.5, 1.0, 3.0])
def test_a_days_sweeps_cost_the_same_whatever_waits(waiting: int, counted: float) -> None:
    world = World()
    for tenant in TENANTS:
        world.jobs[tenant] = waiting
        world.counters[tenant] = round(counted * waiting)
    minutes = 2_000
    for _ in range(minutes):
        world.minute()
    assert world.read <= minutes * unfinished.EARNED
    if waiting <= 10_000:
        assert {world.off(tenant) for tenant in TENANTS} == {0}, "each was counted twice"


@given(
    st.dictionaries(st.sampled_from("abcd"), st.integers(1, 9)),
    st.dictionaries(st.sampled_from("abcdx"), st.integers(-3, 9)),
    st.booleans(),
)
def test_counters_that_are_right_are_left_alone_and_too_high_is_only_believed_of_a_whole_count(
    found: dict[str, int], counters: dict[str, int], whole: bool
) -> None:
    off = Count(Counter(found), whole, 9).off(counters, lambda name: name != "x")
    assert all(off.values())
    assert "x" not in off
    for name in "abcd":
        right = counters.get(name, 0) + off.get(name, 0) == found.get(name, 0)
        assert right or (not whole and counters[name] > found.get(name, 0) and name not in off)


@pytest.mark.parametrize(
    ("saved", "known", "cut_at", "enough"),
    [
        (99, 0, 0, False),
        (100, 0, 0, True),
        (899, 800, 0, False),
        (900, 800, 0, True),
        (1_999, 100, 1_000, False),
        (2_000, 100, 1_000, True),
        (25_000, 10**9, 0, True),
    ],
)
def test_a_count_begins_when_it_will_probably_do(saved: int, known: int, cut_at: int, enough: bool) -> None:
    """Of a count that was cut off nobody knows how much was left: twice as much is tried."""
    counters = {"n:unfinished": known, "n:dead": 9_999, "n:gone:unfinished": -5}
    assert Recount("acme", {}, saved, cut_at).enough(counters, lambda name: name.endswith("unfinished")) is enough


@pytest.mark.parametrize(
    ("first", "second", "moves"),
    [(3, 5, 3), (5, 3, 3), (-3, -5, -3), (-5, -3, -3), (1, 1, 1), (3, -3, None), (1, None, None), (None, 1, None)],
)
def test_two_counts_move_by_the_smaller_of_what_they_agree_on(
    first: int | None, second: int | None, moves: int | None
) -> None:
    def off(number: int | None) -> dict[str, int]:
        return {} if number is None else {"n:unfinished": number}

    assert unfinished.agreed(off(first), off(second)) == off(moves)


def test_when_two_counts_have_been_compared_the_turn_is_over() -> None:
    count = Count(Counter(a=7), whole=True, read=7)
    turn, moves = Recount("acme", {"a": 2}, 100, 3).after("acme", count, {"a": 1})
    assert (turn, moves, turn.open) == (Recount("acme", {}, 93, 0), {"a": 1}, False)
