"""A publish whose end no attempt tells: its record says from then on that nobody tries it, and is looked at again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest

from local.sandbox.ebay.inventory.faults import StaleRead
from sluice.jobs import ask
from sluice.jobs.dispatch import transfers
from sluice.jobs.dispatch.snapshot import Accounts, Snapshot
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import CannotSucceed
from sluice.jobs.model.states import CANCELLED, DEAD, QUEUED, SUCCEEDED
from sluice.jobs.queue import cancel, lanes, unreadable
from sluice.listings import given_up
from sluice.listings.ebay import aftermath, asking, handler, kinds, steps, views, wishes
from sluice.listings.ebay import table as records
from sluice.listings.ebay.asking import Outcome
from sluice.listings.ebay.change import Asker
from sluice.listings.ebay.table import Record
from sluice.marketplaces.accounts import table as accounts
from sluice.platform import aws, tables
from sluice.platform.clock import HOUR
from sluice.platform.observe import logger
from tests.crash.points import Killed
from tests.support.ebay_seller import ACCOUNT, SKU, TENANT, EbaySeller, refuse_connection
from tests.support.ebay_wanted import SHOES, record, size
from tests.support.store import Answer, Request, Send, Store
from tests.support.stream import changes
from tests.unit.ebay_publish.test_comparing import look
from tests.unit.ebay_publish.test_groups import job as group_job

LAST = kinds.PUBLISH.max_attempts
OTHER = record(title="Another title")


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "put_events", lambda events: None)
    changes("jobs")


def tell() -> int:
    """The stream of table `jobs` is handed over, twice; how many records say something else than before."""
    ended = changes("jobs")
    told = given_up.tell(ended)
    assert given_up.tell(ended) == 0
    return told


def state(seller: EbaySeller) -> tuple[str, str | None, bool | None]:
    """What the tenant is told of the record: its state, and why the newest attempt did not succeed."""
    shown = views.view(seller.record(), seller.clock.time)
    error = shown["error"]
    return (shown["state"], error["code"], error["final"]) if error else (shown["state"], None, None)


def put(seller: EbaySeller, **more: Any) -> asking.Done:
    """The seller's software says by the API how the listing is to be."""
    return asking.put(Asker(TENANT, "ann", seller.clock.time, "put", seller.config), replace(OTHER, **more))


def killed(request: httpx.Request) -> None:
    """Whoever sends anything to eBay is killed with its worker."""
    if request.method != "GET" and "oauth" not in request.url.path:
        raise Killed


def lose_the_last_worker(seller: EbaySeller, job_id: str) -> None:
    """The last attempt is killed with its worker, at its first call that is no read; the lease is over."""
    tables.update(Job, (job_id,), [Job.attempts.set(LAST - 1)])
    seller.wire.before = killed
    seller.clock.time = max(seller.clock.time, Job.get(job_id).due_at or 0)
    with pytest.raises(Killed):
        seller.tick()
    seller.wire.before = lambda _: None
    assert Job.get(job_id).attempts == LAST
    over(seller)
    assert Job.get(job_id).state == DEAD


def over(seller: EbaySeller) -> None:
    """The leases of lost workers are over."""
    seller.later(seller.config.engine.lease_ms / 1000 + 1)
    seller.tick()


def test_a_record_whose_last_worker_was_lost_is_told_as_failed_and_put_again_is_published(seller: EbaySeller) -> None:
    put(seller)
    lose_the_last_worker(seller, seller.job().job_id)
    assert state(seller) == ("waiting", None, None)
    assert tell() == 1
    assert state(seller) == ("failed", "lease_expired", True)
    assert put(seller).outcome is Outcome.QUEUED
    seller.settle()
    assert (state(seller), tell()) == (("live", None, None), 0)


def test_the_attempts_before_the_lost_one_promise_no_other(seller: EbaySeller) -> None:
    put(seller)
    seller.wire.before = refuse_connection("PUT", times=1)
    seller.clock.time = seller.job().due_at or 0
    seller.tick()
    assert state(seller) == ("waiting", "unavailable", False)
    lose_the_last_worker(seller, seller.job().job_id)
    tell()
    assert state(seller) == ("failed", "lease_expired", True)


