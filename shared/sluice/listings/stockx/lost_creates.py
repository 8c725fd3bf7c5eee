"""Creates whose answer was lost: finding what they have made, before and after they are sent once more.

A create without an answer is looked for long before it is sent once more. Should the first come to be even later,
there are two listings for one request. The one that is nobody's, the *twin*, is taken for a listing of ours, and is
withdrawn as any other, so that its seller sees it, and what becomes of it. What is not provably ours is left alone.
"""

from dataclasses import replace
from decimal import Decimal
from uuid import NAMESPACE_URL, uuid5

from sluice.jobs.ask import Wish, want_with
from sluice.jobs.model import keys
from sluice.jobs.model.outcomes import HandlerResult
from sluice.jobs.model.run import Run
from sluice.jobs.queue.together import NotWritten
from sluice.jobs.run.runner import CALL_MS
from sluice.listings.stockx import request, sellers, settle
from sluice.listings.stockx import table as listings
from sluice.listings.stockx.changes import Action, Change, ListingStatus, Submission
from sluice.listings.stockx.kinds import SINGLE
from sluice.listings.stockx.results import ENDED, is_made_by, of_listing
from sluice.listings.stockx.table import Entry, Listing
from sluice.marketplaces import selling as shapes
from sluice.marketplaces.http.errors import NotFound
from sluice.marketplaces.selling import Operation, Seller, Terms
from sluice.platform.clock import MINUTE, SECOND
from sluice.platform.observe import count, logger

BY = "sluice"

# How far the marketplace's clock may be from what its `Date` header says, and from ours where there is none.
CLOCKS_MS = 10 * SECOND
NO_DATE_MS = 2 * MINUTE


def find_created(seller: Seller, account: str, listing_id: str, variant_id: str, submission: Submission) -> Submission:
    """The submission with the listing that its create has made, if there is one: of its variant, created since by an
    operation that asked for just this. One that has these terms still is taken before one that was given others since.

    A listing is adopted by a conditional write, so two creates that look for theirs at once never find the same one.
    """
    change = submission.change
    seen = [one for one in candidates(seller, [variant_id], submission.first_sent) if one.variant_id == variant_id]
    for one in sorted(seen, key=lambda one: not could_be(change, variant_id, one)):
        if listings.owner(account, one.listing_id) not in (None, listing_id):
            continue
        operation = created_by(seller, one.listing_id)
        if has_created(operation, change, variant_id, one) and listings.adopt(account, one.listing_id, listing_id):
            found = replace(submission, marketplace_id=one.listing_id)
            return found.started(operation) if operation else found
    return submission


def candidates(seller: Seller, variant_ids: list[str], sent_at: int) -> list[shapes.MarketListing]:
    """The listings of these variants that can have been created by what was sent at `sent_at`, oldest first."""
    found = seller.find(variant_ids, sent_at - NO_DATE_MS)
    # How far the marketplace's clock was ahead when it got the create, nobody knows: its answer was lost, and the clock
    # may have been set since. So it is taken for any that is up to two minutes behind, or as far as it is now.
    since = sent_at + min(seller.ahead_ms or 0, 0) - NO_DATE_MS
    return sorted((one for one in found if one.created_at >= since), key=lambda one: one.created_at)


def earliest(seller: Seller, sent_at: int) -> int:
    """The earliest time, by the marketplace's clock as it is now, at which it can have received what was sent then."""
    if seller.ahead_ms is None:
        return sent_at - NO_DATE_MS
    return sent_at + seller.ahead_ms - CLOCKS_MS


def could_be(change: Change, variant_id: str, seen: shapes.MarketListing) -> bool:
    """Whether `seen` can be what creating by `change` has made. A listing that is not active yet may show no amount."""
    amount = change.terms.amount
    same_amount = seen.amount is None or amount is None or seen.amount == Decimal(amount)
    same_currency = seen.currency in (None, change.terms.currency)
    return seen.variant_id == variant_id and same_amount and same_currency


