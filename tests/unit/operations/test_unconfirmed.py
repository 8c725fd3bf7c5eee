"""What is not known is not claimed: a change whose job ends without an answer is UNCONFIRMED until it is known."""

from dataclasses import replace

import pytest

from local.sandbox.faults import Disconnect, ExpiredToken, ServerError
from local.sandbox.outcomes import FailOperation, NeverEnd, StayPending
from sluice.jobs.model.dead_letters import DeadLetter
from sluice.jobs.model.job import Job
from sluice.listings.stockx.changes import Action
from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.selling import Terms
from sluice.operator import acting, actions, dead_letters
from sluice.platform import aws
from sluice.platform.clock import MINUTE
from sluice.platform.config.document import Config
from sluice.platform.config.listings import Listings
from sluice.platform.http import routing
from sluice.platform.settings import settings
from tests.support.desk import TENANT, USD_150, Desk
from tests.support.http import call
from tests.unit.operations.test_recovery import LISTINGS, kill_each_time

OPERATION = "*/operations/*"


@pytest.fixture(autouse=True)
def _the_desks_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routing, "clock", desk.clock)


def break_account(desk: Desk) -> None:
    """Every check is a 401 now, and the poller finds out."""
    desk.sandbox.faults.set(ExpiredToken(path=OPERATION))
    desk.later(20)
    assert desk.poll()["stats"]["failed"] == 1
    account = accounts.find("stockx:acme")
    assert account
    assert account.status == "BROKEN"


def reconnect(desk: Desk) -> None:
    desk.sandbox.faults.set()
    desk.connect()


def test_a_create_whose_account_breaks_is_unconfirmed_until_it_is_connected_again(desk: Desk) -> None:
    asked = desk.create(reference="shelf 4")
    desk.tick()
    sent = desk.job(asked.job_id).payload["submission"]
    break_account(desk)
    job = desk.job(asked.job_id)
    assert (job.state, job.error["code"]) == ("dead", "authentication_failed")
    listing = desk.shown(asked.listing_id)
    assert listing["status"] == "UNCONFIRMED"
    [why] = listing["unconfirmed"]
    assert (why["code"], why["operationId"]) == ("authentication_failed", sent["operation_id"])
    assert (why["marketplaceId"], why["seen"]) == (sent["marketplace_id"], "not seen")
    assert desk.tick() == 0
    assert desk.job(why["checkJobId"]).state == "queued"  # it waits for the account
    desk.later(3600)
    assert desk.tick() == 0
    reconnect(desk)
    desk.finish()
    assert desk.shown(asked.listing_id)["status"] == "ACTIVE"
    assert desk.shown(asked.listing_id)["unconfirmed"] == []
    assert desk.story(asked.listing_id) == [("CREATE", "ACTIVE")]
    assert desk.history(asked.listing_id)[0].metadata["unconfirmed"]["code"] == "authentication_failed"
    assert len(desk.real()) == 1


@pytest.mark.parametrize("when", ["while it is broken", "after connecting again", "once it is known"])
def test_a_repeated_create_checks_first(desk: Desk, when: str) -> None:
    asked = desk.create(reference="shelf 4")
    desk.tick()
    break_account(desk)
    if when == "while it is broken":
        desk.create(reference="shelf 4")
    reconnect(desk)
    if when == "once it is known":
        desk.finish()
    again = desk.create(reference="shelf 4")
    assert again.listing_id == asked.listing_id
    desk.finish()
    assert desk.job(again.job_id).state in ("succeeded", "dead")
    assert desk.shown(asked.listing_id)["status"] == "ACTIVE"
    assert desk.calls(method="POST", path=LISTINGS) == 1
    assert len(desk.real()) == 1
    if when != "once it is known":
        assert desk.job(again.job_id).result["status"] == "COMPLETED"


