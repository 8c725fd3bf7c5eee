"""What DynamoDB says instead of an answer: a conflict with a transaction, throttling, or nothing at all.

No emulator ever says it, so it is put in below botocore, where the answer of the network would come from.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ReadTimeoutError
from pynamodb.exceptions import PynamoDBException

from sluice.jobs.budgets import ledger
from sluice.jobs.budgets.slots import reserve_slots, return_slots
from sluice.jobs.budgets.windows import Window
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import Failure, LeaseOver
from sluice.jobs.queue import claim, finish, lanes
from sluice.jobs.queue.enqueue import enqueue
from sluice.jobs.queue.lanes import Lane
from sluice.platform import races, tables
from sluice.platform.clock import MINUTE
from sluice.platform.config.document import Config
from sluice.platform.config.limits import Limits, by_clock
from tests.support import work
from tests.support.network import LOST, TIMEOUT, Network, no_pauses, open_network
from tests.support.work import spec

NOON = 1_795_348_800_000
BUDGET = "stockx:acme"
LIMITS = Limits(by_clock(10))

CONFLICT = {"__type": "com.amazonaws.dynamodb.v20120810#TransactionConflictException"}
THROTTLED = {"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}
CANCELLED = {
    "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
    "CancellationReasons": [{"Code": "TransactionConflict"}, {"Code": "None"}],
}


@pytest.fixture
def slept() -> Iterator[list[float]]:
    """How long each pause was; nobody waits."""
    with no_pauses() as pauses:
        yield pauses


@pytest.fixture
def network(slept: list[float]) -> Iterator[Network]:
    with work.kind(), open_network() as network:
        yield network


def claimed() -> Job:
    enqueue(spec(), NOON)
    [candidate], _ = claim.due("stockx:acme#100#0", NOON, 10)
    job = claim.claim(candidate, NOON, MINUTE)
    assert job
    return job


def put_lane() -> None:
    tables.put(Lane("lanes#0", "a", seen_at=1), Lane.lane.does_not_exist())


WRITES: dict[str, Callable[[], object]] = {
    "UpdateItem": lambda: lanes.mark("a", NOON),
    "PutItem": put_lane,
    "DeleteItem": lambda: tables.delete(Lane, ("lanes#0", "a")),
}


@pytest.mark.parametrize("operation", WRITES)
def test_a_conflict_is_tried_again(network: Network, slept: list[float], operation: str) -> None:
    network.answers = [CONFLICT, CONFLICT]
    WRITES[operation]()
    assert network.sent == [operation] * 3
    # With jitter that grows, so that those who met do not meet again.
    assert len(slept) == 2
    assert all(0 <= slept <= races.FIRST_PAUSE_SECONDS * 2**number for number, slept in enumerate(slept))


def test_a_conflict_of_a_claim_is_no_lost_claim(network: Network) -> None:
    enqueue(spec(), NOON)
    [candidate], _ = claim.due("stockx:acme#100#0", NOON, 10)
    network.answers = [CONFLICT]
    job = claim.claim(candidate, NOON, MINUTE)
    assert job
    assert job.lease == 1


def test_a_conflict_of_a_transaction_is_tried_again(network: Network) -> None:
    job = claimed()
    network.sent.clear()
    network.answers = [CANCELLED]
    dead = finish.bury(job, Failure("no"), NOON, Config())
    assert dead.state == "dead"
    assert network.sent == ["TransactWriteItems", "TransactWriteItems", "GetItem"]


def test_a_failed_condition_is_an_answer(network: Network, slept: list[float]) -> None:
    """It is not tried again, and it brings the item that it lost against."""
    put_lane()
    network.sent.clear()
    with pytest.raises(tables.ConditionFailed) as failed:
        put_lane()
    assert network.sent == ["PutItem"]
    assert slept == []
    assert failed.value.item
    assert failed.value.item["seen_at"] == {"N": "1"}


def test_a_failed_condition_of_a_transaction_is_an_answer(network: Network) -> None:
    job = claimed()
    finish.complete(job, {}, NOON, Config())
    network.sent.clear()
    with pytest.raises(LeaseOver):
        finish.bury(job, Failure("no"), NOON, Config())
    assert network.sent.count("TransactWriteItems") == 1


def test_a_conflict_without_an_end_is_an_error_that_says_so(network: Network) -> None:
    network.answers = [CONFLICT] * tables.CONFLICT_TRIES
    with pytest.raises(tables.Contention, match="locked"):
        lanes.mark("a", NOON)
    assert len(network.sent) == tables.CONFLICT_TRIES


@pytest.mark.parametrize("answer", [THROTTLED, TIMEOUT])
def test_what_was_throttled_or_not_answered_is_sent_again(network: Network, slept: list[float], answer: Any) -> None:
    network.answers = [answer, answer]
    lanes.mark("a", NOON)
    assert network.sent == ["UpdateItem"] * 3
    assert len(slept) == 2


@pytest.mark.parametrize("answer", [THROTTLED, TIMEOUT])
def test_calls_are_given_back_once_or_not_at_all(network: Network, answer: Any) -> None:
    """Sent again after a lost answer it could be done twice, and the limit would be exceeded."""
    assert ledger.reserve_calls(BUDGET, LIMITS, Window.at(NOON), 6)
    network.sent.clear()
    network.answers = [answer]
    ledger.give_back(BUDGET, LIMITS, Window.at(NOON), 4)
    assert network.sent == ["UpdateItem"]
    assert ledger.read(BUDGET, NOON).hour == 6
    ledger.give_back(BUDGET, LIMITS, Window.at(NOON), 4)
    assert ledger.read(BUDGET, NOON).hour == 2


def test_slots_are_returned_once_or_not_at_all(network: Network) -> None:
    """Meanwhile another may hold the very slots: then the clock stands where it stood."""
    limits = Limits(interval_ms=600)
    slots = reserve_slots(BUDGET, limits, 3, NOON)
    network.sent.clear()
    network.answers = [TIMEOUT]
    return_slots(BUDGET, slots, 2)
    assert network.sent == ["UpdateItem"]
    assert ledger.read(BUDGET, NOON).next_at == slots.next_at


def test_a_completion_whose_answer_was_lost_is_a_completion(network: Network) -> None:
    """The first request was done, its answer lost; what botocore sends again finds the work done, by itself."""
    job = claimed()
    network.sent.clear()
    network.answers = [LOST]
    done = finish.complete(job, {"ask": "1"}, NOON, Config())
    assert network.sent == ["UpdateItem", "UpdateItem"]
    assert (done.state, done.result) == ("succeeded", {"ask": "1"})


def move_lane() -> None:
    tables.transact(lambda transaction: transaction.update(Lane("lanes#0", "a"), [Lane.seen_at.set(1)]))


@pytest.mark.parametrize("write", [*WRITES.values(), move_lane], ids=[*WRITES, "TransactWriteItems"])
def test_a_write_that_is_never_answered_fails_with_its_own_reason(
    network: Network, write: Callable[[], object]
) -> None:
    """What the connection fails with has no response to look into."""
    network.answers = [TIMEOUT] * 12
    with pytest.raises((PynamoDBException, BotoCoreError)) as raised:
        write()
    assert isinstance(tables._client_error(raised.value), ReadTimeoutError)
