"""What is stored of product pages: what is known, who tracks them, their checks, prices, saved pages, and hosts."""

import json
import zlib
from collections.abc import Sequence
from typing import Any

from pynamodb.attributes import BinaryAttribute, BooleanAttribute, JSONAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, IncludeProjection

from sluice.jobs.model import keys
from sluice.pages import facts
from sluice.pages.facts import PageFacts
from sluice.platform import tables
from sluice.platform.attributes import IntAttribute
from sluice.platform.http import table_pages
from sluice.platform.http.paging import Page, Place

# One key takes 1,000 writes a second.
WATCH_SHARDS = 4
# So many of those who track a product are remembered on it: an item has its bounds.
MOST_TENANTS = 20
# What of a page is kept for a look into it: as much as fits into an item, for a week.
SAVED_BYTES = 380_000


class WatchIndex(GlobalSecondaryIndex["Product"]):  # type: ignore[no-untyped-call]
    """Products that somebody tracks, by the time from which they may be checked again."""

    class Meta:
        index_name = "due"
        projection = IncludeProjection(["host", "url", "tenants"])

    watch = UnicodeAttribute(hash_key=True)
    check_at = IntAttribute(range_key=True)


class Product(tables.Table):
    """A page that is tracked, and what is known of it. Times are epoch ms.

    product: see `urls.product_id`.
    trackers: how many track it.
    tenants: the first of them, by name: in whose turns it is checked.
    watch: the shard of index `due`, while anybody does.
    check_at: no check begins before.
    version: raised by each check, and the condition of what it writes.
    check_token: the token of that write.
    known: the facts, packed.
    outcome, seen: of the last check.
    good_at: the last check that could read the page.
    confirming: the next check is to confirm what this one has read.
    etag, modified: for the next request.
    """

    class Meta:
        table_name = tables.name("pages")

    product = UnicodeAttribute(hash_key=True)
    due = WatchIndex()
    url = UnicodeAttribute()
    host = UnicodeAttribute()
    trackers = IntAttribute(default=0)
    tenants = UnicodeSetAttribute(null=True)
    watch = UnicodeAttribute(null=True)
    check_at = IntAttribute(default=0)
    version = IntAttribute(default=0)
    check_token = UnicodeAttribute(null=True)
    known = BinaryAttribute(legacy_encoding=False, null=True)
    outcome = UnicodeAttribute(null=True)
    seen = UnicodeAttribute(null=True)
    canonical = UnicodeAttribute(null=True)
    checked_at = IntAttribute(null=True)
    good_at = IntAttribute(null=True)
    confirming = BooleanAttribute(null=True)
    etag = UnicodeAttribute(null=True)
    modified = UnicodeAttribute(null=True)
    created_at = IntAttribute()
    expires_at = IntAttribute(null=True)

    @property
    def facts(self) -> PageFacts:
        """What is known."""
        return facts.from_json(unpack(self.known)) if self.known else PageFacts()


class ProductIndex(GlobalSecondaryIndex["Tracker"]):  # type: ignore[no-untyped-call]
    """Who tracks a product."""

    class Meta:
        index_name = "by_product"
        projection = AllProjection()

    product = UnicodeAttribute(hash_key=True)
    tenant = UnicodeAttribute(range_key=True)


class Tracker(tables.Table):
    """What one tenant wants of one product.

    canonical: as the product has it, so that a tenant's pages with one link are found among its trackers alone.
    wants: target, percentage, variants and kinds of alert (see `wanted`). arms: where each alert stands. alerts: the
    last that were told, newest first. outbox: alerts whose event may not be on the bus yet. unreadable: that the
    page cannot be read was told. version: raised by each write, and the condition of the next. seed: of the request
    that began it, if that may be sent again. change_token, step_token: of the last write of that purpose (see
    `tables`).
    """

    class Meta:
        table_name = tables.name("trackers")

    tenant = UnicodeAttribute(hash_key=True)
    product = UnicodeAttribute(range_key=True)
    by_product = ProductIndex()
    label = UnicodeAttribute(null=True)
    url = UnicodeAttribute()
    canonical = UnicodeAttribute(null=True)
    wants = JSONAttribute()
    arms = JSONAttribute()
    alerts = JSONAttribute(null=True)
    outbox = JSONAttribute(null=True)
    unreadable = BooleanAttribute(null=True)
    seed = UnicodeAttribute(null=True)
    version = IntAttribute(default=0)
    created_at = IntAttribute()
    updated_at = IntAttribute()
    expires_at = IntAttribute(null=True)
    change_token = UnicodeAttribute(null=True)
    step_token = UnicodeAttribute(null=True)


class RecentIndex(GlobalSecondaryIndex["PageCheck"]):  # type: ignore[no-untyped-call]
    """The checks of a day, by time."""

    class Meta:
        index_name = "recent"
        projection = AllProjection()

    day = UnicodeAttribute(hash_key=True)
    at = UnicodeAttribute(range_key=True)


