"""Each limit of eBay's over the API, just within and just beyond: 4xx by our field's name, and nothing is changed."""

import json
from typing import Any

import pytest

from sluice.listings.ebay import sellers
from sluice.listings.ebay.sellers import KnownPolicies, Places
from sluice.platform.observe import metrics
from tests.support.ebay_records import document
from tests.support.http import Answer, call
from tests.unit.api.conftest import Cloud
from tests.unit.ebay_listings.test_limits import BEYOND, GROUP, WITHIN, WRONG

LISTINGS = "/v1/ebay/listings"
SKU = "S-1"


@pytest.fixture
def seller(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """`acme` has an eBay account that may sell, and the groups that records name."""
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "test")
    metrics.clear_metrics()
    cloud.connect_seller("acme")
    for key in ("g", "g" * 50):
        said = {name: value for name, value in GROUP.items() if name != "key"}
        assert call("PUT", f"/v1/ebay/groups/{key}", body=said, tenant="acme").status == 202
    return cloud


def put(changes: dict[str, Any], sku: str = SKU) -> Answer:
    said = document(**{"sku": sku, **changes})
    if "sku" in changes:  # a path says it in one way only; a list has it as it is
        return call("PUT", LISTINGS, body={"items": [said]}, tenant="acme")
    return call(
        "PUT",
        f"{LISTINGS}/{sku}",
        body={name: value for name, value in said.items() if name != "sku"},
        tenant="acme",
    )


def _is_so_as_a_patch(changes: dict[str, Any]) -> bool:
    """Whether it is beyond a limit also merged into a good record. A policy is merged with the stored one."""
    return "sku" not in changes and "policies" not in changes


@pytest.mark.parametrize("changes", WITHIN, ids=lambda changes: "-".join(changes))
def test_what_is_just_within_a_limit_is_taken(seller: Cloud, changes: dict[str, Any]) -> None:
    answer = put(changes)
    assert answer.status == 202, answer.text[:500]
    sku = changes.get("sku", SKU)
    stored = call("GET", f"{LISTINGS}/{sku}", tenant="acme").json["record"]
    assert stored["title"]


@pytest.mark.parametrize(("changes", "field", "why"), [*BEYOND, *WRONG])
def test_what_is_just_beyond_a_limit_is_refused_by_its_field_and_changes_nothing(
    seller: Cloud, changes: dict[str, Any], field: str, why: str
) -> None:
    before = seller.content()
    answer = put(changes)
    told = {name.removeprefix("items[0]."): message for name, message in answer.fields.items()}
    assert (answer.status, list(told)) == (400, [field]), answer.text[:500]
    assert why in told[field]
    assert (seller.content(), seller.queued) == (before, [])


@pytest.mark.parametrize(("changes", "field", "why"), [one for one in BEYOND if _is_so_as_a_patch(one[0])])
def test_a_change_that_goes_beyond_a_limit_is_refused_in_the_same_way(
    seller: Cloud, changes: dict[str, Any], field: str, why: str
) -> None:
    assert put({}).status == 202
    before = seller.content()
    answer = call("PATCH", f"{LISTINGS}/{SKU}", body=changes, tenant="acme")
    assert answer.status == 400, answer.text[:500]
    assert field in answer.fields
    assert seller.content() == before


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": "t" * 81}, "title"),
        ({"description": None}, "description"),
        ({"images": [f"https://img.example.com/{number}.jpg" for number in range(25)]}, "images"),
        ({"variesBy": []}, "variesBy"),
        ({"variesBy": list("abcdef")}, "variesBy"),
        ({"imagesVaryBy": ["Color"]}, "imagesVaryBy[0]"),
        ({"language": "de-DE"}, "language"),
        ({"subtitle": "s" * 56}, "subtitle"),
        ({"description": "<script>a</script>"}, "description"),
        ({"title": "a\x00"}, "title"),
    ],
)
def test_a_group_beyond_a_limit_is_refused_in_the_same_way(seller: Cloud, changes: dict[str, Any], field: str) -> None:
    before = seller.content()
    said = {name: value for name, value in {**GROUP, **changes}.items() if name != "key" and value is not None}
    answer = call("PUT", "/v1/ebay/groups/another", body=said, tenant="acme")
    assert (answer.status, list(answer.fields)) == (400, [field]), answer.text[:500]
    assert seller.content() == before


def test_a_group_s_key_has_fifty_characters(seller: Cloud) -> None:
    said = {name: value for name, value in GROUP.items() if name != "key"}
    assert call("PUT", f"/v1/ebay/groups/{'k' * 50}", body=said, tenant="acme").status == 202
    answer = call("PUT", f"/v1/ebay/groups/{'k' * 51}", body=said, tenant="acme")
    assert (answer.status, list(answer.fields)) == (400, ["key"])


@pytest.mark.parametrize("sku", ["a" * 51, "a b", "-", ".."])
def test_a_path_s_sku_that_ebay_does_not_take_is_refused(seller: Cloud, sku: str) -> None:
    before = seller.content()
    answer = put({}, sku=sku.replace(" ", "%20"))
    assert (answer.status, list(answer.fields)) == (400, ["sku"]), answer.text[:500]
    assert seller.content() == before


def test_policies_and_places_that_the_seller_has_not_are_refused_by_our_fields(seller: Cloud) -> None:
    rows = {kind: [{"id": "1", "name": "Std", "digest": "x"}] for kind in ("fulfillment", "payment", "return")}
    sellers.remember("ebay:acme", "EBAY_US", KnownPolicies(rows, seller.now))
    sellers.remember_places("ebay:acme", Places([{"key": "wh-1", "name": "", "enabled": True}], seller.now))
    known = {name: {"name": "Std"} for name in ("fulfillment", "payment", "return")}
    assert put({"policies": known}).status == 202
    before = seller.content()
    answer = put({"policies": {**known, "payment": {"name": "Other"}}, "location": "wh-2"})
    assert (answer.status, sorted(answer.fields)) == (400, ["location", "policies.payment"])
    assert "EBAY_US" in answer.fields["policies.payment"]
    assert seller.content() == before


def test_a_version_that_is_not_the_newest_changes_nothing(seller: Cloud) -> None:
    assert put({}).status == 202
    before = seller.content()
    said = {name: value for name, value in document(quantity=9).items() if name != "sku"}
    for method, sent in (("PUT", said), ("PATCH", {"quantity": 9}), ("DELETE", None)):
        answer = call(method, f"{LISTINGS}/{SKU}", body=sent, tenant="acme", headers={"if-match": '"7"'})
        assert (answer.status, list(answer.fields)) == (412, ["If-Match"]), answer.text
    assert seller.content() == before


def test_a_price_is_refused_as_it_was_written(seller: Cloud) -> None:
    """As JSON writes it: a number of three decimals is one, whatever it is worth."""
    said = json.dumps({name: value for name, value in document(price=None).items() if name != "sku"})
    body = said[:-1] + ', "price": {"amount": 1.500, "currency": "USD"}}'
    answer = call("PUT", f"{LISTINGS}/{SKU}", body=body, content_type="application/json", tenant="acme")
    assert (answer.status, list(answer.fields)) == (400, ["price.amount"]), answer.text
