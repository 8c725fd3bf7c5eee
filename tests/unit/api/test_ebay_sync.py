"""What a seller's software sees of what happens between its records and eBay, and what it may say to it."""

from collections.abc import Iterator
from typing import Any

import pytest

from local.sandbox.ebay.feed.faults import OddReport
from local.sandbox.ebay.inventory.faults import RefuseListing
from sluice.jobs.model.job import Job
from sluice.listings.ebay import check_api, sellers, shares
from sluice.listings.ebay.desired import FieldGroup, OnDrift, Status
from sluice.listings.ebay.kinds import compare_id
from sluice.listings.ebay.sellers import Places
from sluice.platform import aws
from sluice.platform.clock import DAY, iso
from sluice.platform.config import live
from sluice.platform.config.document import Config
from sluice.platform.config.tenants import Allowances, Tenants
from sluice.platform.http import routing
from tests.support.ebay_seller import ACCOUNT, SKU, TENANT, EbaySeller, open_ebay_seller
from tests.support.ebay_wanted import record
from tests.support.http import call
from tests.support.store import store
from tests.unit.ebay_publish.test_comparing import look
from tests.unit.ebay_publish.test_reports import report


@pytest.fixture
def seller(monkeypatch: pytest.MonkeyPatch) -> Iterator[EbaySeller]:
    monkeypatch.setenv("SCHEDULER_FUNCTION", "scheduler")
    with store(), open_ebay_seller() as seller:
        monkeypatch.setattr(routing, "clock", seller.clock)
        monkeypatch.setattr(aws, "invoke_later", lambda function, event: None)
        yield seller


def get(path: str, query: dict[str, Any] | None = None, tenant: str = TENANT) -> Any:
    answer = call("GET", path, query=query or {}, tenant=tenant)
    assert answer.status == 200, answer.text
    return answer.json


def test_every_attempt_is_shown_newest_first_and_filtered(seller: EbaySeller) -> None:
    seller.put(record())
    seller.settle()
    seller.sandbox.faults.set(RefuseListing(error_id=25003, words="too high"))
    seller.put(record("BAD"))
    seller.settle()
    found = get("/v1/ebay/sync-log")["attempts"]
    assert [(one["sku"], one["result"], one["errorId"]) for one in found] == [
        ("BAD", "failed", "25003"),
        (SKU, "done", None),
    ]
    assert found[0]["calls"] == [{"step": "item", "sku": "BAD", "result": "failed", "status": "400"}]
    assert "too high" in found[0]["said"][0]["message"]
    failed = get("/v1/ebay/listings/BAD")
    assert (failed["state"], failed["error"]["code"], failed["error"]["at"]) == ("failed", "25003", found[0]["at"])
    assert found[1]["planned"] == ["item", "offer", "publish"]
    for query in ({"sku": "BAD"}, {"result": "failed"}, {"errorId": "25003"}):
        assert [one["sku"] for one in get("/v1/ebay/sync-log", query)["attempts"]] == ["BAD"]
    assert get("/v1/ebay/sync-log", {"sku": SKU, "result": "failed"})["attempts"] == []
    assert get("/v1/ebay/sync-log", tenant="globex")["attempts"] == []


@pytest.mark.parametrize("query", [{}, {"sku": SKU}])
def test_the_log_goes_on_page_by_page(seller: EbaySeller, query: dict[str, Any]) -> None:
    for quantity in (1, 2, 3):
        seller.put(record(quantity=quantity))
        seller.settle()
    first = get("/v1/ebay/sync-log", {**query, "limit": 2})
    second = get("/v1/ebay/sync-log", {**query, "limit": 2, "cursor": first["next"]})
    assert [one["version"] for one in (*first["attempts"], *second["attempts"])] == [3, 2, 1]


@pytest.mark.parametrize("about", [{}, {"sku": SKU}])
def test_attempts_are_shown_of_a_time(seller: EbaySeller, about: dict[str, str]) -> None:
    for quantity in (1, 2, 3):
        seller.put(record(quantity=quantity))
        seller.settle()
        seller.later(60)
    first, second, third = (one["at"] for one in reversed(get("/v1/ebay/sync-log", about)["attempts"]))

    def made(**query: Any) -> list[str]:
        return [one["at"] for one in get("/v1/ebay/sync-log", {**about, **query})["attempts"]]

    assert made(**{"from": second}) == [third, second]
    assert made(to=second) == [first]
    assert made(**{"from": second, "to": third}) == [second]
    assert made(to="0001-01-01T00:00:00Z") == []
    page = get("/v1/ebay/sync-log", {**about, "limit": 1})
    assert made(cursor=page["next"], **{"from": third}) == []
    assert made(cursor=page["next"], to=second) == [first]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "today"}, "from"),
        ({"from": "2026-11-29", "to": "2026-11-28"}, "to"),
        ({"result": "lost"}, "result"),
        ({"sku": ""}, "sku"),
        ({"limit": 0}, "limit"),
    ],
)
def test_a_filter_that_is_none_is_refused_by_name(seller: EbaySeller, query: dict[str, Any], field: str) -> None:
    assert seller
    answer = call("GET", "/v1/ebay/sync-log", query=query, tenant=TENANT)
    assert answer.status == 400
    assert field in answer.text


