"""Jobs of lanes that the scheduler does not serve: where nobody comes for them, the oldest one's age tells."""

from collections.abc import Collection, Mapping
from dataclasses import replace

import pytest

from sluice.jobs.dispatch import overdue, scheduler
from sluice.jobs.dispatch.snapshot import Accounts, Snapshot
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import Waiting
from sluice.jobs.queue import claim, finish, lanes
from sluice.jobs.queue.enqueue import enqueue
from sluice.platform.clock import MINUTE, SECOND
from sluice.platform.config.document import Config
from sluice.platform.config.limits import Limits
from sluice.platform.config.pauses import Pause, Pauses
from tests.support.clock import VirtualClock
from tests.support.work import spec

pytestmark = pytest.mark.usefixtures("store")
OWN = Config(limits={"stockx": Limits(at_once=2, by_account=True)})


def oldest(clock: VirtualClock, config: Config, status: str = "ACTIVE", *, minutely: bool = True) -> int | None:
    def statuses(accounts: Collection[str], service: str) -> Mapping[str, str]:
        return dict.fromkeys(accounts, status)

    snapshot = Snapshot(clock.time, config, Accounts(statuses))
    return scheduler.tick(snapshot, lambda batch: None, minutely=minutely).oldest_due_at


def waiting(clock: VirtualClock, config: Config, *names: str) -> int:
    """Jobs that wait for an operation, the first of them due first; since when that is due."""
    for place, name in enumerate(names):
        enqueue(spec(name), clock.time)
        [candidate], _ = claim.due(Job.get(spec(name).job_id).lane, clock.time, 1)
        job = claim.claim(candidate, clock.time, MINUTE)
        assert job
        finish.wait(job, Waiting(clock.time + place), clock.time, config)
    return clock.time


def test_an_operation_that_no_poller_looks_at_is_seen(clock: VirtualClock, config: Config) -> None:
    due_at = waiting(clock, config, "a", "b")
    clock.time += overdue.LATE_MS - 1
    assert oldest(clock, config) is None, "the poller comes each minute, and this is no more than its delay"
    clock.time += 1
    assert oldest(clock, config) == due_at
    assert oldest(clock, config, minutely=False) is None, "a read for each lane, for whose answer nobody waits"


def test_a_job_that_its_own_worker_does_not_take_is_seen(clock: VirtualClock) -> None:
    enqueue(replace(spec(), due_at=clock.time), clock.time)
    due_at = Job.get(spec().job_id).due_at
    clock.time += overdue.LATE_MS
    assert oldest(clock, OWN) == due_at
    assert Job.get(spec().job_id).state == "queued", "the scheduler looks, and leaves it to its worker"


def test_of_more_lanes_than_are_read_at_once_it_is_not_always_the_same(
    clock: VirtualClock, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overdue, "MOST_LANES", 1)
    due = set[int | None]()
    for tenant in ("anna", "bert", "carl"):
        enqueue(replace(spec(tenant, tenant=tenant), due_at=clock.time), clock.time)
        clock.time += SECOND
    clock.time += overdue.LATE_MS
    for _ in range(60):
        due.add(
            overdue.oldest(
                Snapshot(clock.time, OWN, Accounts(lambda asked, _: dict.fromkeys(asked, "ACTIVE"))), lanes.active()
            )
        )
        clock.time += MINUTE
    assert due == {job.due_at for job in Job.scan()}


@pytest.mark.parametrize("status", ["BROKEN", "EXPIRED", "MISSING"])
def test_what_a_broken_account_holds_is_not(status: str, clock: VirtualClock, config: Config) -> None:
    waiting(clock, config, "a")
    clock.time += overdue.LATE_MS
    assert oldest(clock, config, status) is None


def test_what_an_operator_has_paused_is_not(clock: VirtualClock, config: Config) -> None:
    waiting(clock, config, "a")
    clock.time += overdue.LATE_MS
    assert oldest(clock, replace(config, pauses=Pauses.of([Pause("stockx")]))) is None


def test_the_oldest_of_all_lanes_counts(clock: VirtualClock, config: Config) -> None:
    due_at = waiting(clock, config, "a")
    clock.time += overdue.LATE_MS
    enqueue(spec("b"), clock.time)
    assert oldest(clock, config) == due_at
