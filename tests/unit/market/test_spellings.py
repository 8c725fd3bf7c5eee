"""However a style is written, it is one job, one price, one product and one item, shown as the product has it."""

import pytest

from sluice.catalog.table import Product
from sluice.platform.clock import MINUTE
from tests.support.http import call
from tests.unit.market.world import World, item

# As it is asked for, once so and once otherwise; how the product has it, and the key of both.
SPELLINGS = [
    ("DD1391100", "DD1391-100", "DD1391-100", "DD1391-100"),
    ("dd1391 100", "DD_1391100", "DD1391-100", "DD1391-100"),
    ("CP-9654", "CP9654", "CP9654", "CP9654"),
    ("SLUICE-CARD-1", "sluice card-1", "SLUICE-CARD-1", "SLUICECARD1"),
    ("315115-112/DD8959-100", "DD8959100/315115112", "315115-112/DD8959-100", "315115-112/DD8959-100"),
]


def priced(sku: str, marketplace: str = "stockx", size: str = "10") -> dict[str, str]:
    """What is asked for: a card has no size."""
    size = "ONE SIZE" if "card" in sku.lower() else "us-w 8" if "/" in sku else size
    name, _, number = size.rpartition(" ") if size.startswith("us-w") else ("us", "", size)
    return item(sku, number, sizeSystem=name, marketplace=marketplace)


@pytest.mark.parametrize(("one", "other", "style", "key"), SPELLINGS)
def test_two_spellings_asked_for_at_once_are_one_job_and_one_price(
    acme: World, one: str, other: str, style: str, key: str
) -> None:
    answer = acme.ask(priced(one), priced(other)).json
    [job_id] = {row["jobId"] for row in answer["items"]}
    assert job_id.startswith(f"market.refresh:stockx:{key.replace('/', '%2F')}:")
    assert sorted(row["outcome"] for row in answer["items"]) == ["created", "merged"]
    acme.run()
    assert acme.job(job_id)["state"] == "succeeded"
    # The styles of two are searched for one after the other where they stand in another order than the product's.
    assert [route for route in acme.routes() if route != "search"] == ["variants", "price"]
    assert "/" in style or acme.routes().count("search") == 1
    assert len(acme.store.items("prices")) == len(acme.store.items("catalog")) == 1
    assert [price["sku"] for price in acme.prices(one)] == [style]
    assert acme.prices(one) == acme.prices(other) == acme.prices(style)


@pytest.mark.parametrize(("one", "other", "style", "key"), SPELLINGS)
def test_a_price_that_one_spelling_has_brought_is_fresh_for_the_other(
    acme: World, one: str, other: str, style: str, key: str
) -> None:
    acme.finish(priced(one))
    acme.clock.time += MINUTE
    before = len(acme.calls())
    [job] = acme.finish(priced(other))
    assert (job["state"], job["result"]["skipped"]) == ("succeeded", "fresh")
    assert len(acme.calls()) == before


def test_at_every_marketplace_the_spellings_are_one_price(everywhere: World) -> None:
    for marketplace in ("stockx", "alias", "ebay"):
        jobs = everywhere.finish(priced("DD1391100", marketplace), priced("DD1391-100", marketplace))
        assert {job["state"] for job in jobs} == {"succeeded"}
        assert len({job["jobId"] for job in jobs}) == 1
    found = everywhere.prices("dd1391100")
    # One call tells all sizes of some marketplaces; the one that was asked for is there once for each.
    ten = [price for price in found if price["size"] == "10"]
    assert {price["sku"] for price in found} == {"DD1391-100"}
    assert sorted(price["marketplace"] for price in ten) == ["alias", "ebay", "stockx"]
    assert all(price["ask"] for price in ten)


def test_a_marketplace_without_a_catalog_is_asked_with_the_style_as_another_has_it(everywhere: World) -> None:
    everywhere.finish(priced("CP-9654"))
    everywhere.finish(priced("CP-9654", "ebay"))
    [search] = everywhere.calls(marketplace="ebay")
    assert search.query["q"] == "CP9654"
    everywhere.finish(priced("DZ5485612", "ebay", "9"))
    assert everywhere.calls(marketplace="ebay")[-1].query["q"] == "DZ5485-612"


