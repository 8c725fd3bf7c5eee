"""Stored prices are shown a page at a time: whoever has asked for many sizes hides and slows nothing of others."""

from typing import Any

import pytest

from sluice.marketplaces import skus
from sluice.platform.clock import iso
from sluice.prices import table as prices
from sluice.prices.table import Price
from sluice_command import asking
from sluice_command.api import Api
from tests.support.http import call
from tests.support.wire import api_of
from tests.unit.api.conftest import Cloud

SKU = "DD1391-100"
PATH = "/v1/market/prices"


def price(marketplace: str, size: str, system: str, at: int, sku: str = SKU, apart: str = "") -> Price:
    name = prices.key(marketplace, size, system, "USD", apart)
    made = Price(skus.key(sku), name, marketplace=marketplace, size=size, size_system=system, currency="USD")
    made.sizes, made.more, made.observed_at, made.ask = {system: size}, {}, at, "150"
    return made


def put(marketplace: str, size: str, system: str, at: int) -> str:
    made = price(marketplace, size, system, at)
    assert prices.store(made)
    return str(made.price)


def flood(now: int, made_up: int) -> set[str]:
    """Prices of a shoe at three marketplaces, and of sizes that somebody made up where any is taken."""
    real = {put(name, size, "us", now) for name in ("alias", "ebay", "stockx") for size in ("9", "10", "11")}
    others = [price("ebay", f"A{number:04}", "own", now) for number in range(made_up)]
    with Price.batch_write() as batch:
        for one in others:
            batch.save(one)
    return real | {str(one.price) for one in others}


@pytest.fixture
def flooded(cloud: Cloud) -> set[str]:
    """More prices of a shoe than a page shows."""
    return flood(cloud.now, 1_000)


def pages(**query: Any) -> list[list[str]]:
    """The names of the prices on each page, until there is no next one."""
    found, cursor = list[list[str]](), dict[str, str]()
    while True:
        answer = call("GET", PATH, query={"sku": SKU, **query, **cursor})
        assert answer.status == 200, answer.text
        found.append([_name(one) for one in answer.json["prices"]])
        if answer.json["next"] is None:
            return found
        cursor = {"cursor": answer.json["next"]}


def _name(one: dict[str, Any]) -> str:
    return prices.key(one["marketplace"], one["size"], one["sizeSystem"], one["currency"])


def test_made_up_sizes_stand_behind_those_of_size_charts(flooded: set[str]) -> None:
    first, *_ = pages()
    assert len(first) == 500
    charted = [f"{name}:us-{size}:USD" for name in ("alias", "stockx") for size in ("9", "10", "11")]
    assert [name for name in first if not name.startswith("ebay:")] == charted


@pytest.mark.parametrize(("limit", "made_up"), [("500", 1_000), ("499", 1_000), ("7", 50), ("6", 50), ("3", 50)])
def test_the_pages_together_have_each_price_once(cloud: Cloud, limit: str, made_up: int) -> None:
    there = flood(cloud.now, made_up)
    found = [name for page in pages(limit=limit) for name in page]
    assert len(found) == len(there)
    assert set(found) == there


def test_a_size_is_found_among_them(flooded: set[str]) -> None:
    found = [name for page in pages(size="10") for name in page]
    assert sorted(found) == [f"{name}:us-10:USD" for name in ("alias", "ebay", "stockx")]


def test_the_command_finds_a_size_behind_them(flooded: set[str]) -> None:
    """Each page may be empty, and not the last."""
    with Api("https://api.example", "token", api_of("acme")) as api:
        [found] = asking.stored(api, {"sku": SKU, "marketplace": "ebay", "size": "10", "sizeSystem": "us"})
    assert _name(found) == "ebay:us-10:USD"


@pytest.mark.parametrize("marketplace", ["alias", "ebay"])
def test_one_marketplace_alone_has_pages_too(flooded: set[str], marketplace: str) -> None:
    found = {
        name for page in pages(marketplace=marketplace, limit="2" if marketplace == "alias" else "400") for name in page
    }
    assert found == {name for name in flooded if name.startswith(f"{marketplace}:")}


def test_a_cursor_of_another_marketplace_is_refused(flooded: set[str]) -> None:
    cursor = call("GET", PATH, query={"sku": SKU, "marketplace": "ebay", "limit": "2"}).json["next"]
    answer = call("GET", PATH, query={"sku": SKU, "marketplace": "alias", "cursor": cursor})
    assert (answer.status, answer.json["error"]["fields"][0]["field"]) == (400, "cursor")


def test_an_older_spelling_of_a_size_gives_way_to_the_newer_price(cloud: Cloud) -> None:
    put("ebay", "5Y", "us", cloud.now)
    put("ebay", "5", "us-y", cloud.now + 1)
    [[shown]] = pages()
    assert shown.endswith("5:USD")
    [one] = call("GET", PATH, query={"sku": SKU}).json["prices"]
    assert one["observedAt"] > "2020"


@pytest.mark.parametrize("limit", ["1", "2", "3", "500"])
def test_an_older_spelling_gives_way_also_on_another_page(cloud: Cloud, limit: str) -> None:
    """Else a client that reads all pages, and keeps the last price of each size, keeps the old one."""
    put("ebay", "5Y", "us", cloud.now)
    put("ebay", "5", "us", cloud.now + 1)
    put("stockx", "10.50", "us", cloud.now)
    put("stockx", "10.5", "us", cloud.now + 1)
    put("stockx", "11.0", "us", cloud.now)
    found = [one for page in pages(limit=limit) for one in page]
    assert sorted(found) == ["ebay:us-5:USD", "stockx:us-10.5:USD", "stockx:us-11:USD"]
    shown = call("GET", PATH, query={"sku": SKU}).json["prices"]
    assert {one["observedAt"] for one in shown if one["size"] != "11"} == {iso(cloud.now + 1)}


@pytest.mark.parametrize("limit", ["1", "2", "500"])
@pytest.mark.parametrize("newer", ["", "CP-9654"])
def test_of_the_prices_of_all_spellings_and_of_one_the_newer_is_shown_on_whatever_page(
    cloud: Cloud, newer: str, limit: str
) -> None:
    for size in ("10", "11"):
        for apart in ("", "CP-9654"):
            assert prices.store(price("ebay", size, "us", cloud.now + (apart == newer), "CP-9654", apart))
    first = call("GET", PATH, query={"sku": "CP-9654", "limit": limit}).json
    found, answer = first["prices"], first
    while answer["next"]:
        answer = call("GET", PATH, query={"sku": "CP-9654", "limit": limit, "cursor": answer["next"]}).json
        found += answer["prices"]
    assert [(one["size"], one["observedAt"]) for one in found] == [(size, iso(cloud.now + 1)) for size in ("10", "11")]


def test_what_is_spelt_as_today_is_looked_for_nowhere_else(flooded: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Price, "batch_get", lambda *_: pytest.fail("it was looked for"))
    assert sum(map(len, pages())) == len(flooded)
