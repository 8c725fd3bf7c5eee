"""What is known of a record at eBay, in the form that plans need. Reads nothing but the record."""

from sluice.listings.ebay import documents
from sluice.listings.ebay.group_plan import GroupKnown
from sluice.listings.ebay.plan import Known, Unsure
from sluice.listings.ebay.table import ENDED, Record
from sluice.platform.packing import unpack


def of_record(record: Record, now: int) -> Known:
    """What is known of a sku. now: of the day in which revisions are counted."""
    return Known(
        published=documents.of_document(unpack(record.published)) if record.published else None,
        policies=record.policies,
        offer_id=record.offer_id,
        live=record.is_for_sale,
        ended=record.standing == ENDED,
        unsure=Unsure.of(record.unsure),
        revisions=record.revised(now)[0],
    )


def of_group(record: Record, now: int) -> GroupKnown:
    """The same of a group."""
    return GroupKnown(
        live=record.is_for_sale,
        unsure=Unsure.of(record.unsure),
        body=(record.hashes or {}).get("body"),
        revisions=record.revised(now)[0],
    )
