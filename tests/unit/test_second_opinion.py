"""What the engine and the accounts write holds on moto's DynamoDB and KMS too.

All other tests stand on one implementation, the local cloud's. An expression that it takes and DynamoDB would not, or a
condition that it reads in a way of its own, would be seen by none of them.
"""

import json
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from local.cloud.tables import create_tables
from sluice.jobs.budgets import ledger
from sluice.jobs.budgets.windows import Window
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.model.dead_letters import DeadLetter
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import CannotSucceed, Failure, LeaseOver
from sluice.jobs.model.states import DEAD, QUEUED, SUCCEEDED
from sluice.jobs.queue import claim, finish, replay
from sluice.jobs.queue.enqueue import Result, enqueue
from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.accounts.item import Account
from sluice.platform import aws
from sluice.platform.clock import HOUR, MINUTE, SECOND
from sluice.platform.config.document import Config
from sluice.platform.config.limits import Limits, by_clock
from sluice.platform.settings import settings
from tests.support import process, work
from tests.support.work import spec
from tests.unit.jobs.conftest import NOON

CONFIG = Config()
CREDENTIALS = {"api_key": "k", "client_id": "c", "client_secret": "s", "refresh_token": "r"}


@pytest.fixture(autouse=True)
def _moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with mock_aws(), work.kind():
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
        process.forget()
        monkeypatch.setenv("TOKEN_KEY", aws.client("kms").create_key()["KeyMetadata"]["Arn"])
        settings.cache_clear()
        create_tables(aws.client("dynamodb"), settings().stack)
        yield
    process.forget()


def stored(name: str = "one") -> Job:
    return Job.get(spec(name).job_id, consistent_read=True)


def take(now: int = NOON) -> Job:
    job = claim.claim(Candidate.of(stored()), now, MINUTE)
    assert job
    return job


def test_a_job_is_asked_for_once_claimed_once_and_ended_once() -> None:
    assert [enqueue(spec(), NOON).result for _ in range(2)] == [Result.CREATED, Result.MERGED]
    seen = Candidate.of(stored())
    running = claim.claim(seen, NOON, MINUTE)
    assert running
    assert claim.claim(seen, NOON, MINUTE) is None, "what was taken is not taken by a second"
    assert enqueue(spec(tenant="globex"), NOON).result is Result.RERUN_REQUESTED
    finish.complete(running, {"price": 1}, NOON, CONFIG)
    assert (stored().state, stored().tenant) == (QUEUED, "globex"), "it runs once more for who asked meanwhile"
    finish.complete(take(NOON + SECOND), {}, NOON + SECOND, CONFIG)
    assert stored().state == SUCCEEDED
    with pytest.raises(LeaseOver):
        finish.complete(running, {}, NOON + SECOND, CONFIG)


def test_a_failure_waits_a_death_leaves_its_letter_and_a_replay_runs() -> None:
    enqueue(spec(), NOON)
    finish.fail(take(), Failure("no answer"), NOON, CONFIG, 1.0)
    assert stored().state == QUEUED
    assert stored().due_at > NOON
    finish.bury(take(stored().due_at), CannotSucceed("no such product"), NOON + MINUTE, CONFIG)
    assert stored().state == DEAD
    [letter] = DeadLetter.query("acme")
    replay.replay([letter], "ann", NOON + MINUTE, CONFIG)
    assert stored().state == QUEUED


def test_an_hour_and_its_day_grant_what_they_hold_and_no_call_more() -> None:
    limits, window = Limits(by_clock(hour=5, day=8)), Window.at(NOON)
    assert [ledger.reserve_calls("stockx:acme", limits, window, calls) for calls in (3, 3, 2, 1)] == [
        True,
        False,
        True,
        False,
    ]
    following = Window.at(NOON + HOUR)
    assert [ledger.reserve_calls("stockx:acme", limits, following, calls) for calls in (4, 3)] == [False, True]


def test_a_secret_opens_for_its_own_account_alone() -> None:
    account = accounts.connect("stockx", "acme", CREDENTIALS, NOON)
    other = accounts.connect("stockx", "globex", {**CREDENTIALS, "client_secret": "theirs"}, NOON)
    kept = json.dumps(Account.get(account.account).attribute_values, default=repr)
    assert "client_secret" not in kept
    assert accounts.unseal(account)[0] == CREDENTIALS
    other.credentials = account.credentials
    with pytest.raises(ClientError, match="InvalidCiphertext"):
        accounts.unseal(other)
