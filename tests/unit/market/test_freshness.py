"""Fresh prices are not fetched again, and only newer ones are written."""

from threading import Thread

import pytest

from local.sandbox.faults import Latency
from local.sandbox.server import Sandbox
from sluice.jobs.budgets import ledger
from sluice.jobs.model.job import Job
from sluice.jobs.queue import cancel
from sluice.platform.clock import MINUTE, SECOND, iso
from sluice.platform.config.document import Config
from sluice.prices import table as prices
from sluice.prices.table import Price
from tests.unit.market.world import World, item


def test_a_fresh_price_costs_no_call_and_no_budget(acme: World) -> None:
    [first] = acme.finish(item())
    before = ledger.read("stockx:acme", acme.clock.now())
    acme.clock.time += 9 * MINUTE
    [job] = acme.finish(item())
    assert (job["state"], job["result"]) == ("succeeded", first["result"] | {"skipped": "fresh"})
    after = ledger.read("stockx:acme", acme.clock.now())
    assert len(acme.calls()) == 3
    assert (after.hour, after.day, after.next_at) == (before.hour, before.day, before.next_at)
    assert acme.charged() == 3


def test_a_price_of_ten_minutes_is_fetched_again(acme: World) -> None:
    acme.finish(item())
    [price] = acme.prices("DD1391-100")
    acme.clock.time += 10 * MINUTE
    [job] = acme.finish(item())
    assert "skipped" not in job["result"]
    assert acme.prices("DD1391-100")[0]["observedAt"] > price["observedAt"]


@pytest.mark.parametrize(("force", "calls"), [(False, 0), (True, 1)])
def test_a_manual_request_fetches_a_fresh_price_only_when_forced(acme: World, force: bool, calls: int) -> None:
    acme.finish(item())
    acme.clock.time += MINUTE
    acme.finish(item(priority="manual", force=force))
    assert acme.routes()[3:] == ["price"] * calls


@pytest.mark.parametrize("priority", ["hot", "background"])
def test_only_a_manual_request_may_force(acme: World, priority: str) -> None:
    answer = acme.ask(item(priority=priority, force=True))
    assert answer.status == 400
    assert answer.fields == {
        "items[0].force": "is for priority manual only; without it a fresh price is not fetched again"
    }


def test_how_long_a_price_is_fresh_is_configured(acme: World) -> None:
    acme.configure(prices={"freshness_ms": 0})
    acme.finish(item())
    acme.finish(item())
    assert acme.routes()[3:] == ["price"]


def test_a_force_that_joins_a_waiting_job_fetches(acme: World) -> None:
    acme.finish(item())
    acme.clock.time += MINUTE
    [job_id] = acme.enqueue(item(priority="background"))
    assert acme.ask(item(priority="manual", force=True)).json["items"][0]["outcome"] == "raised"
    acme.run()
    assert acme.job(job_id)["state"] == "succeeded"
    assert acme.routes()[3:] == ["price"]


def test_a_force_is_for_one_run(acme: World) -> None:
    """Whoever asks without force while the price is fetched is served by that price."""
    acme.finish(item())
    [job_id] = acme.enqueue(item(priority="manual", force=True))
    acme.clock.time += SECOND
    acme.tick()
    assert acme.ask(item()).json["items"][0]["outcome"] == "rerun_requested"
    acme.work()
    assert acme.job(job_id)["state"] == "queued"
    acme.run()
    assert acme.job(job_id)["result"]["skipped"] == "fresh"
    assert acme.routes()[3:] == ["price"]


def test_a_force_that_comes_while_the_price_is_fetched_fetches_once_more(acme: World) -> None:
    acme.finish(item())
    [job_id] = acme.enqueue(item(priority="manual", force=True))
    acme.clock.time += 2 * SECOND
    acme.tick()
    assert acme.ask(item(priority="manual", force=True)).json["items"][0]["outcome"] == "rerun_requested"
    acme.work()  # the call starts in the very millisecond of the second request: not after it
    acme.run()
    assert acme.job(job_id)["state"] == "succeeded"
    assert acme.routes()[3:] == ["price", "price"]


