"""Each write that botocore sends again, because its answer was lost: it is done once, and its caller hears the same.

`tests/unit/test_lost_answers.py` loses the answers of all of Sluice one by one, below botocore; here those of the
engine alone are lost all at once, where the table would answer.
"""

from collections.abc import Callable
from typing import Any

import pytest

from sluice.jobs.model import keys
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import CannotSucceed, Failure, Waiting
from sluice.jobs.queue import cancel, claim, finish, hasten, lanes, nudge, recounts, starts, sweeps, tally, unfinished
from sluice.jobs.queue.enqueue import enqueue
from sluice.jobs.run import records
from sluice.platform import usage
from sluice.platform.clock import HOUR, MINUTE
from sluice.platform.config.document import Config
from tests.support.store import Answer, Request, Send, Store
from tests.support.work import spec
from tests.unit.jobs.conftest import NOON

CONFIG = Config()
JOB_ID = spec().job_id
# What differs from run to run: the tokens themselves, and where those are that are drawn by lot.
TOKENS = {"ask", "batch", "end", "cancel", "token", "nudge_token", *(f"w{place:x}" for place in range(16))}
TOKENS |= {f"run_{number}_token" for number in range(nudge.RUNS)}


def asked(tenant: str = "acme", priority: int = keys.BACKGROUND) -> object:
    return enqueue(spec(tenant=tenant, priority=priority), NOON)


def running() -> Job:
    asked()
    job = claim.claim(Candidate.of(Job.get(JOB_ID)), NOON, MINUTE, "batch")
    assert job
    return job


def running_and_asked_for() -> Job:
    job = running()
    asked("zeta")
    return job


def failed() -> Job:
    return finish.fail(running(), Failure("503", retry_at=NOON + HOUR), NOON, CONFIG, chance=0)


def asked_by_two() -> None:
    asked()
    asked("zeta")


def counted_once() -> object:
    """A run of a function is told by its hour's counters."""
    records.record("worker", {}, {"calls": 3}, NOON, CONFIG)
    return records.hours(["worker"], ["2026-11-22T12"])


def swept() -> object:
    return sweeps.note(recounts.COUNTERS, unfinished.Recount("acme", {}, 7, 0), None)


def followed() -> object:
    image = {"tenant": {"S": "acme"}, "kind": {"S": "test.work"}, "state": {"S": "queued"}}
    tally.follow([{"eventID": "one", "dynamodb": {"NewImage": image}}])
    return usage.counters("acme", tally.PERIOD)


# What is made before, and then the write, given that.
WRITES: dict[str, tuple[Callable[[], Any], Callable[[Any], object]]] = {
    "create": (lambda: None, lambda _: asked()),
    "raise": (asked, lambda _: asked(priority=keys.MANUAL)),
    "join": (asked, lambda _: asked("zeta")),
    "ask again": (running, lambda _: asked("zeta")),
    "claim": (asked, lambda _: claim.claim(Candidate.of(Job.get(JOB_ID)), NOON, MINUTE)),
    "heartbeat": (running, lambda job: finish.heartbeat(job, NOON, HOUR)),
    "begin": (running, lambda job: finish.begin(job, {"sent": True}, NOON)),
    "wait": (running, lambda job: finish.wait(job, Waiting(NOON + HOUR), NOON, CONFIG)),
    "complete": (running, lambda job: finish.complete(job, {}, NOON, CONFIG)),
    "rerun": (running_and_asked_for, lambda job: finish.complete(job, {}, NOON, CONFIG)),
    "retry": (running, lambda job: finish.fail(job, Failure("503"), NOON, CONFIG, chance=0)),
    "rescue": (running, lambda job: finish.rescue(job, NOON + MINUTE, CONFIG)),
    "bury": (running, lambda job: finish.bury(job, CannotSucceed("no"), NOON, CONFIG)),
    "cancel": (asked, lambda _: cancel.cancel(JOB_ID, "acme", NOON, CONFIG)),
    "leave to others": (asked_by_two, lambda _: cancel.cancel(JOB_ID, "acme", NOON, CONFIG)),
    "try now": (failed, lambda _: hasten.try_now(JOB_ID, None, NOON)),
    "start a batch": (running, lambda job: (starts.start(job, NOON), starts.start(job, NOON))),
    "withdraw a batch": (running, lambda job: (starts.withdraw(job, NOON), starts.start(job, NOON))),
    "nudge": (lambda: None, lambda _: (nudge.ask(NOON), nudge.ask(NOON))),
    "begin runs": (lambda: None, lambda _: [nudge.begin(NOON) for _ in range(nudge.RUNS + 1)]),
    "count a run": (lambda: None, lambda _: counted_once()),
    "note a turn": (lambda: None, lambda _: swept()),
    "follow a record": (lambda: None, lambda _: followed()),
}


def sent_again(request: Request, send: Send) -> Answer:
    """Around a store: each write is done, and sent again."""
    if request.operation in ("UpdateItem", "PutItem") and not request.once:
        send()
    return send()


def told(answer: object) -> object:
    return known(answer.to_dynamodb_dict()) if isinstance(answer, Job) else answer


def known(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in TOKENS}


@pytest.mark.parametrize("name", WRITES)
def test_a_write_that_is_sent_again_is_done_once_and_its_caller_hears_the_same(name: str, store: Store) -> None:
    before, write = WRITES[name]

    def done(*, again: bool) -> tuple[object, list[dict[str, Any]]]:
        store.clear()
        lanes.forget()
        given = before()
        store.around = sent_again if again else None
        answer = told(write(given))
        store.around = None
        tables = ("jobs", "lanes", "usage")
        return answer, [known(item) for table in tables for item in store.items(table)]

    assert done(again=True) == done(again=False)
