"""How urgent a job is: as its payer has asked. Nobody takes that back, whoever comes in between; nor do others add to
it on an account that is not theirs.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from sluice.jobs.model import keys
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.model.dead_letters import DeadLetter
from sluice.jobs.model.job import MOST_ASKERS, Job
from sluice.jobs.model.outcomes import BudgetClosed, CannotSucceed, Failure
from sluice.jobs.queue import cancel, claim, finish, hasten, lanes
from sluice.jobs.queue.enqueue import Held, Result, enqueue
from sluice.platform.clock import MINUTE
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


def held(tenant: str) -> Held:
    """The account of `tenant` cannot run anything now."""
    return lambda job: job.account == keys.account("stockx", tenant)


def take(clock: VirtualClock) -> Job:
    """Somebody runs the job from now on."""
    taken = claim.claim(Candidate.of(Job.get(JOB_ID)), clock.time, MINUTE)
    assert taken
    return taken


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
def test_background_work_takes_nothing_over_for_which_a_person_waits(clock: VirtualClock) -> None:
    """The person's account runs it as soon as it can; in the background of another's it might stand for hours."""
    enqueue(spec("a", priority=keys.MANUAL), clock.time)
    asked = enqueue(spec("a", tenant="zeta"), clock.time, held=held("acme"))
    assert not asked.moved
    assert stands() == (keys.MANUAL, MANUAL_LANE)


@pytest.mark.usefixtures("store")
def test_who_cannot_run_it_makes_nothing_urgent_at_anothers_cost(clock: VirtualClock) -> None:
    """Else all of `acme`'s background would stand before what a person of `acme` asks for, and take the calls kept."""
    enqueue(spec("a"), clock.time)
    for priority in (keys.HOT, keys.MANUAL, keys.BACKGROUND):
        wish = spec("a", tenant="mallory", priority=priority, force=True)
        assert enqueue(wish, clock.time, held("mallory")).result is Result.MERGED
    assert stands() == (keys.BACKGROUND, "stockx:acme#100#0")
    assert (Job.get(JOB_ID).priorities, Job.get(JOB_ID).payload) == ({"mallory": keys.MANUAL}, {"sku": "a"})


@pytest.mark.usefixtures("store")
def test_who_could_not_run_it_takes_it_over_as_soon_as_it_asks_and_can(clock: VirtualClock) -> None:
    enqueue(spec("a"), clock.time)
    enqueue(spec("a", tenant="zeta", priority=keys.MANUAL), clock.time, held("zeta"))
    assert enqueue(spec("a", tenant="zeta"), clock.time).moved
    assert stands() == (keys.MANUAL, "stockx:zeta#200#0")
    assert Job.get(JOB_ID).priorities == {"acme": keys.BACKGROUND}


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("first", ["acme", "mallory"])
def test_who_cancels_what_it_made_urgent_leaves_it_as_others_asked_for_it(first: str, clock: VirtualClock) -> None:
    """`mallory` takes it over as manual, or has asked before `acme`, and goes."""
    asks = {"acme": spec("a"), "mallory": spec("a", tenant="mallory", priority=keys.MANUAL)}
    for tenant in sorted(asks, reverse=first == "mallory"):
        enqueue(asks[tenant], clock.time)
    assert stands() == (keys.MANUAL, "stockx:mallory#200#0")
    assert cancel.cancel(JOB_ID, "mallory", clock.time, Config()) is cancel.Cancelled.WITHDRAWN
    assert stands() == (keys.BACKGROUND, "stockx:acme#100#0")
    assert Job.get(JOB_ID).priorities is None


@pytest.mark.usefixtures("store")
def test_of_those_who_still_want_it_the_most_urgent_pays_and_who_only_joined_goes_without_a_trace(
    clock: VirtualClock,
) -> None:
    enqueue(spec("a", priority=keys.MANUAL), clock.time)
    for tenant, priority in (("bolt", keys.BACKGROUND), ("calm", keys.BACKGROUND), ("zeta", keys.MANUAL)):
        enqueue(spec("a", tenant=tenant, priority=priority), clock.time)
    cancel.cancel(JOB_ID, "calm", clock.time, Config())
    assert Job.get(JOB_ID).priorities == {"bolt": keys.BACKGROUND}
    cancel.cancel(JOB_ID, "acme", clock.time, Config())
    assert stands() == (keys.MANUAL, "stockx:zeta#200#0")
    cancel.cancel(JOB_ID, "zeta", clock.time, Config())
    assert stands() == (keys.BACKGROUND, "stockx:bolt#100#0")


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("running", [False, True])
def test_what_is_remembered_of_priorities_goes_with_the_run(running: bool, clock: VirtualClock) -> None:
    enqueue(spec("a", priority=keys.MANUAL), clock.time)
    enqueue(spec("a", tenant="zeta"), clock.time)
    taken = take(clock)
    if running:
        for tenant, priority in (("zeta", keys.MANUAL), ("bolt", keys.HOT), ("acme", keys.BACKGROUND)):
            enqueue(spec("a", tenant=tenant, priority=priority), clock.time)
    finish.complete(taken, {}, clock.time, Config())
    job = Job.get(JOB_ID)
    expected = {"bolt": keys.HOT, "acme": keys.BACKGROUND} if running else None
    assert (job.state, job.priorities, job.rerun_priorities) == ("queued" if running else "succeeded", expected, None)


