"""Sizes and SKUs of items: one shoe is one item however its size is written, and why it has no price stands at it."""

from typing import Any

import pytest

from sluice.catalog import table as catalog
from sluice.jobs.model.job import Job
from sluice.platform.clock import HOUR
from tests.support.http import call
from tests.unit.inventory.conftest import Seller

WOMEN = [["v-8", "us-w", {"us-w": "8", "us": "6.5"}], ["v-9.5", "us-w", {"us-w": "9.5", "us": "8"}]]


def shown(seller: Seller) -> list[tuple[str, str | None]]:
    return [(one["size"], one["sizeSystem"]) for one in seller.portfolio()["items"]]


def price(item: dict[str, Any], marketplace: str) -> Any:
    [found] = [one for one in item["prices"] if one["marketplace"] == marketplace]
    return found


def test_a_bare_size_is_the_products_own_once_its_chart_is_known(seller: Seller) -> None:
    seller.add({"sku": "DD1503-101", "size": "8"})
    assert shown(seller) == [("8", None)]
    seller.know("stockx", "DD1503-101", variants=WOMEN)
    assert shown(seller) == [("8", "us-w")]
    seller.clock.time += 1
    [again] = seller.add({"sku": "DD1503-101", "size": "8W"}).json["items"]
    assert (again["outcome"], len(seller.items())) == ("exists", 1)
    jobs = {name for name in seller.jobs() if "us-w-8" in name}
    assert jobs == {f"{name}:DD1503-101:us-w-8:USD" for name in ("stockx", "alias", "ebay")}


@pytest.mark.parametrize("size", ["8W", "W 8", "8,0", "8.00", "US 8"])
def test_one_shoe_is_one_item_however_its_size_is_written(seller: Seller, size: str) -> None:
    seller.know("stockx", "DD1503-101", variants=WOMEN)
    [first, second] = seller.add({"sku": "DD1503-101", "size": "8"}, {"sku": "DD1503 101", "size": size}).json["items"]
    assert (first["outcome"], second["itemId"]) == ("created", first["itemId"])
    [item] = seller.portfolio()["items"]
    assert (item["size"], item["sizeSystem"], item["quantity"]) == ("8", "us-w", 2)


def test_an_item_of_an_older_version_is_found_by_its_letter_and_read_as_what_it_says(seller: Seller) -> None:
    seller.own("DD1503-101", "6", marketplaces=["stockx"])
    [row] = seller.items()
    old = {**row, "item": {"S": "DD1503-101:us-8W"}, "size": {"S": "8W"}, "size_system": {"S": "us"}}
    seller.store.put("inventory", old)
    seller.know("stockx", "DD1503-101", variants=WOMEN)
    assert ("8", "us-w") in shown(seller)
    seller.clock.time += 1
    [again] = seller.add({"sku": "DD1503-101", "size": "8W", "marketplaces": ["stockx"]}).json["items"]
    assert again["outcome"] == "exists"


def test_items_come_by_size_and_not_by_text(seller: Seller) -> None:
    for size in ("10", "3.5", "10.5", "9"):
        seller.own("DD1391-100", size)
    seller.own("AA1", "12")
    assert [(one["sku"], one["size"]) for one in seller.portfolio()["items"]] == [
        ("AA1", "12"),
        ("DD1391-100", "3.5"),
        ("DD1391-100", "9"),
        ("DD1391-100", "10"),
        ("DD1391-100", "10.5"),
    ]


def test_why_there_is_no_price_stands_at_the_item_and_nobody_asks_again(seller: Seller) -> None:
    item_id = seller.own("NO-SUCH-STYLE", marketplaces=["stockx", "alias"])
    for job in Job.scan():
        job.delete()
    catalog.note_problem("stockx", "NO-SUCH-STYLE", "product_unknown", "stockx has no such style", seller.clock.time)
    seller.clock.time += 2 * HOUR
    item = call("GET", f"/v1/inventory/{item_id}").json
    assert price(item, "stockx")["problem"]["code"] == "product_unknown"
    assert "stockx has no such style; it is asked again after" in price(item, "stockx")["problem"]["message"]
    assert "problem" not in price(item, "alias")
    seller.deliver()
    assert seller.jobs().keys() == {"alias:NO-SUCH-STYLE:us-10:USD"}
    seller.clock.time += 23 * HOUR
    assert "problem" not in price(call("GET", f"/v1/inventory/{item_id}").json, "stockx")


def test_a_size_that_the_product_lacks_has_its_reason_at_the_item(seller: Seller) -> None:
    seller.know("stockx", "DD1391-100")
    seller.know("alias", "DD1391-100")
    item = call("GET", f"/v1/inventory/{seller.own('DD1391-100', '12')}").json
    for name in ("stockx", "alias", "ebay"):
        assert price(item, name)["problem"] == {
            "code": "size_unknown",
            "message": "DD1391-100 has no size 12 in us; it has 9, 10",
        }


SHEET = """sku,size,cost,currency
DD1391-100,10. Mai,110,USD
DD1391-100,7-Jun,,USD
DD1391-100,45787,,USD
2.19E+26,10,,USD
"1,23E+12",10,,USD
TRUE,10,,USD
D\u0410391,10,,USD
DD1391-100,10½,,USD
DD1391\u00a0101,10,,USD
"""


def test_cells_that_a_spreadsheet_has_changed_are_refused_row_by_row(seller: Seller) -> None:
    told = seller.upload(SHEET).json
    refused = {row["line"]: (row["fields"][0]["field"], row["fields"][0]["message"]) for row in told["refused"]}
    assert {line: field for line, (field, _) in refused.items()} == {
        2: "size", 3: "size", 4: "size", 5: "sku", 6: "sku", 7: "sku", 8: "sku",
    }  # fmt: skip
    assert all("a spreadsheet has changed this cell" in refused[line][1] for line in range(2, 8))
    assert "U+0410 CYRILLIC CAPITAL LETTER A" in refused[8][1]
    seller.deliver()
    assert [(one["sku"], one["size"]) for one in seller.portfolio()["items"]] == [
        ("DD1391-100", "10.5"),
        ("DD1391-101", "10"),
    ]