def test_a_repeated_create_is_sent_when_the_first_one_failed_at_the_marketplace(desk: Desk) -> None:
    desk.sandbox.faults.set(FailOperation(), StayPending(seconds=60))
    asked = desk.create(reference="shelf 4")
    desk.tick()
    break_account(desk)
    reconnect(desk)
    again = desk.create(reference="shelf 4")
    desk.finish()
    assert desk.job(again.job_id).result["status"] == "COMPLETED"
    assert desk.story(asked.listing_id) == [("CREATE", "FAILED"), ("CREATE", "ACTIVE")]
    assert len(desk.real()) == 1


def test_a_bulk_of_five_is_asked_for_again_and_stays_five(desk: Desk) -> None:
    items = [{"variantId": desk.variants[0], "amount": "150", "reference": f"box {number}"} for number in range(5)]
    body = {"action": "create", "items": items}
    first = call("POST", "/v1/stockx/listings/bulk", body=body).json["items"]
    desk.tick()
    desk.sandbox.faults.set(ExpiredToken(path="/v2/selling/batch/*"))
    desk.later(20)
    desk.poll()
    assert {desk.shown(one["listingId"])["status"] for one in first} == {"UNCONFIRMED"}
    assert desk.job(first[0]["jobId"]).error["code"] == "authentication_failed"
    reconnect(desk)
    again = call("POST", "/v1/stockx/listings/bulk", body=body).json["items"]
    assert [one["listingId"] for one in again] == [one["listingId"] for one in first]
    desk.finish()
    assert {desk.shown(one["listingId"])["status"] for one in first} == {"ACTIVE"}
    assert len({desk.shown(one["listingId"])["marketplaceId"] for one in first}) == 5
    assert len(desk.real()) == 5
    assert {desk.job(one["jobId"]).state for one in again} == {"succeeded"}


def test_a_bulk_whose_account_breaks_becomes_known_by_itself(desk: Desk) -> None:
    items = [{"variantId": desk.variants[0], "amount": "150"} for _ in range(5)]
    asked = call("POST", "/v1/stockx/listings/bulk", body={"action": "create", "items": items}).json["items"]
    desk.tick()
    desk.sandbox.faults.set(ExpiredToken(path="/v2/selling/batch/*"))
    desk.later(20)
    desk.poll()
    reconnect(desk)
    desk.finish()
    assert {desk.shown(one["listingId"])["status"] for one in asked} == {"ACTIVE"}
    assert len(desk.real()) == 5


def test_checks_that_fail_for_half_an_hour_leave_it_not_seen(desk: Desk) -> None:
    asked = desk.create()
    desk.tick()
    desk.sandbox.faults.set(ServerError(status=500))
    while desk.job(asked.job_id).state == "waiting":
        desk.later(30)
        desk.poll()
    job = desk.job(asked.job_id)
    assert (job.state, job.error["code"]) == ("dead", "operation_timed_out")
    assert job.error["message"] == "Operation timed out after 15 minutes"
    [why] = desk.shown(asked.listing_id)["unconfirmed"]
    assert (why["code"], why["seen"]) == ("operation_timed_out", "not seen")
    for _ in range(5):
        desk.later(3600)
        desk.tick()
        desk.poll()
    assert desk.shown(asked.listing_id)["status"] == "UNCONFIRMED"
    desk.sandbox.faults.set()
    desk.finish()
    assert desk.shown(asked.listing_id)["status"] == "ACTIVE"
    assert len(desk.real()) == 1


def test_what_stays_pending_is_checked_until_it_ends(desk: Desk) -> None:
    listing_id = desk.active()
    desk.sandbox.faults.set(StayPending(operation="DELETE", seconds=3 * 3600))
    desk.ask(listing_id, Action.DELETE)
    desk.tick()
    desk.later(16 * 60)
    desk.poll()
    [why] = desk.shown(listing_id)["unconfirmed"]
    assert (why["action"], why["seen"]) == ("DELETE", "ACTIVE")
    desk.finish()
    assert desk.shown(listing_id)["status"] == "DELETED"
    assert desk.story(listing_id) == [("CREATE", "ACTIVE"), ("DELETE", "DELETED")]


