"""What the worker does around the batches that it runs: whom it tells, whom it wakes, and what it writes down."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sluice.jobs.budgets import handed_out, ledger
from sluice.jobs.model import keys
from sluice.jobs.model.job import VERSION, Job
from sluice.jobs.model.outcomes import Failure, HandlerResult
from sluice.jobs.model.run import Run
from sluice.jobs.run import records, worker
from sluice.jobs.run.messages import decode
from sluice.jobs.run.records import RunRecord
from sluice.platform import call_counts, sqs
from sluice.platform.clock import MINUTE, iso
from sluice.platform.config.document import Config
from sluice.platform.config.limits import Limits, by_clock
from sluice.platform.context import Context
from sluice.platform.observe import logger, metrics
from tests.support import work
from tests.support.clock import VirtualClock
from tests.support.store import Answer, Request, Send, Store
from tests.support.work import Handler, spec
from tests.unit.jobs.conftest import NOON
from tests.unit.jobs.test_batch_run import batch_of, one_call

pytestmark = pytest.mark.usefixtures("store")
# One thread: ends follow one another.
PACED = Config(limits={"stockx": Limits(by_clock(hour=1_000), interval_ms=worker.ANSWER_MS + 1, by_account=True)})


@pytest.fixture(autouse=True)
def _namespace(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(metrics.provider, "namespace", "Sluice/test")
    call_counts.take()
    yield
    metrics.clear_metrics()


@pytest.fixture
def nudged(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many jobs had ended whenever a tick was asked for."""
    asked: list[int] = []
    monkeypatch.setattr(worker, "nudge", lambda _: asked.append(sum(job.state == "succeeded" for job in Job.scan())))
    return asked


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any], object]]:
    """What is logged of jobs: the level, the fields, and the exception."""
    lines: list[tuple[str, dict[str, Any], object]] = []
    monkeypatch.setattr(logger, "info", lambda _, extra: lines.append(("info", extra, None)))
    monkeypatch.setattr(logger, "warning", lambda _, extra, exc_info: lines.append(("warning", extra, exc_info)))
    return lines


def deliver(*bodies: str, clock: VirtualClock, handler: Handler = one_call, config: Config = PACED) -> list[str]:
    with work.kind(handler):
        messages = {f"message-{number}": body for number, body in enumerate(bodies)}
        return worker.work(messages, Context(clock, config), clock.time + 15 * MINUTE)


@pytest.mark.parametrize(
    ("pace", "threads"),
    [(0, 16), (1, 16), (66, 16), (67, 15), (100, 11), (500, 3), (999, 2), (1_000, 2), (1_001, 1), (60_000, 1)],
)
def test_as_many_jobs_run_at_once_as_keep_the_slots_in_use(pace: int, threads: int) -> None:
    assert worker.threads(Limits(by_clock(hour=100), interval_ms=pace, tolerance_ms=0)) == threads


@pytest.mark.parametrize(("jobs", "half"), [("ab", 1), ("abc", 1), ("abcd", 2), ("abcdefg", 3)])
def test_half_way_and_at_its_end_a_batch_asks_for_what_waits_behind_it(
    jobs: str, half: int, nudged: list[int], clock: VirtualClock
) -> None:
    """So the slots go on: half way there is time to hand it out; at the end there is room for certain."""
    batch = batch_of(jobs, clock, keys.MANUAL)
    assert deliver(batch._replace(more=PACED.limits["stockx"].pace).encode(), clock=clock) == []
    assert nudged == [half, len(jobs)]


def test_a_batch_behind_which_nothing_waits_asks_for_nothing(nudged: list[int], clock: VirtualClock) -> None:
    deliver(batch_of("abcd", clock, keys.MANUAL).encode(), clock=clock)
    assert nudged == []


@pytest.mark.usefixtures("nudged")
def test_slots_that_a_batch_has_not_needed_are_others(clock: VirtualClock) -> None:
    """Each call of manual work has moved its clock: those that were not made move it back."""
    batch, pace = batch_of("abc", clock, keys.MANUAL), PACED.limits["stockx"].pace
    handed_out.admit("stockx:acme", PACED.limits["stockx"], 3, clock.time, manual=True)

    def handler(run: Run) -> HandlerResult:
        return one_call(run) if run.payload["sku"] == "a" else {}

    before = ledger.read("stockx:acme", clock.time).manual_until
    deliver(batch._replace(more=pace).encode(), clock=clock, handler=handler)
    assert ledger.read("stockx:acme", clock.time).manual_until == before - 2 * pace


