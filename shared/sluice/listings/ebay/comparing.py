"""One run of `listing.compare`: some of an account's listings are compared with what eBay took; what differs is told.

```
 next records by sku ─► items (25 in a call), offers (one call each) ─► as before? nothing is written
                                                                          └ differs ─► told ─► healed | case | kept
 not known (no answer, a 500) ─► nothing changes
```
A listing whose publish is under way is left alone: that looks itself. Of one of which a part of a change may have been
sent, only what happened to the whole of it counts (sold, ended, held).
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from pynamodb.expressions.update import Action as Update

from sluice.jobs.model import keys
from sluice.jobs.model.outcomes import Failure, HandlerResult, Then
from sluice.jobs.model.run import Run
from sluice.listings.ebay import (
    cases,
    documents,
    drift,
    following,
    publishers,
    sellers,
    shares,
    suspects,
    sweeping,
    table,
)
from sluice.listings.ebay import echo as echoes
from sluice.listings.ebay.attempt import NO_POLICIES
from sluice.listings.ebay.desired import Desired, FieldGroup
from sluice.listings.ebay.drift import Drift, DriftClass
from sluice.listings.ebay.echo import Echo
from sluice.listings.ebay.plan import Unsure, changed
from sluice.listings.ebay.sellers import SellerPart
from sluice.listings.ebay.table import Record
from sluice.marketplaces.publishing import MOST_PRICES, Json, Publisher, offer_on
from sluice.platform import tables
from sluice.platform.clock import HOUR
from sluice.platform.http.paging import Place
from sluice.platform.observe import milliseconds
from sluice.platform.packing import pack, unpack

# What happens to a whole listing, whatever is being changed in it.
OF_THE_LISTING: Final = frozenset({DriftClass.SALE, DriftClass.ENDED, DriftClass.MISSING, DriftClass.ON_HOLD})
# Pages of records that one run reads, of which few may be published.
MOST_PAGES: Final = 20
# eBay shows what it took within minutes.
MOST_BEHIND_MS: Final = HOUR


def run(run: Run) -> HandlerResult:
    """Look at those listings that the job names; else at those that were looked at longest ago, as many as there are
    calls for.

    The result is `{"looked", "unknown", "drift", "round"}`: listings, those of which nothing is known now, differences,
    and whether a round was completed.
    """
    account, began = run.job.account, run.clock.now()
    publisher = publishers.open_for(account, run.calls, run.clock)
    told: dict[str, Any] = {"looked": 0, "unknown": 0, "drift": 0, "round": False}
    if skus := run.payload.get("skus"):
        named = table.find_many(keys.tenant_of(account), skus)
        _slice(run, publisher, [one for _, one in sorted(named.items()) if one.published], told)
    else:
        _turn(run, publisher, told)
    milliseconds("duration.reconcile_ms", run.clock.now() - began)
    return dict(told)


def _turn(run: Run, publisher: Publisher, told: dict[str, Any]) -> None:
    """What time has brought calls for: a sweep of items, the listings that are worth reading, those that come next."""
    account, rate, now = run.job.account, run.payload["rate"], run.clock.now()
    look = sellers.progress_of(account)
    if look is None:
        return
    left = min(run.payload["calls"], shares.room(look, rate, now))
    is_slice = shares.is_slice(look, left)
    if shares.is_sweep_due(look, rate, left, now):
        left -= sweeping.sweep(publisher, look, rate, left // 2, now)
    left -= _suspected(run, publisher, left // 2, told)
    if is_slice:
        _round(run, publisher, left, told)


def _suspected(run: Run, publisher: Publisher, most: int, told: dict[str, Any]) -> int:
    """Look at listings that other sources show otherwise, with at most so many calls; how many it took."""
    account, rate, now = run.job.account, run.payload["rate"], run.clock.now()
    look = sellers.progress_of(account)
    if look is None or not look.suspects:
        return 0
    skus = suspects.find(account).first(min(shares.SLICE, shares.listings_for(most)))
    there = table.find_many(keys.tenant_of(account), skus)
    found = [one for _, one in sorted(there.items()) if one.published and (one.echo or one.standing)]
    certain = _slice(run, publisher, found, told)
    calls = shares.calls_for(len(found))
    sellers.note_progress(account, _paid(look, rate, calls, now))
    suspects.change(account, lambda before: before.read(certain, set(skus) - certain))
    return calls


def _round(run: Run, publisher: Publisher, left: int, told: dict[str, Any]) -> None:
    """The listings of the account's round that come next, with at most so many calls; none of them twice."""
    account, rate, looked = run.job.account, run.payload["rate"], 0
    for _ in range(MOST_PAGES):
        look = sellers.progress_of(account)
        if look is None:
            break
        now = run.clock.now()
        left = min(left, shares.room(look, rate, now))
        most = min(shares.SLICE, shares.listings_for(left))
        if told["round"]:
            most = min(most, (look.listings or 0) - looked)
        if most <= 0:
            break
        page = table.page(
            keys.tenant_of(account), most, Place(look.cursor) if look.cursor else None, Record.published.exists()
        )
        found = [one for one in page if one.echo or one.standing]
        _slice(run, publisher, found, told)
        calls = shares.calls_for(len(found))
        left -= calls
        looked += len(found)
        _move_on(look, page.next, found, _paid(look, rate, calls, now), run.clock.now())
        told["round"] = told["round"] or page.next is None


