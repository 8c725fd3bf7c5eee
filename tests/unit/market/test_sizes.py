"""One language of sizes at all three marketplaces: what is asked for, which price is stored, how it is read again."""

import json
from itertools import islice
from typing import Any

import pytest

from local.sandbox.ebay import api, items
from local.sandbox.faults import Noise, Throttle
from sluice.platform.clock import DAY, HOUR, MINUTE
from tests.support.http import call
from tests.unit.market.world import Json, World, item

MARKETPLACES = ("stockx", "alias", "ebay")
WOMEN, MEN, YOUTH = "DD1503-101", "DD1391-100", "CW1590-100"


def priced(world: World, sku: str, size: str, marketplace: str, **more: Any) -> Json:
    """Ask for the price and wait for the end of the job; the job."""
    asked = {"sku": sku, "size": size, "marketplace": marketplace, "priority": "hot", **more}
    [job_id] = world.enqueue(asked)
    world.run_until(lambda: world.job(job_id)["state"] in ("succeeded", "dead"), 15)
    return world.job(job_id)


# As it is written; the sizeSystem that is given; the name of its price.
ASKED = [
    (WOMEN, "8W", None, "us-w-8"),
    (WOMEN, "W 8", None, "us-w-8"),
    (WOMEN, "8", None, "us-w-8"),
    (WOMEN, "8.00", "us-w", "us-w-8"),
    (WOMEN, "8W", "us", "us-w-8"),
    (WOMEN, "US 8", None, "us-w-8"),
    (WOMEN, "8", "us", "us-w-9.5"),
    (MEN, "11.5W", None, "us-10"),
    (MEN, "10", None, "us-10"),
    (MEN, "10.00", None, "us-10"),
    (MEN, "US 10", None, "us-10"),
    (MEN, "10½", None, "us-10.5"),
    (MEN, "10,5", None, "us-10.5"),
    (MEN, "10 1/2", "us", "us-10.5"),
    (YOUTH, "5Y", None, "us-5"),
    (YOUTH, "5", None, "us-5"),
    (YOUTH, "5", "us", "us-5"),
]


@pytest.mark.parametrize("marketplace", MARKETPLACES)
@pytest.mark.parametrize(("sku", "size", "system", "name"), ASKED)
def test_a_size_has_one_meaning_and_one_price_everywhere(
    everywhere: World, marketplace: str, sku: str, size: str, system: str | None, name: str
) -> None:
    given = {} if system is None else {"sizeSystem": system}
    everywhere.finish(item(sku, "4", sizeSystem="uk"))  # StockX's chart is known to all of them
    job = priced(everywhere, sku, size, marketplace, **given)
    assert (job["state"], job["result"]["price"]) == ("succeeded", f"{marketplace}:{name}:USD")
    assert job["result"]["ask"] is not None
    [found] = everywhere.prices(sku, marketplace=marketplace, size=size, **given)
    taken = name.rpartition("-")
    assert (found["size"], found["sizeSystem"]) == (taken[2], taken[0])
    [again] = everywhere.ask(item(sku, size, marketplace=marketplace, sizeSystem=system)).json["items"]
    assert (again["size"], again["sizeSystem"]) == (taken[2], taken[0])


@pytest.mark.parametrize("marketplace", MARKETPLACES)
@pytest.mark.parametrize(("sku", "size", "name"), [(WOMEN, "8", "us-w-8"), (MEN, "10", "us-10"), (YOUTH, "5", "us-5")])
def test_a_bare_size_of_a_product_that_nobody_has_asked_for_is_the_products_own(
    everywhere: World, marketplace: str, sku: str, size: str, name: str
) -> None:
    [asked] = everywhere.ask(item(sku, size, marketplace=marketplace, sizeSystem=None)).json["items"]
    assert (asked["size"], asked["sizeSystem"]) == (None, None)
    job = priced(everywhere, sku, size, marketplace)
    assert (job["state"], job["result"]["price"]) == ("succeeded", f"{marketplace}:{name}:USD")
    [later] = everywhere.ask(item(sku, size, marketplace=marketplace, sizeSystem=None)).json["items"]
    assert f"{later['sizeSystem']}-{later['size']}" == name
    assert len(everywhere.prices(sku, marketplace=marketplace, size=size)) == 1


