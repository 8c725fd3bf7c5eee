"""However a style is written, it is one job, one price, one product and one item, shown as the product has it."""

import pytest

from sluice.catalog.table import Product
from sluice.jobs.model.job import Job
from sluice.marketplaces.skus import normal_sku
from sluice.platform.clock import HOUR, MINUTE
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
def test_two_spellings_asked_for_at_once_are_one_look_up_and_one_price(
    acme: World, one: str, other: str, style: str, key: str
) -> None:
    jobs = acme.finish(priced(one), priced(other))
    assert {job["state"] for job in jobs} == {"succeeded"}
    # What Nike's hyphen makes one style is one job; of others, only the catalog says it, so the second finds it there.
    named = {job["jobId"].split(":")[2].replace("%2F", "/") for job in jobs}
    assert named == ({key} if "-" in key else {normal_sku(one), normal_sku(other)})
    # The styles of two are searched for one after the other where they stand in another order than the product's.
    assert [route for route in acme.routes() if route != "search"] == ["variants", "price"]
    assert "/" in style or acme.routes().count("search") == 1
    assert len(acme.store.items("prices")) == len(acme.store.items("catalog")) == 1
    # From here on the catalog says that they are one style.
    again = acme.ask(priced(one), priced(other)).json["items"]
    assert len({row["jobId"] for row in again}) == 1
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


@pytest.mark.parametrize("style", ["315115-112/DD8959-100", "DD8959-100/315115-112"])
def test_a_product_of_two_styles_with_a_rival_is_itself_in_either_order(acme: World, style: str) -> None:
    acme.finish(priced("315115-112/DD8959-100"))
    known = Product.get("stockx:315115-112/DD8959-100")
    known.update([Product.style.set(style), Product.rivals.set(["31511-5112/DD8959-100"])])
    answer = acme.ask(priced("315115-112/DD8959-100"), priced("DD8959-100/315115-112"))
    assert answer.status == 202
    assert len({row["jobId"] for row in answer.json["items"]}) == 1


@pytest.mark.parametrize("asked", ["315115-112/DD8959-100", "DD8959100/315115112"])
def test_a_job_of_two_styles_is_listed_by_either_and_by_both_in_any_order(acme: World, asked: str) -> None:
    [job_id] = acme.enqueue(priced(asked))
    for begun in ("315115", "dd8959-1", "315115-112/DD8", "DD8959-100/315115-112", "DD8959100/"):
        assert [one["jobId"] for one in call("GET", "/v1/jobs", query={"sku": begun}).json["jobs"]] == [job_id]
    for other in ("15115", "315115-112/315115-112", "DD8959/315115", "315115-112/DD8959-100/A"):
        assert call("GET", "/v1/jobs", query={"sku": other}).json["jobs"] == []


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


# --- nobody's spelling decides for another while no catalog knows the style ---


def test_the_first_askers_spelling_does_not_tell_another_that_there_is_no_such_product(everywhere: World) -> None:
    everywhere.connect_everywhere("mallory")
    for marketplace, wrong in (("stockx", "SLUICE00007"), ("alias", "SLUI-CE00007")):
        [theirs] = everywhere.enqueue(priced(wrong, marketplace), tenant="mallory")
        [ours] = everywhere.enqueue(priced("SLUICE-00007", marketplace))
        everywhere.run()
        assert everywhere.job(ours)["state"] == "succeeded"
        assert theirs != ours


@pytest.mark.parametrize("size_system", ["us", None])
def test_what_ebay_has_under_a_wrong_spelling_is_no_price_of_the_right_one(
    everywhere: World, size_system: str | None
) -> None:
    everywhere.connect_everywhere("mallory")
    wrong = item("CP-9654", "10", sizeSystem="us", marketplace="ebay")
    right = item("CP9654", "10", sizeSystem=size_system, marketplace="ebay")
    [theirs] = everywhere.enqueue(wrong, tenant="mallory")
    [ours] = everywhere.enqueue(right)
    everywhere.run()
    assert everywhere.job(theirs, "mallory")["result"]["ask"] is None
    found = everywhere.job(ours)["result"]
    assert found["ask"]
    # Nor does what they ask later stand in its place, in the price list or in the inventory.
    call("POST", "/v1/inventory", body={"items": [{"sku": "CP9654", "size": "10", "marketplaces": ["ebay"]}]})
    everywhere.run()
    everywhere.clock.time += MINUTE
    everywhere.finish(wrong | {"force": True, "priority": "manual"}, tenant="mallory")
    assert [one["ask"] for one in everywhere.prices("CP9654")] == [found["ask"]]
    [owned] = call("GET", "/v1/inventory").json["items"]
    assert [one["ask"] for one in owned["prices"]] == [found["ask"]]
    assert [one["ask"] for one in everywhere.prices("CP-9654")] == [None]


