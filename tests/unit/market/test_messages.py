"""Deliveries that are not what they should be, and workers whose time is short."""

import json
from collections.abc import Callable

import pytest

from sluice.jobs.model.job import Job
from sluice.jobs.queue import finish
from sluice.platform.clock import MINUTE, SECOND
from tests.support.http import call
from tests.unit.market.world import Json, Message, World, item


def changed(body: str, **changes: object) -> str:
    """A message that our scheduler made, but for `changes`."""
    return json.dumps(json.loads(body) | changes)


def with_job(body: str, change: Callable[[Json], None]) -> str:
    """A message whose first job is changed."""
    data = json.loads(body)
    change(data["jobs"][0])
    return json.dumps(data)


CORRUPT: dict[str, tuple[Callable[[str], str], str]] = {
    "not JSON": (lambda _: "{not json", "not a batch of jobs: JSONDecodeError"),
    "blank": (lambda _: " ", "not a batch of jobs: JSONDecodeError"),
    "half of it": (lambda body: body[: len(body) // 2], "not a batch of jobs: JSONDecodeError"),
    "a list": (lambda _: "[]", "not a batch of jobs: TypeError"),
    "null": (lambda _: "null", "not a batch of jobs: TypeError"),
    "deep": (lambda _: "[" * 100_000, "not a batch of jobs: RecursionError"),
    "an object of somebody else": (lambda _: '{"Records": []}', "not a batch of jobs: KeyError: 'version'"),
    "a newer version": (lambda body: changed(body, version=2), "message version 2; this worker reads 1"),
    "a version in words": (lambda body: changed(body, version="one"), "message version 'one'; this worker reads 1"),
    "no jobs": (lambda body: changed(body, jobs=[]), "no jobs"),
    "jobs of another kind of thing": (lambda body: changed(body, jobs=[{"id": 1}]), "not a batch of jobs"),
    "jobs that are text": (lambda body: changed(body, jobs="jobs"), "not a batch of jobs"),
    "fewer than no calls": (lambda body: changed(body, calls=-1), "not a batch of jobs"),
    "a window between hours": (lambda body: changed(body, window=1), "its window is not an hour"),
    "an unknown marketplace": (
        lambda body: changed(body, budget="nowhere:acme", account="nowhere:acme"),
        "unknown marketplace or service 'nowhere' in budget 'nowhere:acme'",
    ),
    "a job without its state": (lambda body: with_job(body, lambda job: job.pop("state")), "has no state"),
    "a job whose lease is text": (
        lambda body: with_job(body, lambda job: job.update(lease={"S": "1"})),
        "not a batch of jobs: Unreadable",
    ),
}


@pytest.mark.parametrize("what", CORRUPT)
def test_a_corrupt_message_is_set_aside_with_its_reason_and_the_others_are_worked_on(acme: World, what: str) -> None:
    spoil, reason = CORRUPT[what]
    acme.connect("bolt")
    [lost_id] = acme.enqueue(item("DD1391-100"))
    [good_id] = acme.enqueue(item("CP9654"), tenant="bolt")
    acme.tick()
    lost, good = sorted(acme.bus.work, key=lambda message: "stockx:bolt" in message.body)
    bad = Message(spoil(lost.body))
    assert acme.deliver(bad, good) == [], "SQS has nothing to deliver again"
    [dead] = acme.bus.dead
    assert dead.body == bad.body
    assert reason in str(dead.reason)
    assert len(str(dead.reason)) <= 256
    assert acme.job(good_id, "bolt")["state"] == "succeeded"
    # The jobs of the lost message are rescued when their lease ends.
    acme.bus.work.clear()
    assert acme.job(lost_id)["state"] == "leased"
    acme.clock.time += 6 * MINUTE
    acme.run_until(lambda: acme.job(lost_id)["state"] == "succeeded", minutes=3)
    assert acme.letters() == []


def test_a_job_of_a_newer_version_is_dead_and_set_aside_and_the_others_are_done(acme: World) -> None:
    newer_id, *others = acme.enqueue(item("DD1391-100"), item("CP9654"), item("M2002RDA"))
    acme.store.put("jobs", {**(acme.store.item("jobs", job_id=newer_id) or {}), "version": {"N": "2"}})
    acme.run()
    dead = acme.job(newer_id)
    assert (dead["state"], dead["error"]["code"]) == ("dead", "newer_version")
    assert dead["error"]["message"] == "job version 2; this worker reads 1"
    assert [acme.job(job_id)["state"] for job_id in others] == ["succeeded"] * 2
    [message] = acme.bus.dead
    assert message.reason == f"job {newer_id} is of version 2, which this worker cannot read"
    [letter] = acme.letters()
    assert letter["job_id"] == newer_id
    assert {entry.path for entry in acme.calls(path="*/search")} == {"/v2/catalog/search"}
    assert "DD1391-100" not in {entry.query.get("query") for entry in acme.calls()}


def test_a_message_that_comes_twice_is_worked_on_once(acme: World) -> None:
    [job_id] = acme.enqueue(item())
    acme.tick()
    [message] = acme.bus.work
    assert acme.deliver(message) == acme.deliver(message) == []
    assert (len(acme.calls()), acme.charged(), acme.job(job_id)["attempts"]) == (3, 3, 1)
    assert (acme.bus.metrics["JobsSucceeded"], acme.bus.metrics["JobsLate"]) == (1, 1)
    assert len(acme.bus.events) == 1


def test_a_message_that_comes_after_its_lease_has_ended_is_not_worked_on(acme: World) -> None:
    [job_id] = acme.enqueue(item())
    acme.tick()
    stale = acme.bus.work.popleft()
    acme.clock.time += 6 * MINUTE
    acme.run()
    assert acme.job(job_id)["state"] == "succeeded"
    assert acme.deliver(stale) == []
    assert (len(acme.calls()), acme.job(job_id)["state"]) == (3, "succeeded")


def test_a_worker_with_little_time_left_hands_back_what_it_cannot_do(acme: World) -> None:
    job_ids = acme.enqueue(*(item(sku, "9") for sku in ("DD1391-100", "CP9654", "M2002RDA", "DM7866-162")))
    acme.tick()
    # 25 s are kept for the last call; so this leaves nine seconds, which is eight slots.
    acme.work(remaining_ms=34 * SECOND)
    assert acme.states() == {"succeeded": 2, "queued": 2}
    assert acme.charged() == len(acme.calls()) == 8
    waiting = [job for job_id in job_ids if (job := acme.job(job_id))["state"] == "queued"]
    assert {(job["attempts"], job["error"]["code"], job["wait"]["reason"]) for job in waiting} == {
        (0, "out_of_time", "ready")
    }
    acme.run()
    assert acme.states() == {"succeeded": 4}
    assert [acme.job(job_id)["attempts"] for job_id in job_ids] == [1] * 4


def test_a_worker_without_time_calls_nobody(acme: World) -> None:
    acme.enqueue(item("DD1391-100"), item("CP9654"))
    acme.tick()
    acme.work(remaining_ms=SECOND)
    assert (acme.states(), acme.calls(), acme.charged()) == ({"queued": 2}, [], 0)


def test_a_message_that_no_worker_took_uses_no_attempt(acme: World) -> None:
    [job_id] = acme.enqueue(item())
    acme.tick()
    acme.bus.work.clear()
    acme.clock.time += 5 * MINUTE
    acme.run()
    job = acme.job(job_id)
    assert (job["state"], job["attempts"]) == ("succeeded", 1)
    assert [entry["event"] for entry in job["history"]] == ["snooze"]


def test_an_end_that_cannot_be_written_costs_only_its_own_job(acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    lost, other = acme.enqueue(item("CP9654"), item("DD1391-100"))
    with monkeypatch.context() as patch:
        for name in ("complete", "fail"):
            patch.setattr(finish, name, _fails_for(lost, getattr(finish, name)))
        acme.run()
    assert (acme.job(lost)["state"], acme.job(other)["state"]) == ("leased", "succeeded")
    assert acme.bus.metrics["JobsUnwritten"] == 1
    acme.clock.time += 6 * MINUTE
    acme.run()
    assert acme.job(lost)["state"] == "succeeded"


def _fails_for(job_id: str, write: Callable[..., Job]) -> Callable[..., Job]:
    def failing(job: Job, *rest: object) -> Job:
        if job.job_id == job_id:
            raise RuntimeError("no answer from the table")
        return write(job, *rest)

    return failing


def test_a_request_that_comes_while_the_job_runs_runs_it_once_more(acme: World) -> None:
    [job_id] = acme.enqueue(item())
    acme.tick()
    assert acme.ask(item()).json["items"][0] | {"index": 0} == {
        "index": 0,
        "outcome": "rerun_requested",
        "jobId": job_id,
        "state": "leased",
        "size": "10",
        "sizeSystem": "us",
    }
    assert acme.job(job_id)["rerunRequested"] is True
    acme.work()
    assert acme.job(job_id)["state"] == "queued"
    acme.run()
    assert acme.job(job_id)["state"] == "succeeded"
    assert acme.routes() == ["search", "variants", "price"], "the second run finds a fresh price"


def test_a_cancelled_job_calls_nobody(acme: World) -> None:
    [job_id] = acme.enqueue(item())
    assert call("DELETE", f"/v1/jobs/{job_id}").json == {"jobId": job_id, "outcome": "cancelled"}
    acme.run()
    assert (acme.job(job_id)["state"], acme.calls()) == ("cancelled", [])
    acme.enqueue(item())
    acme.tick()
    assert call("DELETE", f"/v1/jobs/{job_id}").status == 409
    acme.work()
    assert acme.job(job_id)["state"] == "succeeded"


def test_manual_work_goes_to_a_queue_of_its_own(acme: World) -> None:
    """A person does not wait until workers are free that are busy with background batches."""
    [waited_for, *others] = acme.enqueue(
        item(priority="manual"), item("CP9654", priority="hot"), item("M2002RDA", priority="background")
    )
    acme.tick()
    [message], [rest] = acme.bus.manual, acme.bus.work
    assert acme.deliver(message) == []
    assert acme.job(waited_for)["state"] == "succeeded"
    assert {acme.job(job_id)["state"] for job_id in others} == {"leased"}
    assert acme.deliver(rest) == []
    assert acme.states() == {"succeeded": 3}