class SlowIndex(GlobalSecondaryIndex["PageCheck"]):  # type: ignore[no-untyped-call]
    """The checks of a day, by how long they took."""

    class Meta:
        index_name = "slow"
        projection = AllProjection()

    day = UnicodeAttribute(hash_key=True)
    ms = IntAttribute(range_key=True)


class PageCheck(tables.Table):
    """One check of a page: an entry of `check_runs`.

    at: when it began, RFC 3339, and a word that tells it from others. status: a `ReadOutcome`, `unchanged` or `failed`.
    ms: how long it took. error: the code of what went wrong. about: in words. run: the scheduler run that asked for it.
    again: it failed, and is tried again. metadata: source, bytes, whether it was answered by 304, redirects, variants.
    """

    class Meta:
        table_name = tables.name("page_checks")

    product = UnicodeAttribute(hash_key=True)
    at = UnicodeAttribute(range_key=True)
    recent = RecentIndex()
    slow = SlowIndex()
    day = UnicodeAttribute()
    ms = IntAttribute()
    url = UnicodeAttribute()
    status = UnicodeAttribute()
    ended_at = IntAttribute()
    error = UnicodeAttribute(null=True)
    about = UnicodeAttribute(null=True)
    run = UnicodeAttribute(null=True)
    again = BooleanAttribute(null=True)
    metadata = JSONAttribute()
    expires_at = IntAttribute()


class PricePoint(tables.Table):
    """A confirmed price or stock of a variant, from the time at which it was first read."""

    class Meta:
        table_name = tables.name("page_prices")

    variant = UnicodeAttribute(hash_key=True)
    at = UnicodeAttribute(range_key=True)
    amount = UnicodeAttribute(null=True)
    currency = UnicodeAttribute(null=True)
    availability = UnicodeAttribute(null=True)
    expires_at = IntAttribute()


class SavedPage(tables.Table):
    """The page of the last check that could not read it, packed; `whole`: nothing of it was cut off."""

    class Meta:
        table_name = tables.name("saved_pages")

    product = UnicodeAttribute(hash_key=True)
    saved_at = IntAttribute()
    page = BinaryAttribute(legacy_encoding=False)
    whole = BooleanAttribute()
    outcome = UnicodeAttribute()
    expires_at = IntAttribute()


class PageHost(tables.Table):
    """What is known of a host: the robots.txt of the origin that was asked last, packed, and its delay."""

    class Meta:
        table_name = tables.name("page_hosts")

    host = UnicodeAttribute(hash_key=True)
    origin = UnicodeAttribute()
    robots = BinaryAttribute(legacy_encoding=False)
    delay_ms = IntAttribute()
    read_at = IntAttribute()
    expires_at = IntAttribute()


def watch_key(product: str) -> str:
    """The part of index `due` that a product stands in."""
    return f"watch#{keys.shard(product, WATCH_SHARDS)}"


def watch_keys() -> list[str]:
    """All parts of index `due`."""
    return [f"watch#{number}" for number in range(WATCH_SHARDS)]


def variant_key(product: str, variant: str) -> str:
    """The key of a variant's prices."""
    return f"{product}#{variant}"


def pack(value: Any) -> bytes:
    """A value of JSON as it is stored where there may be much of it."""
    return zlib.compress(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode(), 6)


def unpack(stored: bytes) -> Any:
    """What `pack` made `stored` of."""
    return json.loads(zlib.decompress(stored))


def pack_text(text: str, most: int) -> tuple[bytes, bool]:
    """`text` packed into at most `most` bytes, and whether all of it is."""
    whole = text.encode(errors="replace")
    size = len(whole)
    while len(packed := zlib.compress(whole[:size], 6)) > most:
        size = min(size - 1, size * most // len(packed) * 9 // 10)
    return packed, size == len(whole)


def unpack_text(stored: bytes) -> str:
    """What `pack_text` made `stored` of."""
    return zlib.decompress(stored).decode(errors="replace")


def find(product: str) -> Product | None:
    """The product, as it is now."""
    try:
        return Product.get(product, consistent_read=True)
    except Product.DoesNotExist:
        return None


def find_tracker(tenant: str, product: str) -> Tracker | None:
    """What `tenant` wants of the product, as it is now."""
    try:
        return Tracker.get(tenant, product, consistent_read=True)
    except Tracker.DoesNotExist:
        return None


def trackers(tenant: str, limit: int, after: Place | None) -> Page[Tracker]:
    """The next `limit` products that `tenant` tracks, by key."""
    return table_pages.read(Tracker, tenant, limit, after)


def trackers_of(product: str) -> list[Tracker]:
    """Everybody who tracks the product."""
    return list(Tracker.by_product.query(product))


def products(ids: Sequence[str]) -> dict[str, Product]:
    """Those products of `ids` that there are, by id."""
    return {one.product: one for one in Product.batch_get(list(ids), consistent_read=True)} if ids else {}


def delays(hosts: Sequence[str]) -> dict[str, int]:
    """How far apart each of these hosts wants visits, ms, where it says so."""
    found = PageHost.batch_get(list(dict.fromkeys(hosts))) if hosts else ()
    return {one.host: one.delay_ms for one in found if one.delay_ms}
