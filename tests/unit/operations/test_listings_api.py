"""The routes of listings as a client sees them: a job at once, the way to the end, and what bad input gets."""

import json
from typing import Any

import pytest

from local.sandbox.outcomes import FailOperation
from sluice.catalog.table import Product
from sluice.listings.stockx.changes import Action
from sluice.marketplaces.selling import Terms
from sluice.platform.http import routing
from tests.support.desk import TENANT, Desk
from tests.support.http import Answer, call

LISTINGS = "/v1/stockx/listings"


@pytest.fixture(autouse=True)
def _the_desks_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routing, "clock", desk.clock)
    variants = [[desk.variants[13], "us", {"us": "10", "eu": "44"}]]
    row: dict[str, Any] = {"marketplace": "stockx", "product_id": "p", "name": "Dunk", "updated_at": 1, "checked_at": 1}
    Product("stockx:DD1391-100", variants=variants, **row).save()


def create(desk: Desk, **body: Any) -> Answer:
    return call("POST", LISTINGS, body={"variantId": desk.variants[0], "amount": "150"} | body)


def bulk(action: str, *items: Any, **more: Any) -> Answer:
    return call("POST", f"{LISTINGS}/bulk", body={"action": action, "items": list(items)} | more)


def test_a_listing_from_request_to_history(desk: Desk) -> None:
    answer = call(
        "POST",
        LISTINGS,
        body={"sku": "dd1391 100", "size": "44", "sizeSystem": "eu", "amount": 150.0, "currency": "EUR"},
    )
    assert answer.status == 202
    accepted = answer.json
    assert accepted["operationId"] is None
    assert accepted["status"] == "IN_PROGRESS"
    path = f"{LISTINGS}/{accepted['listingId']}"
    pending = call("GET", path).json
    assert (pending["status"], pending["amount"], pending["currency"]) == ("PENDING", "150", "EUR")
    assert (pending["sku"], pending["size"], pending["sizeSystem"]) == ("DD1391-100", "10", "us")
    [change] = pending["changes"]
    assert (change["action"], change["jobId"], change["running"]) == ("CREATE", accepted["jobId"], False)
    assert change["requestedBy"] == "someone@acme"


def test_the_way_of_an_operation(desk: Desk) -> None:
    accepted = create(desk).json
    path = f"/v1/operations/{accepted['jobId']}"
    queued = call("GET", path).json
    assert (queued["status"], queued["state"], queued["operationId"]) == ("IN_PROGRESS", "queued", None)
    desk.tick()
    sent = call("GET", path).json
    assert (sent["status"], sent["state"], sent["action"]) == ("IN_PROGRESS", "waiting", "CREATE")
    assert sent["operationId"]
    assert sent["startedAt"] == "2026-11-22T12:00:00.000Z"
    assert sent["nextCheckAt"] == "2026-11-22T12:00:20.000Z"
    assert call("GET", f"{LISTINGS}/{accepted['listingId']}").json["changes"][0]["running"]
    desk.finish()
    done = call("GET", path).json
    assert (done["status"], done["operationId"]) == ("COMPLETED", sent["operationId"])
    assert done["result"]["listingStatus"] == "ACTIVE"
    listing = call("GET", f"{LISTINGS}/{accepted['listingId']}").json
    assert (listing["status"], listing["changes"]) == ("ACTIVE", [])
    [entry] = call("GET", f"{LISTINGS}/{accepted['listingId']}/history").json["history"]
    assert (entry["action"], entry["status"], entry["changedBy"]) == ("CREATE", "ACTIVE", "someone@acme")
    assert entry["metadata"]["jobId"] == accepted["jobId"]
    assert call("GET", f"/v1/jobs/{accepted['jobId']}").json["state"] == "succeeded"


