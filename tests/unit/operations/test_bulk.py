"""Many listings at once: batches of 100, followed item by item; the busy ones apart; what is lost is looked for."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal

import pytest

from local.sandbox.faults import Disconnect, ExpiredToken, Hang, NotFound, ServerError
from local.sandbox.outcomes import AtOnce, FailOperation, NeverEnd, StayPending, TextCounts, Vocabulary
from sluice.listings.stockx import aftermath, bulk
from sluice.listings.stockx.bulk import Answer, TermsEdit
from sluice.listings.stockx.changes import Action
from sluice.listings.stockx.request import AskedChange, ListingDraft
from sluice.listings.stockx.results import BatchRow, matched
from sluice.listings.stockx.table import Listing
from sluice.marketplaces.selling import BatchItem, Terms
from tests.support.desk import TENANT, USD_150, Desk
from tests.support.store import Answer as Found
from tests.support.store import Request, Store
from tests.unit.operations.test_recovery import LEASE_SECONDS, Killed, kill_after

BATCH = "/v2/selling/batch/*"


def ask(desk: Desk, action: Action, items: list[ListingDraft] | list[TermsEdit]) -> list[AskedChange]:
    answers: list[Answer] = bulk.ask(action, items, "stockx", desk.asker())
    assert all(isinstance(answer, AskedChange) for answer in answers)
    return [answer for answer in answers if isinstance(answer, AskedChange)]


def create(desk: Desk, number: int, *, first_amount: int = 100) -> list[AskedChange]:
    drafts = [
        ListingDraft(desk.variants[place % 10], Terms(str(first_amount + place // 10), "USD"))
        for place in range(number)
    ]
    return ask(desk, Action.CREATE, drafts)


def statuses(desk: Desk, asked: list[AskedChange]) -> list[str]:
    return [desk.listing(one.listing_id).status for one in asked]


def test_500_creates_are_five_calls(desk: Desk) -> None:
    asked = create(desk, 500)
    assert len({one.job_id for one in asked}) == 5
    desk.finish()
    assert desk.calls(method="POST", path=BATCH) == 5
    assert desk.calls(method="POST", path="/v2/selling/listings") == 0
    assert set(statuses(desk, asked)) == {"ACTIVE"}
    assert len(desk.real()) == 500
    assert len({desk.listing(one.listing_id).marketplace_id for one in asked}) == 500
    job = desk.job(asked[0].job_id)
    assert (job.state, job.result) == ("succeeded", {"status": "COMPLETED", "completed": 100, "failed": 0})


def test_each_listing_is_the_one_that_was_asked_for(desk: Desk) -> None:
    asked = create(desk, 40)
    desk.finish()
    real = {one.listing_id: one for one in desk.real()}
    for place, one in enumerate(asked):
        listing = desk.listing(one.listing_id)
        mine = real[listing.marketplace_id or ""]
        assert (mine.amount, listing.amount) == (str(100 + place // 10), str(100 + place // 10))
        assert listing.variant_id == desk.variants[place % 10]


def test_bulk_update_and_delete(desk: Desk) -> None:
    asked = create(desk, 30)
    desk.finish()
    ask(desk, Action.UPDATE, [TermsEdit(one.listing_id, Terms("99", "USD")) for one in asked])
    desk.finish()
    assert {one.amount for one in desk.real()} == {"99"}
    assert {desk.listing(one.listing_id).amount for one in asked} == {"99"}
    ask(desk, Action.DELETE, [TermsEdit(one.listing_id, Terms()) for one in asked])
    desk.finish()
    assert set(statuses(desk, asked)) == {"DELETED"}
    assert desk.calls(method="POST", path=BATCH) == 3
    assert desk.story(asked[0].listing_id) == [("CREATE", "ACTIVE"), ("UPDATE", "ACTIVE"), ("DELETE", "DELETED")]


@pytest.mark.parametrize("more", [[], [Vocabulary()], [TextCounts()], [StayPending(seconds=100)]])
def test_failed_items_make_a_batch_partial(desk: Desk, more: list[Vocabulary | TextCounts | StayPending]) -> None:
    desk.sandbox.faults.set(FailOperation(item=2, reason="Variant is restricted"), *more)
    asked = create(desk, 5)
    desk.finish()
    assert statuses(desk, asked) == ["ACTIVE", "ACTIVE", "FAILED", "ACTIVE", "ACTIVE"]
    job = desk.job(asked[0].job_id)
    assert (job.state, job.result) == ("succeeded", {"status": "PARTIAL", "completed": 4, "failed": 1})
    [entry] = desk.history(asked[2].listing_id)
    assert entry.metadata["error"]["message"] == "Variant is restricted"


def test_a_batch_of_failed_items_has_failed(desk: Desk) -> None:
    desk.sandbox.faults.set(FailOperation(reason="Price too low"))
    asked = create(desk, 3)
    desk.finish()
    job = desk.job(asked[0].job_id)
    assert (job.state, job.error["code"]) == ("dead", "batch_failed")
    assert "Price too low" in job.error["message"]
    assert set(statuses(desk, asked)) == {"FAILED"}


def test_a_busy_listing_waits_its_turn_apart_from_the_batch(desk: Desk) -> None:
    asked = create(desk, 3)
    desk.finish()
    desk.ask(asked[1].listing_id, Action.DEACTIVATE)
    changed = ask(desk, Action.UPDATE, [TermsEdit(one.listing_id, Terms("99", "USD")) for one in asked])
    assert changed[0].job_id == changed[2].job_id != changed[1].job_id
    desk.finish()
    assert {desk.listing(one.listing_id).amount for one in asked} == {"99"}
    assert [action for action, _ in desk.story(asked[1].listing_id)] == ["CREATE", "DEACTIVATE", "UPDATE"]


def test_a_change_after_a_batch_waits_for_it(desk: Desk) -> None:
    desk.sandbox.faults.set(StayPending(seconds=50))
    asked = create(desk, 2)
    desk.tick()
    deleted = desk.ask(asked[0].listing_id, Action.DELETE)
    desk.finish()
    assert desk.job(deleted.job_id).state == "succeeded"
    assert desk.story(asked[0].listing_id) == [("CREATE", "ACTIVE"), ("DELETE", "DELETED")]


def test_the_same_listing_twice_in_one_request(desk: Desk) -> None:
    [one] = create(desk, 1)
    desk.finish()
    ask(
        desk,
        Action.UPDATE,
        [TermsEdit(one.listing_id, Terms("99", "USD")), TermsEdit(one.listing_id, Terms("98", "USD"))],
    )
    desk.finish()
    assert not desk.listing(one.listing_id).open_changes()
    assert [action for action, _ in desk.story(one.listing_id)] == ["CREATE", "UPDATE", "UPDATE"]


def test_a_worker_killed_after_the_batch_call_makes_no_second_listings(desk: Desk) -> None:
    kill_after(desk, "POST", "/v2/selling/batch")
    asked = create(desk, 20)
    with pytest.raises(Killed):
        desk.tick()
    desk.later(LEASE_SECONDS)
    desk.finish()
    assert set(statuses(desk, asked)) == {"ACTIVE"}
    assert len(desk.real()) == 20
    assert desk.calls(method="POST", path=BATCH) == 1


def test_a_batch_create_that_never_arrives_is_sent_once_more_and_fails(desk: Desk) -> None:
    desk.sandbox.faults.set(ServerError(method="POST", path=BATCH, status=504))
    asked = create(desk, 3)
    desk.finish()
    assert desk.calls(method="POST", path=BATCH) == 2
    assert set(statuses(desk, asked)) == {"FAILED"}
    assert desk.job(asked[0].job_id).state == "dead"


@pytest.mark.parametrize("action", [Action.UPDATE, Action.DELETE])
def test_lost_updates_and_deletes_are_sent_again(desk: Desk, action: Action) -> None:
    asked = create(desk, 4)
    desk.finish()
    desk.sandbox.faults.set(Disconnect(method="POST", path=BATCH, last=1))
    terms = Terms("99", "USD") if action is Action.UPDATE else Terms()
    changed = ask(desk, action, [TermsEdit(one.listing_id, terms) for one in asked])
    desk.finish()
    assert desk.job(changed[0].job_id).result == {"status": "COMPLETED", "completed": 4, "failed": 0}
    assert desk.calls(method="POST", path=BATCH) == 3
    assert set(statuses(desk, asked)) == {"DELETED" if action is Action.DELETE else "ACTIVE"}


def test_a_batch_that_never_ends_times_out_item_by_item(desk: Desk) -> None:
    asked = create(desk, 3)
    desk.finish()
    desk.sandbox.faults.set(NeverEnd(item=1))
    changed = ask(desk, Action.UPDATE, [TermsEdit(one.listing_id, Terms("99", "USD")) for one in asked])
    desk.finish()
    result = {"status": "PARTIAL", "completed": 2, "failed": 0, "unconfirmed": 1}
    assert desk.job(changed[0].job_id).result == result
    assert [desk.story(one.listing_id)[-1][0] for one in asked] == ["UPDATE", "TIMEOUT", "UPDATE"]
    assert [desk.listing(one.listing_id).amount for one in asked] == ["99", "100", "99"]


def test_a_poll_that_fails_leaves_a_batch_as_it_is(desk: Desk) -> None:
    asked = create(desk, 3)
    desk.tick()
    for fault in (ServerError(path=BATCH), NotFound(path=BATCH), Hang(path=BATCH, hold_ms=1)):
        desk.sandbox.faults.set(fault)
        desk.later(60)
        assert desk.poll()["stats"]["inProgress"] == 1
        assert desk.job(asked[0].job_id).state == "waiting"
    desk.sandbox.faults.set()
    desk.later(60)
    assert desk.poll()["stats"]["completed"] == 1


def test_a_second_401_fails_the_batch_and_each_of_its_changes(desk: Desk) -> None:
    asked = create(desk, 3)
    desk.tick()
    desk.sandbox.faults.set(ExpiredToken(path=BATCH))
    desk.later(20)
    assert desk.poll()["stats"]["failed"] == 1
    assert desk.job(asked[0].job_id).error["code"] == "authentication_failed"
    assert [desk.story(one.listing_id) for one in asked] == [[("CREATE", "UNCONFIRMED")]] * 3


def test_a_batch_that_is_refused_as_a_whole_settles_all_its_changes(desk: Desk) -> None:
    drafts = [ListingDraft(desk.variants[0], Terms("150.50", "USD")), ListingDraft(desk.variants[1], USD_150)]
    asked = ask(desk, Action.CREATE, drafts)
    desk.tick()
    job = desk.job(asked[0].job_id)
    assert (job.state, job.error["code"]) == ("dead", "bad_request")
    assert [desk.story(one.listing_id) for one in asked] == [[("CREATE", "FAILED")]] * 2
    assert not any(desk.listing(one.listing_id).open_changes() for one in asked)
    assert not desk.real()


def test_references_make_a_bulk_create_repeatable(desk: Desk) -> None:
    drafts = [ListingDraft(desk.variants[0], USD_150, reference=f"box {number}") for number in range(3)]
    first = ask(desk, Action.CREATE, drafts)
    assert ask(desk, Action.CREATE, drafts) == first
    desk.finish()
    again = ask(desk, Action.CREATE, drafts)
    assert [(one.listing_id, one.job_id, one.open) for one in again] == [(o.listing_id, o.job_id, False) for o in first]
    assert len(desk.real()) == 3


def test_items_that_are_final_at_once(desk: Desk) -> None:
    desk.sandbox.faults.set(AtOnce())
    asked = create(desk, 3)
    desk.finish()
    assert set(statuses(desk, asked)) == {"ACTIVE"}


def test_a_second_run_finds_the_pairs_of_the_first() -> None:
    rows = [BatchRow(Listing(TENANT, str(number), variant_id="v"), None, "150") for number in range(3)]
    items = [BatchItem(item, "COMPLETED", f"real-{item}", "v", None, None) for item in "cab"]
    pairs = [(row.listing.listing_id, item.item_id if item else None) for row, item in matched(Action.CREATE, rows, [])]
    assert pairs == [("0", None), ("1", None), ("2", None)]
    some = [BatchItem(one.item_id, one.word, one.listing_id, "v", rows_amount(rows[0]), None) for one in items]
    found = [item.item_id if item else None for _, item in matched(Action.CREATE, rows, some)]
    assert found == [item.item_id if item else None for _, item in matched(Action.CREATE, rows, some[::-1])]
    assert found == ["a", "b", "c"]


def rows_amount(row: BatchRow) -> Decimal:
    return Decimal(row.amount or 0)


def test_what_a_dead_batch_has_left_is_found_in_one_read(desk: Desk, tables: Store) -> None:
    """Whoever follows the stream reads it, with everybody's next events behind: not listing by listing."""
    asked, around, reads = create(desk, 100), tables.around, Counter[str]()
    assert around
    [job] = [one for one in desk.jobs() if one.kind == "listing.batch"]
    desk.finish()

    def counting(request: Request, send: Callable[[], Found]) -> Found:
        reads[request.operation] += 1
        return around(request, send)

    tables.around = counting
    job.state = "dead"
    assert aftermath._left(job, desk.clock.time) is False
    assert (len(asked), reads) == (100, Counter(BatchGetItem=1))
