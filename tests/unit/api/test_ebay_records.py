"""Records of eBay listings over the API: what is stored, what is published, and what changes nothing."""

from typing import Any

import pytest

from sluice.catalog.table import Product
from sluice.jobs.model import states
from sluice.jobs.model.job import Job
from sluice.jobs.model.requests import AskRecord
from sluice.listings.ebay.kinds import publish_id
from sluice.listings.ebay.sellers import SellerPart
from sluice.listings.ebay.table import Record, find
from sluice.platform import tables
from sluice.platform.clock import SECOND, iso
from sluice.platform.http import answers, routing
from sluice.platform.observe import metrics
from tests.support.ebay_records import SKU, accept, document
from tests.support.http import Answer, call
from tests.unit.api.conftest import Cloud

PATH = f"/v1/ebay/listings/{SKU}"


def body(**changes: Any) -> dict[str, Any]:
    """A record as a request has it."""
    return {name: value for name, value in document(**changes).items() if name != "sku"}


def put(version: int | str | None = None, tenant: str = "acme", **changes: Any) -> Answer:
    headers = {} if version is None else {"if-match": f'"{version}"' if isinstance(version, int) else version}
    return call("PUT", PATH, body=body(**changes), tenant=tenant, headers=headers)


def shown() -> dict[str, Any]:
    answer = call("GET", PATH, tenant="acme")
    assert answer.status == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def jobs() -> list[Job]:
    """Those that publish; what a category asks for is read besides."""
    return [job for job in Job.scan() if job.kind == "listing.publish"]


def publish(now: int, standing: str = "live") -> None:
    """eBay takes the record as it is, and its job ends."""
    accept("acme", SKU, now, standing)
    for job in jobs():
        tables.update(Job, (job.job_id,), [Job.state.set(states.SUCCEEDED), Job.lane.remove(), Job.due_at.remove()])


@pytest.fixture
def seller(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """`acme` and `globex` have eBay accounts that may sell."""
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "test")
    metrics.clear_metrics()
    cloud.connect_seller("acme")
    cloud.connect_seller("globex")
    return cloud


def test_a_description_of_letters_that_take_many_bytes_can_be_shown(seller: Cloud) -> None:
    """As it is wanted and as it was published: 2 MB of the 6 that Lambda returns. As numbers they were 7."""
    long = put(description="\N{PILE OF POO}" * 165_000)
    assert long.status == 202, long.text
    publish(seller.now)
    answer = call("GET", PATH, tenant="acme")
    assert (answer.status, answer.json["state"]) == (200, "live")
    assert answers.size(answer.text) < answers.MOST_BYTES // 2


def test_a_record_is_stored_with_its_job(seller: Cloud) -> None:
    answer = put()
    assert (answer.status, answer.json) == (
        202,
        {"sku": SKU, "outcome": "queued", "version": 1, "jobId": publish_id("acme", SKU), "categoryChecked": False},
    )
    [job] = jobs()
    assert (job.kind, job.state, job.payload["sku"]) == ("listing.publish", states.QUEUED, SKU)
    found = shown()
    assert found["record"]["price"] == {"amount": "245", "currency": "USD"}
    assert (found["state"], found["version"], found["publishedVersion"], found["published"]) == (
        "waiting",
        1,
        None,
        None,
    )
    assert found["revisions"]["left"] == 250
    assert found["openDrift"] == []
    assert [one.job_ids for one in AskRecord.query("acme")] == [[job.job_id]]


def test_the_same_record_once_more_changes_nothing(seller: Cloud) -> None:
    put()
    before = seller.content()
    assert put(price={"amount": 245.0, "currency": "USD"}).json["outcome"] == "unchanged"
    answer = put(
        price={"amount": "245.00", "currency": "USD"},
        aspects={"US Shoe Size": ["10"], "Color": ["Black", "Red", "Red"], "Brand": ["Nike"]},
    )
    assert answer.json == {"sku": SKU, "outcome": "unchanged", "version": 1, "jobId": None, "categoryChecked": None}
    assert seller.content() == before