@pytest.mark.parametrize(
    ("path", "said", "field"),
    [
        ("/v1/ebay/listings", {"marketplace": "EBAY_XX"}, "marketplace"),
        ("/v1/ebay/listings", {"group": ""}, "group"),
        ("/v1/ebay/groups", {"marketplace": "ebay_us"}, "marketplace"),
        ("/v1/ebay/listings/check", {"marketplace": "EBAY_XX"}, "marketplace"),
        ("/v1/ebay/listings/check", {"group": ""}, "group"),
    ],
)
def test_a_filter_that_nothing_can_match_is_refused(
    seller: EbaySeller, path: str, said: dict[str, str], field: str
) -> None:
    assert seller
    how: dict[str, Any] = {"body": said} if path.endswith("check") else {"query": said}
    answer = call("POST" if path.endswith("check") else "GET", path, tenant=TENANT, **how)
    assert (answer.status, list(answer.fields)) == (400, [field])


@pytest.mark.parametrize(("said", "price"), [("ours", "245.00"), ("theirs", "1.00"), ("ignore", "1.00")])
def test_an_open_difference_is_decided(seller: EbaySeller, said: str, price: str) -> None:
    seller.put(record(quantity=3, on_drift={**record().on_drift, FieldGroup.PRICE: OnDrift.ASK}))
    seller.settle()
    seller.sandbox.ebay.edit_offer(TENANT, SKU, price="1.00")
    look(seller)
    [row] = seller.record().drift
    path = f"/v1/ebay/cases/{row['case']}"
    assert call("POST", path, body={"answer": said}, tenant="globex").status == 404
    answer = call("POST", path, body={"answer": said}, tenant=TENANT)
    assert answer.status == 200, answer.text
    assert (answer.json["answer"], answer.json["jobId"] is None) == (said, said == "ignore")
    seller.settle()
    assert seller.shop.offers_of(SKU)[0].body["pricingSummary"]["price"]["value"] == price
    assert seller.record().wanted.price.amount == ("1" if said == "theirs" else "245")
    assert look(seller)["drift"] == 0
    assert call("POST", path, body={"answer": said}, tenant=TENANT).status == 404


def test_an_answer_that_makes_a_record_which_cannot_be_is_refused_by_the_field(seller: EbaySeller) -> None:
    seller.put(record(on_drift={**record().on_drift, FieldGroup.PRICE: OnDrift.ASK}))
    seller.settle()
    seller.sandbox.ebay.edit_offer(TENANT, SKU, price="1.00")
    look(seller)
    [row] = seller.record().drift
    sellers.remember_places(ACCOUNT, Places([], seller.clock.time))
    answer = call("POST", f"/v1/ebay/cases/{row['case']}", body={"answer": "theirs"}, tenant=TENANT)
    assert (answer.status, [one["field"] for one in answer.json["error"]["fields"]]) == (400, ["location"])
    assert (seller.record().wanted.price.amount, seller.record().drift) == ("245", [row])


def test_an_answer_that_is_none_is_refused(seller: EbaySeller) -> None:
    assert seller
    answer = call("POST", "/v1/ebay/cases/A.123456789012", body={"answer": "mine"}, tenant=TENANT)
    assert (answer.status, "answer" in answer.text) == (400, True)


def test_policies_are_shown_as_they_were_read_and_read_anew(seller: EbaySeller) -> None:
    assert get("/v1/ebay/policies")["readAt"] is None
    assert call("POST", "/v1/ebay/policies", body={}, tenant=TENANT).status == 202
    seller.tick()
    found = get("/v1/ebay/policies", {"marketplace": "EBAY_US"})
    assert [one["name"] for one in found["returns"]] == ["Usual return"]
    assert found["readAt"]
    assert call("GET", "/v1/ebay/policies", query={"marketplace": "EBAY_XX"}, tenant=TENANT).status == 400


