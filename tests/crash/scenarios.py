"""What users do, one story for each capability, and what of it must be the same however it was broken.

A story has a part that nobody breaks (`before`), a part in which every request is a point, and an end (`seen`).
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

from local.sandbox.catalog.golden import GOLDEN
from local.sandbox.ebay.inventory.book import Offer
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import Failure
from sluice.jobs.queue import claim, finish
from sluice.listings.ebay.desired import Desired, Group, Price, Status
from sluice.listings.ebay.documents import document
from sluice.pages import table as pages
from sluice.platform.clock import HOUR, MINUTE, SECOND
from sluice.platform.config import live
from tests.crash.plant import TENANT, Plant
from tests.support.ebay_seller import EbaySeller
from tests.support.ebay_wanted import SHOES, record, size
from tests.support.shop import URL, page

Story = Callable[[Plant], None]
STYLE = str(GOLDEN[0].style_id)
LISTINGS = ("110551234567", "110551234568")


@dataclass(frozen=True)
class Scenario:
    """before: what is there already. act: what is broken at each of its requests in turn, and then comes to rest."""

    before: Story
    act: Story


def seen(plant: Plant) -> dict[str, Any]:
    """What a tenant, its receivers and the marketplaces see in the end."""
    sandbox, shop = plant.sandbox, plant.sandbox.ebay.shop(TENANT)
    # eBay numbers listings as they are published, and what was refused once is published after the others.
    named = {one.listing.listing_id: f"listing of {one.sku}" for one in shop.offers.values() if one.listing}
    return {
        "jobs": jobs(plant, named),
        "letters": len(plant.store.items("dead_letters")),
        "replayed": sum("replayed_at" in letter for letter in plant.store.items("dead_letters")),
        "prices": asked_for(plant),
        "products": sorted(text(one, "product") for one in plant.store.items("catalog")),
        "items": sorted((text(one, "item"), text(one, "cost")) for one in plant.store.items("inventory")),
        "imports": [(counts(one), "pending" in one) for one in plant.store.items("imports")],
        "listings": sorted(listing(one) for one in plant.store.items("listings") if "status" in one),
        "live": sorted(
            (one.variant.index, one.status, str(one.amount))
            for one in sandbox.stockx.listings(TENANT, plant.clock.time)
        ),
        "ebay": sorted(offer(one) for one in shop.offers.values()),
        "ebay listings": Counter(one.status for one in shop.listings),
        "ebay records": sorted(ebay_record(one) for one in plant.store.items("ebay_listings")),
        "ads": sorted((named.get(ad.listing_id, ad.listing_id), str(ad.rate)) for ad in sandbox.ads.ads(TENANT)),
        "accounts": {text(one, "account"): text(one, "status") for one in plant.store.items("accounts")},
        "deliveries": {text(one, "state") for one in plant.store.items("deliveries") if "state" in one},
        "received": {
            (body["type"], work(body["data"].get("jobId", ""), named)) for body in plant.receiver.got.values()
        },
        "pages": [confirmed(text(one, "product")) for one in plant.store.items("pages")],
        "alerts": [[one["kind"] for one in json.loads(text(it, "alerts"))] for it in plant.store.items("trackers")],
        "set aside": [message.body for message in plant.queues["dead"]],
        "seats": seats(plant),
    }


def jobs(plant: Plant, named: Mapping[str, str]) -> set[tuple[str, str]]:
    """What jobs do, and how they stand. A bulk change's job that another one has made needless is taken back."""
    found = {(work(text(job, "job_id"), named), text(job, "state")) for job in plant.store.items("jobs")}
    return found - {("listings", "cancelled")}


def work(job_id: str, named: Mapping[str, str]) -> str:
    """What a job does. What is left of a bulk change may be done by other jobs than in a run that nobody broke."""
    if job_id.startswith("listing."):
        return "listings"
    about, _, last = job_id.rpartition(":")
    return f"{about}:{named.get(last, last)}"


