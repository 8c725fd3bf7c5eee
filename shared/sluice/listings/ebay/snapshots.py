"""Snapshots: one for each state that was published, small enough to keep hundreds of a listing.

```
 n1  key          state packed by itself
 n2  price        packed with n1 as its dictionary: about 60 bytes
 n3  the same     no state: same_as 1, because it equals n1
 n4  key          so much differs from n1 that the next ones are packed with it
```
A state is a record's document, with the policies that it was published with by their ids. Its number comes from the
record, and both are written in one transaction: of two that publish at once, one is refused and tries again. A key, or
a state that another names, is never taken away while something refers to it.
"""

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action as Update
from pynamodb.transactions import TransactWrite

from sluice.listings.ebay import documents
from sluice.listings.ebay.desired import Desired, Json, Policies, PolicyIds, PolicyRef
from sluice.listings.ebay.sync_log import SyncEntry
from sluice.listings.ebay.table import Record, Snapshot, snapshot_entry
from sluice.platform import tables
from sluice.platform.clock import DAY
from sluice.platform.config.ebay import Ebay
from sluice.platform.http import table_pages
from sluice.platform.http.paging import Page, Place
from sluice.platform.observe import count, measured
from sluice.platform.packing import plain, unpack

EVENTS: Final = ("publish", "forced", "policy_change", "drift", "audit")
# So many of the newest states are found again when they are published again.
MOST_KNOWN: Final = 24
# Characters of a state's hash by which it is found; the whole hash is compared then.
SHORT: Final = 12
# What is packed with a key and is longer than this share of it becomes the next key.
NEW_KEY_SHARE: Final = 2
# Each so many snapshots of a listing, the old ones are looked for.
PRUNE_EACH: Final = 16


class Corrupt(Exception):  # noqa: N818 - what it is
    """A stored snapshot is not what was stored; `str()` says which and why."""


class New(NamedTuple):
    """A snapshot that is to be stored, and what changes on its record with it."""

    snapshot: Snapshot
    updates: list[Update]
    as_read: Condition


def state(desired: Desired, policies: PolicyIds) -> Json:
    """What was published of a sku: its record, with its policies by their ids."""
    known = Policies(*(PolicyRef(id=one) for one in policies))
    return {**documents.document(desired), "policies": documents.policies_document(known)}


def new(
    record: Record,
    published: Json,
    event: str,
    now: int,
    *,
    listing_id: str | None = None,
    warnings: Sequence[Mapping[str, Any]] = (),
) -> New:
    """The next snapshot of `record`: what is `published` of it now.

    The caller writes it with the record (`New`), and calls `written` when that has succeeded.
    """
    number = (record.snapshots or 0) + 1
    content = plain(published)
    digest = hashlib.sha256(content).hexdigest()
    known: dict[str, int] = dict(record.snapshot_hashes or {})
    same_as = _same(record, digest, known)
    packed, base = (None, None) if same_as else _pack(record, content)
    snapshot = Snapshot(
        listing=record.listing,
        entry=snapshot_entry(number),
        number=number,
        event=event,
        version=record.version,
        at=now,
        state_hash=digest,
        state=packed,
        base=base,
        same_as=same_as,
        size=len(packed or b""),
        listing_id=listing_id or record.listing_id,
        warnings=list(warnings) or None,
    )
    updates: list[Update] = [Record.snapshots.set(number)]
    if same_as is None:
        known = {**known, digest[:SHORT]: number}
        newest = sorted(known.items(), key=lambda item: item[1])[-MOST_KNOWN:]
        updates.append(Record.snapshot_hashes.set(dict(newest)))
        if base is None:
            updates.append(Record.key_snapshot.set(number))
    return New(snapshot, updates, record.same_snapshots)


def force(record: Record, now: int, config: Ebay) -> Snapshot | None:
    """Store a snapshot of what is published of `record` now; None where nothing is.

    Raises:
        ConditionFailed: another was stored just then.
    """
    if record.published is None:
        return None
    published = unpack(record.published)
    if record.policies:
        published = state(documents.of_document(published), record.policies)
    added = new(record, published, "forced", now)

    store(added, record, [], now, config)
    return added.snapshot


def store(
    added: New,
    record: Record,
    actions: Sequence[Update],
    now: int,
    config: Ebay,
    *,
    run: str | None = None,
    entry: SyncEntry | None = None,
) -> None:
    """Write a snapshot (`write`), and take away what need not be kept any more.

    Raises:
        ConditionFailed: another run, or another snapshot, was first.
    """
    write(added, record, actions, run=run, entry=entry)
    if added.snapshot.number % PRUNE_EACH == 0:
        prune(record.tenant, record.sku, now, config)


