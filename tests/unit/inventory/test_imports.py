"""Imports: good rows are stored, refused ones reported; nothing is lost and nothing done twice, whoever dies when."""

import json
from typing import Any

import pytest

from sluice.inventory.stock import STOCK
from sluice.jobs.model.job import Job
from sluice.platform import aws
from sluice.platform.clock import HOUR
from sluice.platform.imports import chunks
from sluice.platform.imports import table as imports
from sluice.platform.imports.chunks import CHUNK_ROWS
from tests.support.http import call
from tests.unit.inventory.conftest import HEADER, Seller

FILE = f"""{HEADER}
DD1391-100,10,us,stockx|alias,110.00,USD,sneakers
DZ5485-612,10.5,us,stockx,,,
CP9654,9,us,stockx,-5,USD,
=1+1,9,,,,,
dd1391 100,10.0,us,,110,USD,
"""


def many(rows: int) -> str:
    return "sku,size,sizeSystem,marketplaces\n" + "".join(f"SKU-{number:05},10,us,ebay\n" for number in range(rows))


def test_good_rows_are_stored_and_the_others_are_reported_by_line_and_field(seller: Seller) -> None:
    answer = seller.upload(FILE)
    assert answer.status == 202
    told = answer.json
    assert (told["status"], told["rows"], told["accepted"], told["refusedRows"]) == ("processing", 5, 3, 2)
    assert [(row["line"], [one["field"] for one in row["fields"]]) for row in told["refused"]] == [
        (4, ["cost"]),
        (5, ["sku"]),
    ]
    assert seller.deliver() == []
    done = seller.progress(told["importId"])
    assert (done["status"], done["created"], done["existing"], done["refreshes"]) == ("done", 2, 0, 3)
    assert done["refused"] == told["refused"]
    assert seller.jobs() == {
        "stockx:DD1391-100:us-10:USD": 100,
        "alias:DD1391-100:us-10:USD": 100,
        "stockx:DZ5485-612:us-10.5:USD": 100,
    }
    assert [(one["sku"], one["cost"], one["quantity"]) for one in seller.portfolio()["items"]] == [
        ("DD1391-100", "110", 2),
        ("DZ5485-612", None, 1),
    ]


def test_a_sheet_with_a_currency_in_every_row_and_not_every_cost_is_taken(seller: Seller) -> None:
    told = seller.upload("sku,size,cost,currency\nA1,10,110.00,EUR\nA2,10,,EUR\nA3,10,,USD\nA4,10,5.001,EUR\n").json
    assert [row["line"] for row in told["refused"]] == [5]
    seller.deliver()
    stored = [(one["sku"], one["cost"], one["currency"]) for one in seller.portfolio()["items"]]
    assert stored == [("A1", "110", "EUR"), ("A2", None, "EUR"), ("A3", None, "USD")]


def test_a_json_list_is_taken_the_same_way(seller: Seller) -> None:
    body = {"items": [{"sku": "A", "size": "10", "cost": "1"}, {"sku": "B"}, "C", {"sku": "a", "size": "10"}]}
    told = seller.upload(json.dumps(body), "application/json; charset=UTF-8").json
    assert [(row["index"], row["fields"][0]["field"]) for row in told["refused"]] == [
        (1, "size"),
        (2, "row"),
    ]
    seller.deliver()
    assert seller.progress(told["importId"])["created"] == 1


def test_the_whole_of_a_large_file_is_stored_in_chunks(seller: Seller) -> None:
    told = seller.upload(many(3 * CHUNK_ROWS + 1)).json
    assert len(seller.cloud.queued) == 4
    seller.deliver(seller.cloud.queued[1:3])
    half = seller.progress(told["importId"])
    assert (half["status"], half["created"]) == ("processing", 2 * CHUNK_ROWS)
    seller.deliver()
    done = seller.progress(told["importId"])
    assert (done["status"], done["created"], done["refreshes"]) == ("done", 3 * CHUNK_ROWS + 1, 3 * CHUNK_ROWS + 1)
    assert len(seller.items()) == len(seller.jobs()) == 3 * CHUNK_ROWS + 1


def test_messages_delivered_twice_and_late_change_nothing(seller: Seller) -> None:
    told = seller.upload(FILE).json
    queued = list(seller.cloud.queued)
    seller.deliver()
    before = seller.cloud.content()
    for item_id in (one["itemId"] for one in seller.portfolio()["items"]):
        call("DELETE", f"/v1/inventory/{item_id}")
    without = seller.cloud.content()
    assert seller.deliver(queued * 2) == []
    assert seller.cloud.content() == without
    assert before["imports"] == without["imports"]
    assert seller.progress(told["importId"])["created"] == 2


