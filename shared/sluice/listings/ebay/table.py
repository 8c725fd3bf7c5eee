"""What is stored of eBay listings: the records, their history and their snapshots.

```
 ebay_listings   tenant          sku            one record; what is desired, published and observed of it
                 acme#groups     key            the same of a group, with the skus of its members
 ebay_history    acme/<sku>      v00000007      the change that made version 7 of the record, and who made it
 ebay_snapshots  acme/<sku>      n00000012      snapshot 12 of what was published (see `snapshots`)
```
No tenant's name holds `#` or `/`. Of a group, the listing is called `acme#groups/<key>`.
"""

from collections.abc import Iterable
from typing import Final

from pynamodb.attributes import BinaryAttribute, JSONAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.expressions.condition import Condition

from sluice.listings.ebay import documents, hashes
from sluice.listings.ebay.desired import Desired, Group, Json, PolicyIds
from sluice.listings.ebay.hashes import Hashes
from sluice.platform import tables
from sluice.platform.attributes import IntAttribute, still
from sluice.platform.days import PACIFIC, Day
from sluice.platform.http import table_pages
from sluice.platform.http.paging import Page, Place
from sluice.platform.packing import unpack

GROUPS: Final = "#groups"
# What eBay's listing of a record is, as far as is known; None before there is one.
LIVE: Final = "live"
OUT_OF_STOCK: Final = "out_of_stock"
ON_HOLD: Final = "on_hold"
ENDED: Final = "ended"
# Of a listing that is at eBay still.
FOR_SALE: Final = (LIVE, OUT_OF_STOCK, ON_HOLD)
STANDINGS: Final = (*FOR_SALE, ENDED)


