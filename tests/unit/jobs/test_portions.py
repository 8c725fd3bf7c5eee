"""What is too much for one run of the operation poller is handed on: portions of budgets, each to one further run."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from sluice.jobs.dispatch.admission import Room
from sluice.jobs.dispatch.find_ready import Ready
from sluice.jobs.dispatch.poller import MOST_PORTIONS, portions
from sluice.jobs.model.candidate import Candidate
from sluice.platform.config.limits import Limits
from tests.unit.jobs.conftest import NOON

OPEN = Room(None, None, None)


def ready(number: int, many: int, room: Room = OPEN) -> Ready:
    """`many` operations of an account, the first of which is due the longer the higher its number."""
    account = f"stockx:{number:02d}"
    jobs = [
        Candidate(f"{number}-{each}", "", "test.work", "waiting", NOON - number, 2, 1, account, account, NOON)
        for each in range(many)
    ]
    return Ready(account, Limits(), room, jobs)


def dealt(all_: Sequence[Ready], most: int) -> list[list[str]]:
    return portions({each.budget: each for each in all_}, most)


def test_what_one_run_can_do_stays_with_it() -> None:
    assert dealt([], 50) == [[]]
    assert dealt([ready(1, 30), ready(2, 20)], 50) == [["stockx:02", "stockx:01"]]


def test_more_is_dealt_by_budget_and_who_waits_longest_is_dealt_first() -> None:
    assert dealt([ready(number, 25) for number in range(5)], 50) == [
        ["stockx:04", "stockx:01"],
        ["stockx:03", "stockx:00"],
        ["stockx:02"],
    ]


def test_only_what_slots_and_windows_let_be_checked_now_counts() -> None:
    """An account whose slots are taken is nobody's portion, and one with a hundred due and room for three has three."""
    slots = [ready(number, 100, OPEN._replace(checks=3)) for number in range(16)]
    taken = [ready(20, 100, OPEN._replace(checks=0)), ready(21, 100, OPEN._replace(calls=0))]
    [mine] = dealt([*slots, *taken], 50)
    assert len(mine) == 16


@given(st.lists(st.integers(0, 400), max_size=30), st.integers(1, 100))
def test_each_budget_is_in_one_portion_and_portions_are_few(many: Sequence[int], most: int) -> None:
    made = dealt([ready(number, due) for number, due in enumerate(many)], most)
    flat = [budget for portion in made for budget in portion]
    assert sorted(flat) == [f"stockx:{number:02d}" for number, due in enumerate(many) if due]
    assert 1 <= len(made) <= 1 + MOST_PORTIONS
    assert len(made) <= max(1, -(-sum(many) // most))
    assert all(made) or made == [[]]
