"""Mistakes that systems of this kind have made, each with the tests here and elsewhere that would catch it.

A name without a file is a test of this one. `test_every_mistake_has_its_tests` looks that each of them exists.

| mistake | tests |
|---|---|
| a claim without the state in its condition: jobs run twice | test_a_claim_needs_the_job_as_it_was_seen, \
integration/test_races.py::test_of_64_claimers_one_wins, \
simulation/test_fencing.py::test_two_claims_have_one_winner_by_the_claims_condition |
| a budget is read first and charged later, for each job though it makes several calls | \
test_a_reservation_is_the_check, test_a_run_is_charged_for_each_call, \
integration/test_races.py::test_64_workers_use_a_window_and_never_exceed_it |
| a token bucket rounds elapsed time down, and tokens come too early | \
property/test_slots.py::test_elapsed_time_is_never_rounded_in_the_callers_favour, \
property/test_slots.py::test_any_stretch_holds_at_most_the_burst_and_what_the_pace_allows |
| an exact window, and calls that arrive later than they were granted | \
test_a_call_that_cannot_start_at_its_slot_takes_another, test_no_call_starts_near_the_end_of_an_hour, \
property/test_windows.py::test_a_start_is_moved_out_of_the_margin_and_no_further |
| a limiter is asked again and again while somebody waits | test_waiting_for_calls_asks_nobody |
| a time before which a job must not start is stored and never read | test_nothing_starts_before_it_is_due |
| a 429 sets a state that nothing picks up, or uses up attempts | test_a_429_uses_up_no_attempt_and_comes_back |
| jobs that a worker has already got keep calling after a 429 | test_after_a_429_the_rest_goes_back_without_a_call, \
test_what_another_worker_learnt_of_a_429_sends_the_rest_back_too, \
test_a_429_stops_every_other_worker |
| no rescue for a killed worker, and its key is blocked for ever | \
test_a_worker_killed_at_any_step_frees_its_key_within_the_lease |
| a worker that was thought dead finishes the next worker's run | \
simulation/test_fencing.py::test_a_late_end_is_refused_by_the_lease |
| a trigger that comes during a run is lost | test_a_request_during_a_run_runs_once_more |
| a job kind without a handler fails at run time | test_an_unknown_kind_is_refused_at_enqueue |
| a missing part of the key shares one budget with everybody | test_a_job_without_a_part_of_its_key_is_refused |
| one tenant changes another's work | test_a_job_of_another_tenant_does_not_exist |
| a transaction's conflict is taken for a failed condition | \
unit/jobs/test_conflicts.py::test_a_conflict_is_tried_again, \
unit/jobs/test_conflicts.py::test_a_failed_condition_is_an_answer |
"""

import ast
import re
from pathlib import Path

import pytest

from sluice.jobs.budgets import ledger, slots
from sluice.jobs.budgets.grant import Grant
from sluice.jobs.budgets.windows import Window
from sluice.jobs.model import keys
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.model.job import Job, Spec
from sluice.jobs.model.kinds import UnknownKind
from sluice.jobs.model.outcomes import BudgetClosed, LeaseOver
from sluice.jobs.queue import claim, finish
from sluice.jobs.queue.cancel import Cancelled, cancel
from sluice.jobs.queue.enqueue import Result, enqueue
from sluice.platform.clock import HOUR, MINUTE, SECOND
from sluice.platform.config.document import Config
from sluice.platform.config.limits import Limits, by_clock
from tests.simulation.conftest import new_world
from tests.simulation.promises import number, text
from tests.simulation.scripts import SUCCEED, Script, Step
from tests.simulation.trouble import Fault
from tests.simulation.world import World
from tests.support.clock import VirtualClock
from tests.support.store import Answer, Request, Send, Store
from tests.support.work import spec

TESTS = Path(__file__).parents[2]
BUDGET = "stockx:acme"
NOON = 1_795_348_800_000  # 2026-11-22 12:00 UTC


def claimed(clock: VirtualClock, request: Spec) -> Job:
    """The job of `request`, enqueued and claimed."""
    enqueue(request, clock.time)
    [candidate], _ = claim.due(
        keys.lane(request.budget, request.account, request.priority, request.job_id, 1), clock.time, 10
    )
    job = claim.claim(candidate, clock.time, 5 * MINUTE)
    assert job
    return job