def test_what_never_ends_is_settled_after_a_day_by_what_the_listing_shows(desk: Desk) -> None:
    listing_id = desk.active()
    desk.sandbox.faults.set(NeverEnd(operation="UPDATE"))
    desk.ask(listing_id, Action.UPDATE, Terms("140", "USD"))
    begun = desk.clock.time
    desk.finish()
    assert desk.clock.time - begun >= desk.config.listings.unconfirmed_ms
    listing = desk.shown(listing_id)
    assert (listing["status"], listing["amount"]) == ("ACTIVE", "150")
    entry = desk.history(listing_id)[-1]
    assert (entry.action, entry.status, entry.metadata["happened"]) == ("TIMEOUT", "FAILED", False)


@pytest.mark.parametrize(("configured", "minutes"), [(15, 15), (4, 4), (1, 2)])
def test_what_never_arrived_and_whose_job_is_over_is_looked_for_as_long_as_is_configured(
    desk: Desk, configured: int, minutes: int
) -> None:
    """As for a create, and for a batch. Two minutes are the least: so long an answered change may take to show."""
    listing_id = desk.active()
    desk.config = replace(desk.config, listings=Listings(lost_create_ms=configured * MINUTE))
    refused = ExpiredToken(method="GET", path=f"{LISTINGS}/*")
    desk.sandbox.faults.set(ServerError(method="PATCH", path="*", last=1), refused)
    asked, sent_at = desk.ask(listing_id, Action.UPDATE, Terms("140", "USD")), desk.clock.time
    desk.tick()
    desk.later(60)
    desk.poll()
    assert desk.job(asked.job_id).state == "dead"
    reconnect(desk)
    assert desk.shown(listing_id)["status"] == "UNCONFIRMED"
    while desk.shown(listing_id)["status"] == "UNCONFIRMED":
        desk.later(10)
        desk.tick()
        desk.poll()
    assert (desk.shown(listing_id)["status"], last_error(listing_id)["code"]) == ("ACTIVE", "no_answer")
    assert minutes <= (desk.clock.time - sent_at) / MINUTE <= 1.25 * minutes + 1


def test_a_listing_with_an_unconfirmed_update_can_be_taken_away(desk: Desk) -> None:
    listing_id = desk.active()
    desk.sandbox.faults.set(Disconnect(method="PATCH", path="*", last=1), ServerError(method="GET", path="*"))
    desk.ask(listing_id, Action.UPDATE, Terms("140", "USD"))
    for _ in range(70):
        desk.tick()
        desk.poll()
        desk.later(30)
    assert desk.shown(listing_id)["status"] == "UNCONFIRMED"
    desk.sandbox.faults.set(ServerError(method="GET", path=LISTINGS + "/*", last=2))
    deleted = desk.ask(listing_id, Action.DELETE)
    desk.tick()
    desk.sandbox.faults.set()
    desk.finish()
    assert desk.job(deleted.job_id).state == "succeeded"
    assert desk.shown(listing_id)["status"] == "DELETED"
    assert not desk.live()


def test_the_list_shows_what_is_unconfirmed(desk: Desk) -> None:
    desk.create(reference="shelf 4")
    settled = desk.create(USD_150, variant=1)
    desk.tick()
    desk.sandbox.faults.set(ExpiredToken(path=OPERATION, first=2))
    desk.later(20)
    desk.poll()
    names = {
        status: [
            one["listingId"] for one in call("GET", "/v1/stockx/listings", query={"status": status}).json["listings"]
        ]
        for status in ("UNCONFIRMED", "PENDING", "ACTIVE")
    }
    assert [len(found) for found in names.values()] == [1, 0, 1]
    assert settled.listing_id in {*names["ACTIVE"], *names["UNCONFIRMED"]}


