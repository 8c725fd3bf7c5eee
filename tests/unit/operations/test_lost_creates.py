"""Creates without an answer: looked for long enough, sent once more at most, and one listing in the end."""

import pytest

from local.sandbox.faults import Disconnect, NotFound, ServerError
from local.sandbox.outcomes import FailOperation, ListLate, NeverEnd, StayPending
from local.sandbox.stockx.listings import Change, OperationType
from sluice.platform.http import routing
from tests.support.desk import TENANT, Desk
from tests.support.http import call
from tests.unit.operations.test_recovery import LEASE_SECONDS, LISTINGS, Killed, kill_after

OPERATION = "*/operations/*"


@pytest.fixture(autouse=True)
def _the_desks_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routing, "clock", desk.clock)


@pytest.mark.parametrize("late", [150, 200, 600])
@pytest.mark.parametrize("ahead", [-60, -15, 0, 15, 60])
def test_a_create_without_an_answer_is_found_however_late_it_is_shown(desk: Desk, late: int, ahead: int) -> None:
    desk.sandbox.front.ahead_ms = ahead * 1000
    desk.sandbox.faults.set(Disconnect(method="POST", path=LISTINGS, last=1), ListLate(seconds=late))
    asked = desk.create()
    desk.finish()
    assert desk.shown(asked.listing_id)["status"] == "ACTIVE"
    assert desk.calls(method="POST", path=LISTINGS) == 1
    assert [one.listing_id for one in desk.real()] == [desk.shown(asked.listing_id)["marketplaceId"]]


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize(("before", "after"), [(0, 60), (0, -60), (60, 0), (-60, 0), (-60, 60), (60, -60), (300, 360)])
def test_a_marketplaces_clock_that_is_set_between_sending_and_checking_makes_no_second_listing(
    desk: Desk, before: int, after: int, many: bool
) -> None:
    """The answer that would have told how far the clock was ahead is the one that was lost."""
    desk.sandbox.front.ahead_ms = before * 1000
    desk.sandbox.faults.set(Disconnect(method="POST", path="/v2/selling/*", last=1), ListLate(seconds=30))
    item = {"variantId": desk.variants[0], "amount": "150"}
    path, body = "/v1/stockx/listings", {"action": "create", "items": [item, item]}
    asked = call("POST", f"{path}/bulk", body=body).json["items"] if many else [call("POST", path, body=item).json]
    desk.tick()
    desk.sandbox.front.ahead_ms = after * 1000
    desk.finish()
    assert desk.calls(method="POST", path="/v2/selling/*") == 1
    shown = [call("GET", f"{path}/{one['listingId']}").json for one in asked]
    assert {one["status"] for one in shown} == {"ACTIVE"}
    assert sorted(one["marketplaceId"] for one in shown) == sorted(one.listing_id for one in desk.real())


@pytest.mark.parametrize("kind", ["UPDATE", "DEACTIVATE", "DELETE"])
def test_a_create_without_an_answer_is_found_though_its_seller_has_changed_the_listing_since(
    desk: Desk, kind: OperationType
) -> None:
    desk.sandbox.faults.set(Disconnect(method="POST", path=LISTINGS, last=1))
    asked = desk.create()
    desk.tick()
    desk.later(30)
    [made] = desk.real()
    change = Change("175", "USD", active=True) if kind == "UPDATE" else Change()
    desk.sandbox.stockx.by_hand(TENANT, made.listing_id, kind, change, desk.sandbox.front.now())
    desk.later(30)
    desk.finish()
    [real] = desk.real()
    shown = desk.shown(asked.listing_id)
    assert (shown["marketplaceId"], shown["status"]) == (real.listing_id, real.status)
    assert shown["amount"] == real.amount


def test_of_two_creates_alike_each_finds_its_own_though_one_was_changed_since(desk: Desk) -> None:
    desk.sandbox.faults.set(Disconnect(method="POST", path=LISTINGS, last=2))
    asked = [desk.create(), desk.create()]
    desk.tick()
    desk.later(30)
    [older, newer] = sorted(desk.real(), key=lambda one: one.operations[0].created_at_ms)
    by_hand = Change("175", "USD", active=True)
    desk.sandbox.stockx.by_hand(TENANT, older.listing_id, "UPDATE", by_hand, desk.sandbox.front.now())
    desk.later(30)
    desk.finish()
    assert desk.calls(method="POST", path=LISTINGS) == 2
    assert {desk.listing(one.listing_id).marketplace_id for one in asked} == {older.listing_id, newer.listing_id}


