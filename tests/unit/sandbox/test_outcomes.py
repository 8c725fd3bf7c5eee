"""The switches for operations and for their looks: each is set, and a seller meets it."""

import httpx
import pytest
from pydantic import ValidationError

from local.sandbox.faults import (
    FAULTS,
    Disconnect,
    ExpiredToken,
    Fault,
    Hang,
    NotFound,
    ServerError,
    Throttle,
)
from local.sandbox.outcomes import (
    AtOnce,
    FailOperation,
    ListLate,
    NeverEnd,
    StayPending,
    TextCounts,
    Vocabulary,
)
from local.sandbox.server import Sandbox
from local.sandbox.stockx.book import LONGEST_MS, SHORTEST_MS
from tests.unit.sandbox.client import Client, Clock
from tests.unit.sandbox.seller import BLUE_10, LISTINGS, NOTHING, PANDA_10, Seller

LOOKS = f"{LISTINGS}/*/operations/*"
WEEK_MS = 7 * 86_400_000


def test_pending_for_seconds(seller: Seller, clock: Clock, sandbox: Sandbox) -> None:
    sandbox.faults.set(StayPending(seconds=900))
    operation = seller.create()
    clock.now += 899_999
    assert seller.status(operation) == "PENDING"
    clock.now += 1
    assert seller.status(operation) == "SUCCEEDED"


def test_pending_for_looks_whatever_the_time(seller: Seller, clock: Clock, sandbox: Sandbox) -> None:
    sandbox.faults.set(StayPending(looks=2))
    operation = seller.create()
    clock.now += LONGEST_MS
    assert seller.listing(operation["listingId"])["lastOperation"]["operationStatus"] == "PENDING"
    assert [seller.status(operation) for _ in range(3)] == ["PENDING", "PENDING", "SUCCEEDED"]
    assert sandbox.operations("tenant-a")[0].updated_at_ms == clock.now


def test_pending_for_looks_and_seconds(seller: Seller, clock: Clock, sandbox: Sandbox) -> None:
    sandbox.faults.set(StayPending(looks=1, seconds=60))
    operation = seller.create()
    assert [seller.status(operation) for _ in range(3)] == ["PENDING"] * 3
    clock.now += 60_000
    assert seller.status(operation) == "SUCCEEDED"


def test_an_operation_that_never_ends_holds_up_those_after_it(seller: Seller, client: Client, clock: Clock) -> None:
    client.http.put("/_sandbox/faults", json=[{"kind": "never_end", "last": 1}])
    first = seller.create()
    second, other = seller.change("PATCH", first["listingId"], {"amount": "1"}), seller.create()
    clock.now += WEEK_MS
    client.refresh()
    assert [seller.status(each) for each in (first, second, other)] == ["PENDING", "PENDING", "SUCCEEDED"]


def test_a_write_can_be_final_at_once(seller: Seller, sandbox: Sandbox) -> None:
    sandbox.faults.set(AtOnce(), FailOperation(below=100, reason="Amount is below the lowest bid"))
    done, refused = seller.create(), seller.create(amount="99")
    assert (done["operationStatus"], seller.listing(done["listingId"])["status"]) == ("SUCCEEDED", "ACTIVE")
    assert (refused["operationStatus"], refused["error"]) == ("FAILED", "Amount is below the lowest bid")
    assert [entry.faults for entry in sandbox.requests(method="POST")] == [
        ("at_once",),
        ("at_once", "fail_operation"),
    ]


def test_an_operation_is_picked_by_what_it_does_and_to_what(seller: Seller, sandbox: Sandbox) -> None:
    sandbox.faults.set(AtOnce())
    one, two = seller.create()["listingId"], seller.create(variantId=BLUE_10)["listingId"]

    def errors(fault: Fault) -> list[str | None]:
        sandbox.faults.set(AtOnce(), fault)
        operations = [seller.change("PATCH", each, {"amount": amount}) for each in (one, two) for amount in ("9", "10")]
        operations.append(seller.change("PATCH", one, {"expiresAt": "2027-01-01T00:00:00Z"}))
        return [each["error"] for each in operations]

    failed = "Price too low"
    assert errors(FailOperation(listing=one)) == [failed, failed, None, None, failed]
    assert errors(FailOperation(variant=BLUE_10)) == [None, None, failed, failed, None]
    assert errors(FailOperation(below=10)) == [failed, None, failed, None, None]
    assert errors(FailOperation(operation="UPDATE", method="PATCH", first=2, last=3)) == [
        None,
        failed,
        failed,
        None,
        None,
    ]
    assert errors(FailOperation(first=2, last=2, each=True)) == [None, failed, None, failed, None]
    assert errors(FailOperation(account="tenant-b")) == [None] * 5
    assert errors(FailOperation(operation="CREATE")) == [None] * 5
    assert errors(FailOperation(path="/v2/selling/batch/*")) == [None] * 5