def test_whose_sizes_a_shoe_has_is_known_of_the_spelling_that_was_searched_for(everywhere: World) -> None:
    assert everywhere.finish(priced("CP9654", "ebay") | {"sizeSystem": None})[0]["state"] == "succeeded"
    everywhere.clock.time += MINUTE
    [other] = everywhere.finish(priced("CP-9654", "ebay") | {"sizeSystem": None})
    assert other["error"]["code"] == "size_system_unknown"


def test_once_a_catalog_knows_the_style_all_spellings_of_it_are_one_at_ebay(everywhere: World) -> None:
    everywhere.finish(priced("CP-9654", "ebay"))
    everywhere.finish(priced("CP-9654"))
    answer = everywhere.ask(priced("CP-9654", "ebay"), priced("CP9654", "ebay"), priced("C-P9654", "ebay")).json
    assert len({row["jobId"] for row in answer["items"]}) == 1
    everywhere.run()
    found = [everywhere.prices(sku, marketplace="ebay") for sku in ("CP9654", "CP-9654", "C-P9654")]
    assert found[0] == found[1] == found[2]
    assert [one["ask"] is None for one in found[0]] == [False]


def test_a_job_of_an_older_version_stores_no_price_for_all_spellings(everywhere: World) -> None:
    wrong = priced("CP-9654", "ebay")
    [job_id] = everywhere.enqueue(wrong)
    job = Job.get(job_id)
    assert job.payload.pop("apart") == "CP-9654"
    job.update([Job.payload.set(job.payload)])
    everywhere.run()
    assert everywhere.job(job_id)["result"]["price"] == "ebay:us-10:USD:CP-9654"
    assert everywhere.prices("CP9654") == []


def test_ebays_price_of_a_product_with_rivals_is_no_price_of_these(everywhere: World) -> None:
    """StockX has both, so that neither is the other, though it keeps only one of them."""
    everywhere.finish(priced("CP9654"))
    Product.get("stockx:CP9654").update([Product.rivals.set(["CP-9654"])])
    [job] = everywhere.finish(priced("CP9654", "ebay"))
    assert job["result"]["ask"]
    assert [one["ask"] for one in everywhere.prices("CP9654", marketplace="ebay")] == [job["result"]["ask"]]
    assert everywhere.prices("CP-9654", marketplace="ebay") == []
    [other] = everywhere.finish(priced("CP-9654", "ebay"))
    assert (other["jobId"] == job["jobId"], other["result"]["ask"]) == (False, None)
    assert [one["ask"] for one in everywhere.prices("CP9654", marketplace="ebay")] == [job["result"]["ask"]]


def test_many_who_write_the_same_share_one_call(everywhere: World) -> None:
    tenants = [f"tenant-{number}" for number in range(5)]
    for tenant in tenants:
        everywhere.connect_everywhere(tenant)
    for marketplace in ("stockx", "alias", "ebay"):
        for tenant in tenants:
            everywhere.enqueue(priced("SLUICE-00007", marketplace), tenant=tenant)
    everywhere.run()
    assert [entry.path.rpartition("/")[2] for entry in everywhere.calls(marketplace="stockx")] == [
        "search",
        "variants",
        "market-data",
    ]
    assert len(everywhere.calls(marketplace="ebay")) == 1


def test_what_others_misspell_does_not_prolong_what_is_remembered_of_a_spelling(acme: World) -> None:
    acme.connect("mallory")
    acme.finish(priced("NEW-STYLE-1"))
    assert acme.ask(priced("NEW-STYLE-1")).status == 400
    acme.clock.time += 20 * HOUR
    acme.finish(priced("NEWSTYLE-1"), tenant="mallory")
    acme.clock.time += 5 * HOUR
    assert acme.ask(priced("NEW-STYLE-1")).status == 202
    assert acme.ask(priced("NEWSTYLE-1")).status == 400


def test_what_is_remembered_of_wrong_spellings_does_not_grow_without_end(acme: World) -> None:
    def row() -> int:
        [found] = acme.store.items("catalog")
        return len(str(found))

    spellings = [_spelt("NOSUCHSTYLE", number) for number in range(40)]
    sizes = []
    for spelling in spellings:
        [job_id] = acme.enqueue(priced(spelling))
        acme.run_until(lambda job_id=job_id: acme.job(job_id)["state"] == "dead", 10)  # type: ignore[misc]
        sizes.append(row())
    assert sizes[-1] <= 1.1 * sizes[25] < 20_000
    # The newest are remembered.
    assert acme.ask(priced(spellings[-1])).status == 400
    assert acme.ask(priced(spellings[0])).status == 202


def _spelt(letters: str, number: int) -> str:
    """The letters with hyphens where the number has ones."""
    return "".join(f"{letter}{'-' if number >> place & 1 else ''}" for place, letter in enumerate(letters))
