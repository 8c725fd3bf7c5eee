"""Jobs that run at their own second, and never more of them at once than their service allows."""

import threading
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice.jobs.budgets import ledger, refusals, seats
from sluice.jobs.budgets.windows import Window
from sluice.jobs.dispatch import scheduler
from sluice.jobs.dispatch.punctual import _PunctualRun, run_due
from sluice.jobs.dispatch.snapshot import Accounts, Snapshot
from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import BudgetClosed, Failure, HandlerResult
from sluice.jobs.model.run import Run
from sluice.jobs.queue import finish
from sluice.jobs.queue.cancel import Cancelled, cancel
from sluice.jobs.queue.enqueue import enqueue
from sluice.jobs.run.messages import Batch
from sluice.jobs.run.runner import Report
from sluice.platform.clock import HOUR, MINUTE, SECOND
from sluice.platform.config.document import Config
from sluice.platform.config.engine import Engine
from sluice.platform.config.limits import Limits, by_clock
from sluice.platform.context import Context
from tests.support import work
from tests.support.clock import VirtualClock
from tests.support.patience import SECONDS
from tests.support.store import Store
from tests.support.work import spec
from tests.unit.jobs.conftest import NOON

pytestmark = pytest.mark.usefixtures("store")

SERVICE = "stockx"
AT_ONCE = 3
CONFIG = Config(limits={"stockx": Limits(by_account=True, at_once=AT_ONCE)})
TIME = 2 * MINUTE


def active(accounts: Collection[str], _: str) -> Mapping[str, str]:
    return dict.fromkeys(accounts, "ACTIVE")


def run(clock: VirtualClock, handler: work.Handler, time: int = TIME, config: Config = CONFIG) -> Report:
    with work.kind(handler):
        done, report = run_due(
            Accounts(active), Context(clock, config), clock.time + time, lambda job, failure: None, service=SERVICE
        )
    assert not done.errors
    return report


def ask(clock: VirtualClock, name: str, seconds: float, tenant: str = "acme") -> None:
    enqueue(spec(name, tenant=tenant, due_at=clock.time + int(seconds * SECOND)), clock.time)


def test_each_job_runs_at_its_own_second(clock: VirtualClock) -> None:
    began, ran = clock.time, dict[str, int]()
    for name, seconds in (("a", 5), ("b", 0), ("c", 59.999), ("d", 17)):
        ask(clock, name, seconds)

    def handler(run: Run) -> HandlerResult:
        ran[run.payload["sku"]] = run.clock.now() - began
        return {}

    assert run(clock, handler).ends == {"completed": 4}
    assert ran == {"b": 0, "a": 5_000, "d": 17_000, "c": 59_999}


def test_what_is_due_after_the_window_is_left_to_the_next_run(clock: VirtualClock) -> None:
    ask(clock, "later", 61)
    assert run(clock, lambda run: {}).ends == {}
    clock.time += MINUTE
    assert run(clock, lambda run: {}).ends == {"completed": 1}


def test_a_run_starts_nothing_that_it_has_no_time_for(clock: VirtualClock) -> None:
    ask(clock, "now", 0)
    ask(clock, "late", 50)
    assert run(clock, lambda run: {}, time=MINUTE).ends == {"completed": 1}
    assert clock.time < Job.get(spec("late").job_id).due_at


def test_a_run_leaves_the_jobs_of_other_services_alone(clock: VirtualClock) -> None:
    ask(clock, "one", 0)
    config = Config(limits={**CONFIG.limits, "alias": CONFIG.limits[SERVICE]})
    for service, ends in (("alias", {}), (SERVICE, {"completed": 1})):
        until = clock.time + TIME
        _, report = run_due(Accounts(active), Context(clock, config), until, lambda *_: None, service=service)
        assert report.ends == ends


def test_no_more_than_half_of_the_seats_are_given_to_a_budget_that_was_slowed_down(clock: VirtualClock) -> None:
    limits = Limits(by_account=True, at_once=4, interval_ms=250)
    refusals.refuse("stockx:acme", limits, refusals.RefusedCall(clock.time + SECOND, "429"), clock.time)
    clock.time += MINUTE
    for number in range(4):
        ask(clock, f"{number}", 0)
    config = Config(limits={SERVICE: limits})
    punctual_run = _PunctualRun(Context(clock, config), clock.time + TIME, lambda *_: None, SERVICE)
    shares = punctual_run.seat(punctual_run.coming(Accounts(active)), [], clock.time)
    assert [len(share.jobs) for share in shares] == [2]