def test_chance_is_by_seed(seller: Seller, sandbox: Sandbox) -> None:
    told = []
    for _ in range(2):
        sandbox.faults.set(AtOnce(), FailOperation(chance=0.3))
        told.append([seller.create()["operationStatus"] for _ in range(60)])
    assert told[0] == told[1]
    assert 8 < told[0].count("FAILED") < 30


def test_the_other_vocabulary(seller: Seller, clock: Clock, sandbox: Sandbox) -> None:
    sandbox.faults.set(Vocabulary(), FailOperation(below=100))
    done, refused = seller.create(), seller.create(amount="99")
    assert done["operationStatus"] == "queued"
    assert seller.status(done) == "processing"
    clock.now += LONGEST_MS
    assert (seller.status(done), seller.status(refused)) == ("completed", "failed")
    assert seller.listing(done["listingId"])["lastOperation"]["operationStatus"] == "completed"


def test_a_word_that_nobody_knows(seller: Seller, clock: Clock, sandbox: Sandbox) -> None:
    sandbox.faults.set(Vocabulary(words={"running": "REVIEWING"}))
    operation = seller.create()
    assert (operation["operationStatus"], seller.status(operation)) == ("PENDING", "REVIEWING")
    clock.now += LONGEST_MS
    assert seller.status(operation) == "SUCCEEDED"


def test_a_listing_can_be_late_in_the_list(seller: Seller, clock: Clock, sandbox: Sandbox) -> None:
    sandbox.faults.set(ListLate(seconds=30), AtOnce())
    listing_id = seller.create()["listingId"]
    clock.now += 29_999
    assert (seller.listed(variantIds=PANDA_10), seller.listing(listing_id)["status"]) == ([], "ACTIVE")
    clock.now += 1
    assert seller.listed(variantIds=PANDA_10) == [listing_id]


@pytest.mark.parametrize("fault", [Disconnect(method="POST", last=1), Hang(method="POST", last=1, hold_ms=60_000)])
def test_a_creation_can_be_carried_out_and_its_answer_lost(
    seller: Seller, client: Client, sandbox: Sandbox, fault: Fault
) -> None:
    client.http.timeout = httpx.Timeout(0.5)
    sandbox.faults.set(fault)
    with pytest.raises(httpx.TransportError):
        seller.post()
    client.http.timeout = httpx.Timeout(10)
    (lost,) = seller.listed(variantIds=PANDA_10)
    assert [each.listing_id for each in sandbox.listings("tenant-a")] == [lost]
    again = seller.create()
    assert len(sandbox.listings("tenant-a")) == 2
    assert sandbox.report().duplicate_creates == 1
    assert [(entry.status, entry.faults) for entry in sandbox.requests(method="POST")] == [
        (None, (fault.kind,)),
        (201, ()),
    ]
    assert again["listingId"] != lost


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (ExpiredToken(path=LOOKS, first=2, last=2, each=True), 401),
        (Throttle(path=LOOKS, first=2, last=2, each=True), 429),
        (ServerError(path=LOOKS, first=2, last=2, each=True), 503),
        (NotFound(path=LOOKS, first=2, last=2, each=True), 404),
    ],
)
def test_the_nth_look_at_each_operation_is_answered_with_an_error(
    seller: Seller, client: Client, sandbox: Sandbox, fault: Fault, status: int
) -> None:
    sandbox.faults.set(fault)
    for operation in (seller.create(), seller.create()):
        path = f"{LISTINGS}/{operation['listingId']}/operations/{operation['operationId']}"
        assert [client.get(path).status_code for _ in range(3)] == [200, status, 200]


def test_a_batch_ends_item_by_item(seller: Seller, clock: Clock, sandbox: Sandbox) -> None:
    batch = seller.batch(
        "create", *({"amount": str(each), "variantId": PANDA_10, "quantity": 1} for each in range(1, 9))
    )
    assert (batch["status"], batch["totalItems"], batch["itemStatuses"]) == ("QUEUED", 8, {"queued": 8})
    clock.now += (SHORTEST_MS + LONGEST_MS) // 2
    now = seller.batch_now("create", batch)
    assert (now["status"], now["completedAt"], set(now["itemStatuses"])) == (
        "IN_PROGRESS",
        None,
        {"queued", "completed"},
    )
    clock.now += LONGEST_MS
    now = seller.batch_now("create", batch)
    assert (now["status"], now["itemStatuses"]) == ("COMPLETED", {"completed": 8})
    assert now["completedAt"] == now["updatedAt"] < "2026-11-23T12:00:10.001Z"
    items = seller.items("create", batch)
    assert [item["listingInput"]["amount"] for item in items] == [str(each) for each in range(1, 9)]
    assert [item["result"]["listingId"] for item in items] == seller.listed(batchIds=batch["batchId"])
    assert len({item["itemId"] for item in items}) == 8
    assert {each.status for each in sandbox.listings("tenant-a")} == {"ACTIVE"}