@pytest.mark.usefixtures("store")
def test_each_is_told_of_a_death_with_its_own_priority(clock: VirtualClock) -> None:
    """So a replay is as urgent as its tenant has asked."""
    first = spec("a", priority=keys.MANUAL)
    enqueue(replace(first, payload={"sku": "a", "force": "now", "forced_by": "acme"}), clock.time)
    enqueue(spec("a", tenant="zeta"), clock.time)
    taken = take(clock)
    finish.bury(taken, CannotSucceed("no"), clock.time, Config())
    acme, zeta = (DeadLetter.query(one).next().payload for one in ("acme", "zeta"))
    assert (acme["force"], zeta) == ("now", {"sku": "a"}), "nor is what another forced, and that one is not named"
    assert [DeadLetter.query(one).next().priority for one in ("acme", "zeta")] == [keys.MANUAL, keys.BACKGROUND]


@pytest.mark.usefixtures("store")
def test_of_many_only_those_who_are_remembered_have_a_priority_of_their_own(clock: VirtualClock) -> None:
    enqueue(spec("a"), clock.time)
    for number in range(MOST_ASKERS + 5):
        tenant = f"t{number:02}"
        enqueue(spec("a", tenant=tenant, priority=keys.MANUAL), clock.time, held(tenant))
    job = Job.get(JOB_ID)
    assert set(job.priorities or ()) == job.asked_by() - {"acme"}
    assert len(job.priorities or ()) == MOST_ASKERS - 1


@pytest.mark.usefixtures("store")
def test_an_operator_makes_it_urgent_for_who_pays_alone(clock: VirtualClock) -> None:
    enqueue(spec("a"), clock.time)
    enqueue(spec("a", tenant="zeta"), clock.time)
    assert hasten.raise_to(JOB_ID, "acme", keys.MANUAL, clock.time, Config()) is hasten.Hastened.DONE
    shared = {lane.lane: lane.shared_at for lane in lanes.active()}
    assert shared[MANUAL_LANE] == clock.time, "where calls are closed, it is looked for there too"
    cancel.cancel(JOB_ID, "acme", clock.time, Config())
    assert stands() == (keys.BACKGROUND, "stockx:zeta#100#0")


@pytest.mark.usefixtures("store")
def test_a_later_request_for_the_run_that_follows_takes_no_urgency_back(clock: VirtualClock) -> None:
    enqueue(spec("a"), clock.time)
    job = Job.get(JOB_ID)
    job.update(actions=[Job.state.set("leased"), Job.lease.set(1)])
    for priority in (keys.MANUAL, keys.BACKGROUND):
        assert enqueue(spec("a", priority=priority), clock.time).result is Result.RERUN_REQUESTED
    assert Job.get(JOB_ID).rerun == keys.MANUAL


@pytest.mark.parametrize("priority", [keys.BACKGROUND, keys.MANUAL])
def test_who_joins_while_another_takes_it_over_keeps_its_own_priority(
    store: Store, clock: VirtualClock, priority: int
) -> None:
    """Else `bolt`, which wants it in the background, would pay for it as for manual work when `zeta` goes."""
    enqueue(spec("a"), clock.time)
    # `zeta` has looked at the job, and `bolt` joins before it writes.
    between(store, "UpdateItem", lambda: enqueue(spec("a", tenant="bolt", priority=priority), clock.time, held("bolt")))
    enqueue(spec("a", tenant="zeta", priority=keys.MANUAL), clock.time)
    cancel.cancel(JOB_ID, "acme", clock.time, Config())
    cancel.cancel(JOB_ID, "zeta", clock.time, Config())
    assert stands() == (priority, f"stockx:bolt#{priority}#0")


def test_who_joins_the_run_that_follows_while_another_asks_for_it_keeps_its_own_priority(
    store: Store, clock: VirtualClock
) -> None:
    enqueue(spec("a"), clock.time)
    running = take(clock)
    enqueue(spec("a"), clock.time)
    between(store, "UpdateItem", lambda: enqueue(spec("a", tenant="bolt"), clock.time))
    enqueue(spec("a", tenant="zeta", priority=keys.MANUAL), clock.time)
    finish.complete(running, {}, clock.time, Config())
    assert stands() == (keys.MANUAL, "stockx:zeta#200#0")
    assert Job.get(JOB_ID).priorities == {"acme": keys.BACKGROUND, "bolt": keys.BACKGROUND}


