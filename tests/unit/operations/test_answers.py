"""What each answer to a look means: 401, 429, 5xx, 404, words that nobody knows, and nothing at all for 15 minutes."""

import pytest

from local.sandbox.faults import ExpiredToken, MalformedJson, NotFound, RefuseRefresh, RevokedToken, ServerError
from local.sandbox.outcomes import FailOperation, NeverEnd, StayPending, Vocabulary
from sluice.listings.stockx.changes import Action
from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.selling import Terms
from sluice.platform.observe import metrics
from tests.support.desk import TENANT, Desk

OPERATION = "*/operations/*"


def test_one_401_renews_the_token_and_goes_on(desk: Desk) -> None:
    asked = desk.create()
    desk.tick()
    desk.sandbox.faults.set(ExpiredToken(path=OPERATION, last=1))
    desk.later(20)
    assert desk.poll()["stats"]["completed"] == 1
    assert desk.job(asked.job_id).state == "succeeded"
    assert desk.calls(path="/oauth/token") == 2


def test_a_second_401_breaks_the_account_and_fails_this_job_once(desk: Desk) -> None:
    asked = desk.create()
    desk.tick()
    desk.sandbox.faults.set(ExpiredToken(path=OPERATION))
    desk.later(20)
    answer = desk.poll()
    assert (answer["success"], answer["stats"]["failed"]) == (True, 1)
    job = desk.job(asked.job_id)
    assert (job.state, job.error["code"]) == ("dead", "authentication_failed")
    account = accounts.find("stockx:acme")
    assert account
    assert account.status == "BROKEN"
    [entry] = desk.history(asked.listing_id)
    assert (entry.action, entry.status) == ("CREATE", "UNCONFIRMED")
    assert entry.metadata["error"]["code"] == "authentication_failed"
    assert desk.listing(asked.listing_id).shown_status == "UNCONFIRMED"
    assert [kind for kind, _ in desk.published] == ["account.broken", "job.dead"]


def test_jobs_of_a_broken_account_wait_and_run_after_reconnecting(desk: Desk) -> None:
    asked = [desk.create(variant=number) for number in range(6)]
    desk.tick()
    desk.sandbox.faults.set(RevokedToken(path=OPERATION), RefuseRefresh())
    desk.later(20)
    assert desk.poll()["stats"]["failed"] == 1
    waiting = [one for one in asked if desk.job(one.job_id).state == "waiting"]
    assert len(waiting) == 5
    more = desk.create(variant=7)
    for _ in range(3):
        desk.later(60)
        assert desk.tick() == 0
        assert desk.poll()["stats"]["processed"] == 0
    assert [kind for kind, _ in desk.published] == ["account.broken", "job.dead"]
    desk.sandbox.faults.set()
    desk.connect()
    desk.finish()
    assert {desk.job(one.job_id).state for one in [*waiting, more]} == {"succeeded"}


def test_a_change_of_a_broken_account_waits_unsent(desk: Desk) -> None:
    listing_id = desk.active()
    desk.sandbox.faults.set(RevokedToken(), RefuseRefresh())
    asked = desk.ask(listing_id, Action.DELETE)
    desk.tick()
    assert desk.job(asked.job_id).state == "queued"
    assert len(desk.history(listing_id)) == 1
    desk.sandbox.faults.set()
    desk.connect()
    desk.finish()
    assert desk.listing(listing_id).status == "DELETED"


@pytest.mark.parametrize("fault", [ServerError(path=OPERATION), MalformedJson(path=OPERATION)])
def test_no_answer_that_makes_sense_changes_nothing(desk: Desk, fault: ServerError | MalformedJson) -> None:
    asked = desk.create()
    desk.tick()
    desk.sandbox.faults.set(fault)
    for _ in range(8):
        desk.later(30)
        before = desk.job(asked.job_id)
        assert desk.poll()["stats"]["inProgress"] == 1
        job = desk.job(asked.job_id)
        assert (job.state, job.attempts, job.history, job.error) == ("waiting", before.attempts, None, None)
        assert job.due_at == desk.clock.time + 20_000
    assert not desk.history(asked.listing_id)
    desk.sandbox.faults.set()
    desk.later(30)
    assert desk.poll()["stats"]["completed"] == 1


def test_an_operation_that_is_not_found_is_decided_by_its_listing(desk: Desk) -> None:
    desk.sandbox.faults.set(StayPending(seconds=40))
    asked = desk.create()
    desk.tick()
    desk.sandbox.faults.set(NotFound(path=OPERATION))
    desk.later(20)
    assert desk.poll()["stats"]["inProgress"] == 1
    desk.later(60)
    assert desk.poll()["stats"]["completed"] == 1
    assert desk.story(asked.listing_id) == [("CREATE", "ACTIVE")]


