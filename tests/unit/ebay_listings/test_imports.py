"""Imports of records: thousands at once, told by row; nothing is lost, done twice, or undone, whoever dies when."""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from sluice.inventory import worker
from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.model.requests import AskRecord
from sluice.listings.ebay import asking
from sluice.listings.ebay.table import HistoryEntry, find, find_group
from sluice.platform import aws
from sluice.platform.clock import DAY, HOUR
from sluice.platform.config.document import Config
from sluice.platform.context import Context
from sluice.platform.http import routing
from sluice.platform.imports.chunks import CHUNK_ROWS
from sluice.platform.imports.table import Import
from sluice.platform.observe import metrics
from tests.support.clock import VirtualClock
from tests.support.command import Shell, in_environment
from tests.support.desk import NOON
from tests.support.ebay_records import GROUP, document
from tests.support.http import Answer, call
from tests.support.store import Request, Send, Store
from tests.support.wire import api_of
from tests.unit.api.conftest import Cloud, cloud, tables

__all__ = ["cloud", "tables"]

PATH = "/v1/ebay/listings/import"
HEADER = (
    "sku;title;description;condition;category;images;price.amount;price.currency;quantity;marketplace;language;"
    "policies.fulfillment;policies.payment;policies.return;location;aspects.US Shoe Size;aspects.Color;product.brand;"
    "group"
)


def row(sku: str, amount: str = "245", quantity: object = 3, group: str = "", size: str = "10") -> str:
    return (
        f"{sku};Shoe;<p>New</p>;NEW;15709;https://img.example.com/1.jpg | https://img.example.com/2.jpg;{amount};USD;"
        f"{quantity};EBAY_US;en-US;Std;6196947000;6196944000;wh-1;{size};Red|Black;Nike;{group}"
    )


def sheet(*rows: str) -> str:
    return "\n".join((HEADER, *rows))


def many(rows: int) -> str:
    return sheet(*(row(f"s-{number:05}") for number in range(rows)))


class Seller:
    """`acme`, with an eBay account; what is queued lies in the cloud until it is delivered."""

    def __init__(self, cloud: Cloud, store: Store, clock: VirtualClock) -> None:
        self.cloud, self.store, self.clock = cloud, store, clock

    def upload(self, body: Any, content_type: str = "text/csv", tenant: str = "acme") -> Answer:
        return call("POST", PATH, body=body, content_type=content_type, tenant=tenant)

    def taken(self, body: Any, content_type: str = "text/csv") -> Any:
        answer = self.upload(body, content_type)
        assert answer.status == 202, answer.text
        return answer.json

    def progress(self, import_id: str, tenant: str = "acme") -> Any:
        return call("GET", f"/v1/ebay/imports/{import_id}", tenant=tenant).json

    def deliver(self, messages: list[str] | None = None) -> list[str]:
        """Give the worker what lies in the queue, or `messages`; returns those that come back."""
        if messages is None:
            messages, self.cloud.queued = self.cloud.queued, []
        found = {str(number): body for number, body in enumerate(messages)}
        failed = worker.work(found, Context(self.clock, Config()))
        return [messages[int(number)] for number in failed]

    def put(self, sku: str, **changes: Any) -> Any:
        said = {name: value for name, value in document(**changes).items() if name != "sku"}
        answer = call("PUT", f"/v1/ebay/listings/{sku}", body=said, tenant="acme")
        assert answer.status == 202, answer.text
        return answer.json

    def records(self) -> int:
        return len(self.store.items("ebay_listings"))


@pytest.fixture
def seller(cloud: Cloud, tables: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Seller]:
    clock = VirtualClock(NOON)
    monkeypatch.setattr(routing, "clock", clock)
    monkeypatch.setattr(metrics.provider, "namespace", "Sluice/test")
    monkeypatch.setattr(aws, "send_message", lambda queue, body, *_, **__: cloud.sent.append(body))
    cloud.connect_seller("acme")
    cloud.connect_seller("globex")
    yield Seller(cloud, tables, clock)
    metrics.clear_metrics()


def publishes() -> list[Job]:
    return [job for job in Job.scan() if job.kind == "listing.publish"]


def refused(told: Any) -> list[tuple[int, list[str]]]:
    """The number of each row that is told of, and the fields that are wrong in it."""
    return [(one.get("line", one.get("index")), [field["field"] for field in one["fields"]]) for one in told["refused"]]


