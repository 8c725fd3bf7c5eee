"""What becomes of a record at eBay, from the job to the stored result."""

from dataclasses import replace
from itertools import pairwise

import pytest

from local.sandbox.ebay.inventory.faults import RefuseListing, StaleRead, WarnListing
from local.sandbox.faults import Disconnect, ServerError
from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.model.states import DEAD, QUEUED, SUCCEEDED
from sluice.listings.ebay import documents, policies, sellers, snapshots, views
from sluice.listings.ebay.desired import Policies, PolicyRef, Price, Status
from sluice.listings.ebay.echo import Echo
from sluice.listings.ebay.facts import Facts
from sluice.platform import aws
from sluice.platform.clock import DAY, HOUR, SECOND, iso
from sluice.platform.days import PACIFIC, Day
from sluice.platform.packing import unpack
from sluice.platform.refused import Refused
from tests.support.ebay_seller import ACCOUNT, SKU, TENANT, EbaySeller
from tests.support.ebay_wanted import IDS, record
from tests.unit.ebay_publish.test_comparing import look

ITEM, OFFER = f"PUT inventory_item/{SKU}", "POST offer"


def published(seller: EbaySeller, **more: object) -> str:
    """A live listing; the calls before are forgotten."""
    seller.put(replace(record(quantity=3), **more))  # type: ignore[arg-type]
    seller.settle()
    [listing] = seller.live()
    seller.sandbox.log.clear()
    return listing.listing_id


def test_a_record_becomes_one_live_listing(seller: EbaySeller) -> None:
    seller.put(record())
    seller.settle()
    [listing] = seller.live()
    found = seller.record()
    [offer] = seller.shop.offers.values()
    assert seller.calls() == [ITEM, OFFER, f"POST offer/{offer.offer_id}/publish"]
    assert (found.listing_id, found.offer_id, found.standing) == (listing.listing_id, offer.offer_id, "live")
    assert (found.published_version, found.is_published) == (1, True)
    assert not found.unsure
    assert not found.run
    assert documents.of_document(unpack(found.published)) == record()
    echo = Echo.of(unpack(found.echo))
    assert echo
    assert echo.standing == "live"
    assert seller.job().result == {
        "outcome": "published",
        "steps": ["item", "offer", "publish"],
        "version": 1,
        "listing_id": listing.listing_id,
    }
    [entry] = seller.log()
    assert (entry.planned, entry.result, entry.attempt) == (["item", "offer", "publish"], "done", 1)
    assert [one["step"] for one in entry.calls] == ["item", "offer", "publish"]
    [snapshot] = snapshots.page(found.listing, 10, None).items
    assert snapshots.read(snapshot) == snapshots.state(record(), IDS)


def test_published_twice_is_one_set_of_calls(seller: EbaySeller) -> None:
    published(seller)
    seller.put(record(quantity=3))
    seller.settle()
    assert seller.calls(reads=True) == []
    assert seller.job().result["outcome"] in ("unchanged", "published")
    assert seller.record().is_published
    assert len(snapshots.page(seller.record().listing, 10, None).items) == 1


def test_five_edits_in_a_row_are_one_publish(seller: EbaySeller) -> None:
    published(seller)
    for amount in ("250", "251", "252", "253", "254"):
        seller.put(record(amount=amount, quantity=3), quick=True)
        seller.later(0.5)
    seller.settle()
    assert seller.calls(reads=True) == ["POST bulk_update_price_quantity"]
    assert seller.shop.offers_of(SKU)[0].body["pricingSummary"]["price"]["value"] == "254.00"


def test_details_change_what_they_must(seller: EbaySeller) -> None:
    published(seller)
    offer_id = seller.record().offer_id
    seller.put(record(quantity=3, title="Another title"))
    seller.settle()
    assert seller.calls() == [ITEM]
    seller.put(record(quantity=3, title="Another title", description="<p>Other</p>"))
    seller.settle()
    assert seller.calls() == [ITEM, f"PUT offer/{offer_id}"]
    assert seller.shop.items[SKU].body["product"]["title"] == "Another title"


def test_paused_ended_and_wanted_again(seller: EbaySeller) -> None:
    first = published(seller)
    seller.put(record(quantity=3, status=Status.PAUSED))
    seller.settle()
    assert seller.record().standing == "out_of_stock"
    assert [one.status for one in seller.shop.listings] == ["OUT_OF_STOCK"]
    seller.put(record(quantity=3))
    seller.settle()
    assert [one.status for one in seller.shop.listings] == ["ACTIVE"]
    seller.put(record(quantity=3, status=Status.ENDED))
    seller.settle()
    assert (seller.live(), seller.record().standing) == ([], "ended")
    seller.put(record(quantity=3))
    seller.settle()
    [second] = seller.live()
    assert second.listing_id != first
    assert seller.record().listing_id == second.listing_id


