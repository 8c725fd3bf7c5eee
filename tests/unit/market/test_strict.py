"""A StockX that enforces its documented limit of one call a second strictly, and a network that keeps no distances.

It counts arrivals, refused ones too, in any second (`sliding`) or in each second of the clock (`clock`).
"""

from itertools import pairwise
from random import Random
from typing import Any

import pytest

from local.sandbox.limits import Limits
from sluice.marketplaces.http.transport import Transport
from sluice.platform.clock import DAY, HOUR, MINUTE, SECOND
from sluice.platform.config.document import Config
from tests.unit.market.world import NOON, World, item

SKUS = [f"SLUICE-{number:05d}" for number in range(1, 11)]
CALLS = 3  # a search, the sizes, the price


@pytest.fixture(params=["sliding", "clock"])
def strict(request: pytest.FixtureRequest, acme: World) -> World:
    acme.sandbox.set_limits(Limits(interval_ms=1_000, second=request.param, per_day=25_000, retry_after=False))
    return acme


def jitter(world: World, patch: pytest.MonkeyPatch, most_ms: int, seed: int) -> None:
    """Each call arrives up to `most_ms` after it has started, and its answer takes as long again and 200 ms."""
    chance, exchange = Random(seed), Transport._exchange

    def late(self: Transport, *parts: Any) -> Any:
        world.clock.time += chance.randint(0, most_ms)
        answer = exchange(self, *parts)
        world.clock.time += 200 + chance.randint(0, most_ms)
        return answer

    patch.setattr(Transport, "_exchange", late)


@pytest.mark.parametrize("most_ms", [0, 40, 100])
@pytest.mark.parametrize("seed", [1, 2])
def test_ten_unknown_skus_are_priced_in_the_time_that_their_calls_need(
    strict: World, monkeypatch: pytest.MonkeyPatch, most_ms: int, seed: int
) -> None:
    """None was priced in seven minutes: two calls arrived within a second, and that closed everything for a minute."""
    jitter(strict, monkeypatch, most_ms, seed)
    strict.enqueue(*(item(sku) for sku in SKUS))
    began = strict.clock.now()
    strict.run()
    assert strict.states() == {"succeeded": 10}
    assert strict.sandbox.report().over == 0
    pace = Config().limits["stockx"].pace
    assert strict.clock.now() - began <= 10 * CALLS * pace + 2 * SECOND
    assert pace <= 1_150


@pytest.mark.parametrize("seed", [1, 2])
def test_a_network_that_is_worse_than_its_margin_costs_minutes_and_not_hours(
    strict: World, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    jitter(strict, monkeypatch, 600, seed)
    strict.enqueue(*(item(sku) for sku in SKUS))
    strict.run_until(lambda: strict.states() == {"succeeded": 10}, minutes=15)
    assert strict.sandbox.report().over <= 5, "after some refusals the pace has room for this network"
    assert strict.letters() == []


def test_600_ms_stay_possible_by_configuration(acme: World) -> None:
    acme.sandbox.set_limits(Limits(interval_ms=600))
    acme.configure(limits={"stockx": {"interval_ms": 600, "jitter_ms": 0}})
    acme.finish(*(item(sku) for sku in SKUS))
    report = acme.sandbox.report()
    assert (report.over, acme.states()) == (0, {"succeeded": 10})
    assert 600 <= (report.usage["stockx/acme"].smallest_gap_ms or 0) < 700


def test_when_the_day_is_used_up_the_calls_that_find_it_out_become_rarer(acme: World) -> None:
    """One a minute was made, all day."""
    acme.sandbox.set_limits(Limits(interval_ms=1_000, per_day=3, retry_after=False))
    acme.finish(item(SKUS[0]))
    [job_id] = acme.enqueue(item(SKUS[1]))
    midnight = NOON - NOON % DAY + DAY
    while acme.clock.now() < midnight:
        acme.run()
        acme.clock.time += MINUTE - acme.clock.now() % MINUTE
    refused = [entry.at_ms for entry in acme.calls() if entry.over == "day"]
    # Twelve hours: after 1, 2, 4, 8, 16, 32 minutes, then one an hour.
    assert len(refused) <= 6 + 12
    gaps = [(later - earlier) // MINUTE for earlier, later in pairwise(refused)]
    assert gaps[:5] == [1, 2, 4, 8, 16]
    assert all(gap <= 61 for gap in gaps)
    waits = acme.job(job_id)["wait"]
    assert "calls in a row, and each pause is longer than the one before" in waits["message"]
    assert acme.job(job_id)["attempts"] == 0
    # The new day begins, and with the first answer all is as before.
    acme.run_until(lambda: acme.states() == {"succeeded": 2}, minutes=2)
    acme.sandbox.set_limits(Limits())
    acme.finish(item(SKUS[2]))
    assert acme.clock.now() - midnight < HOUR // 4


def test_why_a_job_waits_tells_of_a_slowed_pace(acme: World) -> None:
    acme.sandbox.set_limits(Limits(interval_ms=1_000, per_day=3, retry_after=False))
    acme.finish(item(SKUS[0]))
    acme.finish(item(SKUS[1]))
    acme.clock.time += 2 * MINUTE
    [job_id] = acme.enqueue(item(SKUS[2]))
    waits = acme.job(job_id)["wait"]
    assert waits["reason"] == "ready"
    assert (
        "calls on stockx:acme are slow, one in 2.2 s instead of 1.1 s, because the marketplace has refused some"
        in (waits["message"])
    )
