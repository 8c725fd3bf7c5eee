"""The six scenarios that every seller meets."""

import json

import httpx

from local.sandbox.faults import Throttle
from local.sandbox.outcomes import FailOperation, NeverEnd, StayPending
from sluice.listings.stockx.changes import Action
from sluice.marketplaces.selling import Terms
from tests.support.desk import Desk


def test_successful_create(desk: Desk) -> None:
    desk.sandbox.faults.set(StayPending(seconds=10))
    asked = desk.create()
    assert desk.tick() == 1
    waiting = desk.job(asked.job_id)
    assert waiting.state == "waiting"
    assert waiting.payload["submission"]["operation_id"]
    desk.later(20)
    answer = desk.poll()
    assert answer["stats"] == {"processed": 1, "completed": 1, "failed": 0, "timedOut": 0, "inProgress": 0}
    assert answer["success"]
    assert desk.job(asked.job_id).state == "succeeded"
    [real] = desk.real()
    listing = desk.listing(asked.listing_id)
    assert (listing.status, listing.amount, listing.currency) == ("ACTIVE", "150", "USD")
    assert (listing.marketplace_id, real.status) == (real.listing_id, "ACTIVE")
    [entry] = desk.history(asked.listing_id)
    assert (entry.action, entry.status, entry.changed_by) == ("CREATE", "ACTIVE", "someone@acme")
    assert entry.changed_at == desk.clock.time
    assert entry.metadata["job_id"] == asked.job_id
    assert entry.metadata["operation_id"] == desk.job(asked.job_id).result["operation_id"]


def test_failed_update_price_too_low(desk: Desk) -> None:
    listing_id = desk.active()
    desk.sandbox.faults.set(FailOperation(below=50, reason="Price too low"))
    asked = desk.ask(listing_id, Action.UPDATE, Terms("10", "USD"))
    desk.tick()
    desk.later(20)
    assert desk.poll()["stats"]["failed"] == 1
    job = desk.job(asked.job_id)
    assert (job.state, job.error["code"], job.error["message"]) == ("dead", "operation_failed", "Price too low")
    listing = desk.listing(listing_id)
    assert (listing.status, listing.amount) == ("ACTIVE", "150")
    assert not listing.open_changes()
    entry = desk.history(listing_id)[-1]
    assert (entry.action, entry.status) == ("UPDATE", "FAILED")
    assert entry.metadata["error"] == {"code": "operation_failed", "message": "Price too low"}
    assert entry.metadata["asked"] == {"amount": "10", "currency": "USD"}


def test_timeout_of_a_delete_after_16_minutes(desk: Desk) -> None:
    listing_id = desk.active()
    desk.sandbox.faults.set(NeverEnd(operation="DELETE"))
    asked = desk.ask(listing_id, Action.DELETE)
    desk.tick()
    desk.later(16 * 60)
    assert desk.poll()["stats"] == {"processed": 1, "completed": 0, "failed": 0, "timedOut": 1, "inProgress": 0}
    job = desk.job(asked.job_id)
    assert (job.state, job.error["code"]) == ("dead", "operation_timed_out")
    assert job.error["message"] == "Operation timed out after 15 minutes"
    entry = desk.history(listing_id)[-1]
    assert (entry.action, entry.status, entry.metadata["seen"]) == ("TIMEOUT", "UNCONFIRMED", "ACTIVE")
    # The operation is pending still, and may be carried out yet: that the listing is ACTIVE is what was seen last.
    listing = desk.listing(listing_id)
    assert (listing.shown_status, listing.status) == ("UNCONFIRMED", "ACTIVE")


def test_timeout_records_what_the_listing_itself_shows(desk: Desk) -> None:
    listing_id = desk.active()
    desk.sandbox.faults.set(StayPending(seconds=1))
    desk.ask(listing_id, Action.DELETE)
    desk.tick()
    desk.later(16 * 60)
    # The operation is done, and the marketplace goes on saying that it is not.
    desk.wire.after = _still_pending
    assert desk.poll()["stats"]["timedOut"] == 1
    assert desk.listing(listing_id).status == "DELETED"
    entry = desk.history(listing_id)[-1]
    assert (entry.action, entry.status, entry.metadata["happened"]) == ("TIMEOUT", "FAILED", True)


def test_429_leaves_the_operation_as_it_is(desk: Desk) -> None:
    desk.sandbox.faults.set(StayPending(seconds=10))
    asked = desk.create()
    desk.tick()
    desk.sandbox.faults.set(Throttle(retry_after_s=None))
    desk.later(20)
    before = desk.job(asked.job_id)
    assert desk.poll()["stats"]["inProgress"] == 1
    job = desk.job(asked.job_id)
    assert (job.state, job.attempts, job.error, job.history) == ("waiting", before.attempts, None, None)
    assert job.due_at == desk.clock.time + 60_000
    assert not desk.history(asked.listing_id)
    desk.sandbox.faults.set()
    desk.later(59)
    assert desk.poll()["stats"]["processed"] == 0
    desk.later(1)
    assert desk.poll()["stats"]["completed"] == 1
    assert desk.story(asked.listing_id) == [("CREATE", "ACTIVE")]


def test_429_with_retry_after_is_obeyed(desk: Desk) -> None:
    asked = desk.create()
    desk.tick()
    desk.sandbox.faults.set(Throttle(retry_after_s=300))
    desk.later(20)
    desk.poll()
    assert desk.job(asked.job_id).due_at == desk.clock.time + 300_000


def test_a_queue_of_50(desk: Desk) -> None:
    asked = [desk.create(variant=number % 5) for number in range(60)]
    for _ in range(3):
        desk.tick()
    assert [desk.job(one.job_id).state for one in asked] == ["waiting"] * 60
    desk.later(20)
    assert desk.poll()["stats"]["processed"] == 50
    # The rest has waited longest by now, and nobody is looked at twice within 20 seconds.
    assert desk.poll()["stats"] == {"processed": 10, "completed": 10, "failed": 0, "timedOut": 0, "inProgress": 0}
    assert desk.poll()["stats"]["processed"] == 0
    assert {desk.job(one.job_id).state for one in asked} == {"succeeded"}
    assert len(desk.real()) == 60


def test_the_longest_unseen_are_looked_at_first(desk: Desk) -> None:
    desk.sandbox.faults.set(NeverEnd())
    asked = [desk.create(variant=number) for number in range(4)]
    desk.tick()
    seen = []
    for _ in range(4):
        desk.later(20)
        before = {one.job_id: desk.job(one.job_id).due_at for one in asked}
        desk.poll(most=2)
        seen.append({number for number, one in enumerate(asked) if desk.job(one.job_id).due_at != before[one.job_id]})
    assert [len(each) for each in seen] == [2, 2, 2, 2]
    assert seen[0] | seen[1] == seen[2] | seen[3] == {0, 1, 2, 3}


def test_the_same_run_twice(desk: Desk) -> None:
    asked = desk.create()
    desk.tick()
    desk.later(20)
    assert desk.poll()["stats"]["completed"] == 1
    before, calls = desk.content(), desk.calls()
    assert desk.poll()["stats"]["processed"] == 0
    assert desk.calls() == calls
    assert desk.content() == before
    assert desk.story(asked.listing_id) == [("CREATE", "ACTIVE")]


def _still_pending(request: httpx.Request, response: httpx.Response) -> None:
    if "/operations/" in request.url.path:
        body = json.loads(response.read()) | {"operationStatus": "PENDING"}
        response._content = json.dumps(body).encode()
        response.stream = httpx.ByteStream(response._content)
