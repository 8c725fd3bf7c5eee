"""Imports: table `imports`, one item for each; how far it is, and which rows were refused.

```
 request   put: pending = {0 … n-1} ── send n messages ── 202
 worker                                 chunk 7: store its items, ask for their prices ── delete 7 from pending, add up
```
An import's id is made of its content. So who sends a file again, because no answer came, finds the import that was
begun, and what is missing of its messages is sent; and a chunk that is delivered twice is counted once.
"""

import hashlib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

from pynamodb.attributes import BinaryAttribute, UnicodeAttribute, UnicodeSetAttribute
from typing_extensions import TypedDict

from sluice.inventory import messages
from sluice.inventory import report as reports
from sluice.inventory.messages import Chunk
from sluice.inventory.report import RefusedRow
from sluice.platform import tables
from sluice.platform.attributes import IntAttribute
from sluice.platform.clock import iso, ttl
from sluice.platform.http.shapes import Among, Time

if TYPE_CHECKING:
    from sluice.inventory.rules import Draft
    from sluice.inventory.sheet import Sheet

# Rows in one message: some seconds of a small function's work, and 100 KB at the most.
CHUNK_ROWS: Final = 100
_ID = r"[0-9a-f]{32}"


class Import(tables.Table):
    """One import. Times are epoch ms.

    pending: the numbers of the chunks that are not done; the attribute is gone when there are none. report: the refused
    rows, as compressed JSON. What became of the items: created, existing, kept (changed by hand since the import was
    sent). What became of their prices: asked, or not for one of the reasons `problems`.
    """

    class Meta:
        table_name = tables.name("imports")

    tenant = UnicodeAttribute(hash_key=True)
    import_id = UnicodeAttribute(range_key=True)
    accepted_at = IntAttribute()
    updated_at = IntAttribute()
    rows = IntAttribute()
    refused = IntAttribute()
    report = BinaryAttribute(legacy_encoding=False)
    pending = UnicodeSetAttribute(null=True)
    created = IntAttribute(default=0)
    existing = IntAttribute(default=0)
    kept = IntAttribute(default=0)
    asked = IntAttribute(default=0)
    not_asked = IntAttribute(default=0)
    problems = UnicodeSetAttribute(null=True)
    expires_at = IntAttribute()


class ImportView(TypedDict):
    """How far an import is.

    status: `processing`, then `done`. rows: of the file; accepted, refusedRows: as they were read; several rows may be
    one item. created, existing: items stored so far; kept: left alone because somebody changed them meanwhile, or
    because a row does not say which of their units are gone. refreshes: prices asked for; one that is not old is not.
    refreshesRefused: prices that cannot be asked for. problems: some of the reasons for both. refused: the first
    refused rows, 1,000 at the most.
    """

    importId: str
    status: Annotated[str, Among(("processing", "done"))]
    rows: int
    accepted: int
    refusedRows: int
    created: int
    existing: int
    kept: int
    refreshes: int
    refreshesRefused: int
    problems: list[str]
    refused: list[RefusedRow]
    acceptedAt: Time
    updatedAt: Time


class Done(NamedTuple):
    """What became of the rows of one chunk."""

    created: int
    existing: int
    kept: int
    asked: int
    not_asked: int
    problems: frozenset[str]


def begin(tenant: str, data: bytes, sheet: "Sheet", now: int, keep_ms: int) -> Import:
    """Take the good rows of `sheet`, which was read from `data`. They are stored when this returns, or will be.

    Raises:
        NotSent: the queue did not take all; sending the same data again goes on with it.
    """
    import_id = hashlib.sha256(f"{tenant}\n{sheet.counts}\n".encode() + data).hexdigest()[:32]
    chunks = _chunks(sheet.good)
    new = Import(
        tenant,
        import_id,
        accepted_at=now,
        updated_at=now,
        rows=sheet.rows,
        refused=len(sheet.refused),
        report=reports.pack(sheet.refused),
        pending={str(number) for number in range(len(chunks))},
        expires_at=ttl(now + keep_ms),
    )
    try:
        tables.put(new, Import.pending.does_not_exist())
    except tables.ConditionFailed as failed:
        new = Import.from_raw_data(failed.item or {})
    at = new.accepted_at
    open_ = [
        Chunk(tenant, import_id, number, at, rows) for number, rows in enumerate(chunks) if is_open(new, number, at)
    ]
    messages.send(open_)
    return new


def _chunks(drafts: "Sequence[Draft]") -> "list[list[Draft]]":
    """`drafts` in pieces of about `CHUNK_ROWS` rows: one that stands for many rows counts as so many."""
    chunks: list[list[Draft]] = [[]]
    rows = 0
    for draft in drafts:
        if rows >= CHUNK_ROWS:
            chunks.append([])
            rows = 0
        chunks[-1].append(draft)
        rows += len(draft.lots or (draft,))
    return chunks


def find(tenant: str, import_id: str) -> Import | None:
    """The import as it is now."""
    if not re.fullmatch(_ID, import_id):
        return None
    try:
        return Import.get(tenant, import_id, consistent_read=True)
    except Import.DoesNotExist:
        return None


def is_open(found: Import, chunk: int, at: int) -> bool:
    """Whether the chunk of the import that was taken `at` is not done."""
    return found.accepted_at == at and str(chunk) in (found.pending or ())


def finish(chunk: Chunk, done: Done, now: int) -> bool:
    """Count what became of the chunk. False when that was done before."""
    actions = [
        Import.pending.delete({str(chunk.chunk)}),
        Import.created.add(done.created),
        Import.existing.add(done.existing),
        Import.kept.add(done.kept),
        Import.asked.add(done.asked),
        Import.not_asked.add(done.not_asked),
        Import.updated_at.set(now),
        *([Import.problems.add(set(done.problems))] if done.problems else []),
    ]
    still = (Import.accepted_at == chunk.at) & Import.pending.contains(str(chunk.chunk))
    try:
        # Many chunks are counted at once, so each leaves its token in a place drawn by lot.
        tables.update(Import, (chunk.tenant, chunk.import_id), actions, still, token=tables.one_of_many("w"))
    except tables.ConditionFailed:
        return False
    return True


def view(found: Import) -> ImportView:
    """As the API shows it."""
    return {
        "importId": found.import_id,
        "status": "processing" if found.pending else "done",
        "rows": found.rows,
        "accepted": found.rows - found.refused,
        "refusedRows": found.refused,
        "created": found.created,
        "existing": found.existing,
        "kept": found.kept,
        "refreshes": found.asked,
        "refreshesRefused": found.not_asked,
        "problems": sorted(found.problems or ()),
        "refused": reports.unpack(found.report),
        "acceptedAt": iso(found.accepted_at),
        "updatedAt": iso(found.updated_at),
    }
