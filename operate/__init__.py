"""What whoever runs a stack does with AWS itself, and not through its API: commands with credentials of the account.

Each is `.venv/bin/python -m operate.NAME`, and docs/operate says when to use it.
"""

import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "shared"))

# An item of a table, as DynamoDB writes it: `{"tenant": {"S": "acme"}}`.
Item = dict[str, Any]

# Every table of a stack by Sluice's name for it.
TABLES = (
    *("accounts", "actions", "budgets", "catalog", "counts", "dead_letters", "deliveries", "ebay_categories"),
    *(
        "ebay_history",
        "ebay_listings",
        "ebay_sellers",
        "ebay_snapshots",
        "ebay_sync_log",
        "enrichments",
        "events",
        "idempotency",
    ),
    *("imports", "inventory", "jobs", "lanes", "listing_history", "listings", "notifications", "page_checks"),
    *("page_hosts", "page_prices", "page_schedule", "pages", "pauses", "prices", "requests", "runs", "saved_pages"),
    *("sessions", "trackers", "usage", "webhooks"),
)


def physical_name(stack: str, table: str) -> str:
    """What `table`, one of `TABLES`, is called at AWS."""
    return f"{stack}-{table.replace('_', '-')}"
