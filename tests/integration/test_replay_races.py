"""Races on dead letters and deliveries, on real transactions and conditional writes."""

from collections import Counter

import pytest

from sluice.jobs.model.dead_letters import DeadLetter
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import CannotSucceed
from sluice.jobs.queue import cancel, enqueue, finish, replay
from sluice.jobs.queue.cancel import Cancelled
from sluice.jobs.queue.enqueue import Enqueued
from sluice.platform.config.document import Config
from sluice.platform.refused import Refused
from sluice.webhooks import turns
from sluice.webhooks.messages import Turn
from tests.integration.test_races import NOON, START, claimed, kind, race
from tests.support.work import spec

__all__ = ["kind"]

RACERS = 16
CONFIG = Config()

pytestmark = pytest.mark.usefixtures("dynamodb", "kind")


def letter() -> DeadLetter:
    """The letter of a job that has just died."""
    finish.bury(claimed(), CannotSucceed("no such thing"), START, CONFIG)
    return next(DeadLetter.query("acme", scan_index_forward=False))


def outcome(answer: Enqueued | Refused) -> str:
    return answer.result if isinstance(answer, Enqueued) else answer.code


@pytest.mark.parametrize("round_", range(3))
def test_of_many_people_one_replays(round_: int) -> None:
    found = letter()
    answers = race(lambda number: replay.replay([found], f"person {number}", START, CONFIG), RACERS)
    outcomes = Counter(outcome(answer) for [answer] in answers)
    # Who lost to transactions on the same items through every try is told to ask again: it has changed nothing.
    assert outcomes["created"] == 1
    assert outcomes["replayed"] + outcomes["unavailable"] == RACERS - 1
    job = Job.get(found.job_id)
    assert (job.state, job.attempts, job.letter) == ("queued", 0, found.dead_letter)


def test_a_replay_and_a_request_at_the_same_moment_are_one_job() -> None:
    found = letter()

    def one(number: int) -> str:
        if number == 0:
            return outcome(replay.replay([found], "ann", START, CONFIG)[0])
        return enqueue.enqueue(spec(), START).result

    outcomes = race(one, 8)
    assert outcomes.count("created") == 1
    assert set(outcomes) <= {"created", "merged"}
    assert DeadLetter.get("acme", found.dead_letter).replayed_by == "ann"


def test_what_is_replayed_while_it_is_cancelled_is_one_or_the_other() -> None:
    found = letter()
    enqueue.enqueue(spec(), START)

    def one(number: int) -> str:
        if number == 0:
            return outcome(replay.replay([found], "ann", START, CONFIG)[0])
        return cancel.cancel(found.job_id, "acme", START, CONFIG)

    replayed, cancelled = race(one, 2)
    job = Job.get(found.job_id)
    assert replayed in ("created", "merged")
    assert (replayed == "created") <= (job.state == "queued")
    assert cancelled in (Cancelled.CANCELLED, Cancelled.FINAL)


@pytest.mark.parametrize("round_", range(3))
def test_of_many_senders_one_has_the_tenants_turn(round_: int) -> None:
    taken = race(lambda _: turns.take(Turn("acme", NOON), START), RACERS)
    assert sum(taken) == 1
