"""Whose worker has died: the job comes back, and whoever asked meanwhile is served, even when it is given up."""

import pytest

from sluice.jobs.dispatch import rescue
from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import LeaseOver, Waiting
from sluice.jobs.queue import claim, finish
from sluice.jobs.queue.creation import lane_of
from sluice.jobs.queue.enqueue import Result, enqueue
from sluice.platform import observe
from sluice.platform.clock import MINUTE
from sluice.platform.config.document import Config
from tests.support import work
from tests.support.clock import VirtualClock
from tests.support.store import Store
from tests.support.work import spec

LEASE_MS = 5 * MINUTE


def begun(clock: VirtualClock, attempts: int) -> Job:
    """A job that a worker has claimed, and begun at the marketplace, with so many attempts by now."""
    enqueue(spec("a"), clock.time)
    [candidate], _ = claim.due(lane_of(spec("a")), clock.time, 9)
    job = claim.claim(candidate, clock.time, LEASE_MS)
    assert job
    job.update(actions=[Job.attempts.set(attempts)])
    return finish.begin(job, {"sku": "a", "sent": True}, clock.time)


def over(clock: VirtualClock) -> int:
    clock.time += LEASE_MS
    return clock.time


def test_who_asked_for_a_job_that_is_given_up_has_it_run_anew(store: Store, clock: VirtualClock) -> None:
    job = begun(clock, work.KIND.max_attempts)
    asked = enqueue(spec("a", tenant="zeta", priority=keys.MANUAL), clock.time)
    assert asked.result is Result.RERUN_REQUESTED
    after = finish.rescue(job, over(clock), Config())
    assert (after.state, after.priority, after.attempts) == ("queued", keys.MANUAL, 0)
    assert (after.tenant, after.account) == ("zeta", "stockx:zeta")
    assert not any((after.askers, after.begun, after.rerun, after.rerun_askers, after.rerun_payer))
    [letter] = store.items("dead_letters")
    assert letter["tenant"]["S"] == "acme", "whose run it was hears of its end"


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(("tenant", "priority"), [("acme", keys.MANUAL), ("zeta", keys.BACKGROUND)])
def test_who_asked_for_a_job_that_comes_back_is_remembered_and_its_payers_urgency_is_the_jobs(
    tenant: str, priority: int, clock: VirtualClock
) -> None:
    """What has begun is finished first; their request stands for the run that follows."""
    job = begun(clock, 1)
    enqueue(spec("a", tenant=tenant, priority=keys.MANUAL), clock.time)
    after = finish.rescue(job, over(clock), Config())
    assert (after.state, after.priority, after.attempts, after.begun) == ("queued", priority, 1, True)
    assert (after.rerun, after.rerun_askers, after.rerun_payer) == (keys.MANUAL, {tenant}, tenant)


@pytest.mark.usefixtures("store")
def test_a_job_whose_lease_was_prolonged_meanwhile_is_not_taken_back(clock: VirtualClock) -> None:
    job = begun(clock, 1)
    assert finish.heartbeat(job, clock.time + 1, LEASE_MS).updated_at == clock.time + 1
    with pytest.raises(LeaseOver):
        finish.rescue(job, over(clock), Config())
    assert finish.rescue(job, clock.time + 1, Config()).state == "queued"


@pytest.mark.usefixtures("store")
def test_what_ended_is_kept_for_its_time_and_then_forgotten(clock: VirtualClock) -> None:
    job, config = begun(clock, 1), Config()
    assert finish.complete(job, {}, clock.time, config).expires_at == (clock.time + config.engine.retention_ms) // 1000


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("attempts", [1, 2])
def test_to_wait_for_the_marketplace_uses_up_no_attempt_and_gives_none_back(attempts: int, clock: VirtualClock) -> None:
    job = begun(clock, attempts)
    assert finish.wait(job, Waiting(clock.time), clock.time, Config()).attempts == attempts - 1


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("payload", [None, {"sku": "a", "operation": "op-1"}])
def test_what_a_run_has_found_out_before_it_waits_is_kept(payload: dict[str, str] | None, clock: VirtualClock) -> None:
    job = begun(clock, 1)
    after = finish.wait(job, Waiting(clock.time + MINUTE, payload), clock.time, Config())
    assert after.payload == (payload or job.payload)


@pytest.mark.usefixtures("store")
def test_a_job_that_can_be_read_is_not_told_to_be_a_dead_letter(
    clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = list[str]()
    monkeypatch.setattr(observe.logger, "error", lambda message, **_: told.append(message))
    begun(clock, 1)
    assert rescue.discard(spec("a").job_id, clock.time, Config()) == 0
    assert told == []
