"""A batch in a worker: what happens to one job is that job's alone, and what concerns all of them is known at once."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from sluice.jobs.budgets import ledger
from sluice.jobs.budgets.refusals import Refusals
from sluice.jobs.budgets.windows import Window
from sluice.jobs.model import keys, kinds
from sluice.jobs.model.job import VERSION, Job
from sluice.jobs.model.outcomes import (
    BudgetClosed,
    BudgetEmpty,
    CannotSucceed,
    Failure,
    HandlerResult,
    LeaseOver,
    OutOfTime,
    Waiting,
)
from sluice.jobs.model.run import Run
from sluice.jobs.queue import claim, finish
from sluice.jobs.queue.enqueue import enqueue
from sluice.jobs.run import worker
from sluice.jobs.run.messages import Batch
from sluice.jobs.run.runner import CALL_MS, Report, run_batch
from sluice.platform.clock import MINUTE, SECOND
from sluice.platform.config.document import Config
from sluice.platform.context import Context
from sluice.platform.observe import metrics
from tests.support import work
from tests.support.clock import VirtualClock
from tests.support.patience import SECONDS
from tests.support.store import Answer, Request, Send, Store
from tests.support.work import Handler, spec
from tests.unit.jobs.conftest import NOON


def batch_of(names: str, clock: VirtualClock, priority: int = keys.HOT) -> Batch:
    """A claimed job for each letter, and one reserved call for each."""
    for name in names:
        enqueue(spec(name, priority=priority), clock.time)
    window, limits = Window.at(clock.time), Config().limits["stockx"]
    assert ledger.reserve_calls("stockx:acme", limits, window, len(names))
    found, _ = claim.due(f"stockx:acme#{priority}#0", clock.time, 100)
    jobs = [claim.claim(candidate, clock.time, 5 * MINUTE) for candidate in found]
    return Batch.of([job for job in jobs if job], window, len(names))


def run(
    batch: Batch,
    clock: VirtualClock,
    handler: Handler,
    *,
    threads: int = 1,
    time: int = 5 * MINUTE,
    refusals: Refusals | None = None,
) -> Report:
    config = Config()
    with work.kind(handler):
        limits, until, context = config.limits["stockx"], clock.time + time, Context(clock, config)
        return run_batch(batch, limits, context, until, lambda job, failure: None, threads, refusals=refusals)


def one_call(run: Run) -> HandlerResult:
    run.calls.take()
    return {}


def never(run: Run) -> HandlerResult:
    raise AssertionError(f"{run.job.job_id} was begun")


def states() -> dict[str, str]:
    return {keys.job_parts(job.job_id)[-1]: job.state for job in Job.scan()}


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("threads", [1, 8])
def test_each_job_has_its_own_end(threads: int, clock: VirtualClock) -> None:
    def handler(run: Run) -> HandlerResult:
        match run.payload["sku"]:
            case "a":
                raise KeyError("a fault in the handler")
            case "b":
                raise CannotSucceed("no such product")
            case "c":
                raise Failure("503")
            case "d":
                return Waiting(run.clock.now() + MINUTE, {})
        return one_call(run)

    report = run(batch_of("abcdef", clock), clock, handler, threads=threads)
    assert report.ends == {"retried": 2, "dead": 1, "waiting": 1, "completed": 2}
    assert states() == {"a": "queued", "b": "dead", "c": "queued", "d": "waiting", "e": "succeeded", "f": "succeeded"}
    assert report.calls == ledger.read("stockx:acme", clock.time).hour == 2


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    "reason",
    [
        BudgetClosed("429", retry_at=NOON + MINUTE),
        BudgetEmpty("no calls left", retry_at=NOON + MINUTE),
        OutOfTime("the next call could start too late"),
    ],
)
def test_what_no_other_of_the_batch_could_do_better_is_not_tried_by_them(reason: Failure, clock: VirtualClock) -> None:
    begun = list[str]()

    def handler(run: Run) -> HandlerResult:
        begun.append(run.job.job_id)
        raise reason

    assert run(batch_of("abc", clock), clock, handler).ends == {"snoozed": 3}
    assert len(begun) == 1
    assert {job.attempts for job in Job.scan()} == {0}, "none of them was really tried"


def test_a_failure_says_what_went_wrong_in_words_and_for_machines() -> None:
    plain, named = Failure("no answer"), Failure("no answer", code="upstream", retry_at=NOON)
    assert (str(plain), plain.message, plain.code, plain.retry_at) == ("no answer", "no answer", "failed", None)
    assert (named.code, named.retry_at) == ("upstream", NOON)


@pytest.mark.usefixtures("store")
def test_a_handlers_fault_shows_its_kind_and_nothing_that_it_held(clock: VirtualClock) -> None:
    def handler(run: Run) -> HandlerResult:
        raise ValueError("token=secret")

    run(batch_of("a", clock), clock, handler)
    [job] = Job.scan()
    assert job.error["code"] == "handler_error"
    assert "ValueError" in job.error["message"]
    assert "secret" not in str(job.history) + str(job.error)


@pytest.mark.parametrize("threads", [1, 8])
def test_an_end_that_cannot_be_written_stops_no_other(threads: int, store: Store, clock: VirtualClock) -> None:
    batch = batch_of("abcd", clock)
    unwritable = spec("b").job_id

    def around(request: Request, send: Send) -> Answer:
        writes = request.parameters.get("Key", {}).get("job_id") == {"S": unwritable}
        if request.operation == "UpdateItem" and writes:
            raise RuntimeError("no answer")
        return send()

    store.around = around
    report = run(batch, clock, one_call, threads=threads)
    store.around = None
    assert report.ends == {"completed": 3, "unwritten": 1}
    assert states() == {"a": "succeeded", "b": "leased", "c": "succeeded", "d": "succeeded"}
    clock.time += 5 * MINUTE
    assert finish.rescue(Job.get(unwritable), clock.time, Config()).state == "queued"


@pytest.mark.usefixtures("store")
def test_what_the_workers_time_does_not_allow_goes_back_untouched(clock: VirtualClock) -> None:
    begun: list[str] = []

    def handler(run: Run) -> HandlerResult:
        begun.append(run.job.job_id)
        assert isinstance(run.clock, VirtualClock)
        run.clock.time += 10_000
        return {}

    report = run(batch_of("abcd", clock), clock, handler, time=CALL_MS + 15_000)
    assert report.ends == {"completed": 2, "snoozed": 2}
    assert len(begun) == 2
    assert all(job.attempts == 0 for job in Job.scan() if job.state == "queued")
    assert ledger.read("stockx:acme", clock.time).hour == 0


@pytest.mark.usefixtures("store")
def test_no_handler_begins_close_to_the_end_of_the_lease(clock: VirtualClock) -> None:
    batch = batch_of("ab", clock)
    clock.time += 5 * MINUTE - CALL_MS + 1
    report = run(batch, clock, never, time=15 * MINUTE)
    assert report.ends == {"snoozed": 2}


@pytest.mark.usefixtures("store")
def test_a_batch_that_was_delivered_before_is_not_run_again(clock: VirtualClock) -> None:
    batch = batch_of("abc", clock)
    assert run(batch, clock, one_call).ends == {"completed": 3}
    assert run(batch, clock, never) == Report(ends=Counter(late=3), calls=0)
    assert ledger.read("stockx:acme", clock.time).hour == 3, "its calls are not given back a second time"


def test_a_job_of_a_newer_version_is_a_dead_letter_and_stops_no_other(store: Store, clock: VirtualClock) -> None:
    batch = batch_of("abc", clock)
    batch.jobs[1].version = VERSION + 1
    report = run(batch, clock, one_call)
    assert report.ends == {"completed": 2, "dead": 1}
    assert report.newer == [batch.jobs[1]]
    [letter] = store.items("dead_letters")
    assert "newer_version" in letter["error"]["S"]


def test_a_job_of_an_unknown_kind_is_a_dead_letter(store: Store, clock: VirtualClock) -> None:
    batch = batch_of("ab", clock)
    lost = batch.jobs[0].job_id
    batch.jobs[0].kind = "no.such"
    report = run(batch, clock, one_call)
    assert report.ends == {"completed": 1, "dead": 1}
    [letter] = store.items("dead_letters")
    assert letter["job_id"]["S"] == lost
    assert "unknown_kind" in letter["error"]["S"]


@pytest.mark.usefixtures("store")
def test_a_handler_that_finds_its_lease_over_writes_nothing(clock: VirtualClock) -> None:
    def handler(run: Run) -> HandlerResult:
        raise LeaseOver("somebody else has it")

    before = batch_of("a", clock)
    assert run(before, clock, handler).ends == {"late": 1}
    [job] = Job.scan()
    assert (job.state, job.lease, job.error) == ("leased", 1, None)


def test_a_job_that_died_is_returned_as_it_was_written(store: Store, clock: VirtualClock) -> None:
    """A read that may be behind could show it as it was before."""
    reads = list[bool]()

    def around(request: Request, send: Send) -> Answer:
        if request.operation == "GetItem":
            reads.append(bool(request.parameters.get("ConsistentRead")))
        return send()

    [job] = batch_of("a", clock).jobs
    store.around = around
    assert finish.bury(job, Failure("no"), clock.time, Config()).state == "dead"
    assert reads == [True]


@pytest.mark.usefixtures("store")
def test_attempts_are_used_up_by_failures_and_then_the_job_is_dead(clock: VirtualClock) -> None:
    def handler(run: Run) -> HandlerResult:
        raise Failure("503", code="503")

    enqueue(spec("a", priority=keys.HOT), clock.time)
    ends = []
    for _ in range(work.KIND.max_attempts):
        clock.time += 15 * MINUTE
        [candidate], _ = claim.due("stockx:acme#150#0", clock.time, 10)
        job = claim.claim(candidate, clock.time, 5 * MINUTE)
        assert job
        batch = Batch.of([job], Window.at(clock.time), 0)
        ends += list(run(batch, clock, handler).ends)
    assert ends == ["retried", "retried", "dead"]
    [dead] = Job.scan()
    assert [entry["event"] for entry in dead.history] == ["retry", "retry", "bury"]
    assert [entry["attempt"] for entry in dead.history] == [1, 2, 3]


@pytest.mark.usefixtures("store")
def test_the_threads_of_a_batch_run_at_once(clock: VirtualClock) -> None:
    together = threading.Barrier(4, timeout=SECONDS)

    def handler(run: Run) -> HandlerResult:
        together.wait()
        return {}

    assert run(batch_of("abcd", clock), clock, handler, threads=4).ends == {"completed": 4}


def together(
    batch: Batch,
    clock: VirtualClock,
    ends: Callable[[Sequence[Run]], list[Any]],
    refusals: Refusals | None = None,
) -> Report:
    """Run `batch` as if its kind took all jobs at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(kinds._KINDS, work.KIND.name, work.KIND._replace(together=True))
        patch.setattr(work, "handle", ends)
        config = Config()
        limits = config.limits["stockx"]
        until, context = clock.time + 5 * MINUTE, Context(clock, config)
        return run_batch(batch, limits, context, until, lambda job, failure: None, 8, refusals=refusals)