def test_a_batch_can_end_partly(seller: Seller, clock: Clock, sandbox: Sandbox) -> None:
    sandbox.faults.set(FailOperation(item=1, reason="Variant is restricted"), FailOperation(below=50))
    batch = seller.batch(
        "create", *({"amount": amount, "variantId": PANDA_10, "quantity": 1} for amount in ("49", "50", "51"))
    )
    clock.now += LONGEST_MS
    now = seller.batch_now("create", batch)
    assert (now["status"], now["itemStatuses"]) == ("COMPLETED", {"failed": 2, "completed": 1})
    errors = [item["error"] for item in seller.items("create", batch, status="FAILED")]
    assert errors == ["Price too low", "Variant is restricted"]
    assert [item["listingInput"]["amount"] for item in seller.items("create", batch, status="COMPLETED")] == ["51"]
    assert [each.amount for each in sandbox.listings("tenant-a")] == ["51"]


def test_updates_and_deletions_by_batch(seller: Seller, clock: Clock, sandbox: Sandbox) -> None:
    sandbox.faults.set(AtOnce())
    one, two = (seller.create()["listingId"] for _ in range(2))
    updated = seller.batch("update", {"listingId": one, "amount": "99"}, {"listingId": two, "active": False})
    assert updated["itemStatuses"] == {"completed": 2}
    assert [(each.status, each.amount) for each in sandbox.listings("tenant-a")] == [
        ("ACTIVE", "99"),
        ("INACTIVE", "150"),
    ]
    deleted = seller.batch("delete", {"listingId": one}, {"listingId": NOTHING})
    gone, unknown = seller.items("delete", deleted)
    assert (gone["listingInput"], gone["result"]) == ({"id": one}, {"askId": None, "listingId": one})
    assert (unknown["status"], unknown["error"]) == ("FAILED", "Listing not found")
    assert [each.status for each in sandbox.listings("tenant-a")] == ["DELETED", "INACTIVE"]


def test_an_unknown_variant_fails_its_item_only(seller: Seller, clock: Clock) -> None:
    one = {"amount": "9", "variantId": PANDA_10, "quantity": 2}
    batch = seller.batch("create", one, {**one, "variantId": NOTHING, "quantity": 1})
    clock.now += LONGEST_MS
    assert seller.batch_now("create", batch)["itemStatuses"] == {"completed": 2, "failed": 1}


def test_a_batch_in_the_other_vocabulary_with_counts_in_strings(seller: Seller, clock: Clock, sandbox: Sandbox) -> None:
    sandbox.faults.set(Vocabulary(), TextCounts(), FailOperation(item=0))
    batch = seller.batch("create", *({"amount": "9", "variantId": PANDA_10, "quantity": 1} for _ in range(8)))
    assert (batch["status"], batch["itemStatuses"]) == ("queued", {"queued": "8"})
    clock.now += (SHORTEST_MS + LONGEST_MS) // 2
    assert seller.batch_now("create", batch)["status"] == "processing"
    clock.now += LONGEST_MS
    now = seller.batch_now("create", batch)
    assert (now["status"], now["itemStatuses"]) == ("partial_success", {"failed": "1", "completed": "7"})


def test_a_batch_waits_for_looks_and_may_never_end(seller: Seller, clock: Clock, sandbox: Sandbox) -> None:
    item = {"amount": "9", "variantId": PANDA_10, "quantity": 1}
    sandbox.faults.set(StayPending(looks=1))
    batch = seller.batch("create", item)
    assert [seller.batch_now("create", batch)["status"] for _ in range(2)] == ["QUEUED", "COMPLETED"]
    sandbox.faults.set(NeverEnd(item=1))
    batch = seller.batch("create", item, item)
    clock.now += LONGEST_MS * 100
    now = seller.batch_now("create", batch)
    assert (now["status"], now["itemStatuses"]) == ("IN_PROGRESS", {"completed": 1, "queued": 1})


@pytest.mark.parametrize(
    ("kind", "items", "wrong"),
    [
        ("create", [], "items"),
        ("create", [{"amount": "9", "variantId": PANDA_10, "quantity": 1}] * 101, "items"),
        ("create", [{"amount": "9", "variantId": PANDA_10}], "quantity"),
        ("create", [{"amount": 9, "variantId": PANDA_10, "quantity": 1}], "amount"),
        ("update", [{"listingId": NOTHING, "expiresAt": "2026-11-23T12:00:00Z"}], "expiresAt"),
        ("delete", [{"id": NOTHING}], "listingId"),
    ],
)
def test_a_wrong_batch_is_refused_whole(
    client: Client, sandbox: Sandbox, kind: str, items: list[dict[str, object]], wrong: str
) -> None:
    answer = client.send("POST", f"/v2/selling/batch/{kind}-listing", {"items": items})
    assert answer.status_code == 400
    assert wrong in answer.json()["message"]
    assert not sandbox.operations("tenant-a")


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "stay_pending"},
        {"kind": "stay_pending", "seconds": 0},
        {"kind": "fail_operation", "reason": ""},
        {"kind": "fail_operation", "item": -1},
        {"kind": "vocabulary", "words": {"sleeping": "x"}},
        {"kind": "vocabulary", "words": {}},
        {"kind": "throttle", "listing": "x"},
    ],
)
def test_a_plan_for_operations_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        FAULTS.validate_python([wrong])