def test_the_scheduler_leaves_these_jobs_alone(clock: VirtualClock) -> None:
    ask(clock, "one", 0)
    sent: list[Batch] = []
    scheduler.tick(Snapshot(clock.time, CONFIG, Accounts(active)), sent.append)
    assert not sent
    scheduler.tick(Snapshot(clock.time, Config(), Accounts(active)), sent.append)
    assert len(sent) == 1, "and serves the same lane where nothing limits what runs at once"


class Patient(VirtualClock):
    """Its time stands still: who waits by it, waits until somebody has left a seat."""

    def __init__(self, time: int) -> None:
        super().__init__(time)
        self.left = threading.Event()

    def wait_until(self, at: int, wake: threading.Event) -> bool:
        assert self.left.wait(SECONDS)
        self.left.clear()
        return False


def test_no_more_run_at_once_than_there_are_seats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs overlap. No job ends before as many run as may."""
    clock, leave = Patient(NOON), seats.leave
    for number in range(12):
        ask(clock, f"{number}", 0, tenant="acme" if number % 2 else "zeta")

    def left(*which: Any) -> None:
        leave(*which)
        clock.left.set()

    monkeypatch.setattr(seats, "leave", left)
    lock, full, running, most = threading.Lock(), threading.Event(), set[str](), list[int]()

    def handler(run: Run) -> HandlerResult:
        with lock:
            running.add(run.job.job_id)
            most.append(len(running))
            if len(running) == AT_ONCE:
                full.set()
        assert full.wait(SECONDS)
        with lock:
            running.discard(run.job.job_id)
        return {}

    with work.kind(handler), ThreadPoolExecutor(2) as pool:
        context, deadline = Context(clock, CONFIG), clock.time + TIME
        runs = [
            pool.submit(run_due, Accounts(active), context, deadline, lambda *_: None, service=SERVICE)
            for _ in range(2)
        ]
        reports = [one.result()[1] for one in runs]
    assert max(most) == AT_ONCE
    assert sum(report.ends["completed"] for report in reports) == 12
    assert {job.state for job in Job.scan()} == {"succeeded"}


def test_a_job_that_takes_long_keeps_nobody_waiting_but_who_needs_its_seat(clock: VirtualClock) -> None:
    """`mallory`'s call hangs. The four jobs of `acme` need the two other seats twice, and end before it does."""
    ask(clock, "hangs", 0, tenant="mallory")
    for number in range(4):
        ask(clock, f"{number}", 0.001)
    clock.time += SECOND
    lock, left, all_done = threading.Lock(), [4], threading.Event()

    def handler(run: Run) -> HandlerResult:
        if run.job.tenant == "mallory":
            assert all_done.wait(SECONDS), "others wait for the end of a job that is none of theirs"
            return {}
        with lock:
            left[0] -= 1
            if not left[0]:
                all_done.set()
        return {}

    assert run(clock, handler).ends == {"completed": 5}


@pytest.mark.parametrize("round_", range(5))
def test_tenants_have_seats_in_turns(clock: VirtualClock, round_: int) -> None:
    """`mallory` has twelve jobs, all due before the one of `acme`: it runs among the first as many as there are seats.

    Who goes first is drawn by lot.
    """
    clock.time += round_
    for number in range(12):
        ask(clock, f"{number}", 0, tenant="mallory")
    ask(clock, "one", 0.5)
    clock.time += SECOND
    lock, begun, together = threading.Lock(), list[str](), threading.Barrier(AT_ONCE)

    def handler(run: Run) -> HandlerResult:
        with lock:
            begun.append(run.job.tenant)
            first = len(begun) <= AT_ONCE
        if first:
            together.wait(SECONDS)  # else one that is quick would leave its seat before another has begun
        return {}

    assert run(clock, handler).ends == {"completed": 13}
    assert "acme" in begun[:AT_ONCE]


