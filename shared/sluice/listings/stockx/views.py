"""Listings, their history and operations as the API shows them. Pure."""

from typing import Annotated, Any

from typing_extensions import TypedDict

from sluice.jobs.model.job import Job
from sluice.jobs.model.states import ALL, CANCELLED, DEAD, SUCCEEDED
from sluice.listings.stockx import changes
from sluice.listings.stockx.changes import Action, Change, Doubt, Status, given
from sluice.listings.stockx.kinds import check_id
from sluice.listings.stockx.results import TIMEOUT
from sluice.listings.stockx.table import Entry, Listing
from sluice.platform.clock import iso, iso_or_none
from sluice.platform.http.shapes import Among, Time

OVER = {DEAD: Status.FAILED, CANCELLED: "CANCELLED"}


class Ask(TypedDict):
    """What a change asks for; null where it leaves things as they are."""

    amount: str | None
    currency: str | None
    expiresAt: Time | None


class OpenChange(Ask):
    """A change that is not final. running: the marketplace has it."""

    number: int
    action: Annotated[str, Among(Action)]
    jobId: str
    running: bool
    requestedAt: Time
    requestedBy: str


class Unconfirmed(TypedDict):
    """A change that was sent, and nobody knows yet whether it happened. It is checked by itself until that is known.

    code, message: why its job ended. since: when that was. sentAt: when the change was sent.
    operationId: the marketplace's, of a batch the batch's. marketplaceId: the marketplace's listing, as far as known.
    seen: the marketplace's word for the listing when it was read since; `not seen` when it could not be read, `none`
    when there is no such listing.
    checkJobId: the job that checks it, for `GET /v1/operations/{jobId}`.
    """

    change: int
    action: Annotated[str, Among(Action)]
    code: str
    message: str
    since: Time
    sentAt: Time
    operationId: str | None
    marketplaceId: str | None
    seen: str
    checkJobId: str


class ListingView(TypedDict):
    """A listing.

    status: `PENDING` until it exists, then `ACTIVE`, `INACTIVE`, `DELETED`, `SOLD` or `CANCELED`; `FAILED` if it never
    came into being; `UNCONFIRMED` while it is not known what became of a change (see `unconfirmed`).
    lastStatus: what it was when that was known last.
    marketplaceId: the marketplace's own id, once known.
    changes: those under way, oldest first.
    """

    listingId: str
    marketplace: str
    marketplaceId: str | None
    status: Annotated[str, Among(changes.ListingStatus)]
    lastStatus: Annotated[str, Among(changes.ListingStatus)]
    variantId: str
    sku: str | None
    size: str | None
    sizeSystem: str | None
    reference: str | None
    amount: str | None
    currency: str | None
    expiresAt: Time | None
    createdAt: Time
    updatedAt: Time
    changes: list[OpenChange]
    unconfirmed: list[Unconfirmed]


class EntryView(TypedDict):
    """One entry of a listing's history.

    action: what was done, or `TIMEOUT`. status: what the listing became, or `FAILED` or `PARTIAL`; `UNCONFIRMED` while
    nobody knows: the entry is replaced then. metadata: the job, the operation, what was asked, and the error.
    """

    number: int
    action: Annotated[str, Among((*Action, TIMEOUT))]
    status: str
    changedBy: str
    changedAt: Time
    metadata: dict[str, Any]


class OperationError(TypedDict):
    """Why an operation failed, or could not be checked."""

    code: str
    message: str
    at: Time


class OperationView(TypedDict):
    """A job on listings, and the marketplace's operation.

    status: `IN_PROGRESS` until it is final, then `COMPLETED`, `FAILED`, `PARTIAL` or `CANCELLED`. state: the job's.
    operationId: null until the marketplace has given one; of a batch, the batch's id. startedAt: when it was sent.
    counts: a batch's items by the marketplace's words.
    """

    jobId: str
    action: Annotated[str, Among(Action)]
    status: Annotated[str, Among((*Status, "CANCELLED"))]
    state: Annotated[str, Among(sorted(ALL))]
    listingIds: list[str]
    operationId: str | None
    startedAt: Time | None
    nextCheckAt: Time | None
    counts: dict[str, int] | None
    result: dict[str, Any] | None
    error: OperationError | None


