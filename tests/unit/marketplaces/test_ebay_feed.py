"""The Feed API: reports are asked for, waited for and read; a file that is no whole report is none."""

import gzip
import io
import zipfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.sandbox.ebay.feed.api import MOST_REPORTS
from local.sandbox.ebay.feed.faults import OddReport
from local.sandbox.faults import Forbidden, ServerError
from sluice.jobs.model.outcomes import Then
from sluice.marketplaces.ebay import report_file
from sluice.marketplaces.ebay.report_file import rows_of
from sluice.marketplaces.http.errors import BadAnswer, MarketplaceFailure
from sluice.marketplaces.reports import ReportRow, ReportsUsedUp, is_refusal
from sluice.platform.clock import HOUR, MINUTE
from tests.support.ebay_shop import SKU, EbayShop, item_body, offer_body

HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
SPACE = 'xmlns="urn:ebay:apis:eBLBaseComponents"'
PRICE = '<Price currencyID="USD">15.38</Price>'
ONE = f"<SKUDetails><SKU>A-1</SKU>{PRICE}<Quantity>1</Quantity><ItemID>206</ItemID></SKUDetails>"
ROW = ReportRow("206", "A-1", "15.38", "USD", 1)


def whole(inside: str = ONE) -> bytes:
    body = f"<ActiveInventoryReport>{inside}</ActiveInventoryReport>"
    return f"{HEAD}\n<BulkDataExchangeResponses {SPACE}>{body}</BulkDataExchangeResponses>".encode()


