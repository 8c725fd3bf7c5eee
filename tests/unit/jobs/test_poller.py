"""The operation poller: how many it checks, in which order, and when it ends."""

import threading
from collections.abc import Collection, Mapping

import pytest

from sluice.jobs.budgets.pace import Slowed
from sluice.jobs.dispatch import poller
from sluice.jobs.dispatch.poller import Portion
from sluice.jobs.dispatch.rounds import Done, Round
from sluice.jobs.dispatch.snapshot import Accounts, Snapshot
from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import BudgetClosed, CannotSucceed, Failure, HandlerResult, OutOfTime, Waiting
from sluice.jobs.model.run import Run
from sluice.jobs.queue import claim, finish, lanes, starts
from sluice.jobs.queue.creation import lane_of
from sluice.jobs.queue.enqueue import enqueue
from sluice.jobs.run.runner import CALL_MS, Report
from sluice.platform.clock import HOUR, MINUTE, SECOND
from sluice.platform.config.document import Config
from sluice.platform.config.engine import Engine
from sluice.platform.config.limits import Limits
from sluice.platform.context import Context
from tests.support import work
from tests.support.clock import VirtualClock
from tests.support.patience import SECONDS
from tests.support.work import Handler, spec
from tests.unit.jobs.conftest import NOON

pytestmark = pytest.mark.usefixtures("store")

PACE = SECOND // 2
FREE, PACED = Limits(by_account=True), Limits(interval_ms=PACE, by_account=True)
# What the slots start within a look: a round of one budget checks no more.
ROUND = 6