def test_good_rows_are_stored_and_the_others_are_told_by_line_and_field(seller: Seller) -> None:
    told = seller.taken(sheet(row("a-1"), row("a-2", "=1+1"), row("a-3", "0", -1), row("a-1")))
    assert (told["status"], told["rows"], told["refusedRows"], told["waiting"]) == ("processing", 4, 3, 1)
    assert refused(told) == [(3, ["price.amount"]), (4, ["quantity", "price.amount"]), (5, ["sku"])]
    assert seller.deliver() == []
    done = seller.progress(told["importId"])
    assert (done["status"], done["queued"], done["waiting"], done["refused"]) == ("done", 1, 0, told["refused"])
    record = call("GET", "/v1/ebay/listings/a-1", tenant="acme").json["record"]
    assert record["aspects"] == {"Color": ["Black", "Red"], "US Shoe Size": ["10"]}
    assert record["policies"]["fulfillment"] == {"name": "Std"}
    assert record["policies"]["payment"] == {"id": "6196947000"}
    assert len(record["images"]) == 2
    entry = HistoryEntry.get("acme/a-1", "v00000001")
    assert (entry.action, entry.changed_by) == ("import", "someone@acme")


def test_words_are_read_in_any_case_as_in_every_file(seller: Seller) -> None:
    as_written = row("a-1").replace("NEW", "New").replace("USD", "usd").replace("EBAY_US", "ebay_us")
    told = seller.taken(f"{HEADER};Status\n{as_written};Paused")
    assert refused(told) == []
    assert seller.deliver() == []
    record = call("GET", "/v1/ebay/listings/a-1", tenant="acme").json["record"]
    found = [record["marketplace"], record["condition"], record["price"]["currency"], record["status"]]
    assert found == ["EBAY_US", "NEW", "USD", "paused"]


def test_a_json_list_is_imported_the_same_way(seller: Seller) -> None:
    items = [document(sku="a"), document(sku="b", title=""), "no record", document(sku="a"), {"sku": "c"}]
    told = seller.taken(json.dumps({"items": items}), "application/json")
    assert [number for number, _ in refused(told)] == [1, 2, 3, 4]
    assert refused(told)[:3] == [(1, ["title"]), (2, ["row"]), (3, ["sku"])]
    assert "title" in refused(told)[3][1]
    seller.deliver()
    assert seller.progress(told["importId"])["queued"] == 1


def test_what_only_the_tables_know_is_told_by_row_when_the_row_is_stored(seller: Seller) -> None:
    """A group that there is not, in a chunk whose other rows are stored."""
    told = seller.taken(sheet(row("a-1"), row("a-2", group="nowhere"), row("a-3", "0")))
    assert refused(told) == [(4, ["price.amount"])]
    seller.deliver()
    done = seller.progress(told["importId"])
    assert (done["status"], done["queued"], done["refusedRows"], done["waiting"]) == ("done", 1, 2, 0)
    assert refused(done) == [(4, ["price.amount"]), (3, ["group"])]
    assert "no group nowhere" in done["refused"][1]["fields"][0]["message"]
    assert find("acme", "a-2") is None


def test_members_of_a_group_are_imported(seller: Seller) -> None:
    call("PUT", "/v1/ebay/groups/shoes", body=GROUP, tenant="acme")
    told = seller.taken(sheet(*(row(f"m-{size}", group="shoes", size=str(size)) for size in range(8, 13))))
    seller.deliver()
    assert seller.progress(told["importId"])["queued"] == 5
    group = find_group("acme", "shoes")
    assert group
    assert len(group.members or ()) == 5


