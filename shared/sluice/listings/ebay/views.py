"""Records of eBay listings, their history, snapshots and differences as the API shows them. Pure."""

from typing import Annotated, Any, Final

from typing_extensions import TypedDict

from sluice.jobs.queue.enqueue import Enqueued
from sluice.listings.ebay.asking import ANSWERED, Done
from sluice.listings.ebay.bodies import STATES
from sluice.listings.ebay.desired import Json, Status
from sluice.listings.ebay.plan import MOST_DETAIL_REVISIONS
from sluice.listings.ebay.table import ENDED, OUT_OF_STOCK, HistoryEntry, Record, Snapshot
from sluice.marketplaces.ebay.sites import EBAY_SITES
from sluice.marketplaces.publishing import MOST_REVISIONS
from sluice.platform.clock import iso, iso_or_none
from sluice.platform.days import PACIFIC, Day
from sluice.platform.http.shapes import Among, Time
from sluice.platform.packing import unpack

ARCHIVED: Final = "archived"
FAILED: Final = "failed"
WAITING: Final = "waiting"
PAUSED: Final = "paused"


class TakenRecord(TypedDict):
    """What became of a record that was sent.

    outcome: `queued` (a job publishes it), `stored` (it says only how drift is treated, so nothing is sent), or
    `unchanged` (it is so already, and eBay has it or a job waits: nothing was done).
    version: the record's. jobId: the job that publishes it; null where there is none.
    categoryChecked: whether it was compared with what eBay's category asks for; false where that is not known yet, and
    null where nothing was to be compared.
    """

    sku: str
    outcome: Annotated[str, Among(ANSWERED)]
    version: int
    jobId: str | None
    categoryChecked: bool | None


class Revisions(TypedDict):
    """Changes of the listing today, by eBay's clock.

    left: how many eBay takes until `until`; details: how many of them may be changes of more than price and quantity.
    """

    used: int
    left: int
    detailsLeft: int
    until: Time


class RecordError(TypedDict):
    """Why the newest attempt to publish did not succeed. final: it is not tried again by itself."""

    code: str
    message: str
    version: int
    at: Time
    final: bool


class Summary(TypedDict):
    """A record in a list.

    state: `waiting` (not published as it is), `failed` (given up: see `error`), `live`, `out_of_stock`, `paused`,
    `on_hold`, `ended`, or `archived`. publishedVersion: the version that eBay took last.
    """

    sku: str
    version: int
    state: Annotated[str, Among(STATES)]
    status: Annotated[str, Among(Status)]
    title: str
    marketplace: Annotated[str, Among(EBAY_SITES)]
    group: str | None
    listingId: str | None
    publishedVersion: int | None
    publishedAt: Time | None
    changedAt: Time
    drift: int


class RecordView(Summary):
    """A record, and what is known of it at eBay.

    record: how the listing is to be. published: the record that eBay took last. observed: how eBay shows what was sent,
    as of `observedAt`. warnings: what eBay said besides. openDrift: what differs and is not mended yet. snapshots: the
    number of the newest.
    """

    record: dict[str, Any]
    published: dict[str, Any] | None
    observed: dict[str, Any] | None
    observedAt: Time | None
    offerId: str | None
    error: RecordError | None
    warnings: list[dict[str, Any]]
    openDrift: list[dict[str, Any]]
    revisions: Revisions
    snapshots: int
    createdAt: Time
    changedBy: str


class RecordList(TypedDict):
    """Some records, by sku. next: the next page's cursor; null at the end. A page may be short, and not the last."""

    listings: list[Summary]
    next: str | None


class ChangeView(TypedDict):
    """One change of a record. fields: the paths that differ. jobId: the job that publishes it, where there is one."""

    version: int
    action: str
    fields: list[str]
    changedBy: str
    changedAt: Time
    jobId: str | None


class ChangeList(TypedDict):
    """Changes of a record, newest first."""

    history: list[ChangeView]
    next: str | None


