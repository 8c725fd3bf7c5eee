"""Asking for a scheduler run: nobody waits in vain, and under load only a few runs are on their way at once."""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import permutations

import pytest

from sluice.jobs.dispatch import scheduler
from sluice.jobs.dispatch.snapshot import Accounts
from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.queue import lanes, nudge, tally
from sluice.jobs.queue.enqueue import enqueue
from sluice.jobs.queue.lanes import Lane
from sluice.jobs.run import records
from sluice.platform import aws
from sluice.platform.clock import SECOND
from sluice.platform.config.document import Config
from sluice.platform.context import Context
from sluice.platform.observe import metrics
from sluice.platform.settings import settings
from sluice.platform.usage import TenantUsage
from tests.support.clock import VirtualClock
from tests.support.store import Answer, Request, Send, Store
from tests.support.work import spec
from tests.unit.jobs.conftest import NOON

pytestmark = pytest.mark.usefixtures("store")


def test_many_requests_start_one_run_and_the_next_one_another() -> None:
    assert [nudge.ask(NOON + number) for number in range(5)] == [True, False, False, False, False]
    assert nudge.begin(NOON)
    assert [nudge.ask(NOON + number) for number in range(2)] == [True, False]


def test_a_run_that_never_came_does_not_swallow_nudges_for_ever() -> None:
    assert nudge.ask(NOON)
    assert not nudge.ask(NOON + nudge.LOST_AFTER_MS)
    assert nudge.ask(NOON + nudge.LOST_AFTER_MS + 1)


def test_a_run_knows_by_its_event_who_asks_for_it() -> None:
    assert nudge.asked_by({"source": "nudge"}) == nudge.Wakeup(nudged=True)
    assert nudge.asked_by({"source": "aws.events"}) == nudge.asked_by({}) == nudge.BY_SCHEDULE
    messages = {"Records": [{"body": str(NOON)}, {"body": str(NOON + SECOND)}, {"body": "0"}]}
    assert nudge.asked_by(messages) == nudge.Wakeup(nudged=True, at=NOON + SECOND)


def test_the_nudge_is_no_lane() -> None:
    nudge.ask(NOON)
    assert lanes.active() == []
    assert Lane.count() == 1


def test_while_as_many_run_as_may_nobody_starts_another_and_one_of_them_answers() -> None:
    places = [nudge.begin(NOON) for _ in range(nudge.RUNS)]
    assert all(places)
    assert nudge.begin(NOON) is None
    assert not nudge.ask(NOON), "one of those that run sees it"
    answered = [nudge.leave(place) for place in places if place]
    assert answered == [False, True, True]
    assert nudge.ask(NOON + 1), "two have left, and the one that answers reads by now"


def test_whoever_asks_while_runs_end_is_answered_whatever_comes_first() -> None:
    """Every order of the ends of three runs and of a request: a run begins or reads once more after the request."""
    for number, order in enumerate(permutations((-1, 0, 1, 2))):
        now = NOON + number * 10 * nudge.RUN_MS
        places = [nudge.begin(now) for _ in range(nudge.RUNS)]
        started, again = False, []
        for event in order:
            if event < 0:
                started = nudge.ask(now)
            elif place := places[event]:
                again.append(nudge.leave(place))
        assert started or False in again, order


def test_the_place_of_a_run_that_was_killed_is_free_after_a_while() -> None:
    for _ in range(nudge.RUNS):
        assert nudge.begin(NOON)
    assert nudge.begin(NOON + nudge.RUN_MS - 1) is None
    assert nudge.ask(NOON + nudge.RUN_MS)
    assert all(nudge.begin(NOON + nudge.RUN_MS) for _ in range(nudge.RUNS))


def test_a_run_that_comes_late_takes_no_place_away() -> None:
    late = nudge.begin(NOON)
    assert late
    places = [nudge.begin(NOON + nudge.RUN_MS) for _ in range(nudge.RUNS)]
    assert all(places)
    assert nudge.leave(late)
    nudge.give_up(late)
    assert nudge.begin(NOON + nudge.RUN_MS) is None


@pytest.mark.parametrize("asked_at", range(-2, 3))
def test_whoever_asks_as_a_runs_time_ends_is_answered_by_it_or_starts_another(asked_at: int) -> None:
    """The runs leave later, after a long tick. Nobody relies on runs that leave without a look at the flag."""
    places = [nudge.begin(NOON) for _ in range(nudge.RUNS)]
    starts_another = nudge.ask(NOON + nudge.RUN_MS + asked_at)
    reads_again = [nudge.leave(place) for place in places if place].count(False)
    assert (starts_another, reads_again) == ((True, 0) if asked_at >= 0 else (False, 1))