def test_every_mistake_has_its_tests() -> None:
    rows = [line for line in str(__doc__).splitlines() if line.startswith("| ") and not line.startswith("| mistake")]
    assert len(rows) == 15
    named = re.findall(r"(?:(\S+)::)?(test_\w+)(?=[, |\n]|$)", "\n".join(rows))
    for file, test in named:
        path = TESTS / file if file else Path(__file__)
        if path.suffix == ".py":
            defined = {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}
            assert test in defined, f"{path.name} has no {test}"
    assert all("test_" in row for row in rows)


@pytest.mark.usefixtures("store")
def test_a_claim_needs_the_job_as_it_was_seen(clock: VirtualClock) -> None:
    enqueue(spec(), clock.time)
    [seen], _ = claim.due("stockx:acme#100#0", clock.time, 10)
    assert claim.claim(seen, clock.time, MINUTE)
    assert claim.claim(seen, clock.time, MINUTE) is None
    clock.time += MINUTE
    running = Candidate.of(Job.get(spec().job_id))
    assert claim.claim(running, clock.time, MINUTE) is None, "its lease is over, but nobody has rescued it"


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    "later",
    [
        pytest.param(lambda now: enqueue(spec(priority=keys.MANUAL), now), id="raised to another lane"),
        pytest.param(lambda now: enqueue(spec(tenant="zeta"), now, lambda job: "acme" in job.account), id="taken over"),
        pytest.param(lambda now: cancel(spec().job_id, "acme", now, Config()), id="cancelled"),
    ],
)
def test_a_claim_is_refused_when_the_job_has_moved(later: object, clock: VirtualClock) -> None:
    enqueue(spec(), clock.time)
    [seen], _ = claim.due("stockx:acme#100#0", clock.time, 10)
    assert callable(later)
    later(clock.time)
    assert claim.claim(seen, clock.time, MINUTE) is None


@pytest.mark.usefixtures("store")
def test_a_reservation_is_the_check(clock: VirtualClock) -> None:
    """Both look at the budget before either reserves: what they saw does not matter."""
    limits, window = Limits(by_clock(10)), Window.at(clock.time)
    assert [ledger.read(BUDGET, clock.time).left(limits) for _ in "ab"] == [10, 10]
    assert [ledger.reserve_calls(BUDGET, limits, window, 6) for _ in "ab"] == [True, False]
    assert ledger.read(BUDGET, clock.time).hour == 6


def test_a_run_is_charged_for_each_call() -> None:
    with new_world() as world:
        world.ask(world.spec("a", "acme", keys.HOT, calls=2))
        world.tick()
        world.deliver(0, [Script((Step(calls=5),))])
        assert budgets_of(world, BUDGET) == 5


def test_what_is_not_called_is_given_back() -> None:
    with new_world() as world:
        world.ask(world.spec("a", "acme", keys.HOT, calls=3))
        world.tick()
        assert budgets_of(world, BUDGET) == 3
        world.deliver(0, [Script((Step(calls=1),))])
        assert budgets_of(world, BUDGET) == 1


def budgets_of(world: World, budget: str) -> int:
    window = Window.at(world.clock.time)
    return number(world.store.item("budgets", budget=budget, window=window.day), window.hour)


class LateClock(VirtualClock):
    """A worker that is held up: each of the first waits ends `late` ms after its time."""

    def __init__(self, time: int, *late: int) -> None:
        super().__init__(time)
        self.late = list(late)

    def wait_until(self, at: int, wake: object) -> bool:
        self.time = max(self.time, at) + (self.late.pop(0) if self.late else 0)
        return False


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(("others", "second"), [(False, 1_050), (True, 1_275)])
def test_a_call_that_cannot_start_at_its_slot_takes_another(*, others: bool, second: int) -> None:
    """One of its own from now on; its next one, where somebody stands behind them. Never closer than the interval."""
    limits = Limits(by_clock(100), interval_ms=600, tolerance_ms=25)
    begin = NOON + MINUTE
    clock = LateClock(begin, 0, 400, 25)
    grant = Grant(BUDGET, limits, Window.at(NOON), 10, clock, NOON + HOUR)
    starts = []
    for _ in range(3):
        grant.take()
        starts.append(clock.time)
        if others and len(starts) == 1:
            slots.reserve_slots(BUDGET, limits, 1, clock.time)
    slot = limits.pace
    # The second waited until 400 ms after its slot, and then came 25 ms late, as it may.
    third = begin + (4 * slot if others else second - 25 + slot)
    assert starts == [begin, begin + second, third]
    assert grant.made == 3


