"""A job is asked for in one transaction with what it is about: nothing is lost between the two."""

import pytest
from pynamodb.transactions import TransactWrite

from sluice.jobs.model import states
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.model.job import Job
from sluice.jobs.queue import claim
from sluice.jobs.queue.enqueue import Enqueued, Result
from sluice.jobs.queue.together import NotWritten, enqueue_with
from sluice.platform import races, tables
from sluice.platform.clock import MINUTE
from sluice.platform.usage import TenantUsage
from tests.support import work
from tests.support.network import no_pauses
from tests.support.store import Answer, Request, Send, Store
from tests.unit.jobs.conftest import NOON

pytestmark = pytest.mark.usefixtures("store")


def ask(version: int, name: str = "one") -> Enqueued:
    """Write version `version` of something, if the one before is there, and ask for the job that works on it."""

    def write(transaction: TransactWrite) -> None:
        before = TenantUsage.items.does_not_exist() if version == 1 else TenantUsage.items == version - 1
        transaction.update(
            TenantUsage("acme", "thing"), [TenantUsage.items.set(version)], before, return_values="ALL_OLD"
        )

    return enqueue_with(work.spec(name), NOON, write)


def version() -> int | None:
    found = list(TenantUsage.query("acme"))
    return found[0].items if found else None


def test_both_are_written() -> None:
    assert ask(1).result is Result.CREATED
    assert version() == 1


def test_a_transaction_that_is_refused_without_a_word_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose condition it was is not known: the job is looked at anew, and whoever asks is told that it did not work."""
    tries = list[None]()

    def refuses(_: object) -> None:
        tries.append(None)
        raise tables.ConditionFailed(None)

    monkeypatch.setattr(tables, "transact", refuses)
    with pytest.raises(tables.Contention), no_pauses():
        ask(1)
    assert len(tries) == 1 + races.ROUNDS


def test_what_joins_a_job_that_waits_is_written_too_though_the_job_stays_as_it_is() -> None:
    first = ask(1)
    assert ask(2) == Enqueued(first.job_id, Result.MERGED, states.QUEUED)
    assert version() == 2


def test_the_job_is_told_from_the_callers_writes_whatever_they_are() -> None:
    """PynamoDB sends puts before updates."""

    def put_too(transaction: TransactWrite) -> None:
        transaction.save(TenantUsage(tenant="acme", period="another"), TenantUsage.tenant.does_not_exist())

    enqueue_with(work.spec(), NOON, lambda transaction: None)
    assert enqueue_with(work.spec(), NOON, put_too).result is Result.MERGED
    with pytest.raises(NotWritten):
        enqueue_with(work.spec(), NOON, put_too)


def test_where_the_callers_condition_does_not_hold_nothing_is_written() -> None:
    with pytest.raises(NotWritten) as failed:
        ask(2)
    assert failed.value.items == [None]
    assert list(Job.scan()) == []
    ask(1)
    with pytest.raises(NotWritten) as failed:
        ask(1, "another")
    [found] = failed.value.items
    assert found is not None
    assert found["items"] == {"N": "1"}
    assert [job.job_id for job in Job.scan()] == [work.spec().job_id]


def test_a_job_that_is_claimed_just_then_runs_once_more(store: Store) -> None:
    first = ask(1)
    job = Job.get(first.job_id)
    transactions = 0

    def claimed_before_the_write(request: Request, send: Send) -> Answer:
        nonlocal transactions
        if request.operation == "TransactWriteItems":
            transactions += 1
            if transactions == 1:
                assert claim.claim(Candidate.of(job), NOON, MINUTE)
        return send()

    store.around = claimed_before_the_write
    assert ask(2).result is Result.RERUN_REQUESTED
    assert version() == 2
    assert Job.get(first.job_id).rerun is not None
    assert transactions == 2


def test_of_many_that_write_at_once_each_is_written_once() -> None:
    for number in range(1, 8):
        ask(number)
    assert version() == 7
    assert Job.count() == 1
    with pytest.raises(NotWritten):
        ask(7)
