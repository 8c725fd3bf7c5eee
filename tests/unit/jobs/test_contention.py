"""Many write the same item at once: whoever loses looks again, many times and not all at once; or says that it lost."""

from collections.abc import Callable, Iterator

import pytest

from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.queue.enqueue import Result, enqueue
from sluice.platform import races, tables
from sluice.platform.clock import SECOND
from tests.support.network import no_pauses
from tests.support.store import Answer, Request, Send, Store
from tests.support.work import spec
from tests.unit.jobs.conftest import NOON

JOB_ID = spec().job_id
# What an API has for all that it does.
API_MS = 10 * SECOND


@pytest.fixture
def pauses() -> Iterator[list[float]]:
    """How long each pause was; nobody waits."""
    with no_pauses() as pauses:
        yield pauses


def first(store: Store, others: Callable[[int], object], times: int | None = None) -> list[int]:
    """Before each write of the job, `others` write it. times: so often; None: always. The numbers of those writes."""
    written: list[int] = []

    def around(request: Request, send: Send) -> Answer:
        is_write = request.operation == "UpdateItem" and request.parameters["TableName"].endswith("jobs")
        if is_write and (times is None or len(written) < times):
            store.around = None
            others(len(written))
            store.around = around
            written.append(len(written))
        return send()

    store.around = around
    return written


def run_changes(_: int) -> None:
    Job.get(JOB_ID).update(actions=[Job.lease.add(1)])


def test_who_loses_to_forty_others_who_ask_for_the_same_job_gets_it_all_the_same(
    store: Store, pauses: list[float]
) -> None:
    """Each of them wants it less urgently than it stands, which is noted on the job."""
    enqueue(spec(priority=keys.MANUAL), NOON)
    # Its try to create the job comes before, and changes nothing.
    first(store, lambda number: enqueue(spec(tenant=f"other-{number}"), NOON), times=41)
    done = enqueue(spec(tenant="globex", priority=keys.HOT), NOON)
    assert done.result is Result.MERGED
    priorities = Job.get(JOB_ID).priorities or {}
    assert priorities.pop("globex") == keys.HOT
    assert priorities == {f"other-{number}": keys.BACKGROUND for number in range(41)}
    assert len(pauses) == 40 - races.ROUNDS_AT_ONCE


def test_who_loses_for_ever_says_so_in_time(store: Store, pauses: list[float]) -> None:
    enqueue(spec(), NOON)
    tries = first(store, run_changes)
    with pytest.raises(tables.Contention, match=rf"{JOB_ID} changed hands while .*, {races.ROUNDS} times in a row"):
        enqueue(spec(tenant="globex"), NOON)
    assert len(tries) == 1 + races.ROUNDS
    assert 1000 * races.LONGEST_PAUSE_SECONDS * len(pauses) < 0.7 * API_MS
