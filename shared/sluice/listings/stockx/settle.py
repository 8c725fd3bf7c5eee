"""Writing what a change came to: once, whoever finds it out and however often.

```
 change 3   open ──── settle: listing as it is now, entry 3, change 3 no longer open ──── settle again: refused
                      └──────────── one transaction, if 3 is open and nothing newer has happened
```
"""

from pynamodb.expressions.update import Action as Update
from pynamodb.transactions import TransactWrite

from sluice.jobs.model.outcomes import Failure, HandlerResult, Then
from sluice.listings.stockx import table as listings
from sluice.listings.stockx import tell
from sluice.listings.stockx.changes import Change, given
from sluice.listings.stockx.results import Result
from sluice.listings.stockx.status import ListingStatus, Status
from sluice.listings.stockx.table import Entry, Listing
from sluice.platform import tables


class ChangeUnconfirmed(Failure):
    """The job is over, and nobody knows yet what became of its change. `code` is that of its history entry."""

    action = Then.BUSINESS
    code = "operation_timed_out"


class ChangeFailed(Failure):
    """The change is settled, and did not happen. `code` is that of its history entry."""

    action = Then.BUSINESS
    code = "operation_failed"


def settle(
    tenant: str,
    listing_id: str,
    change: Change,
    result: Result,
    now: int,
    *,
    marketplace_id: str | None = None,
    operation_id: str | None = None,
    tries: int = 1,
) -> Entry | None:
    """Write `result` to the listing and its history. tries: how often the change was sent.

    Returns the entry that stands: this one, or that of whoever was first; None when a newer change was applied already,
    and this one is let go without a trace.
    """
    entry = Entry(
        listing=listings.history_key(tenant, listing_id),
        number=change.number,
        action=result.action,
        status=_recorded(tenant, listing_id, result),
        changed_by=change.asked_by,
        changed_at=now,
        metadata=_metadata(change, result, operation_id, tries),
    )
    newest = listings.is_open(change.number) & (Listing.applied.does_not_exist() | (Listing.applied < change.number))
    actions = [*_becomes(result, marketplace_id), *_closed(change, now)]
    if result.status is not Status.FAILED:
        # What did not happen is no newer state: an older change that is known later still counts.
        actions.append(Listing.applied.set(change.number))

    def write(transaction: TransactWrite) -> None:
        transaction.update(Listing(tenant, listing_id), actions, newest)
        transaction.save(entry, Entry.number.does_not_exist() | (Entry.status == str(ListingStatus.UNCONFIRMED)))

    try:
        tables.transact(write)
    except tables.ConditionFailed:
        _let_go(tenant, listing_id, change, now)
        return listings.entry(tenant, listing_id, change.number)
    tell.settled(tenant, entry)
    return entry


def outcome(entry: Entry | None, listing_id: str) -> HandlerResult:
    """What the job of a settled change comes to.

    Raises:
        ChangeFailed: the change did not happen.
        ChangeUnconfirmed: whether it did is not known.
    """
    if entry is None:
        return {"status": "SUPERSEDED", "listing_id": listing_id}
    error = entry.metadata.get("error")
    if entry.status == ListingStatus.UNCONFIRMED:
        raise ChangeUnconfirmed(error["message"], code=error["code"])
    if error:
        raise ChangeFailed(error["message"], code=error["code"])
    status = Status.PARTIAL if entry.status == Status.PARTIAL else Status.COMPLETED
    result = {"status": str(status), "listing_id": listing_id, "listing_status": entry.status}
    more = {name: entry.metadata[name] for name in ("operation_id", "tries") if entry.metadata.get(name)}
    return {**result, **more}


def _recorded(tenant: str, listing_id: str, result: Result) -> str:
    """The status of the history entry: what the listing became, or stays, or that the change did not happen."""
    if result.becomes is None and result.status is Status.COMPLETED:
        found = listings.find(tenant, listing_id)
        return found.status if found else result.recorded
    return result.recorded


def _becomes(result: Result, marketplace_id: str | None) -> list[Update]:
    actions: list[Update] = []
    if result.becomes:
        actions.append(Listing.status.set(str(result.becomes)))
    if marketplace_id:
        actions.append(Listing.marketplace_id.set(marketplace_id))
    terms = result.terms
    if terms.amount is not None:
        actions.append(Listing.amount.set(terms.amount))
    if terms.currency is not None:
        actions.append(Listing.currency.set(terms.currency))
    if terms.expires_at is not None:
        actions.append(Listing.listed_until.set(terms.expires_at))
    return actions


def _closed(change: Change, now: int) -> list[Update]:
    return [listings.at_change(change.number).remove(), Listing.updated_at.set(now)]


def _let_go(tenant: str, listing_id: str, change: Change, now: int) -> None:
    """A change that is late stays open no longer, so that nothing waits for it."""
    try:
        tables.update(Listing, (tenant, listing_id), _closed(change, now), listings.is_open(change.number))
    except tables.ConditionFailed:
        return  # it was settled before


def _metadata(change: Change, result: Result, operation_id: str | None, tries: int) -> dict[str, object]:
    error = result.error
    doubt = change.doubt
    known = {
        "job_id": change.job_id,
        "operation_id": operation_id,
        "asked": given(change.terms),
        "error": {"code": error[0], "message": error[1]} if error else None,
        "unconfirmed": {"since": doubt.since, "code": doubt.code} if doubt else None,
        "tries": tries if tries > 1 else None,
        **result.more,
    }
    return {name: value for name, value in known.items() if value or name == "seen" or value is False}