def test_an_operator_makes_it_urgent_for_nobody_who_joins_meanwhile(store: Store, clock: VirtualClock) -> None:
    enqueue(spec("a"), clock.time)
    between(store, "GetItem", lambda: enqueue(spec("a", tenant="bolt"), clock.time))
    assert hasten.raise_to(JOB_ID, "acme", keys.MANUAL, clock.time, Config()) is hasten.Hastened.DONE
    assert Job.get(JOB_ID).priorities == {"bolt": keys.BACKGROUND}


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("failure", [Failure("503"), BudgetClosed("429", retry_at=0)])
@pytest.mark.parametrize("after", [False, True])
def test_what_failed_goes_to_nobody_who_asked_more_urgently_and_cannot_run_it(
    failure: Failure, after: bool, clock: VirtualClock
) -> None:
    """It would stand in that one's long queue, or wait for its calls. after: it asks while the job runs."""
    enqueue(spec("a"), clock.time)
    if not after:
        enqueue(spec("a", tenant="mallory", priority=keys.MANUAL), clock.time, held("mallory"))
    running = take(clock)
    if after:
        enqueue(spec("a", tenant="mallory", priority=keys.MANUAL), clock.time, held("mallory"))
    finish.fail(running, failure, clock.time, Config(), chance=0)
    assert stands() == (keys.BACKGROUND, "stockx:acme#100#0")
    assert Job.get(JOB_ID).priorities == {"mallory": keys.MANUAL}


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(("others", "payer"), [((), "hooli"), (("zeta",), "zeta"), (("bolt", "zeta"), "bolt")])
def test_the_run_that_follows_is_paid_by_the_first_who_can_run_it_else_by_the_first(
    others: tuple[str, ...], payer: str, clock: VirtualClock
) -> None:
    """So who asks in the background does not wait for one who cannot. But who has asked alone pays for it all the same:
    nobody else does.
    """
    enqueue(spec("a"), clock.time)
    running = take(clock)
    for tenant, priority in (("hooli", keys.HOT), ("mallory", keys.MANUAL)):
        enqueue(spec("a", tenant=tenant, priority=priority), clock.time, held(tenant))
    for tenant in others:
        enqueue(spec("a", tenant=tenant), clock.time)
    finish.complete(running, {}, clock.time, Config())
    priority = keys.BACKGROUND if others else keys.HOT
    assert stands() == (priority, f"stockx:{payer}#{priority}#0")
    assert not Job.get(JOB_ID).rerun_held
    asked = {"hooli": keys.HOT, "mallory": keys.MANUAL, **dict.fromkeys(others, keys.BACKGROUND)}
    assert Job.get(JOB_ID).priorities == {one: asked[one] for one in asked if asked[one] != priority}


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("undone", [False, True])
def test_who_takes_over_what_more_have_asked_for_than_are_remembered_has_it_come_back_to_it(
    undone: bool, clock: VirtualClock
) -> None:
    for number in range(MOST_ASKERS):
        enqueue(spec("a", tenant=f"t{number:02}"), clock.time)
    enqueue(spec("a", tenant="zeta", priority=keys.MANUAL), clock.time)
    running, failure = take(clock), Failure("503")
    failure.undone = undone
    finish.fail(running, failure, clock.time, Config(), chance=0)
    assert stands() == (keys.MANUAL, "stockx:zeta#200#0")
    assert set((Job.get(JOB_ID).priorities or {}).values()) == {keys.BACKGROUND}


@pytest.mark.usefixtures("store")
def test_a_job_that_an_earlier_version_wrote_is_as_urgent_for_all_as_it_stands(clock: VirtualClock) -> None:
    """It kept no priorities: who had asked for what is not known any more, so nobody is served later than before."""
    enqueue(spec("a"), clock.time)
    enqueue(spec("a", tenant="zeta", priority=keys.MANUAL), clock.time)
    Job(JOB_ID).update(actions=[Job.priorities.remove()])
    enqueue(spec("a", tenant="bolt"), clock.time)
    assert Job.get(JOB_ID).priorities == {"bolt": keys.BACKGROUND}
    running = take(clock)
    Job(JOB_ID).update(
        actions=[Job.rerun.set(keys.MANUAL), Job.rerun_askers.set({"acme", "zeta"}), Job.rerun_payer.set("zeta")]
    )
    finish.complete(running, {}, clock.time, Config())
    assert stands() == (keys.MANUAL, "stockx:zeta#200#0")
    cancel.cancel(JOB_ID, "zeta", clock.time, Config())
    assert stands() == (keys.MANUAL, MANUAL_LANE)
