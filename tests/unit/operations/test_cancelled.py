"""A create that was cancelled: settled by itself, and what was asked of it since done without a call, or refused."""

import pytest

from sluice.jobs.queue.cancel import cancel
from sluice.listings.stockx.changes import Action
from sluice.marketplaces.selling import Terms
from sluice.platform.http import routing
from tests.support.desk import TENANT, Desk
from tests.support.http import call

OPERATION = "*/operations/*"


@pytest.fixture(autouse=True)
def _the_desks_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routing, "clock", desk.clock)


def test_a_cancelled_create_is_settled_by_itself(desk: Desk) -> None:
    asked = desk.create()
    cancel(asked.job_id, TENANT, desk.clock.time, desk.config)
    desk.finish()
    assert desk.shown(asked.listing_id)["status"] == "FAILED"
    assert desk.history(asked.listing_id)[0].metadata["error"]["code"] == "cancelled"
    assert not desk.real()


def test_what_was_asked_before_a_create_was_cancelled_is_done_without_a_call_or_refused(desk: Desk) -> None:
    asked, other = desk.create(), desk.create(variant=1)
    deleted = desk.ask(asked.listing_id, Action.DELETE)
    updated = desk.ask(other.listing_id, Action.UPDATE, Terms("140", "USD"))
    for one in (asked, other):
        cancel(one.job_id, TENANT, desk.clock.time, desk.config)
    desk.finish()
    assert desk.job(deleted.job_id).result["status"] == "COMPLETED"
    refused = desk.job(updated.job_id).error
    assert (refused["code"], "FAILED" in refused["message"]) == ("listing_state", True)
    assert not [entry for entry in desk.sandbox.log.entries() if entry.method != "GET" and entry.counted]


@pytest.mark.parametrize(("method", "body"), [("DELETE", None), ("PATCH", {"amount": "140"})])
def test_what_is_asked_after_a_create_was_cancelled_is_refused_with_the_state(
    desk: Desk, method: str, body: dict[str, str] | None
) -> None:
    asked = desk.create()
    cancel(asked.job_id, TENANT, desk.clock.time, desk.config)
    answer = call(method, f"/v1/stockx/listings/{asked.listing_id}", body=body)
    assert (answer.status, "FAILED" in answer.text) == (409, True)
