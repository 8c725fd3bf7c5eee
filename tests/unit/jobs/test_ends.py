"""What each end of a run leaves on the job: where it stands, when it is due, what is told of it, and what is over."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from sluice.jobs.model import keys
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.model.dead_letters import DeadLetter
from sluice.jobs.model.job import MOST_ASKERS, Job
from sluice.jobs.model.outcomes import BudgetClosed, CannotSucceed, Failure, LeaseOver, Waiting
from sluice.jobs.queue import cancel, claim, finish, hasten, lanes
from sluice.jobs.queue.enqueue import enqueue
from sluice.platform.clock import HOUR, MINUTE, SECOND, ttl
from sluice.platform.config.document import Config
from sluice.platform.config.limits import Limits, by_clock
from tests.support.store import Answer, Request, Send, Store
from tests.support.work import KIND, spec
from tests.unit.jobs.conftest import NOON

pytestmark = pytest.mark.usefixtures("store")

CONFIG = Config(limits={"stockx": Limits(by_clock(100), shards=7)})
# When the second run of the job ends; its lease is over by then, for those ends that are a rescue's.
NOW = NOON + HOUR
LATER = NOW + HOUR
JOB_ID = spec().job_id
HOME = keys.lane("stockx:acme", "stockx:acme", keys.BACKGROUND, JOB_ID, 7)
POLL = keys.poll_lane("stockx:acme", "stockx:acme", JOB_ID, 7)
# What is known of the first run.
FAILED = ("503", "busy", NOON)


class End(NamedTuple):
    """How the job's second run ends, and what it is then. error: code, message and time of the last failure."""

    write: Callable[[Job], Job]
    state: str
    lane: str | None
    due_at: int | None
    attempts: int
    events: list[str]
    error: tuple[str, str, int] | None


def asked_again(job: Job) -> Job:
    """The job is done, and somebody asks for it meanwhile."""
    enqueue(spec(), NOW)
    return finish.complete(job, {"sold": 1}, NOW, CONFIG)


def fail(failure: Failure) -> Callable[[Job], Job]:
    return lambda job: finish.fail(job, failure, NOW, CONFIG, chance=0)


ENDS = {
    "complete": End(
        lambda job: finish.complete(job, {"sold": 1}, NOW, CONFIG), "succeeded", None, None, 2, ["retry"], None
    ),
    "rerun": End(asked_again, "queued", HOME, NOW, 0, ["retry", "rerun"], None),
    "retry": End(
        fail(Failure("again", code="502", retry_at=LATER)),
        *("queued", HOME, LATER, 2, ["retry", "retry"], ("502", "again", NOW)),
    ),
    "snooze": End(
        fail(BudgetClosed("429", retry_at=LATER)),
        *("queued", HOME, LATER, 1, ["retry", "snooze"], ("budget_closed", "429", NOW)),
    ),
    "wait": End(
        lambda job: finish.wait(job, Waiting(LATER, {"operation": 7}), NOW, CONFIG),
        *("waiting", POLL, LATER, 1, ["retry"], FAILED),
    ),
    "rescue": End(
        lambda job: finish.rescue(job, NOW, CONFIG),
        *("queued", HOME, NOW, 2, ["retry", "rescue"]),
        ("lease_expired", "the worker that ran this job stopped without a word; its lease ran out", NOW),
    ),
    "not started": End(
        lambda job: finish.rescue(job, NOW, CONFIG, started=False),
        *("queued", HOME, NOW, 1, ["retry", "snooze"]),
        ("not_started", "no worker took this job before its lease ran out", NOW),
    ),
    "bury": End(
        fail(CannotSucceed("no such product")),
        *("dead", None, None, 2, ["retry", "bury"], ("refused", "no such product", NOW)),
    ),
}


def stored() -> Job:
    return Job.get(JOB_ID, consistent_read=True)


def take(now: int) -> Job:
    job = claim.claim(Candidate.of(stored()), now, MINUTE, "batch")
    assert job
    return job