@pytest.mark.parametrize("marketplace", MARKETPLACES)
@pytest.mark.parametrize(("sku", "size"), [(MEN, "9C"), (MEN, "9K"), (MEN, "5Y"), (YOUTH, "5W"), (WOMEN, "8Y")])
def test_a_letter_that_the_product_does_not_have_is_refused_naming_its_sizes(
    everywhere: World, marketplace: str, sku: str, size: str
) -> None:
    everywhere.finish(item(sku, "4", sizeSystem="uk"), item(sku, size="6", sizeSystem=None, marketplace="alias"))
    answer = everywhere.ask(item(sku, size, marketplace=marketplace, sizeSystem=None))
    assert (answer.status, list(answer.fields)) == (400, ["items[0].size"])
    own = {MEN: "9, 9.5, 10", YOUTH: "3.5, 4, 4.5, 5", WOMEN: "5, 5.5, 6"}[sku]
    assert own in answer.fields["items[0].size"] or "9" in answer.fields["items[0].size"]
    assert everywhere.prices(sku, marketplace="ebay") == []


def test_a_system_that_contradicts_the_letter_is_refused(everywhere: World) -> None:
    answer = everywhere.ask(item(WOMEN, "8W", sizeSystem="uk"))
    assert (answer.status, answer.fields) == (
        400,
        {"items[0].size": "names the size system us-w, and sizeSystem is uk; give one of them"},
    )


def test_an_eu_size_is_found_at_alias_by_stockxs_chart(everywhere: World) -> None:
    everywhere.finish(item("CP9654", "42⅔", sizeSystem="eu"))
    for written in ("EU 42 2/3", "EU 42⅔", "EU 42.67"):
        for marketplace in MARKETPLACES:
            job = priced(everywhere, "CP9654", written, marketplace)
            assert job["result"]["price"] == f"{marketplace}:us-9:USD"
    assert len(everywhere.prices("CP9654", size="EU 42⅔")) == 3


def test_prices_come_by_size_and_not_by_text(everywhere: World) -> None:
    everywhere.finish(*(item(MEN, size, marketplace="alias") for size in ("10", "3.5", "10.5")))
    sizes = [price["size"] for price in everywhere.prices(MEN, marketplace="alias")]
    assert sizes == sorted(sizes, key=float)
    assert len(sizes) == 22


def test_a_price_stored_under_an_older_spelling_gives_way_to_the_newer_one(everywhere: World) -> None:
    job = priced(everywhere, MEN, "10.5", "stockx")
    [row] = everywhere.store.items("prices")
    everywhere.store.put(
        "prices", {**row, "price": {"S": "stockx:us-10.50:USD"}, "size": {"S": "10.50"}, "observed_at": {"N": "1"}}
    )
    [found] = everywhere.prices(MEN, size="10,50")
    assert (found["size"], found["ask"]) == ("10.5", job["result"]["ask"])


@pytest.mark.parametrize("cell", ["10. Mai", "7-Jun", "45787", "10.05.2026", "#REF!", "TRUE", "1.05E+01"])
def test_a_size_that_a_spreadsheet_has_changed_is_refused_at_asking_and_at_reading(acme: World, cell: str) -> None:
    answer = acme.ask(item(MEN, cell))
    assert "a spreadsheet has changed this cell" in answer.fields["items[0].size"]
    read = call("GET", "/v1/market/prices", query={"sku": MEN, "size": cell})
    assert "a spreadsheet has changed this cell" in read.fields["size"]


@pytest.mark.parametrize("cell", ["2.19E+26", "1.23E+12", "TRUE", "Wahr", "7-Jun", "#N/A", "2026-05-10"])
def test_a_sku_that_a_spreadsheet_has_changed_is_refused(everywhere: World, cell: str) -> None:
    for marketplace in MARKETPLACES:
        answer = everywhere.ask(item(cell, "10", marketplace=marketplace))
        assert "a spreadsheet has changed this cell" in answer.fields["items[0].sku"]


@pytest.mark.parametrize("sku", ["DD1391100", "dd1391 100", "DD1391\u00a0100", "DD1391\u2013100", "DD\u200b1391-100"])
@pytest.mark.parametrize("marketplace", ["stockx", "alias"])
def test_a_sku_is_found_without_its_hyphen_and_with_odd_ones(everywhere: World, marketplace: str, sku: str) -> None:
    job = priced(everywhere, sku, "10", marketplace, sizeSystem="us")
    assert (job["state"], job["result"]["price"]) == ("succeeded", f"{marketplace}:us-10:USD")


