"""An operator brings a job forward: tried now, before others, or as if it had never failed; nothing else changes."""

from collections.abc import Callable

import pytest

from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import Failure, Waiting
from sluice.jobs.queue import cancel, claim, finish, hasten, lanes
from sluice.jobs.queue.creation import lane_of
from sluice.jobs.queue.enqueue import enqueue
from sluice.jobs.queue.hasten import Hastened
from sluice.platform import races
from sluice.platform.clock import HOUR, MINUTE
from sluice.platform.config.document import Config
from sluice.platform.config.limits import Limits, by_clock
from tests.support.clock import VirtualClock
from tests.support.network import no_pauses
from tests.support.store import Answer, Request, Send, Store
from tests.support.work import spec
from tests.unit.jobs.conftest import sent_twice

JOB_ID = spec().job_id
SHARDS = 7
CONFIG = Config(limits={"stockx": Limits(by_clock(100), shards=SHARDS)})

Hasten = Callable[[str, str | None, int], Hastened]


def raised(job_id: str, tenant: str | None, now: int) -> Hastened:
    return hasten.raise_to(job_id, tenant, keys.MANUAL, now, CONFIG)


WAYS = pytest.mark.parametrize("way", [hasten.try_now, raised, hasten.reset])


def stored() -> Job:
    return Job.get(JOB_ID, consistent_read=True)


def running(clock: VirtualClock) -> Job:
    enqueue(spec(), clock.time)
    [candidate], _ = claim.due(lane_of(spec()), clock.time, 9)
    job = claim.claim(candidate, clock.time, 5 * MINUTE)
    assert job
    return job


def failed(clock: VirtualClock) -> Job:
    """A job that has failed once and waits for an hour; its lane is on no list any more."""
    job = finish.fail(running(clock), Failure("503", retry_at=clock.time + HOUR), clock.time, CONFIG, chance=0)
    for lane in lanes.active():
        lane.delete()
    lanes.forget()
    clock.time += 2 * MINUTE
    return job


def marked() -> set[str]:
    return {lane.lane for lane in lanes.active()}


def test_a_job_that_backs_off_is_tried_now(store: Store, clock: VirtualClock) -> None:
    before = failed(clock)
    assert hasten.try_now(JOB_ID, "acme", clock.time) is Hastened.DONE
    job = stored()
    assert (job.due_at, job.attempts, job.priority, job.lane) == (clock.time, 1, before.priority, before.lane)
    assert job.updated_at == clock.time
    assert marked() == {job.lane}, "whoever serves the lane finds it"
    assert hasten.try_now(JOB_ID, "acme", clock.time) is Hastened.ALREADY, "what is due now is due"
    assert [one.job_id for one in claim.due(before.lane or "", clock.time, 9)[0]] == [JOB_ID]


@pytest.mark.usefixtures("store")
def test_an_operation_that_is_to_be_checked_later_is_checked_now(clock: VirtualClock) -> None:
    finish.wait(running(clock), Waiting(clock.time + HOUR), clock.time, CONFIG)
    assert hasten.try_now(JOB_ID, None, clock.time) is Hastened.DONE
    assert (stored().state, stored().due_at) == ("waiting", clock.time)


@WAYS
def test_who_hears_no_answer_the_first_time_is_told_what_was_done(
    way: Hasten, store: Store, clock: VirtualClock
) -> None:
    """botocore sends the write again: it has been done already, and by nobody else."""
    failed(clock)
    store.around = sent_twice
    assert way(JOB_ID, "acme", clock.time) is Hastened.DONE
    store.around = None
    assert way(JOB_ID, "acme", clock.time) is Hastened.ALREADY


@pytest.mark.usefixtures("store")
def test_a_job_is_raised_into_the_lane_of_its_account_and_new_priority(clock: VirtualClock) -> None:
    before = failed(clock)
    assert raised(JOB_ID, "acme", clock.time) is Hastened.DONE
    job = stored()
    assert (job.priority, job.lane) == (keys.MANUAL, keys.lane("stockx:acme", "stockx:acme", 200, JOB_ID, SHARDS))
    assert (job.due_at, job.attempts) == (before.due_at, 1), "it is tried when it was to be tried"
    assert marked() == {job.lane}
    assert raised(JOB_ID, "acme", clock.time) is Hastened.ALREADY
    assert hasten.raise_to(JOB_ID, "acme", keys.HOT, clock.time, CONFIG) is Hastened.ALREADY


@pytest.mark.usefixtures("store")
def test_a_check_of_an_operation_has_no_priority_to_be_raised(clock: VirtualClock) -> None:
    finish.wait(running(clock), Waiting(clock.time + HOUR), clock.time, CONFIG)
    assert raised(JOB_ID, None, clock.time) is Hastened.ALREADY
    assert stored().priority == keys.BACKGROUND


