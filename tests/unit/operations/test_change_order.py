"""How it stands with an open change, by its job and by what is remembered: each condition by itself."""

from dataclasses import replace
from typing import Any

import pytest

from sluice.jobs.model.job import Job
from sluice.listings.stockx import change_order, results, settle
from sluice.listings.stockx import table as listings
from sluice.listings.stockx.change_order import OpenStanding, standing
from sluice.listings.stockx.changes import Action, Change, Doubt, Sent, Submission
from sluice.listings.stockx.table import Listing
from sluice.marketplaces.selling import Terms
from tests.support.desk import NOON, TENANT, Desk

ID = "8a8d3f0e-0000-4000-8000-000000000001"
JOB = f"listing.update:stockx:{TENANT}:{ID}"
UPDATE = Change(3, Action.UPDATE, JOB, NOON, "ann", Terms("140", "USD"))
SENT = Submission(UPDATE, NOON, 2, "real-1", "operation-1", was="ACTIVE", first_at=NOON - 1)
DOUBT = Doubt("authentication_failed", "the token is refused", NOON, SENT.sending())
ERROR = {"code": "lease_expired", "message": "its worker is gone", "at": NOON}
LATER = NOON + 1_000


@pytest.fixture(autouse=True)
def _tables(desk: Desk) -> None:
    """On the desk's tables."""


def listing(*changes: Change, running: int | None = None, status: str = "ACTIVE") -> Listing:
    row = Listing(
        TENANT,
        ID,
        account=f"stockx:{TENANT}",
        marketplace="stockx",
        marketplace_id="real-1",
        variant_id="v",
        status=status,
        changes={str(one.number): one.encode() for one in changes},
        last_change=max(one.number for one in changes),
        running=running,
        created_at=NOON,
        updated_at=NOON,
    )
    row.save()
    return row


def job(state: str, payload: dict[str, Any] | None = None, error: dict[str, Any] | None = None) -> None:
    Job(
        JOB,
        kind="listing.update",
        state=state,
        lease=1,
        attempts=1,
        priority=20,
        tenant=TENANT,
        account=f"stockx:{TENANT}",
        budget=f"stockx:{TENANT}",
        calls=1,
        payload=payload or {"listing_id": ID},
        error=error,
        created_at=NOON,
        updated_at=NOON,
    ).save()


def story() -> list[tuple[int, str, Any]]:
    """Number, status and error code of each entry."""
    return [(one.number, one.status, one.metadata["error"]["code"]) for one in listings.history(TENANT, ID)]


def now() -> Listing:
    found = listings.find(TENANT, ID)
    assert found
    return found


@pytest.mark.parametrize("state", [None, "dead", "queued", "leased", "waiting"])
@pytest.mark.parametrize("running", [None, 3])
def test_what_is_unconfirmed_stays_so_with_all_that_is_known_whatever_its_job_does_now(
    state: str | None, running: int | None
) -> None:
    """Its job may have been asked for anew meanwhile, and has forgotten what it was at."""
    unconfirmed = replace(UPDATE, doubt=DOUBT)
    if state:
        job(state)
    row = listing(unconfirmed, running=running)
    assert standing(row, unconfirmed, LATER) == (OpenStanding.UNCONFIRMED, unconfirmed)
    assert not change_order.clear(row, LATER)
    assert now().open_changes() == [unconfirmed]
    assert story() == []


@pytest.mark.parametrize("state", ["queued", "leased", "waiting"])
@pytest.mark.parametrize("running", [None, 3])
def test_what_has_a_job_is_left_to_it(state: str, running: int | None) -> None:
    job(state)
    row = listing(UPDATE, running=running)
    assert standing(row, UPDATE, LATER) == (OpenStanding.ALIVE, UPDATE)
    assert not change_order.clear(row, LATER)
    assert now().open_changes() == [UPDATE]


@pytest.mark.parametrize("state", ["queued", "leased"])
def test_a_job_that_is_known_not_to_be_at_it_does_not_count(state: str) -> None:
    job(state)
    assert standing(listing(UPDATE), UPDATE, LATER, without=JOB) == (OpenStanding.UNSENT, UPDATE)
    assert standing(listing(UPDATE), UPDATE, LATER, without="another") == (OpenStanding.ALIVE, UPDATE)