def test_a_run_whose_time_is_over_leaves_though_somebody_asks_and_takes_no_place_away() -> None:
    late = [nudge.begin(NOON) for _ in range(nudge.RUNS)]
    assert nudge.ask(NOON + nudge.RUN_MS)
    assert nudge.begin(NOON + nudge.RUN_MS), "its place is another's by now"
    assert all(nudge.leave(place) for place in late if place)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The runs that nudges have started and that have not begun."""
    functions: list[str] = []
    monkeypatch.setenv("SCHEDULER_FUNCTION", "scheduler")
    monkeypatch.setenv("WORK_QUEUE_URL", "work")
    monkeypatch.setenv("MANUAL_QUEUE_URL", "manual")
    monkeypatch.setenv("WAKE_QUEUE_URL", "wake")
    settings.cache_clear()
    nudge.forget()
    monkeypatch.setattr(aws, "invoke_later", lambda function, _: functions.append(function))
    monkeypatch.setattr(aws, "send_message", lambda *_: None)
    monkeypatch.setattr(metrics.provider, "namespace", "Sluice/test")
    logging.disable(logging.CRITICAL)
    yield functions
    logging.disable(logging.NOTSET)
    metrics.clear_metrics()
    settings.cache_clear()


def active(accounts: Collection[str], _: str) -> Mapping[str, str]:
    return dict.fromkeys(accounts, "ACTIVE")


def run(clock: VirtualClock, *, nudged: bool = True) -> Mapping[str, object]:
    return scheduler.run(Accounts(active), Context(clock, Config()), nudge.Wakeup(nudged))


def ask(clock: VirtualClock, name: str) -> None:
    """A manual request, of a tenant of its own."""
    enqueue(spec(name, tenant=f"tenant-{name}", priority=keys.MANUAL), clock.time)
    nudge.nudge(clock.time)


def on_each_tick(store: Store, do: Callable[[], None]) -> None:
    """Something happens each time that a run has read the lanes."""

    def around(request: Request, send: Send) -> Answer:
        answer = send()
        if request.operation == "Scan" and request.parameters["TableName"].endswith("lanes"):
            do()
        return answer

    store.around = around


def test_under_load_a_few_runs_are_on_their_way_at_once_and_everything_is_handed_out(
    store: Store, clock: VirtualClock, started: list[str]
) -> None:
    """Thirty requests come while runs read; each run that they start begins at once, within the others."""
    names, depth, deepest = iter(range(30)), 0, 0

    def busy() -> None:
        nonlocal depth, deepest
        if (name := next(names, None)) is not None:
            ask(clock, str(name))
        while started:
            started.pop()
            depth += 1
            deepest = max(deepest, depth)
            run(clock)
            depth -= 1

    ask(clock, "first")
    on_each_tick(store, busy)
    busy()
    store.around = None
    assert 1 <= deepest <= nudge.RUNS
    assert {job.state for job in Job.scan()} == {"leased"}
    assert Job.count() == 31


def test_a_run_for_which_there_is_no_place_does_nothing_and_the_minutes_runs_all_the_same(
    clock: VirtualClock, started: list[str]
) -> None:
    for _ in range(nudge.RUNS):
        nudge.begin(clock.time)
    ask(clock, "a")
    assert started == []
    assert run(clock) == {"skipped": "others run"}
    assert Job.get(spec("a").job_id).state == "queued"
    assert run(clock, nudged=False)["admitted"] == 1


def test_a_run_that_somebody_asks_for_leaves_to_the_minutes_what_nobody_waits_for(
    store: Store, clock: VirtualClock, started: list[str]
) -> None:
    """On AWS each of its calls is time of whoever waits, and money."""
    ask(clock, "lost")
    lease_ms = Config().engine.lease_ms
    run(clock)
    clock.time += lease_ms
    ask(clock, "wanted")
    read = Counter[str]()

    def around(request: Request, send: Send) -> Answer:
        keys_ = str(request.parameters.get("ExpressionAttributeValues", {}))
        if request.operation in ("Query", "Scan"):
            what = "leased" if "leased#" in keys_ else request.parameters["TableName"].rpartition("-")[2]
            read[what] += 1
        return send()

    store.around = around
    done = run(clock)
    assert (done["admitted"], done["rescued"]) == (1, 0)
    assert (read["lanes"], read["leased"], read["usage"]) == (1, 0, 0)
    assert records.health() is None, "it would hide that no schedule comes any more"
    assert run(clock, nudged=False)["rescued"] == 1
    assert read["usage"], "whose jobs are to be counted"
    assert records.health()


def test_a_run_leaves_in_time_though_there_is_always_somebody_who_asks(
    store: Store, clock: VirtualClock, started: list[str]
) -> None:
    def always() -> None:
        clock.time += SECOND
        nudge.ask(clock.time)

    on_each_tick(store, always)
    began = clock.time
    run(clock)
    assert clock.time - began < 55 * SECOND
    store.around = None
    assert nudge.ask(clock.time + nudge.LOST_AFTER_MS + 1), "its place is free"


def test_a_run_that_fails_gives_its_place_back(
    clock: VirtualClock, started: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(records, "record", fails)
    for _ in range(nudge.RUNS + 1):
        with pytest.raises(ConnectionError):
            run(clock)


@pytest.fixture
def held_back(started: list[str], monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The messages of `wake`, and for how many seconds each is held back."""
    sent: list[tuple[str, int]] = []

    def send(queue: str, body: str, delay: int = 0) -> None:
        if queue == "wake":
            sent.append((body, delay))

    monkeypatch.setattr(aws, "send_message", send)
    return sent


