"""`listing.live`: told of each StockX listing that can be bought now and could not before, whatever made it so."""

from typing import Any

import pytest

from local.sandbox.faults import Disconnect
from local.sandbox.outcomes import AtOnce, FailOperation
from sluice.listings import live
from sluice.listings.stockx import bulk
from sluice.listings.stockx.changes import Action
from sluice.marketplaces.selling import Terms
from tests.support.desk import TENANT, Desk
from tests.support.stream import changes
from tests.unit.operations.test_bulk import create


def told(desk: Desk) -> list[dict[str, Any]]:
    """What was told since this was last asked, the stream of jobs included."""
    desk.hand_over()
    found = [detail for kind, detail in desk.put if kind == live.EVENT]
    desk.put.clear()
    return found


def test_a_listing_that_was_created_is_live(desk: Desk) -> None:
    listing_id = desk.active()
    [detail] = told(desk)
    assert detail.pop("id").endswith(f":{listing_id}")
    assert detail.pop("at")
    assert detail == {
        "version": 1,
        "tenant": TENANT,
        "marketplace": "stockx",
        "listingId": listing_id,
        "sku": None,
    }


def test_a_stream_that_comes_again_tells_the_same_event(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = list[dict[str, Any]]()

    def keep(table: str) -> list[dict[str, Any]]:
        found = changes(table)
        kept.extend(found)
        return found

    monkeypatch.setattr("tests.support.desk.changes", keep)
    desk.active()
    first = told(desk)
    live.tell(kept)
    assert [detail for _, detail in desk.put] == first
    assert len(first) == 1


def test_an_update_makes_nothing_live_and_neither_does_taking_it_off(desk: Desk) -> None:
    listing_id = desk.active()
    told(desk)
    for action, terms in ((Action.UPDATE, Terms("160", "USD")), (Action.DEACTIVATE, Terms())):
        desk.ask(listing_id, action, terms)
        desk.tick()
        desk.later(60)
        desk.poll()
        assert told(desk) == []
    desk.ask(listing_id, Action.ACTIVATE)
    desk.tick()
    desk.later(60)
    desk.poll()
    assert desk.listing(listing_id).status == "ACTIVE"
    assert [one["listingId"] for one in told(desk)] == [listing_id]


def test_a_create_that_failed_is_not_live(desk: Desk) -> None:
    desk.sandbox.faults.set(FailOperation(below=1_000, reason="Price too low"))
    desk.create()
    desk.tick()
    desk.later(60)
    desk.poll()
    assert told(desk) == []


def test_of_a_batch_each_listing_that_came_to_be_is_live(desk: Desk) -> None:
    desk.sandbox.faults.set(AtOnce())
    desk.sandbox.faults.set(FailOperation(below=101, reason="Price too low"))
    asked = create(desk, 20)
    for _ in range(4):
        desk.tick()
        desk.later(60)
        desk.poll()
    active = {one.listing_id for one in asked if desk.listing(one.listing_id).status == "ACTIVE"}
    assert 0 < len(active) < 20
    assert {one["listingId"] for one in told(desk)} == active


def test_a_create_that_was_unconfirmed_is_live_when_it_is_known(desk: Desk) -> None:
    """Its job has ended without knowing; whoever finds it out tells."""
    desk.sandbox.faults.set(Disconnect(method="POST", path="/v2/selling/*", last=1))
    asked = desk.create()
    seen = list[str]()
    for _ in range(40):
        desk.tick()
        desk.later(60)
        desk.poll()
        seen += [one["listingId"] for one in told(desk)]
        if seen:
            break
    assert desk.listing(asked.listing_id).status == "ACTIVE"
    assert seen == [asked.listing_id]


@pytest.mark.parametrize("action", [Action.DELETE, Action.UPDATE])
def test_a_batch_that_makes_no_listing_makes_none_live(desk: Desk, action: Action) -> None:
    listing_id = desk.active()
    told(desk)
    bulk.ask(
        action,
        [bulk.TermsEdit(listing_id, Terms("160", "USD") if action is Action.UPDATE else Terms())],
        "stockx",
        desk.asker(),
    )
    for _ in range(3):
        desk.tick()
        desk.later(60)
        desk.poll()
    assert told(desk) == []
