"""A change that was sent and whose fate is not known: UNCONFIRMED, on its listing and in its history.

```
 sent ──► its job ends without knowing ──► UNCONFIRMED: doubt on the change, entry UNCONFIRMED; one transaction
                                            │ listing.check looks, and so does whatever is asked for next
                                            ▼
                                           settled, as any other change: the entry is replaced by what happened
```
"""

from dataclasses import replace

from pynamodb.expressions.update import Action as Update
from pynamodb.transactions import TransactWrite

from sluice.jobs.model.job import Job
from sluice.listings.stockx import settle, submission
from sluice.listings.stockx import table as listings
from sluice.listings.stockx.changes import Change, Doubt, given
from sluice.listings.stockx.results import TIMED_OUT, TIMEOUT
from sluice.listings.stockx.settle import ChangeUnconfirmed
from sluice.listings.stockx.status import ListingStatus
from sluice.listings.stockx.submission import Submission
from sluice.listings.stockx.table import Entry, Listing
from sluice.marketplaces import selling
from sluice.platform import tables


def of(sent: Submission, code: str, message: str, now: int) -> Doubt:
    """The doubt of a change whose job ends with `code`."""
    return Doubt(code, message, now, sent.sending())


def looked(doubt: Doubt, sent: Submission, seen: selling.MarketListing | None, *, read: bool) -> Doubt:
    """`doubt` with what one more check has found, as far as it has found anything."""
    known = replace(doubt, sending=sent.sending())
    return replace(known, read=True, seen=seen.word if seen else None) if read else known


def leave(tenant: str, listing_id: str, change: Change, doubt: Doubt, now: int) -> bool:
    """Say that nobody knows what became of `change`. False when somebody has settled it meanwhile."""
    unconfirmed = replace(change, doubt=doubt)
    action = TIMEOUT if doubt.code == TIMED_OUT else change.action
    entry = Entry(
        listing=listings.history_key(tenant, listing_id),
        number=change.number,
        action=action,
        status=str(ListingStatus.UNCONFIRMED),
        changed_by=change.asked_by,
        changed_at=now,
        metadata=_metadata(change, doubt),
    )
    actions: list[Update] = [listings.at_change(change.number).set(unconfirmed.encode()), Listing.updated_at.set(now)]
    provisional = Entry.number.does_not_exist() | (Entry.status == str(ListingStatus.UNCONFIRMED))

    def write(transaction: TransactWrite) -> None:
        transaction.update(Listing(tenant, listing_id), actions, listings.is_open(change.number))
        transaction.save(entry, provisional)

    try:
        tables.transact(write)
    except tables.ConditionFailed:
        return False
    return True


def learn(tenant: str, listing_id: str, change: Change, doubt: Doubt, now: int) -> Change:
    """Keep what a check has found of a change that stays UNCONFIRMED, if it is anything new."""
    if doubt == change.doubt:
        return change
    leave(tenant, listing_id, change, doubt, now)
    return replace(change, doubt=doubt)


def end(tenant: str, listing_id: str, change: Change, doubt: Doubt, now: int) -> dict[str, str]:
    """End a job whose change is UNCONFIRMED now; with what somebody else has found, if they were first.

    Raises:
        ChangeUnconfirmed: with the code of `doubt`.
        ChangeFailed: the change did not happen.
    """
    if leave(tenant, listing_id, change, doubt, now):
        raise ChangeUnconfirmed(doubt.message, code=doubt.code)
    found = settle.outcome(listings.entry(tenant, listing_id, change.number), listing_id)
    assert isinstance(found, dict)  # noqa: S101 - what is settled waits for nothing
    return found


def left_by(job: Job, change: Change, now: int) -> Doubt | None:
    """The doubt that a job has left which ended without a word; None if it had not sent `change`."""
    error = job.error or {"code": "lease_expired", "message": "its job ended without a result"}
    sent = submission.of(job.payload)
    if sent and sent.change.number == change.number:
        return of(sent, error["code"], error["message"], now)
    batch = job.payload.get("sent")
    if not batch:
        return None
    row = Submission(change, batch["sent_at"], batch["tries"], batch_id=batch["batch_id"])
    return of(row, error["code"], error["message"], now)


def _metadata(change: Change, doubt: Doubt) -> dict[str, object]:
    error = {"code": doubt.code, "message": doubt.message}
    known = {"job_id": change.job_id, "asked": given(change.terms), "error": error}
    operation_id = doubt.sending.get("operation_id") or doubt.sending.get("batch_id")
    if operation_id:
        known["operation_id"] = operation_id
    return known | ({"seen": doubt.seen} if doubt.read else {})
