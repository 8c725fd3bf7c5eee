"""A message that nobody takes: a long queue, throttled workers. Its jobs were not tried, and nothing was spent."""

from collections.abc import Collection, Mapping
from dataclasses import replace

import pytest

from sluice.jobs.budgets import ledger
from sluice.jobs.budgets.windows import Window
from sluice.jobs.dispatch import rescue, scheduler
from sluice.jobs.dispatch.rounds import Done
from sluice.jobs.dispatch.snapshot import Accounts, Snapshot
from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.queue import starts
from sluice.jobs.queue.enqueue import enqueue
from sluice.jobs.run.messages import Batch, decode
from sluice.jobs.run.records import RunRecord
from sluice.jobs.run.runner import run_batch
from sluice.platform.clock import DAY, HOUR, MINUTE, SECOND, ttl
from sluice.platform.config.document import Config
from sluice.platform.config.limits import Limits, by_clock
from sluice.platform.context import Context
from tests.support.clock import VirtualClock
from tests.support.store import Answer, Request, Send, Store
from tests.support.work import spec
from tests.unit.jobs.conftest import NOON

NAMES = "abcde"
LEASE_MS = Config().engine.lease_ms


def active(accounts: Collection[str], _: str) -> Mapping[str, str]:
    return dict.fromkeys(accounts, "ACTIVE")


def tick(clock: VirtualClock, config: Config, sent: list[Batch]) -> Done:
    return scheduler.tick(Snapshot(clock.time, config, Accounts(active)), sent.append)


def work_on(batch: Batch, clock: VirtualClock, config: Config) -> dict[str, int]:
    limits = config.limits["stockx"]
    report = run_batch(
        decode(batch.encode()), limits, Context(clock, config), clock.time + HOUR, lambda *_: None, threads=1
    )
    return dict(report.ends)


def used(clock: VirtualClock) -> int:
    return ledger.read("stockx:acme", clock.time).hour


@pytest.fixture
def asked(store: Store, clock: VirtualClock) -> None:
    for name in NAMES:
        enqueue(spec(name, calls=2), clock.time)


@pytest.mark.usefixtures("asked")
def test_jobs_whose_message_nobody_takes_keep_their_attempts_and_their_calls(
    clock: VirtualClock, config: Config
) -> None:
    """Ten leases long, which is more than the attempts that they have."""
    sent: list[Batch] = []
    for _ in range(10):
        assert tick(clock, config, sent).admitted == len(NAMES)
        assert used(clock) == 2 * len(NAMES)
        clock.time += LEASE_MS
    assert {job.attempts for job in Job.scan()} == {1}
    tick(clock, config, sent)
    # At last there are workers, and the queue is full of old messages: none of them does anything.
    ends = [work_on(batch, clock, config) for batch in sent]
    assert ends == [{"late": len(NAMES)}] * 10 + [{"completed": len(NAMES)}]
    assert {job.state for job in Job.scan()} == {"succeeded"}


@pytest.mark.usefixtures("asked")
def test_the_timeline_counts_the_vain_leases_once(clock: VirtualClock, config: Config) -> None:
    for _ in range(30):
        tick(clock, config, [])
        clock.time += LEASE_MS
    job = next(iter(Job.scan()))
    assert [(entry["event"], entry["code"], entry["times"]) for entry in job.history] == [("snooze", "not_started", 29)]


@pytest.mark.usefixtures("asked")
def test_a_started_batch_whose_worker_is_lost_has_used_an_attempt(
    store: Store, clock: VirtualClock, config: Config
) -> None:
    sent: list[Batch] = []
    tick(clock, config, sent)
    started = False

    def dies(request: Request, send: Send) -> Answer:
        nonlocal started
        if started:
            raise ConnectionError
        answer = send()
        started = request.operation == "PutItem"
        return answer

    store.around = dies
    with pytest.raises(ConnectionError):
        work_on(sent[0], clock, config)
    store.around = None
    clock.time += LEASE_MS
    assert tick(clock, config, sent).admitted == len(NAMES)
    assert {job.attempts for job in Job.scan()} == {2}