def test_a_budget_that_was_slowed_down_leaves_half_of_the_seats_to_others(clock: VirtualClock) -> None:
    """`mallory`'s next slots lie seconds apart: its jobs only sit there and wait."""
    limits = Limits(by_account=True, at_once=AT_ONCE, interval_ms=250)
    for _ in range(4):
        clock.time = refusals.refuse(
            "stockx:mallory", limits, refusals.RefusedCall(clock.time + SECOND, "429"), clock.time
        )
    clock.time += 10 * MINUTE
    for number in range(AT_ONCE):
        ask(clock, f"{number}", 0, tenant="mallory")
    ask(clock, "later", 1)
    due = clock.time + SECOND  # not as its job says, which says while it runs when its lease ends
    done = threading.Event()

    def handler(run: Run) -> HandlerResult:
        if run.job.tenant == "acme":
            done.set()
            return {}
        with lock:
            clock.time = max(clock.time, due)
        assert done.wait(SECONDS), "all seats are taken by who only waits in them"
        return {}

    lock = threading.Lock()
    assert run(clock, handler, config=Config(limits={SERVICE: limits})).ends == {"completed": AT_ONCE + 1}


def take(at_once: int, accounts: str, now: int, until: int) -> list[str]:
    """A seat for each of these accounts, as far as there are some."""
    return list(seats.take("stockx", at_once, accounts.split(), now, until).values())


def test_seats_are_taken_by_one_and_given_back(clock: VirtualClock) -> None:
    until = clock.time + MINUTE
    first = take(4, "a b c", clock.time, until)
    assert len(first) == 3
    second = take(4, "d e f", clock.time, until + 1)
    assert len(second) == 1
    assert not set(first) & set(second)
    assert take(4, "g", clock.time, until) == []
    seats.leave("stockx", first, until)
    assert sorted(take(4, "a b c h i", clock.time, until)) == sorted(first)


def test_the_seat_of_a_worker_that_died_is_free_when_its_time_is_over(clock: VirtualClock) -> None:
    until = clock.time + MINUTE
    taken = take(2, "a a", clock.time, until)
    assert take(2, "a", until - 1, until + MINUTE) == []
    again = take(2, "a", until, until + MINUTE)
    assert len(again) == 1
    seats.leave("stockx", taken, until)
    assert len(take(2, "a a", until, until + MINUTE)) == 1, "what is another's by now is not given back"


def test_who_runs_has_its_seat_to_the_end_of_its_workers_time(clock: VirtualClock) -> None:
    """However long its job takes: until then nobody else has it."""
    ask(clock, "one", 0)
    free = list[int]()

    def handler(run: Run) -> HandlerResult:
        for now in (clock.time, clock.time + TIME - 1, clock.time + TIME):
            found = take(AT_ONCE, "a b c", now, now + MINUTE)
            seats.leave(SERVICE, found, now + MINUTE)
            free.append(len(found))
        return {}

    assert run(clock, handler).ends == {"completed": 1}
    assert free == [AT_ONCE - 1, AT_ONCE - 1, AT_ONCE]


def test_some_seats_are_kept_for_who_has_none(clock: VirtualClock) -> None:
    """Whichever run it comes to, and however much another has to do. Whoever has none may have the last of them."""
    until = clock.time + MINUTE
    first = take(10, "flood " * 20, clock.time, until)
    assert len(first) == 8
    assert seats.take("stockx", 10, ["flood", "few"], clock.time, until).keys() == {1}
    assert seats.take("stockx", 10, ["flood", "few", "other"], clock.time, until).keys() == {2}
    seats.leave("stockx", first[:3], until)
    assert len(take(10, "flood " * 20, clock.time, until)) == 1


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 9), st.integers(0, 3)), max_size=12), st.integers(1, 9)
)
def test_no_account_that_has_a_seat_takes_what_is_kept(
    store: Store, rounds: list[tuple[str, int, int]], at_once: int
) -> None:
    """Whoever takes seats and leaves some: never more than there are, and what an account adds leaves the kept ones."""
    store.clear()
    had: dict[str, list[str]] = {"a": [], "b": [], "c": []}
    for account, wanted, left in rounds:
        free = at_once - sum(map(len, had.values()))
        new = take(at_once, " ".join(account * wanted), NOON, NOON + MINUTE)
        kept = at_once // seats.KEPT_PART
        assert len(new) == min(wanted, max(free - kept, 0 if had[account] else min(1, free)))
        had[account] += new
        seats.leave("stockx", had[account][:left], NOON + MINUTE)
        had[account] = had[account][left:]


