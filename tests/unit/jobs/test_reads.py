"""What a read may cost: whoever decides by it has read what was written last, and nobody reads more than it wants."""

from collections.abc import Callable

import pytest

from sluice.jobs.model import requests
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import CannotSucceed, LeaseOver
from sluice.jobs.queue import asked, cancel, claim, finish, hasten, lanes, recounts, unfinished, unreadable
from sluice.jobs.queue.enqueue import enqueue
from sluice.jobs.run import records
from sluice.platform.clock import MINUTE
from sluice.platform.config.document import Config
from tests.support.store import Answer, Request, Send, Store
from tests.support.work import KIND, spec
from tests.unit.jobs.conftest import NOON

CONFIG = Config()
JOB_ID = spec().job_id


def asked_for() -> None:
    enqueue(spec(), NOON)
    requests.record("acme", KIND.name, [JOB_ID], NOON, MINUTE)


def too_late() -> None:
    """The end of a run whose lease is another's by now; its dead letter is in the same transaction."""
    job = claim.claim(Candidate.of(Job.get(JOB_ID, consistent_read=True)), NOON, MINUTE)
    assert job
    finish.complete(job, {}, NOON, CONFIG)
    with pytest.raises(LeaseOver):
        finish.bury(job, CannotSucceed("no"), NOON, CONFIG)


READS: dict[str, Callable[[], object]] = {
    "who cancels": lambda: cancel.cancel(JOB_ID, "acme", NOON, CONFIG),
    "who brings a job forward": lambda: hasten.try_now(JOB_ID, "acme", NOON),
    "who ends a run": too_late,
    "who looks for work": lanes.active,
    "who sets an item aside": lambda: unreadable.discard(JOB_ID, NOON, CONFIG),
    "who looks at what they have asked for": lambda: asked.page("acme", 10, None, lambda _: True, lambda *_: True),
    "who puts counts right": lambda: recounts.wanted(CONFIG, NOON),
}


def of_an_index(request: Request) -> bool:
    """An index is always behind: whoever reads it looks at the item before it acts."""
    return "IndexName" in request.parameters


@pytest.mark.parametrize("who", READS)
def test_who_decides_has_read_what_was_written_last(who: str, store: Store) -> None:
    asked_for()
    behind = list[str]()

    def around(request: Request, send: Send) -> Answer:
        tables = request.parameters.get("RequestItems", {"": request.parameters}).values()
        reads = request.operation in ("GetItem", "Query", "Scan", "BatchGetItem") and not of_an_index(request)
        if reads and not all(table.get("ConsistentRead") for table in tables):
            behind.append(str(request.parameters))
        return send()

    store.around = around
    READS[who]()
    assert behind == []


FEW: dict[str, tuple[Callable[[], object], int]] = {
    "some lanes": (lambda: lanes.some(2), 2),
    "whether a lane is empty": (lambda: claim.is_empty("stockx:acme#100#0"), 1),
    "who was refused": (lambda: recounts.wanted(CONFIG, NOON), recounts.MOST_RECOUNTS),
    "notes for /health": (records.notes, records.MOST_NOTES),
    "what somebody has asked for": (lambda: asked.page("acme", 3, None, lambda _: True, lambda *_: True), 4),
    "a few jobs of a tenant": (lambda: unfinished.count("acme", lanes.active(), 7, lambda _: None), 7),
    "many jobs of a tenant": (lambda: unfinished.count("acme", lanes.active(), 5_000, lambda _: None), 1_000),
}


@pytest.mark.parametrize("what", FEW)
def test_no_more_is_read_at_once_than_is_wanted(what: str, store: Store) -> None:
    asked_for()
    read, most = FEW[what]
    limits = set[int]()

    def around(request: Request, send: Send) -> Answer:
        if request.operation == "Query":
            limits.add(request.parameters.get("Limit", 0))
        return send()

    store.around = around
    read()
    assert max(limits) == most
