"""The functions that run work, as Lambda calls them, on the events of events/."""

import json
from typing import Any

import pytest

from functions.scheduler import handler as scheduler
from functions.worker import handler as worker
from local.cloud.cloud import ROOT
from sluice.jobs.run.runner import run_batch
from sluice.platform import observe
from tests.support.http import Context
from tests.unit.market.world import WORKER_MS, Json, World, item

# 2026-11-22T05:00:00Z, when the events were recorded.
RECORDED = 1_795_323_600_000


class LongContext(Context):
    """A worker has more time than the API."""

    def get_remaining_time_in_millis(self) -> int:
        return WORKER_MS


def event(name: str) -> Json:
    found: Json = json.loads((ROOT / "events" / f"{name}.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture
def deployed(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """`acme` is connected, at the time of the events; the handlers print their metrics."""
    world.clock.time = RECORDED
    world.connect("acme")
    for module in (scheduler, worker):
        monkeypatch.setattr(module, "SystemClock", lambda: world.clock)
    monkeypatch.delattr(observe.metrics, "add_metric")
    monkeypatch.setattr(observe.metrics.provider, "namespace", "Sluice")
    return world


def printed(capsys: pytest.CaptureFixture[str]) -> list[Json]:
    """The metrics that CloudWatch would read from the log."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]


def test_the_worker_runs_the_jobs_of_its_message_and_sets_the_other_aside(
    deployed: World, capsys: pytest.CaptureFixture[str]
) -> None:
    messages = event("worker_messages")
    good, bad = messages["Records"]
    [job] = json.loads(good["body"])["jobs"]
    deployed.store.put("jobs", job)
    assert worker.handler(messages, LongContext()) == {"batchItemFailures": []}
    assert deployed.job(job["job_id"]["S"])["state"] == "succeeded"
    assert [message.body for message in deployed.bus.dead] == [bad["body"]]
    assert deployed.routes() == ["search", "variants", "price"]
    [metrics] = printed(capsys)
    counted = {name: sum(metrics[name]) for name in ("JobsSucceeded", "CallsMade", "MessagesSetAside")}
    assert counted == {"JobsSucceeded": 1, "CallsMade": 3, "MessagesSetAside": 1}


def test_a_message_that_cannot_be_worked_on_is_delivered_again_alone(
    deployed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_for_bolt(batch: Any, *rest: Any) -> Any:
        if batch.account == "stockx:bolt":
            raise ConnectionError("no answer from the table")
        return run_batch(batch, *rest)

    monkeypatch.setattr("sluice.jobs.run.worker.run_batch", fail_for_bolt)
    deployed.connect("bolt")
    deployed.enqueue(item("DD1391-100"))
    deployed.enqueue(item("CP9654"), tenant="bolt")
    deployed.tick()
    records = [{"messageId": message.body[:40], "body": message.body} for message in deployed.bus.work]
    answer = worker.handler({"Records": records}, LongContext())
    [failed] = answer["batchItemFailures"]
    assert "stockx:bolt" in failed["itemIdentifier"]
    assert deployed.states() == {"succeeded": 1, "leased": 1}


@pytest.mark.parametrize("name", ["scheduler_each_minute", "scheduler_nudge"])
def test_the_scheduler_hands_out_what_is_due(deployed: World, capsys: pytest.CaptureFixture[str], name: str) -> None:
    deployed.enqueue(item("DD1391-100"), item("CP9654"))
    answer = scheduler.handler(event(name), Context())
    assert (answer["admitted"], answer["errors"], len(deployed.bus.work)) == (2, 0, 1)
    [metrics] = printed(capsys)
    assert (metrics["SchedulerRun"], metrics["JobsAdmitted"]) == ([1.0], [2.0])
