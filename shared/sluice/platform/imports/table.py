"""Imports: table `imports`, one item for each; how far it is, and which rows were refused.

```
 request   put: pending = {0 … n-1} ── send n messages ── 202
 worker                                 chunk 7: store its rows ── delete 7 from pending, add up
```
An import's id is made of its content. So who sends a file again, because no answer came, finds the import that was
begun, and what is missing of its messages is sent; and a chunk that is delivered twice is counted once.

Rows that are refused only when they are stored stand in an item of their chunk, `<import id>/<chunk>`, which is written
with the count or not at all.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from pynamodb.attributes import BinaryAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.transactions import TransactWrite

from sluice.platform import tables
from sluice.platform.attributes import IntAttribute
from sluice.platform.clock import ttl
from sluice.platform.imports import chunks
from sluice.platform.imports import report as reports
from sluice.platform.imports.chunks import Chunk
from sluice.platform.imports.report import RefusedRow

if TYPE_CHECKING:
    from sluice.platform.imports.sheet import Sheet

_ID: Final = r"[0-9a-f]{32}"


class Import(tables.Table):
    """One import. Times are epoch ms. Of a chunk's own item, all that is said is of that chunk.

    kind: of what its rows are. rows: of the file; refused: of these, when it was read.
    pending: the numbers of the chunks that are not done; the attribute is gone when there are none.
    report: the refused rows, as compressed JSON.
    refused_later: rows that were good and could not be stored as they are.
    kept: left alone, because what is stored is newer, or because the row does not say enough.
    created, existing: items of an inventory. asked, not_asked: what became of their prices.
    queued, stored, unchanged: records of eBay listings. problems: some of the reasons for all that was not done.
    """

    class Meta:
        table_name = tables.name("imports")

    tenant = UnicodeAttribute(hash_key=True)
    import_id = UnicodeAttribute(range_key=True)
    kind = UnicodeAttribute(default=chunks.FIRST_KIND)
    accepted_at = IntAttribute()
    updated_at = IntAttribute()
    rows = IntAttribute()
    refused = IntAttribute()
    report = BinaryAttribute(legacy_encoding=False)
    pending = UnicodeSetAttribute(null=True)
    refused_later = IntAttribute(default=0)
    kept = IntAttribute(default=0)
    created = IntAttribute(default=0)
    existing = IntAttribute(default=0)
    asked = IntAttribute(default=0)
    not_asked = IntAttribute(default=0)
    queued = IntAttribute(default=0)
    stored = IntAttribute(default=0)
    unchanged = IntAttribute(default=0)
    problems = UnicodeSetAttribute(null=True)
    expires_at = IntAttribute()

    @property
    def status(self) -> str:
        """How the API tells whether it is done."""
        return "processing" if self.pending else "done"


def begin(
    kind: str,
    tenant: str,
    data: bytes,
    sheet: "Sheet",
    now: int,
    keep_ms: int,
    about: Mapping[str, str] | None = None,
) -> Import:
    """Take the good rows of `sheet`, which was read from `data`. They are stored when this returns, or will be.

    about: what else whoever stores them must know.

    Raises:
        NotSent: the queue did not take all; sending the same data again goes on with it.
    """
    import_id = hashlib.sha256(f"{kind}\n{tenant}\n{sheet.counts}\n".encode() + data).hexdigest()[:32]
    cut = chunks.cut(sheet.pieces)
    new = Import(
        tenant,
        import_id,
        kind=kind,
        accepted_at=now,
        updated_at=now,
        rows=sheet.rows,
        refused=len(sheet.refused),
        report=reports.pack(sheet.refused),
        pending={str(number) for number in range(len(cut))},
        expires_at=ttl(now + keep_ms),
    )
    try:
        tables.put(new, Import.pending.does_not_exist())
    except tables.ConditionFailed as failed:
        new = Import.from_raw_data(failed.item or {})
    at = new.accepted_at
    open_ = [
        Chunk(kind, tenant, import_id, number, at, rows, about or {})
        for number, rows in enumerate(cut)
        if is_open(new, number, at)
    ]
    chunks.send([chunks.encode(one) for one in open_], tenant)
    return new


def find(kind: str, tenant: str, import_id: str) -> Import | None:
    """The import of such rows as it is now."""
    if not re.fullmatch(_ID, import_id):
        return None
    try:
        found = Import.get(tenant, import_id, consistent_read=True)
    except Import.DoesNotExist:
        return None
    return found if found.kind == kind else None


def is_open(found: Import, chunk: int, at: int) -> bool:
    """Whether the chunk of the import that was taken `at` is not done."""
    return found.accepted_at == at and str(chunk) in (found.pending or ())


def finish(
    chunk: Chunk,
    counts: Mapping[str, int],
    now: int,
    *,
    problems: frozenset[str] = frozenset(),
    refused: Sequence[RefusedRow] = (),
    keep_ms: int = 0,
) -> bool:
    """Count what became of the chunk. False when that was done before.

    counts: by the name of the attribute. refused: rows that could not be stored as they are, told for `keep_ms`.
    """
    actions = [
        Import.pending.delete({str(chunk.chunk)}),
        *(getattr(Import, name).add(number) for name, number in counts.items()),
        Import.updated_at.set(now),
        *([Import.problems.add(set(problems))] if problems else []),
        *([Import.refused_later.add(len(refused))] if refused else []),
    ]
    still = (Import.accepted_at == chunk.at) & Import.pending.contains(str(chunk.chunk))
    keys = (chunk.tenant, chunk.import_id)

    def told_too(transaction: TransactWrite) -> None:
        transaction.update(Import(*keys), actions, still)
        transaction.save(_own_item(chunk, refused, now, keep_ms))

    try:
        if refused:
            tables.transact(told_too)
        else:
            # Many chunks are counted at once, so each leaves its token in a place drawn by lot.
            tables.update(Import, keys, actions, still, token=tables.one_of_many("w"))
    except tables.ConditionFailed:
        return False
    return True


def refused_rows(found: Import) -> list[RefusedRow]:
    """Those of the import that are told of: as the file was read, then as its rows were stored."""
    rows = reports.unpack(found.report)
    if found.refused_later:
        prefix = f"{found.import_id}/"
        parts = Import.query(found.tenant, Import.import_id.startswith(prefix), consistent_read=True)
        # Of an earlier import of the same file, more rows may have been refused.
        ours = [part for part in parts if part.accepted_at == found.accepted_at]
        for part in sorted(ours, key=lambda one: int(one.import_id.removeprefix(prefix))):
            rows += reports.unpack(part.report)
    return reports.told(rows)


def _own_item(chunk: Chunk, refused: Sequence[RefusedRow], now: int, keep_ms: int) -> Import:
    return Import(
        chunk.tenant,
        f"{chunk.import_id}/{chunk.chunk}",
        kind=chunk.kind,
        accepted_at=chunk.at,
        updated_at=now,
        rows=len(chunk.rows),
        refused=len(refused),
        report=reports.pack(refused),
        expires_at=ttl(now + keep_ms),
    )
