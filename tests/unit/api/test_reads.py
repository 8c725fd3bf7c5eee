"""A page reads a few times what it may hold, however much a tenant has: counted items, of 10 and of 2,000."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from sluice.feed.table import FeedEntry
from sluice.inventory.table import Item
from sluice.jobs.model import keys, requests
from sluice.jobs.model.dead_letters import DeadLetter
from sluice.jobs.model.job import Job
from sluice.listings.ebay import hashes
from sluice.listings.ebay.documents import document as shown
from sluice.listings.ebay.sync_log import SyncEntry
from sluice.listings.ebay.table import HistoryEntry, Record, Snapshot, group_owner, snapshot_entry, version_entry
from sluice.listings.stockx.table import Entry, Listing, history_key
from sluice.notifications.table import MAIL, Row
from sluice.pages import wanted
from sluice.pages.alerts import Watch
from sluice.pages.api import MOST_COMPARED
from sluice.pages.operator_api import MOST_READ
from sluice.pages.table import PageCheck, PricePoint, Product, Tracker
from sluice.platform.clock import DAY, SECOND, iso
from sluice.platform.packing import pack
from sluice.prices.table import Price, key
from sluice.promotions.kinds import CREATE
from sluice.promotions.request import job_id
from sluice.webhooks.deliveries import Delivery
from tests.support.ebay_records import desired
from tests.support.http import call, route_functions
from tests.support.store import Answer, Request, Send, Store
from tests.unit.api.conftest import Cloud

FEW, MANY = 10, 2_000
LIMIT = 1
CHECKS = "/v1/operator/checks"
PAGE = f"{0:032x}"
LISTING = "00000000-0000-4000-8000-000000000000"
# A page reads four items of each table for each that it may hold, and a few: here of requests, and of their jobs.
MOST = 2 * (4 * LIMIT + 16) + 4


@contextmanager
def counted(tables: Store) -> Iterator[list[int]]:
    """How many items are read: those that queries and gets have looked at, whether they were wanted or not."""
    read: list[int] = []
    before = tables.around

    def around(request: Request, send: Send) -> Answer:
        answer = before(request, send) if before else send()
        if request.operation == "Query":
            read.append(answer["ScannedCount"])
        elif request.operation == "GetItem":
            read.append(1)
        elif request.operation == "BatchGetItem":
            read.append(sum(len(found) for found in answer["Responses"].values()))
        return answer

    tables.around = around
    try:
        yield read
    finally:
        tables.around = before


def put(tables: Store, table: str, item: Any) -> None:
    tables.put(table, item.to_dynamodb_dict())


def job(name: str, kind: str, now: int, **changes: Any) -> Job:
    account = "stockx:acme" if kind == "market.refresh" else "ebay:acme"
    budget = account if kind == "market.refresh" else "ebay-marketing"
    lane = keys.lane(budget, account, keys.HOT, name, 1)
    about: dict[str, Any] = {"kind": kind, "account": account, "budget": budget, "lane": lane, "state": "queued"}
    about |= {"priority": keys.HOT, "tenant": "acme", "tenants": {"acme"}, "created_at": now, "updated_at": now}
    return Job(name, **(about | {"due_at": now + DAY, "payload": {}} | changes))


def jobs(tables: Store, number: int, now: int) -> None:
    """Each asked for in a request of its own, the newest last."""
    for place in range(number):
        at = now + place
        name = keys.job_id("market.refresh", "stockx", f"S-{place:04}", "us-10", "USD")
        put(tables, "jobs", job(name, "market.refresh", at, payload={"sku": f"S-{place:04}"}))
        requests.record("acme", "market.refresh", [name], at, DAY)


def promotions(tables: Store, number: int, now: int) -> None:
    """In batches of 500, none of which is due."""
    for start in range(0, number, 500):
        names = [job_id("acme", str(10**11 + place)) for place in range(start, min(number, start + 500))]
        for name in names:
            wanted = {"listing_id": name.rpartition(":")[2], "rate": "5.0", "asked_by": "ann"}
            put(tables, "jobs", job(name, CREATE.name, now + start, payload=wanted))
        requests.record("acme", CREATE.name, names, now + start, DAY)


def inventory(tables: Store, number: int, now: int) -> None:
    for place in range(number):
        item = Item("acme", f"S-{place:04}:us-10", sku=f"S-{place:04}", size="10", size_system="us", currency="USD")
        item.marketplaces, item.asked, item.created_at, item.updated_at = ["stockx"], {"stockx": now}, now, now
        put(tables, "inventory", item)


def listings(tables: Store, number: int, now: int) -> None:
    for place in range(number):
        listing = Listing("acme", f"00000000-0000-4000-8000-{place:012}", account="stockx:acme", marketplace="stockx")
        listing.variant_id, listing.status, listing.created_at, listing.updated_at = "v", "ACTIVE", now, now
        put(tables, "listings", listing)


def dead_letters(tables: Store, number: int, now: int) -> None:
    for place in range(number):
        letter = DeadLetter("acme", f"{iso(now - place * SECOND)}#market.refresh:stockx:A#1", job_id="x", calls=1)
        letter.kind, letter.account, letter.budget = "market.refresh", "stockx:acme", "stockx:acme"
        letter.priority, letter.attempts, letter.payload, letter.history = keys.HOT, 1, {}, []
        letter.error = {"code": "c", "message": "m", "at": now}
        letter.version, letter.created_at, letter.died_at, letter.expires_at = 1, now, now, now
        put(tables, "dead_letters", letter)


def deliveries(tables: Store, number: int, now: int) -> None:
    for place in range(number):
        delivery = Delivery("acme/main", f"{now + place:013d}-e{place}", message_id=f"e{place}", event_type="job.dead")
        delivery.body, delivery.state, delivery.due_at, delivery.tries = "{}", "delivered", now, []
        delivery.created_at, delivery.updated_at, delivery.expires_at = now, now, now
        put(tables, "deliveries", delivery)


def feed(tables: Store, number: int, now: int) -> None:
    """Events of dead jobs."""
    for place in range(number):
        entry = FeedEntry("acme", f"{now + place:013d}#job.dead#e{place}", type="job.dead", at=now + place)
        entry.event_id, entry.data, entry.expires_at = f"e{place}", {}, now
        put(tables, "events", entry)


def mails(tables: Store, number: int, now: int) -> None:
    """Mails, and as many events that they told of."""
    for place in range(number):
        mail = Row("acme", f"{MAIL}{now + place:013d}-x3Zb", at=now, subject="s", text="t", state="SENT", lines=1)
        put(tables, "notifications", mail)
        for other in ("told#job.dead#", "waits#"):
            put(tables, "notifications", Row("acme", f"{other}{place:05}"))


def prices(tables: Store, number: int, now: int) -> None:
    """Of one shoe: where there are no size charts, it has a price of every size that anybody has asked for."""
    for place in range(number):
        name = key("ebay", f"X{place:04}", "own", "USD")
        price = Price("S-0001", name, marketplace="ebay", size=f"X{place:04}", size_system="own")
        price.sizes, price.currency, price.ask, price.bid = {"own": price.size}, "USD", None, None
        price.more, price.observed_at = {}, now
        put(tables, "prices", price)


def histories(tables: Store, number: int, now: int) -> None:
    """Of a listing with many changes."""
    listings(tables, 1, now)
    for place in range(number):
        entry = Entry(history_key("acme", LISTING), place + 1, action="UPDATE", status="ACTIVE", changed_by="ann")
        entry.changed_at, entry.metadata = now, {"jobId": "x"}
        put(tables, "listing_history", entry)


def pages(tables: Store, number: int, now: int) -> None:
    """Tracked pages, with as many checks and prices of one of them, and checks of the pages of others."""
    for place in range(number):
        own = f"{place:032x}"
        tracker = Tracker("acme", own, url="https://shop.example/p", wants=wanted.stored(Watch()), arms={})
        tracker.created_at = tracker.updated_at = now
        put(tables, "trackers", tracker)
        product = Product(own, url="https://shop.example/p", host="shop.example", created_at=now)
        put(tables, "pages", product)
        for whose in (PAGE, f"{place:031x}f"):
            at = f"{iso(now - place)}#{place}"
            check = PageCheck(whose, at, day=iso(now - place)[:10], ms=place, url="https://shop.example/p")
            check.status, check.ended_at, check.metadata, check.expires_at = "failed", now, {}, now
            put(tables, "page_checks", check)
        put(tables, "page_prices", PricePoint(f"{PAGE}#", iso(now - place), amount="1", currency="USD", expires_at=now))


def records(tables: Store, number: int, now: int, owner: str = "acme") -> None:
    """Records, of one of which there are many changes and snapshots."""
    wanted = desired()
    packed, digest, listing = pack(shown(wanted)), hashes.of_record(wanted), f"{owner}/S-0000"
    for place in range(number):
        record = Record(
            owner, f"S-{place:04}", version=1, desired=packed, record_hash=digest, marketplace="EBAY_US",
            status="active", title="t", created_at=now, changed_at=now, changed_by="x",
        )  # fmt: skip
        put(tables, "ebay_listings", record)
        change = HistoryEntry(
            listing, version_entry(place), version=place, action="put", fields=[], changed_by="x", changed_at=now
        )
        put(tables, "ebay_history", change)
        snapshot = Snapshot(
            listing, snapshot_entry(place), number=place, event="publish", version=1, at=now, state_hash="x", size=0
        )
        put(tables, "ebay_snapshots", snapshot)


def groups(tables: Store, number: int, now: int) -> None:
    """Groups, of one of which there are many changes and snapshots."""
    records(tables, number, now, group_owner("acme"))


def sync_log(tables: Store, number: int, now: int) -> None:
    """What was done at eBay, one entry for each run."""
    for place in range(number):
        entry = SyncEntry("acme", f"{iso(now - place)}#{place}", listing="acme/S-0000", sku="S-0000", job_id="x")
        entry.at, entry.version, entry.attempt, entry.planned, entry.calls = now, 1, 1, [], []
        entry.result, entry.said, entry.expires_at = "published", [], now
        put(tables, "ebay_sync_log", entry)


def nothing(_: Store, __: int, ___: int) -> None:
    """Accounts and webhooks are few: ten of each at the most."""


# What an operator is shown of its whole tenant at once.
OVERVIEWS = ("jobs/counts", "lanes", "metrics", "metrics.txt", "operations", "overview", "promotions", "work")

Fill = Callable[[Store, int, int], None]
LISTS: list[tuple[str, dict[str, str], Fill]] = [
    ("/v1/jobs", {}, jobs),
    ("/v1/jobs", {"sku": "S-0000"}, jobs),
    ("/v1/jobs", {"sku": "NONE"}, jobs),
    ("/v1/jobs", {"state": "dead"}, jobs),
    ("/v1/jobs", {"kind": "catalog.enrich"}, jobs),
    ("/v1/promotions", {}, promotions),
    ("/v1/promotions", {"status": "failed"}, promotions),
    ("/v1/promotions", {"listingId": "100000000007"}, promotions),
    ("/v1/inventory", {}, inventory),
    ("/v1/stockx/listings", {}, listings),
    ("/v1/stockx/listings", {"status": "DELETED"}, listings),
    (f"/v1/stockx/listings/{LISTING}/history", {}, histories),
    ("/v1/dead-letters", {}, dead_letters),
    ("/v1/dead-letters", {"code": "another"}, dead_letters),
    ("/v1/webhooks/main/deliveries", {}, deliveries),
    ("/v1/events", {}, feed),
    ("/v1/events", {"type": "listing.live"}, feed),
    ("/v1/events", {"type": "page"}, feed),
    ("/v1/notifications/mails", {}, mails),
    ("/v1/pages", {}, pages),
    (f"/v1/pages/{PAGE}", {}, pages),
    (f"/v1/pages/{PAGE}/prices", {}, pages),
    (f"{CHECKS}/recent", {}, pages),
    (f"{CHECKS}/recent", {"status": "gone"}, pages),
    (f"{CHECKS}/recent", {"product": PAGE, "status": "gone"}, pages),
    (f"{CHECKS}/slow", {}, pages),
    (f"{CHECKS}/slow", {"min_duration_ms": "7"}, pages),
    (f"{CHECKS}/stats", {}, pages),
    ("/v1/ebay/listings", {}, records),
    ("/v1/ebay/listings", {"state": "failed"}, records),
    ("/v1/ebay/listings/S-0000/history", {}, records),
    ("/v1/ebay/listings/S-0000/snapshots", {}, records),
    ("/v1/ebay/groups", {}, groups),
    ("/v1/ebay/groups", {"state": "failed"}, groups),
    ("/v1/ebay/groups/S-0000/history", {}, groups),
    ("/v1/ebay/groups/S-0000/snapshots", {}, groups),
    ("/v1/market/prices", {"sku": "S-0001"}, prices),
    ("/v1/market/prices", {"sku": "S-0001", "size": "X0400"}, prices),
    ("/v1/market/prices", {"sku": "S-0001", "marketplace": "ebay"}, prices),
    *[(f"/v1/operator/{what}", {}, jobs) for what in ("jobs", "accounts", "budgets", "actions")],
    *[(f"/v1/operator/{what}", {}, jobs) for what in OVERVIEWS],
    ("/v1/operator/dead-letters", {}, dead_letters),
    ("/v1/ebay/sync-log", {}, sync_log),
    ("/v1/operator/drift", {}, nothing),
    ("/v1/operator/drift/cases", {}, records),
    ("/v1/webhooks", {}, nothing),
    ("/v1/accounts", {}, nothing),
]
# These take no limit, and hold so much: what an allowance keeps small.
UNLIMITED = {"/v1/webhooks", "/v1/accounts", f"/v1/pages/{PAGE}", f"{CHECKS}/stats"}
UNLIMITED |= {f"/v1/operator/{what}" for what in OVERVIEWS}
# These look through so many for one answer, and say so: a page's neighbours; checks, and whose they are.
BOUNDS = {f"/v1/pages/{PAGE}": MOST_COMPARED + MOST, f"{CHECKS}/stats": 2 * MOST_READ + MOST}
# These show one thing.
SINGLE = {
    *("/v1/ebay/account", "/v1/ebay/policies"),
    "/v1/operator/actions/{action_id}",
    "/v1/operator/budgets/{budget}/history",
    "/v1/operator/jobs/{job_id}",
    # These show one deployment, to whoever runs it.
    *("/v1/operator/calls", "/v1/operator/runs", "/v1/operator/tenants", "/v1/operator/pauses"),
    *("/v1/operator/configuration", "/v1/operator/configuration/versions"),
    "/v1/operator/configuration/versions/{version}",
    "/health",
    "/v1/openapi.json",
    "/v1/images/{name}",
    "/v1/jobs/{job_id}",
    "/v1/operations/{job_id}",
    "/v1/stockx/listings/{listing_id}",
    "/v1/ebay/listings/{sku}",
    "/v1/ebay/listings/{sku}/snapshots/{number}",
    "/v1/ebay/listings/{sku}/snapshots/diff",
    *(f"/v1/ebay/groups/{{key}}{path}" for path in ("", "/snapshots/{number}", "/snapshots/diff")),
    "/v1/dead-letters/{letter_id}",
    "/v1/promotions/{promotion_id}",
    "/v1/inventory/{item_id}",
    "/v1/inventory/{item_id}/prices",
    "/v1/inventory/imports/{import_id}",
    "/v1/ebay/imports/{import_id}",
    "/v1/pages/{page_id}/saved",
    "/v1/webhooks/{webhook_id}",
    "/v1/notifications",
    "/v1/accounts/{marketplace}",
    "/v1/catalog/enrichment",
}


def test_every_route_that_shows_many_things_is_counted() -> None:
    shown = {key.partition(" ")[2] for key in route_functions() if key.startswith("GET ")}
    ids = {"S-0000": "sku", PAGE: "page_id", LISTING: "listing_id", "main": "webhook_id"}
    listed = {"/".join(f"{{{ids[part]}}}" if part in ids else part for part in path.split("/")) for path, _, _ in LISTS}
    listed = {path.replace("groups/{sku}", "groups/{key}") for path in listed}
    assert (listed | SINGLE, listed & SINGLE) == (shown, set())


@pytest.mark.parametrize("fill", dict.fromkeys(fill for _, _, fill in LISTS))
def test_a_page_reads_as_much_of_many_as_of_few(cloud: Cloud, tables: Store, fill: Fill) -> None:
    """The items that each list reads, of 10 and of 2,000."""
    read: dict[int, dict[tuple[str, str], int]] = {}
    for number in (FEW, MANY):
        tables.clear()
        cloud.webhook()
        cloud.connect("acme")
        fill(tables, number, cloud.now)
        read[number] = {}
        for path, query in ((path, query) for path, query, filled in LISTS if filled is fill):
            with counted(tables) as found:
                answer = call("GET", path, query={**query, **({} if path in UNLIMITED else {"limit": str(LIMIT)})})
            assert answer.status == 200, answer.text
            read[number][path, str(query)] = sum(found)
    for what, items in read[MANY].items():
        assert items <= BOUNDS.get(what[0], MOST), f"{what} reads {items} items of {MANY}, {read[FEW][what]} of {FEW}"


def test_a_filter_finds_what_it_looks_for_over_many_pages(cloud: Cloud, tables: Store) -> None:
    """Pages that hold little lead on to the one job that is wanted, among 300."""
    jobs(tables, 300, cloud.now)
    put(
        tables,
        "jobs",
        job(
            keys.job_id("market.refresh", "stockx", "S-0001", "us-10", "USD"),
            "market.refresh",
            cloud.now,
            payload={"sku": "S-0001"},
            state="dead",
            lane=None,
            due_at=None,
        ),
    )
    seen: list[str] = []
    query: dict[str, Any] = {"state": "dead", "limit": 20}
    while True:
        page = call("GET", "/v1/jobs", query=query).json
        seen += [one["payload"]["sku"] for one in page["jobs"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert seen == ["S-0001"]
