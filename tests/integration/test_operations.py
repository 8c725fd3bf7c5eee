"""Listing operations on real conditional writes: pollers at the same time, results that race, requests that race."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest

from sluice.jobs.model.job import Job
from sluice.listings.stockx import results
from sluice.listings.stockx import table as listings
from sluice.listings.stockx.changes import Action
from sluice.listings.stockx.request import AskedChange
from sluice.listings.stockx.settle import settle
from sluice.marketplaces.selling import Terms
from tests.support.desk import TENANT, Desk, open_desk

R = TypeVar("R")

pytestmark = pytest.mark.usefixtures("dynamodb")


@pytest.fixture
def desk() -> Iterator[Desk]:
    """`acme`, connected, on the tables of a real DynamoDB."""
    with open_desk() as desk:
        yield desk


def race(runner: Callable[[int], R], racers: int) -> list[R]:
    """What `runner(number)` gave each racer; all of them start at the same moment."""
    line = threading.Barrier(racers)

    def run(number: int) -> R:
        line.wait()
        return runner(number)

    with ThreadPoolExecutor(racers) as pool:
        return list(pool.map(run, range(racers)))


def test_two_pollers_at_the_same_time_look_at_each_operation_once(desk: Desk) -> None:
    asked = [desk.create(variant=number % 5) for number in range(40)]
    desk.tick()
    desk.tick()
    desk.later(20)
    answers = race(lambda _: desk.poll(), 2)
    assert all(answer["success"] for answer in answers)
    assert sum(answer["stats"]["completed"] for answer in answers) == 40
    assert sum(answer["stats"]["processed"] for answer in answers) == 40
    assert desk.calls(path="*/operations/*") == 40
    assert {desk.job(one.job_id).state for one in asked} == {"succeeded"}
    assert [desk.story(one.listing_id) for one in asked] == [[("CREATE", "ACTIVE")]] * 40


def test_the_same_result_from_many_is_applied_once(desk: Desk) -> None:
    asked = desk.create()
    [change] = desk.listing(asked.listing_id).open_changes()

    def apply(number: int) -> bool:
        result = results.succeeded(change) if number % 2 else results.failed(change, "no", "No")
        entry = settle(TENANT, asked.listing_id, change, result, desk.clock.time + number)
        return entry is not None and entry.changed_at == desk.clock.time + number

    won = race(apply, 16)
    assert won.count(True) == 1
    [entry] = desk.history(asked.listing_id)
    assert entry.changed_at == desk.clock.time + won.index(True)
    listing = desk.listing(asked.listing_id)
    # A change that did not happen is no newer state of its listing.
    assert (listing.status, listing.applied) == (("ACTIVE", 1) if won.index(True) % 2 else ("FAILED", None))


def test_requests_at_the_same_time_are_numbered_apart_and_none_is_lost(desk: Desk) -> None:
    listing_id = desk.active()

    def ask(number: int) -> AskedChange:
        if number % 2:
            return desk.ask(listing_id, Action.DEACTIVATE)
        return desk.ask(listing_id, Action.UPDATE, Terms(str(100 + number), "USD"))

    asked = race(ask, 9)
    jobs = {one.job_id for one in asked}
    listing = desk.listing(listing_id)
    assert {change.job_id for change in listing.open_changes()} == jobs
    assert len(listing.open_changes()) == len(jobs) == 2
    # Every update is a change of its own. A deactivation that finds one as the newest wish is that one, and only then.
    updates = [one.number for one in asked if ".update:" in one.job_id]
    deactivations = {one.number for one in asked if ".deactivate:" in one.job_id}
    assert sorted([*updates, *deactivations]) == list(range(2, listing.last_change + 1))
    assert len(updates) == 5
    assert not {number + 1 for number in deactivations} & deactivations
    desk.finish()
    assert {desk.job(job).state for job in jobs} == {"succeeded"}
    assert not desk.listing(listing_id).open_changes()
    assert len(desk.history(listing_id)) == 3


def test_creates_with_one_reference_at_the_same_time_make_one_listing(desk: Desk) -> None:
    asked = set(race(lambda _: desk.create(reference="shelf 4"), 8))
    assert len(asked) == 1
    desk.finish()
    assert len(desk.real()) == 1


def test_many_adopters_one_owner(desk: Desk) -> None:
    won = race(lambda number: listings.adopt("stockx:acme", "real-1", f"ours-{number}"), 16)
    assert won.count(True) == 1


def test_a_queue_of_operations_empties_while_pollers_overlap(desk: Desk) -> None:
    for number in range(60):
        desk.create(variant=number % 7)
    for _ in range(3):
        desk.tick()
    for _ in range(6):
        desk.later(20)
        race(lambda _: desk.poll(most=10), 3)
    assert {job.state for job in Job.scan()} == {"succeeded"}
    assert len(desk.real()) == 60
    assert sum(len(desk.history(listing.listing_id)) for listing in _listings()) == 60


def _listings() -> list[listings.Listing]:
    page = listings.page(TENANT, 100, None, None)
    assert page.next is None
    return list(page)
