"""Batches without an answer, items without a result, and requests that die on the way: nothing lost, nothing twice."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from local.sandbox.faults import Disconnect, MalformedJson, ServerError
from local.sandbox.outcomes import ListLate, NoResult
from sluice.jobs.model.job import Job
from sluice.jobs.model.states import FINAL
from sluice.listings.stockx import bulk
from sluice.listings.stockx.bulk import TermsEdit
from sluice.listings.stockx.changes import Action
from sluice.listings.stockx.request import AskedChange, ListingDraft
from sluice.listings.stockx.table import Listing
from sluice.marketplaces.accounts.access_tokens import Tokens
from sluice.marketplaces.selling import Terms
from sluice.platform.http import routing
from tests.support.desk import TENANT, USD_150, Desk
from tests.support.http import call
from tests.unit.operations.test_bulk import ask, create, statuses

BATCH = "/v2/selling/batch/*"
CREATE = "/v2/selling/batch/create-listing"


@pytest.fixture(autouse=True)
def _the_desks_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routing, "clock", desk.clock)


@pytest.mark.parametrize("late", [0, 200, 600])
@pytest.mark.parametrize(
    "lost", [Disconnect(method="POST", path=CREATE, last=1), MalformedJson(method="POST", path=CREATE, last=1)]
)
def test_a_batch_create_without_an_answer_is_found_by_its_items(
    desk: Desk, lost: Disconnect | MalformedJson, late: int
) -> None:
    desk.sandbox.front.ahead_ms = 60_000
    desk.sandbox.faults.set(lost, *([ListLate(seconds=late)] if late else []))
    asked = create(desk, 12)
    desk.finish()
    assert desk.calls(method="POST", path=CREATE) == 1
    assert set(statuses(desk, asked)) == {"ACTIVE"}
    assert len(desk.real()) == 12
    assert len({desk.listing(one.listing_id).marketplace_id for one in asked}) == 12


@pytest.mark.parametrize("status", [500, 503])
def test_a_batch_create_that_never_arrived_is_sent_once_more(desk: Desk, status: int) -> None:
    desk.sandbox.faults.set(ServerError(method="POST", path=CREATE, last=1, status=status))
    asked = create(desk, 12)
    desk.finish()
    assert desk.calls(method="POST", path=CREATE) == 2
    assert set(statuses(desk, asked)) == {"ACTIVE"}
    assert len(desk.real()) == 12


def test_two_batches_alike_without_an_answer_have_a_batch_each(desk: Desk) -> None:
    desk.sandbox.faults.set(Disconnect(method="POST", path=CREATE, last=2))
    asked = [*create(desk, 3), *create(desk, 3)]
    desk.finish()
    assert desk.calls(method="POST", path=CREATE) == 2
    assert len({desk.listing(one.listing_id).marketplace_id for one in asked}) == len(desk.real()) == 6


def test_a_batch_alike_that_somebody_else_has_asked_for_is_not_taken(desk: Desk) -> None:
    create(desk, 2)
    desk.finish()
    desk.sandbox.faults.set(ServerError(method="POST", path=CREATE, last=1))
    asked = create(desk, 3)
    desk.finish()
    assert set(statuses(desk, asked)) == {"ACTIVE"}
    assert len(desk.real()) == 5


def test_twins_of_a_batch_that_is_shown_too_late_are_withdrawn(desk: Desk) -> None:
    late = ListLate(seconds=desk.config.listings.lost_create_ms / 1000 + 60, last=4)
    desk.sandbox.faults.set(Disconnect(method="POST", path=CREATE, last=1), late)
    asked = create(desk, 4)
    desk.finish()
    assert desk.calls(method="POST", path=CREATE) == 2
    assert set(statuses(desk, asked)) == {"ACTIVE"}
    kept = {desk.listing(one.listing_id).marketplace_id for one in asked}
    assert {one.listing_id for one in desk.live()} == kept
    assert [detail["reason"] for kind, detail in desk.published if kind == "listing.changed"] == ["twin"] * 4


@pytest.mark.parametrize("nulls", [True, False])
@pytest.mark.parametrize("late", [0, 300])
def test_items_that_do_not_name_their_listings_are_looked_for(desk: Desk, nulls: bool, late: int) -> None:
    desk.sandbox.faults.set(NoResult(nulls=nulls), *([ListLate(seconds=late)] if late else []))
    asked = create(desk, 5)
    desk.finish()
    assert set(statuses(desk, asked)) == {"ACTIVE"}
    assert {desk.listing(one.listing_id).marketplace_id for one in asked} == {one.listing_id for one in desk.real()}
    assert desk.job(asked[0].job_id).result["status"] == "COMPLETED"


def test_of_a_listing_that_none_of_many_items_has_made_its_creation_is_asked_for_once(desk: Desk) -> None:
    """Each call is one of a hundred in an hour."""
    desk.create_elsewhere(terms=Terms("99", "USD"))
    desk.sandbox.faults.set(NoResult())
    drafts = [ListingDraft(desk.variants[0], Terms(str(100 + number), "USD")) for number in range(12)]
    asked = ask(desk, Action.CREATE, drafts)
    desk.finish()
    assert set(statuses(desk, asked)) == {"ACTIVE"}
    assert desk.calls(method="GET", path="/v2/selling/listings/*/operations") == 1


def test_an_item_that_does_not_name_its_listing_is_unconfirmed_until_found_and_can_be_removed(desk: Desk) -> None:
    desk.sandbox.faults.set(NoResult(item=1), ListLate(seconds=2 * 3600, item=1))
    asked = create(desk, 3)
    deleted = desk.ask(asked[1].listing_id, Action.DELETE)
    while desk.job(asked[0].job_id).state not in FINAL:
        desk.tick()
        desk.poll()
        desk.later(30)
    assert desk.job(asked[0].job_id).result == {"status": "PARTIAL", "completed": 2, "failed": 0, "unconfirmed": 1}
    listing = desk.shown(asked[1].listing_id)
    assert (listing["status"], listing["marketplaceId"]) == ("UNCONFIRMED", None)
    assert listing["unconfirmed"][0]["operationId"]
    desk.finish()
    assert desk.job(deleted.job_id).result["status"] == "COMPLETED"
    assert desk.shown(asked[1].listing_id)["status"] == "DELETED"
    assert len(desk.live()) == 2


@pytest.mark.parametrize("action", [Action.UPDATE, Action.DELETE])
def test_an_item_that_is_refused_stores_what_its_listing_is(desk: Desk, action: Action) -> None:
    asked = create(desk, 3)
    desk.finish()
    order = desk.sell(asked[1].listing_id)
    terms = Terms("99", "USD") if action is Action.UPDATE else Terms()
    ask(desk, action, [TermsEdit(one.listing_id, terms) for one in asked])
    desk.finish()
    assert desk.shown(asked[1].listing_id)["status"] == "SOLD"
    entry = desk.history(asked[1].listing_id)[-1]
    assert (entry.status, entry.metadata["order"]) == ("FAILED", order.order_number)
    assert [detail["order"] for kind, detail in desk.published if kind == "listing.changed"] == [order.order_number]


def test_a_batch_update_leaves_inactive_listings_inactive(desk: Desk) -> None:
    asked = ask(desk, Action.CREATE, [ListingDraft(desk.variants[0], USD_150, active=False)])
    desk.finish()
    ask(desk, Action.UPDATE, [TermsEdit(one.listing_id, Terms("99", "USD")) for one in asked])
    desk.finish()
    assert [(one.status, one.amount) for one in desk.real()] == [("INACTIVE", "99")]
    listing = desk.shown(asked[0].listing_id)
    assert (listing["status"], listing["amount"]) == ("INACTIVE", "99")


# between the note and the call


@pytest.mark.parametrize("many", [True, False])
def test_a_create_whose_token_could_not_be_renewed_is_sent_when_it_can(desk: Desk, many: bool) -> None:
    desk.sandbox.faults.set(ServerError(path="/oauth/token", status=500, last=2))
    asked = create(desk, 3) if many else [desk.create()]
    began = desk.clock.time
    desk.finish()
    assert set(statuses(desk, asked)) == {"ACTIVE"}
    assert len(desk.real()) == len(asked)
    assert desk.clock.time - began < 10 * 60_000  # nothing had to be looked for: it was certainly not sent


@pytest.mark.parametrize("many", [True, False])
def test_a_create_that_an_aws_error_stopped_is_sent_when_it_is_over(
    desk: Desk, many: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, left = Tokens.get, [2]

    def get(self: Tokens) -> Any:
        if left[0] and desk.job_has_begun():
            left[0] -= 1
            raise OSError("no answer from AWS")
        return original(self)

    monkeypatch.setattr(Tokens, "get", get)
    asked = create(desk, 3) if many else [desk.create()]
    began = desk.clock.time
    desk.finish()
    assert left == [0]
    assert set(statuses(desk, asked)) == {"ACTIVE"}
    assert len(desk.real()) == len(asked)
    assert desk.clock.time - began < 10 * 60_000


# asked twice


@pytest.mark.parametrize("under_way", [False, True])
@pytest.mark.parametrize("action", ["update", "delete"])
def test_a_bulk_request_that_is_repeated_is_done_once(desk: Desk, action: str, under_way: bool) -> None:
    asked = create(desk, 3)
    desk.finish()
    items = [{"listingId": one.listing_id} | ({"amount": "99"} if action == "update" else {}) for one in asked]
    body = {"action": action, "items": items}
    first = call("POST", "/v1/stockx/listings/bulk", body=body).json["items"]
    if under_way:
        desk.tick()
    assert call("POST", "/v1/stockx/listings/bulk", body=body).json["items"] == first
    desk.finish()
    outcome = "ACTIVE" if action == "update" else "DELETED"
    assert [desk.story(one.listing_id) for one in asked] == [[("CREATE", "ACTIVE"), (action.upper(), outcome)]] * 3
    assert desk.calls(method="PATCH") + desk.calls(method="DELETE") == 0
    assert desk.calls(method="POST", path=BATCH) == 2


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_request_that_is_repeated_while_it_runs_is_done_once(desk: Desk, method: str) -> None:
    listing_id = desk.active()
    body = {"amount": "99"} if method == "PATCH" else None
    first = call(method, f"/v1/stockx/listings/{listing_id}", body=body).json
    desk.tick()
    assert call(method, f"/v1/stockx/listings/{listing_id}", body=body).json == first
    desk.finish()
    assert len(desk.history(listing_id)) == 2
    assert desk.calls(method=method) == 1


# requests that die on the way


class Died(BaseException):
    """The function's process is gone."""


