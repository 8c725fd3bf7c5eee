"""Enrichments: table `enrichments`, the last one of each tenant and how far it is."""

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from sluice.platform import tables
from sluice.platform.attributes import IntAttribute


class Enrichment(tables.Table):
    """One walk through the index `checked` of the catalog, a window of products at a time. Times are epoch ms.

    number: raised by each step, and each step is conditional on it.
    before: products that were last checked by then are looked at.
    marketplace, after: where the walk is, as the index's hash key and the last key read; no marketplace when it is
        through.
    window: the job ids of the products looked at last.
    total: products that were waiting when it began, as far as they were counted.
    counting, counted_to: where the count is, as `marketplace` and `after`; it is ahead of the walk.
    seen: products looked at; in_window: how many of them are in the window.
    failed: jobs that died or were cancelled.
    no_account: products that nobody could be asked for, by the marketplace for which an account is missing.
    """

    class Meta:
        table_name = tables.name("enrichments")

    tenant = UnicodeAttribute(hash_key=True)
    number = IntAttribute()
    started_at = IntAttribute()
    finished_at = IntAttribute(null=True)
    before = IntAttribute()
    marketplace = UnicodeAttribute(null=True)
    after = JSONAttribute(null=True)
    window = JSONAttribute()
    in_window = IntAttribute(default=0)
    total = IntAttribute(default=0)
    counting = UnicodeAttribute(null=True)
    counted_to = JSONAttribute(null=True)
    seen = IntAttribute(default=0)
    failed = IntAttribute(default=0)
    no_account = JSONAttribute()


def load(tenant: str) -> Enrichment | None:
    """The tenant's last enrichment, as it is now."""
    try:
        return Enrichment.get(tenant, consistent_read=True)
    except Enrichment.DoesNotExist:
        return None


def store(enrichment: Enrichment) -> None:
    """Write one step.

    Raises:
        ConditionFailed: somebody else has made this step.
    """
    enrichment.number += 1
    first = Enrichment.number.does_not_exist()
    tables.put(enrichment, first if enrichment.number == 1 else Enrichment.number == enrichment.number - 1)
