"""eBay counts calls by application: tenants with keys of their own have their own budgets, those of one share one."""

import json
from collections import Counter

import pytest

from local.sandbox.faults import Throttle
from local.sandbox.limits import Limits
from sluice.jobs.budgets import ledger
from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.accounts.table import Account
from sluice.platform.clock import HOUR, MINUTE, iso
from tests.unit.market.world import ELSEWHERE, NOON, World, item

EBAY = "/buy/*"
TOKEN = "/identity/v1/oauth2/token"


@pytest.fixture
def sellers(acme: World) -> World:
    """`acme` with its own eBay application, `bolt` and `crow` with one that they share."""
    for tenant, application in (("acme", ""), ("bolt", "reseller-tool"), ("crow", "reseller-tool")):
        acme.connect_one(tenant, "ebay", ELSEWHERE["ebay"], application)
    return acme


def ebay(size: str = "10", **more: str) -> dict[str, str]:
    return item(size=size, marketplace="ebay", **more)


def budget(tenant: str) -> str:
    return accounts.budget_of(f"ebay:{tenant}", "ebay")


def test_each_application_is_charged_for_its_own_calls(sellers: World) -> None:
    for tenant, size in (("acme", "9"), ("bolt", "10"), ("crow", "11")):
        sellers.finish(ebay(size), tenant=tenant)
    now = sellers.clock.now()
    assert budget("bolt") == budget("crow") != budget("acme")
    assert [ledger.read(each, now).hour for each in (budget("acme"), budget("bolt"), "ebay")] == [1, 2, 0]


@pytest.mark.parametrize("used_up", ["by 429", "by our own count"])
def test_what_one_application_has_used_up_stops_no_other(sellers: World, used_up: str) -> None:
    """A day's quota that one tenant uses up closed prices for every tenant, for up to 24 hours."""
    if used_up == "by 429":
        sellers.sandbox.set_limits(Limits(per_day=1, retry_after=False), "ebay")
    else:
        sellers.configure(limits={"ebay": {"windows": [{"calls": 1, "per": "day"}]}})
    sellers.finish(ebay("9"), tenant="bolt")
    [bolts] = sellers.finish(ebay("10"), tenant="bolt")
    [crows] = sellers.finish(ebay("10.5"), tenant="crow")
    [acmes] = sellers.finish(ebay("11"), tenant="acme")
    assert (bolts["state"], crows["state"], acmes["state"]) == ("queued", "queued", "succeeded")
    assert {bolts["wait"]["reason"], crows["wait"]["reason"]} == {"closed" if used_up == "by 429" else "no_budget"}
    assert sellers.sandbox.report().over == (1 if used_up == "by 429" else 0)


def test_a_reason_names_nobody_elses_call(sellers: World) -> None:
    sellers.sandbox.set_limits(Limits(per_day=1, retry_after=False), "ebay")
    sellers.finish(ebay("9"), ebay("9.5"), tenant="bolt")
    [job] = sellers.finish(ebay("10"), tenant="crow")
    said = job["wait"]["message"]
    assert said.startswith("the marketplace takes no calls: ebay answered 429 Too Many Requests; the quota begins anew")
    for word in ("bolt", "item_summary", "app.", "client"):
        assert word not in said
    key = budget("crow").rpartition(".")[2]
    assert key not in json.dumps(job)


def test_no_client_id_can_be_read_from_what_is_stored(sellers: World) -> None:
    client_id = sellers.sandbox.connect("acme").client_id
    sellers.finish(ebay(), tenant="acme")
    stored = json.dumps([sellers.store.items(table) for table in ("budgets", "lanes", "jobs", "dead_letters")])
    assert client_id not in stored
    assert client_id not in budget("acme")


def test_a_429_of_the_token_call_is_its_own_accounts(sellers: World) -> None:
    """It closed the searches of everybody until midnight in California."""
    sellers.sandbox.faults.set(Throttle(path=TOKEN, last=1, retry_after_s=600))
    [bolts] = sellers.finish(ebay("9"), tenant="bolt")
    [crows] = sellers.finish(ebay("10"), tenant="crow")
    [acmes] = sellers.finish(ebay("11"), tenant="acme")
    assert (bolts["state"], crows["state"], acmes["state"]) == ("queued", "succeeded", "succeeded")
    assert (bolts["attempts"], bolts["error"]["code"]) == (0, "token_limited")
    assert ledger.read(budget("bolt"), sellers.clock.now()).closed_until == 0
    # The token server said when to come back: nobody asks it before, however much work comes.
    asked = len(sellers.sandbox.requests(path=TOKEN))
    for minute in range(9):
        sellers.clock.time += MINUTE
        sellers.finish(ebay("9", sku=f"SLUICE-0000{minute}"), tenant="bolt")
    assert len(sellers.sandbox.requests(path=TOKEN)) == asked
    sellers.clock.time += 2 * MINUTE
    sellers.run()
    assert sellers.states() == {"succeeded": 12}


