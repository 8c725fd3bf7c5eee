"""The sync log: each attempt to make eBay equal to a record. Table `ebay_sync_log`.

```
 acme   2026-11-28T10:00:00.000Z#1f3a9c20   what was planned, which calls were made, what eBay said
```
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import uuid4

from pynamodb.attributes import JSONAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from sluice.listings.ebay.table import Record, group_owner, listing_key
from sluice.platform import tables
from sluice.platform.attributes import IntAttribute
from sluice.platform.clock import iso, ttl
from sluice.platform.http import paging, table_pages
from sluice.platform.http.paging import Page, Place

# How an attempt ended.
RESULTS: Final = ("done", "nothing", "retry", "snooze", "failed")


class BySku(GlobalSecondaryIndex["SyncEntry"]):  # type: ignore[no-untyped-call]
    """The attempts of one listing, by time."""

    class Meta:
        index_name = "by_sku"
        projection = AllProjection()

    listing = UnicodeAttribute(hash_key=True)
    entry = UnicodeAttribute(range_key=True)


class SyncEntry(tables.Table):
    """One attempt to make eBay equal to a record. entry: its time and a few characters that nobody else has.

    listing: as `Record.listing`. version: of the record. planned: the names of the steps. calls: those that were made,
    each `{"step", "sku", "result", "status"}`; of a single sku, and of a group's own, without the sku. result: `done`,
    `nothing`, `retry`, `snooze`, `failed`. error_id: eBay's own number. said: what eBay said, for a person, warnings
    too: `[{"code", "message"}]`.
    """

    class Meta:
        table_name = tables.name("ebay_sync_log")
        max_pool_connections = 64

    tenant = UnicodeAttribute(hash_key=True)
    entry = UnicodeAttribute(range_key=True)
    by_sku = BySku()
    listing = UnicodeAttribute()
    sku = UnicodeAttribute()
    job_id = UnicodeAttribute()
    at = IntAttribute()
    version = IntAttribute()
    attempt = IntAttribute()
    planned = JSONAttribute()
    calls = JSONAttribute()
    result = UnicodeAttribute()
    error_id = UnicodeAttribute(null=True)
    said = JSONAttribute()
    expires_at = IntAttribute()

    @property
    def is_group(self) -> bool:
        """Whether it was an attempt of a whole group."""
        return self.listing != listing_key(self.tenant, self.sku)


def entry(
    record: Record,
    *,
    job_id: str,
    attempt: int,
    at: int,
    planned: Sequence[str],
    calls: Sequence[Mapping[str, Any]],
    result: str,
    said: Sequence[Mapping[str, str]] = (),
    error_id: str | None = None,
    keep_ms: int,
) -> SyncEntry:
    """An entry of the sync log, to be saved with what the attempt has written."""
    return SyncEntry(
        tenant=record.owner,
        entry=sync_entry(at),
        listing=record.listing,
        sku=record.sku,
        job_id=job_id,
        at=at,
        version=record.version,
        attempt=attempt,
        planned=list(planned),
        calls=list(calls),
        result=result,
        error_id=error_id,
        said=list(said),
        expires_at=ttl(at + keep_ms),
    )


def sync_entry(at: int) -> str:
    """A new range key of the sync log."""
    return f"{iso(at)}#{uuid4().hex[:8]}"


class WantedAttempts(NamedTuple):
    """Which attempts to show; all that is given must match. group: a group's key, where no sku is given. since, until:
    epoch ms; until is not within it."""

    sku: str | None = None
    group: str | None = None
    result: str | None = None
    error_id: str | None = None
    since: int | None = None
    until: int | None = None


def page(tenant: str, wanted: WantedAttempts, limit: int, after: Place | None) -> Page[SyncEntry]:
    """Attempts, newest first: of a tenant, or of one listing. One read: a page may be short and not the last."""
    bounds = paging.within(wanted.since, wanted.until, after)
    if bounds is None:
        return Page([])
    lowest, highest, after = bounds
    matches: Condition | None = None
    for attribute, value in ((SyncEntry.result, wanted.result), (SyncEntry.error_id, wanted.error_id)):
        if value is not None:
            matches = (attribute == value) if matches is None else matches & (attribute == value)
    listing = _listing(tenant, wanted)
    if listing is None:
        within = SyncEntry.entry.between(lowest, highest)
        return table_pages.read(SyncEntry, tenant, limit, after, matches, within=within, newest_first=True)
    start = {"tenant": {"S": tenant}, "listing": {"S": listing}, "entry": {"S": after.key}} if after else None
    rows = SyncEntry.by_sku.query(
        listing,
        BySku.entry.between(lowest, highest),
        filter_condition=matches,
        scan_index_forward=False,
        page_size=limit,
        last_evaluated_key=start,
    )
    raw = rows.page_iter.next()
    last = raw.get("LastEvaluatedKey")
    found = [SyncEntry.from_raw_data(item) for item in raw["Items"]]
    return Page(found, Place(last["entry"]["S"]) if last else None)


def _listing(tenant: str, wanted: WantedAttempts) -> str | None:
    """The one listing whose attempts are wanted."""
    if wanted.sku is not None:
        return listing_key(tenant, wanted.sku)
    return None if wanted.group is None else listing_key(group_owner(tenant), wanted.group)
