"""What is done about drift that a look has found: it is told once, then healed, made a case, or kept as the measure."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action as Update
from pynamodb.transactions import TransactWrite

from sluice.jobs import ask
from sluice.jobs.model.run import Run
from sluice.jobs.queue.together import NotWritten
from sluice.listings.ebay import cases, documents, drift, hashes, known, log_rows, table, telling, wishes
from sluice.listings.ebay import echo as echoes
from sluice.listings.ebay.attempt import NO_POLICIES
from sluice.listings.ebay.desired import Desired, FieldGroup, OnDrift
from sluice.listings.ebay.drift import Drift, DriftClass
from sluice.listings.ebay.echo import Echo
from sluice.listings.ebay.plan import Unsure
from sluice.listings.ebay.table import HistoryEntry, Record
from sluice.platform import races, tables
from sluice.platform.clock import iso
from sluice.platform.packing import pack, unpack

# Who is named in the history where a sale has changed a record.
BUYER: Final = "a buyer at eBay"


def follow(run: Run, record: Record, accepted: Echo, now: Echo | None, found: Sequence[Drift]) -> None:
    """Tell of each difference, and do what is to be done about all of them: see `drift`."""
    for one in found:
        telling.tell(run, record, one, now)
    at, want = run.clock.now(), record.wanted
    heal, ask_about = drift.to_heal(found, want.on_drift), drift.to_ask(found, want.on_drift)
    if record.restored_at:  # eBay may show what was published after the backup: newer than the record
        heal, ask_about = frozenset[FieldGroup](), heal | ask_about
    kinds = {one.kind for one in found}
    rows = list(record.drift or [])
    if ask_about:
        rows.append(cases.row(str(DriftClass.EXTERNAL_ONLY), map(str, ask_about), iso(at), sku=record.sku))
    rows += [
        cases.row(str(kind), (), iso(at), sku=record.sku)
        for kind in (DriftClass.ENDED, DriftClass.MISSING)
        if kind in kinds
    ]
    gone = _gone(accepted, now, found)
    if gone and now and _shows_too_many(record, want, gone, now):
        heal |= {FieldGroup.QUANTITY}
    measure = _measure(accepted, now, found, heal | ask_about)
    actions: list[Update] = [
        Record.observed_at.set(at),
        Record.echo.set(pack(measure.stored())),
        Record.drift.set(rows) if rows else Record.drift.remove(),
    ]
    if now:
        actions.append(Record.observed.set(pack(now.stored())))
    if kinds & {DriftClass.ENDED, DriftClass.MISSING}:
        actions.append(Record.standing.set(table.ENDED))
    elif now and (standing := known.standing(now, want)):
        actions.append(Record.standing.set(standing))
    if heal:
        actions.append(Record.unsure.set(Unsure(heal).stored()))
    entry: HistoryEntry | None = None
    if gone:
        more, entry = _sold(record, want, gone, at)
        actions += more
    with suppress(NotWritten, tables.ConditionFailed):  # the record was changed meanwhile: the next look finds the same
        _write(run, record, actions, entry, heals=bool(heal))


def _write(run: Run, record: Record, actions: list[Update], entry: HistoryEntry | None, *, heals: bool) -> None:
    """All of it together with the job that heals, or nothing.

    Raises:
        NotWritten, ConditionFailed: something has happened to the record since it was read.
    """

    def fill(transaction: TransactWrite) -> None:
        transaction.update(Record(record.tenant, record.sku), actions, as_read(record))
        if entry:
            transaction.save(entry)

    if heals:
        at = run.clock.now()
        wish = wishes.publish(*record.subject, "reconciler", at, quick=True, event="drift")
        ask.want_with(wish, at, run.config, fill)
    elif entry:
        tables.transact(fill)
    else:
        tables.update(Record, [record.tenant, record.sku], actions, as_read(record))


def _gone(accepted: Echo, now: Echo | None, found: Sequence[Drift]) -> int:
    """Of those that were sold, how many the record's quantity has still: the others were sold before it was set."""
    sold = sum(one.sold for one in found)
    fewer = drift.fallen(accepted, now) if now else None
    return sold if fewer is None else min(sold, max(0, fewer))


