"""Products that are old or lack something are found and looked up again: each once, also when steps are killed."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from local.sandbox.faults import RefuseRefresh, RevokedToken, ServerError
from sluice.catalog import enrichment, enrichment_table
from sluice.catalog import table as catalog
from sluice.catalog.enrichment import WINDOW
from sluice.catalog.table import Product
from sluice.jobs.model.job import Job
from sluice.platform.clock import DAY, MINUTE
from tests.support.http import Answer as Response
from tests.support.http import call
from tests.support.store import Answer, Request
from tests.unit.market.world import ELSEWHERE, Json, World, item

PATH = "/v1/catalog/enrichment"
AGE = 7 * DAY


def advance(tenant: str = "acme") -> Json:
    answer = call("POST", PATH, tenant=tenant)
    assert answer.status == 200, answer.text
    progress: Json = answer.json
    return progress


def finish(world: World) -> Json:
    """Do as the command does, to the end."""
    progress = advance()
    while progress["state"] != "finished":
        world.run()
        world.clock.time += MINUTE
        if call("GET", PATH).json["state"] == "ready":
            progress = advance()
    return progress


def product(sku: str, marketplace: str = "stockx", age: int = 2 * AGE, **changes: Any) -> None:
    """A stored product, as an earlier look-up left it."""
    now = 1_795_348_800_000
    row: Json = {
        "product_id": "an-id-of-then",
        "marketplace": marketplace,
        "name": "A name",
        "style": sku,
        "image": "https://images.example/old.png",
        "variants": [],
        "updated_at": now - age,
        "checked_at": now - age,
    }
    Product(catalog.key(marketplace, sku), **row | changes).save()


def stored(sku: str, marketplace: str = "stockx") -> Product:
    return Product.get(catalog.key(marketplace, sku))


def synthetic(count: int) -> list[str]:
    return [f"SLUICE-{number:05d}" for number in range(1, count + 1)]


def asked(world: World, marketplace: str) -> Counter[str]:
    """How often each style was searched for."""
    found = [entry.query["query"] for entry in world.calls(marketplace=marketplace) if "query" in entry.query]
    return Counter(str(style).replace(" ", "-") for style in found)


# --- what is filled in ---


def test_a_product_without_a_picture_gets_the_one_that_another_marketplace_has(everywhere: World) -> None:
    everywhere.finish(item())
    assert stored("DD1391-100").image == "/v1/images/sneakers.svg"
    before = len(everywhere.calls())
    progress = finish(everywhere)
    assert (progress["products"], progress["done"], progress["failed"]) == (1, 1, 0)
    assert str(stored("DD1391-100").image).startswith("https://images.example/")
    assert stored("DD1391-100").image == stored("DD1391-100", "alias").image
    assert [entry.marketplace for entry in everywhere.calls()[before:]] == ["alias"]


def test_a_picture_that_is_there_already_costs_no_call(everywhere: World) -> None:
    everywhere.finish(item(marketplace="alias"))
    everywhere.finish(item())
    assert stored("DD1391-100").image == stored("DD1391-100", "alias").image
    assert finish(everywhere)["products"] == 0


def test_a_price_look_up_elsewhere_brings_the_picture_too(everywhere: World) -> None:
    everywhere.finish(item())
    everywhere.finish(item(marketplace="alias"))
    assert stored("DD1391-100").image == stored("DD1391-100", "alias").image
    assert finish(everywhere)["products"] == 0


@pytest.mark.parametrize("name", ["", "SLUICE-00001", "sluice 00001"])
def test_a_product_without_a_name_gets_one(everywhere: World, name: str) -> None:
    product("SLUICE-00001", name=name, checked_at=0)
    finish(everywhere)
    assert "Runner 00001" in stored("SLUICE-00001").name


def test_sizes_that_came_later_are_added(everywhere: World) -> None:
    product("DD1391-100", variants=[["v-10", "us", {"us": "10"}]])
    finish(everywhere)
    [job_id] = [job.job_id for job in Job.scan() if job.kind == "catalog.enrich"]
    job = everywhere.job(job_id)
    assert (job_id, job["priority"]) == ("catalog.enrich:stockx:DD1391-100", "background")
    assert job["result"] == {"product": "stockx:DD1391-100", "found": True, "added": 22}
    [refreshed] = everywhere.finish(item(size="11"))
    assert refreshed["state"] == "succeeded"


def test_what_is_young_and_whole_is_left_alone(everywhere: World) -> None:
    product("SLUICE-00001", age=AGE - MINUTE)
    progress = advance()
    assert (progress["state"], progress["products"], everywhere.calls()) == ("finished", 0, [])


def test_the_age_is_configuration(everywhere: World) -> None:
    product("SLUICE-00001", age=2 * DAY)
    everywhere.configure(prices={"catalog_age_ms": DAY})
    finish(everywhere)
    assert stored("SLUICE-00001").updated_at > everywhere.clock.now() - DAY


# --- what cannot be filled in ---


def test_a_product_that_is_nowhere_else_is_not_asked_for_again(everywhere: World) -> None:
    product("NO-SUCH-STYLE", image="/v1/images/default.svg", checked_at=0, age=0)
    assert finish(everywhere)["failed"] == 0
    assert asked(everywhere, "alias") == {"NO-SUCH-STYLE": 1}
    assert finish(everywhere)["products"] == 0
    everywhere.clock.time += AGE
    assert finish(everywhere)["products"] == 1


def test_a_product_that_its_marketplace_has_given_up_stays_as_it_was(everywhere: World) -> None:
    product("NO-SUCH-STYLE")
    assert finish(everywhere)["failed"] == 0
    assert (stored("NO-SUCH-STYLE").name, asked(everywhere, "stockx")) == ("A name", {"NO-SUCH-STYLE": 1})
    assert finish(everywhere)["products"] == 0


def test_who_has_no_account_is_told_so_and_can_do_it_later(acme: World) -> None:
    product("SLUICE-00001", image="/v1/images/default.svg")
    progress = finish(acme)
    assert progress["noAccount"] == {"alias": 1}
    assert (stored("SLUICE-00001").image, stored("SLUICE-00001").checked_at) == ("/v1/images/default.svg", 0)
    acme.connect_one("acme", "alias", ELSEWHERE["alias"])
    acme.clock.time += MINUTE
    assert finish(acme)["noAccount"] == {}
    assert str(stored("SLUICE-00001").image).startswith("https://")
    assert asked(acme, "stockx") == {"SLUICE-00001": 1}


def test_without_any_account_nothing_is_enqueued(world: World) -> None:
    for sku in synthetic(WINDOW + 1):
        product(sku)
    progress = advance()
    assert (progress["state"], progress["noAccount"]) == ("finished", {"stockx": WINDOW + 1})
    assert world.store.items("jobs") == []


def test_a_job_that_dies_is_counted_and_the_others_go_on(everywhere: World) -> None:
    for sku in synthetic(2):
        product(sku)
    everywhere.sandbox.faults.set(ServerError(path="/v2/catalog/*", last=1_000))
    advance()
    everywhere.run_until(lambda: call("GET", PATH).json["state"] == "ready", 600)
    progress = advance()
    assert (progress["state"], progress["failed"], progress["done"]) == ("finished", 2, 2)
    assert len(everywhere.letters()) == 2


def test_it_says_why_it_waits(everywhere: World) -> None:
    product("SLUICE-00001")
    everywhere.pause("stockx")
    advance()
    everywhere.run()
    [wait] = call("GET", PATH).json["waits"]
    assert (wait["marketplace"], wait["reason"]) == ("stockx", "paused")


def test_a_broken_account_is_no_account(everywhere: World) -> None:
    everywhere.sandbox.faults.set(RevokedToken(path="/v2/*"), RefuseRefresh())
    everywhere.finish(item())
    product("SLUICE-00001")
    assert advance()["noAccount"] == {"stockx": 1}


# --- a walk, a window at a time ---


def test_one_window_waits_at_a_time(everywhere: World) -> None:
    for sku in synthetic(WINDOW + 5):
        product(sku)
    first = advance()
    assert (first["state"], first["waiting"], first["products"], first["done"]) == ("running", WINDOW, WINDOW + 5, 0)
    assert advance() == first
    assert len(everywhere.store.items("jobs")) == WINDOW
    everywhere.unlimited()
    everywhere.configure(limits={"stockx": {"interval_ms": 0, "windows": []}})
    everywhere.run_until(lambda: call("GET", PATH).json["state"] == "ready", 5)
    assert call("GET", PATH).json["done"] == WINDOW
    assert advance()["waiting"] == 5
    finish(everywhere)
    assert asked(everywhere, "stockx") == dict.fromkeys(synthetic(WINDOW + 5), 1)


def test_what_waits_is_counted_some_with_each_step(everywhere: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a request reads no more of a catalog of a million products than of a small one."""
    monkeypatch.setattr(enrichment, "WINDOW", 2)
    monkeypatch.setattr(enrichment, "COUNTED", 3)
    everywhere.configure(limits={"stockx": {"interval_ms": 0, "windows": []}})
    everywhere.unlimited()
    for sku in synthetic(8):
        product(sku)
    product("SLUICE-00009", "alias")
    counted = [advance()["products"]]
    while counted[-1] < 9:
        everywhere.run_until(lambda: call("GET", PATH).json["state"] == "ready", 5)
        counted.append(advance()["products"])
    assert counted == [3, 6, 9]
    assert finish(everywhere)["done"] == 9


