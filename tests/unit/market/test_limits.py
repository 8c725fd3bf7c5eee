"""The marketplace's limits: what a 429 does, and that no limit is ever exceeded, counted by the marketplace."""

from collections import Counter

import pytest

from local.sandbox.faults import Throttle
from local.sandbox.limits import Limits
from sluice.jobs.run import worker
from sluice.platform.clock import HOUR, MINUTE, SECOND, iso
from tests.unit.market.world import NOON, Json, World, item

STOCKX = Limits(interval_ms=600, per_hour=100, per_day=25_000)
PRODUCTS = [f"SLUICE-{number:05d}" for number in range(1, 60)]
CURRENCIES = ("USD", "EUR", "GBP", "JPY", "CAD", "AUD", "CHF", "HKD", "MXN", "SGD", "NZD", "SEK", "NOK")
SKUS = ["DD1391-100", "CP9654", "M2002RDA", "DZ5485-410", "DM7866-162"]


@pytest.mark.parametrize(("retry_after_s", "closed_for"), [(30, 30 * SECOND), (7200, 2 * HOUR), (None, MINUTE)])
def test_a_429_puts_off_the_job_and_the_rest_of_its_batch_and_uses_up_no_attempt(
    acme: World, retry_after_s: int | None, closed_for: int
) -> None:
    acme.sandbox.faults.set(Throttle(path="/v2/*", first=4, last=4, retry_after_s=retry_after_s))
    job_ids = acme.enqueue(*(item(sku, "9") for sku in SKUS))
    acme.run()
    assert acme.states() == {"succeeded": 1, "queued": 4}
    assert len(acme.calls()) == 4, "nobody may call after a 429"
    waiting = [job for job_id in job_ids if (job := acme.job(job_id))["state"] == "queued"]
    reopens = acme.calls()[-1].at_ms + closed_for
    for job in waiting:
        assert job["attempts"] == 0
        assert (job["wait"]["reason"], job["wait"]["until"]) == ("closed", iso(reopens))
        assert [entry["event"] for entry in job["history"]] == ["snooze"]
    while acme.clock.now() + MINUTE < reopens:
        acme.clock.time += MINUTE
        acme.run()
    assert len(acme.calls()) == 4
    acme.clock.time = reopens
    acme.run_until(lambda: acme.states() == {"succeeded": 5}, minutes=3)
    assert [acme.job(job_id)["attempts"] for job_id in job_ids] == [1] * 5


def test_a_429_closes_the_budget_for_new_work_too(acme: World) -> None:
    acme.sandbox.faults.set(Throttle(path="/v2/*", last=1, retry_after_s=600))
    acme.finish(item())
    [job_id] = acme.enqueue(item("CP9654", priority="manual"))
    acme.run()
    job = acme.job(job_id)
    assert (job["state"], job["wait"]["reason"]) == ("queued", "closed")
    assert "429" in job["wait"]["message"]
    assert len(acme.calls()) == 1


def test_a_429_of_one_account_leaves_the_others_alone(acme: World) -> None:
    acme.connect("bolt")
    acme.sandbox.faults.set(Throttle(path="/v2/*", account="acme", retry_after_s=600))
    [held] = acme.enqueue(item("DD1391-100"))
    [free] = acme.enqueue(item("CP9654"), tenant="bolt")
    acme.run()
    assert acme.job(held)["state"] == "queued"
    assert acme.job(free, "bolt")["state"] == "succeeded"


def test_a_429_is_counted_and_logged_and_what_it_was_charged_stays_charged(acme: World) -> None:
    acme.sandbox.faults.set(Throttle(path="/v2/*", last=1, retry_after_s=60))
    acme.finish(item())
    assert acme.bus.metrics["CallsMade"] == acme.bus.metrics["CallsRefused"] == 1
    assert (acme.bus.metrics["JobsSnoozed"], acme.bus.metrics["JobsFailed"]) == (1, 0)
    assert acme.charged() == 1


def test_a_429_that_nobody_expected_stops_the_threads_that_wait_for_their_slots(
    acme: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "threads", lambda _: 8)
    acme.sandbox.faults.set(Throttle(path="/v2/*", first=3, retry_after_s=60))
    acme.enqueue(*(item(sku, "9") for sku in (*SKUS, *PRODUCTS[:10])))
    acme.run()
    # Calls that had started cannot be taken back; none of the 45 that were planned starts after it.
    assert len(acme.calls()) < 3 + 8
    assert acme.states()["dead"] == 0
    acme.sandbox.faults.clear()
    monkeypatch.setattr(worker, "threads", lambda _: 1)
    acme.clock.time += 2 * MINUTE
    acme.run_until(lambda: acme.states() == {"succeeded": 15}, minutes=10)