def test_a_pause_is_shown_and_ended(seller: EbaySeller) -> None:
    seller.shop.selling_limit = 0
    seller.put(record())
    seller.later(30)
    seller.tick()
    pause = get("/v1/ebay/account")["pause"]
    assert "selling limit" in pause["reason"].lower()
    assert call("DELETE", "/v1/ebay/account/pause", tenant=TENANT).json["pause"] is None


def test_the_age_of_what_is_known_is_told(seller: EbaySeller) -> None:
    seller.put(record())
    seller.settle()
    assert get("/v1/ebay/account")["meanAgeMs"] is None
    look(seller)
    found = get("/v1/ebay/account")
    assert (found["listings"], found["meanAgeMs"]) == (1, found["roundMs"] // 2)
    assert 0 < found["allowedAgeMs"] <= found["meanAgeMs"]
    assert (found["itemsAgeMs"], found["reportAgeMs"], found["report"]) == (None, None, None)


def test_what_became_of_the_newest_report_is_told(seller: EbaySeller) -> None:
    seller.put(record())
    seller.settle()
    seller.sandbox.faults.set(OddReport(status="FAILED"))
    report(seller)
    failed = get("/v1/ebay/account")["report"]
    assert (failed["outcome"], failed["reason"], failed["madeAt"]) == ("failed", None, None)
    seller.sandbox.faults.set(OddReport(file="csv"))
    report(seller)
    assert "the report" in get("/v1/ebay/account")["report"]["reason"]
    seller.sandbox.faults.clear()
    for _ in range(2):
        seller.later(3_600)
        report(seller)
    found = get("/v1/ebay/account")
    assert (found["report"]["outcome"], found["report"]["reason"]) == ("read", None)
    assert 30 <= found["reportAgeMs"] / 60_000 <= 40


def test_a_listing_is_checked_at_once(seller: EbaySeller) -> None:
    seller.put(record(quantity=5))
    seller.settle()
    seller.sandbox.ebay.sell(TENANT, SKU, 2)
    answer = call("POST", f"/v1/ebay/listings/{SKU}/check", tenant=TENANT)
    assert (answer.status, answer.json) == (202, {"listings": 1, "jobIds": [compare_id(TENANT, [SKU])]})
    seller.tick()
    assert Job.get(compare_id(TENANT, [SKU])).result == {"looked": 1, "unknown": 0, "drift": 1, "round": False}
    assert get(f"/v1/ebay/listings/{SKU}")["record"]["quantity"] == 3


def test_those_that_a_filter_finds_are_checked(seller: EbaySeller) -> None:
    for sku in ("A", "B", "C"):
        seller.put(record(sku, quantity=5, status=Status.PAUSED if sku == "C" else Status.ACTIVE))
    seller.settle()
    seller.put(record("NEW"))
    path, checks = "/v1/ebay/listings/check", {}
    for body in ({"marketplace": "EBAY_US"}, {"status": "active"}, {"skus": ["B", "A", "NEW"]}, {"group": "none"}):
        answer = call("POST", path, body=body, tenant=TENANT)
        assert answer.status == 202, answer.text
        checks[next(iter(body))] = answer.json
    assert {name: one["listings"] for name, one in checks.items()} == {
        "marketplace": 3, "status": 2, "skus": 2, "group": 0,
    }  # fmt: skip
    # The same listings are checked once, however they were named.
    assert checks["status"] == checks["skus"]
    seller.tick()
    assert Job.get(checks["marketplace"]["jobIds"][0]).result["looked"] == 3


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"skus": []}, "skus"),
        ({"skus": ["A B"]}, "skus[0]"),
        ({"skus": [SKU, "none"]}, "skus[1]"),
        ({"skus": [SKU], "status": "active"}, "skus"),
        ({"status": "sold"}, "status"),
    ],
)
def test_a_check_of_nothing_is_refused(seller: EbaySeller, body: dict[str, Any], field: str) -> None:
    seller.put(record())
    answer = call("POST", "/v1/ebay/listings/check", body=body, tenant=TENANT)
    assert (answer.status, list(answer.fields)) == (400, [field]), answer.text
    assert call("POST", "/v1/ebay/listings/none/check", tenant=TENANT).status == 404
    assert call("POST", f"/v1/ebay/listings/{SKU}/check", tenant=TENANT).status == 409
    assert [job.kind for job in Job.scan()] == ["listing.publish"]


