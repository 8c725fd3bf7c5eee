"""Once a day: what is stored of a sample of listings is computed anew. What does not fit is logged, counted and mended.

```
 accounts, longest ago first ─► the next records by sku, then groups ─► record    hashes, and what lists filter by
                                                                        snapshots  the newest, the key, two more
                                                                        index      states by hash, members of groups
```
A sample goes on where the last one ended, so that in time everything is seen. Nothing is sent to eBay: only what
Sluice says of its own records is put right. A state that cannot be read any more is kept as it is, for a person.
"""

import hashlib
import random
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypedDict

from pynamodb.expressions.update import Action as Update
from pynamodb.transactions import TransactWrite

from sluice.jobs.model import keys
from sluice.jobs.run import records
from sluice.listings.ebay import documents, hashes, metrics, sellers, snapshots, table
from sluice.listings.ebay.desired import Group, Json
from sluice.listings.ebay.sellers import SellerPart
from sluice.listings.ebay.snapshots import SHORT, Corrupt
from sluice.listings.ebay.table import GROUPS, Record, Snapshot, snapshot_entry
from sluice.platform import tables
from sluice.platform.clock import SECOND
from sluice.platform.context import Context
from sluice.platform.http.paging import Place
from sluice.platform.observe import count, gauge, logger, tally
from sluice.platform.packing import plain, unpack

# Records that are read at a time.
PAGE: Final = 100
# Besides the newest and the key, so many snapshots of a listing are read.
MORE_SNAPSHOTS: Final = 2
# The function has less than a minute.
MOST_MS: Final = 35 * SECOND


class AuditAnswer(TypedDict):
    """What one audit did. checked: records. mismatches: what did not fit; mended: what of it is right now."""

    success: bool
    checked: int
    mismatches: int
    mended: int
    durationMs: int


@dataclass
class _Audit:
    """One audit, and what it has found so far."""

    context: Context
    checked: int = 0
    mismatches: int = 0
    mended: int = 0
    chance: random.Random = field(default_factory=random.Random)

    def found(self, record: Record, what: str, *, mended: bool, **about: Any) -> None:
        """Log and count one thing that does not fit."""
        self.mismatches += 1
        self.mended += mended
        tally("audit.mismatch", {"what": what})
        if mended:
            tally("audit.mended", {"what": what})
        logger.error("audit mismatch", extra={"listing": record.listing, "what": what, "mended": mended, **about})


