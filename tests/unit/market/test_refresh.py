"""What a refresh costs, finds and stores."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from local.sandbox.catalog import prices
from local.sandbox.catalog.catalog import Catalog
from local.sandbox.catalog.golden import GOLDEN
from local.sandbox.catalog.products import Product
from sluice.catalog.table import key
from sluice.jobs.run import worker
from sluice.marketplaces.skus import normal_sku
from sluice.platform.clock import MINUTE, iso
from tests.support.store import Answer, Request
from tests.unit.market.world import SEED, World, item


def test_an_unknown_product_costs_three_calls_and_a_known_one_costs_one(acme: World) -> None:
    [job] = acme.finish(item("DD1391-100", "10"))
    assert (job["state"], job["attempts"]) == ("succeeded", 1)
    assert acme.routes() == ["search", "variants", "price"]
    catalog = acme.store.items("catalog")
    acme.clock.time += 11 * MINUTE
    acme.finish(item("DD1391-100", "10"))
    acme.finish(item("DD1391-100", "11.5"))
    assert acme.routes()[3:] == ["price", "price"]
    assert acme.store.items("catalog") == catalog
    assert len(acme.prices("DD1391-100")) == 2


def test_calls_that_were_reserved_and_not_made_are_given_back(acme: World) -> None:
    """Ten sizes of a product that nobody knows reserve twelve calls; three are made, the last for all of them."""
    acme.finish(*(item("DD1391-100", f"{size}") for size in range(4, 14)))
    assert acme.charged() == len(acme.calls()) == 3


def test_workers_that_do_several_jobs_at_once_look_a_product_up_once(
    acme: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "threads", lambda _: 8)
    acme.configure(limits={"stockx": {"interval_ms": 0}})
    acme.unlimited()
    jobs = acme.finish(*(item("DD1391-100", f"{size}") for size in range(4, 14)))
    assert {job["state"] for job in jobs} == {"succeeded"}
    assert sorted(acme.routes()) == ["price", "search", "variants"]


def test_a_product_is_looked_up_and_priced_once_though_reads_lag_behind(
    acme: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An eventually consistent read may not show what was written a moment ago."""
    around = acme.store.around
    assert around

    def lagging(request: Request, send: Callable[[], Answer]) -> Answer:
        lags = request.operation == "GetItem" and request.parameters["TableName"].endswith(("-catalog", "-prices"))
        if lags and not request.parameters.get("ConsistentRead"):
            return {}
        return around(request, send)

    monkeypatch.setattr(acme.store, "around", lagging)
    acme.finish(item("DD1391-100", "9"), item("DD1391-100", "10"), item("DD1391-100", "11"))
    assert sorted(acme.routes()) == ["price", "search", "variants"]


def test_a_price_has_all_that_the_marketplace_says(acme: World) -> None:
    acme.finish(item("DD1391-100", "10"))
    product = next(product for product in GOLDEN if product.style_id == "DD1391-100")
    quote = prices.quote(SEED, _variant(product, "10"), acme.calls()[-1].at_ms, "USD")
    [price] = acme.prices("DD1391-100")
    assert price == {
        "sku": "DD1391-100",
        "marketplace": "stockx",
        "size": "10",
        "sizeSystem": "us",
        "sizes": {"us": "10", "us-w": "11.5", "uk": "9", "cm": "28", "kr": "280", "eu": "44"},
        "currency": "USD",
        "ask": str(quote.lowest_ask),
        "bid": str(quote.highest_bid),
        "more": {
            name: str(amount)
            for name, amount in (
                ("sell_faster", quote.sell_faster),
                ("earn_more", quote.earn_more),
                ("flex_lowest_ask", quote.flex_ask),
            )
            if amount is not None
        },
        "observedAt": iso(acme.calls()[-1].at_ms),
    }
    assert Decimal(price["ask"]) > Decimal(price["bid"])


def _variant(product: Product, size: str) -> Any:
    return next(variant for variant in product.variants if variant.size.value == size)


def test_the_job_tells_its_result(acme: World) -> None:
    [job] = acme.finish(item("DD1391-100", "10"))
    [price] = acme.prices("DD1391-100")
    assert job["result"] == {
        "price": "stockx:us-10:USD",
        "ask": price["ask"],
        "bid": price["bid"],
        "observedAt": price["observedAt"],
    }
    assert job["wait"]["reason"] == "final"


def test_each_currency_is_a_price_of_its_own(acme: World) -> None:
    acme.finish(item(currency="USD"), item(currency="EUR"), item(currency="JPY"))
    prices = {price["currency"]: price["ask"] for price in acme.prices("DD1391-100")}
    assert prices.keys() == {"USD", "EUR", "JPY"}
    assert {entry.query["currencyCode"] for entry in acme.calls(path="*/market-data")} == {"USD", "EUR", "JPY"}


def test_the_catalog_has_name_brand_picture_url_key_and_sizes(acme: World) -> None:
    acme.finish(item("DD1391-100"))
    [stored] = acme.store.items("catalog")
    variants = json.loads(stored.pop("variants")["S"])
    values = {name: next(iter(value.values())) for name, value in stored.items()}
    assert values["product"] == "stockx:DD1391-100"
    assert values["name"] == "Nike Dunk Low Retro White Black Panda"
    assert (values["brand"], values["category"]) == ("Nike", "sneakers")
    assert (values["url_key"], values["image"]) == (
        "nike-dunk-low-retro-white-black-panda",
        "/v1/images/sneakers.svg",
    )
    assert len(variants) == 22


