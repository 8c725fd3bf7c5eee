"""Orders of things that once broke a promise, each as short as it could be made."""

import pytest
from botocore.exceptions import ConnectionClosedError

from sluice.jobs.model import keys
from sluice.platform.clock import MINUTE
from tests.simulation.conftest import new_world
from tests.simulation.scripts import Script, Step
from tests.simulation.trouble import Fault
from tests.simulation.world import World
from tests.support.store import Answer, Request, Send


@pytest.mark.parametrize("end", ["retry", "snooze", "break"])
def test_one_who_asks_during_a_run_that_fails_is_served_though_the_first_asker_cancels(end: str, world: World) -> None:
    world.ask_for("a", "acme", keys.HOT)
    world.tick()
    world.deliver(0, [Script((Step(calls=1, meanwhile=("ask_for", "a", "zeta", keys.HOT)),), end)])
    world.take_back("a", "acme")
    world.check()
    world.drain()


@pytest.mark.parametrize("asker", ["acme", "zeta"])
@pytest.mark.parametrize("step", range(3))
def test_one_who_asks_again_while_its_cancellation_is_written_is_served(step: int, asker: str, world: World) -> None:
    other = ({"acme", "zeta"} - {asker}).pop()
    world.ask_for("a", "acme", keys.BACKGROUND)
    world.ask_for("a", "zeta", keys.BACKGROUND)
    with world.troubled([Fault("preempted", step, ("take_back", "a", asker))]):
        world.ask_for("a", asker, keys.MANUAL)
    assert world.withdrawn
    world.take_back("a", other)
    world.check()
    world.drain()


@pytest.mark.parametrize("fault", ["lost_request", "lost_reply", "throttled"])
def test_no_job_is_begun_after_a_429_that_could_not_be_noted(fault: str, world: World) -> None:
    world.ask_for("a", "acme", keys.HOT)
    world.ask_for("b", "acme", keys.HOT)
    world.tick()
    # Before the note of the 429: the batch is started.
    with world.troubled([Fault(fault, 1)]):
        world.deliver(0, [Script((), "close")])
    assert sum(world.runs.values()) == 1
    world.check()
    world.drain()


@pytest.mark.parametrize("noted", [True, False])
def test_a_poller_begins_no_further_batch_on_a_budget_that_has_just_been_refused(noted: bool) -> None:
    """Two accounts share a budget, so the poller has a batch for each. noted: the table took the note of the 429."""
    with new_world(by_account=False) as world:
        for name, tenant in (("a", "acme"), ("b", "zeta")):
            world.ask_for(name, tenant, keys.HOT)
        world.tick()
        while world.queue:
            world.deliver(0, [Script((), "wait")])
        world.advance(2 * MINUTE)
        begun, around = sum(world.runs.values()), world.store.around
        assert around

        def losing(request: Request, send: Send) -> Answer:
            names = request.parameters.get("ExpressionAttributeNames", {}).values()
            if request.operation == "UpdateItem" and "closed_until" in names and not noted:
                raise ConnectionClosedError(endpoint_url="https://dynamodb")
            return around(request, send)

        world.store.around = losing
        world.poll([Script((), "close")])
        world.store.around = around
        assert (begun, sum(world.runs.values())) == (2, 3)
        world.check()
        world.drain()
