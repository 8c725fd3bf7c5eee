"""Groups over the API: several sizes as one listing, from the request to what buyers see."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from local.sandbox.ebay.inventory.faults import RefuseListing
from local.sandbox.faults import Disconnect, Forbidden
from sluice.jobs.model.job import Job
from sluice.listings.ebay import members
from sluice.listings.ebay.documents import document as shown
from sluice.platform.http import routing
from tests.support.ebay_seller import TENANT, EbaySeller, open_ebay_seller
from tests.support.ebay_wanted import size
from tests.support.http import Answer, call
from tests.support.store import store
from tests.unit.ebay_publish.test_comparing import look

GROUP: dict[str, Any] = {
    "marketplace": "EBAY_US", "language": "en-US", "title": "Air Jordan 1 in several sizes",
    "description": "<p>New in box.</p>", "images": ["https://shop.example/a.jpg"], "variesBy": ["US Shoe Size"],
}  # fmt: skip
PATH = "/v1/ebay/groups/shoes"


@pytest.fixture
def seller(monkeypatch: pytest.MonkeyPatch) -> Iterator[EbaySeller]:
    with store(), open_ebay_seller() as seller:
        monkeypatch.setattr(routing, "clock", seller.clock)
        yield seller


def put(path: str = PATH, version: int | None = None, **changes: Any) -> Answer:
    body = {name: value for name, value in {**GROUP, **changes}.items() if value is not None}
    headers = {} if version is None else {"if-match": f'"{version}"'}
    return call("PUT", path, body=body, tenant=TENANT, headers=headers)


def put_size(number: str, group: str | None = "shoes", **changes: Any) -> Answer:
    said = {**shown(size(number)), "group": group, **changes}
    if group is None:
        said["description"] = "<p>New in box.</p>"
    body = {name: value for name, value in said.items() if value is not None and name != "sku"}
    return call("PUT", f"/v1/ebay/listings/J1-{number}", body=body, tenant=TENANT)


def get(path: str = PATH) -> Any:
    answer = call("GET", path, tenant=TENANT)
    assert answer.status == 200, answer.text
    return answer.json


def published(seller: EbaySeller) -> str:
    """A group of two sizes that is for sale; its listing."""
    assert put().status == 202
    for number in ("9", "10"):
        assert put_size(number).status == 202
    seller.settle()
    [listing] = seller.live()
    return listing.listing_id


def test_several_sizes_are_put_as_one_listing(seller: EbaySeller) -> None:
    answer = put()
    job = f"listing.publish:ebay:{TENANT}%23groups:shoes"
    assert (answer.status, answer.json) == (202, {"key": "shoes", "outcome": "queued", "version": 1, "jobId": job})
    assert [put_size(number).json["jobId"] for number in ("9", "10")] == [job, job]
    assert [one.job_id for one in Job.scan() if one.kind == "listing.publish"] == [job]
    seller.settle()
    [listing] = seller.live()
    found = get()
    assert (found["state"], found["listingId"], found["memberCount"]) == ("live", listing.listing_id, 2)
    assert [(one["sku"], one["state"], one["varies"], one["price"]["amount"]) for one in found["members"]] == [
        ("J1-10", "live", {"US Shoe Size": "10"}, "245"),
        ("J1-9", "live", {"US Shoe Size": "9"}, "245"),
    ]
    assert get("/v1/ebay/listings/J1-9")["listingId"] == listing.listing_id
    assert [one["key"] for one in get("/v1/ebay/groups")["groups"]] == ["shoes"]
    assert put().json["outcome"] == "unchanged"
    assert put_size("9").json["outcome"] == "unchanged"


def test_the_same_sizes_apart_are_listings_of_their_own(seller: EbaySeller) -> None:
    for number in ("9", "10"):
        assert put_size(number, None).status == 202
    seller.settle()
    assert len(seller.live()) == 2


def test_a_group_changes_by_what_is_named_and_by_version(seller: EbaySeller) -> None:
    first = published(seller)
    answer = call("PATCH", PATH, body={"title": "Another title"}, tenant=TENANT, headers={"If-Match": '"1"'})
    assert (answer.status, answer.json["version"]) == (202, 2)
    assert put(version=1).status == 412
    assert call("PATCH", PATH, body={}, tenant=TENANT).status == 400
    seller.sandbox.log.clear()
    seller.settle()
    assert seller.calls() == ["PUT inventory_item_group/shoes"]
    assert [one.listing_id for one in seller.live()] == [first]
    assert seller.shop.groups["shoes"]["title"] == "Another title"
    history = get(f"{PATH}/history")["history"]
    assert (history[0]["version"], history[0]["fields"]) == (2, ["/title"])
    assert [one["number"] for one in get(f"{PATH}/snapshots")["snapshots"]] == [2, 1]
    difference = call("GET", f"{PATH}/snapshots/diff", query={"before": 1, "after": 2}, tenant=TENANT).json
    assert list(difference["changes"]) == ["/title"]
    assert get(f"{PATH}/snapshots/1")["state"]["title"] == GROUP["title"]
    assert call("POST", f"{PATH}/snapshots", tenant=TENANT).json["sameAs"] == 2


def test_a_group_is_paused_and_sold_again_as_the_same_listing(seller: EbaySeller) -> None:
    first = published(seller)
    put(status="paused")
    seller.settle()
    assert {seller.shop.quantity(one) for one in seller.shop.offers.values()} == {0}
    assert get()["state"] == "paused"
    put()
    seller.settle()
    assert [one.listing_id for one in seller.live()] == [first]
    assert {seller.shop.quantity(one) for one in seller.shop.offers.values()} == {1}


def test_a_group_that_is_deleted_ends_and_lets_its_sizes_go(seller: EbaySeller) -> None:
    published(seller)
    assert put_size("9", None).fields == {
        "group": "cannot change while the listing of group shoes is published; end the group first"
    }
    assert call("DELETE", PATH, tenant=TENANT).json["outcome"] == "queued"
    seller.settle()
    assert (seller.live(), get()["state"], seller.shop.groups) == ([], "archived", {})
    assert {one["state"] for one in get("/v1/ebay/listings")["listings"]} == {"ended"}
    assert get("/v1/ebay/groups")["groups"] == []
    # Each is put alone now.
    assert put_size("9", quantity=2).fields == {"group": "there is no group shoes; put it first"}
    assert put_size("9", None).status == 202
    seller.settle()
    [listing] = seller.live()
    assert get("/v1/ebay/listings/J1-9")["listingId"] == listing.listing_id


def test_a_deleted_group_comes_back_with_its_sizes(seller: EbaySeller) -> None:
    first = published(seller)
    call("DELETE", PATH, tenant=TENANT)
    seller.settle()
    assert put().json["outcome"] == "queued"
    seller.settle()
    [second] = seller.live()
    assert second.listing_id != first
    assert {one["state"] for one in get()["members"]} == {"live"}


def test_a_size_that_is_deleted_stays_at_ebay_with_nothing_to_buy(seller: EbaySeller) -> None:
    first = published(seller)
    seller.sandbox.ebay.sell(TENANT, "J1-9")
    assert call("DELETE", "/v1/ebay/listings/J1-9", tenant=TENANT).status == 202
    seller.settle()
    assert [one.listing_id for one in seller.live()] == [first]
    assert seller.shop.quantity(seller.shop.offers_of("J1-9")[0]) == 0
    assert [one["sku"] for one in get()["members"]] == ["J1-10"]
    assert get()["error"] is None


def test_a_dry_run_of_a_group_says_each_call_and_does_nothing(seller: EbaySeller) -> None:
    put()
    for number in ("9", "10"):
        put_size(number)
    answer = call("POST", f"{PATH}/dry-run", body={}, tenant=TENANT)
    assert answer.status == 200, answer.text
    planned = [f"{one['method']} {one['path'].removeprefix('/sell/inventory/v1/')}" for one in answer.json["calls"]]
    assert seller.calls() == []
    seller.settle()
    assert [one.replace("offer/{offerId}", "offer") for one in planned] == seller.calls()
    again = call("POST", f"{PATH}/dry-run", body={"record": {**GROUP, "title": "T"}}, tenant=TENANT).json
    assert ([one["step"] for one in again["calls"]], again["costs"]) == (["group"], 1)
    alone = call("POST", "/v1/ebay/listings/J1-9/dry-run", body={}, tenant=TENANT)
    assert (alone.status, f"{PATH}/dry-run" in alone.text) == (409, True)


def test_a_dry_run_of_a_live_group_says_each_call_with_its_body(seller: EbaySeller) -> None:
    published(seller)
    call("DELETE", "/v1/ebay/listings/J1-9", tenant=TENANT)
    seller.settle()
    put_size("11", quantity=2)
    put_size("10", title="Another title")
    told = call("POST", f"{PATH}/dry-run", body={}, tenant=TENANT).json
    assert [one["step"] for one in told["calls"]] == ["item", "item", "offer", "group", "check", "publish"]
    assert told["calls"][4]["path"] == "/sell/inventory/v1/offer?sku=J1-10"
    sent = list[tuple[str, str, Any]]()

    def before(request: httpx.Request) -> None:
        sent.append((request.method, request.url.raw_path.decode(), json.loads(request.content or "{}")))

    seller.wire.before = before
    seller.settle()
    planned = [(one["method"], one["path"], one["body"]) for one in told["calls"]]
    assert [one for one in sent if "/sell/inventory/" in one[1]][: len(planned)] == planned


def test_a_dry_run_shows_the_policies_of_a_size_that_has_ended_and_may_be_for_sale(seller: EbaySeller) -> None:
    seller.sandbox.faults.set(Disconnect(method="POST", path="*/publish_by_*", last=1))
    put()
    for number in ("9", "10"):
        put_size(number)
    seller.later(31)
    seller.tick()
    assert len(seller.live()) == 1
    put_size("9", status="ended")
    told = call("POST", f"{PATH}/dry-run", body={}, tenant=TENANT).json
    offers = [one["body"]["listingPolicies"] for one in told["calls"] if one["step"] == "offer"]
    seller.settle()
    assert offers == [seller.shop.offers_of(f"J1-{number}")[0].body["listingPolicies"] for number in ("10", "9")]


def test_the_attempts_of_a_group_are_found_by_its_key_and_name_each_call(seller: EbaySeller) -> None:
    published(seller)
    seller.sandbox.faults.set(RefuseListing(error_id=25003, call="publish_group", sku="shoes", last=1))
    put_size("11")
    seller.settle()
    failed, done = call("GET", "/v1/ebay/sync-log", query={"group": "shoes"}, tenant=TENANT).json["attempts"]
    assert [(one["group"], one["result"]) for one in (failed, done)] == [("shoes", "failed"), ("shoes", "done")]
    assert failed["planned"] == ["item J1-11", "offer J1-11", "group", "check", "publish"]
    assert [(one["step"], one["sku"], one["result"], one["status"]) for one in failed["calls"]] == [
        ("item", "J1-11", "done", None),
        ("offer", "J1-11", "done", None),
        ("group", None, "done", None),
        ("check", None, "done", None),
        ("publish", None, "failed", "400"),
    ]
    of_size = call("GET", "/v1/ebay/sync-log", query={"sku": "J1-9"}, tenant=TENANT).json["attempts"]
    assert [(one["group"], {row["sku"] for row in one["calls"]}) for one in of_size] == [(None, {"J1-9"})]
    assert call("GET", "/v1/ebay/sync-log", query={"group": "boots"}, tenant=TENANT).json["attempts"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [({"sku": "shoes"}, "sku"), ({"sku": "J1-9", "group": "shoes"}, "group"), ({"group": ""}, "group")],
)
def test_a_filter_that_can_find_nothing_is_refused(seller: EbaySeller, query: dict[str, str], field: str) -> None:
    published(seller)
    answer = call("GET", "/v1/ebay/sync-log", query=query, tenant=TENANT)
    assert (answer.status, list(answer.fields)) == (400, [field])


def test_a_dry_run_of_what_has_ended_at_ebay_says_so(seller: EbaySeller) -> None:
    published(seller)
    seller.sandbox.ebay.end_by_hand(TENANT, "J1-9")
    look(seller)
    put_size("11")
    answer = call("POST", f"{PATH}/dry-run", body={}, tenant=TENANT)
    assert (answer.status, "the listing of J1-10 has ended at eBay" in answer.text) == (409, True)
    ended = call("POST", f"{PATH}/dry-run", body={"record": {**GROUP, "status": "ended"}}, tenant=TENANT)
    assert [one["step"] for one in ended.json["calls"]] == ["withdraw", "withdraw"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": "t" * 81}, "title"),
        ({"title": None}, "title"),
        ({"title": "a\x00b"}, "title"),
        ({"subtitle": "s" * 56}, "subtitle"),
        ({"description": None}, "description"),
        ({"description": "<script>a</script>"}, "description"),
        ({"images": []}, "images"),
        ({"images": ["http://shop.example/a.jpg"]}, "images[0]"),
        ({"images": [f"https://shop.example/{n}.jpg" for n in range(25)]}, "images"),
        ({"variesBy": []}, "variesBy"),
        ({"variesBy": list("abcdef")}, "variesBy"),
        ({"imagesVaryBy": ["Color"]}, "imagesVaryBy[0]"),
        ({"aspects": {"US Shoe Size": ["9"]}}, "aspects.US Shoe Size"),
        ({"marketplace": "EBAY_XX"}, "marketplace"),
        ({"language": "de-DE"}, "language"),
        ({"status": "sold"}, "status"),
        ({"key": "other"}, "key"),
        ({"price": {"amount": "1", "currency": "USD"}}, "price"),
    ],
)
def test_a_group_that_ebay_would_not_take_is_refused(seller: EbaySeller, changes: dict[str, Any], field: str) -> None:
    answer = put(**changes)
    assert (answer.status, list(answer.fields)) == (400, [field]), answer.text
    assert list(Job.scan()) == []
    assert call("GET", PATH, tenant=TENANT).status == 404
    assert seller.calls() == []


def test_limits_of_a_groups_key(seller: EbaySeller) -> None:
    assert seller
    assert put(f"/v1/ebay/groups/{'g' * 50}").status == 202
    assert list(put(f"/v1/ebay/groups/{'g' * 51}").fields) == ["key"]
    assert list(put("/v1/ebay/groups/a%20b").fields) == ["key"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"group": "none"}, "group"),
        ({"aspects": {"Color": ["Red"]}}, "aspects.US Shoe Size"),
        ({"aspects": {"US Shoe Size": ["9", "10"]}}, "aspects.US Shoe Size"),
        ({"aspects": {"US Shoe Size": ["10"]}}, "aspects.US Shoe Size"),
        ({"marketplace": "EBAY_GB", "language": "en-GB", "price": {"amount": "1", "currency": "GBP"}}, "group"),
        ({"bestOffer": {}}, "bestOffer"),
        ({"images": [f"https://shop.example/{n}.jpg" for n in range(13)]}, "images"),
    ],
)
def test_a_size_that_does_not_fit_its_group_is_refused(seller: EbaySeller, changes: dict[str, Any], field: str) -> None:
    put()
    put_size("10")
    answer = put_size("9", **changes)
    assert (answer.status, list(answer.fields)) == (400, [field]), answer.text
    assert [one["sku"] for one in get()["members"]] == ["J1-10"]
    assert seller.calls() == []


def test_a_group_has_an_end(seller: EbaySeller, monkeypatch: pytest.MonkeyPatch) -> None:
    assert seller
    monkeypatch.setattr(members, "MOST_MEMBERS", 2)
    put()
    assert [put_size(number).status for number in ("9", "10", "11")] == [202, 202, 400]
    assert put_size("9", quantity=2).status == 202


def test_a_size_that_comes_back_finds_its_place_taken(seller: EbaySeller) -> None:
    assert seller
    put()
    assert put_size("9").status == 202
    assert call("DELETE", "/v1/ebay/listings/J1-9", tenant=TENANT).status == 202
    other = {**shown(size("9")), "group": "shoes"}
    body = {name: value for name, value in other.items() if name != "sku"}
    assert call("PUT", "/v1/ebay/listings/OTHER-9", body=body, tenant=TENANT).status == 202
    answer = put_size("9")
    assert (answer.status, list(answer.fields)) == (400, ["aspects.US Shoe Size"]), answer.text
    assert "OTHER-9" in answer.fields["aspects.US Shoe Size"]


def test_what_a_group_differs_in_must_tell_its_sizes_apart(seller: EbaySeller) -> None:
    assert seller
    put()
    for number in ("9", "10"):
        put_size(number)
    assert put(variesBy=["Width"]).fields == {"variesBy[0]": "is no aspect with one value of its member J1-10"}
    assert put(variesBy=["Color"]).fields == {"variesBy": "does not tell its members J1-10 and J1-9 apart"}
    assert put(marketplace="EBAY_GB", language="en-GB").status == 409


def test_a_listing_of_its_own_cannot_join_while_it_is_live(seller: EbaySeller) -> None:
    put()
    put_size("9", None)
    seller.settle()
    assert (put_size("9").status, list(put_size("9").fields)) == (409, ["group"])


def test_a_listing_that_joins_before_it_is_published_is_published_once(seller: EbaySeller) -> None:
    put_size("9", None)
    put()
    assert put_size("9").status == 202
    seller.settle()
    assert len(seller.live()) == 1
    assert seller.shop.groups["shoes"]["variantSKUs"] == ["J1-9"]


def test_what_ebay_refuses_stands_on_the_group_and_in_the_log(seller: EbaySeller) -> None:
    seller.sandbox.faults.set(RefuseListing(error_id=25003, call="create_offer", sku="J1-9"))
    put()
    put_size("9")
    seller.settle()
    found = get()
    assert (found["state"], found["error"]["code"], found["members"][0]["state"]) == ("failed", "25003", "waiting")
    log = call("GET", "/v1/ebay/sync-log", query={"result": "failed"}, tenant=TENANT).json["attempts"]
    assert [(one["sku"], one["errorId"]) for one in log] == [("shoes", "25003")]


def test_a_size_that_ebay_leaves_out_is_told_though_the_group_is_live(seller: EbaySeller) -> None:
    # What the category is cannot be asked, so only eBay knows that there is none of this number.
    seller.sandbox.faults.set(Forbidden(path="/commerce/taxonomy/*"))
    published(seller)
    assert put_size("11", category="999999").status == 202
    seller.settle()
    sizes = {one["sku"]: one for one in get()["members"]}
    assert (sizes["J1-11"]["state"], sizes["J1-11"]["error"]["code"]) == ("failed", "left_out")
    assert sizes["J1-10"]["state"] == "live"
    put_size("11")
    seller.settle()
    assert {one["state"] for one in get()["members"]} == {"live"}
    assert len(seller.live()) == 1


def test_a_group_whose_listing_has_ended_is_not_published_again_by_an_edit(seller: EbaySeller) -> None:
    first = published(seller)
    seller.sandbox.ebay.end_by_hand(TENANT, "J1-9", by_ebay=True)
    assert look(seller)["drift"] == 2
    put_size("9", quantity=3)
    seller.settle()
    assert (seller.live(), get()["error"]["code"]) == ([], "listing_gone")
    [row] = get("/v1/ebay/listings/J1-9")["openDrift"]
    assert call("POST", f"/v1/ebay/cases/{row['case']}", body={"answer": "ours"}, tenant=TENANT).status == 200
    seller.settle()
    [second] = seller.live()
    assert second.listing_id != first
    assert {(one["state"], one["drift"]) for one in get()["members"]} == {("live", 0)}


def test_drift_of_a_size_is_mended_by_the_group(seller: EbaySeller) -> None:
    first = published(seller)
    seller.sandbox.ebay.edit_offer(TENANT, "J1-9", price="1.00")
    assert look(seller)["drift"] == 1
    seller.settle()
    assert [one.listing_id for one in seller.live()] == [first]
    assert seller.shop.offers_of("J1-9")[0].body["pricingSummary"]["price"]["value"] == "245.00"