@pytest.mark.parametrize("failed", [False, True], ids=["lost worker", "last failure"])
def test_a_listing_whose_publish_was_given_up_midway_is_looked_at_again(seller: EbaySeller, failed: bool) -> None:
    put(seller)
    seller.settle()
    put(seller, description="<p>New.</p>")
    if failed:
        tables.update(Job, (seller.job().job_id,), [Job.attempts.set(LAST - 1)])
        seller.wire.before = refuse_connection("PUT", times=9)
        seller.clock.time = seller.job().due_at or 0
        seller.tick()
        seller.wire.before = lambda _: None
        assert seller.job().state == DEAD
        assert seller.record().run is None, "the attempt itself says that it sends no more"
    else:
        lose_the_last_worker(seller, seller.job().job_id)
        assert seller.record().run
    tell()
    assert seller.record().run is None
    before = seller.record().wanted.quantity
    seller.sandbox.ebay.sell(TENANT, SKU)
    look(seller)
    assert seller.record().wanted.quantity == before - 1
    assert state(seller)[0] == "failed", "what a sale changes asks for no publish"


def test_a_group_and_its_sizes(seller: EbaySeller) -> None:
    seller.put_group(SHOES, size("9"), size("10"))
    lose_the_last_worker(seller, group_job(seller).job_id)
    assert all(one.run for one in (seller.group("shoes"), seller.record("J1-9"), seller.record("J1-10")))
    assert tell() == 1
    found = seller.group("shoes")
    assert (views.state(found), found.error["code"]) == ("failed", "lease_expired")
    assert {one.run for one in (found, seller.record("J1-9"), seller.record("J1-10"))} == {None}


def test_a_size_that_another_attempt_has_begun_with_is_left_to_that(
    seller: EbaySeller, monkeypatch: pytest.MonkeyPatch
) -> None:
    seller.put_group(SHOES, size("9"), size("10"))
    lose_the_last_worker(seller, group_job(seller).job_id)
    find_many, left = records.find_many, ["J1-9"]

    def begun_meanwhile(*args: Any) -> dict[str, Record]:
        found = find_many(*args)
        while left:
            tables.update(Record, [TENANT, left.pop()], [Record.run.set("another's")])
        return found

    monkeypatch.setattr(records, "find_many", begun_meanwhile)
    tell()
    assert seller.record("J1-9").run == "another's"
    assert seller.record("J1-10").run is None


def test_a_record_whose_job_was_cancelled_says_so(seller: EbaySeller) -> None:
    done = put(seller)
    assert done.enqueued
    assert cancel.cancel(done.enqueued.job_id, TENANT, seller.clock.time, seller.config) == CANCELLED
    assert tell() == 1
    assert state(seller) == ("failed", "cancelled", True)
    put(seller)
    seller.settle()
    assert state(seller) == ("live", None, None)


@pytest.mark.parametrize("archive", [True, False], ids=["deleted", "put as ended"])
def test_of_a_listing_that_was_to_be_ended_it_says_when_it_is(seller: EbaySeller, archive: bool) -> None:
    put(seller)
    seller.settle()

    def end() -> Outcome:
        by = Asker(TENANT, "ann", seller.clock.time, "delete", seller.config)
        return asking.put(by, asking.ended(seller.record()), archive=archive).outcome

    end()
    cancel.cancel(seller.job().job_id, TENANT, seller.clock.time, seller.config)
    assert (tell(), len(seller.live())) == (1, 1)
    assert (
        seller.record().error["message"] == "its job was cancelled: its listing is ended when that is asked for again"
    )
    assert end() is Outcome.QUEUED
    seller.settle()
    assert (seller.live(), seller.record().error) == ([], None)


def test_a_record_whose_account_has_not_worked_for_a_week_says_so(seller: EbaySeller) -> None:
    put(seller)
    accounts.disconnect(ACCOUNT, seller.clock.time)
    for _ in range(2):
        known = Accounts(accounts.statuses, accounts.applications, accounts.working)
        transfers.sweep(Snapshot(seller.clock.time, seller.config, known), lanes.active())
        seller.later(seller.config.engine.broken_ms / 1000)
    assert seller.job().state == DEAD
    tell()
    assert state(seller) == ("failed", "account_not_working", True)


@pytest.mark.parametrize("lost", [(), ("kind", "tenant", "payload")], ids=["", "nothing but its key is left"])
def test_a_record_whose_job_cannot_be_read_says_so(seller: EbaySeller, tables: Store, lost: tuple[str, ...]) -> None:
    put(seller)
    item = tables.item("jobs", job_id=seller.job().job_id)
    assert item
    left = {name: value for name, value in item.items() if name not in lost}
    tables.put("jobs", {**left, "lease": {"S": "nonsense"}})
    assert unreadable.discard(item["job_id"]["S"], seller.clock.time, seller.config)
    tell()
    assert state(seller) == ("failed", "unreadable", True)