def test_members_are_read_once_for_all_rows_that_join_them(
    seller: Seller, tables: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not each row those before it: that would grow with the square of a group's sizes."""
    call("PUT", "/v1/ebay/groups/shoes", body=GROUP, tenant="acme")
    read: list[str] = []

    def around(request: Request, send: Send) -> Any:
        for asked in request.parameters.get("RequestItems", {}).values():
            read.extend(key["sku"]["S"] for key in asked.get("Keys", ()) if "sku" in key)
        return send()

    monkeypatch.setattr(tables, "around", around)
    for first, last in ((1, 20), (21, 40)):
        seller.taken(sheet(*(row(f"m-{size}", group="shoes", size=str(size)) for size in range(first, last + 1))))
        seller.deliver()
    assert sorted(read) == sorted(f"m-{size}" for size in range(1, 21))
    group = find_group("acme", "shoes")
    assert group
    assert len(group.members or ()) == 40


def test_of_two_rows_of_one_size_one_is_refused_however_they_are_stored(seller: Seller) -> None:
    call("PUT", "/v1/ebay/groups/shoes", body=GROUP, tenant="acme")
    told = seller.taken(sheet(*(row(f"m-{number}", group="shoes", size=str(number // 2)) for number in range(20, 40))))
    seller.deliver()
    done = seller.progress(told["importId"])
    assert (done["queued"], done["refusedRows"]) == (10, 10)
    assert {field for _, fields in refused(done) for field in fields} == {"aspects.US Shoe Size"}
    group = find_group("acme", "shoes")
    assert group
    assert sorted(int(sku[2:]) // 2 for sku in group.members or ()) == list(range(10, 20))


def test_thousands_of_records_are_stored_in_chunks_behind_what_people_ask_for(seller: Seller) -> None:
    told = seller.taken(many(6 * CHUNK_ROWS + 1))
    assert len(seller.cloud.queued) == 7
    seller.deliver(seller.cloud.queued[1:3])
    half = seller.progress(told["importId"])
    assert (half["status"], half["queued"], half["waiting"]) == ("processing", 2 * CHUNK_ROWS, 4 * CHUNK_ROWS + 1)
    seller.deliver()
    done = seller.progress(told["importId"])
    assert (done["status"], done["queued"], done["waiting"]) == ("done", 6 * CHUNK_ROWS + 1, 0)
    assert {job.priority for job in publishes()} == {keys.BACKGROUND}
    assert len(publishes()) == seller.records() == 6 * CHUNK_ROWS + 1
    asked = sum(len(one.job_ids) for one in AskRecord.query("acme"))
    assert asked == 6 * CHUNK_ROWS + 1


def test_records_that_are_large_are_in_more_messages_and_each_fits_into_one(seller: Seller) -> None:
    chance = Random(1)
    texts = ["".join(chance.choice("abcdefghijklmnopqrstuvwxyz ") for _ in range(90_000)) for _ in range(8)]
    items = [document(sku=f"s-{number}", description=f"<p>{text}</p>") for number, text in enumerate(texts)]
    told = seller.taken(json.dumps({"items": items}), "application/json")
    assert len(seller.cloud.queued) > 1
    assert max(map(len, seller.cloud.queued)) < aws.MOST_MESSAGE_BYTES
    seller.deliver()
    assert seller.progress(told["importId"])["queued"] == 8
    found = find("acme", "s-7")
    assert found
    assert found.wanted.description == f"<p>{texts[7]}</p>"


def test_rows_that_are_so_already_are_unchanged_and_only_stored_ones_are_told_so(seller: Seller) -> None:
    file = sheet(row("a-1"), row("a-2"))
    seller.taken(file)
    seller.deliver()
    seller.clock.time += HOUR
    told = seller.taken(sheet(row("a-1"), row("a-2", "199")))
    seller.deliver()
    done = seller.progress(told["importId"])
    assert (done["unchanged"], done["queued"]) == (1, 1)


def test_a_record_that_somebody_changed_meanwhile_is_kept(seller: Seller) -> None:
    told = seller.taken(sheet(row("a-1"), row("a-2")))
    seller.clock.time += 1
    seller.put("a-1", title="By hand")
    seller.deliver()
    done = seller.progress(told["importId"])
    assert (done["kept"], done["queued"], done["status"]) == (1, 1, "done")
    found = find("acme", "a-1")
    assert found
    assert found.title == "By hand"


def test_a_chunk_that_comes_back_does_not_undo_what_was_changed_since(seller: Seller) -> None:
    """Some of its rows were stored before its worker was lost; then one of them is changed, and it comes again."""
    told = seller.taken(sheet(row("a-1"), row("a-2")))
    [message] = seller.cloud.queued
    taken = find_open(told)
    seller.deliver()
    put_back(told, taken)
    seller.clock.time += 1
    seller.put("a-1", title="By hand")
    seller.deliver([message])
    found = find("acme", "a-1")
    assert found
    assert (found.title, found.version) == ("By hand", 2)
    done = seller.progress(told["importId"])
    assert (done["queued"], done["kept"], done["unchanged"]) == (1, 1, 0)


def find_open(told: Any) -> Import:
    return Import.get("acme", told["importId"])


def put_back(told: Any, before: Import) -> None:
    """The record of the import as it was before a worker had counted anything."""
    assert before.pending
    before.save()


def test_messages_delivered_twice_and_late_change_nothing(seller: Seller) -> None:
    told = seller.taken(sheet(row("a-1"), row("a-2", group="nowhere")))
    queued = list(seller.cloud.queued)
    seller.deliver()
    seller.clock.time += HOUR
    call("DELETE", "/v1/ebay/listings/a-1", tenant="acme")
    before = seller.cloud.content()
    assert seller.deliver(queued * 2) == []
    assert seller.cloud.content() == before
    assert (seller.progress(told["importId"])["queued"], seller.progress(told["importId"])["refusedRows"]) == (1, 1)


def test_the_same_file_again_goes_on_with_the_import_and_later_is_a_new_one(seller: Seller) -> None:
    file = many(2 * CHUNK_ROWS)
    first = seller.taken(file)
    seller.deliver(seller.cloud.queued[:1])
    seller.cloud.queued.clear()
    seller.clock.time += 1
    assert seller.taken(file)["importId"] == first["importId"]
    assert [json.loads(message)["chunk"] for message in seller.cloud.queued] == [1]
    seller.deliver()
    done = seller.progress(first["importId"])
    assert (done["status"], done["queued"]) == ("done", 2 * CHUNK_ROWS)
    seller.clock.time += 1
    anew = seller.taken(file)
    assert (anew["importId"], anew["status"], anew["queued"]) == (first["importId"], "processing", 0)
    seller.deliver()
    assert seller.progress(first["importId"])["unchanged"] == 2 * CHUNK_ROWS


def test_rows_refused_in_an_earlier_import_of_the_file_are_not_told_again(seller: Seller) -> None:
    file = sheet(row("a-1"), row("a-2", group="shoes"))
    first = seller.taken(file)
    seller.deliver()
    assert refused(seller.progress(first["importId"])) == [(3, ["group"])]
    call("PUT", "/v1/ebay/groups/shoes", body=GROUP, tenant="acme")
    seller.clock.time += 1
    seller.taken(file)
    seller.deliver()
    done = seller.progress(first["importId"])
    assert (done["queued"], done["unchanged"], done["refusedRows"], done["refused"]) == (1, 1, 0, [])


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("at", range(1, 32, 2))
def test_a_worker_that_dies_at_any_request_is_followed_by_another_and_the_end_is_the_same(
    seller: Seller, at: int, done: bool
) -> None:
    told = seller.taken(sheet(row("a-1"), row("a-2"), row("a-3", group="nowhere")))
    with seller.store.dies(at, done=done):
        again = seller.deliver()
    assert seller.deliver(again) == []
    end = seller.progress(told["importId"])
    assert (end["status"], end["queued"], end["refusedRows"], end["waiting"]) == ("done", 2, 1, 0)
    assert refused(end) == [(4, ["group"])]
    assert (seller.records(), len(publishes())) == (2, 2)
    asked = {job for one in AskRecord.query("acme") for job in one.job_ids}
    assert asked == {job.job_id for job in publishes()}


def test_a_record_that_could_not_be_stored_brings_the_message_back(
    seller: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = seller.taken(sheet(row("a-1"), row("a-2")))

    def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError("no")

    with monkeypatch.context() as broken:
        broken.setattr(asking, "_write", fails)
        again = seller.deliver()
    assert (len(again), seller.progress(told["importId"])["status"]) == (1, "processing")
    seller.deliver(again)
    assert seller.progress(told["importId"])["queued"] == 2


def test_a_queue_that_takes_half_of_it_is_told_and_the_same_file_goes_on(
    seller: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(_: str, bodies: list[str], __: str) -> None:
        seller.cloud.queued.extend(bodies[:1])
        raise RuntimeError("the queue refused the secret")

    with monkeypatch.context() as broken:
        broken.setattr(aws, "send_messages", half)
        answer = seller.upload(many(2 * CHUNK_ROWS))
    assert (answer.status, "same file again" in answer.json["error"]["message"]) == (503, True)
    assert "secret" not in answer.text
    seller.deliver()
    told = seller.taken(many(2 * CHUNK_ROWS))
    assert [json.loads(message)["chunk"] for message in seller.cloud.queued] == [1]
    seller.deliver()
    assert seller.progress(told["importId"])["queued"] == 2 * CHUNK_ROWS


def test_rows_that_come_back_after_the_record_of_their_import_is_gone_are_stored_all_the_same(seller: Seller) -> None:
    told = seller.taken(sheet(row("a-1")))
    Import.get("acme", told["importId"]).delete()
    assert seller.deliver() == []
    assert (seller.records(), len(publishes()), seller.store.items("imports")) == (1, 1, [])


BAD: list[tuple[Any, str, int, str]] = [
    ("sku,title\na,b\n", "text/csv", 400, "price.amount is missing"),
    ("sku,colour\n", "text/csv", 400, "not known"),
    ("", "text/csv", 400, "empty"),
    ("sku,title,price.amount,quantity\n", "text/csv", 400, "no rows"),
    ("sku,title,price.amount,quantity\n" + "a,b,1,1\n" * 10_001, "text/csv", 400, "at most 10000 rows"),
    (sheet(row("a-1", "0"), row("", "1")), "text/csv", 400, "price.amount"),
    (many(1), "text/csv; charset=windows-1252", 415, ""),
    (f"sku\n{'A' * 5_000_000}\n", "text/csv", 413, ""),
    ({"items": []}, "application/json", 400, "items"),
    ({"items": [{"sku": "A"}]}, "application/json", 400, "title"),
    ({"items": [0] * 10_001}, "application/json", 400, "items"),
    ({"items": [document()], "force": True}, "application/json", 400, "force"),
]


@pytest.mark.parametrize(("body", "content_type", "status", "why"), BAD)
def test_a_file_that_cannot_be_taken_is_refused_and_nothing_of_it_is_stored(
    seller: Seller, body: Any, content_type: str, status: int, why: str
) -> None:
    before = seller.cloud.content()
    answer = seller.upload(body, content_type)
    assert answer.status == status, answer.text[:300]
    assert why in answer.text
    assert (seller.cloud.content(), seller.cloud.queued) == (before, [])


def test_a_tenant_without_an_account_is_refused_before_anything_is_queued(seller: Seller) -> None:
    before = seller.cloud.content()
    answer = seller.upload(many(1), tenant="initech")
    assert (answer.status, list(answer.fields)) == (400, ["account"])
    assert (seller.cloud.content(), seller.cloud.queued) == (before, [])


def test_an_import_is_its_tenants_and_no_inventory_s(seller: Seller) -> None:
    told = seller.taken(many(1))
    path = f"/v1/ebay/imports/{told['importId']}"
    assert call("GET", path, tenant="acme").status == 200
    assert call("GET", path, tenant="globex").status == 404
    assert call("GET", f"/v1/inventory/imports/{told['importId']}", tenant="acme").status == 404
    assert call("GET", "/v1/ebay/imports/no-id", tenant="acme").status == 404


def test_an_import_is_kept_for_some_days_and_so_is_what_it_tells(seller: Seller) -> None:
    seller.taken(sheet(row("a-1"), row("a-2", group="nowhere")))
    seller.deliver()
    ends = [int(one["expires_at"]["N"]) * 1000 for one in seller.store.items("imports")]
    assert len(ends) == 2
    assert min(ends) > seller.clock.time + DAY


@pytest.fixture
def shell(seller: Seller, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shell:
    """In whose waiting the worker takes what lies in its queue."""
    in_environment(monkeypatch, tmp_path)

    def rest(_: float) -> None:
        assert seller.deliver() == []

    return Shell(api_of("acme"), rest)


def test_the_command_follows_a_file_of_records_and_names_the_rows_that_are_refused(
    shell: Shell, seller: Seller, tmp_path: Path
) -> None:
    file = tmp_path / "records.csv"
    file.write_text(sheet(row("a-1"), row("a-2", "0"), row("a-3", group="nowhere")))
    ran = shell.run("import", str(file), "--into", "ebay", "--watch")
    assert ran.code == 1
    assert "stored\t1 to be published, 0 with nothing to publish, 0 unchanged, 0 left as they are" in ran.out, ran
    assert "line 3 refused: price.amount " in ran.err
    assert "line 4 refused: group there is no group nowhere" in ran.err
    assert {one[0] for one in shell.run("list", "ebay", "show").rows} == {"a-1"}
    seller.clock.time += 1
    file.write_text(sheet(row("a-1")))
    ran = shell.run("import", str(file), "--into", "ebay", "--watch", "--json")
    assert (ran.code, json.loads(ran.out)["unchanged"]) == (0, 1)