def hundreds(world: World, priority: str) -> list[str]:
    """300 refreshes of 24 products that nobody knows yet, each of which needs a call of its own."""
    items = [item(sku, currency=currency, priority=priority) for sku in PRODUCTS[:24] for currency in CURRENCIES][:300]
    return world.enqueue(*items)


def arrivals(world: World) -> Counter[int]:
    """Calls in each clock hour."""
    return Counter(entry.at_ms // HOUR for entry in world.calls())


def test_300_refreshes_never_exceed_100_calls_an_hour_and_use_them_all(acme: World) -> None:
    acme.sandbox.set_limits(STOCKX)
    hundreds(acme, "hot")
    minutes = acme.run_until(lambda: acme.states() == {"succeeded": 300}, minutes=4 * 60)
    hours = arrivals(acme)
    calls = sum(hours.values())
    assert calls == 300 + 2 * 24, "each product is looked up once, each price fetched once"
    assert minutes < 3 * 60 + 5
    assert max(hours.values()) <= 100
    first = NOON // HOUR
    assert all(hours[first + full] >= 99 for full in range(3)), "99 % of the limit, while work is waiting"
    report = acme.sandbox.report()
    assert (report.over, report.duplicates) == (0, 0)
    assert (report.usage["stockx/acme"].smallest_gap_ms or 0) >= 600
    assert acme.letters() == []


def test_background_work_leaves_the_last_fifth_to_manual_and_hot_jobs(acme: World) -> None:
    acme.sandbox.set_limits(STOCKX)
    job_ids = hundreds(acme, "background")
    for _ in range(30):
        acme.run()
        acme.clock.time += MINUTE
    spent = len(acme.calls())
    # The last job begins with what there is, and may need two calls more than that.
    assert 80 <= spent <= 82
    waiting = next(job for job_id in job_ids if (job := acme.job(job_id))["state"] == "queued")
    assert (waiting["wait"]["reason"], waiting["wait"]["until"]) == ("no_budget", iso(NOON + HOUR))
    assert "kept for manual and hot jobs" in waiting["wait"]["message"]
    urgent = acme.finish(item("DD1391-100", priority="manual"), item("CP9654", priority="hot"))
    assert [job["state"] for job in urgent] == ["succeeded"] * 2
    assert len(acme.calls()) == spent + 6


def test_when_all_is_spent_even_a_manual_job_waits_and_is_told_until_when(acme: World) -> None:
    acme.configure(limits={"stockx": {"windows": [{"calls": 3, "per": "hour"}]}})
    acme.finish(item("DD1391-100"))
    [job] = acme.finish(item("CP9654", priority="manual"))
    assert (job["state"], job["wait"]["reason"], job["wait"]["until"]) == ("queued", "no_budget", iso(NOON + HOUR))
    acme.clock.time = NOON + HOUR
    acme.run()
    assert acme.job(job["jobId"])["state"] == "succeeded"
    assert max(arrivals(acme).values()) == 3


def test_a_marketplace_that_is_stricter_than_its_limits_say_is_obeyed(acme: World) -> None:
    """It takes 40 an hour, and tells it only by 429s."""
    acme.sandbox.set_limits(Limits(interval_ms=600, per_hour=40, retry_after=True))
    job_ids = acme.enqueue(*(item(sku, currency=currency) for sku in PRODUCTS[:5] for currency in CURRENCIES[:10]))
    acme.run_until(lambda: acme.states() == {"succeeded": 50}, minutes=2 * 60)
    assert acme.sandbox.report().over == 1
    assert sum(acme.job(job_id)["attempts"] for job_id in job_ids) == 50


def test_urgent_work_goes_first_and_background_is_not_forgotten(acme: World) -> None:
    late = acme.enqueue(item("DD1391-100", "9", priority="background"))
    hot = acme.enqueue(item("CP9654", "9", priority="hot"))
    urgent = acme.enqueue(item("M2002RDA", "9", priority="manual"))
    acme.run()
    finished: list[Json] = [detail for _, detail in acme.bus.events]
    assert [detail["jobId"] for detail in finished] == [*urgent, *hot, *late]


@pytest.mark.parametrize("paused", ["stockx", "stockx:acme"])
def test_a_pause_holds_the_jobs_and_its_end_releases_them(acme: World, paused: str) -> None:
    acme.pause(paused)
    [job_id] = acme.enqueue(item(priority="manual"))
    acme.run()
    assert acme.calls() == []
    waits = acme.job(job_id)["wait"]
    assert (waits["reason"], waits["until"], waits["message"]) == ("paused", None, f"an operator has paused {paused}")
    acme.configure()
    acme.run()
    assert acme.job(job_id)["state"] == "succeeded"
