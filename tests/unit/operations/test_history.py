"""The history is the sequence of applied results: each once, in order, whatever comes twice, late or out of order."""

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice.listings.stockx import results
from sluice.listings.stockx import table as listings
from sluice.listings.stockx.changes import Action, Change
from sluice.listings.stockx.results import Result
from sluice.listings.stockx.settle import settle
from sluice.listings.stockx.table import Listing
from sluice.marketplaces.selling import Terms
from tests.support.desk import NOON, TENANT, Desk
from tests.support.store import store

ID = "8a8d3f0e-0000-4000-8000-000000000001"


def change(number: int, action: Action = Action.UPDATE) -> Change:
    return Change(number, action, f"job-{number}", NOON, "ann", Terms(str(100 + number), "USD"))


def put(*changes: Change) -> None:
    Listing(
        TENANT,
        ID,
        account="stockx:acme",
        marketplace="stockx",
        variant_id="v",
        status="PENDING",
        changes={str(one.number): one.encode() for one in changes},
        last_change=max(one.number for one in changes),
        created_at=NOON,
        updated_at=NOON,
    ).save()


def load() -> Listing:
    found = listings.find(TENANT, ID)
    assert found
    return found


@pytest.mark.parametrize("others", [0, 9, 10, 130])
def test_the_newest_change_of_a_job_is_found_however_many_have_followed(desk: Desk, others: int) -> None:
    for number in range(1, others + 3):
        mine = number in (1, 2)
        change_ = Change(number, Action.UPDATE, "mine" if mine else f"job-{number}", NOON, "ann")
        put(change_)
        settle(TENANT, ID, change_, results.succeeded(change_, "ACTIVE"), NOON)
    found = listings.last_of(load(), "mine")
    assert found
    assert found.number == 2
    assert listings.last_of(load(), "nobody's") is None


def test_applying_twice_changes_nothing(desk: Desk) -> None:
    put(change(1))
    first = settle(TENANT, ID, change(1), results.succeeded(change(1), "ACTIVE"), NOON)
    before = desk.content()
    # The second one would say something else, later.
    again = settle(TENANT, ID, change(1), results.failed(change(1), "late", "too late"), NOON + 5)
    assert first
    assert again
    assert (again.status, again.changed_at) == (first.status, NOON)
    assert desk.content() == before


def test_a_late_result_of_an_older_change_overwrites_nothing(desk: Desk) -> None:
    put(change(1), change(2))
    settle(TENANT, ID, change(2), results.succeeded(change(2), "ACTIVE"), NOON)
    assert settle(TENANT, ID, change(1), results.succeeded(change(1), "ACTIVE"), NOON + 5) is None
    listing = load()
    assert (listing.amount, listing.applied) == ("102", 2)
    assert not listing.open_changes()
    assert [entry.number for entry in listings.history(TENANT, ID)] == [2]


def test_both_writes_or_neither(desk: Desk) -> None:
    put(change(1))
    settle(TENANT, ID, change(1), results.succeeded(change(1), "ACTIVE"), NOON)
    # As if the listing had been written back: the entry that is there keeps it from being applied again.
    put(change(1))
    settle(TENANT, ID, change(1), results.failed(change(1), "x", "y"), NOON + 5)
    assert load().amount is None
    assert [entry.status for entry in listings.history(TENANT, ID)] == ["ACTIVE"]


ACTIONS = st.sampled_from([Action.UPDATE, Action.ACTIVATE, Action.DEACTIVATE, Action.DELETE])
STEPS = st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=24)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(actions=st.lists(ACTIONS, min_size=6, max_size=6), steps=STEPS)
def test_history_equals_the_sequence_of_applied_results(actions: list[Action], steps: list[tuple[int, bool]]) -> None:
    changes = [change(number + 1, action) for number, action in enumerate(actions)]
    with store():
        put(*changes)
        applied: list[tuple[int, Result]] = []
        for at, (which, good) in enumerate(steps):
            one = changes[which]
            result = results.succeeded(one, "ACTIVE") if good else results.failed(one, "no", "No")
            entry = settle(TENANT, ID, one, result, NOON + at)
            if entry and entry.changed_at == NOON + at:
                applied.append((one.number, result))
        history = listings.history(TENANT, ID)
        assert [(entry.number, entry.status) for entry in history] == sorted((n, r.recorded) for n, r in applied)
        happened = [number for number, result in applied if result.error is None]
        assert all(earlier < later for earlier, later in pairwise(happened))
        listing = load()
        becomes = [result.becomes for _, result in applied if result.becomes]
        assert listing.status == (becomes[-1] if becomes else "PENDING")
        assert {each.number for each in listing.open_changes()} == {1, 2, 3, 4, 5, 6} - {
            which + 1 for which, _ in steps
        }
