"""Many at once on one inventory, on real conditional writes."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from sluice.inventory import rules, upload, worker
from sluice.inventory import table as item
from sluice.inventory.import_api import KIND
from sluice.inventory.messages import Looked
from sluice.inventory.table import Item
from sluice.jobs.model.job import Job
from sluice.marketplaces.accounts import table as accounts
from sluice.platform import aws
from sluice.platform.clock import DAY, HOUR
from sluice.platform.config.document import Config
from sluice.platform.context import Context
from sluice.platform.imports import chunks, takers
from sluice.platform.imports import table as imports
from sluice.platform.imports.chunks import Chunk
from sluice.platform.imports.table import Import
from sluice.platform.observe import metrics
from tests.support.clock import VirtualClock
from tests.support.desk import NOON

RACERS = 16
FILE = b"sku,size,marketplaces,cost\n" + b"".join(b"SKU-%d,10,ebay,%d\n" % (number, number) for number in range(20))


@pytest.fixture
def queue(dynamodb: object, monkeypatch: pytest.MonkeyPatch) -> list[Chunk]:
    """`acme` is connected; what is sent to the workers lies in the list."""
    sent: list[Chunk] = []
    monkeypatch.setattr(chunks, "encode", lambda chunk: chunk)
    monkeypatch.setattr(chunks, "send", lambda messages, tenant: sent.extend(messages))
    monkeypatch.setattr(aws, "encrypt", lambda text, context: text.encode())
    monkeypatch.setattr(metrics.provider, "namespace", "Sluice/test")
    accounts.connect("ebay", "acme", {"client_id": "id", "client_secret": "secret"}, NOON)
    return sent


@pytest.mark.usefixtures("queue")
def test_of_many_who_add_one_item_one_creates_it() -> None:
    draft = rules.draft(rules.Raw("DD1391-100", "10"))
    with ThreadPoolExecutor(RACERS) as pool:
        stored = list(pool.map(lambda number: (number, item.put("acme", draft, number)), range(1, RACERS + 1)))
    assert sum(one.created_at == number for number, one in stored) == 1
    assert len(list(Item.query("acme"))) == 1


def test_of_many_who_send_one_file_one_begins_its_import(queue: list[Chunk]) -> None:
    sheet = upload.read(FILE, "text/csv")
    with ThreadPoolExecutor(RACERS) as pool:
        begun = list(
            pool.map(lambda number: imports.begin(KIND, "acme", FILE, sheet, NOON + number, DAY), range(RACERS))
        )
    assert len({(one.import_id, one.accepted_at) for one in begun}) == 1
    [stored] = Import.query("acme")
    assert {chunk.at for chunk in queue} == {stored.accepted_at}


def test_a_chunk_that_many_workers_have_is_stored_and_counted_once(queue: list[Chunk]) -> None:
    imports.begin(KIND, "acme", FILE, upload.read(FILE, "text/csv"), NOON, DAY)
    [chunk] = queue
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: takers.take(chunk, Context(VirtualClock(NOON), Config())), range(4)))
    [done] = Import.query("acme")
    assert not done.pending
    assert (done.created, done.existing, done.asked) == (20, 0, 20)
    assert len(list(Item.query("acme"))) == len(list(Job.scan())) == 20


@pytest.mark.usefixtures("queue")
def test_a_look_that_many_workers_serve_asks_for_one_job() -> None:
    item.put("acme", rules.draft(rules.Raw("DD1391-100", "10", size_system="us", marketplaces=["ebay"])), NOON)
    looked = Looked("acme", ["DD1391-100:us-10"], NOON + 2 * HOUR)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: worker.freshen(looked, Context(VirtualClock(looked.at), Config())), range(4)))
    [job] = Job.scan()
    assert (job.priority, job.tenants) == (100, {"acme"})
    [stored] = Item.query("acme")
    assert stored.asked["ebay"] == looked.at
