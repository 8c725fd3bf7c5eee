"""Seats of a service: each is one worker's until its time is over, and some are kept for accounts that have none."""

from collections import Counter

import pytest

from sluice.jobs.budgets.seats import SEATS, TakenSeats, _choose, leave, take
from tests.support.store import Answer, Request, Send, Store
from tests.unit.jobs.conftest import NOON, sent_twice

SERVICE = "ebay-marketing"
UNTIL = NOON + 60_000

pytestmark = pytest.mark.usefixtures("store")


@pytest.mark.parametrize(
    ("wanted", "free", "had", "kept", "chosen"),
    [
        ("abc", 3, "", 0, {0: "s0", 1: "s1", 2: "s2"}),
        ("abc", 2, "", 0, {0: "s0", 1: "s1"}),
        ("abc", 0, "", 0, {}),
        # One that has a seat leaves what is kept to others, whatever their place.
        ("aab", 3, "", 2, {0: "s0", 2: "s1"}),
        ("aaab", 4, "", 2, {0: "s0", 1: "s1", 3: "s2"}),
        ("ab", 2, "a", 2, {1: "s0"}),
        ("ab", 3, "a", 2, {0: "s0", 1: "s1"}),
        ("a", 1, "", 2, {0: "s0"}),
        ("aa", 2, "", 1, {0: "s0"}),
        ("aa", 2, "", 0, {0: "s0", 1: "s1"}),
    ],
)
def test_who_has_a_seat_has_another_only_where_more_are_free_than_are_kept(
    wanted: str, free: int, had: str, kept: int, chosen: dict[int, str]
) -> None:
    names = [f"s{number}" for number in range(free)]
    assert dict(_choose(wanted, names, Counter(had), kept)) == chosen


def test_a_seat_is_free_when_its_workers_time_is_over_or_it_was_left() -> None:
    assert take(SERVICE, 4, "ab", NOON, UNTIL) == {0: "s0", 1: "s1"}
    assert take(SERVICE, 4, "c", NOON, UNTIL + 1) == {0: "s2"}
    leave(SERVICE, ["s1"], UNTIL)
    assert take(SERVICE, 4, "de", NOON, UNTIL + 2) == {0: "s1", 1: "s3"}
    assert take(SERVICE, 4, "f", UNTIL - 1, UNTIL + 3) == {}
    assert take(SERVICE, 4, "fg", UNTIL, UNTIL + 3) == {0: "s0"}


def test_nobody_leaves_a_seat_that_is_anothers_by_now() -> None:
    assert take(SERVICE, 2, "ab", NOON, UNTIL) == {0: "s0", 1: "s1"}
    assert take(SERVICE, 2, "c", UNTIL, UNTIL + 9) == {0: "s0"}
    for seats in (["s0"], ["s0", "s1"], ["s1", "s0"], []):
        leave(SERVICE, seats, UNTIL)
    assert take(SERVICE, 2, "de", UNTIL, UNTIL + 9) == {0: "s1"}


def test_what_accounts_have_already_counts_and_is_forgotten_with_the_seat(store: Store) -> None:
    """A quarter of eight seats is kept for those that have none."""
    assert len(take(SERVICE, 8, "aaaaaaaaa", NOON, UNTIL)) == 6
    assert take(SERVICE, 8, "aab", NOON, UNTIL) == {2: "s6"}
    leave(SERVICE, [f"s{number}" for number in range(7)], UNTIL)
    item = store.item("budgets", budget=SERVICE, window=SEATS)
    assert item
    assert not [name for name in item if name.endswith("_by") or name in ("s0", "s6")]
    assert len(take(SERVICE, 8, "aaaaaaaaa", NOON, UNTIL)) == 6


def test_an_account_whose_seat_is_over_has_none() -> None:
    """The only one that is free is kept for such."""
    assert take(SERVICE, 4, "a", NOON, UNTIL) == {0: "s0"}
    assert take(SERVICE, 4, "bcd", NOON, UNTIL + 9) == {0: "s1", 1: "s2", 2: "s3"}
    assert take(SERVICE, 4, "b", UNTIL, UNTIL + 9) == {}
    assert take(SERVICE, 4, "a", UNTIL, UNTIL + 9) == {0: "s0"}


