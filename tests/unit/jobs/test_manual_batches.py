"""What a person waits for is handed out in batches of its own, so that it can have workers of its own."""

from collections.abc import Collection, Mapping
from dataclasses import replace

import pytest

from sluice.jobs.budgets import ledger
from sluice.jobs.dispatch import scheduler
from sluice.jobs.dispatch.snapshot import Accounts, Snapshot
from sluice.jobs.model import keys
from sluice.jobs.queue import starts
from sluice.jobs.queue.enqueue import enqueue
from sluice.jobs.run.messages import Batch, decode
from sluice.platform.clock import HOUR, MINUTE
from sluice.platform.config.document import Config
from sluice.platform.config.engine import Engine
from sluice.platform.config.limits import Limits, by_clock
from tests.support.clock import VirtualClock
from tests.support.work import spec

pytestmark = pytest.mark.usefixtures("store")

LETTERS = {keys.MANUAL: "m", keys.HOT: "h", keys.BACKGROUND: "b"}


def active(accounts: Collection[str], _: str) -> Mapping[str, str]:
    return dict.fromkeys(accounts, "ACTIVE")


def ask(clock: VirtualClock, letters: str, tenant: str = "acme", budget: str = "stockx:acme") -> None:
    """One job for each letter, named by its place and a millisecond younger than the one before."""
    for priority, letter in LETTERS.items():
        for place, wanted in enumerate(letters):
            if wanted == letter:
                asked = spec(f"{tenant}-{place}", tenant=tenant, priority=priority)
                enqueue(replace(asked, budget=budget), clock.time + place)


def tick(clock: VirtualClock, config: Config) -> list[Batch]:
    sent: list[Batch] = []
    assert scheduler.tick(Snapshot(clock.time, config, Accounts(active)), sent.append).errors == 0
    return sent


def letters(batch: Batch) -> str:
    return "".join(LETTERS[job.priority] for job in batch.jobs)


def test_manual_jobs_and_others_of_one_account_are_two_batches(clock: VirtualClock, config: Config) -> None:
    ask(clock, "bmhmb")
    clock.time += MINUTE
    sent = tick(clock, config)
    assert [(batch.manual, letters(batch)) for batch in sent] == [(True, "mm"), (False, "hbb")]
    assert [batch.calls for batch in sent] == [2, 3]
    assert ledger.read("stockx:acme", clock.time).hour == 5, "each call is reserved once"


def test_manual_batches_of_all_accounts_are_sent_before_the_others(clock: VirtualClock) -> None:
    """Where accounts share a budget, the last account's manual jobs do not wait for the first one's batches."""
    config = Config(limits={"stockx": Limits(by_clock(100))})
    ask(clock, "bb", "acme", budget="stockx")
    ask(clock, "bm", "zeta", budget="stockx")
    clock.time += MINUTE
    sent = tick(clock, config)
    assert [batch.manual for batch in sent] == [True, False, False]
    assert {batch.account for batch in sent[1:]} == {"stockx:acme", "stockx:zeta"}


def test_each_batch_is_started_once(clock: VirtualClock, config: Config) -> None:
    ask(clock, "mb")
    clock.time += MINUTE
    for batch in tick(clock, config):
        delivered = decode(batch.encode())
        assert delivered.manual == batch.manual
        assert [starts.start(delivered.jobs[0], clock.time) for _ in range(2)] == [True, False]


def test_when_calls_are_short_the_manual_jobs_have_them(clock: VirtualClock) -> None:
    config = Config(limits={"stockx": Limits(by_clock(3), by_account=True)}, engine=Engine(reserve_percent=0))
    ask(clock, "bbbmm")
    clock.time += MINUTE
    assert [letters(batch) for batch in tick(clock, config)] == ["mm", "b"]


def test_a_batch_that_is_too_large_is_cut_within_its_kind(clock: VirtualClock) -> None:
    ask(clock, "mmmbbb")
    clock.time += MINUTE
    assert [letters(batch) for batch in tick(clock, Config(engine=Engine(batch=2)))] == ["mm", "m", "bb", "b"]


def test_age_makes_no_job_manual(clock: VirtualClock, config: Config) -> None:
    """A flood of old background work stands as high, and leaves the manual workers to the people who wait."""
    ask(clock, "bb")
    clock.time += 2 * config.engine.age_limit_ms + HOUR
    enqueue(spec("new", priority=keys.MANUAL), clock.time)
    assert [(batch.manual, letters(batch)) for batch in tick(clock, config)] == [(True, "m"), (False, "bb")]
