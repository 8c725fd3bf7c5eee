"""What can happen in a world, in any order. Chance comes in as a value: Hypothesis's, or a seeded generator's."""

from random import Random

from sluice.jobs.model import keys
from sluice.jobs.model.job import Spec
from sluice.platform.clock import HOUR, MINUTE, SECOND
from tests.simulation.scripts import Script, Step
from tests.simulation.trouble import Fault
from tests.simulation.world import World

NAMES = ("a", "b", "c", "d")
TENANTS = ("acme", "zeta")
PRIORITIES = sorted(keys.PRIORITIES.values())
SPANS = (100, SECOND, 20 * SECOND, MINUTE, 4 * MINUTE, 6 * MINUTE, HOUR)
ENDS = ("succeed",) * 4 + ("wait",) * 2 + ("retry", "snooze", "business", "fatal", "close", "die", "break")
FAULTS = ("kill_before", "kill_after", "lost_request", "lost_reply", "repeated", "throttled", "conflict")


def ask(world: World, chance: Random) -> None:
    with world.troubled(_faults(chance)):
        for _ in range(chance.randint(1, 3)):
            world.ask(_spec(world, chance))


def tick(world: World, chance: Random) -> None:
    with world.troubled(_faults(chance), chance.choice(("", "", "", "before", "after", "started"))):
        world.tick()


def deliver(world: World, chance: Random) -> None:
    with world.troubled(_faults(chance)):
        world.deliver(chance.randint(0, 3), _scripts(chance))


def a_minute(world: World, chance: Random) -> None:
    for _ in range(chance.randint(0, 3)):
        world.ask(_spec(world, chance))
    world.advance(MINUTE)
    with world.troubled(_faults(chance)):
        world.tick()
    with world.troubled(_faults(chance)):
        world.deliver(-1, _scripts(chance))


def poll(world: World, chance: Random) -> None:
    world.advance(MINUTE)
    with world.troubled(_faults(chance)):
        world.poll(_scripts(chance))


def deliver_again(world: World, chance: Random) -> None:
    world.deliver_again(chance.randint(0, 9))


def time_passes(world: World, chance: Random) -> None:
    world.advance(chance.choice(SPANS))


def the_clock_is_set_back(world: World, chance: Random) -> None:
    world.set_back(chance.randint(1, 2_000))


def cancel(world: World, chance: Random) -> None:
    with world.troubled(_faults(chance)):
        world.take_back(chance.choice(NAMES), chance.choice(TENANTS))


def held(world: World, chance: Random) -> None:
    world.hold(chance.choice(TENANTS), chance.choice(("BROKEN", "REVOKED")), chance.choice((True, False)))
    world.ask(_spec(world, chance))
    world.tick()
    world.deliver(-1, _scripts(chance))
    world.release()


MOVES = (
    *(a_minute,) * 6,
    *(ask, tick, deliver, poll) * 2,
    deliver_again,
    time_passes,
    the_clock_is_set_back,
    cancel,
    held,
)


def _spec(world: World, chance: Random) -> Spec:
    due_in = chance.choice((0, 0, 0, MINUTE))
    return world.spec(
        chance.choice(NAMES), chance.choice(TENANTS), chance.choice(PRIORITIES), due_in, chance.randint(1, 3)
    )


def _faults(chance: Random) -> list[Fault]:
    return [_fault(chance) for _ in range(chance.choice((0, 1, 2, 3)))]


def _fault(chance: Random) -> Fault:
    after = chance.randint(0, chance.choice((4, 12, 25)))
    match chance.randint(0, 5):
        case 0 | 1:
            return Fault("preempted", after, _meanwhile(chance))
        case 2:
            return Fault("preempted", after, ("tick",))
        case _:
            return Fault(chance.choice(FAULTS), after)


def _scripts(chance: Random) -> list[Script]:
    return [_script(chance) for _ in range(chance.randint(1, 4))]


def _script(chance: Random) -> Script:
    steps = tuple(Step(chance.randint(0, 2), _meanwhile(chance)) for _ in range(chance.randint(0, 3)))
    return Script(steps, chance.choice(ENDS), chance.choice((0, 0, 0, 0, MINUTE, 6 * MINUTE)))


def _meanwhile(chance: Random) -> tuple[object, ...]:
    """Something that happens while a handler runs; `World` knows the words."""
    match chance.randint(0, 11):
        case 0 | 1 | 2:
            return ("ask_for", chance.choice(NAMES), chance.choice(TENANTS), chance.choice(PRIORITIES))
        case 3:
            return ("take_back", chance.choice(NAMES), chance.choice(TENANTS))
        case 4:
            return ("advance", chance.choice(SPANS))
        case 5:
            return ("tick",)
        case 6 | 7:
            return ("overtake", chance.choice((True, False)))
        case 8:
            return ("deliver",)
        case 9:
            return ("deliver_again", chance.randint(0, 5))
        case _:
            return ()
