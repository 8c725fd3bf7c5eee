"""How urgent a job is: nobody takes that back from who asked more urgently, whoever comes in between."""

from collections.abc import Callable

import pytest

from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.queue import hasten
from sluice.jobs.queue.enqueue import Result, enqueue
from sluice.platform.config.document import Config
from tests.support.clock import VirtualClock
from tests.support.store import Answer, Request, Send, Store
from tests.support.work import spec

JOB_ID = spec("a").job_id


def between(store: Store, operation: str, meanwhile: Callable[[], object]) -> None:
    """After the first such request about the job was answered, and before whoever made it goes on."""

    def around(request: Request, send: Send) -> Answer:
        if request.operation != operation or not request.parameters["TableName"].endswith("jobs"):
            return send()
        store.around = None
        try:
            return send()
        finally:
            meanwhile()

    store.around = around


def stands() -> tuple[int, str | None]:
    job = Job.get(JOB_ID)
    return job.priority, job.lane


MANUAL_LANE = "stockx:acme#200#0"


def test_who_asks_takes_no_urgency_back_that_somebody_gave_it_meanwhile(store: Store, clock: VirtualClock) -> None:
    enqueue(spec("a"), clock.time)
    between(store, "UpdateItem", lambda: enqueue(spec("a", priority=keys.MANUAL), clock.time))
    assert enqueue(spec("a", priority=keys.HOT), clock.time).result is Result.MERGED
    assert stands() == (keys.MANUAL, MANUAL_LANE)


def test_an_operator_takes_no_urgency_back_that_somebody_gave_it_meanwhile(store: Store, clock: VirtualClock) -> None:
    enqueue(spec("a"), clock.time)
    between(store, "GetItem", lambda: enqueue(spec("a", priority=keys.MANUAL), clock.time))
    assert hasten.raise_to(JOB_ID, None, keys.HOT, clock.time, Config()) is hasten.Hastened.ALREADY
    assert stands() == (keys.MANUAL, MANUAL_LANE)


@pytest.mark.usefixtures("store")
def test_background_work_that_takes_a_job_over_leaves_it_as_urgent_as_it_was(clock: VirtualClock) -> None:
    """A person waits for it still, though somebody else's account runs it now."""
    enqueue(spec("a", priority=keys.MANUAL), clock.time)
    asked = enqueue(spec("a", tenant="zeta"), clock.time, held=lambda job: job.account == "stockx:acme")
    assert asked.moved
    assert stands() == (keys.MANUAL, "stockx:zeta#200#0")


@pytest.mark.usefixtures("store")
def test_a_later_request_for_the_run_that_follows_takes_no_urgency_back(clock: VirtualClock) -> None:
    enqueue(spec("a"), clock.time)
    job = Job.get(JOB_ID)
    job.update(actions=[Job.state.set("leased"), Job.lease.set(1)])
    for priority in (keys.MANUAL, keys.BACKGROUND):
        assert enqueue(spec("a", priority=priority), clock.time).result is Result.RERUN_REQUESTED
    assert Job.get(JOB_ID).rerun == keys.MANUAL
