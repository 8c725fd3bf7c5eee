"""What is known of a record at eBay: in the form that plans need, and in the words of the record. Pure."""

from sluice.listings.ebay import documents
from sluice.listings.ebay import echo as echoes
from sluice.listings.ebay.desired import Desired
from sluice.listings.ebay.echo import Echo
from sluice.listings.ebay.group_plan import GroupKnown
from sluice.listings.ebay.plan import Known, Unsure
from sluice.listings.ebay.table import ENDED, LIVE, ON_HOLD, OUT_OF_STOCK, Record
from sluice.platform.packing import unpack


def of_record(record: Record, now: int) -> Known:
    """What is known of a sku. now: of the day in which revisions are counted."""
    return Known(
        published=documents.of_document(unpack(record.published)) if record.published else None,
        policies=record.policies,
        offer_id=record.offer_id,
        live=record.is_for_sale,
        ended=record.standing == ENDED,
        listing_id=record.listing_id,
        left=bool(record.groups_left),
        unsure=Unsure.of(record.unsure),
        revisions=record.revised(now)[0],
    )


def of_group(record: Record, now: int) -> GroupKnown:
    """The same of a group."""
    return GroupKnown(
        live=record.is_for_sale,
        listing_id=record.listing_id,
        unsure=Unsure.of(record.unsure),
        held=frozenset(record.held or ()),
        body=(record.hashes or {}).get("body"),
        revisions=record.revised(now)[0],
    )


def standing(echo: Echo, want: Desired) -> str | None:
    """What a listing is, in the record's words; None where there is none."""
    if echo.standing == echoes.UNLISTED:
        return None
    if echo.standing != echoes.LIVE:
        return ENDED
    if echo.on_hold:
        return ON_HOLD
    return LIVE if want.shown_quantity else OUT_OF_STOCK