def second_run() -> Job:
    """A job that has failed once and runs again; its lanes are on no list."""
    enqueue(spec(calls=3), NOON - HOUR)
    finish.fail(take(NOON), Failure("busy", code="503"), NOON, CONFIG, chance=0)
    job = take(NOON + MINUTE)
    for lane in lanes.active():
        lane.delete()
    lanes.forget()
    return job


def last_error(job: Job) -> tuple[str, str, int] | None:
    error: dict[str, Any] | None = job.error
    return (error["code"], error["message"], error["at"]) if error else None


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_each_end_leaves_the_job_where_it_belongs_and_nothing_of_the_run_that_is_over(end: End) -> None:
    returned = end.write(second_run())
    job = stored()
    assert (job.state, job.lane, job.due_at) == (end.state, end.lane, end.due_at)
    assert (job.attempts, [one["event"] for one in job.history or []]) == (end.attempts, end.events)
    assert last_error(job) == end.error
    assert not job.claim_token, "it belongs to no batch"
    assert job.reserved is None
    assert job.lease == 2, "a late worker of this run is refused"
    assert job.updated_at == NOW
    assert job.expires_at == (None if end.lane else ttl(NOW + CONFIG.engine.retention_ms))
    assert end.lane in {None, *(lane.lane for lane in lanes.active())}, "whoever serves the lane finds it"
    assert returned.to_dynamodb_dict() == job.to_dynamodb_dict(), "who ends the run knows what it is then"


def asked_once_more(job: Job) -> None:
    """Another worker has the job by now, and somebody has asked for it meanwhile."""
    finish.rescue(job, NOW, CONFIG)
    take(NOW)
    enqueue(spec(tenant="zeta"), NOW)


OVER: dict[str, Callable[[Job], object]] = {
    "rescued": lambda job: finish.rescue(job, NOW, CONFIG),
    "another's": asked_once_more,
    "done": lambda job: finish.complete(job, {}, NOW, CONFIG),
    "forgotten": lambda job: job.delete(),
}


@pytest.mark.parametrize("over", OVER.values(), ids=OVER)
@pytest.mark.parametrize("end", [*ENDS, "heartbeat", "begin"])
def test_whoever_comes_late_is_refused_and_changes_nothing(
    end: str, over: Callable[[Job], object], store: Store
) -> None:
    late: dict[str, Callable[[Job], Job]] = {
        **{name: one.write for name, one in ENDS.items()},
        "rerun": ENDS["complete"].write,
        "heartbeat": lambda job: finish.heartbeat(job, NOW, MINUTE),
        "begin": lambda job: finish.begin(job, {"sent": True}, NOW),
    }
    job = second_run()
    over(Job.get(JOB_ID))
    before, reads = store.item("jobs", job_id=JOB_ID), list[Request]()

    def around(request: Request, send: Send) -> Answer:
        if request.operation == "GetItem":
            reads.append(request)
        return send()

    store.around = around
    with pytest.raises(LeaseOver):
        late[end](job)
    assert store.item("jobs", job_id=JOB_ID) == before
    assert end == "bury" or before is None or not reads, "the refusal says what there is"


@pytest.mark.parametrize("end", ["complete", "retry", "bury"])
def test_who_comes_late_while_others_ask_is_refused_all_the_same(end: str, store: Store) -> None:
    """Somebody asks before its first try; before its second another worker has done all that was asked for."""
    job, tries = second_run(), 0

    def others() -> None:
        finish.rescue(stored(), NOW, CONFIG)
        finish.complete(take(NOW), {}, NOW, CONFIG)

    steps: list[Callable[[], object]] = [lambda: enqueue(spec(tenant="zeta"), NOW), others]

    def around(request: Request, send: Send) -> Answer:
        nonlocal tries
        if request.operation in ("UpdateItem", "TransactWriteItems") and "lanes" not in str(request.parameters):
            tries += 1
            store.around = None
            steps.pop(0)()
            store.around = around
        return send()

    store.around = around
    with pytest.raises(LeaseOver):
        ENDS[end].write(job)
    assert tries == 2
    assert (stored().lease, stored().result) == (3, {})


