"""Accounts whose calls close and are used up, while others ask for the same work: it goes on there, and ends once."""

from collections.abc import Iterator
from random import Random

import pytest

from sluice.jobs.budgets import ledger
from sluice.jobs.budgets.windows import Usage, Window
from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.platform.clock import MINUTE
from sluice.platform.config.limits import by_clock
from tests.simulation.conftest import new_world
from tests.simulation.world import World

TENANTS = ("acme", "globex", "initech")
MINUTES = 45


def accounts() -> Iterator[str]:
    yield from (keys.account("stockx", tenant) for tenant in TENANTS)


def usage(world: World, account: str) -> Usage:
    return ledger.read(account, world.clock.time)


def is_open(world: World, account: str) -> bool:
    """Whether background work can be charged to the account now."""
    found = usage(world, account)
    kept = world.config.engine.reserve_percent
    return found.closed_until <= world.clock.time and found.left(world.config.limits["stockx"], kept) != 0


def is_closed_long(world: World, account: str) -> bool:
    found, now = usage(world, account), world.clock.time
    empty_until = found.empty_until(world.config.limits["stockx"], Window.at(now)) or 0
    return max(found.closed_until, empty_until) - now > world.config.engine.hand_over_ms


def close_some(world: World, chance: Random) -> None:
    """A marketplace refuses an account's calls, or a tenant uses up its hour elsewhere."""
    account, limits = chance.choice(list(accounts())), world.config.limits["stockx"]
    if chance.random() < 0.2:
        world.close(account)
    if chance.random() < 0.1 and (left := usage(world, account).left(limits)):
        assert ledger.reserve_calls(account, limits, Window.at(world.clock.time), left)


def stuck(world: World) -> list[str]:
    """Jobs that wait for an account that is closed for a while, though another asker's is open."""
    open_ = {account for account in accounts() if is_open(world, account)}
    waiting = [job for job in Job.scan() if job.state == "queued" and not job.begun]
    return [
        job.job_id
        for job in waiting
        if is_closed_long(world, job.account)
        and open_ & {keys.account("stockx", one) for one in job.asked_by() - {job.tenant}}
    ]


def live(world: World, chance: Random) -> int:
    """Three tenants ask for the same, while their accounts close and are used up. How many jobs there are."""
    asked, found = 0, list[str]()
    for minute in range(MINUTES):
        if minute % 3 == 0:
            asked += 1
            for tenant in chance.sample(TENANTS, 3):
                world.ask_for(str(asked), tenant, keys.BACKGROUND)
        with world._process("scheduler"):
            close_some(world, chance)
        world.tick()
        while world.queue:
            world.deliver()
        world.tick()
        with world._process("scheduler"):
            found = stuck(world)
        assert not found
        world.check()
        world.advance(MINUTE)
    return asked


@pytest.mark.parametrize("seed", range(12))
def test_shared_work_ends_once_and_never_waits_for_a_closed_account_while_another_is_open(seed: int) -> None:
    with new_world(windows=by_clock(20, 400)) as world:
        asked = live(world, Random(seed))
        world.drain()
        assert world.ends["completed"] == asked
        assert world.ends["dead"] == 0


def test_work_is_moved_on_in_these_histories() -> None:
    """Else the test above would show nothing."""
    moved = 0
    for seed in range(3):
        with new_world(windows=by_clock(20, 400)) as world:
            live(world, Random(seed))
            with world._process("scheduler"):
                moved += sum(entry["event"] == "transfer" for job in Job.scan() for entry in job.history or [])
    assert moved > 3


def test_a_job_is_moved_and_its_calls_are_the_new_accounts() -> None:
    with new_world() as world:
        for tenant in ("acme", "globex"):
            world.ask_for("one", tenant, keys.BACKGROUND)
        with world._process("scheduler"):
            world.close("stockx:acme")
        world.tick()
        world.tick()
        while world.queue:
            world.deliver()
        with world._process("scheduler"):
            [job], used = list(Job.scan()), usage(world, "stockx:acme").hour
        assert (job.state, job.account, used) == ("succeeded", "stockx:globex", 0)