def test_what_is_due_in_a_while_is_asked_for_once_for_each_second(
    clock: VirtualClock, started: list[str], held_back: list[tuple[str, int]]
) -> None:
    for after in (4_001, 5_000, 4_500, 5_001, 5_000, 0, -SECOND, nudge.LONGEST_WAIT_MS + 1):
        nudge.wake(clock.time + after, clock.time)
    assert held_back == [(str(clock.time + 5_000), 5), (str(clock.time + 6_000), 6)]
    assert started == ["scheduler"], "what is due is asked for at once, by one run"


def test_what_is_due_as_late_as_a_message_can_be_held_back_is_asked_for(
    clock: VirtualClock, held_back: list[tuple[str, int]]
) -> None:
    nudge.wake(clock.time + nudge.LONGEST_WAIT_MS, clock.time)
    assert held_back == [(str(clock.time + 900_000), 900)], "SQS holds no message back for longer"


def test_a_process_that_lives_on_forgets_the_seconds_that_are_over(
    clock: VirtualClock, held_back: list[tuple[str, int]]
) -> None:
    for _ in range(50):
        nudge.wake(clock.time + 2 * SECOND, clock.time)
        clock.time += SECOND
    assert len(held_back) == 50
    assert len(nudge._woken) <= 4


def test_a_run_that_was_asked_for_hands_on_what_is_due_then(
    clock: VirtualClock, held_back: list[tuple[str, int]]
) -> None:
    """The message may come a moment before its time, for SQS counts in seconds."""
    due_at = clock.time + 5 * SECOND
    enqueue(spec("a", due_at=due_at), clock.time)
    nudge.wake(due_at, clock.time)
    [(body, delay)] = held_back
    clock.time += delay * SECOND - 300
    done = scheduler.answer({"Records": [{"body": body}]}, Accounts(active), Context(clock, Config()))
    assert (done["admitted"], clock.time) == (1, due_at)


@pytest.mark.parametrize("leaves_first", [True, False])
def test_a_run_that_was_asked_for_is_not_lost_though_all_places_are_taken(
    clock: VirtualClock, held_back: list[tuple[str, int]], store: Store, *, leaves_first: bool
) -> None:
    """Others may have read the lanes before this was due: one of them reads again, or, if all leave now, this one."""
    enqueue(spec("a", due_at=clock.time), clock.time)
    places = [nudge.begin(clock.time) for _ in range(nudge.RUNS)]
    left: list[bool] = []

    def around(request: Request, send: Send) -> Answer:
        try:
            return send()
        finally:
            if leaves_first and request.operation == "UpdateItem":  # the first finds no place; then all places are left
                store.around = None
                left.extend(nudge.leave(place) for place in places if place)

    store.around = around
    done = scheduler.run(Accounts(active), Context(clock, Config()), nudge.Wakeup(nudged=True, at=clock.time))
    store.around = None
    if leaves_first:
        assert left == [True] * nudge.RUNS
        assert done["admitted"] == 1
    else:
        assert done == {"skipped": "others run"}
        assert [nudge.leave(place) for place in places if place].count(False) == 1


@pytest.mark.usefixtures("started")
def test_the_minutes_run_counts_the_jobs_of_who_was_refused_for_their_number(clock: VirtualClock) -> None:
    tally.want_recount("acme", {}, clock.time)
    run(clock, nudged=False)
    assert list(TenantUsage.query(tally.RECOUNT)) == []