def test_a_write_whose_answer_is_lost_takes_its_seats_once(store: Store) -> None:
    store.around = sent_twice
    assert [take(SERVICE, 4, "a", NOON, UNTIL), take(SERVICE, 4, "b", NOON, UNTIL)] == [{0: "s0"}, {0: "s1"}]
    leave(SERVICE, ["s0"], UNTIL)
    store.around = None
    assert take(SERVICE, 4, "c", NOON, UNTIL) == {0: "s0"}


@pytest.fixture
def writes(store: Store) -> list[str]:
    """Each write of the seats."""
    made = list[str]()

    def around(request: Request, send: Send) -> Answer:
        made.append(request.operation)
        return send()

    store.around = around
    return made


def test_a_run_that_goes_on_takes_seats_by_one_write_each_time(writes: list[str]) -> None:
    """However many of its jobs sit already, and whichever of them leave."""
    known = TakenSeats()
    assert take(SERVICE, 8, "ab", NOON, UNTIL, known) == {0: "s0", 1: "s1"}
    assert take(SERVICE, 8, "a", NOON, UNTIL, known) == {0: "s2"}
    leave(SERVICE, ["s0", "s2"], UNTIL, known)
    assert take(SERVICE, 8, "cd", NOON, UNTIL, known) == {0: "s0", 1: "s2"}
    assert writes == ["UpdateItem"] * 4


def test_what_another_run_has_taken_is_known_after_one_write(writes: list[str]) -> None:
    known = TakenSeats()
    take(SERVICE, 8, "a", NOON, UNTIL, known)
    assert take(SERVICE, 8, "b", NOON, UNTIL + 1) == {0: "s1"}
    writes.clear()
    assert take(SERVICE, 8, "c", NOON, UNTIL, known) == {0: "s2"}
    assert take(SERVICE, 8, "d", NOON, UNTIL, known) == {0: "s3"}
    assert writes == ["UpdateItem"] * 3


def test_no_seat_is_refused_by_what_a_run_knew_before(writes: list[str]) -> None:
    """What it knows of another run is old by then: that one has left. What is free is told by one write more."""
    known = TakenSeats()
    for account, until in (("a", UNTIL), ("b", UNTIL + 1)):
        take(SERVICE, 3, account, NOON, until)
    assert take(SERVICE, 3, "c", NOON, UNTIL, known) == {0: "s2"}
    leave(SERVICE, ["s1"], UNTIL + 1)
    assert take(SERVICE, 3, "de", NOON, UNTIL, known) == {0: "s1"}


@pytest.mark.parametrize("until", [UNTIL, UNTIL + 2])
def test_what_is_kept_for_others_is_kept_from_who_came_to_a_seat_that_was_thought_to_be_anothers(until: int) -> None:
    """Of four seats one is kept. The first was `b`'s when the run looked, and is `a`'s by now.

    until: of `a`'s seat, which the same run may have given it, or another one.
    """
    known = TakenSeats()
    take(SERVICE, 4, "b", NOON, UNTIL)
    assert take(SERVICE, 4, "cd", NOON, UNTIL + 1, known) == {0: "s1", 1: "s2"}
    leave(SERVICE, ["s0"], UNTIL)
    assert take(SERVICE, 4, "a", NOON, until) == {0: "s0"}
    assert take(SERVICE, 4, "a", NOON, UNTIL + 1, known) == {}
    assert take(SERVICE, 4, "e", NOON, UNTIL + 1, known) == {0: "s3"}


def test_a_seat_whose_time_is_over_is_free_to_who_knows_it_as_taken(writes: list[str]) -> None:
    known = TakenSeats()
    assert take(SERVICE, 2, "ab", NOON, UNTIL, known) == {0: "s0", 1: "s1"}
    assert take(SERVICE, 2, "cd", UNTIL, UNTIL + 9, known) == {0: "s0", 1: "s1"}
    assert writes == ["UpdateItem"] * 2
