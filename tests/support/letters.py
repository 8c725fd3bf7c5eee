"""Dead letters for tests: as the engine writes them, with what a test wants different."""

from typing import Any

from sluice.jobs.model.dead_letters import DeadLetter
from sluice.jobs.model.keys import HOT
from sluice.marketplaces.skus import hyphenated
from sluice.platform.clock import DAY, iso

# When the letters of events/*.json died: 2026-11-22T05:00:00Z.
DIED_AT = 1_795_323_600_000


def write(tenant: str = "acme", sku: str = "DD1391-100", died_at: int = DIED_AT, **changes: Any) -> DeadLetter:
    """Store a letter."""
    letter = made(tenant, sku, died_at, **changes)
    letter.save()
    return letter


def made(tenant: str = "acme", sku: str = "DD1391-100", died_at: int = DIED_AT, **changes: Any) -> DeadLetter:
    """The letter of a `market.refresh` that died at its fifth attempt."""
    job_id = f"market.refresh:stockx:{hyphenated(sku)}:us-10:USD"
    message = f"stockx:{tenant} answered 503"
    values: dict[str, Any] = {
        "tenant": tenant,
        "dead_letter": f"{iso(died_at)}#{job_id}#1",
        "job_id": job_id,
        "kind": "market.refresh",
        "account": f"stockx:{tenant}",
        "budget": f"stockx:{tenant}",
        "calls": 3,
        "priority": HOT,
        "attempts": 5,
        "payload": {"sku": sku, "size": "10", "size_system": "us", "currency": "USD"},
        "error": {"code": "unavailable", "message": message, "at": died_at},
        "history": [{"at": died_at, "event": "bury", "attempt": 5, "code": "unavailable", "message": message}],
        "version": 1,
        "created_at": died_at - DAY,
        "died_at": died_at,
        "expires_at": 4_102_444_800,
    }
    return DeadLetter(**(values | changes))
