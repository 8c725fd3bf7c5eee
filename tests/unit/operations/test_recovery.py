"""Nothing is sent twice: lost answers and killed workers, at every step between the intent and the stored operation."""

from contextlib import suppress

import httpx
import pytest

from local.sandbox.faults import Disconnect, ServerError, Throttle
from local.sandbox.outcomes import AtOnce, ListLate, StayPending
from sluice.jobs.model.states import FINAL
from sluice.jobs.queue import finish
from sluice.listings.stockx import table as listings
from sluice.listings.stockx.changes import Action
from sluice.marketplaces.selling import Terms
from tests.support.desk import NOON, TENANT, Desk

LISTINGS = "/v2/selling/listings"
LEASE_SECONDS = 5 * 60 + 1


class Killed(BaseException):
    """The worker's process is gone."""


def kill_after(desk: Desk, method: str, path: str = LISTINGS) -> None:
    """Kill the worker when the answer to the first such call has arrived, before anything is done with it."""

    def kill(request: httpx.Request, _: httpx.Response) -> None:
        if request.method == method and request.url.path.startswith(path):
            desk.wire.after = lambda *_: None
            raise Killed

    desk.wire.after = kill


def kill_each_time(desk: Desk, job_id: str) -> None:
    """Kill each worker once its first call has arrived, until the job is dead of it."""

    def kill(request: httpx.Request, _: httpx.Response) -> None:
        if request.url.path.startswith("/v2/selling"):
            raise Killed

    desk.wire.after = kill
    while desk.job(job_id).state not in FINAL:
        with suppress(Killed):
            desk.tick()
        desk.later(LEASE_SECONDS)
    desk.wire.after = lambda *_: None


def test_a_worker_killed_between_the_call_and_storing_the_operation_makes_no_second_listing(desk: Desk) -> None:
    asked = desk.create()
    kill_after(desk, "POST")
    with pytest.raises(Killed):
        desk.tick()
    assert desk.job(asked.job_id).state == "leased"
    desk.later(LEASE_SECONDS)
    desk.finish()
    assert desk.job(asked.job_id).state == "succeeded"
    [real] = desk.real()
    assert desk.listing(asked.listing_id).marketplace_id == real.listing_id
    assert desk.story(asked.listing_id) == [("CREATE", "ACTIVE")]
    assert desk.sandbox.report().duplicate_creates == 0


@pytest.mark.parametrize("late", [1, 50])
def test_a_lost_answer_to_a_create_makes_no_second_listing(desk: Desk, late: int) -> None:
    lost = Disconnect(method="POST", path=LISTINGS, last=1)
    desk.sandbox.faults.set(lost, ListLate(seconds=late))
    asked = desk.create()
    desk.tick()
    assert desk.job(asked.job_id).state == "waiting"
    desk.finish()
    assert desk.calls(method="POST", path=LISTINGS) == 1
    assert len(desk.real()) == 1
    assert desk.story(asked.listing_id) == [("CREATE", "ACTIVE")]


def test_a_create_that_never_arrived_is_sent_again_after_looking(desk: Desk) -> None:
    desk.sandbox.faults.set(ServerError(method="POST", path=LISTINGS, last=1, status=504))
    asked = desk.create()
    desk.finish()
    assert desk.job(asked.job_id).state == "succeeded"
    assert desk.calls(method="POST", path=LISTINGS) == 2
    assert desk.calls(method="GET", path=LISTINGS) >= 2
    assert len(desk.real()) == 1


def test_a_create_that_is_never_answered_ends_after_two_tries(desk: Desk) -> None:
    desk.sandbox.faults.set(ServerError(method="POST", path=LISTINGS, status=504))
    asked = desk.create()
    desk.finish()
    job = desk.job(asked.job_id)
    assert (job.state, job.error["code"]) == ("dead", "no_answer")
    assert desk.calls(method="POST", path=LISTINGS) == 2
    assert desk.clock.time - NOON >= 2 * desk.config.listings.lost_create_ms
    assert desk.listing(asked.listing_id).shown_status == "FAILED"
    assert desk.story(asked.listing_id) == [("CREATE", "FAILED")]


def test_two_creates_alike_that_lost_their_answers_adopt_one_listing_each(desk: Desk) -> None:
    desk.sandbox.faults.set(Disconnect(method="POST", path=LISTINGS, last=2))
    asked = [desk.create(), desk.create()]
    desk.finish()
    found = {desk.listing(one.listing_id).marketplace_id for one in asked}
    assert found == {real.listing_id for real in desk.real()}
    assert len(found) == 2
    assert desk.calls(method="POST", path=LISTINGS) == 2


def test_a_listing_of_another_create_is_not_adopted(desk: Desk) -> None:
    desk.active()
    desk.sandbox.faults.set(ServerError(method="POST", path=LISTINGS, last=1, status=504))
    asked = desk.create()
    desk.finish()
    assert len(desk.real()) == 2
    assert desk.listing(asked.listing_id).marketplace_id == desk.real()[1].listing_id