class Record(tables.Table):
    """One record, of a sku or of a group. Times are epoch ms; packed attributes are `packing.pack` of a document.

    version: counts the changes of what is desired; the newest is published.
    desired: packed. record_hash: of it (`hashes.of_record`, `hashes.of_group`).
    marketplace, status, title, group: of what is desired, to be looked for.
    changed_at, changed_by: the change that made this version.
    members: of a group, the skus whose records name it. held: those that its group at eBay has, or may have.
    left: of a sku, the groups that it was a member of, and may be in at eBay.
    published: packed, the document that eBay took last; published_version, published_hash (`record_hash` of then).
    hashes: of what was sent for it (`Hashes.stored`). policy_ids: what its policies came to.
    echo: packed, how eBay showed right afterwards what was sent. observed: packed, how it shows it now.
    observed_at: when that was last certain.
    unsure: of what eBay may show something else than it took last (`plan.Unsure`): an attempt has begun to send it, or
        drift was found in it. run: who began the newest attempt; its result is taken only while it is that one's.
    offer_id, listing_id: eBay's. standing: of the listing, one of `STANDINGS`.
    error: why the newest attempt to publish did not succeed: `{"code", "message", "version", "at", "final"}`.
    warnings: what eBay said besides, at the last publish.
    revision_day: a day at eBay, in which revisions (all) and detail_revisions (not price and quantity) were counted.
    drift: what is open: `[{"class", "groups", "at", "case"}]`.
    snapshots: the number of the newest one. key_snapshot: of the newest that is stored whole.
    snapshot_hashes: the newest states by a short hash, with the number under which each is stored.
    archived_at: since when the record is ended for good, and no part of lists.
    restored_at: it was brought back from a backup as of then, and nothing was published of it since.
    """

    class Meta:
        table_name = tables.name("ebay_listings")
        max_pool_connections = 64

    tenant = UnicodeAttribute(hash_key=True)
    sku = UnicodeAttribute(range_key=True)
    version = IntAttribute()
    desired = BinaryAttribute(legacy_encoding=False)
    record_hash = UnicodeAttribute()
    marketplace = UnicodeAttribute()
    status = UnicodeAttribute()
    title = UnicodeAttribute()
    group = UnicodeAttribute(null=True)
    members = UnicodeSetAttribute(null=True)
    held = UnicodeSetAttribute(null=True)
    left = UnicodeSetAttribute(null=True)
    created_at = IntAttribute()
    changed_at = IntAttribute()
    changed_by = UnicodeAttribute()
    published = BinaryAttribute(legacy_encoding=False, null=True)
    published_version = IntAttribute(null=True)
    published_hash = UnicodeAttribute(null=True)
    published_at = IntAttribute(null=True)
    hashes = JSONAttribute(null=True)
    policy_ids = JSONAttribute(null=True)
    echo = BinaryAttribute(legacy_encoding=False, null=True)
    observed = BinaryAttribute(legacy_encoding=False, null=True)
    observed_at = IntAttribute(null=True)
    unsure = JSONAttribute(null=True)
    run = UnicodeAttribute(null=True)
    offer_id = UnicodeAttribute(null=True)
    listing_id = UnicodeAttribute(null=True)
    standing = UnicodeAttribute(null=True)
    error = JSONAttribute(null=True)
    warnings = JSONAttribute(null=True)
    revision_day = UnicodeAttribute(null=True)
    revisions = IntAttribute(null=True)
    detail_revisions = IntAttribute(null=True)
    drift = JSONAttribute(null=True)
    snapshots = IntAttribute(null=True)
    key_snapshot = IntAttribute(null=True)
    snapshot_hashes = JSONAttribute(null=True)
    archived_at = IntAttribute(null=True)
    restored_at = IntAttribute(null=True)

    @property
    def owner(self) -> str:
        """The tenant whose it is."""
        return self.tenant.removesuffix(GROUPS)

    @property
    def is_group(self) -> bool:
        """Whether it is a group's."""
        return self.tenant.endswith(GROUPS)

    @property
    def is_for_sale(self) -> bool:
        """Whether its listing is at eBay and has not ended, as far as is known."""
        return self.standing in FOR_SALE

    @property
    def subject(self) -> tuple[str, str]:
        """The keys of the record that is published: its own, or that of the group of which it is a member."""
        return (group_owner(self.tenant), self.group) if self.group else (self.tenant, self.sku)

    @property
    def groups_left(self) -> set[str]:
        """The groups that it is no member of any more, and that may have it at eBay."""
        return (self.left or set()) - {self.group}

    @property
    def listing(self) -> str:
        """The hash key of its history and snapshots."""
        return listing_key(self.tenant, self.sku)

    @property
    def document(self) -> Json:
        """What is desired, as a document."""
        found: Json = unpack(self.desired)
        return found

    @property
    def wanted(self) -> Desired:
        """What is desired of a sku."""
        return documents.of_document(self.document)

    @property
    def wanted_group(self) -> Group:
        """What is desired of a group."""
        return documents.group_of_document(self.document)

    @property
    def sent(self) -> Hashes | None:
        """The hashes of what was sent last; None before anything was."""
        return hashes.of_stored(self.hashes)

    @property
    def policies(self) -> PolicyIds | None:
        """The policies with which it was published last."""
        return PolicyIds(**self.policy_ids) if self.policy_ids else None

    @property
    def is_published(self) -> bool:
        """Whether what is desired is what eBay took last, and nobody has reason to doubt that it shows it."""
        return self.published_hash == self.record_hash and not self.unsure

    @property
    def unchanged(self) -> Condition:
        """Nobody has changed the record since it was read, and no attempt has begun to publish it."""
        unchanged: Condition = (Record.version == self.version) & still(Record.run, self.run)
        return unchanged

    @property
    def same_snapshots(self) -> Condition:
        """No snapshot of the record has been stored since it was read."""
        return still(Record.snapshots, self.snapshots)

    @property
    def same_drift(self) -> Condition:
        """Nobody has found or decided anything of it since it was read."""
        return still(Record.drift, self.drift)

    def revised(self, now: int) -> tuple[int, int]:
        """How many revisions of the listing were counted in eBay's present day: all, and those of details."""
        today = Day.at(now, PACIFIC).name
        return (self.revisions or 0, self.detail_revisions or 0) if self.revision_day == today else (0, 0)


