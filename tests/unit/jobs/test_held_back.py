"""A batch comes to a worker when its slots are near, and manual work is handed out no further than that."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from sluice.jobs.budgets import ledger, slots
from sluice.jobs.dispatch import scheduler
from sluice.jobs.dispatch.snapshot import Accounts, Snapshot
from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.queue.enqueue import Result, enqueue
from sluice.jobs.run import worker
from sluice.jobs.run.messages import Batch, decode
from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.accounts.held import account_held
from sluice.platform import aws
from sluice.platform.clock import MINUTE, SECOND
from sluice.platform.config.document import Config
from sluice.platform.config.engine import Engine
from sluice.platform.config.limits import CallWindow, Limits
from sluice.platform.context import Context
from sluice.platform.observe import metrics
from sluice.platform.settings import settings
from tests.support.clock import VirtualClock
from tests.support.work import spec

pytestmark = pytest.mark.usefixtures("store")

LIMITS = Limits(interval_ms=500, tolerance_ms=0, by_account=True)
CONFIG = Config(limits={"stockx": LIMITS}, engine=Engine(batch=4))


def ask(clock: VirtualClock, many: int, priority: int = keys.MANUAL, tenant: str = "acme") -> None:
    for number in range(many):
        enqueue(spec(f"{tenant}-{priority}-{number}", tenant=tenant, priority=priority), clock.time)


def tick(clock: VirtualClock, config: Config = CONFIG) -> list[Batch]:
    sent: list[Batch] = []

    def active(asked: object, _: str) -> Mapping[str, str]:
        return dict.fromkeys(asked, "ACTIVE")  # type: ignore[call-overload, no-any-return]

    assert scheduler.tick(Snapshot(clock.time, config, Accounts(active)), sent.append).errors == 0
    return sent


def test_each_batch_of_a_budget_is_held_back_until_the_one_before_it_is_nearly_done(clock: VirtualClock) -> None:
    """Four calls of a batch take two seconds. A message needs a second to be with a worker."""
    ask(clock, 12, keys.BACKGROUND)
    assert [batch.after_ms for batch in tick(clock)] == [0, SECOND, 3 * SECOND]
    ask(clock, 4, keys.HOT)
    assert [batch.after_ms for batch in tick(clock)] == [5 * SECOND], "behind what was handed out before"
    clock.time += MINUTE
    ask(clock, 4, keys.HOT, tenant="globex")
    assert [batch.after_ms for batch in tick(clock)] == [0]


def test_work_of_other_accounts_and_work_without_slots_is_held_back_by_nothing(clock: VirtualClock) -> None:
    ask(clock, 4, keys.BACKGROUND)
    ask(clock, 4, keys.BACKGROUND, tenant="globex")
    assert [batch.after_ms for batch in tick(clock)] == [0, 0]
    ask(clock, 40, keys.BACKGROUND, tenant="initech")
    unpaced = Config(limits={"stockx": Limits(by_account=True)}, engine=Engine(batch=4))
    assert {batch.after_ms for batch in tick(clock, unpaced)} == {0}


def test_background_work_holds_no_manual_batch_back(clock: VirtualClock) -> None:
    ask(clock, 100, keys.BACKGROUND)
    tick(clock)
    ask(clock, 4)
    [manual] = tick(clock)
    assert (manual.manual, manual.after_ms) == (True, 0)


def test_manual_work_is_handed_out_for_six_seconds_and_the_last_batch_says_that_more_waits(
    clock: VirtualClock,
) -> None:
    ask(clock, 20)
    sent = tick(clock)
    assert [(len(batch.jobs), batch.more) for batch in sent] == [(4, 0), (4, 0), (4, 500)]
    assert decode(sent[2].encode()).more == 500
    assert tick(clock) == [], "the slots are spoken for"
    clock.time += 2 * SECOND
    assert [(len(batch.jobs), batch.more) for batch in tick(clock)] == [(4, 500)]
    clock.time += MINUTE
    Job.scan()
    while sent := tick(clock):
        assert sent[-1].more or not [job for job in Job.scan() if job.state == "queued"]
        clock.time += 3 * SECOND
    assert {job.state for job in Job.scan()} == {"leased"}


def test_who_fills_the_slots_asks_for_whoever_comes_after_it(clock: VirtualClock) -> None:
    """Nobody waits behind it yet; who comes now finds no room, and no batch of its own that could ask for it."""
    ask(clock, 12)
    assert [batch.more for batch in tick(clock)] == [0, 0, 500]
    clock.time += MINUTE
    ask(clock, 11, tenant="globex")
    assert [batch.more for batch in tick(clock)] == [0, 0, 0]


def test_manual_work_is_not_left_where_nobody_asks_for_it(clock: VirtualClock) -> None:
    """Background work and looks at operations have taken the slots far ahead, and none of them asks for what waits.

    One batch waits behind them, and asks for the others; no other worker is sent to wait with it.
    """
    slots.reserve_slots("stockx:acme", LIMITS, 9, clock.time)
    ask(clock, 5)
    [batch] = tick(clock)
    assert (len(batch.jobs), batch.more, batch.after_ms) == (1, 500, 0)
    assert tick(clock) == []
    clock.time += 2 * SECOND
    assert [(len(batch.jobs), batch.more) for batch in tick(clock)] == [(4, 0)]


def test_who_comes_alone_behind_taken_slots_asks_for_whoever_comes_after_it(clock: VirtualClock) -> None:
    slots.reserve_slots("stockx:acme", LIMITS, 9, clock.time)
    ask(clock, 1)
    [batch] = tick(clock)
    assert (len(batch.jobs), batch.more) == (1, 500)


def test_runs_that_manual_work_asks_for_hand_out_no_other_work_by_the_job(clock: VirtualClock) -> None:
    """150 calls fill 75 seconds. Full batches come when nine of these have passed; manual work waits for none."""
    ask(clock, 180, keys.HOT)
    assert sum(len(batch.jobs) for batch in tick(clock)) == 150
    clock.time += 2 * SECOND
    assert tick(clock) == []
    ask(clock, 2)
    assert [(batch.manual, len(batch.jobs)) for batch in tick(clock)] == [(True, 2)]
    clock.time += 9 * SECOND
    assert [len(batch.jobs) for batch in tick(clock)] == [4, 4, 4, 4, 4]


@pytest.mark.parametrize(("manual", "hot"), [(140, 0), (120, 30)])
def test_manual_work_that_is_left_behind_has_its_slots_before_other_work_by_the_job(
    manual: int, hot: int, clock: VirtualClock
) -> None:
    """140 calls take 70 of the 75 seconds that are handed out; what is left would make another small batch."""
    ask(clock, manual)
    ask(clock, 40, keys.HOT)
    assert sum(len(batch.jobs) for batch in tick(clock) if not batch.manual) == hot


def test_what_a_window_that_rolls_can_start_is_counted_batch_by_batch(clock: VirtualClock) -> None:
    """40 calls in any ten seconds are 240 in a minute. Of a window that is short, nothing is kept for other work."""
    ask(clock, 240, keys.BACKGROUND)
    rolling = Limits((CallWindow(40, seconds=10),), by_account=True)
    sent = tick(clock, Config(limits={"stockx": rolling}, engine=Engine(batch=4)))
    assert sum(len(batch.jobs) for batch in sent) == 240
    until = ledger.read("stockx:acme", clock.time).admitted_until
    assert 50 * SECOND <= until - clock.time <= MINUTE


@pytest.fixture
def nudges(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    found: list[str] = []
    monkeypatch.setenv("SCHEDULER_FUNCTION", "scheduler")
    settings.cache_clear()
    monkeypatch.setattr(worker, "nudge", lambda now: found.append(str(now)))
    monkeypatch.setattr(aws, "invoke_later", lambda *_: None)
    monkeypatch.setattr(metrics.provider, "namespace", "Sluice/test")
    yield found
    metrics.clear_metrics()
    settings.cache_clear()


@pytest.mark.parametrize(("jobs", "asked"), [(20, 2), (12, 2), (1, 0)])
def test_whoever_runs_the_last_of_it_asks_for_more(
    clock: VirtualClock, nudges: list[str], jobs: int, asked: int
) -> None:
    """When half of the batch is done, so that the slots go on, and at its end, when there is room for certain."""
    ask(clock, jobs)
    for batch in tick(clock):
        assert worker.work({"1": batch.encode()}, Context(clock, CONFIG), clock.time + 2 * MINUTE) == []
    assert len(nudges) == asked


def test_what_a_batch_did_not_need_is_there_for_the_next(clock: VirtualClock, nudges: list[str]) -> None:
    """Its jobs make no call, so it ends at once: who waits behind it does not wait for the time that it was given."""
    ask(clock, 20)
    sent, began = tick(clock), clock.time
    assert ledger.read("stockx:acme", began).soon(LIMITS, began) == 0
    worker.work({"1": sent[-1].encode()}, Context(clock, CONFIG), clock.time + 2 * MINUTE)
    assert clock.time == began
    assert ledger.read("stockx:acme", began).soon(LIMITS, began) == 4
    assert sum(len(batch.jobs) for batch in tick(clock)) == 4


def test_sizes_of_one_product_are_handed_out_together(clock: VirtualClock) -> None:
    """One call may answer them all."""
    for product in "ab":
        for size in range(20):
            wish = spec(f"{product}-{size}", priority=keys.MANUAL)
            enqueue(replace(wish, job_id=keys.job_id("test.work", "stockx", product, str(size))), clock.time)
    slow = Config(limits={"stockx": Limits(interval_ms=10 * SECOND, by_account=True)})
    [batch] = tick(clock, slow)
    assert {job.job_id.split(":")[2] for job in batch.jobs} == {"a"}
    assert len(batch.jobs) == 20


def test_a_person_joins_nobody_elses_long_queue(clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another has asked for first waits behind that one's other work: it goes to the account that can do it now.

    An account that is as busy itself takes nothing over.
    """
    monkeypatch.setattr(accounts, "working", lambda asked, _: set(asked))
    held = account_held(clock.time, CONFIG)

    def joins(tenant: str) -> tuple[Result, str]:
        wish = spec(f"mallory-{keys.MANUAL}-9", tenant=tenant, priority=keys.MANUAL)
        answer = enqueue(wish, clock.time, held)
        return answer.result, Job.get(wish.job_id).tenant

    ask(clock, 20, tenant="mallory")
    assert not ledger.read("stockx:mallory", clock.time).crowded(LIMITS, clock.time)
    assert joins("initech") == (Result.MERGED, "mallory"), "its turn is about to come"
    tick(clock)
    assert ledger.read("stockx:mallory", clock.time).crowded(LIMITS, clock.time)
    ask(clock, 20, tenant="globex")
    tick(clock)
    assert joins("globex") == (Result.MERGED, "mallory"), "it has a long queue of its own"
    assert joins("acme") == (Result.MERGED, "acme")
    assert joins("initech") == (Result.MERGED, "acme")


def test_nobody_asks_more_urgently_and_has_it_wait_in_a_long_queue(
    clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`acme`'s background job, which `mallory` wants at once, stays with `acme`, in the background."""
    monkeypatch.setattr(accounts, "working", lambda asked, _: set(asked))
    ask(clock, 20, tenant="mallory")
    tick(clock)
    enqueue(spec("one"), clock.time)
    wish = spec("one", tenant="mallory", priority=keys.MANUAL)
    assert enqueue(wish, clock.time, account_held(clock.time, CONFIG)).result is Result.MERGED
    job = Job.get(wish.job_id)
    assert (job.tenant, job.priority) == ("acme", keys.BACKGROUND)


def test_what_a_tick_has_left_behind_is_old_news_after_a_minute(clock: VirtualClock) -> None:
    ask(clock, 20)
    tick(clock)
    usage = ledger.read("stockx:acme", clock.time)
    assert usage.crowded(LIMITS, clock.time)
    assert usage.crowded(LIMITS, clock.time + MINUTE - 1)
    assert not usage.crowded(LIMITS, clock.time + MINUTE)
    assert not usage.crowded(Limits(), clock.time)
