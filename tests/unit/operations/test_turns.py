"""Changes of one listing: one after the other, in the order of asking; a newer one takes a waiting one's place."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from local.sandbox.outcomes import NeverEnd, StayPending
from sluice.jobs.model.job import Job
from sluice.jobs.queue.cancel import Cancelled, cancel
from sluice.listings.stockx import request
from sluice.listings.stockx import table as listings
from sluice.listings.stockx.changes import Action
from sluice.listings.stockx.request import UnknownListing, change_listing
from sluice.listings.stockx.table import Listing
from sluice.marketplaces.selling import Terms
from sluice.marketplaces.stockx.selling import Selling
from sluice.platform.http import routing
from sluice.platform.refused import CONFLICT, Refused
from tests.support.desk import TENANT, USD_150, Desk
from tests.support.http import call
from tests.support.store import Answer as Reply
from tests.support.store import Request, Store


class Died(BaseException):
    """The function's process is gone."""


def amounts(desk: Desk) -> list[str | None]:
    """What the updates that the marketplace saw asked for."""
    operations = desk.sandbox.stockx.operations(TENANT, desk.clock.time)
    return [one.change.amount for one in operations if one.type == "UPDATE"]


def test_a_newer_update_replaces_a_waiting_older_one(desk: Desk) -> None:
    listing_id = desk.active()
    first = desk.ask(listing_id, Action.UPDATE, Terms("140", "USD"))
    second = desk.ask(listing_id, Action.UPDATE, Terms("130", "USD"))
    assert first.job_id == second.job_id
    assert [change.terms.amount for change in desk.listing(listing_id).open_changes()] == ["130"]
    desk.finish()
    assert amounts(desk) == ["130"]
    assert desk.story(listing_id) == [("CREATE", "ACTIVE"), ("UPDATE", "ACTIVE")]


def test_what_only_the_older_update_asked_for_is_kept(desk: Desk) -> None:
    listing_id, until = desk.active(), desk.clock.time + 10 * 86_400_000
    desk.ask(listing_id, Action.UPDATE, Terms("140", "USD"))
    desk.ask(listing_id, Action.UPDATE, Terms(expires_at=until))
    desk.finish()
    listing = desk.listing(listing_id)
    assert (listing.amount, listing.listed_until) == ("140", until)
    assert len(amounts(desk)) == 1


def test_an_update_that_comes_while_one_runs_is_done_after_it(desk: Desk) -> None:
    listing_id = desk.active()
    desk.sandbox.faults.set(StayPending(seconds=30))
    asked = desk.ask(listing_id, Action.UPDATE, Terms("140", "USD"))
    desk.tick()
    assert desk.job(asked.job_id).state == "waiting"
    desk.ask(listing_id, Action.UPDATE, Terms("130", "USD"))
    assert desk.ask(listing_id, Action.UPDATE, Terms("120", "USD")).job_id == asked.job_id
    assert [change.terms.amount for change in desk.listing(listing_id).open_changes()] == ["140", "120"]
    desk.finish()
    assert amounts(desk) == ["140", "120"]
    assert desk.listing(listing_id).amount == "120"
    assert len(desk.history(listing_id)) == 3


def test_changes_of_one_listing_never_run_at_once(desk: Desk) -> None:
    listing_id = desk.active()
    desk.sandbox.faults.set(StayPending(seconds=25))
    asked = [
        desk.ask(listing_id, Action.UPDATE, Terms("140", "USD")),
        desk.ask(listing_id, Action.DEACTIVATE),
        desk.ask(listing_id, Action.ACTIVATE, Terms("135", "USD")),
        desk.ask(listing_id, Action.DELETE),
    ]
    for _ in range(40):
        desk.tick()
        running = [one for one in desk.sandbox.stockx.operations(TENANT, desk.clock.time) if not one.ended]
        assert len(running) <= 1
        desk.poll()
        desk.later(10)
    assert {desk.job(one.job_id).state for one in asked} == {"succeeded"}
    story = [("UPDATE", "ACTIVE"), ("DEACTIVATE", "INACTIVE"), ("ACTIVATE", "ACTIVE"), ("DELETE", "DELETED")]
    assert desk.story(listing_id)[1:] == story