def test_a_create_that_was_asked_for_again_while_it_ran_is_checked_too(desk: Desk) -> None:
    desk.sandbox.faults.set(StayPending(seconds=1_200))
    asked = desk.create(reference="shelf 4")
    desk.tick()
    assert desk.create(reference="shelf 4") == asked
    desk.later(16 * 60)
    desk.poll()
    assert desk.shown(asked.listing_id)["status"] == "UNCONFIRMED"
    desk.finish()
    assert desk.shown(asked.listing_id)["status"] == "ACTIVE"
    assert len(desk.real()) == 1


def test_a_job_that_runs_once_more_after_it_ended_without_knowing_leaves_a_check(desk: Desk) -> None:
    listing_id = desk.active()
    desk.sandbox.faults.set(StayPending(seconds=1_200))
    asked = desk.ask(listing_id, Action.DEACTIVATE)
    desk.tick()
    again = Job.rerun.set(200), Job.rerun_payer.set("acme"), Job.rerun_askers.set({"acme"})
    Job(asked.job_id).update(actions=[*again])
    desk.later(16 * 60)
    desk.poll()
    desk.finish()
    assert desk.shown(listing_id)["status"] == "INACTIVE"
    assert not desk.shown(listing_id)["unconfirmed"]


# an account that stays broken

DAY_SECONDS = 86_400


def broken_for_a_week(desk: Desk) -> None:
    """Scheduler and poller come and go, and nobody connects the account again."""
    for _ in range(2 * 8):
        desk.tick()
        desk.move_on()
        desk.poll()
        desk.later(DAY_SECONDS / 2)
    desk.hand_over()


def status(listing_id: str) -> str:
    shown: str = call("GET", f"/v1/stockx/listings/{listing_id}").json["status"]
    return shown


def last_error(listing_id: str) -> dict[str, str]:
    history = call("GET", f"/v1/stockx/listings/{listing_id}/history").json["history"]
    error: dict[str, str] = history[-1]["metadata"].get("error", {})
    return error


def test_what_waits_for_an_account_that_stays_broken_ends_and_every_listing_says_what_is_true(desk: Desk) -> None:
    item = {"variantId": desk.variants[0], "amount": "150", "active": False}
    kept, gone = desk.active(), desk.active()
    sent = call("POST", "/v1/stockx/listings", body=item).json
    desk.tick()
    break_account(desk)
    single = call("POST", "/v1/stockx/listings", body=item | {"reference": "shelf 4"}).json
    body = {"action": "create", "items": [item, item]}
    many = call("POST", "/v1/stockx/listings/bulk", body=body).json["items"]
    changed = call("PATCH", f"/v1/stockx/listings/{kept}", body={"amount": "99"}).json
    taken = call("DELETE", f"/v1/stockx/listings/{gone}").json
    made = [single, *many]
    calls = desk.calls()
    for _ in range(3):
        broken_for_a_week(desk)
        assert desk.calls() == calls
        for job in (single, *many, changed, taken):
            operation = call("GET", f"/v1/operations/{job['jobId']}").json
            assert (operation["status"], operation["error"]["code"]) == ("FAILED", "account_not_working")
        assert {status(one["listingId"]) for one in made} == {"FAILED"}
        assert [status(kept), status(gone)] == ["ACTIVE", "ACTIVE"]
        assert call("GET", f"/v1/stockx/listings/{kept}").json["amount"] == "150"
        assert {last_error(one)["code"] for one in (kept, gone)} == {"account_not_working"}
        assert {last_error(one["listingId"])["code"] for one in made} == {"account_not_working"}
        # This one was sent, and nobody can ask what became of it.
        assert status(sent["listingId"]) == "UNCONFIRMED"
    reconnect(desk)
    desk.finish()
    assert status(sent["listingId"]) == "INACTIVE"
    assert {status(one["listingId"]) for one in made} == {"FAILED"}
    assert len(desk.live()) == 3
    letters = [one for one in DeadLetter.query(TENANT) if one.kind in ("listing.create", "listing.batch")]
    for letter in letters:
        if letter.error["code"] == "account_not_working":
            path = f"/v1/dead-letters/{dead_letters.public_id(letter.dead_letter)}/replay"
            assert call("POST", path).status == 202
    desk.finish()
    assert {status(one["listingId"]) for one in made} == {"INACTIVE"}
    assert len(desk.live()) == 6