def test_a_fault_of_ours_that_ends_the_last_attempt_is_told(
    seller: EbaySeller, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(seller)
    monkeypatch.setattr(handler, "_begin", lambda *_: 1 / 0)
    monkeypatch.setattr(EbaySeller, "_observe", lambda *_: None)
    seller.settle()
    tell()
    assert state(seller) == ("failed", "handler_error", True)


@contextmanager
def refusing() -> Iterator[None]:
    """eBay takes nothing."""

    def refuse(*_: object) -> None:
        raise CannotSucceed("eBay takes none of these", code="refused")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps, "take", refuse)
        yield


def refused(seller: EbaySeller) -> None:
    """It is asked for, and eBay takes none of it."""
    asked_anew(seller)
    with refusing():
        seller.settle()


def test_what_an_attempt_has_said_stays(seller: EbaySeller) -> None:
    put(seller)
    refused(seller)
    before = seller.record().error
    assert (before["code"], tell(), seller.record().error) == ("refused", 0, before)


def test_what_was_said_of_an_earlier_version_is_not_said_of_this_one(seller: EbaySeller) -> None:
    put(seller)
    refused(seller)
    put(seller, description="<p>New.</p>")
    cancel.cancel(seller.job().job_id, TENANT, seller.clock.time, seller.config)
    assert state(seller)[0] == "waiting"
    assert (tell(), state(seller)) == (1, ("failed", "cancelled", True))


def test_what_was_published_all_the_same_stays_so(seller: EbaySeller) -> None:
    put(seller)
    seller.settle()
    put(seller, title="A third title")
    put(seller)  # as it was
    assert seller.job().state == QUEUED
    assert cancel.cancel(seller.job().job_id, TENANT, seller.clock.time, seller.config) == CANCELLED
    assert (tell(), state(seller)) == (0, ("live", None, None))


def test_a_record_that_has_joined_a_group_is_published_by_that(seller: EbaySeller) -> None:
    alone = size("9")
    asking.put(Asker(TENANT, "ann", seller.clock.time, "put", seller.config), replace(alone, group=None))
    seller.put_group(SHOES, alone, size("10"))
    cancel.cancel(kinds.publish_id(TENANT, alone.sku), TENANT, seller.clock.time, seller.config)
    assert (tell(), seller.record(alone.sku).error) == (0, None)


def test_a_record_that_there_is_not_needs_no_word(seller: EbaySeller) -> None:
    put(seller)
    Record.get(TENANT, SKU).delete()
    cancel.cancel(kinds.publish_id(TENANT, SKU), TENANT, seller.clock.time, seller.config)
    assert tell() == 0


