"""A record of the jobs stream that fails whenever it comes is set aside, and everything else of its batch is told."""

from typing import Any

import pytest

from functions.job_events.handler import handler
from local.cloud import template as templates
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.model.job import Job
from sluice.jobs.queue import claim, enqueue, finish, tally
from sluice.platform import aws
from sluice.platform.clock import MINUTE
from sluice.platform.config.document import Config
from tests.support import work
from tests.support.http import Context
from tests.support.store import Store
from tests.support.stream import Stream, changes
from tests.unit.jobs.conftest import NOON

JOBS = 12
PROPERTIES = templates.load()["Resources"]["JobEventsFunction"]["Properties"]["Events"]["Jobs"]["Properties"]


def ended() -> list[dict[str, Any]]:
    """The records by which `JOBS` jobs end."""
    specs = [work.spec(f"job-{number}") for number in range(JOBS)]
    for spec in specs:
        enqueue.enqueue(spec, NOON)
    tally.follow(changes("jobs"))
    claimed = [claim.claim(Candidate.of(Job.get(spec.job_id)), NOON, MINUTE) for spec in specs]
    changes("jobs")
    for job in claimed:
        assert job
        finish.complete(job, {}, NOON, Config())
    return changes("jobs")


def poisoned(record: dict[str, Any]) -> dict[str, Any]:
    """As a listing's job that has died and lacks what every version of it has had."""
    image = record["dynamodb"]["NewImage"]
    damaged = {**image, "kind": {"S": "listing.update"}, "state": {"S": "dead"}, "payload": {"S": "{}"}}
    return {**record, "dynamodb": {**record["dynamodb"], "NewImage": damaged}}


@pytest.mark.parametrize("poison", [{0}, {5}, {JOBS - 1}, {3, 4, 9}])
def test_it_is_set_aside_and_what_stands_before_and_behind_it_is_told_and_counted(
    store: Store, monkeypatch: pytest.MonkeyPatch, poison: set[int]
) -> None:
    told: dict[str, str] = {}
    monkeypatch.setattr(aws, "put_events", lambda events: told.update({one["id"]: one["jobId"] for _, one in events}))
    records = [poisoned(one) if place in poison else one for place, one in enumerate(ended())]
    stream = Stream(lambda event: handler(event, Context()), PROPERTIES)  # type: ignore[arg-type]
    stream.deliver(records)
    assert stream.aside == [one["eventID"] for place, one in enumerate(records) if place in poison]
    good = {one["eventID"] for one in records} - set(stream.aside)
    assert told.keys() >= good
    counted = tally.counts("acme")
    assert counted[work.KIND.name, "succeeded"] == JOBS - len(poison)
    assert counted[work.KIND.name, "unfinished"] == len(poison)  # a recount finds that they are over
    assert stream.tries <= 2 * JOBS + len(poison) * (1 + PROPERTIES["MaximumRetryAttempts"])


def test_without_halving_nothing_of_the_batch_would_be_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the template's properties are for: by Lambda's defaults a batch fails as a whole."""
    monkeypatch.setattr(aws, "put_events", lambda _: None)
    records = ended()
    stream = Stream(
        lambda event: handler(event, Context()),  # type: ignore[arg-type]
        {**PROPERTIES, "BisectBatchOnFunctionError": False},
    )
    stream.deliver([poisoned(records[0]), *records[1:]])
    assert len(stream.aside) == JOBS
