"""Finding out what became of changes whose job is over: job kind `listing.check`, and whoever waits behind one.

```
 a listing job ends ──► its stream tells `aftermath` ──► listing.check: each change that it left
                                                          ├─ never sent: settled, it did not happen
                                                          └─ sent: checked, ever less often, until it is known
```
A check never sends a change. So any number of checks may run at once: the first to know settles the change.
"""

from sluice.jobs.model import keys
from sluice.jobs.model.outcomes import HandlerResult, Then, Waiting
from sluice.jobs.model.run import Run
from sluice.listings.stockx import batch, change_order, changes, lost_creates, settle
from sluice.listings.stockx import table as listings
from sluice.listings.stockx.change_order import OpenStanding
from sluice.listings.stockx.changes import Action, Change
from sluice.listings.stockx.follow import Task, follow, patience
from sluice.listings.stockx.kinds import BATCH
from sluice.listings.stockx.settle import ChangeFailed
from sluice.listings.stockx.table import Listing
from sluice.marketplaces.http.errors import MarketplaceFailure


def run(run: Run) -> HandlerResult:
    """One run of `listing.check`: of a listing, of a batch, or for the twins of a create (see `twins`).

    Its payload: of one listing `{"listing_id"}`; of a batch that of its job, and `of`, the job's id. The result is
    `{"status", "listing_id", "listing_status"}`, of a batch `{"status"}`.
    """
    if "twins" in run.payload:
        return lost_creates.check_twins(run)
    if "listings" in run.payload:
        return batch.check_batch(run)
    listing_id, again = run.payload["listing_id"], list[int]()
    listing = listings.find(run.job.tenant, listing_id)
    for change in listing.open_changes() if listing else []:
        listing = listings.find(run.job.tenant, listing_id)
        if listing is None or listing.change(change.number) is None:
            continue
        next_check = _left(run, listing, change)
        if next_check is not None:
            again.append(next_check)
    if again:
        return Waiting(min(again))
    status = listing.shown_status if listing else None
    return {"status": "COMPLETED", "listing_id": listing_id, "listing_status": status}


def once(run: Run, listing: Listing, change: Change) -> int | None:
    """Check an UNCONFIRMED `change` once, on the calls of `run`. None: it is settled; else when to check again.

    Raises:
        Failure: the check could not be tried.
    """
    left = change.doubt
    assert left  # noqa: S101 - see above
    stored, now = listing.change(change.number), run.clock.now()
    if stored and stored.doubt is None:
        settle.leave(listing.tenant, listing.listing_id, change, left, now)
    if keys.job_parts(change.job_id)[0] == BATCH.name:
        known = batch.check_row(run, listing, change)
        if known is not None:
            return known.due_at if isinstance(known, Waiting) else None
    sent = changes.resumed(change, left.sending)
    try:
        outcome = follow(Task(run, listing.listing_id, change, checking=True), sent)
    except ChangeFailed:
        return None
    except MarketplaceFailure as failure:
        if failure.action is Then.SNOOZE:
            raise
        return now + patience(sent.first_sent, now)
    return outcome.due_at if isinstance(outcome, Waiting) else None


def lets_pass(listing: Listing, change: Change) -> bool:
    """Whether `change` need not wait for one that stays UNCONFIRMED: a listing can always be taken away."""
    return change.action is Action.DELETE and listing.marketplace_id is not None


def _left(run: Run, listing: Listing, change: Change) -> int | None:
    now = run.clock.now()
    how, known = change_order.standing(listing, change, now)
    match how:
        case OpenStanding.UNCONFIRMED:
            return once(run, listing, known)
        case OpenStanding.UNSENT:
            change_order.give_up(listing, change, now)
    return None