def test_a_change_of_a_listing_that_is_being_created_waits_for_it(desk: Desk) -> None:
    asked = desk.create()
    update = desk.ask(asked.listing_id, Action.UPDATE, Terms("140", "USD"))
    desk.finish()
    assert desk.job(update.job_id).state == "succeeded"
    assert desk.story(asked.listing_id) == [("CREATE", "ACTIVE"), ("UPDATE", "ACTIVE")]


def test_what_waits_for_a_create_that_fails_fails_too(desk: Desk) -> None:
    asked = desk.create(Terms("150.50", "USD"))
    update = desk.ask(asked.listing_id, Action.UPDATE, Terms("140", "USD"))
    desk.finish()
    job = desk.job(update.job_id)
    assert (job.state, job.error["code"]) == ("dead", "listing_state")
    assert desk.story(asked.listing_id) == [("CREATE", "FAILED"), ("UPDATE", "FAILED")]


def test_a_cancelled_change_lets_the_next_one_pass(desk: Desk) -> None:
    listing_id = desk.active()
    asked = desk.ask(listing_id, Action.UPDATE, Terms("140", "USD"))
    later = desk.ask(listing_id, Action.DEACTIVATE)
    assert cancel(asked.job_id, TENANT, desk.clock.time, desk.config) is Cancelled.CANCELLED
    desk.finish()
    assert desk.job(later.job_id).state == "succeeded"
    assert desk.story(listing_id)[1:] == [("UPDATE", "FAILED"), ("DEACTIVATE", "INACTIVE")]
    assert desk.history(listing_id)[1].metadata["error"]["code"] == "cancelled"
    assert amounts(desk) == []


def test_a_new_update_does_not_bring_back_a_cancelled_one(desk: Desk) -> None:
    listing_id = desk.active()
    asked = desk.ask(listing_id, Action.UPDATE, Terms("140", "USD"))
    cancel(asked.job_id, TENANT, desk.clock.time, desk.config)
    desk.ask(listing_id, Action.UPDATE, Terms(expires_at=desk.clock.time + 86_400_000))
    desk.finish()
    assert desk.listing(listing_id).amount == "150"