@pytest.mark.usefixtures("store")
def test_jobs_that_run_together_have_each_its_own_end(clock: VirtualClock) -> None:
    def ends(runs: Sequence[Run]) -> list[Any]:
        runs[0].calls.take()
        told = {"a": {}, "b": CannotSucceed("no such product"), "c": Failure("503"), "d": BudgetEmpty("no calls left")}
        return [told[run.payload["sku"]] for run in runs]

    report = together(batch_of("abcd", clock), clock, ends)
    assert report.ends == {"completed": 1, "dead": 1, "retried": 1, "snoozed": 1}
    assert states() == {"a": "succeeded", "b": "dead", "c": "queued", "d": "queued"}
    assert report.calls == 1


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("fault", [KeyError("a fault"), None])
def test_a_fault_in_what_runs_together_loses_no_job(clock: VirtualClock, fault: Exception | None) -> None:
    def ends(runs: Sequence[Run]) -> list[Any]:
        if fault:
            raise fault
        return [{}]  # one end for three jobs

    assert together(batch_of("abc", clock), clock, ends).ends == {"retried": 3}
    assert states() == dict.fromkeys("abc", "queued")
    assert Job.get(spec("a").job_id).error["code"] == "handler_error"


@pytest.mark.usefixtures("store")
def test_what_runs_together_is_not_begun_on_a_budget_that_has_just_been_refused(clock: VirtualClock) -> None:
    def ends(runs: Sequence[Run]) -> list[Any]:
        raise AssertionError(f"{len(runs)} were begun")

    refusals, until = Refusals(), clock.time + MINUTE
    refusals.note("stockx:acme", BudgetClosed("429", retry_at=until))
    assert together(batch_of("abc", clock), clock, ends, refusals).ends == {"snoozed": 3}
    assert {job.due_at for job in Job.scan()} == {until}


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(("short", "end"), [(0, "completed"), (1, "snoozed")])
def test_a_job_is_begun_while_there_is_time_for_its_longest_call(short: int, end: str, clock: VirtualClock) -> None:
    assert run(batch_of("a", clock), clock, lambda _: {}, time=25 * SECOND - short).ends == {end: 1}


