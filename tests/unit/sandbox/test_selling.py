"""Listings and operations over HTTP: states, order, lists and every refusal."""

import pytest

from local.sandbox.faults import FAULTS
from local.sandbox.outcomes import AtOnce, FailOperation
from local.sandbox.server import Sandbox
from local.sandbox.stockx.book import LONGEST_MS, SHORTEST_MS
from local.sandbox.stockx.listings import DAY_MS
from tests.unit.sandbox.client import Client, Clock, connected
from tests.unit.sandbox.seller import BLUE_10, LISTINGS, NOTHING, PANDA_10, Seller

TOMORROW = "2026-11-24T12:00:00.000Z"


def test_a_listing_from_its_creation_to_its_end(seller: Seller, clock: Clock, sandbox: Sandbox) -> None:
    created = seller.create()
    listing_id = created["listingId"]
    assert (created["operationType"], created["operationStatus"], created["error"]) == ("CREATE", "PENDING", None)
    assert created["operationUrl"].endswith(f"/{listing_id}/operations/{created['operationId']}")
    assert seller.listing(listing_id)["status"] == "INACTIVE"
    clock.now += LONGEST_MS
    assert seller.status(created) == "SUCCEEDED"
    listing = seller.listing(listing_id)
    assert (listing["status"], listing["amount"], listing["payout"]["totalPayout"]) == ("ACTIVE", "150", "132.00")
    assert listing["lastOperation"]["operationId"] == created["operationId"]

    seller.change("PATCH", listing_id, {"amount": "140"})
    clock.now += LONGEST_MS
    assert seller.listing(listing_id)["amount"] == "140"
    seller.change("PUT", f"{listing_id}/deactivate")
    clock.now += LONGEST_MS
    listing = seller.listing(listing_id)
    assert (listing["status"], listing["ask"]) == ("INACTIVE", None)
    seller.change("PUT", f"{listing_id}/activate", {"amount": "130", "currencyCode": "EUR"})
    clock.now += LONGEST_MS
    listing = seller.listing(listing_id)
    assert (listing["status"], listing["amount"], listing["currencyCode"]) == ("ACTIVE", "130", "EUR")
    seller.change("DELETE", listing_id)
    clock.now += LONGEST_MS
    assert seller.listing(listing_id)["status"] == "DELETED"
    operations = sandbox.operations("tenant-a")
    assert [each.type for each in operations] == ["CREATE", "UPDATE", "DEACTIVATE", "ACTIVATE", "DELETE"]
    assert [each.status for each in sandbox.listings("tenant-a")] == ["DELETED"]


def test_how_long_an_operation_takes_is_by_seed_and_not_by_who_looks(seller: Seller, clock: Clock) -> None:
    operations = [seller.create() for _ in range(20)]
    clock.now += SHORTEST_MS - 1
    assert {seller.status(each) for each in operations} == {"PENDING"}
    clock.now += (LONGEST_MS - SHORTEST_MS) // 2
    assert {seller.status(each) for each in operations} == {"PENDING", "SUCCEEDED"}
    clock.now += DAY_MS // 4
    assert {seller.status(each) for each in operations} == {"SUCCEEDED"}
    assert len({seller.look(each)["updatedAt"] for each in operations}) > 10


def test_the_same_seed_gives_the_same_ids_and_times() -> None:
    told = []
    for seed in (7, 7, 8):
        clock = Clock()
        with Sandbox(seed, clock=clock) as sandbox, connected(sandbox) as client:
            operation = Seller(client).create()
            clock.now += LONGEST_MS
            told.append((operation["listingId"], Seller(client).look(operation)["updatedAt"]))
    assert told[0] == told[1]
    assert told[0] != told[2]


def test_operations_on_one_listing_end_one_after_the_other(seller: Seller, clock: Clock) -> None:
    created = seller.create(active=False)
    listing_id = created["listingId"]
    later = [seller.change("PATCH", listing_id, {"amount": str(amount)}) for amount in range(100, 110)]
    for _ in range(40):
        clock.now += 250
        ended = [seller.status(each) == "SUCCEEDED" for each in (created, *later)]
        assert ended == sorted(ended, reverse=True)
    listing = seller.listing(listing_id)
    assert (listing["status"], listing["amount"]) == ("INACTIVE", "109")


def test_the_operations_of_a_listing_are_paged_newest_first(seller: Seller, client: Client, clock: Clock) -> None:
    listing_id = seller.create()["listingId"]
    clock.now += LONGEST_MS
    newest = [seller.change("PATCH", listing_id, {"amount": str(amount)})["operationId"] for amount in (1, 2, 3, 4)]
    path, found = f"{LISTINGS}/{listing_id}/operations", []
    cursor: dict[str, str | int] = {}
    while True:
        page = client.get(path, pageSize=2, **cursor).json()
        found += [(each["operationId"], each["operationType"]) for each in page["operations"]]
        if page["nextCursor"] is None:
            break
        cursor = {"cursor": page["nextCursor"]}
    assert [each for each, _ in found[:4]] == newest[::-1]
    assert found[4][1] == "CREATE"
    assert client.get(path, cursor="made-up").status_code == 400


