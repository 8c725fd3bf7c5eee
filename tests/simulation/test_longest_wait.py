"""Low priority does not starve: how long background work waits while more manual work comes than can be done.

Manual requests come at one and a half times what the budget allows, for hours, and each is served at once when there is
room. A background job is picked as if it were hot after one age limit, and as if it were manual after two; from then on
only older jobs come before it. So it waits at most

    the longer of two age limits and of what it would wait in one queue for all, and then for a window to begin.
"""

import sys
from dataclasses import dataclass

import pytest

from sluice.jobs.budgets.windows import Window
from sluice.jobs.model import keys
from sluice.platform.clock import HOUR, MINUTE
from sluice.platform.config.limits import by_clock
from tests.simulation.conftest import new_world
from tests.simulation.promises import number, text
from tests.simulation.world import NOON, World

PER_HOUR = 20
MANUAL_EACH = 2 * MINUTE
BACKGROUND = 12


@dataclass(frozen=True)
class Wait:
    """How long a job waited, and how long it would have in one queue for all (ms)."""

    name: str
    waited: int
    in_one_queue: int


def in_one_queue(arrivals: dict[str, int]) -> dict[str, int]:
    """How long each job would wait if the budget were used in the order of arrival, at the same ticks."""
    waits, queue, now = dict[str, int](), sorted(arrivals, key=lambda name: (arrivals[name], name)), NOON
    used: dict[Window, int] = {}
    while queue:
        window = Window.at(now)
        while queue and arrivals[queue[0]] <= now and used.get(window, 0) < PER_HOUR:
            used[window] = used.get(window, 0) + 1
            name = queue.pop(0)
            waits[name] = now - arrivals[name]
        now += MINUTE
    return waits


def play(world: World, hours: int) -> dict[str, int]:
    """Background jobs at once and later, manual ones all the time. Returns when each was asked for."""
    arrivals: dict[str, int] = {}

    def ask(name: str, priority: int) -> None:
        arrivals[name] = world.clock.time
        world.ask_for(name, "acme", priority)

    begin = world.clock.time
    for minute in range(hours * 60):
        world.clock.time = max(world.clock.time, begin + minute * MINUTE)
        if minute in (0, 95):
            for each in range(BACKGROUND):
                ask(f"background-{minute}-{each}", keys.BACKGROUND)
        if minute * MINUTE % MANUAL_EACH == 0:
            ask(f"manual-{minute}", keys.MANUAL)
        world.tick()
        while world.queue:
            world.deliver()
    return arrivals


def test_background_work_waits_for_a_bounded_time_under_constant_manual_load(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with new_world(windows=by_clock(PER_HOUR, 1_000)) as world:
        arrivals = play(world, hours=7)
        age_limit = world.config.engine.age_limit_ms
        ended = {
            keys.job_parts(text(item, "job_id"))[-1]: number(item, "updated_at")
            for item in world.store.items("jobs")
            if text(item, "state") == "succeeded"
        }
    fifo = in_one_queue(arrivals)
    waits = [
        Wait(name, ended[name] - arrived, fifo[name])
        for name, arrived in arrivals.items()
        if name.startswith("background")
    ]
    assert len(waits) == 2 * BACKGROUND
    # There was always more to do than could be done: no hour was left unused.
    calls = [Window.at(at) for at in world.promises.calls["stockx:acme"]]
    assert all(calls.count(window) == PER_HOUR for window in {Window.at(NOON + hour * HOUR) for hour in range(6)})

    longest = max(waits, key=lambda wait: wait.waited)
    manual = max(at - arrivals[name] for name, at in ended.items() if name.startswith("manual"))
    with capsys.disabled():
        sys.stdout.write(
            f"\nbackground work under 150 % manual load: waited {min(wait.waited for wait in waits) / MINUTE:.0f} to "
            f"{longest.waited / MINUTE:.0f} minutes; in one queue for all up to "
            f"{max(wait.in_one_queue for wait in waits) / MINUTE:.0f}; manual work up to {manual / MINUTE:.0f}\n"
        )
    for wait in waits:
        assert wait.waited <= max(2 * age_limit, wait.in_one_queue) + HOUR, wait