class SnapshotView(TypedDict):
    """What was published once.

    event: `publish`, `forced`, `policy_change`, `drift` or `audit`. version: of the record. hash: SHA-256 of the state.
    sameAs: the snapshot that has the same state, where it was published before. bytes: what it takes to keep it.
    """

    number: int
    event: str
    version: int
    at: Time
    hash: str
    sameAs: int | None
    bytes: int
    listingId: str | None
    warnings: list[dict[str, Any]]


class SnapshotState(SnapshotView):
    """The same with its state: the record as it was published, its policies by id."""

    state: dict[str, Any]


class SnapshotList(TypedDict):
    """Snapshots of a listing, newest first."""

    snapshots: list[SnapshotView]
    next: str | None


class Difference(TypedDict):
    """What differs between two snapshots, by path (JSON Pointer); empty where they are equal."""

    before: int
    after: int
    changes: dict[str, Any]


def taken(sku: str, done: Done) -> TakenRecord:
    """What became of a record."""
    return {
        "sku": sku,
        "outcome": str(done.outcome),
        "version": done.version,
        "jobId": done.enqueued.job_id if isinstance(done.enqueued, Enqueued) else None,
        "categoryChecked": done.category_checked,
    }


def state(record: Record) -> str:
    """What a record is, in one word."""
    if record.archived_at:
        return ARCHIVED
    if record.error and record.error["version"] == record.version and record.error.get("final", True):
        return FAILED
    if not record.is_published:
        return WAITING
    if record.status == Status.ENDED:
        return ENDED
    if record.status == Status.PAUSED and record.standing != ENDED:
        return PAUSED
    # What was made ready and has no listing yet has nothing to sell.
    return record.standing or OUT_OF_STOCK


def summary(record: Record) -> Summary:
    """A record in a list."""
    return {
        "sku": record.sku,
        "version": record.version,
        "state": state(record),
        "status": record.status,
        "title": record.title,
        "marketplace": record.marketplace,
        "group": record.group,
        "listingId": record.listing_id,
        "publishedVersion": record.published_version,
        "publishedAt": iso_or_none(record.published_at),
        "changedAt": iso(record.changed_at),
        "drift": len(record.drift or ()),
    }


def view(record: Record, now: int) -> RecordView:
    """A record as its tenant sees it."""
    return {
        **summary(record),
        "record": record.document,
        "published": unpack(record.published) if record.published else None,
        "observed": unpack(record.observed) if record.observed else None,
        "observedAt": iso_or_none(record.observed_at),
        "offerId": record.offer_id,
        "error": error(record.error),
        "warnings": list(record.warnings or ()),
        "openDrift": list(record.drift or ()),
        "revisions": revisions(record, now),
        "snapshots": record.snapshots or 0,
        "createdAt": iso(record.created_at),
        "changedBy": record.changed_by,
    }


def revisions(record: Record, now: int) -> Revisions:
    """How often the listing may be changed today."""
    used, _ = record.revised(now)
    return {
        "used": used,
        "left": max(0, MOST_REVISIONS - used),
        "detailsLeft": max(0, MOST_DETAIL_REVISIONS - used),
        "until": iso(Day.at(now, PACIFIC).end),
    }


def change(entry: HistoryEntry) -> ChangeView:
    """A change of a record."""
    return {
        "version": entry.version,
        "action": entry.action,
        "fields": list(entry.fields),
        "changedBy": entry.changed_by,
        "changedAt": iso(entry.changed_at),
        "jobId": entry.job_id,
    }


def snapshot(one: Snapshot) -> SnapshotView:
    """A snapshot in a list."""
    return {
        "number": one.number,
        "event": one.event,
        "version": one.version,
        "at": iso(one.at),
        "hash": one.state_hash,
        "sameAs": one.same_as,
        "bytes": one.size,
        "listingId": one.listing_id,
        "warnings": list(one.warnings or ()),
    }


def whole_snapshot(one: Snapshot, found: Json) -> SnapshotState:
    """A snapshot with its state."""
    return {**snapshot(one), "state": found}


def error(kept: dict[str, Any] | None) -> RecordError | None:
    """Why the newest attempt gave up."""
    if not kept:
        return None
    return {
        "code": kept["code"],
        "message": kept["message"],
        "version": kept["version"],
        "at": kept["at"],
        "final": kept.get("final", True),
    }