def zipped(*files: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for number, data in enumerate(files):
            archive.writestr(f"{number}.xml", data)
    return buffer.getvalue()


@pytest.fixture
def shop() -> EbayShop:
    return EbayShop()


def ready(shop: EbayShop) -> str:
    task_id = shop.feed.ask()
    shop.clock.time += 6 * MINUTE
    return task_id


def test_a_report_is_asked_for_waited_for_and_read(shop: EbayShop) -> None:
    _, listing_id = shop.publish()
    task_id = shop.feed.ask()
    task = shop.feed.task(task_id)
    assert task
    assert (task.task_id, task.made_at, task.ready, task.failed) == (task_id, shop.clock.time, False, False)
    shop.clock.time += 6 * MINUTE
    task = shop.feed.task(task_id)
    assert task
    assert task.ready
    assert shop.feed.rows(task_id) == [ReportRow(listing_id, SKU, "245.0", "USD", 1)]


@pytest.mark.parametrize(("price", "told"), [("245.00", "245.0"), ("1234567.89", "1234567.89"), ("0.99", "0.99")])
def test_a_report_tells_a_price_to_the_cent(shop: EbayShop, price: str, told: str) -> None:
    shop.publish(price=price)
    [row] = shop.feed.rows(ready(shop))
    assert row.amount == told


def test_the_sizes_of_a_group_are_rows_of_one_listing(shop: EbayShop) -> None:
    for sku, size in (("one", "9"), ("two", "10")):
        shop.inventory.put_item(sku, item_body(aspects={"US Shoe Size": [size], "Department": ["Men"]}))
        shop.inventory.create_offer(offer_body(sku, price=f"{size}0.00"))
    group = {
        "title": "Shoes",
        "description": "New in box.",
        "imageUrls": ["https://shop.example/a.jpg"],
        "variantSKUs": ["one", "two"],
        "variesBy": {"specifications": [{"name": "US Shoe Size", "values": ["9", "10"]}]},
    }
    shop.inventory.put_group("shoes", group)
    listing_id = shop.inventory.publish_group("shoes", "EBAY_US").made
    assert shop.feed.rows(ready(shop)) == [
        ReportRow(listing_id, "one", "90.0", "USD", 1),
        ReportRow(listing_id, "two", "100.0", "USD", 1),
    ]


def test_a_task_that_is_not_there_is_none_and_one_that_failed_says_so(shop: EbayShop) -> None:
    assert shop.feed.task("none") is None
    for status in ("FAILED", "COMPLETED_WITH_ERROR", "ABORTED"):
        shop.world.faults.set(OddReport(status=status))
        task = shop.feed.task(ready(shop))
        assert task
        assert (task.ready, task.failed) == (False, True)


def test_the_newest_task_is_found_unless_it_is_too_old(shop: EbayShop) -> None:
    assert shop.feed.newest(0) is None
    ready(shop)
    task_id, made = ready(shop), shop.clock.time - 6 * MINUTE
    found = shop.feed.newest(made)
    assert found
    assert (found.task_id, found.made_at) == (task_id, made)
    assert shop.feed.newest(made + 1) is None


def test_one_report_above_the_days_is_refused_for_an_hour(shop: EbayShop) -> None:
    for _ in range(MOST_REPORTS):
        shop.feed.ask()
    with pytest.raises(ReportsUsedUp) as caught:
        shop.feed.ask()
    assert (caught.value.action, caught.value.code) == (Then.SNOOZE, "160025")
    assert caught.value.retry_at == shop.clock.time + HOUR


def test_a_missing_scope_is_a_refusal_and_an_outage_is_none(shop: EbayShop) -> None:
    shop.world.faults.set(Forbidden(path="/sell/feed/*"))
    with pytest.raises(MarketplaceFailure) as caught:
        shop.feed.ask()
    assert is_refusal(caught.value)
    shop.world.faults.set(ServerError(status=500, path="/sell/feed/*"))
    with pytest.raises(MarketplaceFailure) as caught:
        shop.feed.ask()
    assert (caught.value.action, is_refusal(caught.value)) == (Then.RETRY, False)


@pytest.mark.parametrize("file", ["zip", "gzip", "plain"])
def test_however_a_report_is_packed_it_is_read(shop: EbayShop, file: Any) -> None:
    shop.publish()
    shop.world.faults.set(OddReport(file=file))
    assert len(shop.feed.rows(ready(shop))) == 1


@pytest.mark.parametrize("file", ["cut", "cut_inside", "bomb", "doctype", "csv", "empty", "failure"])
def test_a_file_that_is_no_whole_report_is_none(shop: EbayShop, file: Any) -> None:
    shop.publish()
    shop.world.faults.set(OddReport(file=file))
    task_id = ready(shop)
    with pytest.raises(BadAnswer, match="the report"):
        shop.feed.rows(task_id)


@pytest.mark.parametrize(
    ("inside", "rows"),
    [
        (ONE, [ROW]),
        ("", []),
        (f"<Ack>Success</Ack><Timestamp>2026-11-28T10:00:00Z</Timestamp>{ONE}<Build>1</Build>", [ROW]),
        (f"<Ack>Warning</Ack>{ONE}", [ROW]),
        ("<SKUDetails><SKU>A-1</SKU><Quantity>1</Quantity></SKUDetails>" + ONE, [ROW]),
        ("<SKUDetails><ItemID>no number</ItemID></SKUDetails>", []),
        ("<SKUDetails><ItemID>206</ItemID></SKUDetails>", [ReportRow("206", None, None, None, None)]),
        (
            "<SKUDetails><ItemID>206</ItemID><Price>1e9</Price><Quantity>-1</Quantity></SKUDetails>",
            [ReportRow("206", None, None, None, None)],
        ),
        (
            "<SKUDetails><SKU>P</SKU><Price currencyID='USD'>9</Price><ItemID>7</ItemID><Variations>"
            "<Variation><SKU>a</SKU><Price currencyID='EUR'>10.5</Price><Quantity>2</Quantity><VariationSpecifics>"
            "<NameValueList><Name>SKU</Name><Value>x</Value></NameValueList></VariationSpecifics></Variation>"
            "<Variation><SKU>b</SKU></Variation></Variations></SKUDetails>",
            [ReportRow("7", "a", "10.5", "EUR", 2), ReportRow("7", "b", None, None, None)],
        ),
        (f"<Other><SKU>zzz</SKU></Other>{ONE}", [ROW]),
        (
            "<SKUDetails><SKU>a &amp; b</SKU><ItemID>7</ItemID></SKUDetails>",
            [ReportRow("7", "a & b", None, None, None)],
        ),
    ],
)
def test_what_a_report_says(inside: str, rows: list[ReportRow]) -> None:
    for data in (whole(inside), zipped(whole(inside)), gzip.compress(whole(inside))):
        assert rows_of(data, "ebay") == rows


def test_a_report_without_wrapper_or_namespace_is_one_too() -> None:
    assert rows_of(f"<ActiveInventoryReport>{ONE}</ActiveInventoryReport>".encode(), "ebay") == [ROW]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00" * 100,
        b"PK\x03\x04" + b"\x00" * 100,
        b"\x1f\x8b" + b"\x00" * 100,
        zipped(),
        zipped(whole(), whole()),
        zipped(whole(), method=zipfile.ZIP_BZIP2),
        zipped(b"Item ID,SKU\n1,2\n"),
        zipped(zipped(whole())),
        gzip.compress(whole())[:-9],
        gzip.compress(whole()) + b"rest",
        whole()[:-5],
        whole() + b"<more/>",
        whole("<Ack>Failure</Ack>"),
        whole("<Ack>PartialFailure</Ack>" + ONE),
        b"<html><body>Sign in</body></html>",
        b"<BulkDataExchangeResponses></BulkDataExchangeResponses>",
        HEAD.encode() + b'<!DOCTYPE x [<!ENTITY a "b">]><ActiveInventoryReport>&a;</ActiveInventoryReport>',
        b"<ActiveInventoryReport>&lol;</ActiveInventoryReport>",
        whole("<a>" * 100 + "</a>" * 100),
        b'<?xml version="1.0" encoding="none"?><ActiveInventoryReport/>',
    ],
)
def test_anything_else_is_no_report(data: bytes) -> None:
    with pytest.raises(BadAnswer):
        rows_of(data, "ebay")


def test_a_report_beyond_all_bounds_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_file, "MOST_ROWS", 3)
    assert len(rows_of(whole(ONE * 3), "ebay")) == 3
    with pytest.raises(BadAnswer, match="more than 3 rows"):
        rows_of(whole(ONE * 4), "ebay")
    monkeypatch.setattr(report_file, "MOST_BYTES", len(whole()))
    assert rows_of(zipped(whole()), "ebay") == [ROW]
    with pytest.raises(BadAnswer, match="bytes"):
        rows_of(zipped(whole() + b" "), "ebay")


@given(st.data())
def test_a_report_that_is_cut_or_damaged_is_never_a_smaller_one(data: st.DataObject) -> None:
    """Whatever becomes of a file: all its rows, or none of it. What a damaged one says is another matter."""
    many = whole("".join(ONE.replace("206", str(1_000 + number)) for number in range(20)))
    file = data.draw(st.sampled_from([many, zipped(many), gzip.compress(many)]))
    cut = file[: data.draw(st.integers(0, len(file) - 1))]
    with pytest.raises(BadAnswer):
        rows_of(cut, "ebay")


@given(st.binary(max_size=300), st.sampled_from([b"", b"PK\x03\x04", b"\x1f\x8b\x08\x00", b"<a>", HEAD.encode()]))
def test_no_file_breaks_the_reader(data: bytes, begins: bytes) -> None:
    try:
        rows_of(begins + data, "ebay")
    except BadAnswer:
        return
