"""A dead letter is replayed by a person, once, whoever else tries, and its job knows where it comes from."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sluice.jobs.model import keys, kinds, requests
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.model.dead_letters import UNREADABLE, DeadLetter, acknowledge
from sluice.jobs.model.job import VERSION, Job
from sluice.jobs.model.outcomes import CannotSucceed
from sluice.jobs.queue import claim, finish, lanes
from sluice.jobs.queue import replay as replaying
from sluice.jobs.queue.enqueue import Enqueued, Result, enqueue
from sluice.platform import aws
from sluice.platform.clock import DAY, MINUTE
from sluice.platform.config.document import Config
from sluice.platform.refused import Refused
from tests.support import work
from tests.support.store import Answer, Request, Store
from tests.support.store import store as make_store
from tests.unit.jobs.conftest import NOON

CONFIG = Config()
LEASE_MS = CONFIG.engine.lease_ms
JOB_ID = work.spec().job_id


@pytest.fixture(scope="module")
def tables() -> Iterator[Store]:
    """The store of this module's tests: its client takes longer to make than a test to run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCHEDULER_FUNCTION", "scheduler")
        with make_store() as made, work.kind():
            yield made


@pytest.fixture
def store(tables: Store) -> Store:
    """Empty tables."""
    tables.clear()
    tables.around = None
    lanes.forget()
    return tables


