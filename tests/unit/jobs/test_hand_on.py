"""Handing on: what is reserved is what was claimed, whoever else claims meanwhile, and as much as there is room for."""

from dataclasses import replace

import pytest
from botocore.exceptions import EndpointConnectionError

from sluice.jobs.budgets import ledger
from sluice.jobs.budgets.pace import Slowed
from sluice.jobs.budgets.refusals import Refusals
from sluice.jobs.budgets.shares import Shares
from sluice.jobs.budgets.windows import Usage, Window
from sluice.jobs.dispatch.admission import Room
from sluice.jobs.dispatch.find_ready import NOT_READ, Ready
from sluice.jobs.dispatch.hand_on import hand_on
from sluice.jobs.dispatch.rounds import Done
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import BudgetClosed
from sluice.jobs.queue.enqueue import enqueue
from sluice.jobs.run.messages import Batch
from sluice.platform.clock import MINUTE
from sluice.platform.config.document import Config
from sluice.platform.config.engine import Engine
from sluice.platform.config.limits import Limits, by_clock
from tests.support.store import Answer, Request, Send, Store
from tests.support.work import spec
from tests.unit.jobs.conftest import NOON

BUDGET = "stockx:acme"
HOURLY = Limits(by_clock(100))
OPEN = Room(None, None, None)

pytestmark = pytest.mark.usefixtures("store")


def waiting(names: str) -> list[Candidate]:
    for name in names:
        enqueue(spec(name), NOON)
    return [Candidate.of(Job.get(spec(name).job_id)) for name in names]


def hand(
    picked: list[Candidate],
    limits: Limits = HOURLY,
    batch: int = 9,
    budget: str = BUDGET,
    refusals: Refusals | None = None,
    usage: Usage = NOT_READ,
    manual: bool = False,
    more: bool | None = None,
    room: Room = OPEN,
) -> tuple[list[Batch], Done]:
    sent, done = list[Batch](), Done()
    config = Config(limits={"stockx": limits}, engine=Engine(batch=batch))
    ready = Ready(budget, limits, room, usage=usage)
    hand_on(ready, picked, NOON, config, sent.append, done, refusals, manual=manual, more=more)
    return sent, done


def taken(candidate: Candidate) -> None:
    """Somebody else was first."""
    Job(candidate.job_id).update([Job.lease.set(5), Job.state.set("leased"), Job.lane.set("leased#0")])


def test_what_somebody_else_has_claimed_goes_without_its_calls() -> None:
    picked = waiting("abc")
    taken(picked[1])
    [batch], done = hand(picked)
    assert [job.job_id for job in batch.jobs] == [spec(name).job_id for name in "ac"]
    assert (batch.calls, batch.budget, batch.account) == (2, BUDGET, BUDGET)
    assert ledger.read(BUDGET, NOON).hour == 2
    assert (done.admitted, done.lost_claims, done.errors) == (2, 1, 0)


def test_a_batch_of_which_nothing_is_left_is_not_sent_and_the_next_one_has_its_turn() -> None:
    picked = waiting("abc")
    taken(picked[0])
    sent, done = hand(picked, batch=1)
    assert [job.job_id for batch in sent for job in batch.jobs] == [spec(name).job_id for name in "bc"]
    assert ledger.read(BUDGET, NOON).hour == 2
    assert (done.admitted, done.lost_claims) == (2, 1)


def test_where_it_is_not_known_whether_a_job_was_claimed_its_calls_stay_with_it(store: Store) -> None:
    """If the claim stands, its rescue gives them back."""
    picked = waiting("abc")
    [lost] = [one.job_id for one in picked[:1]]

    def around(request: Request, send: Send) -> Answer:
        if request.operation == "UpdateItem" and request.parameters["Key"].get("job_id") == {"S": lost}:
            raise EndpointConnectionError(endpoint_url="nowhere")
        return send()

    store.around = around
    [batch], done = hand(picked)
    store.around = None
    assert len(batch.jobs) == batch.calls == 2
    assert ledger.read(BUDGET, NOON).hour == 3
    assert (done.admitted, done.lost_claims) == (2, 1)


@pytest.mark.parametrize(
    ("left", "batch", "handed"), [(3, 1, 3), (2, 1, 2), (0, 1, 0), (2, 2, 2), (1, 2, 0), (2, 3, 0), (3, 3, 3)]
)
def test_batches_go_as_far_as_there_is_room(left: int, batch: int, handed: int) -> None:
    """What there is no room for is not claimed: it stays where it is."""
    limits = Limits(by_clock(left)) if left else Limits(by_clock(1))
    if not left:
        assert ledger.reserve_calls(BUDGET, limits, Window.of(BUDGET, NOON), 1)
    sent, done = hand(waiting("abc"), limits, batch)
    assert (sum(len(one.jobs) for one in sent), done.admitted) == (handed, handed)
    assert [Job.get(spec(name).job_id).state for name in "abc"] == ["leased"] * handed + ["queued"] * (3 - handed)
    assert ledger.read(BUDGET, NOON).hour == (handed if left else 1)


