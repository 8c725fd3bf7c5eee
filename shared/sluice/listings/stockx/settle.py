"""Writing what a change came to: once, whoever finds it out and however often; and telling of it.

```
 change 3   open ──── settle: listing as it is now, entry 3, change 3 no longer open ──── settle again: refused
             │        └──────────── one transaction, if 3 is open and nothing newer has happened
             └─ its job ends without knowing ──► leave: doubt on change 3, entry 3 UNCONFIRMED; one transaction
                                                  │ listing.check asks, and so does whatever is asked for next
                                                  ▼
                                                 settle, as any other change: entry 3 is replaced by what happened
```
"""

from dataclasses import replace
from typing import Any, NamedTuple

from pynamodb.expressions.update import Action as Update
from pynamodb.transactions import TransactWrite

from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import Failure, HandlerResult, Then
from sluice.listings import live
from sluice.listings.stockx import changes
from sluice.listings.stockx import table as listings
from sluice.listings.stockx.changes import Change, Doubt, ListingStatus, Status, Submission, given
from sluice.listings.stockx.kinds import MARKETPLACE
from sluice.listings.stockx.results import TIMED_OUT, TIMEOUT, Result
from sluice.listings.stockx.table import Entry, Listing
from sluice.marketplaces import selling
from sluice.platform import aws, tables
from sluice.platform.clock import iso
from sluice.platform.observe import logger

EVENT = "listing.changed"
VERSION = 1


class ChangeUnconfirmed(Failure):
    """The job is over, and nobody knows yet what became of its change. `code` is that of its history entry."""

    action = Then.BUSINESS
    code = "operation_timed_out"


class ChangeFailed(Failure):
    """The change is settled, and did not happen. `code` is that of its history entry."""

    action = Then.BUSINESS
    code = "operation_failed"


class Sending(NamedTuple):
    """How a change was sent.

    marketplace_id: the marketplace's new listing, where it made one. operation_id: what it was followed by. tries: how
    often it was sent.
    """

    marketplace_id: str | None = None
    operation_id: str | None = None
    tries: int = 1


ONCE = Sending()


def settle(
    tenant: str, listing_id: str, change: Change, result: Result, now: int, sent: Sending = ONCE
) -> Entry | None:
    """Write `result` as `write` does.

    Returns the entry that stands: this one, or that of whoever was first; None when a newer change was applied already,
    and this one is let go without a trace.
    """
    written = write(tenant, listing_id, change, result, now, sent)
    return written or listings.entry(tenant, listing_id, change.number)


def write(tenant: str, listing_id: str, change: Change, result: Result, now: int, sent: Sending = ONCE) -> Entry | None:
    """Write `result` to the listing and its history.

    Returns the entry; None when the change is settled already, or a newer one was applied and this one is let go.
    """
    entry = Entry(
        listing=listings.history_key(tenant, listing_id),
        number=change.number,
        action=result.action,
        status=_recorded(tenant, listing_id, result),
        changed_by=change.asked_by,
        changed_at=now,
        metadata=_metadata(change, result, sent.operation_id, sent.tries),
    )
    newest = listings.is_open(change.number) & (Listing.applied.does_not_exist() | (Listing.applied < change.number))
    actions = [*_becomes(result, sent.marketplace_id), *_closed(change, now)]
    if result.status is not Status.FAILED:
        # What did not happen is no newer state: an older change that is known later still counts.
        actions.append(Listing.applied.set(change.number))

    def both(transaction: TransactWrite) -> None:
        transaction.update(Listing(tenant, listing_id), actions, newest)
        transaction.save(entry, Entry.number.does_not_exist() | (Entry.status == str(ListingStatus.UNCONFIRMED)))

    try:
        tables.transact(both)
    except tables.ConditionFailed:
        _let_go(tenant, listing_id, change, now)
        return None
    tell_settled(tenant, entry)
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
        "active": None if change.active else False,
        **result.more,
    }
    return {name: value for name, value in known.items() if value or name == "seen" or value is False}