def test_jobs_that_wait_while_their_account_is_connected_to_another_application_are_charged_to_that(
    sellers: World,
) -> None:
    sellers.configure(limits={"ebay": {"windows": [{"calls": 1, "per": "hour"}]}})
    sellers.finish(ebay("9"), tenant="bolt")
    [waits] = sellers.finish(ebay("10"), tenant="crow")
    assert waits["wait"]["reason"] == "no_budget"
    before = budget("crow")
    sellers.connect_one("crow", "ebay", ELSEWHERE["ebay"], "own-tool")
    sellers.run()
    assert sellers.job(waits["jobId"], "crow")["state"] == "succeeded"
    now = sellers.clock.now()
    assert (ledger.read(before, now).hour, ledger.read(budget("crow"), now).hour) == (1, 1)


def test_an_account_that_was_connected_before_applications_were_noted_goes_on(sellers: World) -> None:
    """Its first batch is charged to the budget that all had together; the worker that runs it notes the application."""
    application = Account.get("ebay:bolt").application
    Account("ebay:bolt").update([Account.application.remove()])
    assert budget("bolt") == "ebay"
    [job] = sellers.finish(ebay("9"), tenant="bolt")
    assert job["state"] == "succeeded"
    assert ledger.read("ebay", sellers.clock.now()).hour == 1
    assert Account.get("ebay:bolt").application == application
    sellers.finish(ebay("10"), tenant="bolt")
    assert ledger.read(budget("bolt"), sellers.clock.now()).hour == 1


def test_a_pause_of_one_account_holds_its_jobs_and_not_those_of_others_of_its_application(sellers: World) -> None:
    sellers.pause("ebay:bolt")
    [bolts] = sellers.finish(ebay("9"), tenant="bolt")
    [crows] = sellers.finish(ebay("10"), tenant="crow")
    assert (bolts["state"], bolts["wait"]["reason"], crows["state"]) == ("queued", "paused", "succeeded")


def test_the_marketplace_itself_never_counts_one_application_over_its_hour(sellers: World) -> None:
    sellers.configure(limits={"ebay": {"windows": [{"calls": 6, "per": "hour"}]}})
    sellers.sandbox.set_limits(Limits(per_hour=6), "ebay")
    for tenant in ("acme", "bolt", "crow"):
        sellers.enqueue(*(ebay(size) for size in ("8", "9", "10", "11")), tenant=tenant)
        sellers.enqueue(*(ebay(size, sku="CP9654") for size in ("8", "9", "10", "11")), tenant=tenant)
    sellers.run_until(lambda: sellers.states().keys() == {"succeeded"}, minutes=4 * 60)
    assert sellers.sandbox.report().over == 0
    calls = Counter((entry.account, entry.at_ms // HOUR) for entry in sellers.calls() if entry.marketplace == "ebay")
    assert max(calls.values()) <= 6


PRODUCTS = [f"SLUICE-{number:05d}" for number in range(1, 201)]


def test_a_long_queue_of_one_tenant_leaves_the_others_of_its_application_their_turn_within_the_hour(
    sellers: World,
) -> None:
    """200 manual items of one tenant used up the hour of all."""
    sellers.enqueue(*(ebay(sku=sku, priority="manual") for sku in PRODUCTS), tenant="bolt")
    sellers.run()
    had = len([entry for entry in sellers.calls() if entry.marketplace == "ebay"])
    assert had == 150 - 37
    sellers.run()  # the minute has given one or two free
    # What is kept is told to who waits for it.
    waiting = next(
        job
        for sku in PRODUCTS
        if (job := sellers.job(f"market.refresh:ebay:{sku}:us-10:USD", "bolt"))["state"] == "queued"
    )
    assert (waiting["wait"]["reason"], waiting["wait"]["until"]) == ("no_budget", iso(NOON + 45 * MINUTE))
    assert "is kept for others who use it" in waiting["wait"]["message"]
    assert "crow" not in waiting["wait"]["message"]
    crows = sellers.enqueue(*(ebay("9", sku=sku, priority="manual") for sku in PRODUCTS[:20]), tenant="crow")
    sellers.run()
    assert {sellers.job(job_id, "crow")["state"] for job_id in crows} == {"succeeded"}
    # And it is given free, bit by bit: nothing of the hour is wasted.
    while sellers.clock.now() < NOON + HOUR - MINUTE:
        sellers.run()
        sellers.clock.time += MINUTE
    calls = [entry for entry in sellers.calls() if entry.marketplace == "ebay"]
    assert len(calls) == 150
    assert sellers.sandbox.report().over == 0


def test_two_who_wait_from_the_beginning_share_the_hour(sellers: World) -> None:
    sellers.configure(limits={"ebay": {"windows": [{"calls": 20, "per": "hour"}]}})
    for tenant, size in (("bolt", "9"), ("crow", "10")):
        sellers.enqueue(*(ebay(size, sku=sku, priority="manual") for sku in PRODUCTS[:40]), tenant=tenant)
    sellers.run()
    done = Counter(
        tenant
        for tenant, size in (("bolt", "9"), ("crow", "10"))
        for sku in PRODUCTS[:40]
        if sellers.job(f"market.refresh:ebay:{sku}:us-{size}:USD", tenant)["state"] == "succeeded"
    )
    assert done == {"bolt": 10, "crow": 10}
