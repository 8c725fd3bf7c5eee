"""Taking a request back: it is over for who asked, and goes on for the others."""

from dataclasses import replace
from urllib.parse import quote, unquote

import pytest

from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import Failure, Waiting
from sluice.jobs.queue import claim, finish, lanes
from sluice.jobs.queue.cancel import Cancelled, cancel, find, find_by_path
from sluice.jobs.queue.enqueue import Result, enqueue
from sluice.platform.clock import HOUR, MINUTE
from sluice.platform.config.document import Config
from tests.simulation.promises import text
from tests.support.clock import VirtualClock
from tests.support.store import Answer, Request, Send, Store
from tests.support.work import KIND, spec

pytestmark = pytest.mark.usefixtures("store")

JOB = spec().job_id


def leased(clock: VirtualClock) -> Job:
    [candidate], _ = claim.due(Job.get(JOB).lane, clock.time, 10)
    job = claim.claim(candidate, clock.time, 5 * MINUTE)
    assert job
    return job


def test_what_only_one_wanted_is_cancelled(clock: VirtualClock, config: Config) -> None:
    enqueue(spec(), clock.time)
    assert cancel(JOB, "acme", clock.time, config) is Cancelled.CANCELLED
    job = Job.get(JOB)
    assert job.state == "cancelled"
    assert not job.lane
    assert not job.due_at
    assert job.expires_at == (clock.time + config.engine.retention_ms) // 1000
    assert cancel(JOB, "acme", clock.time, config) is Cancelled.FINAL


def test_what_others_want_too_goes_on_for_them(clock: VirtualClock, config: Config) -> None:
    for tenant in ("acme", "zeta"):
        enqueue(spec(tenant=tenant), clock.time)
    assert cancel(JOB, "acme", clock.time, config) is Cancelled.WITHDRAWN
    assert Job.get(JOB).state == "queued"
    assert cancel(JOB, "acme", clock.time, config) is Cancelled.UNKNOWN, "it is no longer acme's to see"
    assert cancel(JOB, "zeta", clock.time, config) is Cancelled.CANCELLED


@pytest.mark.parametrize(("others", "shared"), [(("zeta",), False), (("zeta", "bert"), True)])
def test_the_lane_into_which_it_goes_on_is_marked_before_it_stands_there(
    others: tuple[str, ...], shared: bool, store: Store, clock: VirtualClock, config: Config
) -> None:
    """And said to hold what several want, if several still do: then it may go over once more."""
    for tenant in ("acme", *others):
        enqueue(spec(tenant=tenant), clock.time)
    for lane in lanes.active():
        lane.delete()
    lanes.forget()
    seen = list[tuple[str, bool]]()

    def around(request: Request, send: Send) -> Answer:
        if request.operation == "UpdateItem" and request.parameters["TableName"] == Job.Meta.table_name:
            seen.extend((text(item, "lane"), "shared_at" in item) for item in store.items("lanes"))
        return send()

    store.around = around
    assert cancel(JOB, "acme", clock.time, config) is Cancelled.WITHDRAWN
    job = Job.get(JOB)
    assert (job.tenant, seen) == (min(others), [(job.lane, shared)])


def test_who_joins_at_the_last_moment_is_served(store: Store, clock: VirtualClock, config: Config) -> None:
    """zeta asks after acme's cancellation has read the job, and before it writes."""
    enqueue(spec(), clock.time)
    outcomes: list[Result] = []

    def around(request: Request, send: Send) -> Answer:
        if request.operation == "UpdateItem" and not outcomes:
            store.around = None
            outcomes.append(enqueue(spec(tenant="zeta"), clock.time).result)
        return send()

    store.around = around
    assert cancel(JOB, "acme", clock.time, config) is Cancelled.WITHDRAWN
    assert outcomes == [Result.MERGED]
    assert (Job.get(JOB).state, Job.get(JOB).tenants) == ("queued", {"zeta"})


def test_what_runs_is_not_cancelled(clock: VirtualClock, config: Config) -> None:
    enqueue(spec(), clock.time)
    job = leased(clock)
    assert cancel(JOB, "acme", clock.time, config) is Cancelled.RUNNING
    assert finish.complete(job, {}, clock.time, config).state == "succeeded"


def test_what_the_marketplace_works_on_is_not_cancelled(clock: VirtualClock, config: Config) -> None:
    enqueue(spec(), clock.time)
    finish.wait(leased(clock), Waiting(clock.time + HOUR, {}), clock.time, config)
    assert cancel(JOB, "acme", clock.time, config) is Cancelled.RUNNING


def test_what_has_begun_is_not_cancelled_between_two_attempts(
    store: Store, clock: VirtualClock, config: Config
) -> None:
    """The marketplace may have done it: who runs it next has to find out."""
    enqueue(spec(), clock.time)
    job = finish.begin(leased(clock), {"sent": True}, clock.time)
    finish.fail(job, Failure("no answer"), clock.time, config, chance=0)
    assert Job.get(JOB).state == "queued"
    asked = list[str]()

    def around(request: Request, send: Send) -> Answer:
        asked.append(request.operation)
        return send()

    store.around = around
    assert cancel(JOB, "acme", clock.time, config) is Cancelled.RUNNING
    assert asked == ["GetItem"], "it costs one look"


def test_a_job_is_found_by_its_path_however_that_was_escaped_on_its_way(clock: VirtualClock) -> None:
    odd = replace(spec(), job_id=keys.job_id(KIND.name, "stockx", "a b/c"))
    enqueue(odd, clock.time)
    for path in (odd.job_id, quote(odd.job_id), unquote(odd.job_id)):
        found = find_by_path(path, "acme")
        assert found
        assert found.job_id == odd.job_id
        assert find_by_path(path, "zeta") is None


def test_what_can_be_no_jobs_id_is_looked_for_nowhere(store: Store) -> None:
    """DynamoDB fails on a key that is empty, or too long."""

    def around(request: Request, send: Send) -> Answer:
        raise AssertionError(request.operation)

    store.around = around
    assert [find(name, None) for name in ("", "x" * 3_000, "a b")] == [None] * 3


@pytest.mark.parametrize(("job_id", "tenant"), [("test.work:stockx:none", "acme"), (JOB, "zeta")])
def test_what_is_not_ones_own_does_not_exist(job_id: str, tenant: str, clock: VirtualClock, config: Config) -> None:
    enqueue(spec(), clock.time)
    assert cancel(job_id, tenant, clock.time, config) is Cancelled.UNKNOWN
    assert Job.get(JOB).state == "queued"