def test_a_published_record_once_more_enqueues_nothing_and_is_counted(
    seller: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []
    monkeypatch.setattr("sluice.listings.ebay.asking.count", lambda name, value=1: counted.append(name))
    put()
    publish(seller.now)
    assert put().json["outcome"] == "unchanged"
    assert counted == ["queue.enqueue_skipped_hash"]
    assert [job.state for job in jobs()] == [states.SUCCEEDED]
    assert shown()["state"] == "live"


@pytest.mark.parametrize(
    ("changes", "seconds"),
    [
        ({"price": {"amount": "250", "currency": "USD"}}, 5),
        ({"quantity": 4}, 5),
        ({"quantity": 4, "title": "Another"}, 30),
        ({"title": "Another"}, 30),
        ({"status": "paused"}, 30),
    ],
)
def test_edits_wait_for_the_coalescing_window(
    seller: Cloud, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], seconds: int
) -> None:
    put()
    publish(seller.now)
    now = seller.now + 1_000_000
    monkeypatch.setattr(routing.clock, "now", lambda: now, raising=False)
    seller.woken.clear()
    assert put(**changes).json["outcome"] == "queued"
    [job] = jobs()
    assert job.due_at == now + seconds * SECOND
    [(at, held_back)] = seller.woken
    assert 0 <= at - job.due_at < SECOND, "the scheduler comes when it is due, not at the next minute"
    assert now + held_back * SECOND <= at