def test_what_has_begun_is_finished_by_the_account_that_has_begun_it() -> None:
    """Though its calls are used up, and somebody else has asked for the same meanwhile."""
    job = finish.begin(second_run(), {"sent": True}, NOW)
    enqueue(spec(tenant="zeta", priority=keys.MANUAL), NOW)
    again = fail(BudgetClosed("429", retry_at=LATER))(job)
    assert (again.tenant, again.due_at, again.rerun_payer, again.payload) == ("acme", LATER, "zeta", {"sent": True})


@pytest.mark.parametrize("end", ["rerun", "retry", "snooze", "bury"])
def test_the_timeline_says_when_and_in_which_attempt_and_why(end: str) -> None:
    ENDS[end].write(second_run())
    error = ENDS[end].error
    why = {"code": error[0], "message": error[1]} if error else {}
    assert (stored().history or [])[-1] == {"at": NOW, "event": end, "attempt": 2, **why}


def test_a_job_says_for_which_batch_it_was_claimed_and_one_that_was_claimed_for_none_is_alone_in_its_own() -> None:
    for name in "ab":
        enqueue(spec(name), NOON)
    one, other = (claim.claim(Candidate.of(Job.get(spec(name).job_id)), NOON, MINUTE) for name in "ab")
    assert one
    assert other
    assert one.claim_token
    assert one.claim_token != other.claim_token
    assert second_run().claim_token == "batch"


def test_what_the_work_came_to_is_kept_though_it_is_to_be_done_once_more() -> None:
    for end in ("complete", "rerun"):
        ENDS[end].write(second_run())
        assert stored().result == {"sold": 1}
        stored().delete()


def test_who_has_the_job_done_anew_starts_from_now() -> None:
    """Its age is that of the request which is open, and who looks at it sees how long that has waited."""
    before = second_run().created_at
    asked_again(stored())
    assert (before, stored().created_at) == (NOON - HOUR, NOW)


def test_what_an_operation_is_known_by_is_kept_and_where_nothing_new_is_known_all_stays() -> None:
    ENDS["wait"].write(second_run())
    assert (stored().payload, stored().begun) == ({"operation": 7}, True)
    finish.wait(take(LATER), Waiting(LATER + HOUR), LATER, CONFIG)
    assert (stored().payload, stored().due_at) == ({"operation": 7}, LATER + HOUR)


def test_a_run_that_goes_on_says_when_it_last_did_and_keeps_what_it_has_begun() -> None:
    job = second_run()
    assert finish.heartbeat(job, NOW, MINUTE).due_at == NOW + MINUTE
    assert stored().updated_at == NOW
    finish.begin(job, {"sent": True}, NOW + 1)
    job = stored()
    assert (job.state, job.payload, job.begun, job.updated_at) == ("leased", {"sent": True}, True, NOW + 1)
    assert job.due_at == NOW + MINUTE, "it is to be done within the same lease"


@pytest.mark.parametrize(("ran", "asked"), [(keys.MANUAL, keys.BACKGROUND), (keys.BACKGROUND, keys.MANUAL)])
def test_a_job_that_comes_back_is_as_urgent_as_the_most_urgent_who_asked(ran: int, asked: int) -> None:
    enqueue(spec(priority=ran), NOON)
    job = take(NOON)
    enqueue(spec(priority=asked), NOW)
    again = fail(Failure("503"))(job)
    assert (again.priority, again.lane) == (keys.MANUAL, again.home(7))


@pytest.mark.parametrize(
    ("end", "later", "shared"),
    [
        ("complete", ["zeta"], False),
        ("complete", ["zeta", "globex"], True),
        *((end, later, bool(later)) for end in ("retry", "snooze", "rescue") for later in ([], ["zeta"])),
    ],
)
def test_the_lane_says_whether_several_have_asked_for_what_goes_back_there(
    end: str, later: list[str], shared: bool
) -> None:
    """Else nobody looks there for work that another asker's account could do. later: who asked while it ran."""
    job = second_run()
    for tenant in later:
        enqueue(spec(tenant=tenant), NOW)
    again = ENDS[end].write(job)
    [lane] = [one for one in lanes.active() if one.lane == again.lane]
    assert lane.shared_at == (NOW if shared else None)