@pytest.mark.parametrize("state", ["dead", "cancelled", "succeeded"])
def test_what_its_job_has_sent_is_unconfirmed_with_all_that_the_job_knew(state: str) -> None:
    job(state, SENT.payload(ID), ERROR)
    row = listing(UPDATE)
    how, known = standing(row, UPDATE, LATER)
    assert how is OpenStanding.UNCONFIRMED
    assert known.doubt == Doubt("lease_expired", "its worker is gone", LATER, SENT.sending())
    assert change_order.clear(row, LATER)
    assert now().open_changes() == [known]
    assert now().shown_status == "UNCONFIRMED"
    assert story() == [(3, "UNCONFIRMED", "lease_expired")]


def test_what_its_batch_has_sent_is_unconfirmed_with_the_batch() -> None:
    sent = Sent(NOON, 2, "batch-1", first_at=NOON - 1)
    job("dead", {"action": "UPDATE", "listings": [[ID, 3, None]], "sent": vars(sent)}, ERROR)
    how, known = standing(listing(UPDATE), UPDATE, LATER)
    assert how is OpenStanding.UNCONFIRMED
    assert known.doubt
    assert (known.doubt.sending["batch_id"], known.doubt.sending["tries"]) == ("batch-1", 2)


def test_what_was_about_to_be_sent_when_its_job_was_lost_is_unconfirmed() -> None:
    job("dead", error=ERROR)
    how, known = standing(listing(UPDATE, running=3), UPDATE, LATER)
    assert how is OpenStanding.UNCONFIRMED
    assert known.doubt
    assert (known.doubt.code, known.doubt.sending["marketplace_id"]) == ("abandoned", "real-1")


@pytest.mark.parametrize("running", [None, 2])
@pytest.mark.parametrize("state", [None, "dead", "cancelled"])
def test_what_was_never_sent_is_settled_with_the_reason(state: str | None, running: int | None) -> None:
    earlier = replace(SENT, change=replace(UPDATE, number=2))
    if state:
        job(state, earlier.payload(ID), ERROR if state == "dead" else None)
    row = listing(UPDATE, running=running)
    assert standing(row, UPDATE, LATER) == (OpenStanding.UNSENT, UPDATE)
    assert change_order.clear(row, LATER)
    code = {None: "abandoned", "dead": "lease_expired", "cancelled": "cancelled"}[state]
    assert story() == [(3, "FAILED", code)]
    assert (now().open_changes(), now().status) == ([], "ACTIVE")
    [entry] = listings.history(TENANT, ID)
    assert entry.metadata["called"] is False


@pytest.mark.parametrize(("other", "status"), [(None, "FAILED"), (Action.UPDATE, "FAILED"), (Action.CREATE, "PENDING")])
def test_a_create_that_was_never_sent_leaves_it_to_another_whether_the_listing_comes_to_be(
    other: Action | None, status: str
) -> None:
    create = replace(UPDATE, number=1, action=Action.CREATE)
    others = [replace(UPDATE, number=2, action=other)] if other else []
    row = listing(create, *others, status="PENDING")
    change_order.give_up(row, create, LATER)
    assert now().status == status
    assert [change.number for change in now().open_changes()] == [one.number for one in others]


# whoever comes late: a change that is not open any more


def test_a_change_that_a_newer_one_has_replaced_is_not_settled_by_who_read_it_before() -> None:
    stale = replace(UPDATE, number=2)
    row = listing(UPDATE)
    change_order.give_up(row, stale, LATER)
    assert listings.history(TENANT, ID) == []
    assert settle.settle(TENANT, ID, stale, results.succeeded(stale, "ACTIVE"), LATER) is None
    assert listings.history(TENANT, ID) == []
    assert now().open_changes() == [UPDATE]
    assert now().applied is None


def test_a_change_that_a_newer_one_has_replaced_is_not_left_unconfirmed_by_who_read_it_before() -> None:
    stale = replace(UPDATE, number=2)
    listing(UPDATE)
    assert not settle.leave(TENANT, ID, stale, DOUBT, LATER)
    assert now().open_changes() == [UPDATE]
    assert listings.history(TENANT, ID) == []


def test_what_is_known_is_never_made_unknown_again() -> None:
    listing(UPDATE)
    settle.settle(TENANT, ID, UPDATE, results.succeeded(UPDATE, "ACTIVE"), LATER)
    known = listings.entry(TENANT, ID, UPDATE.number)
    assert not settle.leave(TENANT, ID, UPDATE, DOUBT, LATER)
    # Not even if the change stood there still.
    listing(UPDATE)
    assert not settle.leave(TENANT, ID, UPDATE, DOUBT, LATER)
    after = listings.entry(TENANT, ID, UPDATE.number)
    assert known
    assert after
    assert after.attribute_values == known.attribute_values
