"""A bad day at the marketplace: whatever comes at random, no job is lost, no limit broken, no call unaccounted for."""

import pytest

from local.sandbox.faults import (
    Disconnect,
    DropField,
    ExpiredToken,
    MalformedJson,
    NullField,
    ServerError,
    Throttle,
)
from local.sandbox.limits import Limits
from sluice.jobs.budgets import ledger
from tests.unit.market.world import World, item

SKUS = ["DD1391-100", "CP9654", "M2002RDA", "DZ5485-410", "DM7866-162", "FV5029-006", "ZZ0000-000"]
TENANTS = ["acme", "bolt", "carl"]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_job_comes_to_its_end(world: World, seed: int) -> None:
    world.connect(*TENANTS)
    world.sandbox.faults.seed = seed
    world.sandbox.set_limits(Limits(interval_ms=600, per_hour=100, per_day=25_000))
    world.sandbox.faults.set(
        ServerError(path="/v2/*", chance=0.08),
        Throttle(path="/v2/*", chance=0.03, retry_after_s=20),
        MalformedJson(path="/v2/*", chance=0.04),
        Disconnect(path="/v2/*", chance=0.03),
        ExpiredToken(path="/v2/*", chance=0.05),
        DropField(path="/v2/*", chance=0.05),
        NullField(path="/v2/*", chance=0.05),
        ServerError(path="/oauth/token", chance=0.2),
    )
    for number, tenant in enumerate(TENANTS):
        sizes = ("8", "8.5", "9", "9.5", "10")[number : number + 3]
        world.ask(*(item(sku, size, priority="hot") for sku in SKUS for size in sizes), tenant=tenant)

    def over() -> bool:
        world.connect(*TENANTS)  # who broke is connected again
        return not {"queued", "leased"} & world.states().keys()

    world.run_until(over, minutes=240)
    assert world.states().keys() <= {"succeeded", "dead"}
    assert world.states()["succeeded"] > world.states()["dead"]
    report = world.sandbox.report()
    assert report.over == 0
    assert len(report.by_fault) >= 5, "a day without trouble shows nothing"
    for tenant in TENANTS:
        used = ledger.read(f"stockx:{tenant}", world.clock.now()).day
        assert used == len(world.calls(account=tenant)), "each call is charged, and nothing else"
    for letter in world.letters():
        assert letter["error"]["code"] in ("product_unknown", "size_unknown") or letter["attempts"] == "5"
