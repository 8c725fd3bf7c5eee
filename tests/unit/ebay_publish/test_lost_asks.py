"""What is asked for beside a change of a record is not lost where a request of that is: it is asked for before the
change counts, or together with it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from local.sandbox.ebay.inventory.faults import RefuseListing
from sluice.jobs.model.job import Job
from sluice.jobs.model.states import FINAL
from sluice.listings.ebay import answers, following, kinds, many, sellers
from sluice.listings.ebay import table as records
from sluice.listings.ebay.change import Asker
from sluice.listings.ebay.desired import Desired, FieldGroup, OnDrift
from sluice.listings.ebay.documents import document
from sluice.platform import aws
from sluice.platform.http import routing
from tests.support.ebay_seller import ACCOUNT, SKU, TENANT, EbaySeller
from tests.support.ebay_wanted import SHOES, record, size
from tests.support.http import Answer, call
from tests.support.store import Answer as Stored
from tests.support.store import Request, Send, Store
from tests.unit.ebay_publish.test_comparing import look

WRITES = ("UpdateItem", "PutItem", "TransactWriteItems", "DeleteItem")


@pytest.fixture(autouse=True)
def on_the_clock(seller: EbaySeller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routing, "clock", seller.clock)
    monkeypatch.setattr(aws, "put_events", lambda events: None)


@contextmanager
def refused(tables: Store, at: int, about: str) -> Iterator[list[str]]:
    """The write number `at`, from 1, that names `about` never arrives. What those were so far is in the list."""
    seen: list[str] = []

    def around(request: Request, send: Send) -> Stored:
        if request.operation in WRITES and about in str(request.parameters):
            seen.append(request.operation)
            if len(seen) == at:
                raise EndpointConnectionError(endpoint_url="nowhere")
        return send()

    tables.around = around
    try:
        yield seen
    finally:
        tables.around = None


def put(sku: str = SKU, **changes: Any) -> Answer:
    said = {**document(record(sku)), **changes}
    return call("PUT", f"/v1/ebay/listings/{sku}", body={k: v for k, v in said.items() if k != "sku"}, tenant=TENANT)


def reading() -> bool:
    """Whether somebody reads what the category of these records asks for."""
    try:
        return bool(Job.get(kinds.category_id(TENANT, "EBAY_US", "15709")).lane)
    except Job.DoesNotExist:
        return False


def test_a_record_whose_category_could_not_be_asked_for_is_put_again_as_a_whole(
    seller: EbaySeller, tables: Store
) -> None:
    with refused(tables, 1, "category.read"):
        assert put().status >= 500
    assert records.find(TENANT, SKU) is None
    assert (put().status, reading()) == (202, True)


def test_the_next_record_asks_for_the_category_that_could_not_be_asked_for(
    seller: EbaySeller, tables: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many, "THREADS", 1)
    by = Asker(TENANT, "ann", seller.clock.time, "import", seller.config)
    wanted: list[Callable[[], Desired]] = [lambda: record("S-1"), lambda: record("S-2")]
    with refused(tables, 1, "category.read"):
        many.store(by, wanted, unless_newer=True)
    assert reading()


def test_policies_that_could_not_be_asked_for_are_asked_for_by_the_next_record(
    seller: EbaySeller, tables: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EbaySeller, "_observe", lambda *_: None)
    for sku in ("S-1", "S-2"):
        seller.put(record(sku))
    seller.later(31)
    with refused(tables, 1, "seller.policies"):
        seller.tick()
    assert Job.get(kinds.policies_id(TENANT, "EBAY_US")).job_id
    seller.settle()
    assert len(seller.live()) == 2


@pytest.mark.parametrize(("at", "about"), [(1, "listing.publish"), (1, "ebay-listings")])
def test_what_is_to_be_mended_is_mended_though_a_look_was_broken(
    seller: EbaySeller, tables: Store, monkeypatch: pytest.MonkeyPatch, at: int, about: str
) -> None:
    monkeypatch.setattr(EbaySeller, "_observe", lambda *_: None)
    seller.put(record(quantity=3))
    seller.settle()
    seller.sandbox.ebay.edit_offer(TENANT, SKU, price="1.00")
    with refused(tables, at, about) as seen:
        look(seller)
    assert len(seen) >= at
    for _ in range(3):
        seller.settle()
        look(seller)
    seller.settle()
    assert seller.shop.offers_of(SKU)[0].body["pricingSummary"]["price"]["value"] == "245.00"


@pytest.mark.parametrize("at", range(1, 4))
@pytest.mark.parametrize("about", ["listing.publish", "ebay-listings"])
def test_an_answer_that_was_not_answered_can_be_given_again(
    seller: EbaySeller, tables: Store, at: int, about: str
) -> None:
    seller.put(record(quantity=3, on_drift={**record().on_drift, FieldGroup.PRICE: OnDrift.ASK}))
    seller.settle()
    seller.sandbox.ebay.edit_offer(TENANT, SKU, price="1.00")
    look(seller)
    [row] = seller.record().drift
    path = f"/v1/ebay/cases/{row['case']}"
    with refused(tables, at, about):
        first = call("POST", path, body={"answer": "ours"}, tenant=TENANT)
    if first.status >= 500:
        assert call("POST", path, body={"answer": "ours"}, tenant=TENANT).status == 200
    seller.settle()
    assert seller.shop.offers_of(SKU)[0].body["pricingSummary"]["price"]["value"] == "245.00"
    assert not seller.record().drift


@pytest.mark.parametrize("grouped", [False, True])
def test_an_account_is_watched_though_the_note_of_it_was_lost_once(
    seller: EbaySeller, tables: Store, monkeypatch: pytest.MonkeyPatch, grouped: bool
) -> None:
    monkeypatch.setattr(EbaySeller, "_observe", lambda *_: None)
    if grouped:
        seller.put_group(SHOES, size("9"), size("10"))
    else:
        seller.put(record())
    with refused(tables, 1, sellers.LOOKS) as seen:
        seller.settle()
    assert seen
    assert len(seller.live()) == 1
    assert sellers.progress_of(ACCOUNT)


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_group_that_a_size_has_left_is_published_though_a_request_was_lost(
    seller: EbaySeller, tables: Store, at: int
) -> None:
    seller.sandbox.faults.set(RefuseListing(error_id=25003, call="create_offer", sku="J1-9"))
    seller.put_group(SHOES, size("9"), size("10"))
    seller.settle()
    seller.sandbox.faults.clear()
    of_group = kinds.publish_id(records.group_owner(TENANT), SHOES.key)
    assert Job.get(of_group).state in FINAL
    alone = {**document(size("9")), "description": "<p>New.</p>", "group": None}
    with refused(tables, at, "listing.publish"):
        put("J1-9", **{name: value for name, value in alone.items() if name != "sku"})
    put("J1-9", **{name: value for name, value in alone.items() if name != "sku"})
    assert Job.get(of_group).state not in FINAL
    seller.settle()
    assert {one.sku for one in seller.shop.offers.values() if one.status == "PUBLISHED"} == {"J1-9", "J1-10"}


def test_a_case_that_is_opened_while_another_is_keeps_both(seller: EbaySeller) -> None:
    seller.put(record())
    seller.settle()
    stale = seller.record()
    for name in ("one", "two", "two"):
        following.open_case(stale, "policy_gone", [FieldGroup.POLICIES], seller.clock.time, name)
    assert [row["details"] for row in seller.record().drift] == ["one", "two"]


def test_an_answer_to_a_record_that_has_changed_since_takes_nothing_back(seller: EbaySeller) -> None:
    seller.put(record())
    seller.settle()
    following.open_case(seller.record(), "policy_gone", [FieldGroup.POLICIES], seller.clock.time, "one")
    stale = seller.record()
    following.open_case(stale, "location_gone", [FieldGroup.POLICIES], seller.clock.time, "two")
    for answer in (
        lambda: answers.ours(stale, stale.drift[0], "ann", seller.clock.time, seller.config),
        lambda: answers.ignore(stale, stale.drift[0]),
        lambda: answers.close(stale, stale.drift[0]),
    ):
        with pytest.raises(answers.AnsweredMeanwhile):
            answer()
    assert [row["details"] for row in seller.record().drift] == ["one", "two"]
    assert seller.unfinished() == []
