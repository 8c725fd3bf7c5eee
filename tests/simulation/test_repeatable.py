"""A history follows from its seed alone: else a failing one could not be looked at again."""

import random
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import pytest

from sluice.jobs.dispatch import rescue
from sluice.jobs.model import keys
from tests.simulation import moves
from tests.simulation.conftest import new_world
from tests.simulation.world import World
from tests.support.one_thread import NotRepeatable
from tests.support.store import Answer, Request, Send

STEPS = 60


def history(seed: int) -> list[tuple[Any, ...]]:
    """Each request of a history: when it was made, what it was, and how the jobs stood."""
    made: list[tuple[Any, ...]] = []
    with new_world(by_account=seed % 2 == 0) as world:
        inner, chance = world.store.around, Random(seed)
        assert inner

        def around(request: Request, send: Send) -> Answer:
            made.append((world.clock.time, request.operation, request.parameters.get("TableName"), jobs(world)))
            return inner(request, send)

        world.store.around = around
        for _ in range(STEPS):
            chance.choice(moves.MOVES)(world, chance)
    return made


def jobs(world: World) -> list[tuple[Any, ...]]:
    names = ("job_id", "state", "lane", "due_at", "lease", "attempts", "tenant")
    return sorted(tuple(str(item.get(name)) for name in names) for item in world.store.items("jobs"))


@pytest.mark.parametrize("seed", [3, 5])
def test_a_seed_gives_the_same_history_whatever_else_has_drawn_by_chance(seed: int) -> None:
    random.seed(1)
    once = history(seed)
    random.seed(2)
    again = history(seed)
    differ = next((pair for pair in zip(once, again, strict=False) if pair[0] != pair[1]), None)
    assert differ is None
    assert len(once) == len(again)


def test_a_request_of_a_second_thread_fails_the_simulation(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pool in a room of the engine that does not work in one thread is found, whichever request comes first."""
    monkeypatch.setattr(rescue, "ThreadPoolExecutor", ThreadPoolExecutor)
    world.ask_for("a", "acme", keys.HOT)
    world.tick()
    world.advance(world.config.engine.lease_ms + 1)
    with pytest.raises(NotRepeatable):
        world.tick()