def _paid(look: SellerPart, rate: int, calls: int, now: int) -> list[Update]:
    return [SellerPart.paid_until.set(shares.paid(look, rate, calls, now)), SellerPart.rate.set(rate)]


def _move_on(look: SellerPart, after: Place | None, found: Sequence[Record], paid: Sequence[Update], now: int) -> None:
    """The one write for a slice. What it has just found is open, and counted, from the next round on."""
    total, open_ = (look.seen or 0) + len(found), Counter(look.open_seen or {})
    open_.update(row["class"] for record in found for row in record.drift or [])
    if after is None:
        actions: list[Update] = [
            SellerPart.cursor.remove(),
            SellerPart.seen.set(0),
            SellerPart.listings.set(total),
            SellerPart.open.set(dict(open_)),
            SellerPart.open_seen.remove(),
            SellerPart.round_ms.set(now - (look.began_at or now)),
            SellerPart.began_at.set(now),
        ]
        sellers.note_open(look.part, open_, now)
    else:
        actions = [SellerPart.cursor.set(after.key), SellerPart.seen.set(total), SellerPart.open_seen.set(dict(open_))]
    tables.update(SellerPart, [look.account, look.part], [*actions, *paid, SellerPart.looked_at.set(now)])


def _slice(run: Run, publisher: Publisher, found: Sequence[Record], told: dict[str, Any]) -> set[str]:
    """Look at these listings; the skus of those of which it is known now how they are."""
    certain = set[str]()
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
            if known is not None:
                certain.add(record.sku)
    return certain


def _one(run: Run, publisher: Publisher, record: Record, item: Json | None) -> int | None:
    """Compare one listing; how many differences were told. None: nothing is known of it now."""
    if record.run or not record.published:
        return 0
    unsure = Unsure.of(record.unsure)
    sent, policies = documents.of_document(unpack(record.published)), record.policies or NO_POLICIES
    now = _shown(publisher, record, sent, item)
    accepted = Echo.unpacked(record.echo)
    if accepted is None:
        return _first(run, record, now, sent) if unsure == Unsure() else 0
    want = record.wanted
    internal = () if record.is_published else changed(sent, policies, want, policies)
    found = _new(record, drift.classify(accepted, now, internal))
    if unsure != Unsure():
        found, now = _apart_from_ours(accepted, now, found)
    if not found:
        return 0
    following.follow(run, record, accepted, now, found)
    return len(found)


