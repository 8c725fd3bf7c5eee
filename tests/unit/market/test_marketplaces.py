"""One refresh is the same on every marketplace, and costs what that marketplace's calls make of it."""

import json
from collections import Counter

import pytest

from local.sandbox.faults import Throttle
from local.sandbox.limits import Limits
from sluice.jobs.budgets import ledger
from sluice.jobs.run import worker
from sluice.marketplaces import registry
from sluice.marketplaces.accounts import table as accounts
from sluice.platform.clock import HOUR, MINUTE
from sluice.prices import ask
from sluice.prices.kinds import REFRESH
from sluice.prices.table import Price
from sluice_command.golden_set import items
from tests.unit.market.world import Json, World, item

MARKETPLACES = ("stockx", "alias", "ebay")
ALIAS_SIZES = ("8", "8.5", "9", "9.5", "10", "10.5", "11", "11.5", "12")


def calls(world: World, marketplace: str) -> int:
    """How many calls the marketplace counted."""
    return len([entry for entry in world.calls() if entry.marketplace == marketplace])


def test_every_marketplace_of_the_registry_can_do_it() -> None:
    assert REFRESH.marketplaces == registry.MARKETPLACES.keys() == set(MARKETPLACES)


@pytest.mark.parametrize("marketplace", MARKETPLACES)
def test_the_golden_set_is_priced(everywhere: World, marketplace: str) -> None:
    wanted = items(marketplace)
    job_ids = everywhere.enqueue(*wanted)
    everywhere.run_until(
        lambda: all(everywhere.job(job_id)["state"] in ("succeeded", "dead") for job_id in job_ids), 10
    )
    assert [everywhere.job(job_id).get("error") for job_id in job_ids] == [None] * len(wanted)
    for one in wanted:
        asks = everywhere.prices(one["sku"], marketplace=marketplace, size=one["size"], sizeSystem=one["sizeSystem"])
        assert [price["ask"] is not None for price in asks] == [True]
    expected = {"stockx": 3, "alias": 2, "ebay": 1}[marketplace] * len(wanted)
    assert calls(everywhere, marketplace) == expected
    assert everywhere.sandbox.report().over == 0


@pytest.mark.parametrize(("marketplace", "first"), [("stockx", 3), ("alias", 2), ("ebay", 1)])
def test_an_unknown_product_costs_its_look_up_once(everywhere: World, marketplace: str, first: int) -> None:
    everywhere.finish(item(marketplace=marketplace))
    assert calls(everywhere, marketplace) == first == ask.calls_unknown(marketplace)
    everywhere.clock.time += 10 * MINUTE
    everywhere.finish(item(marketplace=marketplace))
    assert calls(everywhere, marketplace) == first + 1


def test_the_three_stand_side_by_side(everywhere: World) -> None:
    everywhere.finish(*(item(marketplace=marketplace) for marketplace in MARKETPLACES))
    prices = everywhere.prices("DD1391-100", size="10", sizeSystem="us", currency="USD")
    assert sorted(price["marketplace"] for price in prices) == sorted(MARKETPLACES)
    more = {price["marketplace"]: set(price["more"]) for price in prices}
    assert more["alias"] == {"last_sale", "global_indicator"}
    assert more["ebay"] == {"median_ask", "asks"}
    bids = {price["marketplace"]: price["bid"] for price in prices}
    assert bids["ebay"] is None


# --- all sizes in one call ---


def test_one_call_answers_every_size(everywhere: World) -> None:
    everywhere.finish(item(marketplace="alias"))
    chart = {row[0] for row in _chart(everywhere)}
    prices = everywhere.prices("DD1391-100", marketplace="alias")
    assert {price["size"] for price in prices} == chart
    assert len({price["observedAt"] for price in prices}) == 1


def _chart(world: World) -> list[list[str]]:
    (product,) = world.store.items("catalog")
    chart: list[list[str]] = json.loads(product["variants"]["S"])
    return chart


