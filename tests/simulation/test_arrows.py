"""The engine writes every arrow of its state machine, each by the way that a user or an accident would take."""

from sluice.jobs.model import keys
from sluice.platform.clock import HOUR, MINUTE
from tests.simulation.promises import ARROWS
from tests.simulation.scripts import Script
from tests.simulation.world import World


def test_the_engine_writes_every_arrow_and_no_other(world: World) -> None:
    """`World` fails at an arrow that is not drawn; here all that are drawn are seen."""

    def run(end: str) -> None:
        world.tick()
        world.deliver(0, [Script(end=end)])

    def damage(name: str) -> None:
        item = world.store.item("jobs", job_id=keys.job_id("test.work", "stockx", name))
        assert item
        world.store.put("jobs", {**item, "calls": {"S": "a few"}})

    for end in ("succeed", "fatal"):
        world.ask_for("a", "acme", keys.HOT)
        run(end)
    world.ask_for("a", "acme", keys.HOT)
    world.take_back("a", "acme")
    world.ask_for("a", "acme", keys.HOT)
    run("retry")
    world.advance(HOUR)
    run("wait")
    damage("a")
    world.advance(MINUTE)
    world.poll()

    world.ask_for("b", "acme", keys.HOT)
    run("wait")
    world.advance(MINUTE)
    world.poll()
    world.deliver()

    world.ask_for("c", "acme", keys.HOT)
    damage("c")
    world.tick()

    world.ask_for("d", "globex", keys.HOT)
    world.hold("globex", "BROKEN", paused=False)
    world.tick()
    world.advance(world.config.engine.broken_ms)
    world.tick()
    world.release()

    assert world.promises.arrows == ARROWS
    world.drain()
