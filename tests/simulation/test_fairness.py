"""A tenant with a long queue holds up nobody else's few jobs, in a budget that all share."""

import sys
from collections.abc import Iterator

import pytest

from bench.fairness import Demand, Shares, play
from sluice.jobs.dispatch import find_ready, hand_on, rounds
from sluice.platform.clock import HOUR, MINUTE
from sluice.platform.config.document import Config
from tests.support.store import store

SMALL = {"small-1": 5 * MINUTE, "small-2": 3 * HOUR + 20 * MINUTE}


@pytest.fixture(autouse=True)
def tables(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(rounds, "THREADS", 1)
    monkeypatch.setattr(hand_on, "THREADS", 1)
    monkeypatch.setattr(find_ready, "THREADS", 1)
    with store():
        yield


def told(name: str, shares: Shares) -> str:
    return f"{name}: Jain's index {shares.index:.3f}, small tenants' p95 wait {shares.p95 / MINUTE:.0f} minutes"


def test_one_tenants_long_queue_does_not_hold_up_the_others_few_jobs(capsys: pytest.CaptureFixture[str]) -> None:
    """The small ones wait for the next hour's calls at most, also when the long queue is so old that age raises it."""
    ours, fifo = play(Demand({"flood": 2_000, "steady-1": 400, "steady-2": 400}, SMALL), Config(), hours=5)
    with capsys.disabled():
        sys.stdout.write(f"\n{told('in turn', ours)}\n{told('in one queue', fifo)}\n")
    assert ours.index >= 0.99
    assert ours.p95 <= HOUR
    assert fifo.index <= 0.4
    assert fifo.p95 > 90 * MINUTE