def doubt_of(sent: Submission, code: str, message: str, now: int) -> Doubt:
    """The doubt of a change whose job ends with `code`."""
    return Doubt(code, message, now, sent.sending())


def learnt(doubt: Doubt, sent: Submission, seen: selling.MarketListing | None, *, read: bool) -> Doubt:
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
        metadata=_doubt_metadata(change, doubt),
    )
    actions: list[Update] = [listings.at_change(change.number).set(unconfirmed.encode()), Listing.updated_at.set(now)]
    provisional = Entry.number.does_not_exist() | (Entry.status == str(ListingStatus.UNCONFIRMED))

    def both(transaction: TransactWrite) -> None:
        transaction.update(Listing(tenant, listing_id), actions, listings.is_open(change.number))
        transaction.save(entry, provisional)

    try:
        tables.transact(both)
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
    found = outcome(listings.entry(tenant, listing_id, change.number), listing_id)
    assert isinstance(found, dict)  # noqa: S101 - what is settled waits for nothing
    return found


def left_by(job: Job, change: Change, now: int) -> Doubt | None:
    """The doubt that a job has left which ended without a word; None if it had not sent `change`."""
    error = job.error or {"code": "lease_expired", "message": "its job ended without a result"}
    sent = changes.submission_of(job.payload)
    if sent and sent.change.number == change.number:
        return doubt_of(sent, error["code"], error["message"], now)
    batch = job.payload.get("sent")
    if not batch:
        return None
    row = Submission(change, batch["sent_at"], batch["tries"], batch_id=batch["batch_id"])
    return doubt_of(row, error["code"], error["message"], now)


def _doubt_metadata(change: Change, doubt: Doubt) -> dict[str, object]:
    error = {"code": doubt.code, "message": doubt.message}
    known = {"job_id": change.job_id, "asked": given(change.terms), "error": error}
    operation_id = doubt.sending.get("operation_id") or doubt.sending.get("batch_id")
    if operation_id:
        known["operation_id"] = operation_id
    return known | ({"seen": doubt.seen} if doubt.read else {})


def tell_settled(tenant: str, entry: Entry) -> None:
    """Tell of a change that was UNCONFIRMED and is known now, and of a listing that was found otherwise than asked."""
    known = entry.metadata
    if known.get("found") or known.get("unconfirmed"):
        reason = "found" if known.get("found") else "confirmed"
        _publish(tenant, entry, reason, known.get("found") or entry.status, order=known.get("order"))
        if reason == "confirmed" and entry.action in live.MAKING and entry.status == ListingStatus.ACTIVE:
            _tell(live.EVENT, _live(tenant, entry))


def tell_twin(tenant: str, entry: Entry, marketplace_id: str) -> None:
    """Tell of a second listing that a create has made, and that is withdrawn."""
    _publish(tenant, entry, "twin", "WITHDRAWN", marketplace_id=marketplace_id)


def _publish(
    tenant: str, entry: Entry, reason: str, status: str, marketplace_id: str | None = None, order: str | None = None
) -> None:
    listing_id = entry.listing.rpartition("/")[2]
    detail = {
        "version": VERSION,
        "id": f"{listing_id}:{entry.number}:{reason}",
        "tenant": tenant,
        "listingId": listing_id,
        "change": entry.number,
        "action": entry.action,
        "reason": reason,
        "status": status,
        "marketplaceId": marketplace_id,
        "order": order,
        "at": iso(entry.changed_at),
    }
    _tell(EVENT, detail)


def _live(tenant: str, entry: Entry) -> dict[str, Any]:
    listing_id = entry.listing.rpartition("/")[2]
    return live.detail(tenant, MARKETPLACE, listing_id, None, f"change:{entry.number}", entry.changed_at)


def _tell(kind: str, detail: dict[str, Any]) -> None:
    try:
        aws.put_event(kind, detail)
    except Exception:  # noqa: BLE001 - what was settled stays so, and must not be tried again for the bus
        logger.exception(f"the event {kind} was not published", extra={"listing_id": detail["listingId"]})