def test_the_same_file_again_goes_on_with_the_import_and_later_is_a_new_one(seller: Seller) -> None:
    file = many(2 * CHUNK_ROWS)
    first = seller.upload(file).json
    seller.deliver(seller.cloud.queued[:1])
    seller.cloud.queued.clear()
    seller.clock.time += 1
    again = seller.upload(file).json
    assert again["importId"] == first["importId"]
    assert [json.loads(message)["chunk"] for message in seller.cloud.queued] == [1]
    seller.deliver()
    done = seller.progress(first["importId"])
    assert (done["status"], done["created"]) == ("done", 2 * CHUNK_ROWS)
    seller.clock.time += 1
    anew = seller.upload(file).json
    assert (anew["importId"], anew["status"], anew["created"]) == (first["importId"], "processing", 0)
    seller.deliver()
    done = seller.progress(first["importId"])
    assert (done["created"], done["existing"]) == (0, 2 * CHUNK_ROWS)
    assert len(seller.items()) == 2 * CHUNK_ROWS


def test_prices_that_are_not_old_are_not_asked_for_again(seller: Seller) -> None:
    seller.upload(many(2))
    seller.deliver()
    for job in Job.scan():
        job.delete()
    seller.price("ebay", "SKU-00000")
    seller.clock.time += 1
    told = seller.upload(many(2)).json
    seller.deliver()
    assert seller.progress(told["importId"])["refreshes"] == 1
    assert seller.jobs().keys() == {"ebay:SKU-00001:us-10:USD"}


def test_what_somebody_changed_meanwhile_is_kept(seller: Seller) -> None:
    told = seller.upload(f"{HEADER}\nDD1391-100,10,us,ebay,110,USD,\nDD1391-100,11,us,ebay,110,USD,\n").json
    seller.clock.time += 1
    seller.own("DD1391-100", cost="50", marketplaces=["ebay"])
    seller.deliver()
    done = seller.progress(told["importId"])
    assert (done["created"], done["kept"], done["status"]) == (1, 1, "done")
    assert [one["cost"] for one in seller.portfolio()["items"]] == ["50", "110"]


def test_why_prices_cannot_be_asked_for_is_told(seller: Seller) -> None:
    told = seller.upload(FILE, tenant="globex").json
    seller.deliver()
    done = call("GET", f"/v1/inventory/imports/{told['importId']}", tenant="globex").json
    assert (done["created"], done["refreshes"], done["refreshesRefused"]) == (2, 0, 3)
    assert [why.split(";")[0] for why in done["problems"]] == [
        "no alias account is connected",
        "no stockx account is connected",
    ]


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("at", range(1, 15))
def test_a_worker_that_dies_at_any_request_is_followed_by_another_and_the_end_is_the_same(
    seller: Seller, at: int, done: bool
) -> None:
    told = seller.upload(FILE).json
    with seller.store.dies(at, done=done):
        again = seller.deliver()
    assert seller.deliver(again) == []
    end = seller.progress(told["importId"])
    assert (end["status"], end["created"], end["existing"], end["kept"]) == ("done", 2, 0, 0)
    assert (len(seller.items()), len(seller.jobs())) == (2, 3)
    assert STOCK.size("acme") >= 2