def test_a_hyphen_too_much_is_found_and_a_look_alike_letter_is_named(acme: World) -> None:
    assert priced(acme, "CP-9654", "10", "stockx")["state"] == "succeeded"
    answer = acme.ask(item("\u0421P9654"))
    assert "'\u0421' (U+0421 CYRILLIC CAPITAL LETTER ES), which only looks like 'C'" in answer.fields["items[0].sku"]


# --- what is not there ---


@pytest.mark.parametrize("marketplace", ["stockx", "alias"])
def test_no_such_product_is_remembered_for_a_day_with_one_dead_letter(everywhere: World, marketplace: str) -> None:
    unknown = [item("NO-SUCH-STYLE-9", size, marketplace=marketplace) for size in ("8", "9", "10")]
    jobs = everywhere.finish(*unknown)
    assert sorted(job["state"] for job in jobs) == ["dead", "succeeded", "succeeded"]
    told = {job["result"]["skipped"] for job in jobs if job["state"] == "succeeded"}
    assert told == {"product_unknown"}
    for hours in (1, 22):
        everywhere.clock.time += hours * HOUR
        answer = everywhere.ask(*unknown)
        assert answer.status == 400
        assert "has no product with style NO-SUCH-STYLE-9; it is asked again after" in answer.fields["items[0].sku"]
    searches = [entry for entry in everywhere.calls() if entry.marketplace == marketplace]
    assert (len(searches), len(everywhere.letters())) == (1, 1)
    everywhere.clock.time += 2 * HOUR
    assert [job["state"] for job in everywhere.finish(unknown[0])] == ["dead"]


def test_what_a_search_has_found_is_kept_when_the_next_call_is_refused(acme: World) -> None:
    acme.sandbox.faults.set(Throttle(path="*/variants", last=1, retry_after_s=30))
    [job_id] = acme.enqueue(item())
    acme.run()
    assert (acme.job(job_id)["state"], acme.routes()) == ("queued", ["search", "variants"])
    acme.run_until(lambda: acme.job(job_id)["state"] == "succeeded", 10)
    assert acme.routes() == ["search", "variants", "variants", "price"]


def test_what_a_search_has_found_of_an_old_product_is_kept_too(acme: World) -> None:
    """A size that its chart does not have has it looked up again; the sizes that it has are priced meanwhile."""
    acme.finish(item())
    acme.clock.time += 60 * DAY
    before = len(acme.routes())
    acme.sandbox.faults.set(Throttle(path="*/variants", last=3, retry_after_s=30))
    [job_id] = acme.enqueue(item(size="99"))
    acme.run()
    assert acme.routes()[before:] == ["search", "variants"]
    acme.run_until(lambda: acme.job(job_id)["state"] == "dead", 30)
    assert acme.job(job_id)["error"]["code"] == "size_unknown"
    assert acme.routes()[before:] == ["search", *["variants"] * 4]
    assert acme.finish(item(size="9"))[0]["state"] == "succeeded"


PANDA = "nike-dunk-low-retro-white-black-panda"


@pytest.mark.parametrize(
    ("marketplace", "calls"),
    [
        ("stockx", ["market-data", "search", "variants", "market-data"]),
        # Its search tells the sizes too, and its prices are by product.
        ("alias", [f"{PANDA}-1", "catalog", f"{PANDA}-moved-1-1"]),
    ],
)
def test_a_product_that_moved_is_looked_up_anew_once(everywhere: World, marketplace: str, calls: list[str]) -> None:
    def price(size: str) -> Json:
        return everywhere.finish(item(size=size, marketplace=marketplace, force=True, priority="manual"))[0]

    def made() -> list[str]:
        return [entry.path.rpartition("/")[2] for entry in everywhere.calls(marketplace=marketplace)]

    price("9")
    everywhere.sandbox.move_product("DD1391-100")
    before = len(made())
    everywhere.clock.time += HOUR
    job = price("10")
    assert (job["state"], job["attempts"]) == ("succeeded", 1)
    assert made()[before:] == calls
    [stored] = [one for one in everywhere.prices("DD1391-100", marketplace=marketplace) if one["size"] == "10"]
    assert stored["ask"] == job["result"]["ask"]
    # From here on the new id is known.
    everywhere.clock.time += MINUTE
    assert price("9")["state"] == "succeeded"
    assert len(made()) == before + len(calls) + 1


