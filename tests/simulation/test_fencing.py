"""The fences hold the promises: the same story that passes with one fails without it."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from pynamodb.expressions.condition import Condition

from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.model.states import LEASED
from sluice.jobs.queue import claim, finish, starts
from sluice.platform import tables
from tests.simulation.conftest import new_world
from tests.simulation.scripts import Script, Step
from tests.simulation.trouble import Fault
from tests.simulation.world import World


def overtaken(world: World, end: str) -> None:
    """A worker stalls past its lease, its job is claimed for another, and then it comes back with its `end`."""
    world.ask_for("a", "acme", keys.HOT)
    world.tick()
    world.deliver(0, [Script((Step(calls=1, meanwhile=("overtake", False)),), end)])
    world.drain()


def two_schedulers(world: World, step: int) -> None:
    """A second tick runs as a whole between two requests of a first."""
    world.ask_for("a", "acme", keys.HOT)
    with world.troubled([Fault("preempted", step, ("tick",))]):
        world.tick()
    world.drain()


def delivered_twice(world: World, step: int) -> None:
    """SQS delivers the message again while the first worker is somewhere in its run."""
    world.ask_for("a", "acme", keys.HOT)
    world.tick()
    with world.troubled([Fault("preempted", step, ("deliver_again", 0))]):
        world.deliver(0, [Script((Step(calls=3),))])
    world.drain()


def found_broken(story: Callable[[World, int], None], steps: int) -> list[str]:
    """The promises that are broken when the other process comes before the first request, the second, and so on."""
    broken = []
    for step in range(steps):
        with new_world() as world:
            try:
                story(world, step)
            except AssertionError as found:
                broken.append(str(found).splitlines()[0])
    return broken


def without_condition(model: Any, item: Any, actions: Any, condition: Condition | None = None, **_: Any) -> Any:
    """`tables.update` that writes whatever is there."""
    return tables.update(model, item, actions)


@pytest.mark.parametrize("end", ["succeed", "retry", "snooze", "fatal", "wait"])
def test_a_late_end_is_refused_by_the_lease(end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with new_world() as world:
        overtaken(world, end)

    monkeypatch.setattr(
        finish, "_own", lambda job, more=None: (Job.state == LEASED) if more is None else (Job.state == LEASED) & more
    )
    with new_world() as world, pytest.raises(AssertionError, match="a late worker wrote"):
        overtaken(world, end)


def test_two_claims_have_one_winner_by_the_claims_condition(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found_broken(two_schedulers, steps=25) == []

    unfenced = SimpleNamespace(update=without_condition, ConditionFailed=tables.ConditionFailed)
    monkeypatch.setattr(claim, "tables", unfenced)
    assert "its lease moved by something else than a claim" in str(found_broken(two_schedulers, steps=25))


def test_two_deliveries_have_one_run_by_the_starts_condition(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found_broken(delivered_twice, steps=15) == []

    monkeypatch.setattr(starts, "start", lambda first, now: True)
    assert "has two owners" in str(found_broken(delivered_twice, steps=15))