@pytest.mark.usefixtures("store")
def test_no_call_starts_near_the_end_of_an_hour() -> None:
    limits = Limits(by_clock(100), interval_ms=600, margin_ms=500)
    clock = VirtualClock(NOON + HOUR - 3 * SECOND)
    grant = Grant(BUDGET, limits, Window.at(clock.time), 0, clock, NOON + 2 * HOUR)
    starts = []
    for _ in range(12):
        grant.take()
        starts.append(clock.time)
    assert all(Window.at(start).holds(start, limits.margin_ms) for start in starts)
    assert {Window.at(start) for start in starts} == {Window(NOON), Window(NOON + HOUR)}
    for window in (Window(NOON), Window(NOON + HOUR)):
        in_window = sum(Window.at(start) == window for start in starts)
        assert ledger.read(BUDGET, window.hour_start).hour == in_window


def test_waiting_for_calls_asks_nobody(store: Store, clock: VirtualClock) -> None:
    """25 calls of one batch: one reservation of calls was made before, and slots come in blocks."""
    limits = Limits(by_clock(100), interval_ms=600)
    assert ledger.reserve_calls(BUDGET, limits, Window.at(clock.time), 25)
    asked: list[str] = []

    def around(request: Request, send: Send) -> Answer:
        asked.append(request.operation)
        return send()

    store.around = around
    grant = Grant(BUDGET, limits, Window.at(clock.time), 25, clock, clock.time + HOUR)
    for _ in range(25):
        grant.take()
    grant.give_back()
    assert len(asked) <= 10, f"{len(asked)} requests for 25 calls"


@pytest.mark.usefixtures("store")
def test_nothing_starts_before_it_is_due(clock: VirtualClock) -> None:
    lane = "stockx:acme#100#0"
    enqueue(spec(due_at=clock.time + MINUTE), clock.time)
    assert claim.due(lane, clock.time + MINUTE - 1, 10) == ([], [])
    [candidate], _ = claim.due(lane, clock.time + MINUTE, 10)
    assert claim.claim(candidate, clock.time + MINUTE - 1, MINUTE) is None
    assert claim.claim(candidate, clock.time + MINUTE, MINUTE)


def test_a_429_uses_up_no_attempt_and_comes_back() -> None:
    with new_world() as world:
        world.ask_for("a", "acme", keys.HOT)
        for _ in range(5):
            world.tick()
            world.deliver(0, [Script(end="close")])
            [job] = world.unfinished()
            assert (text(job, "state"), number(job, "attempts")) == ("queued", 0)
            world.tick()
            assert not world.queue, "the budget is closed"
            world.advance(11 * MINUTE)
        world.drain()
        assert world.ends["snoozed"] == 5


def test_after_a_429_the_rest_goes_back_without_a_call() -> None:
    with new_world() as world:
        for name in "abcd":
            world.ask_for(name, "acme", keys.HOT)
        world.tick()
        world.deliver(0, [SUCCEED, Script(end="close")])
        assert world.ends == {"completed": 1, "snoozed": 3}
        assert len(world.promises.calls[BUDGET]) == 2
        assert budgets_of(world, BUDGET) == 2
        world.drain()


def test_what_another_worker_learnt_of_a_429_sends_the_rest_back_too() -> None:
    with new_world() as world:
        for name in "abcd":
            world.ask_for(name, "acme", keys.HOT)
        world.tick()
        closed = Step(meanwhile=("close", BUDGET))
        world.deliver(0, [Script((closed, Step(calls=1)))])
        assert sum(world.runs.values()) == 1, "the other handlers were not even begun"
        assert world.ends == {"snoozed": 4}
        assert budgets_of(world, BUDGET) == 0
        world.drain()


