"""A message is a batch of jobs, or it is corrupt and says why. Nothing in between."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.jobs.budgets.windows import Window
from sluice.jobs.model.job import REQUIRED, Job
from sluice.jobs.run.messages import Batch, decode
from sluice.platform.clock import HOUR
from sluice.platform.sqs import CorruptMessage

NOON = 1_795_348_800_000

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
payloads = st.dictionaries(texts, st.none() | st.booleans() | st.integers() | texts, max_size=3)
jobs = st.builds(
    Job,
    job_id=texts,
    kind=texts,
    state=st.just("leased"),
    lane=st.just("leased#0"),
    due_at=st.just(NOON),
    lease=st.integers(1, 10**6),
    attempts=st.integers(0, 9),
    priority=st.sampled_from([100, 150, 200]),
    tenant=texts,
    tenants=st.sets(texts, min_size=1, max_size=4),
    account=st.just("stockx:acme"),
    budget=st.just("stockx:acme"),
    payload=payloads,
    created_at=st.just(NOON),
    updated_at=st.just(NOON),
)
batches = st.lists(jobs, min_size=1, max_size=5).map(lambda found: Batch.of(found, Window.at(NOON), len(found)))

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


def outcome(body: str) -> Batch | str:
    """The batch, or why it is none."""
    try:
        return decode(body)
    except CorruptMessage as error:
        reason = str(error)
    assert reason
    return reason


@given(batches)
def test_a_batch_arrives_as_it_was_sent(batch: Batch) -> None:
    got = decode(batch.encode())
    assert (got.account, got.budget, got.window, got.calls) == (batch.account, batch.budget, batch.window, batch.calls)
    assert [job.attribute_values for job in got.jobs] == [job.attribute_values for job in batch.jobs]


@pytest.mark.parametrize(
    ("part", "value"),
    [("window", NOON + 1), ("window", NOON - HOUR // 2), ("calls", -1), ("jobs", []), ("version", 2), ("more", "x")],
)
@given(batch=batches)
@settings(max_examples=1)
def test_a_part_that_no_batch_has_is_refused(part: str, value: object, batch: Batch) -> None:
    """What is not an hour would be charged to the one around it; calls below 0 would be given to others."""
    assert isinstance(outcome(json.dumps(json.loads(batch.encode()) | {part: value})), str)
    assert isinstance(outcome(json.dumps(json.loads(batch.encode()) | {"calls": 0})), Batch)


@given(batches, st.data())
def test_a_damaged_batch_is_whole_or_refused(batch: Batch, data: st.DataObject) -> None:
    """One part of the message is something else, or missing."""
    body: dict[str, Any] = json.loads(batch.encode())
    part = data.draw(st.sampled_from(sorted(body)))
    if part == "jobs" and data.draw(st.booleans()):
        name = data.draw(st.sampled_from(sorted(body["jobs"][0])))
        body["jobs"][0][name] = data.draw(anything)
    elif data.draw(st.booleans()):
        body[part] = data.draw(anything)
    else:
        del body[part]
    got = outcome(json.dumps(body))
    if isinstance(got, Batch):
        assert got.jobs
        assert got.calls >= 0
        assert got.window.hour_start % HOUR == 0
        assert got.window.day
        assert all(getattr(job, name) is not None for job in got.jobs for name in REQUIRED)


@given(st.text(max_size=30) | anything.map(json.dumps) | st.sampled_from(["[" * 100_000, "", "null", "9" * 5_000]))
def test_any_text_is_a_batch_or_refused(body: str) -> None:
    outcome(body)