@pytest.mark.parametrize("step", range(8))
@pytest.mark.parametrize("again", [True, False])
def test_a_bulk_request_that_dies_on_the_way_leaves_no_listing_without_a_job(
    desk: Desk, step: int, again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    drafts = [ListingDraft(desk.variants[0], USD_150, reference=f"box {number}") for number in range(5)]
    left = [step]

    def dying(function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*given: Any, **named: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise Died
            return function(*given, **named)

        return run

    with monkeypatch.context() as patch:
        patch.setattr(bulk, "THREADS", 1)
        for name in ("want", "put_new", "remember"):
            patch.setattr(bulk, name, dying(getattr(bulk, name)))
        with suppress(Died):
            bulk.ask(Action.CREATE, drafts, "stockx", desk.asker())
    if again:
        answers = bulk.ask(Action.CREATE, drafts, "stockx", desk.asker())
        asked = [one for one in answers if isinstance(one, AskedChange)]
        assert len(asked) == 5
        assert all(Job.get(one.job_id) for one in asked)
    desk.finish()
    stored = [one for one in Listing.scan() if one.tenant == TENANT]
    assert {one.shown_status for one in stored} <= {"ACTIVE"}
    assert len(desk.real()) == len(stored) == (5 if again else max(0, min(5, step - 1)))


def test_a_whole_bulk_of_references_that_are_there_already_leaves_no_job_behind(desk: Desk) -> None:
    drafts = [ListingDraft(desk.variants[0], USD_150, reference=f"box {number}") for number in range(3)]
    ask(desk, Action.CREATE, drafts)
    desk.finish()
    before = {job.job_id for job in Job.scan()}
    ask(desk, Action.CREATE, drafts)
    desk.finish()
    new = [job for job in Job.scan() if job.job_id not in before]
    assert {job.state for job in new} <= {"cancelled"}


@pytest.mark.parametrize("action", [Action.UPDATE, Action.DELETE])
def test_changes_of_a_batch_that_never_arrived_are_known_once_the_listings_can_be_read(
    desk: Desk, action: Action
) -> None:
    asked = create(desk, 2)
    desk.finish()
    desk.sandbox.faults.set(ServerError(method="POST", path=BATCH), ServerError(method="GET", path="*"))
    terms = Terms("99", "USD") if action is Action.UPDATE else Terms()
    changed = ask(desk, action, [TermsEdit(one.listing_id, terms) for one in asked])
    while desk.job(changed[0].job_id).state not in FINAL:
        desk.tick()
        desk.poll()
        desk.later(60)
    assert {desk.shown(one.listing_id)["status"] for one in asked} == {"UNCONFIRMED"}
    desk.sandbox.faults.set()
    desk.finish()
    assert {desk.shown(one.listing_id)["status"] for one in asked} == {"ACTIVE"}
    assert desk.story(asked[0].listing_id)[-1] == (action, "FAILED")


def test_a_batch_whose_answer_is_lost_does_not_take_another_one_alike_for_its_own(desk: Desk) -> None:
    first = create(desk, 11)
    desk.tick()
    desk.sandbox.faults.set(Disconnect(method="POST", path=CREATE, last=1))
    second = create(desk, 11)
    desk.finish()
    assert desk.calls(method="POST", path=CREATE) == 2
    assert len({desk.listing(one.listing_id).marketplace_id for one in [*first, *second]}) == 22
    assert set(statuses(desk, [*first, *second])) == {"ACTIVE"}
