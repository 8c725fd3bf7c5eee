"""Events on the bus about listings: what Sluice found at the marketplace, and nobody has asked for there.

As `account.broken`, an event that the bus refuses is lost: the listing and its history tell too.
"""

from sluice.listings.stockx.table import Entry
from sluice.platform import aws
from sluice.platform.clock import iso
from sluice.platform.observe import logger

EVENT = "listing.changed"
VERSION = 1


def settled(tenant: str, entry: Entry) -> None:
    """Tell of a change that was UNCONFIRMED and is known now, and of a listing that was found otherwise than asked."""
    known = entry.metadata
    if known.get("found") or known.get("unconfirmed"):
        reason = "found" if known.get("found") else "confirmed"
        _publish(tenant, entry, reason, known.get("found") or entry.status, order=known.get("order"))


def twin(tenant: str, entry: Entry, marketplace_id: str) -> None:
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
    try:
        aws.put_event(EVENT, detail)
    except Exception:  # noqa: BLE001 - what was settled stays so, and must not be tried again for the bus
        logger.exception("the event listing.changed was not published", extra={"listing_id": listing_id})
