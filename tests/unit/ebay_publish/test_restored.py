"""A restored record is older than what eBay may show: differences are asked about, and nothing is published unasked."""

from dataclasses import replace
from pathlib import Path

import pytest

from sluice.listings.ebay.kinds import PUBLISH
from sluice.platform.clock import HOUR, SECOND
from sluice.platform.config import pause_table
from sluice.platform.http import routing
from tests.support import backup
from tests.support.ebay_seller import SKU, TENANT, EbaySeller
from tests.support.ebay_wanted import record
from tests.support.http import call
from tests.support.store import Store
from tests.unit.ebay_publish.test_comparing import look


def price(seller: EbaySeller) -> str:
    shown: str = seller.shop.offers_of(SKU)[0].body["pricingSummary"]["price"]["value"]
    return shown


@pytest.mark.parametrize(("said", "price_after"), [("ours", "245.00"), ("theirs", "225.00")])
def test_what_was_published_after_the_backup_is_a_case_and_not_healed(
    seller: EbaySeller, tables: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, price_after: str
) -> None:
    monkeypatch.setattr(routing, "clock", seller.clock)
    want = record(quantity=5)
    seller.put(want)
    seller.settle()
    items, at = backup.take(tables), seller.clock.time
    seller.put(replace(want, price=want.price._replace(amount="225")))
    seller.settle()
    assert price(seller) == "225.00"
    seller.later(60)
    assert backup.restore(tables, items, tmp_path, at, seller.clock.time, seller.config) == []
    assert seller.record().wanted.price.amount == "245"
    seller.later(HOUR / SECOND)
    assert look(seller)["drift"] == 1
    seller.settle()
    assert price(seller) == "225.00"
    [row] = seller.record().drift
    answer = call("POST", f"/v1/ebay/cases/{row['case']}", body={"answer": said}, tenant=TENANT)
    assert answer.status == 200, answer.text
    seller.settle()
    assert price(seller) == price_after
    assert len(seller.live()) == 1


def test_a_publish_of_the_record_ends_the_asking(seller: EbaySeller, tables: Store, tmp_path: Path) -> None:
    want = record(quantity=5)
    seller.put(want)
    seller.settle()
    backup.restore(tables, backup.take(tables), tmp_path, seller.clock.time, seller.clock.time, seller.config)
    assert seller.record().restored_at == seller.clock.time
    seller.later(HOUR / SECOND)
    seller.put(replace(want, price=want.price._replace(amount="230")))
    seller.settle()
    assert seller.record().restored_at is None
    seller.sandbox.ebay.edit_offer(TENANT, SKU, price="1.00")
    assert look(seller)["drift"] == 1
    seller.settle()
    assert price(seller) == "230.00"  # healed, as the record says


def test_publishing_waits_until_somebody_resumes_it(seller: EbaySeller, tables: Store, tmp_path: Path) -> None:
    seller.put(record())
    backup.restore(tables, backup.take(tables), tmp_path, seller.clock.time, seller.clock.time, seller.config)
    seller.later(HOUR / SECOND)
    seller.config = replace(seller.config, pauses=pause_table.read())
    seller.tick()
    assert seller.job().state == "queued"
    assert seller.live() == []
    pause_table.remove(PUBLISH.name, deployment=True)
    seller.config = replace(seller.config, pauses=pause_table.read())
    seller.settle()
    assert len(seller.live()) == 1
