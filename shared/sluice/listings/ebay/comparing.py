"""One run of `listing.compare`: some of an account's listings are compared with what eBay took; what differs is told.

```
 next 100 records by sku ─► items (25 in a call), offers (one call each) ─► as before? nothing is written
                                                                          └ differs ─► told ─► healed | case | kept
 not known (no answer, a 500) ─► nothing changes
```
A listing whose publish is under way is left alone: that looks itself.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from pynamodb.expressions.update import Action as Update
from pynamodb.transactions import TransactWrite

from sluice.jobs import ask
from sluice.jobs.model import keys
from sluice.jobs.model.outcomes import Failure, HandlerResult, Then
from sluice.jobs.model.run import Run
from sluice.listings.ebay import attempt as attempts
from sluice.listings.ebay import cases, documents, drift, hashes, publishers, sellers, table, wishes
from sluice.listings.ebay import echo as echoes
from sluice.listings.ebay.attempt import NO_POLICIES
from sluice.listings.ebay.desired import Desired, FieldGroup
from sluice.listings.ebay.drift import Drift, DriftClass
from sluice.listings.ebay.echo import Echo
from sluice.listings.ebay.plan import Unsure, changed
from sluice.listings.ebay.reconciler import SLICE, SLICE_CALLS
from sluice.listings.ebay.sellers import SellerPart
from sluice.listings.ebay.table import HistoryEntry, Record
from sluice.marketplaces.publishing import MOST_PRICES, Json, Publisher
from sluice.platform import aws, tables
from sluice.platform.clock import iso
from sluice.platform.http.paging import Place
from sluice.platform.observe import count
from sluice.platform.packing import pack, unpack

EVENTS: Final = {
    DriftClass.SALE: "listing.sold",
    DriftClass.ENDED: "listing.ended",
    DriftClass.MISSING: "listing.ended",
    DriftClass.ON_HOLD: "listing.on_hold",
}
DRIFT: Final = "listing.drift"
# Who is named in the history where a sale has changed a record.
BUYER: Final = "a buyer at eBay"


def run(run: Run) -> HandlerResult:
    """Look at as many slices as the job has calls for.

    The result is `{"looked", "unknown", "drift", "round"}`: listings, those of which nothing is known now, differences,
    and whether a round was completed.
    """
    account = run.job.account
    publisher = publishers.open_for(account, run.calls, run.clock)
    told = {"looked": 0, "unknown": 0, "drift": 0, "round": False}
    for _ in range(max(1, run.payload["calls"] // SLICE_CALLS)):
        look = sellers.progress_of(account)
        if look is None:
            break
        page = table.page(
            keys.tenant_of(account), SLICE, Place(look.cursor) if look.cursor else None, Record.published.exists()
        )
        found = [one for one in page if one.echo or one.standing]
        _slice(run, publisher, found, told)
        _move_on(look, page.next, len(found), run.clock.now())
        if page.next is None:
            told["round"] = True
            break
    return dict(told)


def _move_on(look: SellerPart, after: Place | None, seen: int, now: int) -> None:
    """The one write for a slice."""
    total = (look.seen or 0) + seen
    if after is None:
        actions: list[Update] = [
            SellerPart.cursor.remove(),
            SellerPart.seen.set(0),
            SellerPart.listings.set(total),
            SellerPart.round_ms.set(now - (look.began_at or now)),
            SellerPart.began_at.set(now),
        ]
    else:
        actions = [SellerPart.cursor.set(after.key), SellerPart.seen.set(total)]
    tables.update(SellerPart, [look.account, look.part], [*actions, SellerPart.looked_at.set(now)])


def _slice(run: Run, publisher: Publisher, found: Sequence[Record], told: dict[str, Any]) -> None:
    for start in range(0, len(found), MOST_PRICES):
        some = found[start : start + MOST_PRICES]
        items = publisher.items_of([one.sku for one in some])
        for record in some:
            try:
                known = _one(run, publisher, record, items[record.sku]) if record.sku in items else None
            except Failure as failure:
                if failure.action is Then.SNOOZE:
                    raise
                known = None
            told["looked"] += 1
            told["unknown"] += known is None
            told["drift"] += known or 0


def _one(run: Run, publisher: Publisher, record: Record, item: Json | None) -> int | None:
    """Compare one listing; how many differences were told. None: nothing is known of it now."""
    if record.run or Unsure.of(record.unsure) != Unsure() or not record.published:
        return 0
    sent, policies = documents.of_document(unpack(record.published)), record.policies or NO_POLICIES
    offers = publisher.speaking(sent.language).offers(record.sku)
    offer = next((one for one in offers if one.site == sent.marketplace), None)
    now = echoes.seen(sent, policies, item, offer) if offer else None
    accepted = Echo.of(unpack(record.echo)) if record.echo else None
    if accepted is None:
        _take_measure(run, record, now, sent)
        return 0
    want = record.wanted
    internal = () if record.is_published else changed(sent, policies, want, policies)
    found = [one for one in drift.classify(accepted, now, internal) if not _is_known(record, one)]
    if not found:
        return 0
    for one in found:
        _tell(run, record, one, now)
    _follow(run, record, accepted, now, found)
    return len(found)


def _is_known(record: Record, one: Drift) -> bool:
    """Whether it was told before, and waits for its answer; or is only the record's own change."""
    if one.kind is DriftClass.INTERNAL_ONLY:
        return True
    return cases.same(record.drift or [], str(one.kind), map(str, one.groups)) is not None