def test_a_force_goes_with_who_wanted_it(acme: World) -> None:
    """`mallory` takes the job over, and goes: `acme` has asked in the background, and has a fresh price."""
    acme.connect("mallory")
    acme.finish(item())
    acme.clock.time += SECOND
    [job_id] = acme.enqueue(item(priority="background"))
    acme.enqueue(item(priority="manual", force=True), tenant="mallory")
    assert Job.get(job_id).tenant == "mallory"
    cancel.cancel(job_id, "mallory", acme.clock.time, Config())
    acme.run()
    assert acme.job(job_id)["result"]["skipped"] == "fresh"
    assert acme.routes()[3:] == []


@pytest.mark.parametrize("forced_by", ["acme", "mallory", None])
def test_a_force_is_not_spent_on_the_account_of_another_who_waits_too(acme: World, forced_by: str | None) -> None:
    """Both ask as manual, `acme` goes, and `mallory` pays. None: an earlier version has queued it."""
    acme.connect("mallory")
    acme.finish(item())
    acme.clock.time += SECOND
    [job_id] = acme.enqueue(item(priority="manual", force=True))
    acme.enqueue(item(priority="manual"), tenant="mallory")
    cancel.cancel(job_id, "acme", acme.clock.time, Config())
    payload = Job.get(job_id).payload
    assert payload.pop("forced_by") == "acme"
    if forced_by == "mallory":
        acme.enqueue(item(priority="manual", force=True), tenant="mallory")
        assert Job.get(job_id).payload["forced_by"] == "mallory"
    elif forced_by is None:
        Job(job_id).update(actions=[Job.payload.set(payload)])
    assert "force" in acme.job(job_id, "mallory")["payload"]
    assert "forcedBy" not in acme.job(job_id, "mallory")["payload"], "it might name another tenant"
    acme.run()
    assert Job.get(job_id).tenant == "mallory"
    assert acme.routes()[3:] == ([] if forced_by == "acme" else ["price"])


def price(observed_at: int, ask: str) -> Price:
    return Price(
        sku="DD1391-100",
        price="stockx:us-10:USD",
        marketplace="stockx",
        size="10",
        size_system="us",
        sizes={"us": "10"},
        currency="USD",
        ask=ask,
        bid=None,
        more={},
        observed_at=observed_at,
    )


def test_only_a_newer_price_is_written(world: World) -> None:
    now = world.clock.now()
    assert prices.store(price(now, "100")) is True
    assert prices.store(price(now - 1, "90")) is False
    assert prices.store(price(now, "80")) is False
    assert [found["ask"] for found in world.prices("DD1391-100")] == ["100"]
    assert prices.store(price(now + 1, "110")) is True
    assert [found["ask"] for found in world.prices("DD1391-100")] == ["110"]


@pytest.mark.parametrize("kind_of_sandbox", [Sandbox], ids=["served"])
def test_a_late_older_answer_does_not_replace_a_newer_price(acme: World) -> None:
    """Two sellers ask for one price by different names, before its product is known: two jobs, two workers."""
    acme.connect("bolt")
    [slow_id] = acme.enqueue(item("CP9654", "10"))
    [fast_id] = acme.enqueue(item("CP9654", "44", sizeSystem="eu"), tenant="bolt")
    acme.tick()
    slow, fast = sorted(acme.bus.work, key=lambda message: '"account":"stockx:acme"' not in message.body)
    acme.sandbox.faults.set(Latency(path="*/market-data", account="acme", delay_ms=600_000))
    worker = Thread(target=acme.deliver, args=(slow,))
    worker.start()
    acme.sandbox.wait_for(4)  # its token, search, variants, and the price, which is answered late
    asked_at = acme.clock.now()
    acme.clock.time += 2 * MINUTE
    acme.deliver(fast)
    acme.clock.time += SECOND
    [newer] = acme.prices("CP9654")
    acme.sandbox.faults.clear()
    worker.join()
    assert acme.job(slow_id)["result"]["skipped"] == "older"
    assert acme.job(slow_id)["result"]["observedAt"] == iso(asked_at)
    assert "skipped" not in acme.job(fast_id, "bolt")["result"]
    assert acme.prices("CP9654") == [newer]