def test_what_a_tenant_has_had_of_an_applications_hour_is_what_was_claimed() -> None:
    picked, application = waiting("abc"), "ebay:app.3f9c"
    taken(picked[0])
    hand(picked, budget=application, room=OPEN._replace(shares=Shares(100, 0, 0)))
    assert ledger.read(application, NOON).had == {"acme": 2}


def test_where_no_hour_is_shared_nobody_counts_who_has_had_what_of_it() -> None:
    application = "ebay:app.3f9c"
    assert len(hand(waiting("abc"), budget=application)[0]) == 1
    assert ledger.read(application, NOON).had == {}


def test_who_is_refused_on_the_way_leaves_the_rest_in_its_lane() -> None:
    known = Refusals()
    known.note(BUDGET, BudgetClosed("429", retry_at=NOON + MINUTE))
    assert hand(waiting("ab"), refusals=known) == ([], Done())
    assert len(hand(waiting("ab"), refusals=Refusals())[0]) == 1


@pytest.mark.parametrize(
    ("pace", "after"),
    [
        # A message needs a second to be with a worker; a batch of shorter calls is no more than its own length early.
        (100, [0, 200 - 200, 400 - 200]),
        (500, [0, 0, 1_000]),
        (1_000, [0, 1_000, 3_000]),
        (0, [0, 0, 0]),
    ],
)
def test_a_batch_is_held_back_until_its_slots_are_near(pace: int, after: list[int]) -> None:
    sent, _ = hand(waiting("abcdef"), Limits(interval_ms=pace, tolerance_ms=0), batch=2)
    assert [batch.after_ms for batch in sent] == after


@pytest.mark.parametrize(
    ("names", "pace", "usage", "more", "asks"),
    [
        # The last batch asks for what waits behind it.
        ("abcd", 100, NOT_READ, True, [0, 100]),
        ("abcd", 100, NOT_READ, False, [0, 0]),
        ("abcd", 100, Usage(slowed=Slowed(300, 1)), True, [0, 300]),
        # Who fills the next six seconds asks for whoever comes after it.
        ("abcd", 1_500, NOT_READ, False, [0, 1_500]),
        ("abcd", 1_499, NOT_READ, False, [0, 0]),
        ("ab", 3_000, NOT_READ, False, [3_000]),
        # So does who waits behind slots that are taken far ahead.
        ("ab", 100, Usage(next_at=NOON + MINUTE), False, [100]),
    ],
)
def test_whoever_runs_manual_work_asks_for_what_waits_or_comes_behind_it(
    names: str, pace: int, usage: Usage, more: bool, asks: list[int]
) -> None:
    limits = Limits(interval_ms=pace, tolerance_ms=0)
    sent, _ = hand(waiting(names), limits, batch=2, usage=usage, manual=True, more=more)
    assert [batch.more for batch in sent] == asks
    assert ledger.read(BUDGET, NOON).left_at == (NOON if more else 0)


def test_background_work_asks_for_nothing() -> None:
    sent, _ = hand(waiting("abcd"), Limits(interval_ms=3_000, tolerance_ms=0), batch=2)
    assert [batch.more for batch in sent] == [0, 0]
    assert ledger.read(BUDGET, NOON).manual_until == 0, "and waits for manual work, which does not wait for it"


@pytest.mark.parametrize("manual", [True, False])
def test_the_clock_of_what_was_handed_out_is_moved_by_one_write_for_each_batch(store: Store, *, manual: bool) -> None:
    """Whether it lies ahead is known from the read with which the round began, and then from its own batches."""
    limits, writes = Limits(interval_ms=100, tolerance_ms=0), list[str]()

    def around(request: Request, send: Send) -> Answer:
        if request.parameters.get("TableName", "").endswith("-budgets"):
            writes.append(request.operation)
        return send()

    for _ in range(2):
        picked, usage = waiting("abcd"), ledger.read(BUDGET, NOON)
        store.around = around
        hand(picked, limits, batch=2, usage=usage, manual=manual)
        store.around = None
        for one in picked:
            Job(one.job_id).delete()
    assert writes == ["UpdateItem"] * 4


def test_work_at_set_times_moves_no_clock_for_it_starts_where_it_was_handed_out() -> None:
    limits = Limits(interval_ms=100, tolerance_ms=0)
    for at_once, until in ((1, 0), (0, NOON + 100)):
        hand(waiting("a" if at_once else "b"), replace(limits, at_once=at_once))
        assert ledger.read(BUDGET, NOON).admitted_until == until
