"""The stream of table `jobs` becomes events: one for each end of a job, whatever ended it, until the bus has it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from functions.job_events.handler import handler
from sluice.jobs.model import keys
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import CannotSucceed, Failure, Waiting
from sluice.jobs.queue import cancel, claim, enqueue, finish, unreadable
from sluice.platform import aws
from sluice.platform.clock import MINUTE, iso
from sluice.platform.config.document import Config
from tests.support import work
from tests.support.http import Context
from tests.support.store import Store
from tests.support.stream import changes
from tests.unit.jobs.conftest import NOON

CONFIG = Config()
JOB_ID = work.spec().job_id
Event = tuple[str, dict[str, Any]]


@pytest.fixture
def bus(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    """What is on the bus."""
    put: list[Event] = []
    monkeypatch.setattr(aws, "put_events", put.extend)
    return put


def ask(**changed: Any) -> None:
    enqueue.enqueue(replace(work.spec(), **changed), NOON)


def take(now: int = NOON) -> Job:
    job = claim.claim(Candidate.of(Job.get(JOB_ID)), now, MINUTE)
    assert job
    return job


def deliver() -> int:
    """Hand the stream over, as Lambda does; how many jobs have ended."""
    return handler({"Records": changes("jobs")}, Context())["published"]  # type: ignore[arg-type]


def lose_the_last_worker() -> None:
    job = Job.get(JOB_ID)
    job.attempts = work.KIND.max_attempts - 1
    job.save()
    finish.rescue(take(), NOON + 9 * MINUTE, CONFIG)


def damage(store: Store) -> None:
    item = store.item("jobs", job_id=JOB_ID)
    assert item
    store.put("jobs", {**item, "priority": {"S": "high"}})
    assert unreadable.discard(JOB_ID, NOON, CONFIG)


ENDS: dict[str, tuple[Callable[[Store], object], str]] = {
    "complete": (lambda _: finish.complete(take(), {"answer": 42}, NOON, CONFIG), "job.succeeded"),
    "refused": (lambda _: finish.fail(take(), CannotSucceed("no"), NOON, CONFIG, chance=0), "job.dead"),
    "rescue": (lambda _: lose_the_last_worker(), "job.dead"),
    "discard": (damage, "job.dead"),
    "cancel": (lambda _: cancel.cancel(JOB_ID, "acme", NOON, CONFIG), "job.cancelled"),
}


@pytest.mark.parametrize("end", ENDS)
def test_each_end_of_a_job_is_one_event(store: Store, bus: list[Event], end: str) -> None:
    ends, kind = ENDS[end]
    ask()
    ends(store)
    assert deliver() == 1
    [(found, detail)] = bus
    assert (found, detail["jobId"], detail["state"]) == (kind, JOB_ID, kind.removeprefix("job."))
    assert detail["id"]
    assert deliver() == 0


def test_an_event_tells_the_time_of_the_end_and_not_of_its_way(store: Store, bus: list[Event]) -> None:
    ask()
    finish.complete(take(), {"answer": 42}, NOON + 7, CONFIG)
    deliver()
    assert (bus[0][1]["at"], bus[0][1]["result"]) == (iso(NOON + 7), {"answer": 42})


def test_what_goes_on_has_no_event(store: Store, bus: list[Event]) -> None:
    ask()
    finish.fail(take(), Failure("again"), NOON, CONFIG, chance=0.0)
    finish.wait(take(NOON + MINUTE), Waiting(NOON + MINUTE), NOON + MINUTE, CONFIG)
    running = take(NOON + MINUTE)
    ask()
    finish.fail(running, Failure("again"), NOON + MINUTE, CONFIG, chance=0.0)
    assert (deliver(), bus) == (0, [])


def test_a_run_that_is_asked_for_again_ends_for_those_who_asked_for_it(store: Store, bus: list[Event]) -> None:
    """`acme` asks, and while that runs `globex`, and while that runs `initech`: each hears of its own run, once."""
    ask(shared=True)
    ask_as("globex", running := take())
    assert deliver() == 0
    assert finish.complete(running, {"n": 1}, NOON + 1, CONFIG).state == "queued"
    second = take(NOON + MINUTE)
    ask_as("initech", second)
    assert finish.bury(second, CannotSucceed("no"), NOON + MINUTE, CONFIG).state == "queued"
    finish.complete(take(NOON + MINUTE), {"n": 3}, NOON + MINUTE, CONFIG)
    assert deliver() == 3
    told = [(kind, detail["tenants"], detail["result"], detail["attempts"]) for kind, detail in bus]
    assert told == [
        ("job.succeeded", ["acme"], {"n": 1}, 1),
        ("job.dead", ["globex"], {"n": 1}, 1),
        ("job.succeeded", ["initech"], {"n": 3}, 1),
    ]
    assert len({detail["id"] for _, detail in bus}) == 3


def ask_as(tenant: str, running: Job) -> None:
    assert running.state == "leased"
    ask(tenant=tenant, account=f"stockx:{tenant}", budget=f"stockx:{tenant}", shared=True)


def test_an_event_says_of_which_form_it_is_and_in_whose_turn_it_stands(store: Store, bus: list[Event]) -> None:
    """What several asked for stands in a turn of its own."""
    for tenants in (("acme",), ("acme", "globex")):
        for tenant in tenants:
            ask(tenant=tenant, account=f"stockx:{tenant}", budget=f"stockx:{tenant}", shared=True)
        finish.complete(take(), {}, NOON, CONFIG)
    assert deliver() == 2
    assert [(detail["version"], detail["tenants"], detail["tenant"]) for _, detail in bus] == [
        (1, ["acme"], "acme"),
        (1, ["acme", "globex"], "*"),
    ]


def test_an_event_tells_the_highest_priority_with_which_anybody_asked_for_the_run(
    store: Store, bus: list[Event]
) -> None:
    """Else the feed of a person who joined another's background would not have it. What comes after is another run."""
    joins = replace(work.spec(tenant="globex", priority=keys.MANUAL), shared=True)

    def join() -> None:
        enqueue.enqueue(joins, NOON, held=lambda job: job.account == "stockx:globex")

    ask(shared=True)
    join()
    running = take()
    ask(shared=True)
    finish.complete(running, {}, NOON + 1, CONFIG)
    join()
    finish.complete(take(NOON + 1), {}, NOON + 2, CONFIG)
    ask(shared=True)
    running = take(NOON + 2)
    enqueue.enqueue(joins, NOON)
    finish.complete(running, {}, NOON + 3, CONFIG)
    cancel.cancel(JOB_ID, "globex", NOON + 3, CONFIG)
    assert deliver() == 4
    assert [(detail["state"], detail["priority"]) for _, detail in bus] == [
        ("succeeded", "manual"),
        ("succeeded", "manual"),
        ("succeeded", "background"),
        ("cancelled", "manual"),
    ]