def listing(item: Listing) -> ListingView:
    """`item` as its tenant sees it."""
    return {
        "listingId": item.listing_id,
        "marketplace": item.marketplace,
        "marketplaceId": item.marketplace_id,
        "status": item.shown_status,
        "lastStatus": item.status,
        "variantId": item.variant_id,
        "sku": item.sku,
        "size": item.size,
        "sizeSystem": item.size_system,
        "reference": item.reference,
        "amount": item.amount,
        "currency": item.currency,
        "expiresAt": iso_or_none(item.listed_until),
        "createdAt": iso(item.created_at),
        "updatedAt": iso(item.updated_at),
        "changes": [_change(change, item.running) for change in item.open_changes()],
        "unconfirmed": [_unconfirmed(change, change.doubt) for change in item.open_changes() if change.doubt],
    }


def entry(item: Entry) -> EntryView:
    """`item` as its tenant sees it."""
    return {
        "number": item.number,
        "action": item.action,
        "status": item.status,
        "changedBy": item.changed_by,
        "changedAt": iso(item.changed_at),
        "metadata": {_NAMES.get(name, name): value for name, value in item.metadata.items()},
    }


def operation(job: Job) -> OperationView:
    """The operation that `job` is about."""
    sent, batch = changes.submission_of(job.payload), job.payload.get("sent") or {}
    started = sent.sent_at if sent else batch.get("sent_at")
    result = job.result or {}
    error = job.error
    return {
        "jobId": job.job_id,
        "action": str(job.payload.get("action") or job.kind.partition(".")[2].upper()),
        "status": status(job),
        "state": job.state,
        "listingIds": _listings(job),
        "operationId": (sent.operation_id if sent else batch.get("batch_id")) or result.get("operation_id"),
        "startedAt": iso_or_none(started),
        "nextCheckAt": iso_or_none(job.due_at),
        "counts": batch.get("counts"),
        "result": {_NAMES.get(name, name): value for name, value in result.items()} or None,
        "error": {"code": error["code"], "message": error["message"], "at": iso(error["at"])} if error else None,
    }


def status(job: Job) -> str:
    """How far the operation of `job` is."""
    if job.state == SUCCEEDED:
        return str((job.result or {}).get("status", Status.COMPLETED))
    return str(OVER.get(job.state, Status.IN_PROGRESS))


_NAMES = {
    "job_id": "jobId",
    "operation_id": "operationId",
    "listing_id": "listingId",
    "listing_status": "listingStatus",
}


def _change(change: Change, running: int | None) -> OpenChange:
    asked = given(change.terms)
    return {
        "number": change.number,
        "action": str(Action(change.action)),
        "jobId": change.job_id,
        "running": change.number == running,
        "requestedAt": iso(change.asked_at),
        "requestedBy": change.asked_by,
        "amount": asked.get("amount"),
        "currency": asked.get("currency"),
        "expiresAt": iso_or_none(asked.get("expires_at")),
    }


def _unconfirmed(change: Change, doubt: Doubt) -> Unconfirmed:
    known = doubt.sending
    return {
        "change": change.number,
        "action": str(Action(change.action)),
        "code": doubt.code,
        "message": doubt.message,
        "since": iso(doubt.since),
        "sentAt": iso(known["sent_at"]),
        "operationId": known.get("operation_id") or known.get("batch_id"),
        "marketplaceId": known.get("marketplace_id"),
        "seen": (doubt.seen or "none") if doubt.read else "not seen",
        "checkJobId": check_id(change.job_id),
    }


def _listings(job: Job) -> list[str]:
    if "listings" in job.payload:
        return [row[0] for row in job.payload["listings"]]
    if "twins" in job.payload:
        return [row[0] for row in job.payload["twins"]]
    return [job.payload["listing_id"]]