def test_a_price_that_could_not_be_stored_brings_the_message_back(
    seller: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = seller.upload(FILE).json
    with monkeypatch.context() as broken:
        broken.setattr("sluice.jobs.ask.enqueue_many", lambda specs, *_: [RuntimeError("no")] * len(list(specs)))
        again = seller.deliver()
    assert (len(again), seller.progress(told["importId"])["status"]) == (1, "processing")
    seller.deliver(again)
    assert seller.progress(told["importId"])["refreshes"] == 3


def test_a_queue_that_takes_half_of_it_is_told_and_the_same_file_goes_on(
    seller: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(_: str, bodies: list[str], __: str) -> None:
        seller.cloud.queued.extend(bodies[:1])
        raise RuntimeError("the queue refused the secret")

    with monkeypatch.context() as broken:
        broken.setattr(aws, "send_messages", half)
        answer = seller.upload(many(2 * CHUNK_ROWS))
    assert answer.status == 503
    assert "same file again" in answer.json["error"]["message"]
    assert "secret" not in answer.text
    seller.deliver()
    told = seller.upload(many(2 * CHUNK_ROWS)).json
    assert [json.loads(message)["chunk"] for message in seller.cloud.queued] == [1]
    seller.deliver()
    assert seller.progress(told["importId"])["created"] == 2 * CHUNK_ROWS


def test_rows_that_come_back_after_the_record_of_their_import_is_gone_are_stored_all_the_same(seller: Seller) -> None:
    told = seller.upload(FILE).json
    imports.Import.get("acme", told["importId"]).delete()
    assert seller.deliver() == []
    assert (len(seller.items()), len(seller.jobs()), seller.items("imports")) == (2, 3, [])
    assert STOCK.size("acme") == 2


def test_ten_calls_send_a_hundred_messages_and_none_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[list[dict[str, str]]] = []

    class Queue:
        def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
            sent.append(Entries)
            return {"Failed": [{"Code": "Throttled"}]} if len(sent) == 3 else {}

    monkeypatch.setattr(aws, "client", lambda _: Queue())
    aws.send_messages("queue", ["é" * 50] * 15, "acme")
    assert [len(batch) for batch in sent] == [10, 5]
    assert {entry["MessageGroupId"] for batch in sent for entry in batch} == {"acme"}, "the queue tells tenants apart"
    with pytest.raises(RuntimeError, match="refused 1 messages: Throttled"):
        aws.send_messages("queue", ["é" * 100_000] * 2, "acme")
    assert [len(batch) for batch in sent[2:]] == [1]


def test_rows_that_were_sent_before_they_were_packed_are_stored(seller: Seller) -> None:
    """As messages lie in the queue while a new version is deployed."""
    told = seller.upload(FILE).json
    [text] = seller.cloud.queued
    content = json.loads(text)
    plain = {name: content[name] for name in ("version", "tenant", "import_id", "chunk", "at")}
    plain["rows"] = chunks.decoded({name: value for name, value in content.items() if name != "version"}).rows
    assert seller.deliver([json.dumps(plain)]) == []
    assert seller.progress(told["importId"])["created"] == 2


@pytest.mark.parametrize("change", [{"rows": "!"}, {"rows": "eA=="}, {"rows": None}, {"more": 1}, {"rows": [[1] * 99]}])
def test_a_message_that_holds_no_rows_is_set_aside(seller: Seller, change: dict[str, Any]) -> None:
    seller.upload(FILE)
    [text] = seller.cloud.queued
    bad = json.dumps({**json.loads(text), **change})
    assert seller.deliver([bad]) == []
    assert seller.cloud.sent == [bad]
    assert seller.items() == []


def test_rows_of_a_kind_that_nobody_stores_are_set_aside(seller: Seller) -> None:
    seller.upload(FILE)
    [text] = seller.cloud.queued
    bad = json.dumps({**json.loads(text), "kind": "tulips"})
    assert seller.deliver([bad]) == []
    assert seller.cloud.sent == [bad]


BAD: list[tuple[Any, str, int, str]] = [
    ("sku,size\n", "text/csv", 400, "body"),
    ("", "text/csv", 400, "body"),
    ("sku|size\nA|10\n", "text/csv", 400, "body"),
    (b"PK\x03\x04 a workbook", "application/vnd.ms-excel", 400, "body"),
    (many(10_001), "text/csv", 400, "body"),
    ("sku,size\n" + "S,1\n" * 1_000_000, "text/csv", 400, "body"),
    (b"\xff\xfes\x00k\x00", "text/csv", 400, "body"),
    ("sku,size\n-A,10\nB,\n", "text/csv", 400, "sku"),
    (f"sku,size\n{'A' * 5_000_000},10\n", "text/csv", 413, ""),
    (FILE, "text/csv; charset=windows-1252", 415, ""),
    (FILE, "", 415, ""),
    (FILE, "text/csv;" + '";' * 5_000, 415, ""),
    (FILE, "text/csv; charset=\ud800", 415, ""),
    (FILE, "application/json", 400, "body"),
    ({"items": []}, "application/json", 400, "items"),
    ({"items": [{"sku": "A"}]}, "application/json", 400, "size"),
    ({"items": [{"sku": "A", "size": "1"}], "force": True}, "application/json", 400, "force"),
    ({"items": [0] * 10_001}, "application/json", 400, "items"),
]


@pytest.mark.parametrize(("body", "content_type", "status", "field"), BAD)
def test_a_file_that_cannot_be_taken_is_refused_and_nothing_of_it_is_stored(
    seller: Seller, body: Any, content_type: str, status: int, field: str
) -> None:
    before = seller.cloud.content()
    answer = seller.upload(body, content_type)
    assert answer.status == status, answer.text[:300]
    assert field in answer.fields or not field
    assert (seller.cloud.content(), seller.cloud.queued) == (before, [])
    assert len(answer.text) < 3_000


def test_one_bad_byte_costs_one_row_as_the_gateway_sends_it_and_as_it_is(seller: Seller) -> None:
    """A body that the gateway takes for text has a mark where the byte was; one that it does not is base64."""
    for number, bad in enumerate(("A-1,10,caf\ufffd".encode(), b"A-1,10,caf\xe9")):
        data = b"sku,size,category\nB-%d,10,caf\xc3\xa9\n" % number + bad + b"\n"
        told = seller.upload(data if number else data.decode()).json
        assert [(row["line"], row["fields"][0]["field"]) for row in told["refused"]] == [(3, "category")]
        assert told["accepted"] == 1


def test_a_report_of_thousands_of_refused_rows_names_the_first_and_counts_all(seller: Seller) -> None:
    told = seller.upload("sku,size\nGOOD,1\n" + "BAD,\n" * 9_999).json
    assert (told["refusedRows"], len(told["refused"])) == (9_999, 1_000)
    [stored] = seller.items("imports")
    assert len(stored["report"]["B"]) < 16 * 1024
    everything = seller.upload("sku,size\n" + "BAD,\n" * 10_000)
    assert everything.status == 400
    assert everything.json["refusedRows"] == 10_000


def test_an_import_is_kept_for_some_days(seller: Seller) -> None:
    told = seller.upload(FILE).json
    [stored] = seller.items("imports")
    assert int(stored["expires_at"]["N"]) * 1000 > seller.clock.time + HOUR
    assert call("GET", f"/v1/inventory/imports/{told['importId'].upper()}").status == 404
    assert call("GET", f"/v1/inventory/imports/{'0' * 32}").status == 404
