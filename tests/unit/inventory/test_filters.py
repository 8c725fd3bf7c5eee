"""An inventory is listed by SKU, one way or the other, and by what its items are."""

from typing import Any

import pytest

from tests.support.http import call
from tests.unit.inventory.conftest import Seller

OWNED = (
    {"sku": "DD1391-100", "size": "10", "category": "sneakers"},
    {"sku": "DD1391-100", "size": "9", "category": "sneakers", "marketplaces": ["stockx"]},
    {"sku": "DZ5485-612", "size": "10"},
    {"sku": "FV5029-010", "size": "9.5", "category": "worn"},
)


@pytest.fixture
def owner(seller: Seller) -> Seller:
    """`acme` owns four items."""
    for item in OWNED:
        seller.own(**item)
    return seller


def listed(owner: Seller, **query: Any) -> list[tuple[str, str]]:
    """SKU and size of what is listed, over all pages."""
    found = list[tuple[str, str]]()
    while True:
        page = owner.portfolio(**query)
        found += [(item["sku"], item["size"]) for item in page["items"]]
        if page["next"] is None:
            return found
        query["cursor"] = page["next"]


@pytest.mark.parametrize("limit", [1, 3, 100])
@pytest.mark.parametrize(
    ("query", "skus"),
    [
        ({"sku": "dd1391"}, {("DD1391-100", "9"), ("DD1391-100", "10")}),
        ({"sku": "dd1391 100", "size": "10"}, {("DD1391-100", "10")}),
        ({"size": "10"}, {("DD1391-100", "10"), ("DZ5485-612", "10")}),
        ({"size": "10", "sizeSystem": "US"}, {("DD1391-100", "10"), ("DZ5485-612", "10")}),
        ({"sizeSystem": "eu"}, set()),
        ({"category": "worn"}, {("FV5029-010", "9.5")}),
        ({"marketplace": "alias", "sku": "DD"}, {("DD1391-100", "10")}),
    ],
)
def test_filters_must_all_match_over_pages_too(
    owner: Seller, limit: int, query: dict[str, str], skus: set[tuple[str, str]]
) -> None:
    found = listed(owner, limit=limit, **query)
    assert (set(found), len(found)) == (skus, len(skus))


def test_the_order_can_be_turned_round(owner: Seller) -> None:
    forward = listed(owner)
    assert [sku for sku, _ in forward] == ["DD1391-100", "DD1391-100", "DZ5485-612", "FV5029-010"]
    assert listed(owner, sort="-sku") == forward[::-1]
    assert [sku for sku, _ in listed(owner, sort="-sku", limit=1)] == [sku for sku, _ in forward[::-1]]


@pytest.mark.parametrize(
    "query", [{"sort": "price"}, {"sizeSystem": "moon"}, {"marketplace": "shop"}, {"color": "red"}]
)
def test_an_unknown_filter_or_order_is_refused_by_name(owner: Seller, query: dict[str, str]) -> None:
    answer = call("GET", "/v1/inventory", query=query)
    assert (answer.status, set(answer.fields)) == (400, set(query))
