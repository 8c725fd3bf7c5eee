"""A listing job whose item cannot be read is set aside: its changes end all the same, and none is sent twice."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import httpx
import pytest

from local.sandbox.outcomes import ListLate
from sluice.jobs.queue import unreadable
from sluice.jobs.queue.enqueue import enqueue
from sluice.listings.stockx import aftermath, request
from sluice.listings.stockx import table as listings
from sluice.listings.stockx.bulk import TermsEdit
from sluice.listings.stockx.changes import Action
from sluice.listings.stockx.kinds import check_id
from sluice.listings.stockx.request import ListingDraft
from sluice.marketplaces.selling import Terms
from sluice.platform.observe import logger
from tests.crash.points import Killed
from tests.support.desk import USD_150, Desk
from tests.support.store import Store
from tests.support.stream import changes
from tests.support.work import spec
from tests.unit.operations.test_bulk import ask, create
from tests.unit.operations.test_recovery import kill_each_time

DAMAGE: dict[str, dict[str, Any]] = {
    "no budget": {"budget": None},
    "an odd priority": {"priority": {"S": "high"}},
    "nothing but its payload": {"budget": None, "kind": None, "tenant": None, "account": {"N": "1"}},
}
NO_PAYLOAD: dict[str, dict[str, Any]] = {
    "no payload": {"payload": None},
    "an odd payload": {"payload": {"N": "7"}},
    "half a payload": {"payload": {"S": '{"listings": [["'}},
}


def damage(desk: Desk, store: Store, job_id: str, **what: Any) -> None:
    """What is stored of the job is no job any more; the scheduler comes upon it, and the stream is handed over."""
    desk.hand_over()
    item = store.item("jobs", job_id=job_id)
    assert item
    store.put("jobs", {name: value for name, value in {**item, **what}.items() if value is not None})
    assert unreadable.discard(job_id, desk.clock.time, desk.config)
    ended = changes("jobs")
    asked = aftermath.follow_up(ended, desk.clock.time, desk.config)
    items = desk.items()
    assert aftermath.follow_up(ended, desk.clock.time, desk.config) <= asked
    assert desk.items()["Entry"] == items["Entry"], "twice is once"


def lose_the_worker(desk: Desk) -> None:
    """It is killed when what it sends has arrived."""

    def kill(request: httpx.Request, _: httpx.Response) -> None:
        if request.method != "GET" and request.url.path.startswith("/v2/selling"):
            raise Killed

    desk.wire.after = kill
    with suppress(Killed):
        desk.tick()
    desk.wire.after = lambda *_: None


@pytest.mark.parametrize("what", [*DAMAGE.values(), *NO_PAYLOAD.values()], ids=[*DAMAGE, *NO_PAYLOAD])
def test_a_change_that_was_not_sent_has_failed(desk: Desk, tables: Store, what: dict[str, Any]) -> None:
    listing_id = desk.active()
    asked = desk.ask(listing_id, Action.UPDATE, Terms("200"))
    damage(desk, tables, asked.job_id, **what)
    assert not desk.listing(listing_id).open_changes()
    assert desk.story(listing_id) == [("CREATE", "ACTIVE"), ("UPDATE", "FAILED")]
    assert desk.history(listing_id)[-1].metadata["error"]["code"] == "unreadable"
    desk.ask(listing_id, Action.UPDATE, Terms("201"))
    desk.finish()
    assert desk.listing(listing_id).amount == "201"


@pytest.mark.parametrize("what", [*DAMAGE.values(), *NO_PAYLOAD.values()], ids=[*DAMAGE, *NO_PAYLOAD])
def test_a_change_that_was_sent_is_looked_for(desk: Desk, tables: Store, what: dict[str, Any]) -> None:
    asked = desk.create()
    lose_the_worker(desk)
    damage(desk, tables, asked.job_id, **what)
    assert desk.shown(asked.listing_id)["status"] == "UNCONFIRMED"
    desk.finish()
    assert desk.story(asked.listing_id) == [("CREATE", "ACTIVE")]
    assert len(desk.real()) == 1


@pytest.mark.parametrize("sent", [False, True])
@pytest.mark.parametrize("what", DAMAGE.values(), ids=DAMAGE)
def test_of_a_batch_each_change_is_looked_for(desk: Desk, tables: Store, what: dict[str, Any], sent: bool) -> None:
    """What it has sent, it alone has known."""
    asked = create(desk, 5)
    if sent:
        lose_the_worker(desk)
    damage(desk, tables, asked[0].job_id, **what)
    assert {desk.shown(one.listing_id)["status"] for one in asked} == {"UNCONFIRMED"}
    desk.finish()
    assert {status for one in asked for _, status in desk.story(one.listing_id)} == {"ACTIVE" if sent else "FAILED"}
    assert len(desk.real()) == (5 if sent else 0)
    assert not any(desk.listing(one.listing_id).open_changes() for one in asked)


def test_a_batch_that_was_sent_long_after_it_was_asked_for_has_its_time_to_appear(desk: Desk, tables: Store) -> None:
    """Nobody knows when it was sent: at the latest when its job was set aside."""
    asked = create(desk, 3)
    desk.later(desk.config.listings.lost_create_ms / 1000 + 60)
    desk.sandbox.faults.set(ListLate(seconds=200))
    lose_the_worker(desk)
    damage(desk, tables, asked[0].job_id, budget=None)
    desk.finish()
    assert [desk.story(one.listing_id) for one in asked] == [[("CREATE", "ACTIVE")]] * 3
    assert len(desk.real()) == 3


def test_a_batch_that_was_sent_long_before_its_job_was_set_aside_is_found(desk: Desk, tables: Store) -> None:
    """Nobody knows when it was sent: at the earliest when it was asked for."""
    asked = create(desk, 3)
    lose_the_worker(desk)
    desk.later(3600)
    damage(desk, tables, asked[0].job_id, budget=None)
    desk.finish()
    assert [desk.story(one.listing_id) for one in asked] == [[("CREATE", "ACTIVE")]] * 3
    assert len(desk.real()) == 3


def test_of_a_batch_whose_payload_is_cut_off_those_are_looked_for_that_it_names(desk: Desk, tables: Store) -> None:
    listed = [desk.active(variant=number) for number in range(3)]
    asked = ask(desk, Action.UPDATE, [TermsEdit(one, Terms("200", "USD")) for one in listed])
    lose_the_worker(desk)
    said = tables.item("jobs", job_id=asked[0].job_id)
    assert said
    damage(desk, tables, asked[0].job_id, payload={"S": said["payload"]["S"].rpartition("[")[0]})
    known = [bool(desk.listing(one).change(2) and desk.listing(one).open_changes()[0].doubt) for one in listed]
    assert sorted(known) == [False, True, True]
    [other] = [one for one, is_known in zip(listed, known, strict=True) if not is_known]
    desk.ask(other, Action.UPDATE, Terms("201"))  # whoever comes by has it looked for first
    desk.finish()
    assert {one: desk.listing(one).amount for one in listed} == {
        one: "201" if one == other else "200" for one in listed
    }
    assert {status for one in listed for _, status in desk.story(one)} == {"ACTIVE"}


@pytest.mark.parametrize("what", NO_PAYLOAD.values(), ids=NO_PAYLOAD)
def test_a_batch_of_which_nothing_is_known_is_told_of_and_its_changes_end_when_somebody_comes_by(
    desk: Desk, tables: Store, what: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    listing_id = desk.active()
    [asked] = ask(desk, Action.UPDATE, [TermsEdit(listing_id, Terms("200", "USD"))])
    told: list[str] = []
    monkeypatch.setattr(logger, "error", lambda message, **_: told.append(message))
    damage(desk, tables, asked.job_id, **what)
    assert set(told) == {"nobody knows which listings an unreadable job was about"}
    desk.ask(listing_id, Action.UPDATE, Terms("201"))
    desk.finish()
    assert [status for _, status in desk.story(listing_id)] == ["ACTIVE", "FAILED", "ACTIVE"]
    assert desk.listing(listing_id).amount == "201"


# What is JSON, and no check's payload.
NO_CHECK: dict[str, dict[str, Any]] = {
    text: {"payload": {"S": text}, "budget": None}
    for text in (
        '{"listing_id": 7}',
        '{"twins": [["a", 1]]}',
        '{"twins": [["a"]], "sent": [1, 2]}',
        '{"listings": [["a", 1]], "of": "listing.batch:x", "action": "CREATE"}',
        '{"listings": [["a", 1, "200"]], "of": "listing.batch:x", "action": "GIVE"}',
        '{"listings": [["a", 1, "200"]], "of": "listing.batch:x", "action": "CREATE", "sent": {"at": 1}}',
        '{"listings": [], "listing_id": "a"}',
        '{"more": {}}',
    )
}


@pytest.mark.parametrize(
    "what", [*DAMAGE.values(), *NO_PAYLOAD.values(), *NO_CHECK.values()], ids=[*DAMAGE, *NO_PAYLOAD, *NO_CHECK]
)
def test_a_check_is_asked_for_again(desk: Desk, tables: Store, what: dict[str, Any]) -> None:
    asked = desk.create()
    kill_each_time(desk, asked.job_id)
    desk.hand_over()
    assert desk.shown(asked.listing_id)["status"] == "UNCONFIRMED"
    damage(desk, tables, check_id(asked.job_id), **what)
    assert desk.job(check_id(asked.job_id)).state == "queued"
    desk.finish()
    assert desk.story(asked.listing_id) == [("CREATE", "ACTIVE")]
    assert len(desk.real()) == 1


def test_whatever_the_payload_says_listings_of_no_other_tenant_are_touched(desk: Desk, tables: Store) -> None:
    desk.connect("zeta")
    others = request.create(ListingDraft(desk.variants[0], USD_150), desk.asker("zeta"))
    asked = desk.create()
    damage(desk, tables, asked.job_id, budget=None, payload={"S": f'{{"listing_id": "{others.listing_id}"}}'})
    assert not desk.listing(asked.listing_id).open_changes()
    found = listings.find("zeta", others.listing_id)
    assert found
    assert found.open_changes()


def test_what_is_no_job_of_a_listing_is_left_alone(desk: Desk, tables: Store) -> None:
    listing_id = desk.active()
    desk.ask(listing_id, Action.UPDATE, Terms("200"))
    other = replace(spec(), job_id="market.refresh:x", kind="market.refresh", payload={"listing_id": listing_id})
    enqueue(other, desk.clock.time)
    damage(desk, tables, other.job_id, budget=None)
    assert len(desk.listing(listing_id).open_changes()) == 1
    desk.finish()
    assert desk.listing(listing_id).amount == "200"


@pytest.mark.parametrize("kind", ["listing.update", "listing.check", "listing.batch"])
def test_a_job_whose_key_does_not_say_whose_it_is_stops_nobody(
    desk: Desk, tables: Store, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(logger, "error", lambda message, **_: told.append(message))
    other = replace(spec(), job_id=f"{kind}:x", kind=kind)
    enqueue(other, desk.clock.time)
    damage(desk, tables, other.job_id, budget=None)
    assert set(told) == {"nobody knows whose an unreadable job was"}
