"""The twin of a listing: what the first sending of a create made, when the second has been sent after all.

A create without an answer is looked for long before it is sent once more. Should the first come to be even later,
there are two listings for one request. The one that is nobody's is taken for a listing of ours, and is withdrawn as any
other, so that its seller sees it, and what becomes of it. What is not provably ours is left alone.
"""

from dataclasses import replace
from uuid import NAMESPACE_URL, uuid5

from sluice.jobs.model import keys
from sluice.jobs.model.outcomes import HandlerResult
from sluice.jobs.model.run import Run
from sluice.jobs.queue.enqueue import enqueue
from sluice.jobs.run.runner import CALL_MS
from sluice.listings.stockx import look as looking
from sluice.listings.stockx import request, tell
from sluice.listings.stockx import table as listings
from sluice.listings.stockx.changes import Change
from sluice.listings.stockx.kinds import SINGLE
from sluice.listings.stockx.look import CLOCKS_MS
from sluice.listings.stockx.results import ENDED, is_made_by
from sluice.listings.stockx.status import Action, ListingStatus, of_listing
from sluice.listings.stockx.table import Entry, Listing
from sluice.marketplaces import selling as shapes
from sluice.marketplaces.selling import Terms
from sluice.marketplaces.stockx.selling import Selling
from sluice.platform import tables
from sluice.platform.observe import count, logger

BY = "sluice"


def run(run: Run) -> HandlerResult:
    """Look once for twins of the creates in the payload: `{"twins": [[listing id, number]], "sent": [first, last]}`.

    The result is `{"status", "withdrawn"}`: the listings that are withdrawn, by our ids.
    """
    selling = Selling.open(run.job.account, run.calls, run.clock)
    first, last = run.payload["sent"]
    found = listings.find_many(run.job.tenant, [listing_id for listing_id, _ in run.payload["twins"]])
    variants = sorted({listing.variant_id for listing in found.values()})
    seen = looking.candidates(selling, variants, first) if variants else []
    withdrawn = []
    for listing_id, number in run.payload["twins"]:
        entry = listings.entry(run.job.tenant, listing_id, number)
        if (listing := found.get(listing_id)) is None or entry is None:
            continue
        for one in seen:
            if _is_twin(selling, listing, _change(entry), one, (first, last)):
                withdrawn += _withdraw(run, listing, entry, one)
    return {"status": "COMPLETED", "withdrawn": withdrawn}


def _change(entry: Entry) -> Change:
    asked = entry.metadata["asked"]
    return Change(entry.number, Action.CREATE, entry.metadata["job_id"], 0, entry.changed_by, Terms(**asked))


def _is_twin(
    selling: Selling, listing: Listing, change: Change, seen: shapes.MarketListing, sent: tuple[int, int]
) -> bool:
    """Whether `seen` was made by a sending of `change` and is no listing of ours: live, alike, nobody's, and created
    while one of our calls was under way, by an operation that asked for just this.
    """
    if of_listing(seen.word) in ENDED or not looking.could_be(change, listing.variant_id, seen):
        return False
    if listings.owner(listing.account, seen.listing_id) not in (None, _twin_id(listing, seen)):
        return False
    starts = [looking.since(selling, at) for at in sent]
    if not any(start <= seen.created_at <= start + CALL_MS + 2 * CLOCKS_MS for start in starts):
        return False
    operations = selling.operations(seen.listing_id)
    active = any(one.changes and one.changes.active is not False for one in operations)
    return any(is_made_by(one, replace(change, active=active), starts[0]) for one in operations)


def _withdraw(run: Run, listing: Listing, entry: Entry, twin: shapes.MarketListing) -> list[str]:
    """Take the twin for ours, and ask for its end. Doing it again changes nothing; empty when somebody else has it."""
    twin_id, now = _twin_id(listing, twin), run.clock.now()
    if not listings.adopt(listing.account, twin.listing_id, twin_id):
        return []
    status = of_listing(twin.word) or ListingStatus.ACTIVE
    ours = Listing(
        listing.tenant,
        twin_id,
        account=listing.account,
        marketplace=listing.marketplace,
        marketplace_id=twin.listing_id,
        variant_id=listing.variant_id,
        sku=listing.sku,
        size=listing.size,
        size_system=listing.size_system,
        status=str(status),
        amount=listing.amount,
        currency=listing.currency,
        listed_until=twin.expires_at,
        created_at=now,
        updated_at=now,
    )
    job = request.job_id(Action.DELETE, ours)
    new = _put(ours, Change(1, Action.DELETE, job, now, BY))
    payload: dict[str, object] = {"listing_id": twin_id}
    name = SINGLE[Action.DELETE].name
    enqueue(request.spec(name, job, ours.account, ours.tenant, keys.HOT, payload, run.config), now)
    if new:
        logger.error("a create has made two listings; one is withdrawn", extra={"listing_id": listing.listing_id})
        count("TwinsWithdrawn")
        tell.twin(listing.tenant, entry, twin.listing_id)
    return [twin_id]


def _put(listing: Listing, change: Change) -> bool:
    """Write the listing with its one change. False when it is there already."""
    listing.changes, listing.last_change = {str(change.number): change.encode()}, change.number
    values = {name: value for name, value in listing.attribute_values.items() if name not in ("tenant", "listing_id")}
    actions = [getattr(Listing, name).set(value) for name, value in values.items() if value is not None]
    try:
        new = Listing.status.does_not_exist()
        tables.update(Listing, (listing.tenant, listing.listing_id), actions, new, token=Listing.create_token)
    except tables.ConditionFailed:
        return False
    return True


def _twin_id(listing: Listing, twin: shapes.MarketListing) -> str:
    return str(uuid5(NAMESPACE_URL, f"sluice:{listing.account}:twin:{twin.listing_id}"))