@pytest.mark.usefixtures("store")
def test_a_job_that_has_failed_begins_anew_and_its_timeline_says_so(clock: VirtualClock) -> None:
    failed(clock)
    assert hasten.reset(JOB_ID, "acme", clock.time) is Hastened.DONE
    job = stored()
    assert (job.attempts, job.due_at) == (0, clock.time)
    assert marked() == {job.lane}
    assert [(one["event"], one["attempt"]) for one in job.history or []] == [("retry", 1), ("reset", 1)]
    assert (job.history or [])[-1]["at"] == clock.time
    assert hasten.reset(JOB_ID, "acme", clock.time) is Hastened.ALREADY, "it has all its attempts"


@pytest.mark.usefixtures("store")
def test_a_reset_puts_nothing_off(clock: VirtualClock) -> None:
    due_at = failed(clock).due_at
    clock.time += 2 * HOUR
    assert hasten.reset(JOB_ID, "acme", clock.time) is Hastened.DONE
    assert stored().due_at == due_at


@pytest.mark.usefixtures("store")
def test_an_operation_under_way_is_not_begun_anew(clock: VirtualClock) -> None:
    job = running(clock)
    job.update(actions=[Job.attempts.set(2)])
    finish.wait(job, Waiting(clock.time + HOUR), clock.time, CONFIG)
    assert hasten.reset(JOB_ID, None, clock.time) is Hastened.ALREADY


@WAYS
def test_what_others_want_or_nobody_or_what_runs_or_is_over_stays_as_it_is(
    way: Hasten, store: Store, clock: VirtualClock
) -> None:
    assert way(JOB_ID, "acme", clock.time) is Hastened.UNKNOWN
    job = running(clock)

    def answers(tenant: str | None) -> Hastened:
        before = store.item("jobs", job_id=JOB_ID)
        answer = way(JOB_ID, tenant, clock.time - HOUR)
        assert store.item("jobs", job_id=JOB_ID) == before
        return answer

    assert answers("acme") is Hastened.RUNNING
    assert answers("zeta") is Hastened.UNKNOWN, "who has not asked for it is told nothing of it"
    enqueue(spec(tenant="zeta"), clock.time)
    assert answers("zeta") is Hastened.SHARED, "another tenant's account runs it"
    assert answers(None) is Hastened.RUNNING
    finish.complete(job, {}, clock.time, CONFIG)
    claimed, _ = claim.due(stored().lane or "", clock.time, 9)
    again = claim.claim(claimed[0], clock.time, MINUTE)
    assert again
    finish.complete(again, {}, clock.time, CONFIG)
    assert answers(None) is Hastened.FINAL


@WAYS
def test_a_job_that_a_worker_takes_meanwhile_is_looked_at_again(way: Hasten, store: Store, clock: VirtualClock) -> None:
    due_at = failed(clock).due_at or 0

    def around(request: Request, send: Send) -> Answer:
        if request.operation == "UpdateItem" and request.parameters["TableName"].endswith("jobs"):
            store.around = None
            [candidate], _ = claim.due(stored().lane or "", due_at, 9)
            assert claim.claim(candidate, due_at, MINUTE)
        return send()

    store.around = around
    assert way(JOB_ID, None, clock.time) is Hastened.RUNNING
    assert (stored().state, stored().due_at, stored().attempts) == ("leased", due_at + MINUTE, 2)


@WAYS
def test_a_job_that_is_taken_and_put_off_again_meanwhile_is_brought_forward_as_it_is_then(
    way: Hasten, store: Store, clock: VirtualClock
) -> None:
    due_at = failed(clock).due_at or 0

    def around(request: Request, send: Send) -> Answer:
        if request.operation == "UpdateItem" and request.parameters["TableName"].endswith("jobs"):
            store.around = None
            [candidate], _ = claim.due(stored().lane or "", due_at, 9)
            job = claim.claim(candidate, due_at, MINUTE)
            assert job
            finish.fail(job, Failure("503", retry_at=due_at), due_at, CONFIG, chance=0)
        return send()

    store.around = around
    assert way(JOB_ID, None, clock.time) is Hastened.DONE
    assert [one["attempt"] for one in stored().history or []][:2] == [1, 2], "nothing of its timeline is lost"


@WAYS
def test_who_loses_for_ever_is_told_nothing_that_is_not_so(way: Hasten, store: Store, clock: VirtualClock) -> None:
    failed(clock)
    tried = 0

    def around(request: Request, send: Send) -> Answer:
        nonlocal tried
        if request.operation == "UpdateItem" and request.parameters["TableName"].endswith("jobs"):
            tried += 1
            store.around = None
            stored().update(actions=[Job.lease.add(1)])
            store.around = around
        return send()

    store.around = around
    with no_pauses(), pytest.raises(races.Contention, match=JOB_ID):
        way(JOB_ID, None, clock.time)
    assert tried == races.ROUNDS


def test_a_cancelled_job_is_over(store: Store, clock: VirtualClock) -> None:
    failed(clock)
    cancel.cancel(JOB_ID, "acme", clock.time, CONFIG)
    assert hasten.try_now(JOB_ID, None, clock.time) is Hastened.FINAL
    assert store.item("jobs", job_id=JOB_ID)
