"""Two tenants that act for one seller of eBay's: a sku has one offer there, so it can have one record here.

Asked when a listing is to begin, and once more before it is published: of two that began at once, the older one stays.
"""

from typing import Final

from sluice.jobs.model import keys
from sluice.jobs.model.outcomes import Failure, Then
from sluice.listings.ebay import table
from sluice.listings.ebay.desired import Status
from sluice.listings.ebay.facts import Facts
from sluice.listings.ebay.table import Record

TAKEN: Final = (
    "has a record of another tenant that is connected to the same eBay account: a sku has one listing there; "
    "use another sku, or have the other record ended"
)


class TakenByAnother(Failure):
    """Another tenant of the same seller has a record of this sku."""

    action = Then.BUSINESS
    code = "sku_taken"


def first(facts: Facts, sku: str) -> Record | None:
    """The oldest record of the sku that another tenant of the same seller has, until its listing has ended."""
    found = [table.find(keys.tenant_of(one), sku) for one in facts.others()]
    return min((one for one in found if one and _keeps(one)), key=_age, default=None)


def unless_taken(facts: Facts, record: Record) -> None:
    """Do nothing unless another tenant of the same seller has an older record of the sku.

    Raises:
        TakenByAnother: it has; nothing may be sent.
    """
    other = first(facts, record.sku)
    if other and _age(other) < _age(record):
        raise TakenByAnother(f"sku {TAKEN}")


def _keeps(record: Record) -> bool:
    """Whether it wants the listing, or has it still."""
    ended = bool(record.archived_at) or record.status == Status.ENDED
    return not ended or record.is_for_sale or bool(record.unsure)


def _age(record: Record) -> tuple[int, str]:
    return record.created_at, record.owner
