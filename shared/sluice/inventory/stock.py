"""How many items each tenant's inventory holds: a counter, because counting them reads them all.

Room is taken before items are stored, and what was not needed is given back after; what is deleted is given back when
it is gone. So a death in between leaves the counter too high, never too low, and an allowance that is used up is seen.
Before a tenant is refused for it, the items are counted one by one, at most so often.
"""

from typing import Final

from sluice.inventory.table import Item
from sluice.platform import usage
from sluice.platform.clock import MINUTE
from sluice.platform.config.document import Config
from sluice.platform.http.errors import TooMany

COUNTER: Final = "inventory_items"
RECOUNTED: Final = "inventory_recounted_at"
RECOUNT_MS: Final = 10 * MINUTE
# Room comes when items are deleted; nobody can know when.
WAIT_SECONDS: Final = 60


def take(tenant: str, number: int) -> None:
    """Count `number` items that are about to be stored, as if all were new."""
    usage.add(tenant, usage.KEPT, {COUNTER: number})


def give_back(tenant: str, number: int) -> None:
    """Count `number` items less: those that are deleted, or for which room was taken that was not needed."""
    usage.add(tenant, usage.KEPT, {COUNTER: -number})


def size(tenant: str) -> int:
    """How many items there are."""
    return max(0, usage.counters(tenant, usage.KEPT).get(COUNTER, 0))


def require_room(tenant: str, wanted: int, now: int, config: Config) -> None:
    """Do nothing if `wanted` more items fit in the inventory.

    Raises:
        TooMany: they do not.
    """
    most, kept = config.allowed(tenant).inventory_items, usage.counters(tenant, usage.KEPT)
    if kept.get(COUNTER, 0) + wanted <= most:
        return
    if now - kept.get(RECOUNTED, 0) >= RECOUNT_MS:
        counted = Item.count(tenant, consistent_read=True)
        usage.put(tenant, usage.KEPT, {COUNTER: counted, RECOUNTED: now})
        if counted + wanted <= most:
            return
    raise TooMany("inventory_items", most, WAIT_SECONDS)
