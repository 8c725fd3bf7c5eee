"""What all records of a batch have in common (policies, places, categories, who else sells) is read once for all."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from sluice.jobs.model import keys
from sluice.listings.ebay import many, sellers
from sluice.listings.ebay.asking import Done
from sluice.listings.ebay.change import Asker
from sluice.listings.ebay.documents import document
from sluice.listings.ebay.sellers import Places
from sluice.platform import tables as platform_tables
from tests.support.ebay_seller import ACCOUNT, TENANT, EbaySeller
from tests.support.ebay_wanted import SHOES, record, size
from tests.support.store import Answer, Request, Send, Store

COMMON = ("ebay-sellers", "ebay-categories", "accounts")
MANY = 12


@pytest.fixture
def common(tables: Store) -> Callable[[], Counter[tuple[str, str]]]:
    """Reads of what records have in common, each by its table and key, since it was called last."""
    seen: Counter[tuple[str, str]] = Counter()

    def around(request: Request, send: Send) -> Answer:
        parameters: dict[str, Any] = request.parameters
        table = str(parameters.get("TableName", "")).removeprefix(platform_tables.name("x")[:-1])
        if request.operation == "GetItem" and table in COMMON:
            seen[table, str(sorted(one["S"] for one in parameters["Key"].values()))] += 1
        return send()

    def since() -> Counter[tuple[str, str]]:
        found = Counter(seen)
        seen.clear()
        return found

    tables.around = around
    return since


def of_seller(found: Counter[tuple[str, str]], part: str) -> int:
    return found["ebay-sellers", str(sorted((ACCOUNT, part)))]


def by(seller: EbaySeller) -> Asker:
    return Asker(TENANT, "ann", seller.clock.time, "put", seller.config)


def test_a_group_reads_policies_and_its_category_once_however_many_sizes_it_has(
    seller: EbaySeller, common: Callable[[], Counter[tuple[str, str]]]
) -> None:
    seller.put_group(SHOES, *(size(str(number)) for number in range(1, MANY + 1)))
    seller.settle()
    assert len(seller.live()) == 1
    seller.put_group(SHOES, *(size(str(number), "199") for number in range(1, MANY + 1)))
    seller.later(31)
    common()
    seller.tick()
    found = common()
    assert seller.record("J1-1").is_published
    assert of_seller(found, "EBAY_US") == 1


def test_a_group_that_is_new_asks_who_else_sells_once(
    seller: EbaySeller, common: Callable[[], Counter[tuple[str, str]]]
) -> None:
    many.put(by(seller), [document(record())])  # its policies and category are read for it
    seller.settle()
    seller.put_group(SHOES, *(size(str(number)) for number in range(1, MANY + 1)))
    seller.later(31)
    common()
    seller.tick()
    found = common()
    assert len(seller.live()) == 2
    assert of_seller(found, "EBAY_US") == 1
    assert found["ebay-categories", str(sorted(("EBAY_US", "15709")))] == 1


def test_prices_that_go_together_read_policies_once(
    seller: EbaySeller, common: Callable[[], Counter[tuple[str, str]]]
) -> None:
    skus = [f"S-{number}" for number in range(MANY)]
    for sku in skus:
        seller.put(record(sku))
    seller.settle()
    for sku in skus:
        seller.put(record(sku, "199"), quick=True)
    seller.later(6)
    common()
    seller.sandbox.log.clear()
    seller.tick()
    found = common()
    assert seller.calls() == ["POST bulk_update_price_quantity"]
    assert of_seller(found, "EBAY_US") == 1


def test_records_of_one_request_are_checked_with_one_reading(
    seller: EbaySeller, common: Callable[[], Counter[tuple[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    sellers.remember_places(ACCOUNT, Places([{"key": "home", "name": "Home", "enabled": True}], seller.clock.time))
    monkeypatch.setattr(many, "THREADS", 1)
    common()
    done = many.put(by(seller), [document(record(f"S-{number}")) for number in range(MANY)])
    assert all(isinstance(one, Done) for one in done)
    found = common()
    assert {count for (table, _), count in found.items() if table != "accounts"} == {1}
    assert found["accounts", str([keys.account("ebay", TENANT)])] == 1
