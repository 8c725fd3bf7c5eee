"""What eBay's categories ask for: read behind the request, kept, and checked as far as it is known."""

from typing import Any

import pytest

from local.sandbox.faults import Forbidden, ServerError
from sluice.jobs.model.job import Job
from sluice.jobs.model.states import SUCCEEDED
from sluice.listings.ebay import kinds
from sluice.listings.ebay.categories import FRESH_MS, Category
from sluice.listings.ebay.documents import document as shown
from sluice.platform.clock import SECOND
from sluice.platform.http import routing
from tests.support.ebay_seller import SKU, TENANT, EbaySeller
from tests.support.ebay_wanted import record, size
from tests.support.http import Answer, call

LACKING: dict[str, Any] = {"aspects": {"Color": ["Red"], "US Shoe Size": ["10"]}}  # Department is required


@pytest.fixture(autouse=True)
def on_the_clock(seller: EbaySeller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routing, "clock", seller.clock)


def put(sku: str = SKU, **changes: Any) -> Answer:
    body = {name: value for name, value in {**shown(record(sku)), **changes}.items() if name != "sku"}
    return call("PUT", f"/v1/ebay/listings/{sku}", body=body, tenant=TENANT)


def reading(category: str = "15709") -> Job:
    return Job.get(kinds.category_id(TENANT, "EBAY_US", category))


def asked(seller: EbaySeller) -> int:
    return len(seller.sandbox.log.entries(marketplace="ebay-taxonomy"))


def learn(seller: EbaySeller) -> None:
    """A record of the category was put before."""
    assert put("FIRST").json["categoryChecked"] is False
    seller.settle()
    assert reading().result == {"outcome": "read"}


def test_the_first_record_of_a_category_is_taken_and_the_category_read(seller: EbaySeller) -> None:
    answer = put()
    assert (answer.status, answer.json["categoryChecked"], asked(seller)) == (202, False, 0)
    seller.settle()
    found = Category.get("EBAY_US", "15709")
    assert found.asks["required"] == ["Brand", "Department", "US Shoe Size"]
    assert "NEW" in found.asks["conditions"]
    assert (len(seller.live()), asked(seller)) == (1, 3)
    again = put(quantity=2)
    assert (again.json["outcome"], again.json["categoryChecked"]) == ("queued", True)
    assert put(quantity=2).json["categoryChecked"] is None
    seller.settle()
    assert asked(seller) == 3


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        (LACKING, "aspects.Department"),
        ({"product": {"mpn": "DZ5485-612"}}, "aspects.Brand"),
        ({"condition": "USED_GOOD"}, "condition"),
        ({"aspects": {"Color": ["Red", "Black"], "Department": ["Men"], "US Shoe Size": ["10"]}}, "aspects.Color"),
    ],
)
def test_what_a_known_category_does_not_take_is_refused(
    seller: EbaySeller, changes: dict[str, Any], field: str
) -> None:
    learn(seller)
    seller.sandbox.log.clear()
    answer = put(**changes)
    assert (answer.status, list(answer.fields)) == (400, [field]), answer.text
    assert "15709" in answer.text or "this category" in answer.text
    many = call("PUT", "/v1/ebay/listings", body={"items": [{**shown(record()), **changes}]}, tenant=TENANT)
    assert (many.status, field in many.text) == (400, True)
    seller.settle()
    assert seller.calls() == []


def test_by_its_publish_a_record_is_checked_before_anything_is_sent(seller: EbaySeller) -> None:
    assert put(**LACKING).status == 202
    seller.tick()
    assert reading().state == SUCCEEDED
    seller.settle()
    told = call("GET", f"/v1/ebay/listings/{SKU}", tenant=TENANT).json
    assert (told["state"], told["error"]["code"]) == ("failed", "category_unfit")
    assert told["error"]["message"].startswith("aspects.Department is required in category 15709")
    assert seller.calls() == []


def test_a_category_with_others_below_it_takes_no_items(seller: EbaySeller) -> None:
    assert put(category="11450").status == 202
    seller.settle()
    assert reading("11450").result == {"outcome": "no_leaf"}
    answer = put(category="11450", quantity=2)
    assert (answer.status, list(answer.fields)) == (400, ["category"])


def test_who_may_not_ask_is_refused_nothing_and_asked_for_nothing_more(seller: EbaySeller) -> None:
    seller.sandbox.faults.set(Forbidden(path="/commerce/taxonomy/*"))
    put()
    seller.settle()
    assert reading().result == {"outcome": "not_allowed"}
    answer = put("OTHER", **LACKING)
    assert (answer.status, answer.json["categoryChecked"]) == (202, False)
    assert asked(seller) == 1
    assert len(seller.live()) == 1


def test_a_category_that_cannot_be_read_now_holds_nothing_up(seller: EbaySeller) -> None:
    seller.sandbox.faults.set(ServerError(path="/commerce/*"))
    put()
    seller.later(30)
    seller.tick()
    assert len(seller.live()) == 1


def test_an_old_answer_is_used_and_read_anew(seller: EbaySeller) -> None:
    learn(seller)
    seller.later(FRESH_MS / SECOND)
    assert list(put(**LACKING).fields) == ["aspects.Department"]
    assert put().json["categoryChecked"] is True
    seller.settle()
    assert asked(seller) == 6


def test_a_size_has_what_its_group_says_for_it(seller: EbaySeller) -> None:
    learn(seller)
    group = {
        "marketplace": "EBAY_US", "language": "en-US", "title": "T", "description": "<p>d</p>", "variesBy":
        ["US Shoe Size"], "images": ["https://shop.example/a.jpg"], "aspects": {"Department": ["Men"]},
    }  # fmt: skip
    assert call("PUT", "/v1/ebay/groups/shoes", body=group, tenant=TENANT).status == 202
    body = {**shown(size("9")), "aspects": {"US Shoe Size": ["9"]}}
    del body["sku"]
    assert call("PUT", "/v1/ebay/listings/J1-9", body=body, tenant=TENANT).json["categoryChecked"] is True
