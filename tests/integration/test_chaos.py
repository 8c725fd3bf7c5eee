"""Function processes die for real while work goes on: the short form of `make chaos`, which takes ten minutes."""

import pytest

from local.chaos.load import KINDS
from local.chaos.play import Outcome, play

# The marketplaces and the order of the deeds follow from it. When a process dies in its work is chance all the same.
SEED = 7


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    """Seconds of trouble with one restart of the emulator, then calm."""
    return play(SEED, 6, pause=0.5, restarts=1, hurry=True)


def test_there_was_trouble(outcome: Outcome) -> None:
    """Else the rest says nothing."""
    assert {ask.what for ask in outcome.load.asks} >= set(KINDS)
    assert outcome.trouble.dead.total() > 0
    assert outcome.restarts == 1


def test_nothing_is_lost_and_nothing_harmful_was_done_twice(outcome: Outcome) -> None:
    """By the marketplaces' own record."""
    assert outcome.broken == []