class HistoryEntry(tables.Table):
    """One change of a record. entry: `v` and the version that it made.

    action: what was done (`put`, `patch`, `delete`, `import`, `theirs`, `sale`). fields: the paths that differ.
    job_id: the job that publishes it, where it is work for one.
    """

    class Meta:
        table_name = tables.name("ebay_history")
        max_pool_connections = 64

    listing = UnicodeAttribute(hash_key=True)
    entry = UnicodeAttribute(range_key=True)
    version = IntAttribute()
    action = UnicodeAttribute()
    fields = JSONAttribute()
    changed_by = UnicodeAttribute()
    changed_at = IntAttribute()
    job_id = UnicodeAttribute(null=True)
    expires_at = IntAttribute(null=True)


class Snapshot(tables.Table):
    """What was published once. entry: `n` and its number, which counts from 1. See `snapshots` for what is stored.

    event: why there is one: `publish`, `forced`, `policy_change`, `drift`, `audit`. version: of the record.
    state_hash: SHA-256 of the plain state. state: packed; none where same_as says the number that has the same state.
    base: the number of the key state that it was packed with; none where it stands by itself.
    size: bytes of `state`. warnings: what eBay said besides.
    """

    class Meta:
        table_name = tables.name("ebay_snapshots")
        max_pool_connections = 64

    listing = UnicodeAttribute(hash_key=True)
    entry = UnicodeAttribute(range_key=True)
    number = IntAttribute()
    event = UnicodeAttribute()
    version = IntAttribute()
    at = IntAttribute()
    state_hash = UnicodeAttribute()
    state = BinaryAttribute(legacy_encoding=False, null=True)
    base = IntAttribute(null=True)
    same_as = IntAttribute(null=True)
    size = IntAttribute()
    listing_id = UnicodeAttribute(null=True)
    warnings = JSONAttribute(null=True)
    expires_at = IntAttribute(null=True)


def listing_key(tenant: str, sku: str) -> str:
    """The hash key of a listing's history and snapshots. tenant: with `GROUPS` behind it for a group's."""
    return f"{tenant}/{sku}"


def group_owner(tenant: str) -> str:
    """The hash key under which a tenant's groups stand."""
    return f"{tenant}{GROUPS}"


def version_entry(version: int) -> str:
    """The range key of the history entry of a version."""
    return f"v{version:08}"


def snapshot_entry(number: int) -> str:
    """The range key of a snapshot."""
    return f"n{number:08}"


def find(tenant: str, sku: str) -> Record | None:
    """The record as it is now, archived ones too."""
    try:
        return Record.get(tenant, sku, consistent_read=True)
    except Record.DoesNotExist:
        return None


def find_group(tenant: str, key: str) -> Record | None:
    """The record of a group as it is now."""
    return find(group_owner(tenant), key)


def find_many(tenant: str, skus: Iterable[str]) -> dict[str, Record]:
    """Those of the tenant's records that there are, by sku."""
    wanted = [(tenant, sku) for sku in dict.fromkeys(skus)]
    return {found.sku: found for found in Record.batch_get(wanted, consistent_read=True)}


def page(tenant: str, limit: int, after: Place | None, condition: Condition | None = None) -> Page[Record]:
    """Those that match of the tenant's next `limit` records by sku. One read: a page may be short and not the last."""
    return table_pages.read(Record, tenant, limit, after, condition, consistent_read=False)


def matching(**wanted: str | None) -> Condition | None:
    """The condition on records whose attributes are these; those that are None may be any."""
    condition: Condition | None = None
    for name, value in wanted.items():
        if value is not None:
            one = getattr(Record, name) == value
            condition = one if condition is None else condition & one
    return condition


def history(listing: str, limit: int, after: Place | None = None) -> Page[HistoryEntry]:
    """Up to `limit` changes of a listing, newest first."""
    return table_pages.read(HistoryEntry, listing, limit, after, newest_first=True)
