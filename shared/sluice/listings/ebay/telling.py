"""The events that tell what others have done to a listing."""

import hashlib
import json
from typing import Any, Final

from sluice.jobs.model.run import Run
from sluice.listings.ebay import echo as echoes
from sluice.listings.ebay.drift import Drift, DriftClass
from sluice.listings.ebay.echo import Echo
from sluice.listings.ebay.table import Record
from sluice.platform import aws
from sluice.platform.clock import iso
from sluice.platform.observe import tally

EVENTS: Final = {
    DriftClass.SALE: "listing.sold",
    DriftClass.ENDED: "listing.ended",
    DriftClass.MISSING: "listing.ended",
    DriftClass.ON_HOLD: "listing.on_hold",
}
DRIFT: Final = "listing.drift"


def tell(run: Run, record: Record, one: Drift, now: Echo | None) -> None:
    """Once, as far as can be: told before it is written, so that a crash tells it again, with the same id.

    The id has in it what the record was compared with last: what happens once more is told under another.
    """
    tally("drift.detected", {"class": str(one.kind)})
    shown = json.dumps(now.stored() if now else {}, sort_keys=True)
    about = f"{record.listing} {one.kind} {sorted(one.groups)} {record.observed_at} {shown}"
    detail: dict[str, Any] = {
        "version": 1,
        "id": hashlib.sha256(about.encode()).hexdigest()[:32],
        "tenant": record.owner,
        "sku": record.sku,
        "listingId": record.listing_id,
        "class": str(one.kind),
        "groups": sorted(map(str, one.groups)),
        "at": iso(run.clock.now()),
    }
    if one.kind is DriftClass.SALE:
        detail["quantity"] = one.sold
    if one.kind in (DriftClass.ENDED, DriftClass.MISSING):
        detail["by"] = "seller" if now is None or now.standing != echoes.ENDED_BY_EBAY else "ebay"
    aws.put_events([(EVENTS.get(one.kind, DRIFT), detail)])
