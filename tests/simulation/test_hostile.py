"""Three tenants, one of them hostile for the whole run: the others' work is done as if it were not there."""

import sys
from collections import defaultdict

import pytest

from sluice.jobs.model import keys
from sluice.platform.clock import SECOND
from sluice.platform.config.limits import by_clock
from tests.simulation.conftest import new_world
from tests.simulation.promises import askers, text
from tests.simulation.world import World

MINUTES = 40
GOOD = ("acme", "globex")
HOSTILE = "mallory"
# A tenth of a good tenant's work is wanted by the other good one too.
EACH_MINUTE = 3


def live(world: World, *, hostile: bool, storms: bool = False) -> list[int]:
    """How long each request of a good tenant waits for its end, in virtual ms.

    The hostile one connects made-up keys, asks for all that the others wait for, as manual, asks again while it runs,
    takes back what it asked for, and asks for much that nobody else wants. storms: its keys are good, and it has 429 on
    its calls most of the time.
    """
    waits: list[int] = []
    open_: dict[str, list[int]] = defaultdict(list)
    for minute in range(MINUTES):
        names = [f"{tenant}-{minute}-{place}" for tenant in GOOD for place in range(EACH_MINUTE)]
        for name in names:
            world.ask_for(name, name.partition("-")[0], keys.BACKGROUND)
            open_[keys.job_id("test.work", "stockx", name)].append(world.clock.time)
        world.ask_for(names[0], "globex", keys.BACKGROUND)
        if hostile:
            for name in names:
                world.ask_for(name, HOSTILE, keys.MANUAL)
            for place in range(10):
                world.ask_for(f"{HOSTILE}-{minute}-{place}", HOSTILE, keys.MANUAL)
            world.take_back(names[1], HOSTILE)
        if hostile and minute == 1 and not storms:
            world.hold(HOSTILE, "BROKEN", paused=False)
        if storms and minute % 3:
            world.refuse(HOSTILE)
        for half in range(2):
            world.tick()
            if hostile and half == 0:
                for name in names[:3]:
                    world.ask_for(name, HOSTILE, keys.MANUAL)  # some of them run now
            while world.queue:
                world.deliver()
            for job_id in [job_id for job_id in open_ if world.runs[job_id]]:
                waits += [world.clock.time - at for at in open_.pop(job_id)]
            world.advance(30 * SECOND)
        world.check()
    assert not open_, f"{len(open_)} requests of good tenants were never served"
    return sorted(waits)


def p95(waits: list[int]) -> int:
    return waits[int(len(waits) * 0.95)]


def test_the_others_prices_arrive_as_if_it_were_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    found = {}
    for hostile in (False, True):
        with new_world(windows=by_clock(600, 10_000)) as world:
            if hostile:
                # Its keys are made up: it has never shown that they work.
                world.statuses[keys.account("stockx", HOSTILE)] = "ACTIVE"
            found[hostile] = live(world, hostile=hostile)
            for item in world.store.items("jobs"):
                assert text(item, "tenant") in GOOD or askers(item) == {HOSTILE}
    with capsys.disabled():
        sys.stdout.write(
            f"\nprices of two tenants, p95 in virtual ms: {p95(found[False])} without a hostile third, "
            f"{p95(found[True])} beside it\n"
        )
    assert len(found[True]) == len(found[False]) == MINUTES * len(GOOD) * EACH_MINUTE
    assert p95(found[True]) <= 1.2 * p95(found[False])


def test_a_hostile_tenant_that_has_429_on_its_calls_holds_nobody_up(capsys: pytest.CaptureFixture[str]) -> None:
    """Its account works, so work of others may go there; where it cannot run, it goes on to who asked for it too."""
    found = {}
    for storms in (False, True):
        with new_world(windows=by_clock(600, 10_000)) as world:
            found[storms] = live(world, hostile=storms, storms=storms)
    with capsys.disabled():
        told = f"{p95(found[False])} without a hostile third, {p95(found[True])} beside its storms of 429"
        sys.stdout.write(f"\nprices of two tenants, p95 in virtual ms: {told}\n")
    assert len(found[True]) == len(found[False]) == MINUTES * len(GOOD) * EACH_MINUTE
    assert p95(found[True]) <= 1.2 * p95(found[False])


def test_work_that_only_a_hostile_tenant_wants_ends_by_itself() -> None:
    with new_world() as world:
        world.ask_for("alone", HOSTILE, keys.MANUAL)
        world.hold(HOSTILE, "BROKEN", paused=False)
        world.tick()
        world.advance(world.config.engine.broken_ms)
        world.tick()
        [job] = world.store.items("jobs")
        [letter] = world.store.items("dead_letters")
        assert (text(job, "state"), text(letter, "tenant")) == ("dead", HOSTILE)
        assert "account_not_working" in text(job, "error")