def test_a_message_of_a_newer_version_is_put_where_a_person_finds_it(
    clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    aside: list[tuple[str, str]] = []
    monkeypatch.setattr(sqs, "set_aside", lambda body, reason: aside.append((body, reason)))
    batch = batch_of("ab", clock)
    batch.jobs[1].version = VERSION + 1
    assert deliver(batch.encode(), clock=clock) == [], "it is not delivered again"
    [(body, reason)] = aside
    assert body == batch.encode()
    assert spec("b").job_id in reason
    assert f"version {VERSION + 1}" in reason


def test_a_message_of_a_service_that_there_is_not_is_put_there_too(
    clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    reasons: list[str] = []
    monkeypatch.setattr(sqs, "set_aside", lambda _, reason: reasons.append(reason))
    unknown, known = (batch_of(name, clock) for name in "ab")
    unknown = unknown._replace(budget="goat:acme")
    assert deliver(unknown.encode(), known.encode(), clock=clock) == []
    assert reasons == ["unknown marketplace or service 'goat' in budget 'goat:acme'"]
    assert sorted(job.state for job in Job.scan()) == ["leased", "succeeded"], "others are run"


def test_a_batch_that_says_nothing_of_it_is_delivered_at_once(clock: VirtualClock) -> None:
    assert batch_of("a", clock).after_ms == 0


def test_each_end_is_told_to_whoever_operates_it(
    logged: list[tuple[str, dict[str, Any], object]], clock: VirtualClock
) -> None:
    fault = KeyError("a fault in the handler")

    def handler(run: Run) -> HandlerResult:
        if run.payload["sku"] == "b":
            raise Failure("503", code="upstream")
        if run.payload["sku"] == "c":
            raise fault
        return {}

    deliver(batch_of("abc", clock).encode(), clock=clock, handler=handler)
    a, b, c = logged
    about = {"job_id": spec("a").job_id, "account": "stockx:acme", "lease": 1, "attempt": 1}
    assert a == ("info", {**about, "state": "succeeded"}, None)
    about |= {"job_id": spec("b").job_id, "state": "queued", "action": "retry", "code": "upstream", "reason": "503"}
    assert b == ("warning", about, None)
    assert (c[1]["code"], c[2]) == ("handler_error", fault), "with where in the code it went wrong"


def test_a_job_whose_end_could_not_be_written_is_told_too(
    logged: list[tuple[str, dict[str, Any], object]], clock: VirtualClock, store: Store
) -> None:
    body = batch_of("a", clock).encode()

    def around(request: Request, send: Send) -> Answer:
        if request.operation == "UpdateItem" and "job_id" in request.parameters["Key"]:
            raise RuntimeError("no answer")
        return send()

    store.around = around
    deliver(body, clock=clock, handler=lambda _: {})
    [(level, about, cause)] = logged
    assert (level, about["job_id"], about["code"]) == ("warning", spec("a").job_id, "unwritten")
    assert isinstance(cause, RuntimeError)


def test_a_run_is_written_down_with_what_became_of_its_jobs(
    clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one record, among the counters of its hour, which say how its calls went too, and as metrics."""
    told = list[tuple[str, int] | str]()
    monkeypatch.setattr(worker, "count", lambda name, number: told.append((name, number)))
    monkeypatch.setattr(records, "tell", lambda: told.append("what was tallied"))

    def handler(run: Run) -> HandlerResult:
        if run.payload["sku"] == "b":
            raise Failure("503")
        call_counts.note("stockx", 200, 40)
        return one_call(run)

    bodies = [batch_of(names, clock).encode() for names in ("ab", "c")]
    began = clock.time
    deliver(*bodies, clock=clock, handler=handler)
    [record] = RunRecord.query(f"run#worker#{iso(began)[:10]}")
    ends = {"completed": 2, "retried": 1, "calls": 2}
    assert record.stats == {"messages": 2, "ms": clock.time - began, **ends}
    assert set(told) == {"what was tallied", ("JobsSucceeded", 2), ("JobsFailed", 1)}
    assert record.at.startswith(f"{iso(clock.time)}#")
    kept = (clock.time + PACED.engine.retention_ms) // 1000
    assert record.expires_at == kept
    hour = iso(began)[:13]
    assert records.hours(["worker"], [hour]) == {("worker", hour): {**ends, "c:stockx:ok": 2, "l:stockx:0": 2}}
    assert RunRecord.get("hours#worker", hour).expires_at == kept


def test_a_message_says_of_which_version_it_is(clock: VirtualClock) -> None:
    """Workers of the version before and of this one run side by side for a while: they read each other's."""
    assert json.loads(batch_of("a", clock).encode())["version"] == 1


def test_a_message_that_says_nothing_of_what_waits_behind_it_has_nothing_behind_it(clock: VirtualClock) -> None:
    body = json.loads(batch_of("a", clock).encode())
    del body["more"]
    assert decode(json.dumps(body)).more == 0


def test_counters_of_an_hour_add_up_and_what_is_nothing_is_not_written() -> None:
    for number in (2, 0, 3):
        records.record("poller", {}, {"completed": number, "late": 0}, NOON, Config())
    assert records.hours(["poller", "worker"], [iso(NOON)[:13]]) == {("poller", iso(NOON)[:13]): {"completed": 5}}


def test_a_run_that_did_nothing_costs_no_counter() -> None:
    records.record("poller", {}, {"late": 0}, NOON, Config())
    assert records.hours(["poller"], [iso(NOON)[:13]]) == {}