@pytest.mark.usefixtures("asked")
def test_a_message_that_comes_while_its_jobs_are_taken_back_runs_nothing(
    store: Store, clock: VirtualClock, config: Config
) -> None:
    """The rescue takes the batch before it takes the first job, and the worker finds it taken."""
    sent: list[Batch] = []
    tick(clock, config, sent)
    clock.time += LEASE_MS
    ends: list[dict[str, int]] = []

    def between(request: Request, send: Send) -> Answer:
        answer = send()
        if request.operation == "PutItem" and not ends:
            store.around = None
            ends.append(work_on(sent[0], clock, config))
        return answer

    store.around = between
    tick(clock, config, [])
    assert ends == [{"late": len(NAMES)}]
    assert used(clock) == 2 * len(NAMES), "what the vain claim reserved has gone back, and they are claimed anew"


def test_what_was_reserved_goes_back_to_the_budget_that_was_charged(store: Store, clock: VirtualClock) -> None:
    """Where accounts share a service's budget, their application's is charged, and the job does not say so."""
    config = Config(limits={"stockx": Limits(by_clock(10), by_account=False)})
    enqueue(replace(spec("a", calls=2), budget="stockx"), clock.time)
    for _ in range(3):
        scheduler.tick(
            Snapshot(clock.time, config, Accounts(active, lambda accounts: dict.fromkeys(accounts, "x1"))),
            lambda _: None,
        )
        assert ledger.read(keys.charged_to("stockx", "x1"), clock.time).hour == 2
        clock.time += LEASE_MS
    assert ledger.read("stockx", clock.time).hour == 0


@pytest.mark.usefixtures("asked")
def test_what_was_reserved_goes_back_to_the_hour_in_which_it_was(clock: VirtualClock, config: Config) -> None:
    """Though it is a later hour when that is found out, and though somebody has asked again meanwhile."""
    clock.time += HOUR - MINUTE
    tick(clock, config, [])
    before = clock.time
    clock.time += LEASE_MS - SECOND
    enqueue(spec("a", priority=keys.MANUAL), clock.time)
    clock.time += SECOND
    tick(clock, config, [])
    assert ledger.read("stockx:acme", before).hour == 0
    assert used(clock) == 2 * len(NAMES)


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("factor", [0.2, 5])
def test_what_was_reserved_goes_back_to_its_hour_though_leases_are_of_another_length_by_now(
    factor: float, clock: VirtualClock, config: Config
) -> None:
    """Claimed shortly before the hour, and found out shortly after it."""
    clock.time += HOUR - MINUTE
    tick(clock, config, [])
    assert used(clock) == 2 * len(NAMES)
    before, claimed_in = clock.time, Window.at(clock.time)
    clock.time += LEASE_MS
    engine = replace(config.engine, lease_ms=int(LEASE_MS * factor))
    rescue.take_back(Snapshot(clock.time, replace(config, engine=engine), Accounts(active)))
    assert before < claimed_in.end < clock.time
    assert [ledger.read("stockx:acme", at).hour for at in (before, clock.time)] == [0, 0]


@pytest.mark.usefixtures("store")
def test_who_has_taken_a_batch_is_known_for_longer_than_a_lease_may_last() -> None:
    job = Job("a", lease=1, claim_token="b")
    assert starts.start(job, NOON)
    [record] = RunRecord.query("batch#b")
    assert record.expires_at == ttl(NOON + 2 * DAY)
    assert not starts.start(job, NOON), "one worker runs it"
    assert not starts.withdraw(job, NOON), "and nobody says that none did"


@pytest.mark.usefixtures("store")
def test_of_those_who_take_a_batch_back_each_may_go_on_and_no_worker_starts_it() -> None:
    job = Job("a", lease=1, claim_token="b")
    assert [starts.withdraw(job, NOON), starts.withdraw(job, NOON), starts.start(job, NOON)] == [True, True, False]


@pytest.mark.usefixtures("store")
def test_a_job_that_an_earlier_version_has_claimed_is_a_batch_of_its_own_in_each_lease() -> None:
    one, other = Job("a", lease=1), Job("b", lease=1)
    assert [starts.start(job, NOON) for job in (one, one, other)] == [True, False, True]
    assert starts.start(Job("a", lease=2), NOON)