def created_by(seller: Seller, listing_id: str) -> Operation | None:
    """The operation that created a listing, where the marketplace tells it."""
    return next((one for one in operations_on(seller, listing_id) if one.type == Action.CREATE), None)


def has_created(created: Operation | None, change: Change, variant_id: str, seen: shapes.MarketListing) -> bool:
    """Whether `change` can have created `seen`, of its variant. created: the operation that did, if it is told.

    What the operation set decides: the terms may have been changed since. Where the marketplace tells no operation, or
    not what it set, the listing's own values decide.
    """
    if created is None or created.changes is None:
        by_program = created is None or created.by_program is not False
        return by_program and could_be(change, variant_id, seen)
    return is_made_by(created, change, 0)


def operations_on(seller: Seller, listing_id: str) -> list[Operation]:
    """The newest operations on a listing; none where the marketplace knows no such listing."""
    try:
        return seller.operations(listing_id)
    except NotFound:
        return []


def check_twins(run: Run) -> HandlerResult:
    """Check once for twins of the creates in the payload: `{"twins": [[listing id, number]], "sent": [first, last]}`.

    The result is `{"status", "withdrawn"}`: the listings that are withdrawn, by our ids.
    """
    seller = sellers.open_for(run.job.account, run.calls, run.clock)
    first, last = run.payload["sent"]
    found = listings.find_many(run.job.tenant, [listing_id for listing_id, _ in run.payload["twins"]])
    variants = sorted({listing.variant_id for listing in found.values()})
    seen = candidates(seller, variants, first) if variants else []
    withdrawn = []
    for listing_id, number in run.payload["twins"]:
        entry = listings.entry(run.job.tenant, listing_id, number)
        if (listing := found.get(listing_id)) is None or entry is None:
            continue
        for one in seen:
            if _is_twin(seller, listing, _asked(entry), one, (first, last)):
                withdrawn += _withdraw(run, listing, entry, one)
    return {"status": "COMPLETED", "withdrawn": withdrawn}


def _asked(entry: Entry) -> Change:
    asked = entry.metadata["asked"]
    return Change(entry.number, Action.CREATE, entry.metadata["job_id"], 0, entry.changed_by, Terms(**asked))


def _is_twin(
    seller: Seller, listing: Listing, change: Change, seen: shapes.MarketListing, sent: tuple[int, int]
) -> bool:
    """Whether `seen` was made by a sending of `change` and is no listing of ours: live, alike, nobody's, and created
    while one of our calls was under way, by an operation that asked for just this.
    """
    if of_listing(seen.word) in ENDED or not could_be(change, listing.variant_id, seen):
        return False
    if listings.owner(listing.account, seen.listing_id) not in (None, _twin_id(listing, seen)):
        return False
    starts = [earliest(seller, at) for at in sent]
    if not any(start <= seen.created_at <= start + CALL_MS + 2 * CLOCKS_MS for start in starts):
        return False
    operations = seller.operations(seen.listing_id)
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
    payload = {"listing_id": twin_id}
    delete = Wish(SINGLE[Action.DELETE], job, ours.tenant, ours.account, payload, priority=keys.HOT, replace=True)
    change = Change(1, Action.DELETE, job, now, BY)
    try:
        want_with(delete, now, run.config, lambda transaction: request.add_new(transaction, ours, change))
    except NotWritten:
        return [twin_id]  # it was done before
    logger.error("a create has made two listings; one is withdrawn", extra={"listing_id": listing.listing_id})
    count("TwinsWithdrawn")
    settle.tell_twin(listing.tenant, entry, twin.listing_id)
    return [twin_id]


def _twin_id(listing: Listing, twin: shapes.MarketListing) -> str:
    return str(uuid5(NAMESPACE_URL, f"sluice:{listing.account}:twin:{twin.listing_id}"))
