"""An item that is no job any more: all of it is kept in a dead letter, and its key is free for who asks anew."""

from typing import Any

import pytest

from sluice.jobs.model import requests
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.model.dead_letters import DeadLetter
from sluice.jobs.model.job import Job
from sluice.jobs.queue import asked, cancel, claim, unreadable
from sluice.jobs.queue.enqueue import Result, enqueue
from sluice.platform.clock import DAY, MINUTE, ttl
from sluice.platform.config.document import Config
from tests.support.store import Answer, Item, Request, Send, Store
from tests.support.work import KIND, spec
from tests.unit.jobs.conftest import NOON

CONFIG = Config()
JOB_ID = spec().job_id
NOW = NOON + MINUTE


def damaged(store: Store, **changes: Any) -> Item:
    """The item of a job that has run once, with `changes`; None leaves an attribute out."""
    enqueue(spec(), NOON)
    assert claim.claim(Candidate.of(Job.get(JOB_ID)), NOON, MINUTE)
    raw = store.item("jobs", job_id=JOB_ID)
    assert raw
    left = {name: value for name, value in {**raw, "budget": None, **changes}.items() if value is not None}
    store.put("jobs", left)
    return left


def discard() -> tuple[str | None, Job, list[DeadLetter]]:
    reason = unreadable.discard(JOB_ID, NOW, CONFIG)
    return reason, Job.get(JOB_ID), list(DeadLetter.scan())


def test_all_that_was_there_is_in_the_letter_and_in_words_why_it_is_no_job(store: Store) -> None:
    item = damaged(store)
    reason, job, [letter] = discard()
    assert reason == "the item has no budget"
    assert (letter.tenant, letter.kind, letter.payload) == ("acme", KIND.name, {"item": item})
    [event] = letter.history
    assert event == {"at": NOW, "event": "discard", "attempt": 0, "code": "unreadable", "message": reason}
    assert letter.error == job.error == {"code": "unreadable", "message": reason, "at": NOW}
    assert letter.expires_at == ttl(NOW + CONFIG.engine.dead_letter_retention_ms)
    assert (job.state, job.updated_at) == ("dead", NOW)
    assert not job.lane
    assert not job.due_at
    assert job.expires_at == ttl(NOW + CONFIG.engine.retention_ms)


@pytest.mark.parametrize(("lease", "kept"), [({"N": "1"}, 1), (None, NOW), ({"S": "one"}, NOW), ({"N": "1.5"}, NOW)])
def test_no_lease_that_a_late_worker_may_hold_is_met_again(lease: Any, kept: int, store: Store) -> None:
    damaged(store, lease=lease)
    assert discard()[1].lease == kept


def test_what_cannot_be_trusted_is_said_to_be_unknown(store: Store) -> None:
    damaged(store, tenant=None, kind={"N": "1"}, account={"B": b"\xff"})
    _, job, [letter] = discard()
    assert {job.tenant, job.kind, job.account, job.budget, letter.tenant} == {unreadable.UNKNOWN}
    assert "xff" in letter.payload["item"]["account"]["B"], "also what is no text"


def test_it_is_nobodys_and_who_asks_for_the_work_anew_has_it_done(store: Store) -> None:
    damaged(store)
    requests.record("acme", KIND.name, [JOB_ID], NOON, DAY)
    discard()
    assert cancel.find(JOB_ID, "acme") is None
    assert list(asked.page("acme", 10, None, lambda _: True, lambda *_: True)) == []
    assert enqueue(spec(), NOW).result is Result.CREATED
    assert (Job.get(JOB_ID).tenants, Job.get(JOB_ID).lease) == ({"acme"}, 1)


@pytest.mark.parametrize("change", [{"lane": {"S": "elsewhere"}}, {"due_at": {"N": "7"}}])
def test_what_somebody_changes_meanwhile_is_looked_at_again(change: Item, store: Store) -> None:
    changed = {**damaged(store), **change}

    def around(request: Request, send: Send) -> Answer:
        if request.operation == "TransactWriteItems":
            store.put("jobs", changed)
        return send()

    store.around = around
    assert unreadable.discard(JOB_ID, NOW, CONFIG) is None
    assert store.item("jobs", job_id=JOB_ID) == changed
    assert not list(DeadLetter.scan())


@pytest.mark.parametrize("name", ["lane", "due_at"])
def test_what_stands_in_no_lane_stands_in_nobodys_way(name: str, store: Store) -> None:
    left = damaged(store, **{name: None})
    assert unreadable.discard(JOB_ID, NOW, CONFIG) is None
    assert store.item("jobs", job_id=JOB_ID) == left