def test_the_life_of_a_listing(desk: Desk) -> None:
    path = f"{LISTINGS}/{create(desk).json['listingId']}"
    desk.finish()
    until = "2027-01-31T12:00:00.000Z"
    steps: list[tuple[str, str, Any]] = [
        ("PATCH", path, {"amount": "140", "expiresAt": until}),
        ("POST", f"{path}/deactivate", None),
        ("POST", f"{path}/activate", {"amount": "135"}),
        ("DELETE", path, None),
    ]
    for method, where, body in steps:
        answer = call(method, where, **({} if body is None else {"body": body}))
        assert answer.status == 202, answer.text
        desk.finish()
        assert call("GET", f"/v1/operations/{answer.json['jobId']}").json["status"] == "COMPLETED"
    history = call("GET", f"{path}/history").json
    actions = ["CREATE", "UPDATE", "DEACTIVATE", "ACTIVATE", "DELETE"]
    assert ([entry["action"] for entry in history["history"]], history["next"]) == (actions, None)
    paged, query = list[str](), {"limit": "2"}
    while True:
        page = call("GET", f"{path}/history", query=query).json
        paged += [entry["action"] for entry in page["history"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert paged == actions
    refused = call("GET", f"{path}/history", query={"cursor": "x"})
    assert (refused.status, list(refused.fields)) == (400, ["cursor"])
    listing = call("GET", path).json
    assert (listing["status"], listing["amount"], listing["expiresAt"]) == ("DELETED", "135", until)


def test_an_amount_without_a_currency_is_in_the_listings_own(desk: Desk) -> None:
    path = f"{LISTINGS}/{create(desk, amount='150', currency='EUR').json['listingId']}"
    desk.finish()
    call("PATCH", path, body={"amount": "140"})
    desk.finish()
    assert [one.change.currency for one in desk.sandbox.stockx.operations(TENANT, desk.clock.time)] == ["EUR", "EUR"]
    assert desk.real()[0].currency == "EUR"


@pytest.mark.parametrize("way", ["PATCH", "activate", "bulk"])
def test_a_currency_without_an_amount_is_refused_because_the_price_would_mean_another(desk: Desk, way: str) -> None:
    path = f"{LISTINGS}/{create(desk).json['listingId']}"
    desk.finish()
    before = desk.items()
    if way == "bulk":
        answer = bulk("update", {"listingId": path.rpartition("/")[2], "currency": "EUR"})
        field = "items[0].amount"
    else:
        method, where = ("PATCH", path) if way == "PATCH" else ("POST", f"{path}/activate")
        answer, field = call(method, where, body={"currency": "EUR"}), "amount"
    assert answer.status == 400
    assert "send both" in json.dumps(answer.json)
    assert field in answer.fields
    assert desk.items() == before
    assert call("PATCH", path, body={"currency": "EUR", "amount": "140"}).status == 202
    desk.finish()
    assert [(one.currency, one.amount) for one in desk.real()] == [("EUR", "140")]


def test_listing_pages_and_filters(desk: Desk) -> None:
    asked = [create(desk, amount=str(100 + number)).json["listingId"] for number in range(5)]
    desk.finish()
    call("DELETE", f"{LISTINGS}/{asked[0]}")
    desk.finish()
    found, cursor = [], ""
    for _ in range(5):
        page = call("GET", LISTINGS, query={"limit": 2} | ({"cursor": cursor} if cursor else {})).json
        found += [one["listingId"] for one in page["listings"]]
        cursor = page["next"]
        if not cursor:
            break
    assert sorted(found) == sorted(asked)
    deleted = call("GET", LISTINGS, query={"status": "DELETED"}).json["listings"]
    assert [one["listingId"] for one in deleted] == [asked[0]]
    assert len(call("GET", LISTINGS, query={"status": "ACTIVE", "variantId": desk.variants[0]}).json["listings"]) == 4
    assert call("GET", LISTINGS, query={"sku": "dd1391-100"}).json["listings"] == []


def test_bulk_answers_for_each_item(desk: Desk) -> None:
    variant = desk.variants[0]
    answer = bulk(
        "create",
        {"variantId": variant, "amount": "100"},
        {"variantId": variant, "amount": "-1"},
        {"sku": "DD1391-100", "size": "10", "amount": "101"},
        {"variantId": variant, "amount": "102", "colour": "red"},
    )
    assert answer.status == 202
    assert answer.json["counts"] == {"accepted": 2, "refused": 2}
    outcomes = [item["outcome"] for item in answer.json["items"]]
    assert outcomes == ["accepted", "refused", "accepted", "refused"]
    assert answer.json["items"][1]["error"]["fields"][0]["field"] == "items[1].amount"
    assert answer.json["items"][3]["error"]["fields"][0]["field"] == "items[3].colour"
    desk.finish()
    made = [item["listingId"] for item in answer.json["items"] if item["outcome"] == "accepted"]
    job = call("GET", f"/v1/operations/{answer.json['items'][0]['jobId']}").json
    assert (job["status"], job["action"], sorted(job["listingIds"])) == ("COMPLETED", "CREATE", sorted(made))
    assert job["operationId"]
    assert bulk("update", *({"listingId": one, "amount": "90"} for one in made)).json["counts"]["accepted"] == 2
    desk.finish()
    deleted = bulk("delete", *({"listingId": one} for one in made), {"listingId": "no-such-listing"}).json
    assert deleted["counts"] == {"accepted": 2, "refused": 1}
    assert deleted["items"][2]["error"]["code"] == "not_found"
    desk.finish()
    assert {call("GET", f"{LISTINGS}/{one}").json["status"] for one in made} == {"DELETED"}


def test_bulk_tells_a_conflict_apart(desk: Desk) -> None:
    listing_id = desk.active()
    desk.ask(listing_id, Action.DELETE)
    desk.finish()
    other = desk.active()
    answer = bulk("update", {"listingId": listing_id, "amount": "90"}, {"listingId": other, "amount": "90"})
    assert answer.json["items"][0]["error"]["code"] == "conflict"
    assert answer.json["items"][1]["outcome"] == "accepted"


def test_500_items_are_taken(desk: Desk) -> None:
    answer = bulk("create", *({"variantId": desk.variants[0], "amount": "100"} for _ in range(500)))
    assert answer.json["counts"] == {"accepted": 500, "refused": 0}
    assert desk.items()["Job"] == 5


PAST = "2026-11-22T11:00:00Z"
CREATES: list[tuple[dict[str, Any], str]] = [
    ({"amount": "0"}, "amount"),
    ({"amount": 0}, "amount"),
    ({"amount": "-150"}, "amount"),
    ({"amount": "150.505"}, "amount"),
    ({"amount": 150.505}, "amount"),
    ({"amount": "12.50", "currency": "JPY"}, "amount"),
    ({"amount": None}, "amount"),
    ({"amount": "free"}, "amount"),
    ({"amount": {"value": 1}}, "amount"),
    ({"currency": "BRL"}, "currency"),
    ({"currency": "usd"}, "currency"),
    ({"currency": "XXX"}, "currency"),
    ({"expiresAt": PAST}, "expiresAt"),
    ({"expiresAt": "soon"}, "expiresAt"),
    ({"expiresAt": 1_795_348_800_000}, "expiresAt"),
    ({"variantId": "DD1391-100"}, "variantId"),
    ({"variantId": ""}, "variantId"),
    ({"variantId": None}, "sku"),
    ({"variantId": None, "sku": "DD1391-100"}, "size"),
    ({"variantId": None, "sku": "DD1391-100", "size": "99"}, "size"),
    ({"variantId": None, "sku": "DD1391-100", "size": "10", "sizeSystem": "mondo"}, "sizeSystem"),
    ({"variantId": None, "sku": "NO-SUCH-SKU", "size": "10"}, "sku"),
    ({"variantId": None, "sku": "A" * 65, "size": "10"}, "sku"),
    ({"sku": "DD1391-100", "size": "10"}, "variantId"),
    ({"marketplace": "ebay"}, "marketplace"),
    ({"active": "yes"}, "active"),
    ({"reference": ""}, "reference"),
    ({"reference": "a\nb"}, "reference"),
    ({"quantity": 2}, "quantity"),
]


@pytest.mark.parametrize(("body", "field"), CREATES)
def test_a_bad_create_names_its_field_and_does_nothing(desk: Desk, body: dict[str, Any], field: str) -> None:
    before = desk.items()
    answer = create(desk, **body)
    assert answer.status == 400
    assert any(name == field or name.startswith(f"{field}.") for name in answer.fields), answer.text
    assert (desk.items(), desk.calls()) == (before, 0)


CHANGES: list[tuple[str, str, dict[str, Any], str]] = [
    ("PATCH", "", {}, "body"),
    ("PATCH", "", {"amount": "0"}, "amount"),
    ("PATCH", "", {"amount": "1.005"}, "amount"),
    ("PATCH", "", {"currency": "EUR"}, "amount"),
    ("PATCH", "", {"amount": "1", "currency": "BRL"}, "currency"),
    ("PATCH", "", {"expiresAt": PAST}, "expiresAt"),
    ("PATCH", "", {"status": "ACTIVE"}, "status"),
    ("POST", "/activate", {"amount": "-1"}, "amount"),
    ("POST", "/activate", {"expiresAt": PAST}, "expiresAt"),
]


@pytest.mark.parametrize(("method", "suffix", "body", "field"), CHANGES)
def test_a_bad_change_names_its_field_and_does_nothing(
    desk: Desk, method: str, suffix: str, body: dict[str, Any], field: str
) -> None:
    listing_id = desk.active()
    before, calls = desk.items(), desk.calls()
    answer = call(method, f"{LISTINGS}/{listing_id}{suffix}", body=body)
    assert answer.status == 400
    assert field in answer.fields, answer.text
    assert (desk.items(), desk.calls()) == (before, calls)
    assert not desk.listing(listing_id).open_changes()


@pytest.mark.parametrize(
    ("method", "suffix", "body"),
    [
        ("GET", "", None),
        ("GET", "/history", None),
        ("PATCH", "", {"amount": "1"}),
        ("DELETE", "", None),
        ("POST", "/activate", {}),
        ("POST", "/deactivate", None),
    ],
)
def test_an_unknown_listing_and_another_tenants_are_the_same(
    desk: Desk, method: str, suffix: str, body: dict[str, Any] | None
) -> None:
    desk.connect("globex")
    listing_id = desk.active()
    before = desk.items()
    request: dict[str, Any] = {} if body is None else {"body": body}
    theirs = call(method, f"{LISTINGS}/{listing_id}{suffix}", tenant="globex", **request)
    unknown = call(method, f"{LISTINGS}/{listing_id[::-1]}{suffix}", **request)
    assert theirs.status == unknown.status == 404
    assert theirs.json["error"] == unknown.json["error"]
    assert list(theirs.fields) == ["listingId"]
    assert desk.items() == before


@pytest.mark.parametrize(
    ("method", "suffix", "body"), [("PATCH", "", {"amount": "1"}), ("POST", "/activate", {}), ("DELETE", "", None)]
)
def test_a_deleted_listing_is_a_conflict(desk: Desk, method: str, suffix: str, body: dict[str, Any] | None) -> None:
    listing_id = desk.active()
    desk.ask(listing_id, Action.DELETE)
    desk.finish()
    before = desk.items()
    request: dict[str, Any] = {} if body is None else {"body": body}
    answer = call(method, f"{LISTINGS}/{listing_id}{suffix}", **request)
    assert answer.status == 409
    assert "DELETED" in answer.fields["listingId"]
    assert desk.items() == before


BULKS: list[tuple[dict[str, Any], str]] = [
    ({"items": [{"amount": "1"}] * 501}, "items"),
    ({"items": []}, "items"),
    ({"items": {"amount": "1"}}, "items"),
    ({"action": "archive"}, "action"),
    ({"action": None}, "action"),
    ({"marketplace": "ebay"}, "marketplace"),
    ({"items": ["x"]}, "items[0]"),
    ({"items": [{"amount": "0"}]}, "items[0].amount"),
    ({"action": "update", "items": [{"amount": "1"}]}, "items[0].listingId"),
    ({"action": "update", "items": [{"listingId": "x", "amount": "1"}]}, "items[0].listingId"),
    ({"action": "delete", "items": [{"listingId": "x", "amount": "1"}]}, "items[0].amount"),
]


@pytest.mark.parametrize(("body", "field"), BULKS)
def test_a_bad_bulk_request_names_its_field_and_does_nothing(desk: Desk, body: dict[str, Any], field: str) -> None:
    good = {"variantId": desk.variants[0], "amount": "100"}
    items = body.get("items", [good])
    if isinstance(items, list) and "action" not in body:
        items = [{**good, **item} if isinstance(item, dict) else item for item in items]
    answer = call("POST", f"{LISTINGS}/bulk", body={"action": "create", **body, "items": items})
    assert answer.status in (400, 404)
    assert field in answer.fields, answer.text
    assert not sum(desk.items().values()) + desk.calls()


def test_without_an_account_nothing_is_taken(desk: Desk) -> None:
    answer = call("POST", LISTINGS, body={"variantId": desk.variants[0], "amount": "1"}, tenant="nobody")
    assert answer.status == 400
    assert "PUT /v1/accounts/stockx" in answer.fields["marketplace"]
    many = {"action": "create", "items": [{"variantId": desk.variants[0], "amount": "1"}]}
    assert "marketplace" in call("POST", f"{LISTINGS}/bulk", body=many, tenant="nobody").fields
    assert not desk.items()["Listing"]


def test_a_reference_used_for_other_terms_is_a_conflict(desk: Desk) -> None:
    first = create(desk, reference="shelf 4")
    assert create(desk, reference="shelf 4").json == first.json
    answer = create(desk, reference="shelf 4", amount="151")
    assert answer.status == 409
    assert "reference" in answer.fields


@pytest.mark.parametrize("cursor", ["x", "00000000-0000-4000-8000-00000000000Z", "../etc"])
def test_a_bad_cursor_is_refused(desk: Desk, cursor: str) -> None:
    answer = call("GET", LISTINGS, query={"cursor": cursor})
    assert (answer.status, list(answer.fields)) == (400, ["cursor"])


def test_operations_are_those_of_listings_and_of_the_caller(desk: Desk) -> None:
    job = create(desk).json["jobId"]
    assert call("GET", f"/v1/operations/{job}", tenant="globex").status == 404
    assert call("GET", "/v1/operations/market.refresh:stockx:X:us-10:USD").status == 404
    assert call("GET", f"/v1/operations/{job.replace(':', '%3A')}").json["jobId"] == job
    assert call("GET", f"{LISTINGS}", tenant="globex").json == {"listings": [], "next": None}


def test_a_failed_operation_says_why(desk: Desk) -> None:
    desk.sandbox.faults.set(FailOperation(below=200, reason="Price too low"))
    accepted = create(desk, amount="150").json
    desk.finish()
    operation = call("GET", f"/v1/operations/{accepted['jobId']}").json
    assert operation["status"] == "FAILED"
    assert "Price too low" in operation["error"]["message"]


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("150.50", "USD"),
        (150.5, "EUR"),
        ("1.000", "USD"),
        ("1.250", "EUR"),
        ("25.000", "JPY"),
        (b"1.000", "USD"),
        (b"25000.0", "JPY"),
    ],
)
def test_an_amount_that_could_be_misread_is_refused_before_anything_is_stored(
    desk: Desk, amount: Any, currency: str
) -> None:
    """Bytes are a JSON number as it is written, which may say more than its value does."""
    number = amount.decode() if isinstance(amount, bytes) else json.dumps(amount)
    body = f'{{"variantId": "{desk.variants[0]}", "amount": {number}, "currency": "{currency}"}}'
    answer = call("POST", LISTINGS, body=body)
    assert (answer.status, answer.json["error"]["fields"][0]["field"]) == (400, "amount")
    assert not any(desk.items().values())
    listing_id = desk.active()
    change = call("PATCH", f"{LISTINGS}/{listing_id}", body=f'{{"amount": {number}, "currency": "{currency}"}}')
    assert (change.status, change.json["error"]["fields"][0]["field"]) == (400, "amount")
    assert desk.listing(listing_id).amount == "150"


def test_one_amount_that_stockx_does_not_take_costs_no_other_item(desk: Desk) -> None:
    amounts = ("160", "161.50", "-1", "162")
    variant = desk.variants[0]
    answer = bulk("create", *({"variantId": variant, "amount": amount, "currency": "EUR"} for amount in amounts))
    assert [item["outcome"] for item in answer.json["items"]] == ["accepted", "refused", "refused", "accepted"]
    desk.finish()
    made = [call("GET", f"{LISTINGS}/{item['listingId']}").json for item in answer.json["items"] if "listingId" in item]
    assert [(one["status"], one["amount"]) for one in made] == [("ACTIVE", "160"), ("ACTIVE", "162")]


def test_a_change_may_be_cancelled_before_it_begins_and_not_after(desk: Desk) -> None:
    listing_id = desk.active()
    job = desk.ask(listing_id, Action.UPDATE, Terms("140", "USD")).job_id
    assert call("DELETE", f"/v1/jobs/{job}").status == 200
    assert call("GET", f"/v1/operations/{job}").json["status"] == "CANCELLED"
    desk.ask(listing_id, Action.UPDATE, Terms("130", "USD"))
    desk.tick()
    assert call("DELETE", f"/v1/jobs/{job}").status == 409