def test_many_prices_are_few_calls(seller: EbaySeller) -> None:
    skus = [f"SKU-{number}" for number in range(50)]
    for sku in skus:
        seller.put(record(sku))
    seller.settle()
    assert len(seller.live()) == 50
    seller.sandbox.log.clear()
    for sku in skus:
        seller.put(record(sku, amount="199"), quick=True)
    seller.later(5)
    seller.tick()
    assert seller.calls(reads=True) == ["POST bulk_update_price_quantity"] * 2
    assert {offer.body["pricingSummary"]["price"]["value"] for offer in seller.shop.offers.values()} == {"199.00"}
    assert all(seller.record(sku).is_published for sku in skus)


def test_a_row_that_fails_is_tried_alone_and_spoils_no_other(seller: EbaySeller) -> None:
    for sku in ("A", "B", "C"):
        seller.put(record(sku))
    seller.settle()
    seller.sandbox.log.clear()
    seller.sandbox.faults.set(RefuseListing(error_id=25003, call="set_price", sku="B", words="too high"))
    for sku in ("A", "B", "C"):
        seller.put(record(sku, amount="199"), quick=True)
    seller.settle()
    assert seller.calls() == ["POST bulk_update_price_quantity"] * 2
    assert [seller.record(sku).is_published for sku in ("A", "B", "C")] == [True, False, True]
    assert seller.job("B").state == DEAD
    error = seller.record("B").error
    assert (error["code"], error["final"]) == ("25003", True)
    assert "too high" in error["message"]


def test_a_row_that_passes_alone_has_succeeded(seller: EbaySeller) -> None:
    for sku in ("A", "B"):
        seller.put(record(sku))
    seller.settle()
    seller.sandbox.faults.set(RefuseListing(error_id=25709, call="set_price", last=1, sku="B"))
    for sku in ("A", "B"):
        seller.put(record(sku, amount="199"), quick=True)
    seller.settle()
    assert [seller.record(sku).is_published for sku in ("A", "B")] == [True, True]


@pytest.mark.parametrize(
    ("error_id", "attempts", "state"),
    [(25001, 6, DEAD), (25025, 6, DEAD), (25003, 1, DEAD), (25018, 1, DEAD), (25999, 6, DEAD), (25734, 1, DEAD)],
)
def test_each_class_of_error_has_its_attempts(seller: EbaySeller, error_id: int, attempts: int, state: str) -> None:
    seller.sandbox.faults.set(RefuseListing(error_id=error_id, call="put_item"))
    seller.put(record())
    seller.settle()
    assert (seller.job().attempts, seller.job().state) == (attempts, state)
    assert len(seller.log()) == attempts
    assert {entry.error_id for entry in seller.log()} == {str(error_id)}
    seller.sandbox.faults.clear()
    seller.put(record(quantity=2))
    seller.settle()
    assert (len(seller.live()), seller.record().error) == (1, None)


def test_the_pauses_between_attempts_are_at_most_five_minutes(seller: EbaySeller) -> None:
    seller.sandbox.faults.set(ServerError(path="*/inventory_item/*"))
    seller.put(record())
    seller.settle()
    times = [entry.at for entry in seller.log()]
    assert len(times) == 6
    assert max(later - earlier for earlier, later in pairwise(times)) <= 300 * SECOND + 60 * SECOND


@pytest.mark.parametrize("path", ["*/inventory_item/*", "*/offer", "*/publish"])
def test_a_lost_answer_makes_no_second_listing(seller: EbaySeller, path: str) -> None:
    seller.sandbox.faults.set(Disconnect(method="PUT", path=path, last=1), Disconnect(method="POST", path=path, last=1))
    seller.put(record())
    seller.settle()
    assert (len(seller.shop.listings), len(seller.shop.offers), seller.job().state) == (1, 1, SUCCEEDED)
    assert seller.record().listing_id == seller.live()[0].listing_id


def test_a_lost_price_is_sent_again_also_when_the_record_is_as_before(seller: EbaySeller) -> None:
    published(seller)
    seller.sandbox.faults.set(Disconnect(path="*/bulk_update_price_quantity"))
    seller.put(record(amount="1", quantity=3), quick=True)
    seller.later(5)
    seller.tick()
    assert seller.record().unsure == {"groups": ["price"], "listing": False}
    seller.sandbox.faults.clear()
    seller.put(record(quantity=3), quick=True)
    seller.settle()
    assert seller.shop.offers_of(SKU)[0].body["pricingSummary"]["price"]["value"] == "245.00"


