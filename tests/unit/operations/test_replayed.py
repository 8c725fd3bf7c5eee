"""Jobs that something of ours has ended before the marketplace had their change: what is said, and their replay."""

from typing import Any

import pytest

from local.sandbox.faults import ServerError
from sluice.jobs.model.dead_letters import DeadLetter
from sluice.jobs.model.states import FINAL
from sluice.jobs.queue.cancel import cancel
from sluice.listings.stockx.changes import Action
from sluice.marketplaces.accounts.access_tokens import Tokens
from sluice.marketplaces.selling import Terms
from sluice.operator import dead_letters
from sluice.platform.http import routing
from tests.support.desk import TENANT, Desk
from tests.support.http import call
from tests.unit.operations.test_recovery import LEASE_SECONDS, Killed, kill_each_time

LISTINGS = "/v1/stockx/listings"


@pytest.fixture(autouse=True)
def _the_desks_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routing, "clock", desk.clock)


def ask(desk: Desk, many: bool) -> list[dict[str, Any]]:
    """Ask for two creates in a batch, or for one; what was answered for each."""
    item = {"variantId": desk.variants[0], "amount": "150", "active": False}
    if many:
        body = {"action": "create", "items": [item, item | {"reference": "shelf 4"}]}
        answers: list[dict[str, Any]] = call("POST", f"{LISTINGS}/bulk", body=body).json["items"]
        return answers
    return [call("POST", LISTINGS, body=item).json]


def said(answers: list[dict[str, Any]]) -> set[str]:
    return {call("GET", f"{LISTINGS}/{one['listingId']}").json["status"] for one in answers}


def stories(answers: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    return [call("GET", f"{LISTINGS}/{one['listingId']}/history").json["history"] for one in answers]


def replay() -> None:
    """Replay the one letter that is open."""
    [letter] = [one for one in DeadLetter.query(TENANT) if one.replayed_at is None]
    answer = call("POST", f"/v1/dead-letters/{dead_letters.public_id(letter.dead_letter)}/replay")
    assert answer.status == 202, answer.text


def break_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    def get(_: Tokens) -> Any:
        raise OSError("no answer from AWS")

    monkeypatch.setattr(Tokens, "get", get)


@pytest.mark.parametrize("many", [True, False])
@pytest.mark.parametrize("fault", ["an AWS error", "the token server"])
def test_a_create_that_our_own_fault_ended_has_failed_and_is_made_when_it_is_replayed(
    desk: Desk, many: bool, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        if fault == "an AWS error":
            break_tokens(patch)
        else:
            desk.sandbox.faults.set(ServerError(path="/oauth/token", status=500))
        answers = ask(desk, many)
        desk.finish()
    desk.sandbox.faults.set()
    assert said(answers) == {"FAILED"}
    for [entry] in stories(answers):
        assert (entry["metadata"]["error"]["code"], entry["metadata"]["called"]) == ("not_sent", False)
    assert not desk.real()
    replay()
    desk.tick()
    assert said(answers) == {"PENDING"}
    desk.finish()
    assert said(answers) == {"INACTIVE"}
    assert [[entry["status"] for entry in story] for story in stories(answers)] == [["FAILED", "INACTIVE"]] * len(
        answers
    )
    assert len(desk.real()) == len(answers)


def _die_between_the_note_and_the_call(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every worker is killed after it has noted what it sends, and before it sends it, until the job is dead."""

    def killed(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        for method in ("create", "submit_batch"):
            patch.setattr(f"sluice.marketplaces.stockx.selling.Selling.{method}", killed)
        for method in ("find", "listing", "operations"):
            patch.setattr(f"sluice.marketplaces.stockx.selling.Selling.{method}", killed)
        for _ in range(40):
            try:
                desk.tick()
            except Killed:
                desk.later(LEASE_SECONDS)
            if not any(job.kind != "listing.check" and job.lane for job in desk.jobs()):
                return
    raise AssertionError("it is still not over")


@pytest.mark.parametrize("many", [True, False])
@pytest.mark.parametrize("known", [True, False])
def test_a_create_that_died_between_its_note_and_its_call_is_made_once_when_it_is_replayed(
    desk: Desk, many: bool, known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it is known that it never arrived, and after: it is looked for first either way."""
    answers = ask(desk, many)
    _die_between_the_note_and_the_call(desk, monkeypatch)
    assert not desk.real()
    if known:
        desk.finish()
        assert said(answers) == {"FAILED"}
        assert {story[-1]["metadata"]["error"]["code"] for story in stories(answers)} == {"no_answer"}
    else:
        desk.hand_over()
    replay()
    desk.finish()
    assert said(answers) == {"INACTIVE"}
    assert len(desk.real()) == len(answers)


@pytest.mark.parametrize("many", [True, False])
def test_a_create_that_did_arrive_before_its_worker_died_is_found_when_it_is_replayed(desk: Desk, many: bool) -> None:
    answers = ask(desk, many)
    kill_each_time(desk, answers[0]["jobId"])
    desk.hand_over()
    replay()
    desk.finish()
    assert said(answers) == {"INACTIVE"}
    assert len(desk.real()) == len(answers)


def test_what_has_happened_since_is_not_asked_for_again_by_a_replay(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing_id = desk.active()
    with monkeypatch.context() as patch:
        break_tokens(patch)
        desk.ask(listing_id, Action.UPDATE, Terms("140", "USD"))
        desk.finish()
    desk.ask(listing_id, Action.UPDATE, Terms("130", "USD"))
    desk.finish()
    replay()
    desk.finish()
    assert [one.amount for one in desk.real()] == ["130"]
    assert desk.story(listing_id)[1:] == [("UPDATE", "FAILED"), ("UPDATE", "ACTIVE")]


@pytest.mark.parametrize("action", ["update", "delete"])
def test_a_bulk_change_that_our_own_fault_ended_is_done_when_it_is_replayed(
    desk: Desk, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    listings = [desk.active(), desk.active()]
    with monkeypatch.context() as patch:
        break_tokens(patch)
        items = [{"listingId": one} | ({"amount": "99"} if action == "update" else {}) for one in listings]
        assert call("POST", f"{LISTINGS}/bulk", body={"action": action, "items": items}).status == 202
        desk.finish()
    # One of them is busy by then, or gone: the other is done all the same.
    desk.ask(listings[0], Action.DELETE)
    replay()
    desk.finish()
    assert [one.status for one in desk.real()] == ["DELETED", "ACTIVE" if action == "update" else "DELETED"]
    assert {job.state for job in desk.jobs()} <= FINAL
    assert desk.listing(listings[1]).amount == ("99" if action == "update" else "150")


def test_a_cancelled_change_is_not_replayed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job died of our own fault and may be replayed; what its owner has taken back since stays taken back."""
    listing_id = desk.active()
    with monkeypatch.context() as patch:
        break_tokens(patch)
        desk.ask(listing_id, Action.UPDATE, Terms("140", "USD"))
        desk.finish()
    again = desk.ask(listing_id, Action.UPDATE, Terms("130", "USD"))
    cancel(again.job_id, TENANT, desk.clock.time, desk.config)
    desk.finish()
    assert desk.history(listing_id)[-1].metadata["error"]["code"] == "cancelled"
    replay()
    desk.finish()
    assert [one.amount for one in desk.real()] == ["150"]
    assert desk.calls(method="PATCH", path="*") == 0