@pytest.mark.parametrize("lost", [1, 2])
def test_a_twin_that_is_shown_too_late_is_withdrawn_and_told(desk: Desk, lost: int) -> None:
    late = ListLate(seconds=desk.config.listings.lost_create_ms / 1000 + 60, last=1)
    desk.sandbox.faults.set(Disconnect(method="POST", path=LISTINGS, last=lost), late)
    asked = desk.create()
    desk.finish()
    assert desk.calls(method="POST", path=LISTINGS) == 2
    [left] = desk.live()
    assert desk.shown(asked.listing_id)["status"] == "ACTIVE"
    assert desk.shown(asked.listing_id)["marketplaceId"] == left.listing_id
    [told] = [detail for kind, detail in desk.published if kind == "listing.changed"]
    assert (told["reason"], told["listingId"], told["status"]) == ("twin", asked.listing_id, "WITHDRAWN")
    twins = [one for one in call("GET", "/v1/stockx/listings").json["listings"] if one["listingId"] != asked.listing_id]
    assert [one["status"] for one in twins] == ["DELETED"]


def test_a_twin_from_before_the_clock_was_set_is_left_alone_and_its_job_says_that_it_was_sent_twice(desk: Desk) -> None:
    """It cannot be told from a listing that its seller has made (ADR 068)."""
    late = ListLate(seconds=desk.config.listings.lost_create_ms / 1000 + 180, last=1)
    desk.sandbox.faults.set(Disconnect(method="POST", path=LISTINGS, last=1), late)
    asked = desk.create()
    desk.tick()
    desk.sandbox.front.ahead_ms = 60_000
    desk.finish()
    assert desk.calls(method="POST", path=LISTINGS) == 2
    assert len(desk.live()) == 2
    assert desk.shown(asked.listing_id)["status"] == "ACTIVE"
    assert call("GET", f"/v1/jobs/{asked.job_id}").json["result"]["tries"] == 2


def test_a_listing_alike_that_its_seller_made_by_hand_is_no_twin(desk: Desk) -> None:
    desk.sandbox.faults.set(ServerError(method="POST", path=LISTINGS, last=1, status=504))
    asked = desk.create()
    desk.tick()
    by_hand = desk.create_elsewhere()
    desk.finish()
    assert len(desk.live()) == 2
    assert desk.shown(asked.listing_id)["marketplaceId"] != by_hand


def test_a_create_that_was_seen_and_has_failed_says_why(desk: Desk) -> None:
    lost = Disconnect(method="POST", path=LISTINGS, last=1)
    desk.sandbox.faults.set(lost, FailOperation(reason="Variant is restricted"), StayPending(seconds=50))
    asked = desk.create()
    began = desk.clock.time
    desk.finish()
    job = desk.job(asked.job_id)
    assert (job.error["code"], job.error["message"]) == ("operation_failed", "Variant is restricted")
    assert desk.shown(asked.listing_id)["status"] == "FAILED"
    assert desk.clock.time - began < 5 * 60_000


def test_a_create_that_was_seen_and_is_gone_altogether_has_the_marketplaces_words(desk: Desk) -> None:
    desk.sandbox.faults.set(Disconnect(method="POST", path=LISTINGS, last=1), NeverEnd())
    asked = desk.create()
    desk.tick()
    desk.later(20)
    desk.poll()
    assert desk.job(asked.job_id).payload["submission"]["marketplace_id"]
    desk.sandbox.faults.set(NotFound(path="/v2/selling/listings/*"))
    began = desk.clock.time
    while desk.job(asked.job_id).state == "waiting":
        desk.later(20)
        desk.poll()
    assert "404 Not Found" in desk.job(asked.job_id).error["message"]
    assert desk.clock.time - began < 5 * 60_000
    assert desk.shown(asked.listing_id)["status"] == "FAILED"


def _is_killed(desk: Desk) -> bool:
    """Whether a worker is killed by one of the next ticks: one rescues the job, and another may run it."""
    for _ in range(3):
        try:
            desk.tick()
        except Killed:
            return True
    return False


def test_a_create_whose_workers_are_all_lost_is_checked_and_never_sent_again(desk: Desk) -> None:
    asked = desk.create(reference="shelf 4")
    for method in ("POST", "GET", "GET", "GET", "GET"):
        kill_after(desk, method)
        desk.later(LEASE_SECONDS)
        assert _is_killed(desk)
    desk.wire.after = lambda *_: None
    desk.later(LEASE_SECONDS)
    desk.tick()
    job = desk.job(asked.job_id)
    assert (job.state, job.error["code"]) == ("dead", "lease_expired")
    again = desk.create(reference="shelf 4")
    desk.finish()
    assert desk.job(again.job_id).state == "succeeded"
    assert desk.shown(asked.listing_id)["status"] == "ACTIVE"
    assert desk.calls(method="POST", path=LISTINGS) == 1