@pytest.fixture(autouse=True)
def invoked(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The functions that were invoked."""
    names: list[str] = []
    monkeypatch.setattr(aws, "invoke_later", lambda function, event: names.append(function))
    return names


def take(now: int = NOON) -> Job:
    """Claim the one job."""
    job = claim.claim(Candidate.of(Job.get(JOB_ID)), now, LEASE_MS)
    assert job
    return job


def die(now: int = NOON, **asked: Any) -> DeadLetter:
    """Have the job asked for, run and refused for good; its letter."""
    enqueue(work.spec(**asked), now)
    finish.bury(take(now), CannotSucceed("no such thing"), now, CONFIG)
    return next(DeadLetter.query("acme", scan_index_forward=False))


def replay(letter: DeadLetter, now: int = NOON + MINUTE, by: str = "ann") -> Enqueued | Refused:
    [answer] = replaying.replay([letter], by, now, CONFIG)
    return answer


def outcome(answer: Enqueued | Refused) -> str:
    return answer.result if isinstance(answer, Enqueued) else answer.code


def test_the_job_starts_over_and_keeps_origin_and_history(store: Store) -> None:
    letter = die(calls=3, priority=keys.HOT)
    assert replay(letter) == Enqueued(JOB_ID, Result.CREATED, "queued")
    job = Job.get(JOB_ID)
    assert (job.state, job.attempts, job.priority, job.calls) == ("queued", 0, keys.HOT, 3)
    assert (job.payload, job.created_at, job.lease) == ({"sku": "one"}, NOON + MINUTE, 1)
    assert job.letter == letter.dead_letter
    assert job.history[0]["event"] == "bury"
    assert job.history[1:] == [{"at": NOON + MINUTE, "event": "replay", "attempt": 0}]
    assert not any((job.error, job.result, job.expires_at, job.begun))


def test_the_letter_says_who_replayed_it_and_keeps_all_that_it_had(store: Store) -> None:
    letter = die()
    replay(letter)
    after = DeadLetter.get("acme", letter.dead_letter)
    assert (after.replayed_at, after.replayed_by) == (NOON + MINUTE, "ann")
    after.replayed_at = after.replayed_by = None
    assert after.to_simple_dict() == letter.to_simple_dict()


def test_the_tenant_sees_the_job_among_its_requests(store: Store) -> None:
    replay(die())
    assert [request.job_ids for request in requests.AskRecord.query("acme")] == [[JOB_ID]]


def test_a_job_that_was_forgotten_is_made_anew(store: Store) -> None:
    letter = die()
    store.clear()
    lanes.forget()
    letter.save()
    assert outcome(replay(letter, NOON + 20 * DAY)) == Result.CREATED
    assert Job.get(JOB_ID).tenants == {"acme"}


def test_what_had_begun_is_looked_up_before_it_is_done_again(store: Store) -> None:
    enqueue(work.spec(), NOON)
    job = finish.begin(take(), {"sku": "one", "intent": 1}, NOON)
    finish.bury(job, CannotSucceed("lost"), NOON, CONFIG)
    replay(next(iter(DeadLetter.query("acme"))))
    job = Job.get(JOB_ID)
    assert (job.begun, job.payload) == (True, {"sku": "one", "intent": 1})


@pytest.mark.parametrize(("priority", "runs"), [(keys.MANUAL, ["scheduler"]), (keys.HOT, [])])
def test_a_manual_job_starts_the_scheduler(store: Store, invoked: list[str], priority: int, runs: list[str]) -> None:
    replay(die(priority=priority))
    assert invoked == runs


# ── the work is under way already ──


def test_a_waiting_job_does_the_work_as_it_was_asked_for_last(store: Store) -> None:
    letter = die()
    enqueue(replace(work.spec(), payload={"sku": "newer"}), NOON + 1)
    assert outcome(replay(letter)) == Result.MERGED
    job = Job.get(JOB_ID)
    assert (job.payload, job.letter, job.history) == ({"sku": "newer"}, letter.dead_letter, None)


def test_a_waiting_job_of_lower_priority_is_raised(store: Store) -> None:
    letter = die(priority=keys.HOT)
    enqueue(work.spec(), NOON + 1)
    assert outcome(replay(letter)) == Result.RAISED


def test_a_running_job_runs_once_more(store: Store) -> None:
    letter = die()
    enqueue(work.spec(), NOON + 1)
    running = take(NOON + 2)
    assert outcome(replay(letter)) == Result.RERUN_REQUESTED
    assert finish.complete(running, {}, NOON + MINUTE, CONFIG).state == "queued"


# ── only once ──


def test_a_second_replay_is_refused_and_changes_nothing(store: Store) -> None:
    letter = die()
    replay(letter)
    before = store.items("jobs"), store.items("dead_letters"), store.items("requests")
    stale, fresh = replay(letter, by="bob"), replay(DeadLetter.get("acme", letter.dead_letter), by="bob")
    assert outcome(stale) == outcome(fresh) == "replayed"
    assert isinstance(fresh, Refused)
    assert "ann" in fresh.message
    assert (store.items("jobs"), store.items("dead_letters"), store.items("requests")) == before


def test_one_that_is_over_again_is_not_replayed_by_its_old_letter(store: Store) -> None:
    letter = die()
    replay(letter)
    finish.complete(take(NOON + MINUTE), {}, NOON + MINUTE, CONFIG)
    assert outcome(replay(letter)) == "replayed"
    assert Job.get(JOB_ID).state == "succeeded"


@pytest.mark.parametrize("racers", [2, 16])
def test_of_many_at_once_one_replays(store: Store, racers: int) -> None:
    letter = die()
    with ThreadPoolExecutor(racers) as pool:
        answers = list(pool.map(lambda number: replay(letter, by=f"person {number}"), range(racers)))
    assert sorted(map(outcome, answers)) == sorted([Result.CREATED, *["replayed"] * (racers - 1)])


def test_two_letters_of_one_job_make_one_job(store: Store) -> None:
    older, newer = die(), die(NOON + 1)
    answers = [replay(older), replay(newer)]
    assert list(map(outcome, answers)) == [Result.CREATED, Result.MERGED]


def test_somebody_replays_between_looking_and_writing(store: Store) -> None:
    """The job has been replayed, run and done by the time of the second one's write, which finds it final."""
    letter, between = die(), [True]

    def around(request: Request, send: Callable[[], Answer]) -> Answer:
        if request.operation == "TransactWriteItems" and between:
            between.clear()
            assert outcome(replay(letter, by="bob")) == Result.CREATED
            finish.complete(take(NOON + MINUTE), {}, NOON + MINUTE, CONFIG)
        return send()

    store.around = around
    assert outcome(replay(letter)) == "replayed"
    job = Job.get(JOB_ID)
    assert (job.state, DeadLetter.get("acme", letter.dead_letter).replayed_by) == ("succeeded", "bob")


def test_a_conflict_of_transactions_is_no_answer(store: Store) -> None:
    letter, conflicts = die(), [1, 2, 3]

    def around(request: Request, send: Callable[[], Answer]) -> Answer:
        if request.operation == "TransactWriteItems" and conflicts:
            conflicts.pop()
            reasons = [{"Code": "None"}, {"Code": "TransactionConflict", "Message": "ongoing"}]
            error: Any = {"Error": {"Code": "TransactionCanceledException", "Message": ""}}
            raise ClientError({**error, "CancellationReasons": reasons}, request.operation)
        return send()

    store.around = around
    assert outcome(replay(letter)) == Result.CREATED


def test_a_crash_before_the_write_leaves_the_letter_open(store: Store) -> None:
    letter = die()

    def around(request: Request, send: Callable[[], Answer]) -> Answer:
        if request.operation == "TransactWriteItems":
            raise RuntimeError("killed")
        return send()

    store.around = around
    assert outcome(replay(letter)) == "unavailable"
    store.around = None
    assert Job.get(JOB_ID).state == "dead"
    assert outcome(replay(letter)) == Result.CREATED


# ── what cannot be replayed ──


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"error": {"code": UNREADABLE, "message": "x", "at": 1}}, "no job"),
        ({"version": VERSION + 1}, "version"),
        ({"kind": "no.kind"}, "no.kind"),
        ({"budget": "nowhere:acme"}, "asked for"),
        ({"account": "nowhere:acme"}, "asked for"),
        ({"priority": 7}, "asked for"),
    ],
)
def test_a_letter_that_no_job_can_be_made_of_says_why(store: Store, change: dict[str, Any], word: str) -> None:
    letter = die()
    for name, value in change.items():
        setattr(letter, name, value)
    letter.save()
    answer = replay(letter)
    assert isinstance(answer, Refused)
    assert answer.code == "not_replayable"
    assert word in answer.message
    assert DeadLetter.get("acme", letter.dead_letter).replayed_at is None
    assert Job.get(JOB_ID).state == "dead"