def test_checks_are_counted_and_have_an_end(seller: EbaySeller, monkeypatch: pytest.MonkeyPatch) -> None:
    for sku in ("A", "B"):
        seller.put(record(sku))
    seller.settle()
    monkeypatch.setattr(check_api, "MOST", 1)
    answer = call("POST", "/v1/ebay/listings/check", body={"status": "active"}, tenant=TENANT)
    assert (answer.status, "more than 1 listings" in answer.text) == (400, True)
    monkeypatch.setattr(check_api, "MOST", 2)
    few = Config(tenants=Tenants(Allowances(items_per_hour=1)))
    monkeypatch.setattr(live, "current", lambda: few)
    answer = call("POST", "/v1/ebay/listings/check", body={"status": "active"}, tenant=TENANT)
    assert (answer.status, "items_per_hour" in answer.text) == (429, True)


def test_what_is_ready_and_has_no_stock_is_not_called_live(seller: EbaySeller) -> None:
    seller.put(record(quantity=0))
    seller.settle()
    assert (seller.live(), get(f"/v1/ebay/listings/{SKU}")["state"]) == ([], "out_of_stock")


def test_an_operator_sees_how_much_differs_and_which_differences_are_open(seller: EbaySeller) -> None:
    asks = {**record().on_drift, FieldGroup.PRICE: OnDrift.ASK}
    for sku in (SKU, "SKU-2", "SKU-3"):
        seller.put(record(sku, quantity=3, on_drift=asks))
    seller.settle()
    fresh = get("/v1/operator/drift")
    assert (fresh["accounts"][0]["open"], fresh["open"]) == (None, {})
    for sku in (SKU, "SKU-2"):
        seller.sandbox.ebay.edit_offer(TENANT, sku, price="1.00")
    look(seller)
    look(seller)  # what a round finds is counted by the next
    found = get("/v1/operator/drift")
    [account] = found["accounts"]
    assert (account["tenant"], account["listings"], account["open"]) == (TENANT, 3, {"external_only": 2})
    assert (found["open"], account["meanAgeMs"] is not None) == ({"external_only": 2}, True)
    days = get("/v1/ebay/account")["openByDay"]
    assert days[-1] == {"day": iso(seller.clock.now())[:10], "open": {"external_only": 2}}
    rows = get("/v1/operator/drift/cases")["cases"]
    assert [(row["sku"], row["class"], row["groups"]) for row in rows] == [
        (sku, "external_only", ["price"]) for sku in sorted((SKU, "SKU-2"))
    ]
    assert call("POST", f"/v1/ebay/cases/{rows[0]['case']}", body={"answer": "ours"}, tenant=TENANT).status == 200
    seller.settle()
    look(seller)
    assert get("/v1/operator/drift")["open"] == {"external_only": 1}
    everybody = {"tenant": "operations", "roles": "platform"}
    assert call("GET", "/v1/operator/drift", **everybody).json["open"] == {"external_only": 1}
    mine = call("GET", "/v1/operator/drift/cases", query={"tenant": TENANT}, **everybody).json["cases"]
    assert [row["tenant"] for row in mine] == [TENANT]
    assert call("GET", "/v1/operator/drift/cases", **everybody).fields == {
        "tenant": "is needed: cases are shown of one tenant at a time"
    }


def test_another_tenants_differences_are_not_shown(seller: EbaySeller) -> None:
    seller.put(record())
    seller.settle()
    look(seller)
    assert get("/v1/operator/drift", tenant="globex")["accounts"] == []
    assert get("/v1/operator/drift/cases", tenant="globex")["cases"] == []
    for path in ("/v1/operator/drift", "/v1/operator/drift/cases"):
        assert call("GET", path, query={"tenant": TENANT}, tenant="globex").status == 403


def test_differences_are_counted_over_the_slices_of_a_round(
    seller: EbaySeller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "SLICE", 2)
    asks = {**record().on_drift, FieldGroup.PRICE: OnDrift.ASK}
    for number in range(5):
        seller.put(record(f"SKU-{number}", quantity=3, on_drift=asks))
    seller.settle()
    for number in (0, 2, 4):
        seller.sandbox.ebay.edit_offer(TENANT, f"SKU-{number}", price="1.00")
    for _ in range(6):
        look(seller)
    assert get("/v1/operator/drift")["open"] == {"external_only": 3}


def test_how_much_was_open_is_kept_of_each_day_for_thirty_days(seller: EbaySeller) -> None:
    account, now = ACCOUNT, seller.clock.now()
    for ago, open_ in ((45, {"ended": 9}), (29, {"ended": 3}), (1, {"both": 1}), (0, {"both": 2}), (0, {})):
        sellers.note_open(account, open_, now - ago * DAY)
    days = get("/v1/ebay/account")["openByDay"]
    assert [one["open"] for one in days] == [{"ended": 3}, {"both": 1}, {}], "of today the last"
    assert [one["day"] for one in days] == [iso(now - ago * DAY)[:10] for ago in (29, 1, 0)]
