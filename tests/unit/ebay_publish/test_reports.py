"""eBay's report of live listings: a second source, which says what is worth reading, and proves nothing."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from local.sandbox.ebay.feed.api import MOST_REPORTS, Feed
from local.sandbox.ebay.feed.faults import OddReport
from local.sandbox.faults import Forbidden, ServerError
from sluice.jobs import ask
from sluice.jobs.model.job import Job
from sluice.listings.ebay import hints, kinds, reconciler, sellers, shares, suspects, wishes
from sluice.listings.ebay.desired import FieldGroup
from sluice.listings.ebay.echo import Echo
from sluice.listings.ebay.sellers import SellerPart
from sluice.listings.ebay.suspects import MOST_WAITING, Suspects
from sluice.marketplaces.reports import ReportRow
from sluice.platform import aws
from sluice.platform.clock import DAY, HOUR, MINUTE
from sluice.platform.config.services import EBAY_INVENTORY
from sluice.platform.context import Context
from tests.support.ebay_seller import ACCOUNT, SKU, TENANT, EbaySeller
from tests.support.ebay_wanted import record
from tests.support.store import Store
from tests.unit.ebay_publish.test_comparing import look

OTHER = "SKU-2"


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, seller: EbaySeller) -> list[tuple[str, dict[str, Any]]]:
    """What is on the bus."""
    events: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(aws, "put_events", events.extend)
    return events


@pytest.fixture
def listed(seller: EbaySeller) -> EbaySeller:
    """Two listings that are live for an hour."""
    for sku in (SKU, OTHER):
        seller.put(record(sku, quantity=5))
    seller.settle()
    seller.later(3_600)
    return seller


def feed(seller: EbaySeller) -> Feed:
    [found] = [one for one in seller.sandbox.front.marketplaces if isinstance(one, Feed)]
    return found


def report(seller: EbaySeller, minutes: int = 90) -> dict[str, Any]:
    """Ask for a report, and work until it is over: its result."""
    ask.want(wishes.report(TENANT), seller.clock.time, seller.config)
    for _ in range(minutes):
        seller.tick()
        job = Job.get(kinds.report_id(TENANT))
        if not job.lane:
            assert job.state == "succeeded", job.error
            result: dict[str, Any] = job.result
            return result
        seller.later(60)
    raise AssertionError(seller.unfinished())


def waiting() -> list[str]:
    return suspects.find(ACCOUNT).first(100)


def test_a_report_that_shows_what_ebay_took_says_nothing_and_writes_no_listing(
    listed: EbaySeller, tables: Store, told: list[Any]
) -> None:
    before = tables.items("ebay_listings")
    assert report(listed) == {"outcome": "read", "rows": 2, "suspects": 0}
    assert (tables.items("ebay_listings"), told, waiting()) == (before, [], [])
    part = sellers.report_of(ACCOUNT)
    assert part
    assert (part.outcome, part.rows) == ("read", 2)
    assert part.task is None


def test_what_differs_is_told_only_when_it_was_read(listed: EbaySeller, told: list[Any]) -> None:
    listed.sandbox.ebay.edit_offer(TENANT, SKU, price="1.00")
    listed.sandbox.ebay.sell(TENANT, OTHER, 2)
    assert report(listed)["suspects"] == 2
    assert (told, sorted(waiting())) == ([], sorted([SKU, OTHER]))
    assert look(listed)["drift"] == 2
    assert sorted(detail["class"] for _, detail in told) == ["external_only", "sale"]
    assert waiting() == []
    listed.settle()
    assert report(listed)["suspects"] == 0


@pytest.mark.parametrize("by_ebay", [True, False])
def test_a_listing_that_is_not_in_the_report_is_read_before_it_has_ended(
    listed: EbaySeller, told: list[Any], by_ebay: bool
) -> None:
    listed.sandbox.ebay.end_by_hand(TENANT, SKU, by_ebay=by_ebay)
    assert report(listed)["suspects"] == 1
    assert listed.record().standing == "live"
    look(listed)
    assert [detail["class"] for _, detail in told] == ["ended"]
    assert report(listed)["suspects"] == 0


def test_a_listing_on_hold_is_found_where_reports_leave_it_out(listed: EbaySeller, told: list[Any]) -> None:
    listed.sandbox.faults.set(OddReport(without_held=True))
    listed.sandbox.ebay.hold(TENANT, SKU)
    assert report(listed)["suspects"] == 1
    look(listed)
    assert [detail["class"] for _, detail in told] == ["on_hold"]


def test_a_report_that_was_made_before_our_publish_is_not_compared(listed: EbaySeller, told: list[Any]) -> None:
    ask.want(wishes.report(TENANT), listed.clock.time, listed.config)
    listed.tick()
    listed.put(record(quantity=5, amount="200"), quick=True)
    listed.settle()
    result = report(listed)
    assert (result["outcome"], result["suspects"], told) == ("read", 0, [])


def test_a_report_of_what_was_long_ago_is_no_drift_and_read_once(listed: EbaySeller, told: list[Any]) -> None:
    report(listed)
    listed.put(record(quantity=5, amount="200"), quick=True)
    listed.settle()
    listed.later(3_600)
    listed.sandbox.faults.set(OddReport(behind=True))
    assert report(listed)["suspects"] == 1
    assert look(listed)["drift"] == 0
    for _ in range(2):
        assert report(listed)["suspects"] == 1
        assert waiting() == []
    assert told == []


def test_a_report_that_counts_otherwise_is_read_once_for_each_sale(listed: EbaySeller, told: list[Any]) -> None:
    listed.sandbox.ebay.sell(TENANT, SKU, 2)
    look(listed)
    listed.settle()
    listed.later(3_600)
    listed.sandbox.faults.set(OddReport(wrong_quantity=True))
    report(listed)
    assert waiting() == [SKU]
    assert look(listed)["drift"] == 0
    report(listed)
    assert (waiting(), len(told)) == ([], 1)


@pytest.mark.parametrize("file", ["cut", "cut_inside", "doctype", "csv", "empty", "failure"])
def test_a_file_that_cannot_be_read_is_not_known_and_never_absent(
    listed: EbaySeller, told: list[Any], file: Any
) -> None:
    listed.sandbox.faults.set(OddReport(file=file))
    assert report(listed) == {"outcome": "unreadable", "rows": 0, "suspects": 0}
    part = sellers.report_of(ACCOUNT)
    assert part
    assert "report" in (part.reason or "")
    assert part.report_at is None
    assert (waiting(), told) == ([], [])


@pytest.mark.parametrize(
    ("odd", "outcome"),
    [
        (OddReport(status="FAILED"), "failed"),
        (OddReport(status="COMPLETED_WITH_ERROR"), "failed"),
        (OddReport(seconds=10 * 3_600), "late"),
    ],
)
def test_a_report_that_fails_or_never_comes_is_given_up(
    listed: EbaySeller, told: list[Any], odd: OddReport, outcome: str
) -> None:
    listed.sandbox.faults.set(odd)
    assert report(listed)["outcome"] == outcome
    assert (waiting(), told) == ([], [])
    listed.sandbox.faults.clear()
    assert report(listed)["outcome"] == "read"


def test_a_report_without_any_of_our_listings_is_of_something_else(listed: EbaySeller) -> None:
    listed.sandbox.faults.set(OddReport(without_held=True))
    for sku in (SKU, OTHER):
        listed.sandbox.ebay.hold(TENANT, sku)
    assert report(listed)["outcome"] == "not_ours"
    assert waiting() == []


def test_an_account_that_may_not_have_reports_is_asked_again_tomorrow_and_looked_at_all_the_same(
    listed: EbaySeller, told: list[Any]
) -> None:
    listed.sandbox.faults.set(Forbidden(path="/sell/feed/*"))
    listed.sandbox.ebay.edit_offer(TENANT, SKU, price="1.00")
    assert report(listed)["outcome"] == "not_allowed"
    progress = sellers.progress_of(ACCOUNT)
    assert progress
    assert progress.report_due_at == listed.clock.time + DAY
    assert look(listed)["drift"] == 1


def test_when_the_days_reports_are_used_up_anothers_fresh_one_serves(listed: EbaySeller) -> None:
    tasks, now = feed(listed).tasks, listed.clock.time
    for number in range(MOST_REPORTS):
        call(listed, "POST", "/sell/feed/v1/inventory_task")
        assert len(tasks[TENANT]) == number + 1
    assert report(listed)["outcome"] == "read"
    assert len(tasks[TENANT]) == MOST_REPORTS
    listed.later(2 * 3_600)
    assert report(listed)["outcome"] == "used_up"
    progress = sellers.progress_of(ACCOUNT)
    assert progress
    assert abs((progress.report_due_at or 0) - listed.clock.time - HOUR) < MINUTE
    assert listed.clock.time - now < DAY


def call(seller: EbaySeller, method: str, path: str) -> None:
    """Another program of the seller asks eBay for a report."""
    from local.sandbox.call import Call

    body = b'{"feedType": "LMS_ACTIVE_INVENTORY_REPORT", "schemaVersion": "1.0"}'
    [token] = [token for (audience, token) in seller.sandbox.accounts._access_tokens if audience == "ebay-user"][-1:]
    headers = {"authorization": f"Bearer {token}", "content-length": str(len(body))}
    feed(seller).answer(Call(method, path, {}, headers, body, seller.clock.time))


def test_a_lost_answer_costs_no_second_report(listed: EbaySeller) -> None:
    lost = [True]

    def after(request: httpx.Request, response: httpx.Response) -> None:
        if lost and request.method == "POST" and request.url.path.endswith("/inventory_task"):
            lost.clear()
            raise httpx.ReadError("the answer was lost", request=request)

    listed.wire.after = after
    assert report(listed)["outcome"] == "read"
    assert len(feed(listed).tasks[TENANT]) == 1


def test_an_outage_is_waited_for(listed: EbaySeller) -> None:
    listed.sandbox.faults.set(ServerError(status=500, path="/sell/feed/*", last=2))
    assert report(listed)["outcome"] == "read"
    assert len(feed(listed).tasks[TENANT]) == 1


def test_it_is_asked_for_where_looks_alone_take_longer_and_once_in_its_time(listed: EbaySeller) -> None:
    def minutes(number: int) -> int:
        before = len(feed(listed).tasks[TENANT])
        for _ in range(number):
            listed.later(60)
            reconciler.run(Context(listed.clock, listed.config))
            listed.tick()
        return len(feed(listed).tasks[TENANT]) - before

    look(listed)
    assert minutes(5) == 0  # a round takes a minute
    slow = {
        **listed.config.limits,
        EBAY_INVENTORY: listed.config.limits[EBAY_INVENTORY].override(windows=[{"calls": 200, "per": "day"}]),
    }
    listed.config = replace(listed.config, limits=slow)
    assert [minutes(60), minutes(58), minutes(58)] == [2, 1, 1]
    listed.configure(ebay=replace(listed.config.ebay, report_minutes=0))
    assert minutes(70) == 0


def test_two_accounts_of_one_application_each_have_their_own() -> None:
    one, other = (SellerPart(sellers.LOOKS, name, listings=10_000) for name in ("ebay:a", "ebay:b"))
    other.report_due_at = 10 * DAY
    due = [shares.is_report_due(each, 20_000, 58 * MINUTE, 9 * DAY) for each in (one, other)]
    assert due == [True, False]
    assert not shares.is_report_due(one, 500_000, 58 * MINUTE, 9 * DAY)
    assert not shares.is_report_due(one, 0, 58 * MINUTE, 9 * DAY)


ACCEPTED = Echo(
    {
        FieldGroup.PRICE: {"price": {"value": "245", "currency": "USD"}},
        FieldGroup.QUANTITY: {"item": {"shipToLocationAvailability": {"quantity": 5}}, "offer": 3},
    },
    "1",
    "live",
)


@pytest.mark.parametrize(
    ("rows", "differs"),
    [
        ([ReportRow("1", SKU, "245.0", "USD", 3)], False),
        ([ReportRow("1", "another tool's", "245.00", "USD", 3)], False),
        ([ReportRow("1", SKU, "245", "GBP", 3)], False),  # shown in another currency: not known
        ([ReportRow("1", SKU, None, None, None)], False),
        ([ReportRow("1", SKU, "244.99", "USD", 3)], True),
        ([ReportRow("1", SKU, "245.0", "USD", 5)], True),
        ([ReportRow("1", SKU, "245.0", "USD", 0)], True),
        ([], True),
        ([ReportRow("1", "a", "1", "USD", 3), ReportRow("1", SKU, "245", "USD", 3)], False),
        ([ReportRow("1", "a", "245", "USD", 3), ReportRow("1", "b", "245", "USD", 3)], True),  # its size is not there
    ],
)
def test_what_of_a_report_is_a_hint(rows: list[ReportRow], differs: bool) -> None:
    assert (hints.of_report(ACCEPTED, SKU, rows) is not None) is differs


def test_a_hint_that_was_read_counts_again_when_it_changes() -> None:
    first = Suspects().hinted("r", {"a": "x"}, ["a", "b"])
    assert first.first(10) == ["a"]
    done = first.read(["a"], [])
    assert (done.waiting, done.hinted("r", {"a": "x"}, ["a"])) == ({}, done)
    assert done.hinted("r", {"a": "y"}, ["a"]).first(10) == ["a"]
    assert done.hinted("r", {}, ["a"]).hinted("r", {"a": "x"}, ["a"]).first(10) == ["a"]
    assert done.hinted("i", {"a": "x"}, ["a"]).first(10) == ["a"]
    # One of which nothing is known now is not checked.
    assert first.read([], ["a"]).hinted("r", {"a": "x"}, ["a"]).first(10) == ["a"]


def test_more_suspects_than_can_be_read_do_not_wait() -> None:
    many = {f"S-{number}": "x" for number in range(MOST_WAITING + 5)}
    assert len(Suspects().hinted("r", many, many).waiting) == MOST_WAITING


def test_two_that_change_an_accounts_suspects_lose_nothing(seller: EbaySeller, monkeypatch: pytest.MonkeyPatch) -> None:
    raced, read = [True], suspects._read

    def late(account: str) -> tuple[Suspects, int | None]:
        found = read(account)
        if raced:
            raced.clear()
            suspects.change(account, lambda before: before.hinted("i", {"a": "x"}, ["a"]))
        return found

    monkeypatch.setattr(suspects, "_read", late)
    suspects.change(ACCOUNT, lambda before: before.hinted("r", {"b": "y"}, ["b"]))
    assert sorted(suspects.find(ACCOUNT).first(10)) == ["a", "b"]