@pytest.mark.parametrize("meanwhile", ["it is cancelled", "it is sent"])
def test_a_change_whose_place_a_newer_one_takes_must_be_as_it_was_read(
    desk: Desk, meanwhile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing_id = desk.active()
    older = desk.ask(listing_id, Action.UPDATE, Terms("140", "USD"))
    read, happens = request.current, [True]

    def current(asker: request.Asker, listing_id: str) -> Listing | None:
        found = read(asker, listing_id)
        if happens.pop() if happens else False:
            if meanwhile == "it is cancelled":
                cancel(older.job_id, TENANT, desk.clock.time, desk.config)
                desk.hand_over()
            else:
                desk.tick()
        return found

    monkeypatch.setattr(request, "current", current)
    desk.ask(listing_id, Action.UPDATE, Terms(expires_at=desk.clock.time + 86_400_000))
    desk.finish()
    assert amounts(desk) == ([None] if meanwhile == "it is cancelled" else ["140", None])
    first = "FAILED" if meanwhile == "it is cancelled" else "ACTIVE"
    assert desk.story(listing_id)[1:] == [("UPDATE", first), ("UPDATE", "ACTIVE")]


def test_a_change_that_is_replaced_just_before_it_is_sent_is_not_sent(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing_id = desk.active()
    desk.ask(listing_id, Action.UPDATE, Terms("140", "USD"))
    prepare, happens = Selling.prepare, [True]

    def replaced(self: Selling) -> None:
        prepare(self)
        if happens:
            happens.clear()
            desk.ask(listing_id, Action.UPDATE, Terms("120", "USD"))

    monkeypatch.setattr(Selling, "prepare", replaced)
    desk.finish()
    assert amounts(desk) == ["120"]
    assert desk.story(listing_id) == [("CREATE", "ACTIVE"), ("UPDATE", "ACTIVE")]


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_request_that_dies_at_any_write_leaves_all_of_it_or_nothing(
    desk: Desk, tables: Store, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No change stands on its listing without the job that does it: the two are one transaction."""
    monkeypatch.setattr(routing, "clock", desk.clock)
    path, body = "/v1/stockx/listings", {"variantId": desk.variants[0], "amount": "150", "reference": "shelf 4"}
    if method == "PATCH":
        path, body = f"{path}/{desk.active()}", {"amount": "99"}
    before = {listing.listing_id: listing.last_change for listing in Listing.scan()}
    serve, step, done = tables.around, 0, False
    assert serve
    while not done:
        left = [step]

        def dying(sent: Request, send: Callable[[], Reply], left: list[int] = left) -> Reply:
            left[0] -= sent.operation in ("PutItem", "UpdateItem", "TransactWriteItems")
            if left[0] < 0:
                raise Died
            return serve(sent, send)

        tables.around = dying
        with suppress(Died):
            call(method, path, body=body)
            done = True
        tables.around = serve
        for listing in Listing.scan():
            for change in listing.open_changes():
                assert desk.job(change.job_id).state == "queued"
        step += 1
    assert step > 2
    desk.finish()
    after = {listing.listing_id: listing.last_change for listing in Listing.scan() if listing.tenant == TENANT}
    assert sum(after.values()) == sum(number or 0 for number in before.values()) + 1
    assert [one.amount for one in desk.real()] == [body["amount"]]


def test_waiting_for_its_turn_costs_no_call_and_no_attempt(desk: Desk) -> None:
    listing_id = desk.active()
    desk.sandbox.faults.set(NeverEnd(operation="UPDATE"))
    desk.ask(listing_id, Action.UPDATE, Terms("140", "USD"))
    desk.tick()
    calls = desk.calls()
    waiting = desk.ask(listing_id, Action.DEACTIVATE)
    for _ in range(5):
        desk.tick()
        desk.later(60)
    assert desk.calls() == calls
    assert desk.job(waiting.job_id).attempts == 0


@pytest.mark.parametrize("action", [Action.UPDATE, Action.ACTIVATE, Action.DEACTIVATE, Action.DELETE])
def test_a_deleted_listing_takes_no_change(desk: Desk, action: Action) -> None:
    listing_id = desk.active()
    desk.ask(listing_id, Action.DELETE)
    desk.finish()
    before = desk.items()
    with pytest.raises(Refused) as refused:
        desk.ask(listing_id, action, USD_150)
    assert refused.value.code == CONFLICT
    assert "DELETED" in refused.value.message
    assert desk.items() == before


def test_a_listing_that_is_being_deleted_takes_no_other_change(desk: Desk) -> None:
    listing_id = desk.active()
    first = desk.ask(listing_id, Action.DELETE)
    with pytest.raises(Refused):
        desk.ask(listing_id, Action.UPDATE, USD_150)
    assert desk.ask(listing_id, Action.DELETE).job_id == first.job_id
    desk.finish()
    assert desk.story(listing_id)[1:] == [("DELETE", "DELETED")]


def test_another_tenants_listing_does_not_exist(desk: Desk) -> None:
    listing_id = desk.active()
    desk.connect("globex")
    with pytest.raises(UnknownListing):
        change_listing(desk.asker("globex"), listing_id, Action.DELETE)
    assert not desk.listing(listing_id).open_changes()


def test_the_same_reference_makes_one_listing(desk: Desk) -> None:
    first = desk.create(reference="shelf 4")
    assert desk.create(reference="shelf 4") == first
    desk.finish()
    again = desk.create(reference="shelf 4")
    assert (again.listing_id, again.job_id, again.open) == (first.listing_id, first.job_id, False)
    assert len(desk.real()) == 1
    assert desk.job(first.job_id).state == "succeeded"
    with pytest.raises(Refused) as refused:
        desk.create(Terms("160", "USD"), reference="shelf 4")
    assert (refused.value.field, refused.value.code) == ("reference", CONFLICT)


def test_a_failed_create_may_be_asked_for_again_by_its_reference(desk: Desk) -> None:
    first = desk.create(Terms("150.50", "USD"), reference="shelf 4")
    desk.finish()
    assert desk.listing(first.listing_id).status == "FAILED"
    again = desk.create(Terms("150.50", "USD"), reference="shelf 4")
    assert (again.listing_id, again.job_id) == (first.listing_id, first.job_id)
    desk.finish()
    assert desk.story(first.listing_id) == [("CREATE", "FAILED"), ("CREATE", "FAILED")]


def test_marks_of_adopted_listings_are_nobodys_listings(desk: Desk) -> None:
    desk.active()
    page = listings.page(TENANT, 50, None, None)
    assert (len(page.items), page.next) == (1, None)
    assert desk.items()["Listing"] == 2
    assert not [job for job in Job.scan() if job.lane]