def test_a_lost_withdrawal_is_followed_by_a_listing_that_is_live(seller: EbaySeller) -> None:
    published(seller)
    seller.sandbox.faults.set(Disconnect(path="*/withdraw"))
    seller.put(record(quantity=3, status=Status.ENDED))
    seller.later(30)
    seller.tick()
    assert seller.live() == []
    seller.put(record(quantity=3))
    seller.settle()
    assert (len(seller.live()), seller.record().standing) == (1, "live")


def test_what_may_be_published_is_withdrawn_though_an_attempt_in_between_published_nothing(seller: EbaySeller) -> None:
    seller.sandbox.faults.set(Disconnect(method="POST", path="*/publish"))
    seller.put(record())
    seller.later(30)
    seller.tick()
    assert len(seller.live()) == 1
    # Made ready without stock, while nobody can see what became of the publish.
    seller.sandbox.faults.set(ServerError(method="GET", path="*/offer*"))
    seller.put(record(status=Status.PAUSED))
    seller.later(600)
    seller.tick()
    assert seller.record().published
    seller.sandbox.faults.clear()
    seller.put(record(status=Status.ENDED))
    seller.settle()
    assert seller.live() == []


def test_a_listing_that_an_attempt_before_may_have_withdrawn_was_not_ended_by_others(seller: EbaySeller) -> None:
    published(seller)
    seller.sandbox.faults.set(Disconnect(method="POST", path="*/withdraw"))
    seller.put(record(status=Status.ENDED))
    seller.later(30)
    seller.tick()
    assert (seller.live(), seller.record().standing) == ([], "live")
    seller.sandbox.faults.clear()
    seller.put(record(status=Status.PAUSED))
    seller.settle()
    found = seller.record()
    assert found.drift is None
    assert found.standing is None
    seller.put(record())
    seller.settle()
    assert (len(seller.live()), seller.record().standing) == (1, "live")


def test_the_selling_limit_pauses_what_is_new_and_nothing_else(seller: EbaySeller) -> None:
    published(seller)
    seller.shop.selling_limit = 1
    seller.put(record("NEW"))
    seller.later(30)
    seller.tick()
    assert seller.job("NEW").state == QUEUED
    until, reason = sellers.paused(ACCOUNT, seller.clock.time) or (0, "")
    assert until == seller.job("NEW").due_at
    assert "selling limit" in reason.lower()
    seller.sandbox.log.clear()
    seller.put(record("NEWER"))
    seller.put(record(quantity=3, amount="200"), quick=True)
    seller.later(30)
    seller.tick()
    assert seller.calls() == ["POST bulk_update_price_quantity"]
    seller.shop.selling_limit = None
    sellers.resume(ACCOUNT)
    seller.settle()
    assert len(seller.live()) == 3


def test_a_listing_out_of_revisions_waits_for_ebays_day_and_says_so(seller: EbaySeller) -> None:
    published(seller)
    for _ in range(148):
        seller.sandbox.ebay.revise(seller.live()[0], seller.clock.time)
    found = seller.record()
    found.update(
        actions=[
            type(found).revisions.set(150),
            type(found).revision_day.set(Day.at(seller.clock.time, PACIFIC).name),
        ]
    )
    seller.put(record(quantity=3, title="Another title", amount="200"))
    seller.later(30)
    seller.tick()
    assert seller.calls() == ["POST bulk_update_price_quantity"]
    job, opens = seller.job(), Day.at(seller.clock.time, PACIFIC).end
    assert (job.state, job.due_at, job.error["code"]) == (QUEUED, opens, "revisions_used")
    assert "opens again at 2026-11-23T08:00:00.000Z" in job.error["message"]
    found = seller.record()
    assert (found.is_published, found.revised(seller.clock.time)[0]) == (False, 151)
    seller.settle()
    assert seller.calls() == ["POST bulk_update_price_quantity", ITEM]
    assert seller.record().is_published
    assert seller.record().revised(seller.clock.time) == (1, 1)


def test_warnings_are_kept_and_what_ebay_changed_is_told(seller: EbaySeller) -> None:
    seller.sandbox.faults.set(WarnListing(warning_id=25127, value="Red", call="put_item"))
    seller.put(record())
    seller.settle()
    found = seller.record()
    assert [one["code"] for one in found.warnings] == ["25127"]
    assert [(one["class"], one["groups"]) for one in found.drift] == [("by_ebay", ["details"])]
    [snapshot] = snapshots.page(found.listing, 10, None).items
    assert [one["code"] for one in snapshot.warnings] == ["25127"]