def test_a_creation_that_fails_leaves_its_operations_and_no_listing(
    seller: Seller, client: Client, clock: Clock, sandbox: Sandbox
) -> None:
    sandbox.faults.set(FailOperation(below=100, reason="Price too low"))
    refused, taken = seller.create(amount="99"), seller.create(amount="100")
    seller.change("PATCH", refused["listingId"], {"amount": "120"})
    assert seller.listed() == [refused["listingId"], taken["listingId"]]
    clock.now += 2 * LONGEST_MS
    assert seller.look(refused)["error"] == "Price too low"
    assert (seller.status(refused), seller.status(taken)) == ("FAILED", "SUCCEEDED")
    assert seller.listed() == [taken["listingId"]]
    assert client.get(f"{LISTINGS}/{refused['listingId']}").status_code == 404
    assert [each.amount for each in sandbox.listings("tenant-a")] == ["100"]
    assert [each.error for each in sandbox.operations("tenant-a")] == ["Price too low", "Listing was not created", None]


def test_a_change_that_fails_changes_nothing(seller: Seller, clock: Clock, sandbox: Sandbox) -> None:
    listing_id = seller.create()["listingId"]
    clock.now += LONGEST_MS
    before = seller.listing(listing_id)
    sandbox.faults.set(FailOperation(operation="UPDATE"))
    failed = seller.change("PATCH", listing_id, {"amount": "1"})
    clock.now += LONGEST_MS
    after = seller.listing(listing_id)
    assert (seller.look(failed)["error"], after["lastOperation"]["error"]) == ("Price too low", "Price too low")
    assert {**after, "lastOperation": None} == {**before, "lastOperation": None}


def test_what_waits_behind_a_deletion_fails(seller: Seller, clock: Clock) -> None:
    listing_id = seller.create()["listingId"]
    clock.now += LONGEST_MS
    seller.change("DELETE", listing_id)
    late = seller.change("PATCH", listing_id, {"amount": "1"})
    clock.now += 2 * LONGEST_MS
    assert seller.look(late)["error"] == "Listing is deleted"
    assert seller.listing(listing_id)["amount"] == "150"


def test_the_list_is_filtered_and_paged(seller: Seller, client: Client, clock: Clock, sandbox: Sandbox) -> None:
    sandbox.faults.set(AtOnce())
    first = seller.create()["listingId"]
    clock.now += DAY_MS
    client.refresh()
    second = seller.create(variantId=BLUE_10, active=False, inventoryType="DIRECT")["listingId"]
    third = seller.create()["listingId"]
    seller.change("DELETE", third)
    batch = seller.batch("create", {"amount": "9", "variantId": PANDA_10, "quantity": 1})["batchId"]
    (fourth,) = seller.listed(batchIds=batch)
    assert seller.listed() == [first, second, third, fourth]
    assert seller.listed(variantIds=PANDA_10) == [first, third, fourth]
    assert seller.listed(variantIds=f"{PANDA_10},{BLUE_10}", listingStatuses="INACTIVE,DELETED") == [second, third]
    assert seller.listed(inventoryTypes="DIRECT") == [second]
    assert seller.listed(productIds=seller.listing(second)["product"]["productId"]) == [second]
    assert seller.listed(fromDate="2026-11-24") == [second, third, fourth]
    assert seller.listed(toDate="2026-11-23") == [first]
    pages = [client.get(LISTINGS, pageSize=3, pageNumber=page).json() for page in (1, 2)]
    assert [(page["count"], len(page["listings"]), page["hasNextPage"]) for page in pages] == [
        (4, 3, True),
        (4, 1, False),
    ]


def test_an_expired_listing_is_shown_only_when_asked_for(seller: Seller, client: Client, clock: Clock) -> None:
    listing_id = seller.create(expiresAt=TOMORROW)["listingId"]
    assert seller.listed() == [listing_id]
    clock.now += DAY_MS
    client.refresh()
    assert (seller.listed(), seller.listed(isExpired="true")) == ([], [listing_id])
    seller.change("PATCH", listing_id, {"expiresAt": "2027-01-01T00:00:00.000Z"})
    clock.now += LONGEST_MS
    assert seller.listed() == [listing_id]


def test_an_account_sees_and_changes_nothing_of_another(seller: Seller, sandbox: Sandbox) -> None:
    operation = seller.create()
    path = f"{LISTINGS}/{operation['listingId']}"
    batch = seller.batch("delete", {"listingId": operation["listingId"]})["batchId"]
    with connected(sandbox, "tenant-b") as other:
        assert other.get(LISTINGS).json()["count"] == 0
        for method, each, body in (
            ("GET", path, None),
            ("PATCH", path, {"amount": "1"}),
            ("DELETE", path, None),
            ("PUT", f"{path}/activate", {}),
            ("PUT", f"{path}/deactivate", None),
            ("GET", f"{path}/operations", None),
            ("GET", f"{path}/operations/{operation['operationId']}", None),
            ("GET", f"/v2/selling/batch/delete-listing/{batch}", None),
        ):
            assert other.send(method, each, body).status_code == 404
    assert not sandbox.listings("tenant-b")
    assert not sandbox.operations("tenant-b")