def test_a_job_whose_key_does_not_say_which_record_it_is_about_stops_nobody(
    seller: EbaySeller, tables: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(seller)
    item = tables.item("jobs", job_id=seller.job().job_id)
    assert item
    tables.put("jobs", {**item, "job_id": {"S": "listing.publish:x"}})
    put(seller, title="A third title")
    for job_id in ("listing.publish:x", seller.job().job_id):
        cancel.cancel(job_id, TENANT, seller.clock.time, seller.config)
    said: list[str] = []
    monkeypatch.setattr(logger, "error", lambda message, **_: said.append(message))
    assert (tell(), state(seller)[1]) == (1, "cancelled")
    assert set(said) == {"nobody knows which record a publish was about that has ended"}


def asked_anew(seller: EbaySeller) -> None:
    """By whoever asks for what the record says, as a replay of the dead letter does: the record stays as it is."""
    ask.want(wishes.publish(TENANT, SKU, "ann", seller.clock.time), seller.clock.time, seller.config)


def changed(seller: EbaySeller) -> None:
    put(seller, title="A third title")


def begun(seller: EbaySeller) -> None:
    asked_anew(seller)
    seller.clock.time = max(seller.clock.time, seller.job().due_at or 0)
    seller.wire.before = killed
    with pytest.raises(Killed):
        seller.tick()


def published(seller: EbaySeller) -> None:
    asked_anew(seller)
    seller.settle()


def cancelled(seller: EbaySeller) -> None:
    put(seller)
    cancel.cancel(seller.job().job_id, TENANT, seller.clock.time, seller.config)


def lost(seller: EbaySeller) -> None:
    put(seller)
    lose_the_last_worker(seller, seller.job().job_id)


@pytest.mark.parametrize("end", [cancelled, lost])
@pytest.mark.parametrize(
    ("when", "then"),
    [
        *((when, then) for when in ("before", "between") for then in (asked_anew, changed, begun, published, refused)),
        # Who is only asked for anew at that moment says as much as a letter that is replayed: the end before.
        *(("at the write", then) for then in (changed, begun, published, refused)),
    ],
)
def test_who_asks_anew_meanwhile_is_not_told_of_the_end_before(
    seller: EbaySeller,
    tables: Store,
    monkeypatch: pytest.MonkeyPatch,
    end: Callable[[EbaySeller], None],
    when: str,
    then: Callable[[EbaySeller], None],
) -> None:
    """Whether that comes before the record is looked at, before the job is, or before the write."""
    end(seller)
    ended, left = changes("jobs"), [then]
    if when == "before":
        left.pop()(seller)
    elif when == "between":
        last = aftermath._last
        monkeypatch.setattr(aftermath, "_last", lambda job: (left and left.pop()(seller), last(job))[1])
    else:

        def around(request: Request, send: Send) -> Answer:
            if left and is_the_word(request):
                left.pop()(seller)
            return send()

        tables.around = around
    given_up.tell(ended)
    tables.around = None
    assert not left
    assert state(seller)[1] == ("refused" if then is refused else None)
    seller.wire.before = lambda _: None
    over(seller)
    put(seller)
    seller.settle()
    assert state(seller) == ("live", None, None)


def cancelled_now(seller: EbaySeller) -> None:
    cancel.cancel(seller.job().job_id, TENANT, seller.clock.time, seller.config)
    tell()


def run_now(seller: EbaySeller) -> None:
    tables.update(Job, (seller.job().job_id,), [Job.due_at.set(seller.clock.time)])
    seller.tick()


def refused_now(seller: EbaySeller) -> None:
    with refusing():
        run_now(seller)


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (cancelled_now, ("failed", "cancelled", True)),
        (refused_now, ("failed", "refused", True)),
        (run_now, ("live", None, None)),
    ],
)
def test_a_look_that_finds_a_sale_leaves_what_a_publish_has_come_to_meanwhile(
    seller: EbaySeller, end: Callable[[EbaySeller], None], told: tuple[str, str | None, bool | None]
) -> None:
    """It has read the record before, and writes what it has found after."""
    put(seller)
    seller.settle()
    put(seller, description="<p>New.</p>")
    tables.update(Job, (seller.job().job_id,), [Job.due_at.set(seller.clock.time + HOUR)])
    seller.sandbox.ebay.sell(TENANT, SKU)
    left = [end]

    def meanwhile(request: httpx.Request) -> None:
        if left and request.url.path.endswith("/offer"):
            left.pop()(seller)

    seller.wire.before = meanwhile
    look(seller)
    assert not left
    assert (state(seller), seller.record().version) == (told, 2)
    look(seller)
    assert state(seller) == told


def test_a_first_look_leaves_what_a_publish_has_seen_meanwhile(seller: EbaySeller) -> None:
    """Nobody could see the listing when it was published first: what a look sees is the measure, unless it is old."""
    seller.sandbox.faults.set(StaleRead(seconds=600))
    put(seller)
    seller.settle()
    seller.sandbox.faults.clear()
    seller.later(1200)
    assert not seller.record().echo
    put(seller, description="<p>New.</p>")
    tables.update(Job, (seller.job().job_id,), [Job.due_at.set(seller.clock.time + HOUR)])
    left = [run_now]

    def meanwhile(request: httpx.Request) -> None:
        if left and request.url.path.endswith("/offer"):
            left.pop()(seller)
            seen.append(seller.record().echo)

    seen = list[bytes | None]()
    seller.wire.after = lambda request, _: meanwhile(request)
    look(seller)
    assert seen[0]
    assert seller.record().echo == seen[0]
    assert look(seller)["drift"] == 0


def is_the_word(request: Request) -> bool:
    """Whether the record is told that it is given up."""
    said = str(request.parameters)
    return request.operation == "UpdateItem" and ("lease_expired" in said or '"cancelled"' in said)