def test_a_look_that_is_behind_is_no_measure(seller: EbaySeller) -> None:
    seller.sandbox.faults.set(StaleRead(seconds=600))
    seller.put(record())
    seller.settle()
    found = seller.record()
    assert (found.is_published, found.standing) == (True, "live")
    assert not found.echo


def telling(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Events of what others did, as they are told: name and class."""
    told = list[tuple[str, str]]()
    monkeypatch.setattr(aws, "put_events", lambda events: told.extend((name, one["class"]) for name, one in events))
    return told


def test_a_live_listing_that_is_gone_is_somebodys_decision(seller: EbaySeller, monkeypatch: pytest.MonkeyPatch) -> None:
    told = telling(monkeypatch)
    published(seller)
    offer_id = seller.record().offer_id
    assert offer_id
    seller.sandbox.ebay.end(seller.live()[0])
    del seller.shop.offers[offer_id]
    seller.put(record(quantity=3, amount="200"), quick=True)
    seller.settle()
    assert (seller.live(), seller.job().state, seller.job().error["code"]) == ([], DEAD, "listing_gone")
    look(seller)
    seller.put(record(quantity=3, amount="201"), quick=True)
    seller.settle()
    assert [one["class"] for one in seller.record().drift] == ["missing"]
    assert (told, seller.record().standing) == ([("listing.ended", "missing")], "ended")


def test_a_listing_that_has_ended_is_not_published_again_by_an_edit(
    seller: EbaySeller, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = telling(monkeypatch)
    published(seller)
    seller.sandbox.ebay.end_by_hand(TENANT, SKU, by_ebay=True)
    seller.put(record(quantity=3, title="Another title"))
    seller.settle()
    assert seller.live() == []
    assert (seller.record().standing, [one["class"] for one in seller.record().drift]) == ("ended", ["ended"])
    look(seller)
    assert told == [("listing.ended", "ended")]


def test_what_has_ended_is_sold_again_on_another_site_by_an_offer_of_its_own(seller: EbaySeller) -> None:
    published(seller)
    seller.put(record(quantity=3, status=Status.ENDED))
    seller.settle()
    for kind, rows in seller.shop.policies.items():
        rows.append({**rows[0], "marketplaceId": "EBAY_CA", f"{kind}PolicyId": "7"})
    there = replace(record(), marketplace="EBAY_CA", language="en-CA", policies=Policies(*3 * [PolicyRef(id="7")]))
    seller.put(replace(there, quantity=3, price=Price("300", "CAD")))
    seller.settle()
    [listing], found = seller.live(), seller.record()
    offers = {offer.site: offer for offer in seller.shop.offers.values()}
    assert offers["EBAY_CA"].listing is listing
    assert (found.offer_id, found.listing_id) == (offers["EBAY_CA"].offer_id, listing.listing_id)
    assert found.is_published


def test_policies_by_name_are_read_once_and_cached(seller: EbaySeller) -> None:
    names = Policies(*(PolicyRef(name=f"Usual {kind}") for kind in ("fulfillment", "payment", "return")))
    for sku in ("A", "B"):
        seller.put(record(sku, policies=names))
    seller.settle()
    assert len(seller.live()) == 2
    assert seller.record("A").policy_ids == IDS._asdict()
    assert len(seller.sandbox.log.entries(marketplace="ebay-account")) == 3


def test_a_policy_name_that_there_is_none_of_is_told_by_our_field(seller: EbaySeller) -> None:
    seller.put(record(policies=record().policies._replace(returns=PolicyRef(name="Nonsense"))))
    seller.settle()
    error = seller.record().error
    assert error["code"] == "policy_unknown"
    assert error["message"].startswith("policies.return 'Nonsense' is not one of your policies on EBAY_US")
    assert seller.calls() == []


def test_a_policy_that_changes_is_sent_again_and_one_that_is_gone_is_a_case(seller: EbaySeller) -> None:
    published(seller)
    seller.put(record("OTHER", policies=record().policies._replace(returns=PolicyRef(id="7"))))
    kept = seller.shop.policies
    kept["return"].append({**kept["return"][0], "returnPolicyId": "7", "name": "Special"})
    policies.read_anew(TENANT, "EBAY_US", seller.clock.time, seller.config)
    seller.settle()
    assert len(seller.live()) == 2
    seller.sandbox.log.clear()
    kept["fulfillment"][0]["handlingTime"] = {"value": 3, "unit": "DAY"}
    kept["return"].pop()
    policies.read_anew(TENANT, "EBAY_US", seller.clock.time, seller.config)
    seller.settle()
    assert seller.calls() == [f"PUT offer/{seller.record().offer_id}"]
    events = [one.event for one in snapshots.page(seller.record().listing, 10, None).items]
    assert events == ["policy_change", "publish"]
    assert [(one["class"], one["details"]) for one in seller.record("OTHER").drift] == [("policy_gone", "7")]


def test_a_listing_asks_for_its_ad_once(seller: EbaySeller) -> None:
    listing_id = published(seller, auto_promote=True, ad_rate="5.0")
    job = Job.get(keys.job_id("promotion.create", "ebay", TENANT, listing_id))
    assert (job.payload["rate"], job.payload["asked_by"]) == ("5.0", "ann")
    seller.put(record(quantity=3, amount="200", auto_promote=True, ad_rate="5.0"), quick=True)
    seller.later(5)
    seller.tick()
    assert Job.get(job.job_id).updated_at == job.updated_at
    seller.put(record(quantity=3, amount="200", auto_promote=True, ad_rate="6.5"))
    seller.later(30)
    seller.tick()
    assert Job.get(job.job_id).payload["rate"] == "6.5"
    assert seller.record().is_published


def test_a_quota_that_is_used_up_costs_no_attempt(seller: EbaySeller) -> None:
    from local.sandbox.limits import Limits

    seller.sandbox.quotas.set("ebay-inventory", Limits(per_day=1, retry_after=False, zone="America/Los_Angeles"))
    seller.put(record())
    seller.later(30)
    seller.tick()
    job = seller.job()
    assert (job.state, job.attempts) == (QUEUED, 0)
    seller.clock.time += DAY + HOUR
    seller.sandbox.quotas.set("ebay-inventory", Limits())
    seller.settle()
    assert len(seller.live()) == 1


def test_another_price_is_a_price() -> None:
    assert Price("245", "USD").at_ebay == {"value": "245.00", "currency": "USD"}


def test_a_record_shows_why_it_was_not_published_and_whether_it_is_tried_again(seller: EbaySeller) -> None:
    """As the API shows it, from what the publisher has written."""
    seller.sandbox.faults.set(RefuseListing(error_id=25001, call="publish"))
    seller.put(record())
    seller.later(31)
    seller.tick()
    waiting = views.view(seller.record(), seller.clock.time)
    assert waiting["error"]
    assert (waiting["state"], waiting["error"]["final"]) == ("waiting", False)
    assert waiting["error"]["at"][:19] == iso(seller.clock.time)[:19]
    seller.settle()
    dead = views.view(seller.record(), seller.clock.time)
    assert dead["error"]
    assert (dead["state"], dead["error"]["final"], dead["error"]["code"]) == ("failed", True, "25001")


def test_locations_are_read_once_an_hour_and_one_that_is_gone_is_a_case_told_once(seller: EbaySeller) -> None:
    places = seller.shop.locations
    places["away"] = {**places["home"], "merchantLocationKey": "away"}
    for sku, place in (("A", "home"), ("B", "away")):
        seller.put(record(sku, location=place))
    seller.settle()
    known = sellers.places(ACCOUNT)
    assert known
    assert known.usable == {"home", "away"}
    seller.later(3_000)
    seller.put(record("A", amount="200"), quick=True)
    seller.settle()
    assert sellers.places(ACCOUNT) == known
    places["away"]["merchantLocationStatus"] = "DISABLED"
    for amount in ("201", "202"):
        seller.later(3_700)
        seller.put(record("A", amount=amount), quick=True)
        seller.settle()
    assert [(one["class"], one["details"]) for one in seller.record("B").drift] == [("location_gone", "away")]
    assert not seller.record("A").drift
    with pytest.raises(Refused) as refused:
        Facts(ACCOUNT).check(record(location="away"))
    assert [one.field for one in refused.value.fields] == ["location"]
    Facts(ACCOUNT).check(record())


def test_a_changed_policy_waits_for_the_window_so_that_many_changes_are_one_publish(seller: EbaySeller) -> None:
    seller.put(record())
    seller.settle()
    policies.read_anew(TENANT, "EBAY_US", seller.clock.time, seller.config)
    seller.settle()
    before = len(seller.log())
    for name in ("Slower", "Slowest"):
        seller.shop.policies["return"][0]["name"] = name
        policies.read_anew(TENANT, "EBAY_US", seller.clock.time, seller.config)
        seller.later(5)
        seller.tick()
    seller.settle()
    assert len(seller.log()) == before + 1
    assert [one.event for one in snapshots.page(f"{TENANT}/{SKU}", 1, None)] == ["policy_change"]