@pytest.mark.parametrize("allowance", ["items_per_hour", "unfinished_jobs"])
def test_look_ups_are_within_the_tenants_allowance(everywhere: World, allowance: str) -> None:
    for sku in synthetic(3):
        product(sku)
    everywhere.clock.time += 60 * MINUTE  # what was asked for to connect the accounts is another hour's
    everywhere.configure(tenants={"allowances": {allowance: 2}})
    before = everywhere.store.items("enrichments")
    refused = call("POST", PATH)
    assert (refused.status, refused.json["error"]["code"]) == (429, "allowance_used_up")
    assert list(refused.fields) == [allowance]
    assert int(refused.headers["Retry-After"]) > 0
    assert (everywhere.store.items("jobs"), everywhere.store.items("enrichments")) == ([], before)
    everywhere.configure(tenants={"allowances": {allowance: 3}})
    assert advance()["waiting"] == 3
    assert [advance()["waiting"] for _ in range(3)] == [3, 3, 3]  # to be told how far it is asks for nothing


def test_products_that_nobody_can_be_asked_for_are_looked_through_within_the_allowance(
    everywhere: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tenant without an account could have the catalog read all the time, and pay nothing."""
    monkeypatch.setattr(enrichment, "WINDOW", 1)
    for sku in synthetic(8):
        product(sku)
    everywhere.configure(tenants={"allowances": {"items_per_hour": 5}})
    before = everywhere.store.items("enrichments")
    refused = call("POST", PATH, tenant="globex")
    assert (refused.status, list(refused.fields)) == (429, ["items_per_hour"])
    assert everywhere.store.items("enrichments") == before
    everywhere.clock.time += 60 * MINUTE
    everywhere.configure(tenants={"allowances": {"items_per_hour": 8}})
    assert advance("globex")["noAccount"] == {"stockx": 8}


def test_finding_reads_what_is_due_and_nothing_else(everywhere: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(200):
        product(f"YOUNG-{number}", age=MINUTE)
    for sku in synthetic(3):
        product(sku)
    read = Counter[str]()
    around = everywhere.store.around
    assert around

    def counting(request: Request, send: Callable[[], Answer]) -> Answer:
        answer = around(request, send)
        if request.parameters.get("TableName", "").endswith("-catalog"):
            read[request.operation] += answer.get("ScannedCount", 1)
        return answer

    monkeypatch.setattr(everywhere.store, "around", counting)
    advance()
    assert read == {"Query": 3 + 3}  # to count them, and to read them


def kill(monkeypatch: pytest.MonkeyPatch, world: World, write: int) -> Response:
    """POST, in a process that dies before its write number `write`."""
    around, writes = world.store.around, Counter[str]()
    assert around

    class Killed(BaseException):
        pass

    def dying(request: Request, send: Callable[[], Answer]) -> Answer:
        if request.operation in ("PutItem", "UpdateItem"):
            writes["all"] += 1
            if writes["all"] >= write:
                raise Killed
        return around(request, send)

    with monkeypatch.context() as patch:
        patch.setattr(world.store, "around", dying)
        try:
            return call("POST", PATH)
        except Killed:
            return Response(0, {}, "")


@pytest.mark.parametrize("write", range(1, 14))
@pytest.mark.parametrize("worked_between", [False, True])
def test_a_step_that_is_killed_goes_on_and_asks_nothing_twice(
    everywhere: World, monkeypatch: pytest.MonkeyPatch, write: int, worked_between: bool
) -> None:
    """Whatever was enqueued before the end, and whether or not it has been done before the step is made again."""
    skus = synthetic(4)
    for sku in skus:
        product(sku, image="/v1/images/default.svg")
    kill(monkeypatch, everywhere, write)
    if worked_between:
        everywhere.run()
    everywhere.clock.time += MINUTE
    progress = finish(everywhere)
    assert progress["failed"] == 0
    assert asked(everywhere, "stockx") == asked(everywhere, "alias") == dict.fromkeys(skus, 1)
    for sku in skus:
        assert "Runner" in stored(sku).name
        assert stored(sku).image == stored(sku, "alias").image


def test_two_who_go_on_at_once_make_one_step(everywhere: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for sku in synthetic(3):
        product(sku)
    store, raced = enrichment_table.store, list[Json]()

    def beaten(step: Any) -> None:
        monkeypatch.setattr(enrichment_table, "store", store)
        raced.append(advance())
        store(step)

    monkeypatch.setattr(enrichment_table, "store", beaten)
    assert advance() == raced[0]
    assert len(everywhere.store.items("jobs")) == 3


# --- a size that an old chart does not have ---


def test_a_refresh_of_a_size_that_came_later_looks_an_old_product_up_again(acme: World) -> None:
    product("DD1391-100", variants=[["v-10", "us", {"us": "10"}]])
    [job] = acme.finish(item(size="11"))
    assert (job["state"], acme.routes()) == ("succeeded", ["search", "variants", "price"])
    refused = acme.ask(item(size="99"))
    assert "DD1391-100 has no size 99" in refused.fields["items[0].size"]


def test_what_is_in_no_chart_costs_an_old_product_one_look_up(acme: World) -> None:
    product("DD1391-100", variants=[["v-10", "us", {"us": "10"}]])
    jobs = acme.finish(item(size="98"), item(size="99"))
    assert [(job["state"], job["error"]["code"]) for job in jobs] == [("dead", "size_unknown")] * 2
    assert acme.routes() == ["search", "variants"]


def test_a_size_of_an_old_product_that_is_known_costs_no_look_up(acme: World) -> None:
    acme.finish(item(size="10"))
    acme.clock.time += 2 * AGE
    acme.finish(item(size="10"))
    assert acme.routes() == ["search", "variants", "price", "price"]
    assert len(json.loads(acme.store.items("catalog")[0]["variants"]["S"])) == 22