@pytest.mark.parametrize(
    ("body", "status", "wrong"),
    [
        ({"amount": 150}, 400, "amount"),
        ({"amount": "0"}, 400, "amount"),
        ({"amount": "-5"}, 400, "amount"),
        ({"amount": "1.505"}, 400, "amount"),
        ({"amount": "150.50"}, 400, "amount"),
        ({"amount": None}, 400, "amount"),
        ({"currencyCode": "PLN"}, 400, "currencyCode"),
        ({"expiresAt": "2026-11-23T11:59:59.000Z"}, 400, "expiresAt"),
        ({"expiresAt": "tomorrow"}, 400, "expiresAt"),
        ({"inventoryType": "FLEX"}, 400, "inventoryType"),
        ({"active": "yes"}, 400, "active"),
        ({"colour": "red"}, 400, "colour"),
        ({"variantId": NOTHING}, 404, "Variant"),
    ],
)
def test_a_wrong_listing_is_refused_at_once(
    seller: Seller, sandbox: Sandbox, body: dict[str, object], status: int, wrong: str
) -> None:
    answer = seller.post(**body)
    assert (answer.status_code, answer.json()["statusCode"]) == (status, status)
    assert wrong in answer.json()["message"]
    assert sandbox.operations("tenant-a") == []


def test_a_body_that_is_not_json_is_refused(client: Client) -> None:
    headers = {**client.headers, "content-type": "application/json"}
    assert client.http.post(LISTINGS, headers=headers, content=b"{").status_code == 400
    assert client.http.post(LISTINGS, headers=client.headers, content=b"{}").status_code == 415


def test_a_change_that_makes_no_sense_now_is_refused(seller: Seller, client: Client, sandbox: Sandbox) -> None:
    sandbox.faults.set(AtOnce())
    path = f"{LISTINGS}/{seller.create()['listingId']}"
    assert client.send("PATCH", path, {}).status_code == 400
    assert client.send("PUT", f"{path}/activate", {}).json()["message"] == "Listing is already active"
    assert client.send("PUT", f"{path}/deactivate").status_code == 200
    assert client.send("PUT", f"{path}/deactivate").json()["message"] == "Listing is already inactive"
    assert client.send("DELETE", path).status_code == 200
    for method, each, body in (("DELETE", path, None), ("PUT", f"{path}/activate", {}), ("PATCH", path, {})):
        assert client.send(method, each, body).status_code == 400
    assert client.send("PUT", f"{path}/activate", {}).json()["message"] == "Listing is deleted"


@pytest.mark.parametrize(
    "path",
    [
        f"{LISTINGS}/{NOTHING}",
        f"{LISTINGS}/{NOTHING}/operations",
        f"{LISTINGS}/{NOTHING}/operations/{NOTHING}",
        f"{LISTINGS}/{{listing}}/operations/{NOTHING}",
        f"/v2/selling/batch/create-listing/{NOTHING}",
    ],
)
def test_what_is_not_there_is_404(seller: Seller, client: Client, path: str) -> None:
    assert client.get(path.format(listing=seller.create()["listingId"])).status_code == 404


@pytest.mark.parametrize("query", [{"pageSize": 101}, {"fromDate": "yesterday"}, {"toDate": "2026-13-01"}])
def test_a_wrong_query_is_refused(client: Client, query: dict[str, str | int]) -> None:
    assert client.get(LISTINGS, **query).status_code == 400


def test_listings_are_also_shown_over_the_control_plane(seller: Seller, client: Client) -> None:
    operation = seller.create()
    shown = client.http.get("/_sandbox/accounts/tenant-a/listings").json()
    assert [row["listingId"] for row in shown["listings"]] == [operation["listingId"]]
    shown = client.http.get("/_sandbox/accounts/tenant-a/operations").json()
    assert [row["operationId"] for row in shown["operations"]] == [operation["operationId"]]


def test_the_report_counts_listings_created_alike(seller: Seller, client: Client, clock: Clock) -> None:
    for amount in ("150", "150", "160"):
        seller.create(amount=amount)
    clock.now += 600_000
    operation = seller.create()
    for _ in range(3):
        seller.look(operation)
    report = client.http.get("/_sandbox/report").json()
    assert (report["duplicate_creates"], report["duplicates"]) == (1, 0)
    alike = {"account": "stockx/tenant-a", "variant": PANDA_10, "currency": "USD"}
    assert report["creates"] == [{**alike, "amount": "150", "count": 3}, {**alike, "amount": "160", "count": 1}]


def test_the_switches_are_set_over_the_control_plane_too(seller: Seller, client: Client, clock: Clock) -> None:
    plan = [{"kind": "fail_operation", "below": 100, "reason": "Too low"}, {"kind": "at_once"}]
    assert client.http.put("/_sandbox/faults", json=plan).status_code == 200
    assert [fault.kind for fault in FAULTS.validate_python(client.http.get("/_sandbox/faults").json())] == [
        "fail_operation",
        "at_once",
    ]
    assert seller.create(amount="99")["error"] == "Too low"
