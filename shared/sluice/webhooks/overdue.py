"""Finding deliveries that are overdue though nobody works on them: their tenant's turn has lost its message.

A turn's message may be lost for good: it was received five times in vain, or lay in the queue for too long. Then
nothing would wake the tenant before its next event.
"""

from collections import defaultdict

from sluice.platform.clock import MINUTE
from sluice.platform.observe import count, logger
from sluice.webhooks import deliveries, endpoints, turns
from sluice.webhooks.endpoints import TURN, Endpoint, Status

# A queue that is that far behind has senders at work, and a turn's message in it.
LATE_MS = 5 * MINUTE


def wake(now: int) -> int:
    """Announce a turn for each tenant with overdue deliveries; how many tenants there were.

    The metric `DeliveriesOverdue` counts them, and has an alarm: one that stays shows that nobody takes the turns.
    """
    found = 0
    for tenant, items in _by_tenant().items():
        turn = items.pop(TURN, None)
        busy = turn is not None and (turn.turn_until or 0) > now
        if not busy and any(_is_overdue(endpoint, now) for endpoint in items.values()):
            found += 1
            logger.warning("deliveries are overdue", extra={"tenant": tenant})
            turns.wake(tenant, now, now)
    count("DeliveriesOverdue", found)
    return found


def _by_tenant() -> dict[str, dict[str, Endpoint]]:
    """Every tenant's endpoints and its turn, as far as this needs them."""
    found: dict[str, dict[str, Endpoint]] = defaultdict(dict)
    for item in endpoints.everywhere():
        found[item.tenant][item.webhook_id] = item
    return found


def _is_overdue(endpoint: Endpoint, now: int) -> bool:
    """Whether something has been due there for long: to be sent, or, where it is switched off, to be dropped."""
    if endpoint.status == Status.ACTIVE and (endpoint.rests_until or 0) > now - LATE_MS:
        return False
    due_at = deliveries.next_due(endpoint.key)
    return due_at is not None and due_at <= now - LATE_MS