@pytest.mark.parametrize("action", [Action.UPDATE, Action.DELETE, Action.DEACTIVATE])
def test_a_lost_answer_to_a_change_is_found_as_the_listings_last_operation(desk: Desk, action: Action) -> None:
    listing_id = desk.active()
    terms = Terms("140", "USD") if action is Action.UPDATE else None
    desk.sandbox.faults.set(Disconnect(path=f"{LISTINGS}/*", last=1), StayPending(seconds=30))
    asked = desk.ask(listing_id, action, terms)
    desk.finish()
    assert desk.job(asked.job_id).state == "succeeded"
    assert len([one for one in desk.sandbox.stockx.operations(TENANT, desk.clock.time) if one.type == action]) == 1
    assert len(desk.history(listing_id)) == 2


def test_a_change_that_never_arrived_is_sent_again(desk: Desk) -> None:
    listing_id = desk.active()
    desk.sandbox.faults.set(ServerError(method="PATCH", path="*", last=1))
    desk.ask(listing_id, Action.UPDATE, Terms("140", "USD"))
    desk.finish()
    assert desk.listing(listing_id).amount == "140"
    assert desk.real()[0].amount == "140"
    assert desk.calls(method="PATCH") == 2


def test_what_was_surely_not_carried_out_needs_no_looking(desk: Desk) -> None:
    desk.sandbox.faults.set(Throttle(method="POST", path=LISTINGS, last=1, retry_after_s=5))
    asked = desk.create()
    desk.tick()
    assert "submission" not in desk.job(asked.job_id).payload
    desk.finish()
    assert desk.calls(method="GET", path=LISTINGS) == 0
    assert desk.calls(method="POST", path=LISTINGS) == 2
    assert desk.job(asked.job_id).history[0]["event"] == "snooze"


def test_an_operation_that_is_final_at_once_needs_no_poll(desk: Desk) -> None:
    desk.sandbox.faults.set(AtOnce())
    asked = desk.create()
    desk.tick()
    assert desk.job(asked.job_id).state == "succeeded"
    assert desk.story(asked.listing_id) == [("CREATE", "ACTIVE")]
    assert desk.calls(path="*/operations/*") == 0


def test_a_worker_killed_after_settling_ends_the_same(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = desk.create()
    desk.tick()
    desk.later(20)
    with monkeypatch.context() as patch:
        patch.setattr(finish, "complete", _killed)
        with pytest.raises(Killed):
            desk.poll()
    assert desk.listing(asked.listing_id).status == "ACTIVE"
    assert desk.job(asked.job_id).state not in FINAL
    desk.later(LEASE_SECONDS)
    desk.finish()
    assert desk.job(asked.job_id).state == "succeeded"
    assert desk.story(asked.listing_id) == [("CREATE", "ACTIVE")]


def test_adopting_is_once_and_repeatable(desk: Desk) -> None:
    assert listings.adopt("stockx:acme", "real-1", "ours-1")
    assert listings.adopt("stockx:acme", "real-1", "ours-1")
    assert not listings.adopt("stockx:acme", "real-1", "ours-2")
    assert listings.adopt("stockx:other", "real-1", "ours-2")


def _killed(*_: object) -> None:
    raise Killed


def test_a_worker_killed_after_settling_does_not_take_the_next_change_for_the_one_it_sent(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing_id = desk.active()
    desk.sandbox.faults.set(Disconnect(method="PATCH", path="*", last=1))
    asked = desk.ask(listing_id, Action.UPDATE, Terms("140", "USD"))
    desk.tick()
    desk.ask(listing_id, Action.UPDATE, Terms("130", "USD"))
    desk.later(60)
    with monkeypatch.context() as patch:
        patch.setattr(finish, "complete", _killed)
        with pytest.raises(Killed):
            desk.poll()
    assert [change.terms.amount for change in desk.listing(listing_id).open_changes()] == ["130"]
    assert desk.job(asked.job_id).payload["submission"]["change"]["terms"]["amount"] == "140"
    desk.later(LEASE_SECONDS)
    desk.finish()
    assert [one.amount for one in desk.real()] == [desk.listing(listing_id).amount] == ["130"]
    assert desk.calls(method="PATCH") == 2


def test_a_listing_is_unconfirmed_once_who_comes_next_finds_its_change_left(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stream that tells of the end of a job may be hours late: whoever waits behind the change says so."""
    listing_id = desk.active()
    asked = desk.ask(listing_id, Action.UPDATE, Terms("140", "USD"))
    desk.ask(listing_id, Action.DEACTIVATE)
    monkeypatch.setattr(desk, "hand_over", lambda: None)
    kill_each_time(desk, asked.job_id)
    desk.sandbox.faults.set(ServerError(path="/v2/selling/*", status=500))
    desk.tick()
    assert desk.shown(listing_id)["status"] == "UNCONFIRMED"
    desk.sandbox.faults.set()
    desk.finish()
    assert [one.amount for one in desk.real()] == ["140"]