def test_who_finds_no_seat_waits_for_one(clock: VirtualClock) -> None:
    began = clock.time
    take(AT_ONCE, "a " * AT_ONCE, clock.time, clock.time + 10 * SECOND)
    ask(clock, "one", 0)
    ran: list[int] = []

    def handler(run: Run) -> HandlerResult:
        ran.append(run.clock.now() - began)
        return {}

    run(clock, handler)
    assert ran == [10_000]


def test_what_the_window_has_no_calls_for_waits(clock: VirtualClock) -> None:
    config = Config(limits={"stockx": Limits(by_clock(2), by_account=True, at_once=AT_ONCE)})
    for name in "abc":
        ask(clock, name, 0)

    def handler(run: Run) -> HandlerResult:
        run.calls.take()
        return {}

    assert run(clock, handler, config=config).ends == {"completed": 2}
    assert ledger.read("stockx:acme", clock.time).hour == 2
    clock.time = Window.at(clock.time).end + SECOND
    assert run(clock, handler, config=config).ends == {"completed": 1}


def test_a_budget_that_was_refused_is_asked_for_nothing_more(
    clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the table took no note of it. Each job is a batch of its own."""
    monkeypatch.setattr(ledger, "close", lambda *_, **__: None)
    for name in "abc":
        ask(clock, name, 0)
    begun = list[str]()

    def handler(run: Run) -> HandlerResult:
        begun.append(run.job.job_id)
        run.calls.close(clock.time + HOUR, "429")
        raise BudgetClosed("429", retry_at=clock.time + HOUR)

    run(clock, handler, config=Config(limits=CONFIG.limits, engine=Engine(batch=1)))
    assert len(begun) == 1
    assert sorted(job.lease for job in Job.scan()) == [0, 0, 1]


def test_a_kind_with_a_timetable_is_tried_at_its_times(clock: VirtualClock) -> None:
    waits = (MINUTE, 2 * MINUTE, 4 * MINUTE)
    config = Config(limits=CONFIG.limits, engine=Engine(timetables={work.KIND.name: waits}))
    began, tried = clock.time, list[int]()
    ask(clock, "one", waits[0] / SECOND)

    def handler(run: Run) -> HandlerResult:
        tried.append(run.clock.now() - began)
        raise Failure("not yet")

    for minute in range(12):
        clock.time = began + minute * MINUTE + 7 * SECOND  # whenever in its minute a run begins
        run(clock, handler, config=config)
    assert tried == [1 * MINUTE, 3 * MINUTE, 7 * MINUTE]
    assert Job.get(spec("one").job_id).state == "dead"


def test_a_job_that_was_undone_can_be_cancelled_and_changed_again(clock: VirtualClock) -> None:
    def begin(run: Run, *, undone: bool) -> HandlerResult:
        finish.begin(run.job, run.payload, run.clock.now())
        failure = Failure("the marketplace said no" if undone else "no answer")
        failure.undone = undone
        raise failure

    ask(clock, "one", 0)
    job_id = spec("one").job_id
    run(clock, lambda run: begin(run, undone=False))
    assert Job.get(job_id).begun
    assert cancel(job_id, "acme", clock.time, CONFIG) is Cancelled.RUNNING
    clock.time += 10 * MINUTE
    run(clock, lambda run: begin(run, undone=True))
    assert not Job.get(job_id).begun
    assert cancel(job_id, "acme", clock.time, CONFIG) is Cancelled.CANCELLED


def test_what_was_asked_while_it_ran_takes_the_place_of_what_was_undone(clock: VirtualClock) -> None:
    ask(clock, "one", 0)
    other = replace(spec("one"), payload={"sku": "other"}, replace=True, priority=keys.HOT)

    def handler(run: Run) -> HandlerResult:
        enqueue(other, run.clock.now())
        failure = Failure("the marketplace said no")
        failure.undone = True
        raise failure

    run(clock, handler)
    job = Job.get(other.job_id)
    assert (job.state, job.payload) == ("queued", {"sku": "other"})
    assert job.rerun is None
    assert not job.rerun_payload
    assert job.attempts == 1
    clock.time += 10 * MINUTE
    assert run(clock, lambda run: {"done": run.payload["sku"]}).ends == {"completed": 1}
    assert Job.get(other.job_id).result == {"done": "other"}
