"""The catalog API over HTTP: bodies, paging, what may be null, and every refusal."""

import pytest

from local.sandbox import ids
from local.sandbox.catalog.catalog import SYNTHETIC
from local.sandbox.server import Sandbox
from tests.unit.sandbox.client import Client, Clock

PRODUCTS = "/v2/catalog/products"


def _find(client: Client, style_id: str) -> str:
    rows = client.get("/v2/catalog/search", query=style_id, pageSize=50).json()["products"]
    product_id: str = next(row["productId"] for row in rows if row["styleId"] == style_id)
    return product_id


def _variant(client: Client, style_id: str, value: str | None) -> str:
    rows = client.get(f"{PRODUCTS}/{_find(client, style_id)}/variants").json()
    variant_id: str = next(row["variantId"] for row in rows if row["variantValue"] == value)
    return variant_id


def test_the_way_from_a_style_to_a_price(client: Client) -> None:
    product_id = _find(client, "DD1391-100")
    product = client.get(f"{PRODUCTS}/{product_id}").json()
    assert (product["brand"], product["sizeChart"]["defaultConversion"]) == ("Nike", {"name": "US M", "type": "us m"})
    variant_id = _variant(client, "DD1391-100", "10")
    variant = client.get(f"{PRODUCTS}/{product_id}/variants/{variant_id}").json()
    assert {"size": "UK 9", "type": "uk"} in variant["sizeChart"]["availableConversions"]
    market = client.get(f"{PRODUCTS}/{product_id}/variants/{variant_id}/market-data", currencyCode="EUR").json()
    assert (market["variantId"], market["currencyCode"]) == (variant_id, "EUR")
    assert market["lowestAskAmount"].isdecimal()
    assert market["standardMarketData"]["lowestAsk"] == market["lowestAskAmount"]


def test_all_prices_of_a_product_in_one_call(client: Client) -> None:
    product_id = _find(client, "DD1391-100")
    rows = client.get(f"{PRODUCTS}/{product_id}/market-data").json()
    assert len(rows) == len(client.get(f"{PRODUCTS}/{product_id}/variants").json())
    one = client.get(f"{PRODUCTS}/{product_id}/variants/{rows[0]['variantId']}/market-data").json()
    assert one == rows[0]


def test_the_ends_of_a_chart_have_no_ask_at_times(client: Client, clock: Clock) -> None:
    product_id, asks = _find(client, "DD1391-100"), set()
    for _ in range(12):
        asks.add(client.get(f"{PRODUCTS}/{product_id}/market-data").json()[0]["lowestAskAmount"])
        clock.now += 3 * 3_600_000
        client.refresh()
    assert None in asks
    assert len(asks) > 1


def test_things_without_sizes_have_one_variant_and_no_chart(client: Client) -> None:
    product_id = _find(client, "SLUICE-CARD-1")
    assert client.get(f"{PRODUCTS}/{product_id}").json()["sizeChart"]["defaultConversion"] is None
    (row,) = client.get(f"{PRODUCTS}/{product_id}/variants").json()
    assert (row["variantValue"], row["sizeChart"]["availableConversions"]) == (None, [])
    assert client.get(f"{PRODUCTS}/{product_id}/variants/{row['variantId']}").json()["variantValue"] == ""
    assert client.get(f"{PRODUCTS}/{product_id}/market-data").json()[0]["lowestAskAmount"] is not None


def test_a_gtin_gives_the_variant_in_one_call(client: Client) -> None:
    rows = client.get(f"{PRODUCTS}/{_find(client, 'DZ5485-410')}/variants").json()
    gtin = rows[0]["gtins"][0]["identifier"]
    assert client.get(f"{PRODUCTS}/variants/gtins/{gtin}").json() == rows[0]


def test_search_is_paged_one_row_at_a_time_unless_asked(client: Client) -> None:
    first = client.get("/v2/catalog/search", query="DD1391-100").json()
    assert (first["pageSize"], first["pageNumber"], len(first["products"]), first["hasNextPage"]) == (1, 1, 1, True)
    whole = client.get("/v2/catalog/search", query="DD1391-100", pageSize=50).json()
    rows = []
    for page in range(1, whole["count"] + 1):
        part = client.get("/v2/catalog/search", query="DD1391-100", pageSize=2, pageNumber=page).json()
        rows += part["products"]
        assert part["hasNextPage"] == (page * 2 < whole["count"])
    assert rows == whole["products"]
    assert whole["count"] == len(rows) > 2


def test_synthetic_products_are_served_like_the_others(client: Client, sandbox: Sandbox) -> None:
    variant_id = _variant(client, "SLUICE-00777", "10")
    path = f"{PRODUCTS}/{_find(client, 'SLUICE-00777')}/variants/{variant_id}/market-data"
    assert client.get(path).status_code == 200
    assert sandbox.requests(path="*/market-data")[0].route.endswith("/variants/{variant_id}/market-data")


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/v2/catalog/search", {}, 400),
        ("/v2/catalog/search", {"query": "x" * 101}, 400),
        ("/v2/catalog/search", {"query": "x", "pageSize": 51}, 400),
        ("/v2/catalog/search", {"query": "x", "pageSize": 0}, 400),
        ("/v2/catalog/search", {"query": "x", "pageNumber": "two"}, 400),
        ("/v2/catalog/products/{panda}/market-data", {"currencyCode": "XXX"}, 400),
        ("/v2/catalog/products/{panda}/variants/{panda_10}/market-data", {"country": "US"}, 400),
        ("/v2/catalog/products/{panda}/variants/{blue_10}", {}, 400),
        ("/v2/catalog/products/{panda}/variants/{blue_10}/market-data", {}, 400),
        ("/v2/catalog/products/variants/gtins/shoe", {}, 400),
        ("/v2/catalog/products/variants/gtins/194502876062", {}, 404),
        ("/v2/catalog/products/{panda_10}", {}, 404),
        ("/v2/catalog/products/{panda}/variants/{panda}", {}, 404),
        ("/v2/catalog/products/no-such-id/variants", {}, 404),
        ("/v2/catalog/prices", {}, 404),
    ],
)
def test_a_bad_call_is_refused_in_the_marketplaces_words(
    client: Client, path: str, query: dict[str, str | int], status: int
) -> None:
    known = {
        "panda": _find(client, "DD1391-100"),
        "panda_10": _variant(client, "DD1391-100", "10"),
        "blue_10": _variant(client, "DZ5485-410", "10"),
    }
    answer = client.get(path.format(**known), **query)
    assert (answer.status_code, answer.json()["statusCode"]) == (status, status)
    assert isinstance(answer.json()["message"], str)


def test_a_synthetic_product_past_the_last_is_unknown(client: Client) -> None:
    assert client.get(f"{PRODUCTS}/{ids.make('stockx product', SYNTHETIC + 1000)}").status_code == 200
    assert client.get(f"{PRODUCTS}/{ids.make('stockx product', SYNTHETIC + 1001)}").status_code == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"x-api-key": "right"}, 401),
        ({"authorization": "right"}, 401),
        ({"x-api-key": "right", "authorization": "Bearer made-up"}, 401),
        ({"x-api-key": "right", "authorization": "Basic right"}, 401),
        ({"x-api-key": "made-up", "authorization": "right"}, 403),
    ],
)
def test_both_the_key_and_the_token_are_needed(client: Client, headers: dict[str, str], status: int) -> None:
    sent = {name: client.headers[name] if value == "right" else value for name, value in headers.items()}
    answer = client.http.get("/v2/catalog/search", params={"query": "x"}, headers=sent)
    assert (answer.status_code, answer.json()["statusCode"]) == (status, status)