@pytest.mark.parametrize("sku", ["DD1391-102", "DD1391", "1391-100"])
def test_a_style_that_search_takes_for_another_gets_no_price(acme: World, sku: str) -> None:
    [job] = acme.finish(item(sku))
    assert Catalog().search(sku), "search must find neighbours, or this shows nothing"
    assert (job["state"], job["error"]["code"]) == ("dead", "product_unknown")
    assert acme.store.items("prices") == []
    assert [set(row) for row in acme.store.items("catalog")] == [{"product", "problems", "expires_at"}]


@pytest.mark.parametrize("sku", ["dd1391-100", "DD1391 100", " DD1391_100 ", "dd1391--100"])
def test_a_style_is_found_however_it_is_spelled(acme: World, sku: str) -> None:
    [job] = acme.finish(item(sku))
    assert job["jobId"] == "market.refresh:stockx:DD1391-100:us-10:USD"
    assert job["state"] == "succeeded"


@pytest.mark.parametrize("sku", ["315115-112", "DD8959-100", "315115-112/DD8959-100"])
def test_a_shoe_that_was_released_twice_is_found_by_either_style(acme: World, sku: str) -> None:
    [job] = acme.finish(item(sku, "8", sizeSystem="us-w"))
    assert job["state"] == "succeeded"
    assert [price["sku"] for price in acme.prices(sku)] == [normal_sku(sku)]


@pytest.mark.parametrize(
    ("sku", "picture"),
    [("SLUICE-CARD-1", "trading-cards"), ("SLUICE-TOY-1", "collectibles")],
)
def test_a_product_without_sizes_is_one_size(acme: World, sku: str, picture: str) -> None:
    [job] = acme.finish(item(sku, "one size"))
    assert job["state"] == "succeeded"
    [price] = acme.prices(sku)
    assert (price["size"], price["sizes"]) == ("ONE SIZE", {"us": "ONE SIZE"})
    assert acme.store.item("catalog", product=key("stockx", sku))["image"]["S"] == f"/v1/images/{picture}.svg"  # type: ignore[index]
    acme.finish(item(sku, "ONE SIZE", force=True, priority="manual"))
    assert acme.routes()[3:] == ["price"]


def test_clothes_are_priced_by_the_name_of_their_size(acme: World) -> None:
    acme.finish(item("SLUICE-TEE-1", "xl"))
    [price] = acme.prices("SLUICE-TEE-1")
    assert price["size"] == "XL"
    assert acme.store.item("catalog", product=key("stockx", "SLUICE-TEE-1"))["image"]["S"] == "/v1/images/default.svg"  # type: ignore[index]


SIZES = [
    ("DD1391-100", "10", "us", "us-10"),
    ("DD1391-100", "10.0", "us", "us-10"),
    ("DD1391-100", "11.5", "us-w", "us-10"),
    ("DD1391-100", "9", "uk", "us-10"),
    ("DD1391-100", "44", "eu", "us-10"),
    ("DD1391-100", "28", "cm", "us-10"),
    ("DD1391-100", "280", "kr", "us-10"),
    ("CP9654", "42 2/3", "eu", "us-9"),
    ("M2002RDA", "8.5", "uk", "us-9"),
    ("DD1503-101", "8", "us-w", "us-w-8"),
    ("DD1503-101", "8w", "us-w", "us-w-8"),
    ("DD1503-101", "6.5", "us", "us-w-8"),
    ("CW1590-100", "5Y", "us", "us-5"),
    ("CW1590-100", "5", "us", "us-5"),
    ("CW1590-100", "37.5", "eu", "us-5"),
]


@pytest.mark.parametrize(("sku", "size", "system", "price"), SIZES)
def test_a_size_is_found_in_every_system_and_stored_under_one_name(
    acme: World, sku: str, size: str, system: str, price: str
) -> None:
    [job] = acme.finish(item(sku, size, sizeSystem=system))
    assert job["result"]["price"] == f"stockx:{price}:USD"
    assert len(acme.prices(sku, size=size, sizeSystem=system)) == 1
    # Asked for again by any name, it is one job.
    [again] = acme.enqueue(item(sku, size, sizeSystem=system))
    assert again == f"market.refresh:stockx:{sku}:{price}:USD"


def test_one_price_that_was_asked_for_by_two_names_is_fetched_once(acme: World) -> None:
    jobs = acme.finish(item("CP9654", "10"), item("CP9654", "44", sizeSystem="eu"))
    assert [job["state"] for job in jobs] == ["succeeded"] * 2
    by_eu, by_us = jobs[1], jobs[0]
    assert by_us["result"] == by_eu["result"] | {"skipped": "fresh"}
    assert acme.routes() == ["search", "variants", "price"]


def test_a_size_that_names_two_is_refused(acme: World) -> None:
    """UK 6 is both EU 39 and EU 40 in Nike's chart, so it names neither."""
    [job] = acme.finish(item("DD1391-100", "6", sizeSystem="uk"))
    assert (job["state"], job["error"]["code"]) == ("dead", "size_unknown")
    refused = acme.ask(item("DD1391-100", "6", sizeSystem="uk"))
    assert refused.status == 400
    assert refused.fields["items[0].size"].startswith("DD1391-100 has no size 6 in uk; it has 3, 3.5, 4")