def run(context: Context) -> AuditAnswer:
    """Check the next sample of records (`ebay.audit_sample`), in equal parts of each account."""
    began, sample = context.now(), context.config.ebay.audit_sample
    audit = _Audit(context)
    watched = sorted(sellers.watched(), key=lambda one: one.audited_at or 0)
    for number, look in enumerate(watched):
        share = -(-(sample - audit.checked) // (len(watched) - number))
        if share <= 0 or context.now() - began > MOST_MS:
            break
        _account(audit, look, share)
    now = context.now()
    count("audit.checked", audit.checked)
    counters = {"checked": audit.checked, "mismatches": audit.mismatches, "mended": audit.mended}
    records.record("reconciler", {**counters, "ms": now - began}, counters, now, context.config)
    records.note(metrics.AUDIT, {"at": now, **counters})
    gauge("last.audit", now // SECOND, unit=metrics.SECONDS)
    return {
        "success": True,
        "checked": audit.checked,
        "mismatches": audit.mismatches,
        "mended": audit.mended,
        "durationMs": now - began,
    }


def _account(audit: _Audit, look: SellerPart, share: int) -> None:
    """The next `share` records of an account: its skus, then its groups, then from the beginning."""
    tenant, left = keys.tenant_of(look.part), share
    owner: str = look.audit_owner or tenant
    after: str | None = look.audit_after
    for _ in range(share + 2):
        page = table.page(owner, min(PAGE, left), Place(after) if after else None)
        for record in page:
            _check(audit, record)
        left -= len(page.items)
        after = page.next.key if page.next else None
        if after is None:
            owner = tenant if owner.endswith(GROUPS) else table.group_owner(tenant)
        if left <= 0 or (after is None and owner == tenant):
            break
    actions: list[Update] = [
        SellerPart.audit_owner.set(owner),
        SellerPart.audit_after.set(after) if after else SellerPart.audit_after.remove(),
        SellerPart.audited_at.set(audit.context.now()),
    ]
    tables.update(SellerPart, [look.account, look.part], actions)


def _check(audit: _Audit, record: Record) -> None:
    audit.checked += 1
    try:
        _check_record(audit, record)
    except (zlib.error, ValueError, KeyError) as error:
        audit.found(record, "document", mended=False, reason=type(error).__name__)
        return
    _check_members(audit, record)
    _check_snapshots(audit, record)


def _check_record(audit: _Audit, record: Record) -> None:
    """The hashes, and what lists are filtered by, follow from the documents."""
    want = record.wanted_group if record.is_group else record.wanted
    digest = hashes.of_group(want) if isinstance(want, Group) else hashes.of_record(want)
    stated = {
        "record_hash": (Record.record_hash, record.record_hash, digest),
        "marketplace": (Record.marketplace, record.marketplace, want.marketplace),
        "status": (Record.status, record.status, str(want.status)),
        "title": (Record.title, record.title, want.title),
    }
    wrong = [name for name, (_, found, right) in stated.items() if found != right]
    actions: list[Update] = [stated[name][0].set(stated[name][2]) for name in wrong]
    if "record_hash" in wrong and record.published_hash == record.record_hash:
        actions.append(Record.published_hash.set(digest))  # it said that both are the same, and they are
    sent = _sent(record)
    if sent and record.hashes != sent:
        actions.append(Record.hashes.set(sent))
        # Where all differ, another version of the projection has made them: see `hashes`.
        if any(record.hashes.get(name) == value for name, value in sent.items()):
            wrong.append("hashes")
    if not actions:
        return
    same = record.unchanged & (Record.record_hash == record.record_hash)
    mended = _mended(lambda: tables.update(Record, [record.tenant, record.sku], actions, same))
    for name in wrong:
        audit.found(record, name, mended=mended)


def _sent(record: Record) -> dict[str, str] | None:
    """The hashes of what eBay took last; None of groups, whose members are sent, and before anything was."""
    if not (record.hashes and record.published and record.policies) or record.is_group:
        return None
    return hashes.of(documents.of_document(unpack(record.published)), record.policies).stored()


def _check_members(audit: _Audit, record: Record) -> None:
    """A group has the members whose records name it, and no others."""
    for group, member, belongs in _strangers(record):
        members: Update = (Record.members.add if belongs else Record.members.delete)({member.sku})

        def fill(
            transaction: TransactWrite, group: Record = group, member: Record = member, update: Update = members
        ) -> None:
            unchanged = Record.version == member.version
            transaction.condition_check(Record, member.tenant, member.sku, unchanged)
            transaction.update(Record(group.tenant, group.sku), [update], Record.version.exists())

        mended = _mended(lambda fill=fill: tables.transact(fill))
        audit.found(group, "members", mended=mended, sku=member.sku)


def _strangers(record: Record) -> Iterator[tuple[Record, Record, bool]]:
    """Groups and records of which one does not know the other: whether the record belongs to the group."""
    if record.is_group:
        found = table.find_many(record.owner, record.members or ())
        for member in found.values():
            if member.group != record.sku:
                yield record, member, False
    elif record.group:
        group = table.find_group(record.owner, record.group)
        if group and record.sku not in (group.members or ()):
            yield group, record, True


def _check_snapshots(audit: _Audit, record: Record) -> None:
    """The index by hash names what has that hash; and some states are what was stored."""
    index: dict[str, int] = dict(record.snapshot_hashes or {})
    numbers = {*index.values(), *(one for one in (record.snapshots, record.key_snapshot) if one)}
    wanted = [(record.listing, snapshot_entry(number)) for number in sorted(numbers)]
    stored = {one.number: one for one in Snapshot.batch_get(wanted, consistent_read=True)}
    gone = {short for short, number in index.items() if not _is_of(stored.get(number), short)}
    first = [one for one in (record.snapshots, record.key_snapshot) if one]
    others = sorted(stored.keys() - set(first))
    sampled = [*dict.fromkeys(first), *audit.chance.sample(others, min(MORE_SNAPSHOTS, len(others)))]
    lost = [number for number in sampled if not _is_whole(audit, record, stored.get(number))]
    gone |= {short for short, number in index.items() if number in lost}
    if gone or record.key_snapshot in lost:
        mended = _forget(record, index, gone, lost)
        for short in sorted(gone):
            audit.found(record, "snapshot_index", mended=mended, number=index[short])
    if record.snapshots in lost and record.published:
        audit.found(record, "newest_snapshot", mended=_store_anew(audit, record), number=record.snapshots)


def _is_of(snapshot: Snapshot | None, short: str) -> bool:
    return snapshot is not None and snapshot.state_hash[:SHORT] == short


def _is_whole(audit: _Audit, record: Record, snapshot: Snapshot | None) -> bool:
    """Whether a snapshot can be read, or could be restored: what is published now is at hand."""
    if snapshot is None:
        return False
    try:
        snapshots.read(snapshot)
    except (Corrupt, ValueError) as error:
        content = plain(_published(record)) if record.published else b""
        known = hashlib.sha256(content).hexdigest() == snapshot.state_hash
        restored = known and _mended(lambda: _restore(snapshot, content))
        audit.found(record, "snapshot", mended=restored, number=snapshot.number, reason=str(error)[:200])
        return restored
    return True


def _restore(snapshot: Snapshot, content: bytes) -> None:
    """The same state, packed by itself."""
    packed = zlib.compress(content, 9)
    actions: list[Update] = [
        Snapshot.state.set(packed),
        Snapshot.size.set(len(packed)),
        Snapshot.base.remove(),
        Snapshot.same_as.remove(),
    ]
    tables.update(Snapshot, [snapshot.listing, snapshot.entry], actions, Snapshot.state_hash == snapshot.state_hash)


def _forget(record: Record, index: dict[str, int], gone: set[str], lost: Sequence[int]) -> bool:
    """Nothing refers any more to what is not there or cannot be read."""
    left = {short: number for short, number in index.items() if short not in gone}
    actions: list[Update] = [Record.snapshot_hashes.set(left)]
    if record.key_snapshot in lost:
        actions.append(Record.key_snapshot.remove())
    return _mended(lambda: tables.update(Record, [record.tenant, record.sku], actions, record.same_snapshots))


def _store_anew(audit: _Audit, record: Record) -> bool:
    """What is published now has a snapshot again that can be read."""
    now, fresh = audit.context.now(), table.find(record.tenant, record.sku)
    if fresh is None or fresh.snapshots != record.snapshots or not fresh.published:
        return False
    added = snapshots.new(fresh, _published(fresh), "audit", now)
    return _mended(lambda: snapshots.write(added, fresh))


def _published(record: Record) -> Json:
    """What is published of a record, as its snapshot has it."""
    document: Json = unpack(record.published)
    if record.is_group or not record.policies:
        return document
    return snapshots.state(documents.of_document(document), record.policies)


def _mended(write: Any) -> bool:
    """Whether `write` was made; not where the record was changed meanwhile, and the next audit looks again."""
    try:
        write()
    except tables.ConditionFailed:
        return False
    return True