def confirmed(page: str) -> list[str]:
    """The prices of a page that two checks have seen."""
    found = pages.find(page)
    prices = [one.price.confirmed for one in found.facts.variants.values()] if found else []
    return [f"{price.amount} {price.currency}" for price in prices if price]


def text(item: dict[str, Any], name: str) -> str:
    return str(next(iter(item.get(name, {"S": ""}).values())))


def asked_for(plant: Plant) -> set[str]:
    """Which of the prices that jobs are about are stored. What a marketplace tells besides may be missing."""
    wanted = {text(job, "job_id").partition(":")[2] for job in plant.store.items("jobs")}
    found = [(text(one, "price").split(":"), text(one, "sku")) for one in plant.store.items("prices")]
    return wanted & {":".join((marketplace, sku, *size)) for (marketplace, *size), sku in found}


def seats(plant: Plant) -> list[str]:
    """Those that are taken for longer than a function may run. One that a lost worker had is free before."""
    items = [one for one in plant.store.items("budgets") if text(one, "window") == "seats"]
    taken = [(one, name) for one in items for name in one if name[1:].isdigit()]
    soon = plant.clock.time + 2 * MINUTE
    return [f"{name} of {text(one, 'budget')}" for one, name in taken if int(one[name]["N"]) > soon]


def counts(item: dict[str, Any]) -> dict[str, str]:
    """How far an import is. What was asked for in a pass that was lost is not asked for, nor counted, again."""
    names = ("rows", "created", "existing", "kept", "not_asked", "queued", "stored", "unchanged", "refused_later")
    return {name: text(item, name) for name in names}


def listing(item: dict[str, Any]) -> tuple[str, str, str, bool, int]:
    """A listing: which, its state, what it asks for, whether it is known at the marketplace, and what is open on it."""
    open_ = len(item.get("changes", {}).get("M", {}))
    return text(item, "reference"), text(item, "status"), text(item, "amount"), "marketplace_id" in item, open_


def offer(one: Offer) -> tuple[str, str, str, int]:
    """An offer at eBay: of which sku, whether it is published, its price and how many there are."""
    price = one.body["pricingSummary"]["price"]["value"]
    return one.sku, one.status, price, one.body["availableQuantity"]


def ebay_record(item: dict[str, Any]) -> tuple[str, str, bool, bool]:
    """A record: which, what its listing is, whether it is published as it is, and whether anything is not sure."""
    same = text(item, "published_hash") == text(item, "record_hash")
    return text(item, "sku"), text(item, "standing"), same, "unsure" in item


def pair(size: str, **more: str) -> dict[str, str]:
    """A pair of shoes as a request names it."""
    return {"sku": STYLE, "size": size, "sizeSystem": "us", **more}


# ── before ──


def nothing(plant: Plant) -> None:
    pass


def connected(plant: Plant) -> None:
    for marketplace in ("stockx", "alias", "ebay"):
        plant.connect(marketplace)
    plant.ask(
        "PUT",
        "/v1/webhooks/main",
        {"url": "https://hooks.example.com/sluice", "eventTypes": ["job.succeeded", "job.dead"]},
        roles="admin",
    )


def listed(plant: Plant) -> None:
    connected(plant)
    create_bulk(plant)


def published(plant: Plant) -> None:
    connected(plant)
    for one in LISTINGS:
        plant.sandbox.ads.publish(TENANT, one, plant.clock.time, 90)


def priced(plant: Plant) -> None:
    connected(plant)
    refresh(plant)


def watched(plant: Plant) -> None:
    """A page that is tracked, and whose price is known."""
    connected(plant)
    body = {"url": "https://hooks.example.com/pages", "eventTypes": ["page.price_dropped"]}
    plant.ask("PUT", "/v1/webhooks/pages", body, roles="admin")
    plant.shops.replies[URL] = page("100.00")
    plant.ask("POST", "/v1/pages", {"url": URL})
    check_pages(plant, 2)


