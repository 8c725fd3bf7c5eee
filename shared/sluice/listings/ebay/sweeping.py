"""Pages of an account's items, 200 in a call: which listings are worth reading, between two looks at their offers.

Used where a round of looks takes long (`shares.sweep_every_ms`). A sweep goes on in the next run where it has stopped.
A page that shows what it showed last has nothing new to say, so none of its records are read.
"""

import hashlib
from collections.abc import Sequence

from pynamodb.expressions.update import Action as Update

from sluice.jobs.model import keys
from sluice.jobs.model.outcomes import Failure, Then
from sluice.listings.ebay import documents, hints, sellers, shares, suspects, table
from sluice.listings.ebay.attempt import NO_POLICIES
from sluice.listings.ebay.sellers import SellerPart
from sluice.marketplaces.publishing import Json, Publisher
from sluice.platform.packing import plain, unpack


def sweep(publisher: Publisher, look: SellerPart, rate: int, most: int, now: int) -> int:
    """Read pages of items, with at most so many calls; how many it took. What differs becomes a suspect."""
    begins = look.page is None
    where: int | None = look.page or 0
    calls, known = 0, sellers.pages_of(look.part)
    before = dict(known)
    while where is not None and calls < most:
        calls += 1
        try:
            found = publisher.items(where)
        except Failure as failure:
            if failure.action is Then.SNOOZE:
                raise
            break  # not known: the next run asks for this page again
        shown = digest(found.items)
        if known.get(str(where)) != shown:
            _hint(look.part, found.items)
            known[str(where)] = shown
        where = found.next
    if known != before:
        sellers.remember_pages(look.part, known)
    actions: list[Update] = [SellerPart.paid_until.set(shares.paid(look, rate, calls, now))]
    seen = calls + (0 if begins else look.pages_seen or 0)
    if where is None:
        actions += [SellerPart.page.remove(), SellerPart.pages_seen.remove(), SellerPart.pages.set(seen)]
    else:
        actions += [SellerPart.page.set(where), SellerPart.pages_seen.set(seen)]
    if begins:
        actions.append(SellerPart.swept_at.set(now))
        if look.swept_at:
            actions.append(SellerPart.sweep_ms.set(now - look.swept_at))
    sellers.note_progress(look.part, actions)
    return calls


def _hint(account: str, items: Sequence[Json]) -> None:
    by_sku = {str(item["sku"]): item for item in items if item.get("sku")}
    found: dict[str, str | None] = {}
    for sku, record in table.find_many(keys.tenant_of(account), by_sku).items():
        accepted = hints.measure(record)
        if accepted and record.published:
            sent = documents.of_document(unpack(record.published))
            found[sku] = hints.of_item(accepted, sent, record.policies or NO_POLICIES, by_sku[sku])
    differ = {sku: hint for sku, hint in found.items() if hint}
    suspects.change(account, lambda before: before.hinted(hints.ITEMS, differ, found.keys()))


def digest(items: Sequence[Json]) -> str:
    """A short word for what a page shows."""
    return hashlib.sha256(plain(items)).hexdigest()[:12]
