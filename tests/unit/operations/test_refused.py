"""What the marketplace refuses, or somebody else does: the listing itself is read, and what it shows is stored."""

import pytest

from local.sandbox.faults import Disconnect, NotFound, ServerError
from local.sandbox.stockx.listings import Change as Set
from sluice.listings.stockx.changes import Action
from sluice.marketplaces.selling import Terms
from sluice.platform.http import routing
from tests.support.desk import Desk
from tests.support.http import call
from tests.unit.operations.test_recovery import LISTINGS

OPERATION = "*/operations/*"


@pytest.fixture(autouse=True)
def _the_desks_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routing, "clock", desk.clock)


def test_an_update_leaves_an_inactive_listing_inactive(desk: Desk) -> None:
    asked = desk.create(active=False)
    desk.finish()
    desk.ask(asked.listing_id, Action.UPDATE, Terms("140", "USD"))
    desk.finish()
    listing = desk.shown(asked.listing_id)
    assert (listing["status"], listing["amount"]) == ("INACTIVE", "140")
    assert [(one.status, one.amount) for one in desk.real()] == [("INACTIVE", "140")]
    assert desk.story(asked.listing_id)[-1] == ("UPDATE", "INACTIVE")


@pytest.mark.parametrize("action", [Action.UPDATE, Action.DEACTIVATE, Action.DELETE])
@pytest.mark.parametrize("read_later", [False, True])
def test_a_change_of_a_sold_listing_is_refused_and_the_sale_is_stored(
    desk: Desk, action: Action, read_later: bool
) -> None:
    listing_id = desk.active()
    sold = desk.sell(listing_id)
    if read_later:
        desk.sandbox.faults.set(ServerError(method="GET", path=LISTINGS + "/*", last=3))
    asked = desk.ask(listing_id, action, Terms("140", "USD") if action is Action.UPDATE else None)
    desk.finish()
    job = desk.job(asked.job_id)
    assert (job.state, job.error["code"]) == ("dead", "bad_request")
    assert "MATCHED" in job.error["message"]
    listing = desk.shown(listing_id)
    assert (listing["status"], listing["amount"]) == ("SOLD", "150")
    entry = desk.history(listing_id)[-1]
    assert (entry.status, entry.metadata["order"]) == ("FAILED", sold.order_number)
    [told] = [detail for kind, detail in desk.published if kind == "listing.changed"]
    assert (told["status"], told["order"], told["listingId"]) == ("SOLD", sold.order_number, listing_id)
    assert desk.calls(method="PATCH") + desk.calls(method="PUT") + desk.calls(method="DELETE") == 1


@pytest.mark.parametrize("action", [Action.UPDATE, Action.ACTIVATE])
def test_a_change_of_a_listing_that_its_seller_has_deleted_stores_that(desk: Desk, action: Action) -> None:
    listing_id = desk.active()
    desk.by_hand(listing_id, "DELETE")
    desk.ask(listing_id, action, Terms("140", "USD"))
    desk.finish()
    assert desk.shown(listing_id)["status"] == "DELETED"
    assert [kind for kind, _ in desk.published].count("listing.changed") == 1


def test_a_change_of_a_listing_that_the_marketplace_does_not_have_any_more(desk: Desk) -> None:
    listing_id = desk.active()
    desk.sandbox.faults.set(NotFound(path="/v2/selling/listings/*"))
    asked = desk.ask(listing_id, Action.UPDATE, Terms("140", "USD"))
    desk.finish()
    assert desk.job(asked.job_id).error["code"] == "not_found"
    assert desk.shown(listing_id)["status"] == "DELETED"


def test_what_is_so_already_is_no_failure(desk: Desk) -> None:
    listing_id = desk.active()
    desk.by_hand(listing_id, "DEACTIVATE", Set(active=False))
    asked = desk.ask(listing_id, Action.DEACTIVATE)
    desk.finish()
    assert desk.job(asked.job_id).result["status"] == "COMPLETED"
    assert desk.shown(listing_id)["status"] == "INACTIVE"


@pytest.mark.parametrize(("via", "amount"), [("WEB", "175"), ("PUBLIC-API", "175"), ("WEB", "140")])
def test_an_update_that_never_arrived_is_not_taken_for_somebody_elses(desk: Desk, via: str, amount: str) -> None:
    listing_id = desk.active()
    desk.sandbox.faults.set(ServerError(method="PATCH", path="*", last=1))
    desk.ask(listing_id, Action.UPDATE, Terms("140", "USD"))
    desk.tick()
    desk.by_hand(listing_id, "UPDATE", Set(amount, "USD"), via=via)
    desk.finish()
    [real] = desk.real()
    assert desk.shown(listing_id)["amount"] == real.amount == "140"
    assert desk.calls(method="PATCH") == (1 if amount == "140" else 2)


def test_our_update_is_found_behind_somebody_elses(desk: Desk) -> None:
    listing_id = desk.active()
    desk.sandbox.faults.set(Disconnect(method="PATCH", path="*", last=1))
    asked = desk.ask(listing_id, Action.UPDATE, Terms("140", "USD"))
    desk.tick()
    desk.later(15)
    desk.by_hand(listing_id, "UPDATE", Set("175", "USD"))
    desk.finish()
    assert desk.job(asked.job_id).result["status"] == "COMPLETED"
    assert desk.calls(method="PATCH") == 1
    assert desk.real()[0].amount == "175"


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("action", ["update", "delete"])
def test_a_bulk_change_that_is_refused_as_a_whole_tells_what_each_listing_is(
    desk: Desk, action: str, late: bool
) -> None:
    """One sold, one deleted and one repriced by its seller, one as it was: each is read, also when that must wait."""
    sold, deleted, repriced, same = (desk.active() for _ in range(4))
    order = desk.sell(sold)
    desk.by_hand(deleted, "DELETE")
    desk.by_hand(repriced, "UPDATE", Set("175", "USD"))
    refuse = NotFound(method="POST", path="/v2/selling/batch/*")
    unread = ServerError(method="GET", path=LISTINGS + "/*", last=5)
    desk.sandbox.faults.set(refuse, *([unread] if late else []))
    terms = {"amount": "99"} if action == "update" else {}
    items = [{"listingId": one} | terms for one in (sold, deleted, repriced, same)]
    asked = call("POST", "/v1/stockx/listings/bulk", body={"action": action, "items": items}).json["items"]
    desk.finish()
    shown = [call("GET", f"/v1/stockx/listings/{one['listingId']}").json for one in items]
    assert [one["status"] for one in shown] == ["SOLD", "DELETED", "ACTIVE", "ACTIVE"]
    assert [one["amount"] for one in shown[2:]] == ["175", "150"]
    ends = [call("GET", f"/v1/stockx/listings/{one['listingId']}/history").json["history"][-1] for one in items]
    told = [(end["status"], end["metadata"].get("error", {}).get("code")) for end in ends]
    gone = ("DELETED", None) if action == "delete" else ("FAILED", "not_found")
    assert told == [("FAILED", "not_found"), gone, ("FAILED", "not_found"), ("FAILED", "not_found")]
    assert ends[0]["metadata"]["order"] == order.order_number
    assert desk.calls(method="POST", path="/v2/selling/batch/*") == 1
    operation = call("GET", f"/v1/operations/{asked[0]['jobId']}").json
    assert operation["status"] == ("PARTIAL" if action == "delete" else "FAILED")
    if action == "update":
        assert operation["error"]["code"] == "not_found"
