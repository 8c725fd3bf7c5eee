"""The event `listing.live`: a listing can be bought now that could not before, at StockX or at eBay.

It is made from the stream of table `jobs`, as the events of jobs are (ADR 009): who publishes writes its job's end, and
nothing else, so no place can forget to tell, and none tells of what was not written. What a job has left `UNCONFIRMED`
is told when it is known (`settle`).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sluice.jobs.model import events
from sluice.jobs.model.events import Record
from sluice.jobs.model.job import Job
from sluice.listings.stockx import table as stockx
from sluice.listings.stockx.changes import Action, ListingStatus
from sluice.listings.stockx.kinds import BATCH, SINGLE
from sluice.platform import aws
from sluice.platform.clock import iso

EVENT = "listing.live"
VERSION = 1
# What makes a StockX listing live that was not.
MAKING = (Action.CREATE, Action.ACTIVATE)
_SINGLE = {SINGLE[action].name: action for action in MAKING}
# The kind of job that publishes eBay listings, and the step that does (`listings.ebay.kinds`, `plan.Step`).
PUBLISH, PUBLISHES = "listing.publish", "publish"


def tell(records: Iterable[Record]) -> int:
    """Put `listing.live` on the bus for each listing that `records` show to have gone live; how many.

    Doing it twice tells of the same events, with the same ids.

    Raises:
        RuntimeError, BotoCoreError: the bus did not take all.
    """
    told = [
        (EVENT, detail(job.tenant, _marketplace(job), listing_id, sku, event_id, job.updated_at))
        for event_id, job in events.succeeded(records)
        for listing_id, sku in _live(job)
    ]
    aws.put_events(told)
    return len(told)


def detail(tenant: str, marketplace: str, listing_id: str, sku: str | None, cause: str, at: int) -> dict[str, Any]:
    """The event's detail.

    sku: of an eBay record. cause: names what made it live, the same each time that it is told.
    """
    return {
        "version": VERSION,
        "id": f"{cause}:{listing_id}",
        "tenant": tenant,
        "marketplace": marketplace,
        "listingId": listing_id,
        "sku": sku,
        "at": iso(at),
    }


def _live(job: Job) -> list[tuple[str, str | None]]:
    """The listings that the job's run has made live, each with the SKU of its record if it has one."""
    result: Mapping[str, Any] = job.result or {}
    if job.kind in _SINGLE:
        live = result.get("listing_status") == ListingStatus.ACTIVE
        # A listing that was active already was not sent, and so has no operation.
        sent = _SINGLE[job.kind] is Action.CREATE or "operation_id" in result
        return [(result["listing_id"], None)] if live and sent else []
    if job.kind == BATCH.name and job.payload["action"] in MAKING and result.get("completed"):
        found = stockx.find_many(job.tenant, [row[0] for row in job.payload["listings"]])
        return [(one.listing_id, None) for one in found.values() if one.status == ListingStatus.ACTIVE]
    if job.kind == PUBLISH and result.get("listing_id") and PUBLISHES in result.get("steps", ()):
        return [(result["listing_id"], job.payload["sku"])]
    return []


def _marketplace(job: Job) -> str:
    return job.account.partition(":")[0]
