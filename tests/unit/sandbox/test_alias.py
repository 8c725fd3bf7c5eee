"""Alias over HTTP: the catalog, the prices of all sizes, who may ask, and every refusal."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from local.sandbox.catalog.golden import GOLDEN
from local.sandbox.catalog.prices import quote
from local.sandbox.faults import ExpiredToken, NullField, RevokedToken, Throttle
from local.sandbox.limits import Limits
from local.sandbox.server import Sandbox
from tests.unit.sandbox.client import Client, Clock

BASE = "/api/v1"
PRICES = f"{BASE}/pricing_insights/availabilities"
NEW = ("PRODUCT_CONDITION_NEW", "PACKAGING_CONDITION_GOOD_CONDITION")

Get = Callable[..., httpx.Response]


@pytest.fixture
def get(client: Client) -> Get:
    """GET as `tenant-a`."""
    headers = {"authorization": f"Bearer {client.credentials.personal_access_token}"}

    def call(path: str, **query: str) -> httpx.Response:
        return client.http.get(f"{BASE}{path}", params=query, headers=headers)

    return call


def _items(get: Get, query: str, **more: str) -> list[Any]:
    found: list[Any] = get("/catalog", query=query, **more).json()["catalog_items"]
    return found


def _rows(get: Get, sku: str, **query: str) -> list[Any]:
    catalog_id = next(item["catalog_id"] for item in _items(get, sku) if item["sku"] == sku.replace("-", " "))
    found: list[Any] = get(f"/pricing_insights/availabilities/{catalog_id}", **query).json()["variants"]
    return found


@pytest.mark.parametrize("query", ["DD1391 100", "DD1391-100", "dd1391 100"])
def test_a_style_is_found_with_its_neighbours(get: Get, query: str) -> None:
    found = [item["sku"] for item in _items(get, query)]
    assert found[0] == "DD1391 100"
    assert "DD1391 101" in found


@pytest.mark.parametrize("product", GOLDEN, ids=lambda product: product.style_id)
def test_the_golden_set_is_there(get: Get, product: Any) -> None:
    (item,) = (item for item in _items(get, product.style_id) if item["sku"] == product.style_id.replace("-", " "))
    assert get(f"/catalog/{item['catalog_id']}").json() == {"catalog_item": item}
    assert len(item["allowed_sizes"]) == len(product.sizes)


def test_pages_follow_each_other(get: Get) -> None:
    whole, token, paged = _items(get, "DD1391 100"), "", list[Any]()
    while True:
        page = get("/catalog", query="DD1391 100", limit="1", pagination_token=token).json()
        paged += page["catalog_items"]
        token = page["next_pagination_token"]
        assert page["has_more"] == bool(token)
        if not token:
            break
    assert paged == whole
    assert len(whole) > 1


def test_all_sizes_and_conditions_in_one_answer(get: Get) -> None:
    rows = _rows(get, "DD1391-100")
    assert {row["size"] for row in rows} == {0, *(float(size.value) for size in GOLDEN[0].sizes)}
    assert len({(row["product_condition"], row["packaging_condition"]) for row in rows}) == 3
    for row in rows:
        assert all(cents.isdecimal() and int(cents) % 100 == 0 for cents in row["availability"].values())


def test_consigned_is_in_a_row_only_if_it_was_asked_for(get: Get) -> None:
    assert not any("consigned" in row for row in _rows(get, "DD1391-100"))
    for text, value in (("true", True), ("false", False)):
        assert {row["consigned"] for row in _rows(get, "DD1391-100", consigned=text)} == {value}


def test_one_variant_is_as_in_the_list(get: Get) -> None:
    row = next(row for row in _rows(get, "DD1391-100") if row["size"] == 10.5)
    catalog_id = _items(get, "DD1391 100")[0]["catalog_id"]
    condition, box = NEW
    query = {"catalog_id": catalog_id, "size": "10.5", "product_condition": condition, "packaging_condition": box}
    assert get("/pricing_insights/availability", **query).json() == {"availability": row["availability"]}


def test_a_price_is_near_the_other_marketplaces(get: Get, clock: Clock) -> None:
    for variant in GOLDEN[0].variants[3:-3]:
        asked = next(
            int(row["availability"]["lowest_listing_price_cents"]) / 100
            for row in _rows(get, "DD1391-100")
            if row["size"] == float(variant.size.value)
            and (row["product_condition"], row["packaging_condition"]) == NEW
        )
        assert asked == pytest.approx(quote(7, variant, clock.now).lowest_ask, rel=0.1)


def test_things_other_than_sneakers_are_not_sold(get: Get) -> None:
    assert _items(get, "SLUICE-CARD-1") == _items(get, "SLUICE-TEE-1") == []


@pytest.mark.parametrize(
    ("path", "query", "status", "code"),
    [
        ("/catalog", {}, 400, 3),
        ("/catalog", {"query": "x", "limit": "ten"}, 400, 3),
        ("/catalog/nothing", {}, 404, 5),
        ("/catalog/nike-dunk-low-retro-white-black-panda-2", {}, 404, 5),
        ("/catalog/sluice-logo-tee-19", {}, 404, 5),
        ("/pricing_insights/availabilities/nothing", {}, 404, 5),
        ("/pricing_insights/availabilities/nike-dunk-low-retro-white-black-panda-1", {"consigned": "yes"}, 400, 3),
        ("/pricing_insights/availability", {}, 400, 3),
        ("/nowhere", {}, 404, 5),
    ],
)
def test_a_bad_call_is_refused_by_code(get: Get, path: str, query: dict[str, str], status: int, code: int) -> None:
    answer = get(path, **query)
    assert (answer.status_code, answer.json()["code"], answer.json()["details"]) == (status, code, [])
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer made-up", "Basic pat"])
def test_without_a_token_nothing_is_said(client: Client, header: str) -> None:
    answer = client.http.get(f"{BASE}/test", headers={"authorization": header})
    assert (answer.status_code, answer.json()["code"]) == (401, 16)


def test_a_stockx_token_is_none_of_alias(client: Client) -> None:
    assert client.http.get(f"{BASE}/test", headers=client.headers).status_code == 401


def test_a_token_is_good_until_it_is_revoked(get: Get, sandbox: Sandbox) -> None:
    sandbox.world.accounts.expire("tenant-a")
    assert get("/test").json() == {"ok": True}
    sandbox.faults.set(ExpiredToken(last=1))
    assert [get("/test").status_code for _ in range(2)] == [401, 200]
    sandbox.faults.set(RevokedToken(last=1))
    assert [get("/test").status_code for _ in range(2)] == [401, 401]


def test_faults_and_limits_are_those_of_every_marketplace(get: Get, sandbox: Sandbox) -> None:
    sandbox.faults.set(Throttle(last=1), NullField(field="catalog_items"))
    assert get("/catalog", query="x").json()["code"] == 8
    assert get("/catalog", query="x").json()["catalog_items"] is None
    sandbox.faults.clear()
    sandbox.set_limits(Limits(per_hour=4, retry_after=False), "alias")
    answers = [get("/test") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert "retry-after" not in answers[-1].headers
    assert sandbox.report().usage["alias/tenant-a"].over == {"hour": 1}
