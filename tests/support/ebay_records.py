"""Records and a group of eBay listings, as a seller's software sends them."""

import copy
from typing import Any

from sluice.listings.ebay import hashes, snapshots
from sluice.listings.ebay.desired import Desired, PolicyIds
from sluice.listings.ebay.documents import of_document
from sluice.listings.ebay.table import Record, find, find_group
from sluice.platform import tables

SKU = "DZ5485-612-10"
POLICIES = PolicyIds("6196932000", "6196947000", "6196944000")
DOCUMENT: dict[str, Any] = {
    "sku": SKU,
    "marketplace": "EBAY_US",
    "language": "en-US",
    "title": "Nike Air Jordan 1 Retro High OG Chicago Lost and Found",
    "description": "<p>New, with box.</p>",
    "condition": "NEW",
    "category": "15709",
    "aspects": {"Brand": ["Nike"], "US Shoe Size": ["10"], "Color": ["Red", "Black"]},
    "images": ["https://img.example.com/1.jpg", "https://img.example.com/2.jpg"],
    "product": {"brand": "Nike", "mpn": "DZ5485-612"},
    "price": {"amount": "245", "currency": "USD"},
    "quantity": 3,
    "policies": {"fulfillment": {"name": "Std"}, "payment": {"id": "6196947000"}, "return": {"id": "6196944000"}},
    "location": "wh-1",
}
# A group, without its key.
GROUP: dict[str, Any] = {
    "marketplace": "EBAY_US",
    "language": "en-US",
    "title": "Shoes",
    "description": "<p>New</p>",
    "images": ["https://img.example.com/1.jpg"],
    "variesBy": ["US Shoe Size"],
}


def document(**changes: Any) -> dict[str, Any]:
    """A good record with `changes`; a field that is None is left out."""
    merged = {**copy.deepcopy(DOCUMENT), **changes}
    return {name: value for name, value in merged.items() if value is not None}


def desired(**changes: Any) -> Desired:
    """The same as a value."""
    return of_document(document(**changes))


def accept_group(tenant: str, key: str, now: int) -> None:
    """What the publisher writes when eBay has taken a group as it is."""
    record = find_group(tenant, key)
    assert record
    added = snapshots.new(record, record.document, "publish", now, listing_id="111")
    record.update(actions=[Record.published.set(record.desired), *added.updates])
    added.snapshot.save()


def accept(tenant: str, sku: str, now: int, standing: str = "live") -> None:
    """What the publisher writes when eBay has taken a record as it is."""
    record = find(tenant, sku)
    assert record
    wanted = record.wanted
    added = snapshots.new(record, snapshots.state(wanted, POLICIES), "publish", now, listing_id="110")
    actions = [
        Record.published.set(record.desired),
        Record.published_version.set(record.version),
        Record.published_hash.set(record.record_hash),
        Record.published_at.set(now),
        Record.hashes.set(hashes.of(wanted, POLICIES).stored()),
        Record.policy_ids.set(POLICIES._asdict()),
        Record.offer_id.set("9"),
        Record.listing_id.set("110"),
        Record.standing.set(standing),
        *added.updates,
    ]
    tables.update(Record, (tenant, sku), actions, added.as_read)
    added.snapshot.save()
