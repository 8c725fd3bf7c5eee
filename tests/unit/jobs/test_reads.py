"""Whoever decides by what it has read has read what was written last: a read that may be behind is half the price."""

from collections.abc import Callable

import pytest

from sluice.jobs.model import requests
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import CannotSucceed, LeaseOver
from sluice.jobs.queue import asked, cancel, claim, finish, hasten, lanes, recounts, unreadable
from sluice.jobs.queue.enqueue import enqueue
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
        reads = request.operation in ("GetItem", "Query", "BatchGetItem") and not of_an_index(request)
        if reads and not all(table.get("ConsistentRead") for table in tables):
            behind.append(str(request.parameters))
        return send()

    store.around = around
    READS[who]()
    assert behind == []