def test_a_refusal_is_found_on_the_listing_when_the_operation_is_gone(desk: Desk) -> None:
    listing_id = desk.active()
    desk.sandbox.faults.set(FailOperation())
    asked = desk.ask(listing_id, Action.UPDATE, Terms("20", "USD"))
    desk.tick()
    desk.sandbox.faults.set(NotFound(path=OPERATION))
    desk.later(20)
    assert desk.poll()["stats"]["failed"] == 1
    assert desk.job(asked.job_id).error["message"] == "Price too low"


def test_a_deleted_listing_that_is_gone_altogether_is_deleted(desk: Desk) -> None:
    listing_id = desk.active()
    desk.ask(listing_id, Action.DELETE)
    desk.tick()
    desk.sandbox.faults.set(NotFound(path="/v2/selling/listings/*"))
    desk.later(20)
    assert desk.poll()["stats"]["completed"] == 1
    assert desk.listing(listing_id).status == "DELETED"


def test_deleting_what_the_marketplace_does_not_have_succeeds(desk: Desk) -> None:
    listing_id = desk.active()
    desk.sandbox.faults.set(NotFound(path="/v2/selling/listings/*"))
    desk.ask(listing_id, Action.DELETE)
    desk.tick()
    assert desk.story(listing_id)[-1] == ("DELETE", "DELETED")


def test_the_other_vocabulary_is_understood(desk: Desk) -> None:
    desk.sandbox.faults.set(Vocabulary(), StayPending(seconds=30))
    asked = desk.create()
    desk.tick()
    desk.later(20)
    assert desk.poll()["stats"]["inProgress"] == 1
    desk.later(20)
    assert desk.poll()["stats"]["completed"] == 1
    assert desk.story(asked.listing_id) == [("CREATE", "ACTIVE")]


def test_an_unknown_word_means_still_running_and_is_counted(desk: Desk) -> None:
    desk.sandbox.faults.set(Vocabulary(words={"running": "reticulating"}), StayPending(seconds=30))
    desk.create()
    desk.tick()
    metrics.clear_metrics()
    desk.later(20)
    assert desk.poll()["stats"]["inProgress"] == 1
    assert metrics.metric_set["OperationWordsUnknown"]["Value"] == [1.0]
    desk.later(20)
    assert desk.poll()["stats"]["completed"] == 1


def test_partial_success_records_what_the_listing_shows(desk: Desk) -> None:
    listing_id = desk.active()
    desk.sandbox.faults.set(Vocabulary(words={"succeeded": "partial_success"}))
    asked = desk.ask(listing_id, Action.UPDATE, Terms("140", "USD"))
    desk.tick()
    desk.later(20)
    assert desk.poll()["stats"]["completed"] == 1
    assert desk.job(asked.job_id).result["status"] == "PARTIAL"
    assert desk.story(listing_id)[-1] == ("UPDATE", "PARTIAL")
    assert desk.listing(listing_id).amount == "140"


def test_15_minutes_are_not_yet_over(desk: Desk) -> None:
    desk.sandbox.faults.set(NeverEnd())
    asked = desk.create()
    desk.tick()
    desk.later(15 * 60)
    assert desk.poll()["stats"]["inProgress"] == 1
    desk.later(21)
    assert desk.poll()["stats"]["timedOut"] == 1
    assert desk.job(asked.job_id).error["message"] == "Operation timed out after 15 minutes"


def test_an_operation_that_ended_while_nobody_looked_is_not_timed_out(desk: Desk) -> None:
    asked = desk.create()
    desk.tick()
    desk.later(60 * 60)
    assert desk.poll()["stats"]["completed"] == 1
    assert desk.story(asked.listing_id) == [("CREATE", "ACTIVE")]


def test_the_last_look_waits_for_the_marketplace_but_not_for_ever(desk: Desk) -> None:
    listing_id = desk.active()
    desk.sandbox.faults.set(NeverEnd(operation="DELETE"))
    asked = desk.ask(listing_id, Action.DELETE)
    desk.tick()
    desk.sandbox.faults.set(ServerError())
    desk.later(16 * 60)
    assert desk.poll()["stats"]["inProgress"] == 1
    desk.later(15 * 60)
    assert desk.poll()["stats"]["timedOut"] == 1
    entry = desk.history(listing_id)[-1]
    assert (entry.action, entry.status, "seen" in entry.metadata) == ("TIMEOUT", "UNCONFIRMED", False)
    assert desk.listing(listing_id).shown_status == "UNCONFIRMED"
    assert desk.job(asked.job_id).state == "dead"


def test_a_refused_create_is_settled_and_says_why(desk: Desk) -> None:
    asked = desk.create(Terms("150.50", "USD"))
    desk.tick()
    job = desk.job(asked.job_id)
    assert job.state == "dead"
    assert "amount" in job.error["message"]
    assert desk.listing(asked.listing_id).status == "FAILED"
    assert desk.story(asked.listing_id) == [("CREATE", "FAILED")]
    assert not desk.listing(asked.listing_id).open_changes()
    assert not desk.sandbox.stockx.operations(TENANT, desk.clock.time)