@pytest.mark.parametrize("end", ["cancelled", "lost"])
def test_what_a_job_that_has_ended_leaves_is_said_at_once_though_the_account_is_broken(desk: Desk, end: str) -> None:
    """A check would wait for the account; that a change was never sent, or may have been, needs none."""
    listing_id = desk.active()
    asked = call("PATCH", f"/v1/stockx/listings/{listing_id}", body={"amount": "99"}).json
    if end == "cancelled":
        assert call("DELETE", f"/v1/jobs/{asked['jobId']}").status == 200
    else:
        kill_each_time(desk, asked["jobId"])
    desk.disconnect()
    desk.hand_over()
    shown = call("GET", f"/v1/stockx/listings/{listing_id}").json
    if end == "cancelled":
        assert (shown["status"], shown["changes"], last_error(listing_id)["code"]) == ("ACTIVE", [], "cancelled")
    else:
        [why] = shown["unconfirmed"]
        assert (shown["status"], why["code"]) == ("UNCONFIRMED", "lease_expired")
        assert desk.job(why["checkJobId"]).state == "queued"
    desk.connect()
    desk.finish()
    assert status(listing_id) == "ACTIVE"
    assert call("GET", f"/v1/stockx/listings/{listing_id}").json["amount"] == desk.real()[0].amount


@pytest.mark.parametrize("by", ["jobIds", "filter"])
def test_an_operator_has_unconfirmed_listings_looked_at_again_now(
    desk: Desk, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the job that one names, or by all that are: the next look would be minutes away."""
    begun: list[dict[str, str]] = []
    monkeypatch.setenv("OPERATOR_WORKER_FUNCTION", "operator-worker")
    settings.cache_clear()
    desk.config = replace(desk.config, limits={**Config().limits, **desk.config.limits})
    monkeypatch.setattr(aws, "invoke_later", lambda function, event: begun.append(event))
    listing_id = desk.active()
    desk.sandbox.faults.set(NeverEnd(operation="DELETE"))
    desk.ask(listing_id, Action.DELETE)
    desk.tick()
    desk.sandbox.faults.set(ServerError())
    for minutes in (16, 15):
        desk.later(minutes * 60)
        desk.poll()
    desk.tick()
    [why] = desk.shown(listing_id)["unconfirmed"]
    desk.sandbox.faults.set()
    calls = desk.calls()
    desk.poll()
    assert desk.calls() == calls, "the next look is not due"
    target = {by: [why["checkJobId"]] if by == "jobIds" else {"kind": "listing.check", "account": "stockx:acme"}}
    body = {"action": "retry", "reason": "StockX is back", **target}
    counted = call("POST", "/v1/operator/actions", body=body, tenant=TENANT, roles="operator")
    assert counted.json["counted"]["matched"] == 1, counted.text
    done = call("POST", "/v1/operator/actions", body={**body, "dryRun": False}, tenant=TENANT, roles="operator")
    assert done.status == 200, done.text
    for event in begun:
        if "action" in event:
            action = actions.find(TENANT, event["action"])
            assert action
            acting.do_page(action, desk.clock.time, desk.config)
    desk.poll()
    assert desk.calls() > calls
    told = call(
        "GET",
        f"/v1/operator/actions/{done.json['action']['actionId'].replace('#', '%23')}",
        tenant=TENANT,
        roles="operator",
    )
    assert told.json["outcomes"] == {"done": 1}