@pytest.mark.parametrize(
    ("code", "replayed"),
    [("refused", False), ("no_answer", False), ("internal", True), ("not_sent", True), ("lease_expired", True)],
)
def test_what_has_failed_for_good_is_asked_for_anew(
    store: Store, monkeypatch: pytest.MonkeyPatch, code: str, replayed: bool
) -> None:
    letter = die()
    letter.error = {"code": code, "message": "x", "at": NOON}
    letter.save()
    final = kinds.get(letter.kind)._replace(failure_is_final=True)
    monkeypatch.setattr(kinds, "get", lambda name: final)
    answer = replay(letter)
    assert isinstance(answer, Enqueued) is replayed
    assert Job.get(JOB_ID).state == ("queued" if replayed else "dead")


def test_a_letter_that_is_gone_makes_no_job(store: Store) -> None:
    letter = die()
    letter.delete()
    assert outcome(replay(letter)) == "replayed"
    assert (Job.get(JOB_ID).state, list(DeadLetter.query("acme"))) == ("dead", [])


def test_a_refused_letter_stops_no_other(store: Store) -> None:
    first = die()
    second = die(NOON + 1, name="one")
    first.version = VERSION + 1
    answers = replaying.replay([first, second], "ann", NOON + MINUTE, CONFIG)
    assert list(map(outcome, answers)) == ["not_replayable", Result.CREATED]


# ── acknowledging ──


def test_of_no_letters_none_is_replayed(invoked: list[str]) -> None:
    assert (replaying.replay([], "ann", NOON, CONFIG), invoked) == ([], [])


def test_acknowledging_is_noted_once_and_forbids_no_replay(store: Store) -> None:
    letter = die()
    seen = acknowledge(letter, "ann", NOON + 1)
    assert seen
    assert (seen.acknowledged_at, seen.acknowledged_by) == (NOON + 1, "ann")
    assert acknowledge(letter, "bob", NOON + 2) is None
    assert outcome(replay(letter)) == Result.CREATED


def test_what_was_replayed_is_not_acknowledged(store: Store) -> None:
    letter = die()
    replay(letter)
    assert acknowledge(letter, "bob", NOON + 2) is None