def test_who_pays_for_the_next_run_hears_of_it_though_more_have_asked_than_a_job_remembers() -> None:
    job = second_run()
    for number in range(MOST_ASKERS):
        enqueue(spec(tenant=f"tenant-{number:02}"), NOW)
    enqueue(spec(tenant="zeta", priority=keys.MANUAL), NOW)
    again = finish.complete(job, {}, NOW, CONFIG)
    assert again.tenant == "zeta"
    assert again.asked_by() == {"zeta", *(f"tenant-{number:02}" for number in range(MOST_ASKERS))}


@pytest.mark.parametrize("over", [MINUTE, 0])
def test_what_was_put_off_to_a_time_that_is_over_is_due_now(over: int) -> None:
    """Due before now, it would stand before others that have waited for longer."""
    fail(BudgetClosed("429", retry_at=NOW - over))(second_run())
    assert stored().due_at == NOW


@pytest.mark.parametrize(("retry_at", "due_at"), [(None, NOW + SECOND), (NOW + 1, NOW + SECOND), (LATER, LATER)])
def test_a_job_that_has_failed_backs_off_and_for_longer_where_the_marketplace_says_so(
    retry_at: int | None, due_at: int
) -> None:
    fail(Failure("503", retry_at=retry_at))(second_run())
    assert stored().due_at == due_at


@pytest.mark.parametrize(("wait", "due_at"), [(HOUR, NOON + MINUTE + HOUR), (MINUTE, NOW), (HOUR - MINUTE, NOW)])
def test_the_time_of_the_next_attempt_counts_from_the_beginning_of_this_one_and_is_not_before_now(
    wait: int, due_at: int
) -> None:
    config = replace(CONFIG, engine=replace(CONFIG.engine, timetables={KIND.name: (0, 0, wait, HOUR)}))
    finish.fail(second_run(), Failure("503"), NOW, config, chance=0)
    assert stored().due_at == due_at


@pytest.mark.parametrize(("characters", "kept"), [(200, "x" * 200), (201, "x" * 199 + "…")])
def test_an_item_keeps_a_part_of_a_long_message_and_shows_that_there_was_more(characters: int, kept: str) -> None:
    fail(Failure("x" * characters))(second_run())
    job = stored()
    assert (job.error or {})["message"] == (job.history or [])[-1]["message"] == kept


def test_a_letter_is_kept_for_as_long_as_is_configured_and_tells_all_that_the_job_does() -> None:
    ENDS["bury"].write(second_run())
    job = stored()
    [letter] = DeadLetter.query("acme")
    assert letter.expires_at == ttl(NOW + CONFIG.engine.dead_letter_retention_ms)
    assert (letter.error, letter.history, letter.died_at) == (job.error, job.history, NOW)


def raise_it() -> object:
    return hasten.raise_to(JOB_ID, "acme", keys.MANUAL, NOW, CONFIG)


# What changes a job that waits, and is no run of it.
CHANGES: dict[str, Callable[[], object]] = {
    "joined": lambda: enqueue(spec(tenant="zeta"), NOW),
    "raised": lambda: enqueue(spec(priority=keys.MANUAL), NOW),
    "claimed": lambda: take(NOW),
    "cancelled": lambda: cancel.cancel(JOB_ID, "acme", NOW, CONFIG),
    "hastened": raise_it,
    "reset": lambda: hasten.reset(JOB_ID, "acme", NOW),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_changes_a_job_says_when(change: Callable[[], object]) -> None:
    enqueue(spec(), NOON - HOUR)
    finish.fail(take(NOON), Failure("busy", code="503"), NOON, CONFIG, chance=0)
    change()
    assert stored().updated_at == NOW