def test_a_product_that_is_gone_for_good_is_told_once(acme: World) -> None:
    acme.finish(item(size="9"))
    for known in acme.store.items("catalog"):
        row = {name: value for name, value in known.items() if name != "style"}
        variants = json.dumps([["gone", "us", {"us": "10"}], ["gone-9", "us", {"us": "9"}]])
        acme.store.put(
            "catalog",
            {**row, "product": {"S": "stockx:GONESTYLE1"}, "product_id": {"S": "gone"}, "variants": {"S": variants}},
        )
    acme.clock.time += MINUTE
    first, second = acme.finish(item("GONE-STYLE-1", "10"), item("GONE-STYLE-1", "9"))
    assert sorted([first["state"], second["state"]]) == ["dead", "succeeded"]
    assert len(acme.letters()) == 1
    assert acme.ask(item("GONE-STYLE-1", "10")).status == 400


def test_ebay_says_so_when_nobody_can_tell_the_system(everywhere: World) -> None:
    job = priced(everywhere, "NOBODY-SELLS-1", "10", "ebay")
    assert (job["state"], job["error"]["code"]) == ("dead", "size_system_unknown")
    assert everywhere.prices("NOBODY-SELLS-1") == []
    answer = everywhere.ask(item("NOBODY-SELLS-1", "10", marketplace="ebay", sizeSystem=None))
    assert "give sizeSystem" in answer.fields["items[0].sizeSystem"]
    named = priced(everywhere, "NOBODY-SELLS-1", "10", "ebay", sizeSystem="us")
    assert (named["state"], named["result"]["ask"]) == ("succeeded", None)


def test_one_seller_at_ebay_does_not_decide_whose_sizes_a_shoe_has(
    everywhere: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    offers = items.for_sale
    with monkeypatch.context() as alone:
        alone.setattr(api, "for_sale", lambda *asked: islice(offers(*asked), 1))
        job = priced(everywhere, MEN, "10", "ebay")
        assert (job["state"], job["error"]["code"]) == ("dead", "size_system_unknown")
    everywhere.clock.time += 25 * HOUR
    assert priced(everywhere, MEN, "10", "ebay")["result"]["price"] == "ebay:us-10:USD"


def test_whose_sizes_a_shoe_has_at_ebay_is_seen_anew_after_a_week(everywhere: World) -> None:
    def calls(size: str) -> int:
        before = len(everywhere.calls(marketplace="ebay"))
        assert priced(everywhere, MEN, size, "ebay")["state"] == "succeeded"
        return len(everywhere.calls(marketplace="ebay")) - before

    assert [calls("10"), calls("9")] == [2, 1]
    [known] = everywhere.store.items("catalog")
    assert int(known["expires_at"]["N"]) >= int(known["own_system_at"]["N"]) // 1000 + 7 * 24 * 3600
    everywhere.clock.time += 8 * DAY
    assert [calls("8"), calls("11")] == [2, 1]


# --- eBay, and shoes that were released twice ---


def test_noise_at_ebay_costs_no_price(everywhere: World) -> None:
    clean = priced(everywhere, MEN, "10", "ebay", sizeSystem="us")
    everywhere.clock.time += HOUR // 2
    everywhere.sandbox.faults.set(Noise(path="/buy/*"))
    noisy = priced(everywhere, MEN, "10", "ebay", sizeSystem="us")
    assert float(noisy["result"]["ask"]) > 10
    [price] = everywhere.prices(MEN, marketplace="ebay")
    assert (price["more"]["left_out"], price["ask"]) == ("8", noisy["result"]["ask"])
    assert clean["state"] == "succeeded"


@pytest.mark.parametrize("marketplace", MARKETPLACES)
def test_a_shoe_with_two_styles_has_one_set_of_prices_by_either_style(everywhere: World, marketplace: str) -> None:
    sku = "315122-111/CW2288-111"
    job = priced(everywhere, sku, "10", marketplace)
    assert (job["state"], job["result"]["price"]) == ("succeeded", f"{marketplace}:us-10:USD")
    assert job["result"]["ask"] is not None
    assert [price["sku"] for price in everywhere.prices("315122 111/CW2288 111", size="10")] == [sku]