def test_five_edits_are_one_job_that_no_edit_puts_off(seller: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    due = set()
    for number in range(5):
        monkeypatch.setattr(routing.clock, "now", lambda number=number: seller.now + number * 5 * SECOND, raising=False)
        assert put(title=f"Title {number}").json["version"] == number + 1
        [job] = jobs()
        due.add(job.due_at)
    assert due == {seller.now + 30 * SECOND}
    assert shown()["record"]["title"] == "Title 4"


def test_an_edit_while_the_job_runs_has_it_run_once_more(seller: Cloud) -> None:
    put()
    [job] = jobs()
    tables.update(Job, (job.job_id,), [Job.state.set(states.LEASED), Job.lease.set(1)])
    assert put(title="Another").json["outcome"] == "queued"
    [job] = jobs()
    assert job.rerun is not None
    assert put(title="Another").json["outcome"] == "unchanged"


def test_a_record_whose_job_has_died_is_asked_for_again(seller: Cloud) -> None:
    put()
    [job] = jobs()
    tables.update(Job, (job.job_id,), [Job.state.set(states.DEAD), Job.lane.remove(), Job.due_at.remove()])
    answer = put()
    assert answer.json["outcome"] == "queued"
    assert [job.state for job in jobs()] == [states.QUEUED]


def test_what_only_says_how_drift_is_treated_is_stored_and_sent_nowhere(seller: Cloud) -> None:
    put()
    publish(seller.now)
    answer = put(onDrift={"price": "ask"})
    assert answer.json == {"sku": SKU, "outcome": "stored", "version": 2, "jobId": None, "categoryChecked": False}
    assert [job.state for job in jobs()] == [states.SUCCEEDED]
    assert shown()["record"]["onDrift"]["price"] == "ask"
    assert shown()["state"] == "live"


def test_a_version_that_is_not_the_newest_changes_nothing(seller: Cloud) -> None:
    put()
    assert put(1, title="Another").status == 202
    before = seller.content()
    for refused in (
        put(1, title="A third"),
        call("PATCH", PATH, body={"quantity": 1}, tenant="acme", headers={"If-Match": '"1"'}),
        call("DELETE", PATH, tenant="acme", headers={"If-Match": "1"}),
    ):
        assert (refused.status, refused.json["error"]["code"]) == (412, "version_changed")
        assert refused.fields == {"If-Match": "is at version 2"}
    assert put("seven").status == 400
    assert seller.content() == before
    missing = call("PUT", "/v1/ebay/listings/none", body=body(), tenant="acme", headers={"If-Match": '"1"'})
    assert (missing.status, missing.fields) == (412, {"If-Match": "does not exist"})


def test_a_patch_changes_what_it_names(seller: Cloud) -> None:
    put(subtitle="s")
    answer = call("PATCH", PATH, body={"price": {"amount": "250"}, "subtitle": None}, tenant="acme")
    assert (answer.status, answer.json["version"]) == (202, 2)
    record = shown()["record"]
    assert record["price"] == {"amount": "250", "currency": "USD"}
    assert "subtitle" not in record
    assert record["title"] == document()["title"]
    assert call("PATCH", PATH, body={}, tenant="acme").status == 400
    assert call("PATCH", PATH, body={"title": None}, tenant="acme").fields == {"title": "is required"}
    assert call("PATCH", "/v1/ebay/listings/none", body={"quantity": 1}, tenant="acme").status == 404


def test_a_deleted_listing_is_ended_and_archived(seller: Cloud) -> None:
    put()
    publish(seller.now)
    answer = call("DELETE", PATH, tenant="acme")
    assert (answer.status, answer.json["outcome"]) == (202, "queued")
    found = shown()
    assert (found["state"], found["status"], found["record"]["status"]) == ("archived", "ended", "ended")
    assert call("GET", "/v1/ebay/listings", tenant="acme").json["listings"] == []
    [one] = call("GET", "/v1/ebay/listings", query={"state": "archived"}, tenant="acme").json["listings"]
    assert one["sku"] == SKU
    assert call("DELETE", PATH, tenant="acme").json["outcome"] == "unchanged"
    assert call("PATCH", PATH, body={"quantity": 1}, tenant="acme").status == 404
    publish(seller.now + 1, standing="ended")
    again = put()
    assert (again.json["outcome"], again.json["version"]) == ("queued", 3)
    assert shown()["state"] == "waiting"


def test_every_change_is_in_the_history_by_whom(seller: Cloud) -> None:
    put()
    put(quantity=4)
    call("PATCH", PATH, body={"title": "Another"}, tenant="acme")
    call("DELETE", PATH, tenant="acme")
    first = call("GET", f"{PATH}/history", query={"limit": 3}, tenant="acme").json
    assert [(one["version"], one["action"]) for one in first["history"]] == [(4, "delete"), (3, "patch"), (2, "put")]
    assert first["history"][1]["fields"] == ["/title"]
    assert first["history"][2]["fields"] == ["/quantity"]
    assert {one["jobId"] for one in first["history"]} == {publish_id("acme", SKU)}
    assert all(one["changedBy"] for one in first["history"])
    rest = call("GET", f"{PATH}/history", query={"limit": 3, "cursor": first["next"]}, tenant="acme").json
    assert [one["version"] for one in rest["history"]] == [1]


def test_without_an_account_nothing_is_taken(cloud: Cloud) -> None:
    answer = put()
    assert (answer.status, list(answer.fields)) == (400, ["account"])
    assert "PUT /v1/accounts/ebay" in answer.fields["account"]
    assert list(Record.scan()) == []


def test_a_policy_that_the_seller_has_not_is_refused_by_its_field(seller: Cloud) -> None:
    rows = [{"id": "6196932000", "name": "Std", "digest": "d"}]
    others = {"payment": [{**rows[0], "id": "6196947000"}], "return": [{**rows[0], "id": "6196944000"}]}
    SellerPart("ebay:acme", "EBAY_US", policies={"fulfillment": rows, **others}, read_at=seller.now).save()
    assert put().status == 202
    before = seller.content()
    refused = put(policies={**document()["policies"], "fulfillment": {"name": "Express"}})
    assert (refused.status, list(refused.fields)) == (400, ["policies.fulfillment"])
    assert "EBAY_US" in refused.fields["policies.fulfillment"]
    assert seller.content() == before


BAD: list[tuple[dict[str, Any], str]] = [
    ({"title": "a\u0000b"}, "title"),
    ({"title": "t" * 81}, "title"),
    ({"description": "<p>a</p><script>b()</script>"}, "description"),
    ({"images": ["http://img.example.com/1.jpg"]}, "images[0]"),
    ({"images": [f"https://img.example.com/{number}.jpg" for number in range(25)]}, "images"),
    ({"price": {"amount": "0", "currency": "USD"}}, "price.amount"),
    ({"price": {"amount": "1.005", "currency": "USD"}}, "price.amount"),
    ({"price": {"amount": "1", "currency": "EUR"}}, "price.currency"),
    ({"quantity": -1}, "quantity"),
    ({"quantity": True}, "quantity"),
    ({"quantity": "3"}, "quantity"),
    ({"colour": "red"}, "colour"),
    ({"title": None}, "title"),
    ({"price": {"amount": "1"}}, "price.currency"),
    ({"onDrift": {"price": "shout"}}, "onDrift.price"),
    ({"group": "no-such-group", "images": ["https://img.example.com/1.jpg"]}, "group"),
]


@pytest.mark.parametrize(("changes", "field"), BAD)
def test_bad_input_changes_nothing_and_names_our_field(seller: Cloud, changes: dict[str, Any], field: str) -> None:
    before = seller.content()
    answer = put(**changes)
    assert (answer.status, list(answer.fields)) == (400, [field]), answer.text
    assert seller.content() == before


@pytest.mark.parametrize("sku", ["a" * 51, "a%20b", "%2e%2e", "-a"])
def test_what_can_be_no_sku_is_refused(seller: Cloud, sku: str) -> None:
    answer = call("PUT", f"/v1/ebay/listings/{sku}", body=body(), tenant="acme")
    assert (answer.status, list(answer.fields)) == (400, ["sku"])


def test_a_record_says_no_other_sku_than_its_path(seller: Cloud) -> None:
    assert call("PUT", PATH, body=document(), tenant="acme").status == 202
    assert call("PUT", PATH, body=document(sku="another"), tenant="acme").fields.keys() == {"sku"}


def test_a_long_description_is_taken(seller: Cloud) -> None:
    html = "<p>" + "word " * 99_000 + "</p>"
    assert put(description=html).status == 202
    assert len(shown()["record"]["description"]) == len(html)


def test_a_tenant_sees_and_changes_its_own_records_alone(seller: Cloud) -> None:
    put()
    for method, path, sent in (
        ("GET", PATH, None),
        ("PATCH", PATH, {"quantity": 1}),
        ("DELETE", PATH, None),
        ("GET", f"{PATH}/history", None),
        ("GET", f"{PATH}/snapshots", None),
        ("POST", f"{PATH}/snapshots", None),
    ):
        assert call(method, path, body=sent, tenant="globex").status == 404
    assert call("GET", "/v1/ebay/listings", tenant="globex").json["listings"] == []


def test_records_are_listed_by_what_they_are(seller: Cloud) -> None:
    put()
    publish(seller.now)
    for number in range(3):
        sku = f"b-{number}"
        answer = call("PUT", f"/v1/ebay/listings/{sku}", body=body(status="paused"), tenant="acme")
        assert answer.status == 202

    def skus(**query: Any) -> list[str]:
        return [one["sku"] for one in call("GET", "/v1/ebay/listings", query=query, tenant="acme").json["listings"]]

    assert skus() == [SKU, "b-0", "b-1", "b-2"]
    assert skus(state="live") == [SKU]
    assert skus(state="waiting", status="paused") == ["b-0", "b-1", "b-2"]
    assert skus(marketplace="EBAY_DE") == []
    assert skus(drift="false") == [SKU, "b-0", "b-1", "b-2"]
    assert skus(drift="true") == []
    page = call("GET", "/v1/ebay/listings", query={"limit": 2}, tenant="acme").json
    assert skus(limit=2, cursor=page["next"]) == ["b-1", "b-2"]
    assert call("GET", "/v1/ebay/listings", query={"cursor": "b-1"}, tenant="acme").fields.keys() == {"cursor"}


def test_snapshots_are_shown_and_compared(seller: Cloud) -> None:
    put()
    publish(seller.now)
    put(
        price={"amount": "250", "currency": "USD"},
        images=["https://img.example.com/2.jpg", "https://img.example.com/3.jpg"],
    )
    publish(seller.now + 1)
    listed = call("GET", f"{PATH}/snapshots", tenant="acme").json["snapshots"]
    assert [(one["number"], one["version"], one["event"]) for one in listed] == [(2, 2, "publish"), (1, 1, "publish")]
    first = call("GET", f"{PATH}/snapshots/1", tenant="acme").json
    assert first["state"]["price"] == {"amount": "245", "currency": "USD"}
    assert first["state"]["policies"]["fulfillment"] == {"id": "6196932000"}
    told = call("GET", f"{PATH}/snapshots/diff", query={"before": 1, "after": 2}, tenant="acme").json
    assert told["changes"] == {
        "/images": {"removed": ["https://img.example.com/1.jpg"], "added": {"1": "https://img.example.com/3.jpg"}},
        "/price/amount": {"from": "245", "to": "250"},
    }
    same = call("GET", f"{PATH}/snapshots/diff", query={"before": 2, "after": 2}, tenant="acme").json
    assert same["changes"] == {}
    missing = call("GET", f"{PATH}/snapshots/diff", query={"before": 1, "after": 9}, tenant="acme")
    assert (missing.status, list(missing.fields)) == (404, ["after"])
    for number in ("9", "x", "-1", "123456789", "²"):
        assert call("GET", f"{PATH}/snapshots/{number}", tenant="acme").status == 404


def test_a_snapshot_is_forced_of_what_is_published(seller: Cloud) -> None:
    put()
    assert call("POST", f"{PATH}/snapshots", tenant="acme").status == 409
    publish(seller.now)
    put(quantity=9)
    answer = call("POST", f"{PATH}/snapshots", tenant="acme")
    assert answer.status == 201, answer.text
    assert (answer.json["number"], answer.json["event"], answer.json["sameAs"]) == (2, "forced", 1)
    assert call("GET", f"{PATH}/snapshots/2", tenant="acme").json["state"]["quantity"] == 3


def test_many_records_are_put_each_on_its_own(seller: Cloud) -> None:
    put()
    items = [document(), document(sku="b"), document(sku="c", quantity=-1), document(sku="b"), {"sku": "d"}]
    answer = call("PUT", "/v1/ebay/listings", body={"items": items}, tenant="acme")
    assert answer.status == 202, answer.text
    assert [one["outcome"] for one in answer.json["items"]] == ["unchanged", "queued", "refused", "refused", "refused"]
    assert answer.json["counts"] == {"queued": 1, "stored": 0, "unchanged": 1, "refused": 3}
    told = [[field["field"] for field in one["error"]["fields"]] for one in answer.json["items"][2:4]]
    assert told == [["items[2].quantity"], ["items[3].sku"]]
    assert find("acme", "c") is None
    refused = call("PUT", "/v1/ebay/listings", body={"items": [{"sku": "d"}]}, tenant="acme")
    assert refused.status == 400
    assert call("PUT", "/v1/ebay/listings", body={"items": [document()] * 501}, tenant="acme").status == 400


def test_500_records_are_put_at_once(seller: Cloud) -> None:
    items = [document(sku=f"s-{number}") for number in range(500)]
    answer = call("PUT", "/v1/ebay/listings", body={"items": items}, tenant="acme")
    assert answer.json["counts"]["queued"] == 500
    assert len(jobs()) == 500


def test_an_error_of_the_newest_version_is_shown(seller: Cloud) -> None:
    put()
    error = {"code": "25003", "message": "price", "version": 1, "at": iso(seller.now)}
    tables.update(Record, ("acme", SKU), [Record.error.set(error)])
    found = shown()
    assert (found["state"], found["error"]["at"]) == ("failed", iso(seller.now))
    put(quantity=1)
    assert shown()["state"] == "waiting"


def dry_run(**changes: Any) -> dict[str, Any]:
    answer = call("POST", f"{PATH}/dry-run", body={"record": body(**changes)}, tenant="acme")
    assert answer.status == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def test_a_dry_run_says_each_call_and_does_nothing(seller: Cloud) -> None:
    before = seller.content()
    told = dry_run()
    assert [(call["step"], call["method"]) for call in told["calls"]] == [
        ("item", "PUT"),
        ("offer", "POST"),
        ("publish", "POST"),
    ]
    assert told["calls"][0]["body"]["product"]["title"] == document()["title"]
    assert told["calls"][2]["path"].endswith("/offer/{offerId}/publish")
    assert told["lookedUpThen"] == ["policies.fulfillment"]
    assert seller.content() == before
    assert call("POST", f"{PATH}/dry-run", body={}, tenant="acme").status == 404


def test_a_dry_run_of_a_live_listing_says_what_a_change_costs(seller: Cloud) -> None:
    rows = {"fulfillment": ("6196932000", "Std"), "payment": ("6196947000", "P"), "return": ("6196944000", "R")}
    policies = {kind: [{"id": one, "name": name, "digest": "d"}] for kind, (one, name) in rows.items()}
    SellerPart("ebay:acme", "EBAY_US", policies=policies, read_at=seller.now).save()
    put()
    publish(seller.now)
    assert dry_run()["calls"] == []
    told = dry_run(price={"amount": "250", "currency": "USD"})
    [made] = told["calls"]
    assert (made["step"], made["method"], told["costs"]) == ("prices", "POST", 1)
    [row] = made["body"]["requests"]
    price = {"value": "250.00", "currency": "USD"}
    assert row == {"sku": row["sku"], "offers": [{"offerId": "9", "price": price}]}
    [made] = dry_run(quantity=2)["calls"]
    [row] = made["body"]["requests"]
    assert (row["offers"][0]["availableQuantity"], row["shipToLocationAvailability"]) == (2, {"quantity": 2})
    assert [one["step"] for one in dry_run(title="Another")["calls"]] == ["item"]
    assert [one["step"] for one in dry_run(location="wh-2")["calls"]] == ["offer"]
    assert [one["path"] for one in dry_run(status="ended")["calls"]] == ["/sell/inventory/v1/offer/9/withdraw"]
    assert call("POST", f"{PATH}/dry-run", body={}, tenant="acme").json["calls"] == []


def test_a_dry_run_refuses_what_a_put_refuses(seller: Cloud) -> None:
    sent = {"record": body(title="t" * 81)}
    assert call("POST", f"{PATH}/dry-run", body=sent, tenant="acme").fields.keys() == {"title"}


def test_a_record_is_proposed_for_what_is_owned_and_nothing_is_stored(seller: Cloud) -> None:
    owned = {"sku": "DZ5485-612", "size": "10", "sizeSystem": "us", "marketplaces": ["ebay"], "quantity": 2}
    [item] = call("POST", "/v1/inventory", body={"items": [owned]}, tenant="acme").json["items"]
    Product(
        "stockx:DZ5485-612", marketplace="stockx", product_id="p", name="Jordan 1 Retro " + "x" * 80, brand="Jordan",
        image="https://images.example.com/1.jpg", variants=[], updated_at=1, checked_at=1,
    ).save()  # fmt: skip
    before = seller.content()
    answer = call("POST", "/v1/ebay/listings/draft", body={"itemId": item["itemId"]}, tenant="acme")
    assert answer.status == 200, answer.text
    record = answer.json["record"]
    assert (record["sku"], record["quantity"], record["condition"]) == ("DZ5485-612-10", 2, "NEW")
    assert record["title"].startswith("Jordan 1 Retro ")
    assert record["title"].endswith(" Size 10")
    assert len(record["title"]) == 80
    assert record["aspects"] == {"US Shoe Size": ["10"], "Brand": ["Jordan"]}
    assert record["images"] == ["https://images.example.com/1.jpg"]
    assert answer.json["missing"] == ["description", "category", "price", "policies", "location"]
    assert seller.content() == before
    rest = {name: body()[name] for name in answer.json["missing"]}
    put_ = call("PUT", f"/v1/ebay/listings/{record['sku']}", body={**record, **rest}, tenant="acme")
    assert put_.status == 202, put_.text
    missing = call("POST", "/v1/ebay/listings/draft", body={"itemId": "x"}, tenant="acme")
    assert (missing.status, list(missing.fields)) == (404, ["itemId"])