def _shown(publisher: Publisher, record: Record, sent: Desired, item: Json | None) -> Echo | None:
    """What eBay shows of what it was `sent`; None where it certainly has no such offer."""
    offer = offer_on(publisher.speaking(sent.language), record.sku, sent.marketplace)
    return echoes.seen(sent, record.policies or NO_POLICIES, item, offer) if offer else None


def read_again(run: Run, publisher: Publisher, record: Record) -> None:
    """A live listing is not as it is known, or eBay has refused a change of it: see what became of it, and store that.
    It may be sold, or ended.

    Nothing is stored where eBay does not answer, or an attempt has begun meanwhile.
    """
    accepted = Echo.unpacked(record.echo)
    if not record.published:
        return
    sent = documents.of_document(unpack(record.published))
    try:
        now = _shown(publisher, record, sent, publisher.speaking(sent.language).item(record.sku))
    except Failure:
        return
    if accepted is None:
        _over(run, record, now)
        return
    found, now = _apart_from_ours(accepted, now, _new(record, drift.classify(accepted, now)))
    following.follow(run, record, accepted, now, found)


def _apart_from_ours(accepted: Echo, now: Echo | None, found: Sequence[Drift]) -> tuple[list[Drift], Echo | None]:
    """What happened to the listing as a whole, while eBay may show a part of a change of ours in any field group.

    The measure of field groups stays, but for the quantity where some were sold.
    """
    told = [one for one in found if one.kind in OF_THE_LISTING]
    if now is None:
        return told, None
    sold = {FieldGroup.QUANTITY} if any(one.kind is DriftClass.SALE for one in told) else set()
    kept = {name: value for name, value in accepted.groups.items() if name not in sold}
    return told, now._replace(groups={**now.groups, **kept})


def _new(record: Record, found: Sequence[Drift]) -> list[Drift]:
    """What was not told before."""
    return [one for one in found if not _is_known(record, one)]


def _is_known(record: Record, one: Drift) -> bool:
    """Whether it was told before, and waits for its answer; or is only the record's own change."""
    if one.kind is DriftClass.INTERNAL_ONLY:
        return True
    return cases.same(record.drift or [], str(one.kind), map(str, one.groups)) is not None


def _first(run: Run, record: Record, now: Echo | None, sent: Desired) -> int:
    """What nobody could see after the publish is the measure now, if eBay shows what was sent. Or it has ended."""
    if now is None:
        return 0
    if now.standing == echoes.LIVE and echoes.is_behind(now, sent, record.policies or NO_POLICIES):
        return _otherwise(run, record, now, sent)
    if now.standing == echoes.LIVE:
        packed = pack(now.stored())
        at = run.clock.now()
        following.write(record, [Record.echo.set(packed), Record.observed.set(packed), Record.observed_at.set(at)])
        return 0
    return _over(run, record, now)


def _over(run: Run, record: Record, now: Echo | None) -> int:
    """The same of one whose listing may have ended before anybody has seen it."""
    is_this = record.is_for_sale and now is not None and now.listing_id == record.listing_id
    if now is None or not is_this or now.standing == echoes.LIVE:
        return 0
    following.follow(run, record, now, now, [Drift(DriftClass.ENDED)])
    return 1


def _otherwise(run: Run, record: Record, now: Echo, sent: Desired) -> int:
    """Where eBay shows something else than was sent for long, it is not behind: others have changed it, or some were
    sold.
    """
    if run.clock.now() - (record.published_at or 0) < MOST_BEHIND_MS:
        return 0
    accepted = echoes.as_sent(now, sent, record.policies or NO_POLICIES)
    fewer = max(0, (drift.left(accepted) or 0) - (drift.left(now) or 0))
    accepted = accepted._replace(sold=now.sold - min(fewer, now.sold))
    found = drift.classify(accepted, now)
    following.follow(run, record, accepted, now, found)
    return len(found)