@pytest.mark.usefixtures("store")
def test_a_429_stops_every_other_worker(clock: VirtualClock) -> None:
    limits = Limits(by_clock(100), interval_ms=600)
    one, other = (Grant(BUDGET, limits, Window.at(NOON), 1, clock, NOON + HOUR) for _ in range(2))
    one.take()
    other.take()
    one.close(clock.time + MINUTE, "429")
    for grant in (one, other):
        with pytest.raises(BudgetClosed) as refused:
            grant.take()
        assert refused.value.retry_at == clock.time + MINUTE
    clock.time += MINUTE
    other.take()


KILLED_AT_MOST = 40


@pytest.mark.parametrize("kind", ["kill_before", "kill_after"])
def test_a_worker_killed_at_any_step_frees_its_key_within_the_lease(kind: str) -> None:
    """From the claim to the end of the run: whatever was written, the work is done after the lease, and done once."""
    for step in range(KILLED_AT_MOST):
        with new_world() as world:
            world.ask_for("a", "acme", keys.HOT)
            with world.troubled([Fault(kind, step)]):
                world.tick()
                world.deliver()
                unhurt = bool(world.trouble.faults)
            world.check()
            world.advance(world.config.engine.lease_ms)
            world.tick()
            world.deliver()
            assert not world.unfinished(), f"killed at request {step}, and its key is still blocked"
            assert world.ask(world.spec("a", "acme", keys.HOT)) is not None
            world.drain()
        if unhurt:
            break
    assert unhurt, "there were more requests than steps"


@pytest.mark.parametrize("end", ["succeed", "retry", "snooze", "fatal", "die", "wait"])
def test_a_request_during_a_run_runs_once_more(end: str) -> None:
    with new_world() as world:
        world.ask_for("a", "acme", keys.BACKGROUND)
        world.tick()
        during = ("ask_for", "a", "zeta", keys.MANUAL)
        world.deliver(0, [Script((Step(calls=1, meanwhile=during),), end)])
        job = world.store.item("jobs", job_id=keys.job_id("test.work", "stockx", "a"))
        if end not in ("wait", "die"):
            assert (text(job, "state"), number(job, "priority")) == ("queued", keys.MANUAL)
        world.drain()
        assert sum(world.runs.values()) >= 2


@pytest.mark.usefixtures("store")
def test_an_unknown_kind_is_refused_at_enqueue(clock: VirtualClock) -> None:
    request = Spec(**{**vars(spec()), "kind": "no.such"})
    with pytest.raises(UnknownKind, match=r"no\.such.*test\.work"):
        enqueue(request, clock.time)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"job_id": ""}, "job_id"),
        ({"tenant": ""}, "tenant"),
        ({"account": ""}, "account"),
        ({"budget": ""}, "budget"),
        ({"priority": 0}, "priority"),
        ({"account": "nowhere:acme", "budget": "nowhere:acme"}, "nowhere"),
    ],
)
def test_a_job_without_a_part_of_its_key_is_refused(
    changes: dict[str, object], named: str, clock: VirtualClock, store: Store
) -> None:
    with pytest.raises(ValueError, match=named):
        enqueue(Spec(**{**vars(spec()), **changes}), clock.time)
    assert store.items("jobs") == store.items("lanes") == []


def test_a_job_of_another_tenant_does_not_exist(store: Store, clock: VirtualClock, config: Config) -> None:
    assert enqueue(spec(), clock.time).result is Result.CREATED
    before = store.items("jobs")
    assert cancel(spec().job_id, "zeta", clock.time, config) is Cancelled.UNKNOWN
    assert store.items("jobs") == before


@pytest.mark.usefixtures("store")
def test_an_ended_run_cannot_be_ended_again(clock: VirtualClock, config: Config) -> None:
    job = claimed(clock, spec())
    assert finish.complete(job, {}, clock.time, config).state == "succeeded"
    with pytest.raises(LeaseOver):
        finish.complete(job, {}, clock.time, config)
    with pytest.raises(LeaseOver):
        finish.heartbeat(job, clock.time, MINUTE)


def test_candidates_show_what_the_index_holds(store: Store, clock: VirtualClock) -> None:
    enqueue(spec(calls=3), clock.time)
    [candidate], _ = claim.due("stockx:acme#100#0", clock.time, 10)
    assert candidate == Candidate.of(Job.get(spec().job_id))