class Passing(VirtualClock):
    """Time passes with each look at it."""

    def now(self) -> int:
        self.time += 1
        return self.time


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("left", range(1, 20))
def test_a_pause_that_ends_while_a_job_is_about_to_begin_is_no_fault_of_the_job(left: int, clock: VirtualClock) -> None:
    refusals, batch = Refusals(), batch_of("a", clock)
    refusals.note("stockx:acme", BudgetClosed("429", retry_at=clock.time + left))
    ends = run(batch, Passing(clock.time), one_call, refusals=refusals).ends
    assert ends in ({"snoozed": 1}, {"completed": 1})


@pytest.mark.usefixtures("store")
def test_what_runs_together_is_not_begun_without_time_for_it(clock: VirtualClock) -> None:
    batch = batch_of("ab", clock)
    clock.time += 5 * MINUTE - CALL_MS + 1
    report = together(batch, clock, lambda runs: pytest.fail("it was begun"))
    assert report.ends == {"snoozed": 2}


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(("priority", "waited_for"), [(keys.MANUAL, 1), (keys.HOT, 0)])
def test_who_asked_while_it_ran_and_waits_for_it_is_counted(
    clock: VirtualClock, priority: int, waited_for: int
) -> None:
    """The worker asks for a tick then: a person must not wait for the next minute's."""

    def handler(run: Run) -> HandlerResult:
        if run.payload["sku"] == "b":
            enqueue(spec("b", priority=priority), clock.time)
        return one_call(run)

    report = run(batch_of("ab", clock), clock, handler)
    assert (report.ends, report.waited_for) == ({"completed": 1, "queued": 1}, waited_for)