def test_one_owned_thing_is_one_item_and_has_its_prices_by_either_spelling(acme: World) -> None:
    owned = [
        {"sku": sku, "size": "10", "sizeSystem": "us", "marketplaces": ["stockx"]} for sku in ("CP-9654", "CP9654")
    ]
    first = call("POST", "/v1/inventory", body={"items": owned[:1]}).json["items"][0]
    acme.clock.time += MINUTE
    second = call("POST", "/v1/inventory", body={"items": owned[1:]}).json["items"][0]
    assert (second["itemId"], first["outcome"], second["outcome"]) == (first["itemId"], "created", "exists")
    acme.run()
    [shown] = call("GET", "/v1/inventory").json["items"]
    assert (shown["sku"], shown["prices"][0]["ask"]) == ("CP9654", acme.prices("CP-9654", size="10")[0]["ask"])


def test_an_item_that_was_stored_under_another_spelling_is_found_there(acme: World) -> None:
    body = {"items": [{"sku": "CP-9654", "size": "10", "sizeSystem": "us", "marketplaces": ["stockx"]}]}
    call("POST", "/v1/inventory", body=body)
    [row] = acme.store.items("inventory")
    call("DELETE", f"/v1/inventory/{call('GET', '/v1/inventory').json['items'][0]['itemId']}")
    acme.store.put("inventory", row | {"item": {"S": "CP-9654:us-10"}})
    acme.clock.time += MINUTE
    assert call("POST", "/v1/inventory", body=body).json["items"][0]["outcome"] == "exists"
    assert [one["item"]["S"] for one in acme.store.items("inventory")] == ["CP-9654:us-10"]


def test_no_such_product_in_one_spelling_does_not_refuse_another(acme: World) -> None:
    [job] = acme.finish(priced("SLUICE00007"))
    assert (job["state"], job["error"]["code"]) == ("dead", "product_unknown")
    assert acme.ask(priced("SLUICE00007")).status == 400
    [job] = acme.finish(priced("SLUICE-00007"))
    assert job["state"] == "succeeded"
    # Now that the product is known, either spelling is it.
    assert [price["sku"] for price in acme.prices("sluice00007", size="10")] == ["SLUICE-00007"]
    acme.clock.time += MINUTE
    assert acme.finish(priced("SLUICE00007"))[0]["result"]["skipped"] == "fresh"


def test_a_product_that_differs_from_another_in_a_hyphen_only_is_not_priced_as_that(acme: World) -> None:
    acme.finish(priced("CP9654"))
    known = Product.get("stockx:CP9654")
    known.update([Product.rivals.set(["CP-9654"])])
    answer = acme.ask(priced("CP-9654"))
    told = "stockx: CP-9654 may be several products: CP-9654, CP9654; they differ in nothing but hyphens"
    assert answer.status == 400
    assert told in answer.fields["items[0].sku"]
    assert acme.ask(priced("CP9654")).status == 202


def test_what_was_stored_under_an_older_key_is_looked_up_under_the_new_one_and_let_go(acme: World) -> None:
    acme.finish(priced("SLUICE-00007"))
    [row] = acme.store.items("catalog")
    Product.get("stockx:SLUICE00007").delete()
    older = {name: value for name, value in row.items() if name != "style"} | {"product": {"S": "stockx:SLUICE-00007"}}
    acme.store.put("catalog", older | {"updated_at": {"N": "1"}, "checked_at": {"N": "1"}})
    call("POST", "/v1/catalog/enrichment")
    acme.run()
    rows = {one["product"]["S"]: one for one in acme.store.items("catalog")}
    assert rows["stockx:SLUICE00007"]["style"] == {"S": "SLUICE-00007"}
    assert int(rows["stockx:SLUICE-00007"]["expires_at"]["N"]) > 0
    acme.clock.time += MINUTE
    assert call("POST", "/v1/catalog/enrichment").json["state"] == "finished"