def died(plant: Plant) -> None:
    """A job that its workers were lost with, so that it can be replayed."""
    connected(plant)
    plant.ask("POST", "/v1/market/refresh", {"items": [pair("10")]})
    [job] = Job.scan()
    [candidate], _ = claim.due(str(job.lane), plant.clock.time, 1)
    claimed = claim.claim(candidate, plant.clock.time, MINUTE)
    assert claimed
    finish.bury(claimed, Failure("lost", code="lease_expired"), plant.clock.time, live.current())
    plant.settle()


# ── what is broken ──


def connect(plant: Plant) -> None:
    connected(plant)
    refresh(plant)


def refresh(plant: Plant) -> None:
    items = [
        pair("10", priority="manual"),
        pair("9.5"),
        pair("10", marketplace="alias"),
        pair("10", marketplace="ebay"),
    ]
    plant.ask("POST", "/v1/market/refresh", {"items": items})
    plant.settle()


def renew(plant: Plant) -> None:
    """The tokens have run out."""
    plant.clock.time += 24 * HOUR
    items = [pair("10", priority="manual", marketplace=one) for one in ("stockx", "ebay")]
    plant.ask("POST", "/v1/market/refresh", {"items": items})
    plant.settle()


def cancel(plant: Plant) -> None:
    told = plant.ask("POST", "/v1/market/refresh", {"items": [pair("10")]})
    plant.ask("DELETE", f"/v1/jobs/{told['items'][0]['jobId']}", again=409)
    plant.settle()


def create(plant: Plant) -> None:
    body = {"variantId": plant.variant(STYLE, 2), "amount": "150", "currency": "USD", "reference": "one"}
    told = plant.ask("POST", "/v1/stockx/listings", body)
    plant.settle()
    plant.ask("PATCH", f"/v1/stockx/listings/{told['listingId']}", {"amount": "145"})
    plant.settle()
    plant.ask("POST", f"/v1/stockx/listings/{told['listingId']}/deactivate", {})
    plant.settle()


def remove(plant: Plant) -> None:
    [one, _] = listing_ids(plant)
    plant.ask("DELETE", f"/v1/stockx/listings/{one}")
    plant.settle()


def create_bulk(plant: Plant) -> None:
    items = [
        {"variantId": plant.variant(STYLE, place), "amount": "160", "reference": f"bulk-{place}"} for place in (3, 4)
    ]
    plant.ask("POST", "/v1/stockx/listings/bulk", {"action": "create", "items": items})
    plant.settle()


def change_bulk(plant: Plant) -> None:
    items = [{"listingId": one, "amount": "170"} for one in listing_ids(plant)]
    plant.ask("POST", "/v1/stockx/listings/bulk", {"action": "update", "items": items})
    plant.settle()


def delete_bulk(plant: Plant) -> None:
    items = [{"listingId": one} for one in listing_ids(plant)]
    plant.ask("POST", "/v1/stockx/listings/bulk", {"action": "delete", "items": items})
    plant.settle()


def listing_ids(plant: Plant) -> list[str]:
    return sorted(text(one, "listing_id") for one in plant.store.items("listings") if "status" in one)


def promote(plant: Plant) -> None:
    for one in LISTINGS:
        plant.ask("POST", "/v1/promotions", {"listingId": one, "adRate": 5.5})
    plant.settle()


def import_items(plant: Plant) -> None:
    rows = ("sku,size,sizeSystem,marketplaces,cost,currency", f"{STYLE},10,us,stockx,110,USD", f"{STYLE},9,us,ebay,,")
    sheet = "\n".join(rows)
    plant.ask("POST", "/v1/inventory/import", sheet, content_type="text/csv")
    plant.settle()


def keep_items(plant: Plant) -> None:
    made = plant.ask("POST", "/v1/inventory", {"items": [pair("10"), pair("9")]})
    one, two = [item["itemId"] for item in made["items"]]
    plant.ask("PATCH", f"/v1/inventory/{one}", {"cost": "105.50"})
    plant.ask("DELETE", f"/v1/inventory/{two}", again=404)
    plant.ask("GET", "/v1/inventory")
    plant.settle()