@pytest.mark.usefixtures("store")
def test_a_worker_asks_for_a_tick_for_who_waits(clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(worker, "nudge", asked.append)
    monkeypatch.setattr(worker, "wake", lambda at, now: asked.append(at - now))
    monkeypatch.setattr(worker, "run_batch", lambda *_: Report(waited_for=2, put_off={clock.time + SECOND}))
    monkeypatch.setattr(metrics.provider, "namespace", "Sluice/test")
    message = batch_of("a", clock).encode()
    assert worker.work({"1": message, "2": message}, Context(clock, Config()), clock.time + MINUTE) == []
    assert asked == [clock.time, SECOND], "one tick for both messages, and one for what is due in a second"
    metrics.clear_metrics()


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(("priority", "put_off"), [(keys.MANUAL, {NOON + 5 * SECOND}), (keys.HOT, set())])
def test_what_a_person_waits_for_and_was_put_off_says_when_it_is_due(
    clock: VirtualClock, priority: int, put_off: set[int]
) -> None:
    """Else it would wait for the minute's tick, though its budget opens in five seconds."""
    batch = batch_of("a", clock, priority)

    def handler(run: Run) -> HandlerResult:
        raise BudgetClosed("429", retry_at=NOON + 5 * SECOND)

    report = run(batch, clock, handler)
    assert (report.ends, report.put_off) == ({"snoozed": 1}, put_off)


def test_what_became_of_several_batches_is_told_as_of_one() -> None:
    newer, older = Job("a", version=VERSION + 1), Job("b", version=VERSION + 1)
    total = Report(Counter(completed=2, dead=1), 3, 1, {NOON}, [newer])
    total.add(Report(Counter(completed=1, late=4), 2, 5, {NOON + SECOND}, [older]))
    assert total == Report(Counter(completed=3, dead=1, late=4), 5, 6, {NOON, NOON + SECOND}, [newer, older])


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("failure", "state", "due_at"),
    [
        (BudgetClosed("429", retry_at=NOON + 5 * SECOND), "waiting", NOON + 5 * SECOND),
        (BudgetClosed("429", retry_at=NOON - 1), "waiting", NOON),
        (OutOfTime("no time for a call"), "waiting", NOON),
        (Failure("503", retry_at=NOON + MINUTE), "queued", NOON + MINUTE),
    ],
)
def test_an_operation_that_could_not_be_checked_is_checked_when_it_can_be(
    failure: Failure, state: str, due_at: int, clock: VirtualClock
) -> None:
    """Due before now, it would stand before operations that have waited for longer."""
    batch, config = batch_of("a", clock), Config()

    def handler(run: Run) -> HandlerResult:
        raise failure

    with work.kind(handler):
        limits, until = config.limits["stockx"], clock.time + 5 * MINUTE
        run_batch(batch, limits, Context(clock, config), until, lambda *_: None, 1, polling=True)
    [job] = Job.scan()
    assert (job.state, job.due_at) == (state, due_at)
