"""Groups and their members as the API shows them. Pure."""

from collections.abc import Sequence
from typing import Annotated, Any

from typing_extensions import TypedDict

from sluice.jobs.queue.enqueue import Enqueued
from sluice.listings.ebay import views
from sluice.listings.ebay.asking import ANSWERED, Done
from sluice.listings.ebay.bodies import STATES
from sluice.listings.ebay.desired import Status
from sluice.listings.ebay.table import Record
from sluice.listings.ebay.views import RecordError, Revisions
from sluice.marketplaces.ebay.sites import EBAY_SITES
from sluice.platform.clock import iso, iso_or_none
from sluice.platform.http.shapes import Among, Time
from sluice.platform.packing import unpack


class TakenGroup(TypedDict):
    """What became of a group that was sent: as of a record (`queued`, `stored`, `unchanged`)."""

    key: str
    outcome: Annotated[str, Among(ANSWERED)]
    version: int
    jobId: str | None


class MemberView(TypedDict):
    """A member of a group. state: as of a record. varies: its values of what the members differ in."""

    sku: str
    state: Annotated[str, Among(STATES)]
    status: Annotated[str, Among(Status)]
    varies: dict[str, str]
    price: dict[str, str]
    quantity: int
    version: int
    publishedVersion: int | None
    listingId: str | None
    drift: int
    error: RecordError | None


class GroupSummary(TypedDict):
    """A group in a list. state: of its one listing, as of a record. memberCount: how many it has."""

    key: str
    version: int
    state: Annotated[str, Among(STATES)]
    status: Annotated[str, Among(Status)]
    title: str
    marketplace: Annotated[str, Among(EBAY_SITES)]
    memberCount: int
    listingId: str | None
    publishedVersion: int | None
    publishedAt: Time | None
    changedAt: Time


class GroupView(GroupSummary):
    """A group, and what is known of it at eBay.

    record: how it is to be. published: how eBay took it last. members: each with its own state. revisions: of the one
    listing that they are. warnings: what eBay said besides.
    """

    record: dict[str, Any]
    published: dict[str, Any] | None
    members: list[MemberView]
    error: RecordError | None
    warnings: list[dict[str, Any]]
    revisions: Revisions
    snapshots: int
    createdAt: Time
    changedBy: str


class GroupList(TypedDict):
    """Some groups, by key. next: the next page's cursor; null at the end. A page may be short, and not the last."""

    groups: list[GroupSummary]
    next: str | None


def taken(key: str, done: Done) -> TakenGroup:
    """What became of a group."""
    job = done.enqueued.job_id if isinstance(done.enqueued, Enqueued) else None
    return {"key": key, "outcome": str(done.outcome), "version": done.version, "jobId": job}


def summary(record: Record) -> GroupSummary:
    """A group in a list."""
    return {
        "key": record.sku,
        "version": record.version,
        "state": views.state(record),
        "status": record.status,
        "title": record.title,
        "marketplace": record.marketplace,
        "memberCount": len(record.members or ()),
        "listingId": record.listing_id,
        "publishedVersion": record.published_version,
        "publishedAt": iso_or_none(record.published_at),
        "changedAt": iso(record.changed_at),
    }


def view(record: Record, members: Sequence[Record], now: int) -> GroupView:
    """A group as its tenant sees it."""
    varies_by = record.wanted_group.varies_by
    return {
        **summary(record),
        "record": record.document,
        "published": unpack(record.published) if record.published else None,
        "members": [_member(one, varies_by) for one in members],
        "error": views.error(record.error),
        "warnings": list(record.warnings or ()),
        "revisions": views.revisions(record, now),
        "snapshots": record.snapshots or 0,
        "createdAt": iso(record.created_at),
        "changedBy": record.changed_by,
    }


def _member(record: Record, varies_by: Sequence[str]) -> MemberView:
    wanted = record.wanted
    return {
        "sku": record.sku,
        "state": views.state(record),
        "status": record.status,
        "varies": {name: " ".join(wanted.aspects.get(name, ())) for name in varies_by},
        "price": wanted.price._asdict(),
        "quantity": wanted.quantity,
        "version": record.version,
        "publishedVersion": record.published_version,
        "listingId": record.listing_id,
        "drift": len(record.drift or ()),
        "error": views.error(record.error),
    }