@pytest.fixture(autouse=True)
def _one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks follow one another, so that their order tells who was chosen first."""
    monkeypatch.setattr(poller, "THREADS", 1)
    monkeypatch.setattr(poller, "BATCHES", 1)


def active(accounts: Collection[str], _: str) -> Mapping[str, str]:
    return dict.fromkeys(accounts, "ACTIVE")


def config(limits: Limits, batch: int = 25) -> Config:
    return Config(limits={"stockx": limits}, engine=Engine(batch=batch))


def operations(clock: VirtualClock, count: int, tenant: str = "acme", due: int = 0) -> None:
    """So many operations of a tenant are to be checked at `due` ms from now, and a millisecond later each."""
    for number in range(count):
        one = spec(f"{tenant}-{number:02d}", tenant=tenant)
        enqueue(one, clock.time)
        found, _ = claim.due(lane_of(one), clock.time, 99)
        [candidate] = [each for each in found if each.job_id == one.job_id]
        job = claim.claim(candidate, clock.time, 5 * MINUTE)
        assert job
        finish.wait(job, Waiting(clock.time + due + number), clock.time, config(FREE))


def poll(
    clock: VirtualClock, config: Config, handler: Handler, *, most: int = 50, time: int = HOUR
) -> tuple[Done, Report]:
    with work.kind(handler):
        return poller.poll(Accounts(active), Context(clock, config), clock.time + time, most, lambda *_: None)


class Checks:
    """A handler that calls once, and remembers which operations it was given, and when."""

    def __init__(self) -> None:
        self.names = list[str]()

    def __call__(self, run: Run) -> HandlerResult:
        self.names.append(keys.job_parts(run.job.job_id)[-1])
        run.calls.take()
        return {}


def test_rounds_follow_until_nothing_is_due(clock: VirtualClock) -> None:
    operations(clock, 2 * ROUND + 1)
    clock.time += SECOND
    checks = Checks()
    done, report = poll(clock, config(PACED), checks)
    assert (done.admitted, report.ends) == (2 * ROUND + 1, {"completed": 2 * ROUND + 1})
    assert report.calls == 2 * ROUND + 1


@pytest.mark.parametrize("most", [1, ROUND, ROUND + 2])
def test_no_run_checks_more_than_it_may(most: int, clock: VirtualClock) -> None:
    operations(clock, 2 * ROUND)
    clock.time += SECOND
    checks = Checks()
    assert poll(clock, config(PACED), checks, most=most)[0].admitted == most
    assert checks.names == [f"acme-{number:02d}" for number in range(most)], "the longest due come first"


def test_a_run_that_cannot_hand_on_what_is_too_much_for_it_leaves_it_to_the_next(clock: VirtualClock) -> None:
    for tenant in ("anna", "bert", "carl"):
        operations(clock, 2, tenant)
    clock.time += SECOND
    done, _ = poll(clock, config(FREE), Checks(), most=2)
    assert (done.admitted, done.errors) == (2, 0)


def test_the_budget_whose_operation_is_due_longest_is_served_first(clock: VirtualClock) -> None:
    for place, tenant in enumerate(("carl", "anna", "bert")):
        operations(clock, 2, tenant, due=100 * place)
    clock.time += SECOND
    checks = Checks()
    poll(clock, config(FREE), checks)
    assert checks.names == [f"{tenant}-{number:02d}" for tenant in ("carl", "anna", "bert") for number in range(2)]


def test_a_look_takes_no_more_than_the_slots_can_start_soon(clock: VirtualClock) -> None:
    """So what becomes due meanwhile waits for one look, and not for all that was due before."""
    operations(clock, 3 * ROUND, "flood")
    operations(clock, 1, "late", due=2 * SECOND)
    clock.time += SECOND
    checks = Checks()
    poll(clock, config(PACED), checks)
    assert len(checks.names) == 3 * ROUND + 1
    assert checks.names.index("late-00") == 2 * ROUND, "in the second look, behind what was due before it"


def test_what_there_is_no_time_for_is_left_as_it_is(clock: VirtualClock) -> None:
    """Not even claimed: the next poller has it at once."""
    operations(clock, 4)
    clock.time += SECOND
    deadline = clock.time + CALL_MS + 3 * SECOND

    def slow(run: Run) -> HandlerResult:
        clock.time += 2 * SECOND
        return {}

    _, report = poll(clock, config(FREE, batch=1), slow, time=CALL_MS + 3 * SECOND)
    assert report.ends == {"completed": 2}
    assert clock.time >= deadline - CALL_MS
    assert sorted((job.state, job.lease) for job in Job.scan()) == [("succeeded", 2)] * 2 + [("waiting", 1)] * 2


def test_a_run_without_time_for_a_call_looks_at_nothing(clock: VirtualClock) -> None:
    operations(clock, 1)
    clock.time += SECOND
    done, _ = poll(clock, config(FREE), Checks(), time=CALL_MS)
    assert (done.lanes, done.admitted) == (0, 0)


@pytest.mark.parametrize("told", [True, False])
def test_a_budget_that_was_refused_is_asked_for_nothing_more(
    told: bool, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither by the batches that were chosen before, nor by another round. told: the table took the note of it."""
    operations(clock, 6)
    clock.time += SECOND
    begun = list[str]()

    def handler(run: Run) -> HandlerResult:
        begun.append(run.job.job_id)
        run.calls.close(clock.time + MINUTE, "429")
        raise BudgetClosed("429", retry_at=clock.time + MINUTE)

    if not told:
        monkeypatch.setattr("sluice.jobs.budgets.ledger.close", lambda *_, **__: None)
    _, report = poll(clock, config(FREE, batch=2), handler)
    assert len(begun) == 1
    assert report.ends == {"snoozed": 2}
    assert {job.state for job in Job.scan()} == {"waiting"}
    later = [job.job_id for job in Job.scan() if job.due_at == clock.time + MINUTE]
    assert set(begun) <= set(later), "it is checked again when the marketplace takes calls again"