def test_a_job_that_is_removed_while_it_runs_has_no_end_to_tell(store: Store, bus: list[Event]) -> None:
    """As where its tenant is: though somebody has asked for it again."""
    ask(shared=True)
    ask_as("globex", take())
    Job.get(JOB_ID).delete()
    assert (deliver(), bus) == (0, [])


def test_a_final_job_that_changes_is_not_ended_again(store: Store, bus: list[Event]) -> None:
    ask()
    job = finish.complete(take(), {}, NOON, CONFIG)
    job.expires_at = 1
    job.save()
    job.delete()
    assert (deliver(), len(bus)) == (1, 1)


def test_a_job_that_comes_back_from_a_backup_ended_long_ago(store: Store, bus: list[Event]) -> None:
    """Its end was told then: whoever acts on it must not act twice."""
    ask()
    finish.complete(take(), {}, NOON, CONFIG)
    item = store.item("jobs", job_id=JOB_ID)
    assert item
    Job.get(JOB_ID).delete()
    changes("jobs")
    store.put("jobs", item)
    assert (deliver(), bus) == (0, [])


def test_a_job_that_runs_twice_has_two_events(store: Store, bus: list[Event]) -> None:
    for _ in range(2):
        ask()
        finish.complete(take(), {}, NOON, CONFIG)
    assert deliver() == 2
    assert len({detail["id"] for _, detail in bus}) == 2


def test_a_bus_that_fails_is_given_the_same_events_again(
    store: Store, bus: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    ask()
    finish.complete(take(), {}, NOON, CONFIG)
    batch = {"Records": changes("jobs")}

    def refuse(_: object) -> None:
        raise RuntimeError("the event bus refused 1 events")

    with monkeypatch.context() as patch:
        patch.setattr(aws, "put_events", refuse)
        with pytest.raises(RuntimeError):
            handler(batch, Context())  # type: ignore[arg-type]
    first = handler(batch, Context()), handler(batch, Context())  # type: ignore[arg-type]
    assert first == ({"published": 1, "live": 0, "checks": 0, "given_up": 0},) * 2
    assert bus[0] == bus[1]


def test_a_final_item_that_cannot_be_read_stops_no_other(store: Store, bus: list[Event]) -> None:
    ask()
    finish.complete(take(), {}, NOON, CONFIG)
    [good] = [record for record in changes("jobs") if record["dynamodb"]["NewImage"]["state"]["S"] == "succeeded"]
    image = {**good["dynamodb"]["NewImage"], "priority": {"S": "high"}}
    bad = {**good, "dynamodb": {**good["dynamodb"], "NewImage": image}}
    assert handler({"Records": [bad, good]}, Context()) == {"published": 1, "live": 0, "checks": 0, "given_up": 0}  # type: ignore[arg-type]
