"""Races on real conditional writes: many threads, each write a request of its own to a DynamoDB that is shared."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

import pytest

from sluice.jobs.budgets import ledger
from sluice.jobs.budgets.grant import Grant
from sluice.jobs.budgets.slots import reserve_slots
from sluice.jobs.budgets.windows import Window
from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import BudgetEmpty, LeaseOver
from sluice.jobs.queue import cancel, claim, finish, nudge, starts
from sluice.jobs.queue.cancel import Cancelled
from sluice.jobs.queue.enqueue import Result, enqueue
from sluice.platform.clock import HOUR, MINUTE, SECOND
from sluice.platform.config.document import Config
from sluice.platform.config.limits import CallWindow, Limits, by_clock
from tests.support import work
from tests.support.clock import VirtualClock
from tests.support.work import spec

RACERS = 64
NOON = 1_795_348_800_000
START = NOON + MINUTE
BUDGET = "stockx:acme"
LANE = "stockx:acme#100#0"

R = TypeVar("R")

pytestmark = pytest.mark.usefixtures("dynamodb")


@pytest.fixture(autouse=True)
def kind() -> Iterator[None]:
    with work.kind():
        yield


def race(runner: Callable[[int], R], racers: int = RACERS) -> list[R]:
    """What `runner(number)` gave each racer; all of them start at the same moment."""
    line = threading.Barrier(racers)

    def run(number: int) -> R:
        line.wait()
        return runner(number)

    with ThreadPoolExecutor(racers) as pool:
        return list(pool.map(run, range(racers)))


def claimed() -> Job:
    enqueue(spec(), START)
    [candidate], _ = claim.due(LANE, START, 10)
    job = claim.claim(candidate, START, 5 * MINUTE)
    assert job
    return job


def test_of_64_claimers_one_wins() -> None:
    for _ in range(3):
        enqueue(spec(), START)
        [candidate], _ = claim.due(LANE, START, 10)
        won = [job for job in race(lambda _: claim.claim(candidate, START, MINUTE)) if job]  # noqa: B023
        assert len(won) == 1
        assert Job.get(candidate.job_id, consistent_read=True).lease == won[0].lease
        finish.complete(won[0], {}, START, Config())


def test_of_64_deliveries_one_starts() -> None:
    job = claimed()
    assert sum(race(lambda _: starts.start(job, START))) == 1


def test_of_64_enqueuers_of_one_key_one_creates() -> None:
    for number in range(3):
        answers = race(lambda _: enqueue(spec(str(number)), START).result)  # noqa: B023
        assert Counter(answers) == {Result.CREATED: 1, Result.MERGED: RACERS - 1}


def test_a_manual_request_among_64_is_never_lost() -> None:
    """Whoever comes last, the job ends up with the highest priority that was asked for, and all who asked."""
    priorities = (keys.BACKGROUND, keys.HOT, keys.MANUAL)
    tenants = [f"tenant-{number}" for number in range(8)]
    race(lambda number: enqueue(spec(tenant=tenants[number % 8], priority=priorities[number % 3]), START), 24)
    job = Job.get(spec().job_id, consistent_read=True)
    assert job.priority == keys.MANUAL
    assert job.tenants == set(tenants)
    assert job.lane == keys.lane(job.budget, job.account, keys.MANUAL, job.job_id, 1)


def test_a_request_against_an_end_is_served_by_this_run_or_by_another() -> None:
    """The end of a run and 15 requests meet: none is told that it waits for a run that is already over."""
    for _ in range(5):
        job = claimed()

        def act(number: int) -> Result | str:
            if number == 0:
                return str(finish.complete(job, {}, START, Config()).state)  # noqa: B023
            return enqueue(spec(), START).result

        answers = Counter(race(act, 16))
        state = Job.get(job.job_id, consistent_read=True).state
        asked_again = answers[Result.RERUN_REQUESTED] + answers[Result.CREATED]
        assert answers[Result.CREATED] <= 1
        assert (state == "queued") == bool(asked_again)
        if state == "queued":
            [candidate], _ = claim.due(LANE, START, 10)
            again = claim.claim(candidate, START, MINUTE)
            assert again
            finish.complete(again, {}, START, Config())


def test_a_claim_against_a_cancellation_has_one_winner() -> None:
    for _ in range(5):
        enqueue(spec(), START)
        [candidate], _ = claim.due(LANE, START, 10)

        def act(number: int) -> bool:
            if number % 2:
                return claim.claim(candidate, START, MINUTE) is not None  # noqa: B023
            return cancel.cancel(spec().job_id, "acme", START, Config()) is Cancelled.CANCELLED

        assert sum(race(act, 16)) == 1
        job = Job.get(spec().job_id, consistent_read=True)
        if job.state == "leased":
            finish.complete(job, {}, START, Config())


def test_of_many_ends_of_one_run_one_is_written() -> None:
    job = claimed()

    def end(number: int) -> bool:
        try:
            finish.heartbeat(job, START, MINUTE) if number % 2 else finish.snooze(
                job, BudgetEmpty("no calls"), START + number, START, Config()
            )
        except LeaseOver:
            return False
        return number % 2 == 0

    assert sum(race(end, 32)) == 1


def test_64_workers_use_a_window_and_never_exceed_it() -> None:
    limits, window = Limits(by_clock(1_000, 1_500)), Window.at(START)

    def work(number: int) -> int:
        used = 0
        for turn in range(12):
            asked = 1 + (number + turn) % 5
            if ledger.reserve_calls(BUDGET, limits, window, asked):
                unused = (number + turn) % 2
                ledger.give_back(BUDGET, limits, window, min(unused, asked))
                used += asked - min(unused, asked)
        return used

    used = sum(race(work))
    usage = ledger.read(BUDGET, START)
    assert usage.hour == usage.day == used
    assert 990 <= used <= 1_000, f"{used} of 1000 calls used"


def test_64_workers_share_the_slots_and_none_come_too_close() -> None:
    limits = Limits(interval_ms=600)

    def work(number: int) -> Sequence[int]:
        # The workers' clocks differ by some seconds, and each asks at another moment of its own.
        now = START + (number * 37) % 5_000
        return [start for turn in range(4) for start in reserve_slots(BUDGET, limits, 3, now + turn).starts]

    starts = sorted(start for taken in race(work) for start in taken)
    assert len(starts) == RACERS * 12
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    assert min(gaps) >= limits.pace
    # And none is wasted: what waits is spread over as little time as the pace allows.
    assert starts[-1] - starts[0] <= 1.01 * limits.pace * len(gaps) + 5_000


def test_64_workers_make_every_call_that_windows_and_slots_allow() -> None:
    """The whole grant: blocks of slots, calls reserved one by one and given back, the margins of the hour."""
    limits = Limits(by_clock(400, 700), interval_ms=600)
    made: list[int] = []
    lock = threading.Lock()

    def work(number: int) -> int:
        clock = VirtualClock(START)
        grant = Grant(BUDGET, limits, Window.at(START), 0, clock, NOON + HOUR - MINUTE)
        try:
            for _ in range(20):
                grant.take()
                with lock:
                    made.append(clock.time)
        except BudgetEmpty:
            pass
        finally:
            grant.give_back()
        return grant.made

    assert sum(race(work)) == len(made)
    usage = ledger.read(BUDGET, START)
    assert usage.hour == usage.day == len(made) == 400
    made.sort()
    assert min(later - earlier for earlier, later in pairwise(made)) >= limits.interval_ms


def test_one_of_64_nudges_starts_the_scheduler() -> None:
    for _ in range(nudge.RUNS):
        assert sum(race(lambda _: nudge.ask(START))) == 1
        assert nudge.begin(START)
    assert sum(race(lambda _: nudge.ask(START))) == 0


def test_of_64_runs_of_the_scheduler_three_have_a_place() -> None:
    assert len([place for place in race(lambda _: nudge.begin(START)) if place]) == nudge.RUNS


def test_64_workers_share_a_window_that_rolls_and_never_exceed_it() -> None:
    """Each with a clock of its own, which goes on as it waits; their calls are counted by when they started."""
    window = CallWindow(200, seconds=10)
    limits = Limits((window,))
    made: list[int] = []
    lock = threading.Lock()

    def work(number: int) -> int:
        clock = VirtualClock(START + number % 7)
        grant = Grant(BUDGET, limits, Window.at(START), 0, clock, NOON + HOUR - MINUTE)
        for _ in range(10):
            grant.take()
            with lock:
                made.append(clock.time)
        grant.give_back()
        return grant.made

    assert sum(race(work)) == len(made) == 640
    made.sort()
    gaps = [later - earlier for earlier, later in zip(made, made[window.calls :], strict=False)]
    assert min(gaps) >= window.ms
    # None is wasted but the half second in which a call may start, each time that the ring comes round.
    assert made[-1] - made[0] <= 4 * (window.ms + SECOND)