def write(
    added: New,
    record: Record,
    actions: Sequence[Update] = (),
    *,
    run: str | None = None,
    entry: SyncEntry | None = None,
) -> None:
    """Write a snapshot, what changes on its record with it and `entry` of the sync log: all of it, or nothing.

    Counts the snapshot. run: which one the record must name still.

    Raises:
        ConditionFailed: another run, or another snapshot, was first.
    """
    ours = added.as_read if run is None else (Record.run == run) & added.as_read

    def fill(transaction: TransactWrite) -> None:
        transaction.update(Record(record.tenant, record.sku), [*actions, *added.updates], ours)
        transaction.save(added.snapshot, Snapshot.entry.does_not_exist())
        if entry is not None:
            transaction.save(entry)

    with measured("duration.snapshot_ms"):
        tables.transact(fill)
    count("snapshot.dedup" if added.snapshot.same_as else "snapshot.created")
    count("snapshot.bytes", added.snapshot.size)


def find(listing: str, number: int) -> Snapshot | None:
    """A snapshot by its number, if it is kept."""
    try:
        return Snapshot.get(listing, snapshot_entry(number), consistent_read=True)
    except Snapshot.DoesNotExist:
        return None


def page(listing: str, limit: int, after: Place | None) -> Page[Snapshot]:
    """Up to `limit` snapshots of a listing, newest first."""
    return table_pages.read(Snapshot, listing, limit, after, newest_first=True)


def read(snapshot: Snapshot) -> Json:
    """The state that a snapshot has.

    Raises:
        Corrupt: it cannot be read, or is not what was stored.
    """
    content = _content(snapshot)
    if hashlib.sha256(content).hexdigest() != snapshot.state_hash:
        raise Corrupt(f"{snapshot.listing} {snapshot.number}: the state is another than the one that was stored")
    found: Json = json.loads(content)
    return found


def prune(tenant: str, sku: str, now: int, config: Ebay) -> int:
    """Take away a listing's snapshots that are beyond the newest so many, or too old; how many were.

    The newest stays, and so does whatever something that stays, or could be stored next, refers to.
    """
    try:
        record = Record.get(tenant, sku, consistent_read=True)
    except Record.DoesNotExist:
        return 0
    found = list(Snapshot.query(record.listing, consistent_read=True))
    newest, oldest = record.snapshots or 0, now - config.snapshot_days * DAY
    kept = {one.number for one in found if one.number > newest - config.snapshots_kept and one.at >= oldest}
    kept |= {newest, record.key_snapshot or newest, *(record.snapshot_hashes or {}).values()}
    by_number = {one.number: one for one in found}
    for _ in range(2):  # what is the same as another may be that of one that is packed with a key
        kept |= {other for one in found if one.number in kept for other in (one.base, one.same_as) if other}
    gone = [one for number, one in by_number.items() if number not in kept]
    with Snapshot.batch_write() as batch:
        for one in gone:
            batch.delete(one)
    if gone:
        count("snapshot.pruned", len(gone))
    return len(gone)


def _same(record: Record, digest: str, known: Mapping[str, int]) -> int | None:
    """The number under which this state is stored already."""
    number = known.get(digest[:SHORT])
    if number is None:
        return None
    found = find(record.listing, number)
    return number if found and found.state_hash == digest else None


def _pack(record: Record, content: bytes) -> tuple[bytes, int | None]:
    """The state packed, and the key that it was packed with: as small as may be."""
    alone = zlib.compress(content, 9)
    key = find(record.listing, record.key_snapshot) if record.key_snapshot else None
    if key is None:
        return alone, None
    packer = zlib.compressobj(9, zdict=_content(key))
    packed = packer.compress(content) + packer.flush()
    return (alone, None) if len(packed) * NEW_KEY_SHARE > len(alone) else (packed, key.number)


def _content(snapshot: Snapshot) -> bytes:
    if snapshot.same_as is not None:
        return _content(_needed(snapshot, snapshot.same_as))
    try:
        if snapshot.base is None:
            return zlib.decompress(snapshot.state)
        unpacker = zlib.decompressobj(zdict=_content(_needed(snapshot, snapshot.base)))
        return unpacker.decompress(snapshot.state) + unpacker.flush()
    except zlib.error as error:
        raise Corrupt(f"{snapshot.listing} {snapshot.number}: the state cannot be unpacked: {error}") from error


def _needed(snapshot: Snapshot, number: int) -> Snapshot:
    found = find(snapshot.listing, number)
    if found is None:
        raise Corrupt(f"{snapshot.listing} {snapshot.number}: it refers to snapshot {number}, which is gone")
    return found
