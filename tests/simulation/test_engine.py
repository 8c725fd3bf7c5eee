"""In any order of requests, ticks, deliveries, deaths and faults, no job is lost and no limit is passed.

`World` checks each single write; `drain` checks at the end that all that was accepted got done.
"""

import os
from collections.abc import Callable
from contextlib import ExitStack
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sluice.platform.config.limits import CallWindow, by_clock
from tests.simulation import moves
from tests.simulation.conftest import new_world
from tests.simulation.world import World

# Few by default, so that everybody runs them; as many as these say where time is to be had.
EXAMPLES = int(os.environ.get("SLUICE_EXAMPLES", "10"))
TRACES = int(os.environ.get("SLUICE_TRACES", "10"))
STEPS = int(os.environ.get("SLUICE_STEPS", "100"))

# Short and full again and again; and one that is worth waiting for only at its end.
ROLLING = (CallWindow(5, seconds=20), CallWindow(12, seconds=1_800))

chances = st.randoms(use_true_random=False)


@pytest.mark.parametrize("seed", range(TRACES))
def test_long_traces(seed: int) -> None:
    chance = Random(seed)
    windows = (by_clock(12, 80), by_clock(50, 80), ROLLING, (*ROLLING, *by_clock(day=80)))[seed % 4]
    with new_world(by_account=seed % 3 != 0, shards=1 + seed % 2, windows=windows) as world:
        for _ in range(STEPS):
            chance.choice(moves.MOVES)(world, chance)
            world.check()
        world.drain()


class Engine(RuleBasedStateMachine):
    """The same moves, in orders that Hypothesis chooses, and makes short when one fails."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.world: World | None = None

    @initialize(by_account=st.booleans(), shards=st.integers(1, 2), rolls=st.booleans(), chance=chances)
    def start(self, by_account: bool, shards: int, rolls: bool, chance: Random) -> None:
        windows = ROLLING if rolls else by_clock(12, 80)
        self.world = self.stack.enter_context(new_world(by_account=by_account, shards=shards, windows=windows))
        moves.a_minute(self.world, chance)

    @rule(move=st.sampled_from(moves.MOVES), chance=chances)
    def something_happens(self, move: Callable[[World, Random], None], chance: Random) -> None:
        assert self.world
        move(self.world, chance)

    @invariant()
    def nothing_is_lost(self) -> None:
        if self.world:
            self.world.check()

    def teardown(self) -> None:
        with self.stack:
            if self.world:
                self.world.drain()


TestEngine: Callable[..., Any] = Engine.TestCase
TestEngine.settings = settings(  # type: ignore[attr-defined]
    max_examples=EXAMPLES, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
