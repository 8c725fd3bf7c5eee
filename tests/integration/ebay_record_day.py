"""A day of records of eBay listings: put, changed, ended, by one and by many, and the snapshots of what was taken."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from local.laptop import Laptop
from sluice.listings.ebay import hashes
from sluice.listings.ebay.documents import document as shown
from sluice.listings.live import PUBLISH
from sluice.platform.packing import pack
from tests.support.ebay_records import GROUP, desired, document
from tests.support.stack import until

TENANT = "lister"
LISTINGS = "/v1/ebay/listings"
SKU = "S-1"
# What the category asks for, which Sluice knows once a listing in it was published.
ASPECTS = {"Brand": ["Nike"], "US Shoe Size": ["10"], "Department": ["Men"], "Color": ["Red"]}
# After so many snapshots the old ones of a listing are looked for.
MANY = 16


class EbayRecordDay:
    """What a seller does with records. What eBay has taken is written as the publisher writes it."""

    def __init__(self, laptop: Laptop) -> None:
        self.laptop = laptop
        self.api = laptop.api(TENANT)

    def live(self) -> None:
        """Everything, in an order in which each step leaves the stack fit for the next."""
        self.laptop.connect(TENANT, "ebay")
        with self.held():
            self.a_record_is_put_twice()
            self.many_records_are_put()
            self.a_record_is_proposed()
            self.what_was_published_is_shown()
            self.a_listing_is_ended()
            self.what_is_cancelled_says_so()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nothing is published meanwhile, however long it takes: a pause is in force before the first job is due."""
        operations = self.laptop.api("operations", "platform")
        operations.post("/v1/operator/pauses", {"name": PUBLISH, "reason": "records are as they were put"})
        yield
        operations.delete(f"/v1/operator/pauses/{PUBLISH}")

    def a_record_is_put_twice(self) -> None:
        """The second time the same is said while the job waits, so nothing is done."""
        assert self.put(SKU)["outcome"] == "queued"
        assert self.put(SKU)["outcome"] == "unchanged"
        changed = self.api.call("PATCH", f"{LISTINGS}/{SKU}", {"onDrift": {"price": "ask"}})
        assert changed["version"] == 2

    def many_records_are_put(self) -> None:
        items = [document(sku=f"S-{number}", aspects=ASPECTS) for number in range(2, 5)]
        assert self.api.put(LISTINGS, {"items": items})["counts"]["queued"] == 3
        assert len(self.api.get(LISTINGS)["listings"]) == 4
        self.a_file_is_imported(items)

    def a_file_is_imported(self, items: list[dict[str, Any]]) -> None:
        """What is so already, a size of a group, and one of a group that there is not."""
        self.api.put("/v1/ebay/groups/G-1", GROUP)
        sizes = [document(sku=f"G-1-{key}", group=key, aspects=ASPECTS) for key in ("G-1", "G-2")]
        other = document(sku="G-1-M", group="G-1", aspects={**ASPECTS, "US Shoe Size": ["9"]})
        for rows, queued in (([*items, *sizes], 1), ([other], 1)):
            body = json.dumps({"items": rows}).encode()
            path = f"/v1/ebay/imports/{self.api.upload(f'{LISTINGS}/import', body, 'application/json')['importId']}"
            until(lambda path=path: self.api.get(path)["status"] == "done", "the import is done")  # type: ignore[misc]
            assert self.api.get(path)["queued"] == queued
        assert len(self.api.get(LISTINGS)["listings"]) == 6

    def a_record_is_proposed(self) -> None:
        owned = {"sku": "DD1391-100", "size": "10", "sizeSystem": "us", "marketplaces": ["ebay"]}
        [item] = self.api.post("/v1/inventory", {"items": [owned]})["items"]
        assert self.api.post(f"{LISTINGS}/draft", {"itemId": item["itemId"]})["record"]["quantity"] == 1

    def what_was_published_is_shown(self) -> None:
        self.publish(SKU)
        for number in range(1, MANY + 1):
            key = f"snapshot-{number}"
            assert self.api.post(f"{LISTINGS}/{SKU}/snapshots", {}, key)["number"] == number
        kept = [one["number"] for one in self.api.get(f"{LISTINGS}/{SKU}/snapshots")["snapshots"]]
        assert kept == [MANY, 1]  # the newest, and the one whose state it has
        assert self.api.get(f"{LISTINGS}/{SKU}/snapshots/{MANY}")["state"]["sku"] == SKU
        assert self.api.get(f"{LISTINGS}/{SKU}/snapshots/diff", before=1, after=MANY)["changes"] == {}
        assert [one["version"] for one in self.api.get(f"{LISTINGS}/{SKU}/history")["history"]] == [2, 1]
        assert self.api.get(f"{LISTINGS}/{SKU}")["snapshots"] == MANY

    def a_listing_is_ended(self) -> None:
        assert self.api.delete(f"{LISTINGS}/{SKU}")["outcome"] == "queued"
        assert self.api.get(f"{LISTINGS}/{SKU}")["state"] == "archived"

    def what_is_cancelled_says_so(self) -> None:
        """A publish that nobody wants any more, of a group with one size."""
        self.api.put("/v1/ebay/groups/G-2", GROUP)
        said = document(sku="G-2-9", group="G-2", aspects={**ASPECTS, "US Shoe Size": ["9"]})
        job = self.api.put(f"{LISTINGS}/G-2-9", {name: value for name, value in said.items() if name != "sku"})["jobId"]
        self.api.delete(f"/v1/jobs/{job}")
        until(lambda: self.api.get("/v1/ebay/groups/G-2")["state"] == "failed", "the group says that it is given up")

    def put(self, sku: str) -> Any:
        said = {name: value for name, value in document(aspects=ASPECTS).items() if name != "sku"}
        return self.api.put(f"{LISTINGS}/{sku}", said)

    def publish(self, sku: str) -> None:
        """eBay has taken the record of `sku`."""
        wanted = desired(sku=sku, aspects=ASPECTS)
        self.laptop.cloud.client("dynamodb").update_item(
            TableName=f"{self.laptop.stack.name}-ebay-listings",
            Key={"tenant": {"S": TENANT}, "sku": {"S": sku}},
            UpdateExpression="SET published = :p, published_hash = :h, published_version = :v",
            ExpressionAttributeValues={
                ":p": {"B": pack(shown(wanted))},
                ":h": {"S": hashes.of_record(wanted)},
                ":v": {"N": "2"},
            },
        )