def enrich(plant: Plant) -> None:
    plant.clock.time += 30 * 24 * HOUR
    for _ in range(6):
        told = plant.ask("POST", "/v1/catalog/enrichment")
        if told["state"] == "finished":
            return
        plant.settle()
    raise AssertionError(json.dumps(told))


def check(plant: Plant) -> None:
    """The price falls: one check reads it, another confirms it, and the tenant is told once."""
    plant.shops.replies[URL] = page("80.00")
    check_pages(plant, 5)


def check_pages(plant: Plant, times: int) -> None:
    for _ in range(times):
        plant.clock.time += 31 * MINUTE
        plant.minute()
        plant.settle()


def replay(plant: Plant) -> None:
    [letter] = plant.ask("GET", "/v1/dead-letters")["deadLetters"]
    plant.ask("POST", f"/v1/dead-letters/{letter['id']}/replay", again=409)
    plant.settle()


def publish_listing(plant: Plant) -> None:
    """A listing that is new, gets another price and another title, and is taken down; another stays."""
    shoes = record(quantity=2)
    put(plant, record("STAYS", auto_promote=True, ad_rate="5.0"), shoes)
    put(plant, replace(shoes, price=Price("199", "USD")), record("STAYS", "210", auto_promote=True, ad_rate="5.0"))
    put(plant, replace(shoes, price=Price("199", "USD"), title="Another title"))
    put(plant, replace(shoes, status=Status.ENDED))


def put(plant: Plant, *wanted: Desired) -> None:
    """The seller's software stores records."""
    for want in wanted:
        again(plant, lambda seller, want=want: seller.put(want))  # type: ignore[misc]
    plant.settle()


def again(plant: Plant, ask: Callable[[EbaySeller], object]) -> None:
    """Do `ask` as the seller's software does: again where it was not answered."""
    wire: Any = SimpleNamespace(world=plant.sandbox)
    for _ in range(6):
        seller = EbaySeller(plant.clock, wire)
        if plant.invoke(lambda seller=seller: (ask(seller), True)) is not None:  # type: ignore[misc]
            return
        plant.clock.time += 5 * SECOND


def publish_group(plant: Plant) -> None:
    """Two sizes as one listing, a third that joins, another price and title, a size that goes, and the end of all."""
    put_group(plant, SHOES, size("9"), size("10"))
    put_group(plant, SHOES, size("9", "199"), size("11"))
    put_group(plant, replace(SHOES, title="Another title"), size("10", status=Status.ENDED))
    put_group(plant, replace(SHOES, status=Status.ENDED))


def put_group(plant: Plant, group: Group, *members: Desired) -> None:
    """The same of a group and some of its members."""
    again(plant, lambda seller: seller.put_group(group, *members))
    plant.settle()


def import_records(plant: Plant) -> None:
    """A file of two records, and of one whose group there is not."""
    wanted = (record("A-1"), record("A-2", "210"), record("A-3", group="nowhere"))
    file = json.dumps({"items": [document(one) for one in wanted]})
    plant.ask("POST", "/v1/ebay/listings/import", file, content_type="application/json")
    plant.settle()


SCENARIOS: dict[str, Scenario] = {
    "connect": Scenario(nothing, connect),
    "refresh": Scenario(connected, refresh),
    "renew": Scenario(priced, renew),
    "cancel": Scenario(connected, cancel),
    "create": Scenario(connected, create),
    "remove": Scenario(listed, remove),
    "create-bulk": Scenario(connected, create_bulk),
    "change-bulk": Scenario(listed, change_bulk),
    "delete-bulk": Scenario(listed, delete_bulk),
    "promote": Scenario(published, promote),
    "import": Scenario(connected, import_items),
    "inventory": Scenario(connected, keep_items),
    "enrich": Scenario(priced, enrich),
    "replay": Scenario(died, replay),
    "page": Scenario(watched, check),
    "publish": Scenario(connected, publish_listing),
    "publish-group": Scenario(connected, publish_group),
    "import-records": Scenario(connected, import_records),
}