def test_an_answer_that_was_lost_is_no_second_word(seller: EbaySeller, tables: Store) -> None:
    put(seller)
    lose_the_last_worker(seller, seller.job().job_id)
    again = [True]

    def around(request: Request, send: Send) -> Answer:
        if again and is_the_word(request):
            again.pop()
            send()  # and the client sends it once more
        return send()

    tables.around = around
    given_up.tell(changes("jobs"))
    tables.around = None
    assert state(seller) == ("failed", "lease_expired", True)


def test_a_record_that_is_changed_all_the_time_is_come_back_to(
    seller: EbaySeller, tables: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sluice.platform.races import ROUNDS, Contention
    from sluice.platform.tables import update
    from tests.support.network import no_pauses

    put(seller)
    lose_the_last_worker(seller, seller.job().job_id)
    find = records.find

    def found(tenant: str, sku: str) -> Record | None:
        before = find(tenant, sku)
        assert before
        update(Record, [tenant, sku], [Record.version.set(before.version + 1)])
        return before

    monkeypatch.setattr(records, "find", found)
    with no_pauses(), pytest.raises(Contention, match=f"was changed .* {ROUNDS} times"):
        given_up.tell(changes("jobs"))


# ── put again while it runs ──


def test_the_same_record_put_again_while_its_last_attempt_runs_is_served_though_that_dies(seller: EbaySeller) -> None:
    put(seller)
    tables.update(Job, (seller.job().job_id,), [Job.attempts.set(LAST - 1)])
    answers = list[asking.Done]()

    def before(request: httpx.Request) -> None:
        if not answers:
            answers.append(put(seller))
            raise Killed

    seller.wire.before = before
    seller.clock.time = seller.job().due_at or 0
    with pytest.raises(Killed):
        seller.tick()
    [done] = answers
    assert done.enqueued
    assert (done.outcome, done.version, done.enqueued.job_id) == (Outcome.QUEUED, 1, seller.job().job_id)
    over(seller)
    seller.settle()
    assert (tell(), state(seller), seller.record().version) == (0, ("live", None, None), 1)


def test_what_was_put_right_while_an_attempt_failed_for_it_is_tried_again(seller: EbaySeller) -> None:
    """The seller mends at eBay what an attempt is refused for, and puts the same record before that is told."""
    put(seller)
    asked = list[asking.Done]()

    def before(request: httpx.Request) -> None:
        if request.method == "PUT" and not asked:
            asked.append(put(seller))
            raise httpx.ConnectError("refused", request=request)

    seller.wire.before = before
    tables.update(Job, (seller.job().job_id,), [Job.attempts.set(LAST - 1)])
    seller.settle()
    assert asked
    assert (seller.job().state, state(seller)) == (SUCCEEDED, ("live", None, None))


def test_the_same_group_put_again_while_it_runs_runs_once_more_and_sends_nothing(seller: EbaySeller) -> None:
    seller.put_group(SHOES, size("9"), size("10"))
    asked = list[asking.Done]()
    by = Asker(TENANT, "ann", seller.clock.time, "put", seller.config)

    def before(request: httpx.Request) -> None:
        if request.method == "PUT" and not asked:
            asked.extend(asking.put(by, one) for one in (SHOES, size("9")))

    seller.wire.before = before
    seller.settle()
    assert [one.outcome for one in asked] == [Outcome.QUEUED, Outcome.UNCHANGED], "the size joins what is to run"
    assert [one for one in seller.calls() if "publish_by" in one] == ["POST offer/publish_by_inventory_item_group"]
    assert group_job(seller).result["outcome"] == "unchanged"


def test_a_listing_whose_end_was_given_up_can_be_ended_again(seller: EbaySeller) -> None:
    put(seller)
    seller.settle()

    def end() -> Outcome:
        by = Asker(TENANT, "ann", seller.clock.time, "delete", seller.config)
        return asking.put(by, asking.ended(seller.record()), archive=True).outcome

    assert end() is Outcome.QUEUED
    lose_the_last_worker(seller, seller.job().job_id)
    tell()
    assert seller.record().error["final"]
    assert len(seller.live()) == 1
    assert (end(), end()) == (Outcome.QUEUED, Outcome.UNCHANGED)
    seller.settle()
    assert (seller.live(), state(seller), end()) == ([], ("archived", None, None), Outcome.UNCHANGED)