@pytest.mark.parametrize("threads", [1, 8])
def test_waiting_jobs_of_other_sizes_spend_no_call(
    everywhere: World, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    monkeypatch.setattr(worker, "threads", lambda _: threads)
    jobs = everywhere.finish(*(item(size=size, marketplace="alias") for size in ALIAS_SIZES))
    assert Counter(job["state"] for job in jobs) == {"succeeded": len(ALIAS_SIZES)}
    assert calls(everywhere, "alias") == 2
    assert Counter(job["result"].get("skipped") for job in jobs) == {None: 1, "fresh": len(ALIAS_SIZES) - 1}
    assert ledger.read("alias:acme", everywhere.clock.now()).hour == 2


def test_ebay_answers_one_size_a_call(everywhere: World) -> None:
    everywhere.finish(*(item(size=size, marketplace="ebay") for size in ("9", "10", "11")))
    assert calls(everywhere, "ebay") == len(everywhere.prices("DD1391-100", marketplace="ebay")) == 3


# --- of all sizes, those that somebody wants ---


def kept(world: World) -> set[str]:
    """The sizes whose price is stored."""
    return {price["size"] for price in world.prices("DD1391-100", marketplace="stockx")}


@pytest.mark.parametrize("threads", [1, 8])
def test_the_sizes_of_one_batch_share_one_call(
    everywhere: World, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    monkeypatch.setattr(worker, "threads", lambda _: threads)
    everywhere.configure(limits={"stockx": {"interval_ms": 0}})  # time stands still for several threads
    everywhere.unlimited()
    jobs = everywhere.finish(*(item(size=size) for size in ("9", "10", "11")), item("CP9654"))
    assert [job["state"] for job in jobs] == ["succeeded"] * 4
    assert Counter(everywhere.routes()) == {"search": 2, "variants": 2, "price": 2}
    assert kept(everywhere) == {"9", "10", "11"}, "and no size that nobody has asked for"


def test_by_whatever_name_they_were_asked_for(everywhere: World) -> None:
    jobs = everywhere.finish(item(size="9"), item(size="44", sizeSystem="eu"), item(size="11.5", sizeSystem="us-w"))
    assert {job["state"] for job in jobs} == {"succeeded"}
    assert (everywhere.routes().count("price"), kept(everywhere)) == (1, {"9", "10"})


def test_a_price_that_was_asked_for_before_is_renewed_by_the_call_for_another_size(everywhere: World) -> None:
    everywhere.finish(item(size="9"))
    everywhere.clock.time += HOUR
    everywhere.finish(item(size="10"))
    assert len({price["observedAt"] for price in everywhere.prices("DD1391-100")}) == 1
    [job] = everywhere.finish(item(size="9"))
    assert job["result"]["skipped"] == "fresh"
    assert everywhere.routes().count("price") == 2


def test_each_currency_is_a_call_of_its_own(everywhere: World) -> None:
    everywhere.finish(*(item(size=size, currency=currency) for size in ("9", "10") for currency in ("USD", "EUR")))
    assert everywhere.routes().count("price") == 2
    assert len(everywhere.prices("DD1391-100")) == 4


def test_no_product_is_cut_in_two_batches(everywhere: World) -> None:
    """Of 35 jobs, 25 would make a batch; but four sizes of the fourth product were in it then."""
    everywhere.unlimited()
    skus, sizes = [f"SLUICE-{number:05d}" for number in range(1, 6)], [f"{size}" for size in range(7, 14)]
    everywhere.enqueue(*(item(sku, size) for sku in skus for size in sizes))
    everywhere.tick()
    batches = [json.loads(message.body)["jobs"] for message in everywhere.bus.work]
    assert [len(jobs) for jobs in batches] == [3 * 7, 2 * 7]
    everywhere.work()
    assert Counter(everywhere.routes()) == {"search": 5, "variants": 5, "price": 5}


def test_a_forced_one_is_not_answered_by_an_earlier_call(everywhere: World) -> None:
    everywhere.finish(item(marketplace="alias"))
    everywhere.clock.time += MINUTE
    jobs = everywhere.finish(item(size="11", marketplace="alias", priority="manual", force=True))
    assert "skipped" not in jobs[0]["result"]
    assert calls(everywhere, "alias") == 3


def test_a_newer_price_of_another_size_stays(everywhere: World) -> None:
    everywhere.finish(item(marketplace="alias"))
    [before] = everywhere.prices("DD1391-100", marketplace="alias", size="11")
    later = everywhere.clock.now() + HOUR
    row = Price.get("DD1391-100", "alias:us-11:USD")
    row.ask, row.observed_at = "1.00", later
    row.save()
    everywhere.clock.time += 10 * MINUTE
    everywhere.finish(item(marketplace="alias"))
    [after] = everywhere.prices("DD1391-100", marketplace="alias", size="11")
    assert (before["ask"], after["ask"]) != ("1.00", before["ask"])
    assert after["ask"] == "1.00"


# --- what is refused, and budgets ---


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"marketplace": "alias", "currency": "EUR"}, "currency"),
        ({"marketplace": "alias", "sizeSystem": "kr"}, "sizeSystem"),
        ({"marketplace": "ebay", "currency": "JPY"}, "currency"),
        ({"marketplace": "ebay", "sizeSystem": "cm"}, "sizeSystem"),
    ],
)
def test_what_a_marketplace_does_not_have_is_refused_at_once(everywhere: World, change: Json, field: str) -> None:
    assert [name.rpartition(".")[2] for name in everywhere.ask(item(**change)).fields] == [field]


def test_a_size_that_alias_does_not_have_ends_the_job(everywhere: World) -> None:
    [job] = everywhere.finish(item(size="44", sizeSystem="eu", marketplace="alias"))
    assert (job["state"], job["error"]["code"]) == ("dead", "size_unknown")
    answer = everywhere.ask(item(size="44", sizeSystem="eu", marketplace="alias"))
    assert "has no sizes in eu" in answer.fields["items[0].size"]


def test_ebay_has_no_chart_and_takes_any_size(everywhere: World) -> None:
    [job] = everywhere.finish(item(size="99", marketplace="ebay"))
    assert (job["state"], job["result"]["ask"]) == ("succeeded", None)
    assert everywhere.store.items("catalog") == []


def test_ebays_daily_quota_closes_it_until_ebay_opens(everywhere: World) -> None:
    everywhere.sandbox.set_limits(Limits(per_day=1, retry_after=False), "ebay")
    everywhere.finish(item(marketplace="ebay"))
    [job] = everywhere.finish(item(size="11", marketplace="ebay"))
    assert job["state"] == "queued"
    usage = ledger.read(accounts.budget_of("ebay:acme", "ebay"), everywhere.clock.now())
    assert usage.closed_until == everywhere.clock.now() - everywhere.clock.now() % (24 * HOUR) + 24 * HOUR
    assert "the quota begins anew at" in usage.closed_reason


def test_alias_is_left_alone_longer_each_time_it_refuses(everywhere: World) -> None:
    everywhere.sandbox.faults.set(Throttle(path="/api/*", last=3))
    [job_id] = everywhere.enqueue(item(marketplace="alias"))
    closed = []
    for _ in range(3):
        everywhere.run()
        usage = ledger.read("alias:acme", everywhere.clock.now())
        closed.append(round((usage.closed_until - usage.closed_at) / MINUTE))
        everywhere.clock.time = usage.closed_until
    assert closed == [1, 2, 4]
    everywhere.run()
    assert everywhere.job(job_id)["state"] == "succeeded"
    assert everywhere.sandbox.report().over == 0