@pytest.mark.parametrize(
    ("pace", "slowed", "batches"),
    [(10, 0, 12), (10, SECOND // 2, 2), (10, 2 * SECOND, 1), (SECOND // 2, 0, 2), (SECOND // 2, SECOND, 1)],
)
def test_a_budget_that_refusals_have_slowed_is_checked_by_fewer_batches_at_once(
    pace: int, slowed: int, batches: int, clock: VirtualClock
) -> None:
    """More than its slots keep busy would only wait, in others' places."""
    operations(clock, 12)
    clock.time += SECOND
    limits = Limits(interval_ms=pace, tolerance_ms=0, burst=12, by_account=True)
    round_ = Round(Snapshot(clock.time, config(limits, batch=1), Accounts(active)))
    [(budget, ready)] = round_.find(lanes.active(), HOUR).items()
    ready.usage = ready.usage._replace(slowed=Slowed(slowed, refusals=1))
    ready.room = ready.room._replace(checks=None)
    shares = poller._shares(round_, {budget: ready}, 50)
    assert len(shares) == batches
    assert sum(len(jobs) for _, jobs in shares.values()) == len(ready.candidates) > 2


def test_what_is_too_much_for_a_run_is_handed_on_and_not_touched_by_it(clock: VirtualClock) -> None:
    """Those due longest are its own; whoever was handed a part hands on nothing."""
    for place, tenant in enumerate(("anna", "bert", "carl")):
        operations(clock, 2, tenant, due=100 * place)
    clock.time += SECOND
    checks, others = Checks(), list[list[str]]()
    with work.kind(checks):
        for portion in (Portion(None, lambda budgets: others.append(list(budgets))), Portion({"stockx:carl"})):
            context = Context(clock, config(FREE))
            poller.poll(Accounts(active), context, clock.time + HOUR, 2, lambda *_: None, portion)
    assert others == [["stockx:bert"], ["stockx:carl"]]
    assert checks.names == ["anna-00", "anna-01", "carl-00", "carl-01"]


def test_a_run_that_has_handed_on_nothing_looks_at_everything_in_its_next_look(clock: VirtualClock) -> None:
    """What becomes due meanwhile may be another's, who had nothing due before."""
    operations(clock, 1, "anna")
    operations(clock, 1, "bert", due=2 * SECOND)
    clock.time += SECOND
    names = list[str]()

    def slow(run: Run) -> HandlerResult:
        names.append(run.job.tenant)
        clock.time += 2 * SECOND
        return {}

    with work.kind(slow):
        portion = Portion(None, lambda budgets: pytest.fail(f"{budgets} is handed on"))
        poller.poll(Accounts(active), Context(clock, config(FREE)), clock.time + HOUR, 9, lambda *_: None, portion)
    assert names == ["anna", "bert"]


@pytest.mark.parametrize(
    ("failure", "state", "attempts"),
    [
        (BudgetClosed("429", retry_at=NOON + HOUR), "waiting", 0),
        (OutOfTime("the time is over"), "waiting", 0),
        (Failure("503", retry_at=NOON + HOUR), "queued", 1),
        (CannotSucceed("no such operation"), "dead", 1),
    ],
)
def test_only_a_check_that_could_not_be_made_leaves_the_operation_waiting(
    failure: Failure, state: str, attempts: int, clock: VirtualClock
) -> None:
    """What the check finds is the job's end, or one of its attempts, as anywhere."""
    operations(clock, 1)
    clock.time += SECOND

    def handler(_: Run) -> HandlerResult:
        raise failure

    poll(clock, config(FREE), handler)
    [job] = Job.scan()
    assert (job.state, job.attempts) == (state, attempts)


class Interleaved:
    """Two operations of one budget, whose batches run at once.

    ```
     first    begins ── waits ── is refused ──────── waits ──────── ends
     second             is claimed           starts, and ends
    ```
    """

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.first, self.begun = list[str](), list[str]()
        self.claimed, self.refused, self.ended = threading.Event(), threading.Event(), threading.Event()
        self._start, self._lock = starts.start, threading.Lock()

    def start(self, job: Job, now: int) -> bool:
        with self._lock:
            self.first = self.first or [job.job_id]
        if self.first != [job.job_id]:
            self.claimed.set()
            self.refused.wait(SECONDS)  # only so that a fault shows as a failure, and not as a hang; as below
        return self._start(job, now)

    def __call__(self, run: Run) -> HandlerResult:
        self.begun.append(run.job.job_id)
        if [run.job.job_id] == self.first:
            self.claimed.wait(SECONDS)
            run.calls.close(self.clock.time + MINUTE, "429")
            self.refused.set()
            self.ended.wait(SECONDS)
            raise BudgetClosed("429", retry_at=self.clock.time + MINUTE)
        return {}

    def observe(self, job: Job, _: Failure | None) -> None:
        if [job.job_id] != self.first:
            self.ended.set()


@pytest.mark.parametrize("told", [True, False])
def test_a_batch_that_starts_while_another_is_refused_begins_nothing(
    told: bool, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one batch learns, the others know from that moment on, not only when it has ended."""
    operations(clock, 2)
    clock.time += SECOND
    both = Interleaved(clock)
    monkeypatch.setattr(poller, "BATCHES", 2)
    monkeypatch.setattr(starts, "start", both.start)
    if not told:
        monkeypatch.setattr("sluice.jobs.budgets.ledger.close", lambda *_, **__: None)
    with work.kind(both):
        context = Context(clock, config(FREE, batch=1))
        _, report = poller.poll(Accounts(active), context, clock.time + HOUR, 50, both.observe)
    assert both.begun == both.first
    assert report.ends == {"snoozed": 2}
    assert {job.due_at for job in Job.scan()} == {clock.time + MINUTE}