def _shows_too_many(record: Record, want: Desired, gone: int, now: Echo) -> bool:
    """Whether eBay offers more than are left: the record's quantity went there once more, though some were sold."""
    left = replace(want, quantity=max(0, want.quantity - gone)).shown_quantity
    ignored = want.on_drift[FieldGroup.QUANTITY] is OnDrift.IGNORE
    return record.is_published and not ignored and (drift.left(now) or 0) > left


def _measure(accepted: Echo, now: Echo | None, found: Sequence[Drift], open_: frozenset[FieldGroup]) -> Echo:
    """What later looks are compared with: as before where something is still to be done, else what eBay shows now."""
    if now is None:
        return accepted._replace(standing=echoes.ENDED)
    both = {group for one in found if one.kind is DriftClass.BOTH for group in one.groups}
    kept = {one: accepted.groups[one] for one in (*open_, *both) if one in accepted.groups}
    return now._replace(groups={**now.groups, **kept})


def _sold(record: Record, want: Desired, sold: int, at: int) -> tuple[list[Update], HistoryEntry]:
    """The record's quantity is lowered, and so is what was published: eBay has done it already."""
    left = replace(want, quantity=max(0, want.quantity - sold))
    published = documents.of_document(unpack(record.published))
    taken = replace(published, quantity=max(0, published.quantity - sold))
    version = record.version + 1
    actions: list[Update] = [
        Record.version.set(version),
        Record.desired.set(pack(documents.document(left))),
        Record.record_hash.set(hashes.of_record(left)),
        Record.changed_at.set(at),
        Record.changed_by.set(BUYER),
        Record.published.set(pack(documents.document(taken))),
        Record.hashes.set(hashes.of(taken, record.policies or NO_POLICIES).stored()),
    ]
    if record.is_published:
        actions += [Record.published_hash.set(hashes.of_record(left)), Record.published_version.set(version)]
    if record.error and record.error["version"] == record.version:
        actions.append(Record.error.set({**record.error, "version": version}))  # of this one too: nobody asks for it
    entry = HistoryEntry(
        listing=record.listing,
        entry=table.version_entry(version),
        version=version,
        action="sale",
        fields=["/quantity"],
        changed_by=BUYER,
        changed_at=at,
    )
    return actions, entry


def as_read(record: Record) -> Condition:
    """Neither an attempt nor its aftermath, nor a look, nor anybody else has written of the record since it was read.

    An attempt may have begun and ended meanwhile, so that its run is gone again: what it came to tells of it.
    """
    same: Condition = record.unchanged & log_rows.same_end(record) & record.same_drift
    return same


def write(record: Record, actions: Sequence[Update]) -> None:
    """Write what a look has found, unless something has happened to the record meanwhile."""
    with suppress(tables.ConditionFailed):
        tables.update(Record, [record.tenant, record.sku], list(actions), as_read(record))


def open_case(record: Record, kind: str, groups: Iterable[str], now: int, details: str = "") -> None:
    """Have somebody decide about it; once, however often it is found.

    Raises:
        Contention: others find and decide about it all the time.
    """
    found: Record | None = record
    race = races.Race(f"the cases of {record.sku} changed while one was to be opened")
    while True:
        if found is None or cases.same(found.drift or [], kind, groups, details):
            return
        rows = [*(found.drift or []), cases.row(kind, groups, iso(now), details, sku=record.sku)]
        try:
            tables.update(Record, [record.tenant, record.sku], [Record.drift.set(rows)], found.same_drift)
        except tables.ConditionFailed:
            race.lost()
            found = table.find(record.tenant, record.sku)
        else:
            return
