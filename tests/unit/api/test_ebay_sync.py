"""What a seller's software sees of what happens between its records and eBay, and what it may say to it."""

from collections.abc import Iterator
from typing import Any

import pytest

from local.sandbox.ebay.inventory.faults import RefuseListing
from sluice.listings.ebay.desired import FieldGroup, OnDrift
from sluice.platform import aws
from sluice.platform.http import routing
from tests.support.ebay_seller import SKU, TENANT, EbaySeller, open_ebay_seller
from tests.support.ebay_wanted import record
from tests.support.http import call
from tests.support.store import store
from tests.unit.ebay_publish.test_comparing import look


@pytest.fixture
def seller(monkeypatch: pytest.MonkeyPatch) -> Iterator[EbaySeller]:
    with store(), open_ebay_seller() as seller:
        monkeypatch.setattr(routing, "clock", seller.clock)
        monkeypatch.setattr(aws, "put_events", lambda events: None)
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
    assert found[0]["calls"] == [{"step": "item", "result": "failed", "status": "400"}]
    assert "too high" in found[0]["said"][0]["message"]
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


@pytest.mark.parametrize(
    ("query", "field"), [({"result": "lost"}, "result"), ({"sku": ""}, "sku"), ({"limit": 0}, "limit")]
)
def test_a_filter_that_is_none_is_refused_by_name(seller: EbaySeller, query: dict[str, Any], field: str) -> None:
    assert seller
    answer = call("GET", "/v1/ebay/sync-log", query=query, tenant=TENANT)
    assert answer.status == 400
    assert field in answer.text


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
