"""Many who change one record at once, and a worker that claims its job meanwhile: nothing is lost between the two."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, RLock

import pytest

from sluice.jobs.model import states
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.model.job import Job
from sluice.jobs.queue import claim
from sluice.listings.ebay import asking, members, taking
from sluice.listings.ebay.asking import Done, WrongVersion
from sluice.listings.ebay.change import Asker
from sluice.listings.ebay.kinds import publish_id
from sluice.listings.ebay.table import HistoryEntry, find
from sluice.platform.clock import MINUTE
from sluice.platform.config.document import Config
from sluice.platform.refused import Refused
from tests.support.ebay_records import GROUP, SKU, desired
from tests.support.patience import SECONDS
from tests.support.store import Answer, Request, Send, Store

NOW = 1_795_348_800_000
RACERS = 8


def put(quantity: int, version: int | None = None) -> Done:
    return asking.put(Asker("acme", "somebody", NOW, "put", Config()), desired(quantity=quantity), version)


@pytest.fixture
def racing(tables: Store) -> Store:
    """The store answers one request at a time, and those of several threads in any order."""
    lock = RLock()

    def one_at_a_time(_: Request, send: Callable[[], Answer]) -> Answer:
        with lock:
            return send()

    tables.around = one_at_a_time
    return tables


@pytest.mark.usefixtures("racing")
def test_each_of_many_edits_at_once_has_a_version_of_its_own_and_one_job_follows() -> None:
    with ThreadPoolExecutor(RACERS) as pool:
        done = list(pool.map(put, range(1, RACERS + 1)))
    assert sorted(one.version for one in done) == list(range(1, RACERS + 1))
    record = find("acme", SKU)
    assert record
    last = max(done, key=lambda one: one.version)
    assert record.version == last.version
    assert record.wanted.quantity == done.index(last) + 1
    assert len(list(HistoryEntry.query(f"acme/{SKU}"))) == RACERS
    assert [job.job_id for job in Job.scan() if job.kind == "listing.publish"] == [publish_id("acme", SKU)]


@pytest.mark.usefixtures("racing")
def test_of_many_edits_of_one_version_one_is_taken() -> None:
    put(100)

    def try_one(quantity: int) -> bool:
        try:
            put(quantity, 1)
        except WrongVersion:
            return False
        return True

    with ThreadPoolExecutor(RACERS) as pool:
        assert sum(pool.map(try_one, range(1, RACERS + 1))) == 1
    record = find("acme", SKU)
    assert record
    assert record.version == 2


@pytest.mark.usefixtures("tables")
def test_of_two_members_that_are_the_first_of_their_group_at_once_one_is_given_the_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both, make = Barrier(2, timeout=SECONDS), members._Known

    def together() -> members._Known:
        both.wait()
        return make()

    monkeypatch.setattr(members, "_Known", together)
    group, shared = taking.group({**GROUP, "key": "shoes"}), members.Members("acme")

    def is_given_it(sku: str) -> bool:
        try:
            shared.join(group, sku, (("10",),), ())
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(is_given_it, ("a", "b"))) == 1


@pytest.mark.parametrize("step", range(12))
def test_a_worker_that_claims_the_job_at_any_moment_finds_the_edit_or_runs_once_more(tables: Store, step: int) -> None:
    """The claim comes before one of the requests that the edit makes."""
    put(1)
    made, seen = 0, list[int]()

    def claiming(_: Request, send: Send) -> Answer:
        nonlocal made
        made += 1
        if made == step + 1:
            tables.around = None
            job = Job.get(publish_id("acme", SKU))
            assert claim.claim(Candidate.of(job), NOW + MINUTE, MINUTE)
            record = find("acme", SKU)
            assert record
            seen.append(record.wanted.quantity)
        return send()

    tables.around = claiming
    put(2)
    tables.around = None
    job = Job.get(publish_id("acme", SKU))
    record = find("acme", SKU)
    assert record
    assert record.wanted.quantity == 2
    if seen:
        assert job.state == states.LEASED
        assert seen == [2] or job.rerun is not None
    else:
        assert made <= step
        assert job.state == states.QUEUED