def _take_measure(run: Run, record: Record, now: Echo | None, sent: Desired) -> None:
    """What nobody could see after the publish is the measure now, if eBay shows what was sent."""
    if now is None or now.standing != echoes.LIVE or echoes.is_behind(now, sent, record.policies or NO_POLICIES):
        return
    packed = pack(now.stored())
    actions: list[Update] = [
        Record.echo.set(packed),
        Record.observed.set(packed),
        Record.observed_at.set(run.clock.now()),
    ]
    _write(record, actions)


def _tell(run: Run, record: Record, one: Drift, now: Echo | None) -> None:
    """Once, as far as can be: told before it is written, so that a crash tells it again, with the same id."""
    count(f"drift.detected.{one.kind}")
    shown = json.dumps(now.stored() if now else {}, sort_keys=True)
    about = f"{record.listing} {one.kind} {sorted(one.groups)} {shown}"
    detail: dict[str, Any] = {
        "version": 1,
        "id": hashlib.sha256(about.encode()).hexdigest()[:32],
        "tenant": record.owner,
        "sku": record.sku,
        "listingId": record.listing_id,
        "class": str(one.kind),
        "groups": sorted(map(str, one.groups)),
        "at": iso(run.clock.now()),
    }
    if one.kind is DriftClass.SALE:
        detail["quantity"] = one.sold
    if one.kind in (DriftClass.ENDED, DriftClass.MISSING):
        detail["by"] = "seller" if now is None or now.standing != echoes.ENDED_BY_EBAY else "ebay"
    aws.put_events([(EVENTS.get(one.kind, DRIFT), detail)])


def _follow(run: Run, record: Record, accepted: Echo, now: Echo | None, found: Sequence[Drift]) -> None:
    """What is done about it: see `drift`."""
    at, want = run.clock.now(), record.wanted
    heal, ask_about = drift.to_heal(found, want.on_drift), drift.to_ask(found, want.on_drift)
    kinds = {one.kind for one in found}
    rows = list(record.drift or [])
    if ask_about:
        rows.append(cases.row(str(DriftClass.EXTERNAL_ONLY), map(str, ask_about), iso(at), sku=record.sku))
    rows += [
        cases.row(str(kind), (), iso(at), sku=record.sku)
        for kind in (DriftClass.ENDED, DriftClass.MISSING)
        if kind in kinds
    ]
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
    elif now and (standing := attempts.standing(now, want)):
        actions.append(Record.standing.set(standing))
    if heal:
        actions.append(Record.unsure.set(Unsure(heal).stored()))
    if sold := sum(one.sold for one in found):
        _sold(record, want, sold, actions, at)
    elif not _write(record, actions):
        return
    if heal:
        wish = wishes.publish(record.tenant, record.sku, "reconciler", at, quick=True, event="drift")
        ask.want(wish, at, run.config)


def _measure(accepted: Echo, now: Echo | None, found: Sequence[Drift], open_: frozenset[FieldGroup]) -> Echo:
    """What later looks are compared with: as before where something is still to be done, else what eBay shows now."""
    if now is None:
        return replace(accepted, standing=echoes.ENDED)
    both = {group for one in found if one.kind is DriftClass.BOTH for group in one.groups}
    kept = {one: accepted.groups[one] for one in (*open_, *both) if one in accepted.groups}
    return replace(now, groups={**now.groups, **kept})


def _sold(record: Record, want: Desired, sold: int, actions: list[Update], at: int) -> None:
    """The record's quantity is lowered, and so is what was published: eBay has done it already."""
    left = replace(want, quantity=max(0, want.quantity - sold))
    published = documents.of_document(unpack(record.published))
    taken = replace(published, quantity=max(0, published.quantity - sold))
    version = record.version + 1
    actions = [
        *actions,
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
    entry = HistoryEntry(
        listing=record.listing,
        entry=table.version_entry(version),
        version=version,
        action="sale",
        fields=["/quantity"],
        changed_by=BUYER,
        changed_at=at,
    )
    unchanged = (Record.version == record.version) & Record.run.does_not_exist()

    def fill(transaction: TransactWrite) -> None:
        transaction.update(Record(record.tenant, record.sku), actions, unchanged)
        transaction.save(entry)

    try:
        tables.transact(fill)
    except tables.ConditionFailed:
        return  # the record was changed meanwhile: the next look finds the same sale


def _write(record: Record, actions: Sequence[Update]) -> bool:
    """Write what a look has found, unless something has happened to the record meanwhile."""
    unchanged = (Record.version == record.version) & Record.run.does_not_exist()
    try:
        tables.update(Record, [record.tenant, record.sku], list(actions), unchanged)
    except tables.ConditionFailed:
        return False
    return True
