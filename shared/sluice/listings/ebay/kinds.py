"""The job kinds of this capability, and what their jobs are called."""

import hashlib
from collections.abc import Sequence
from typing import Final

from sluice.jobs.model import keys
from sluice.jobs.model.backoff import Backoff
from sluice.jobs.model.kinds import JobKind
from sluice.platform.clock import MINUTE, SECOND
from sluice.platform.config.services import EBAY_ACCOUNT, EBAY_FEED, EBAY_INVENTORY, EBAY_TAXONOMY

MARKETPLACE: Final = "ebay"
# Jobs of an account run together, so that the prices of 25 skus are one call.
PUBLISH: Final = JobKind(
    "listing.publish",
    "sluice.listings.ebay.handler:run",
    frozenset({MARKETPLACE}),
    max_attempts=6,
    backoff=Backoff(base_ms=10 * SECOND, cap_ms=5 * MINUTE),
    service=EBAY_INVENTORY,
    together=True,
)
# A seller's policies on one site, read anew.
POLICIES: Final = JobKind(
    "seller.policies", "sluice.listings.ebay.policies:refresh", frozenset({MARKETPLACE}), service=EBAY_ACCOUNT
)
# The places that a seller sends goods from, read anew.
LOCATIONS: Final = JobKind(
    "seller.locations", "sluice.listings.ebay.locations:refresh", frozenset({MARKETPLACE}), service=EBAY_INVENTORY
)
# A slice of an account's listings is compared with what eBay took.
COMPARE: Final = JobKind(
    "listing.compare", "sluice.listings.ebay.comparing:run", frozenset({MARKETPLACE}), service=EBAY_INVENTORY
)
# eBay's report of all live listings is asked for, waited for, and compared with what eBay took.
REPORT: Final = JobKind(
    "listing.report", "sluice.listings.ebay.reports:run", frozenset({MARKETPLACE}), service=EBAY_FEED
)
# What a category asks of its items.
CATEGORY: Final = JobKind(
    "category.read", "sluice.listings.ebay.categories:read", frozenset({MARKETPLACE}), service=EBAY_TAXONOMY
)
KINDS = (PUBLISH, POLICIES, LOCATIONS, COMPARE, REPORT, CATEGORY)


def publish_id(owner: str, sku: str) -> str:
    """The job that publishes a record: one at a time for a sku, or for a group. owner, sku: the record's keys."""
    return keys.job_id(PUBLISH.name, MARKETPLACE, owner, sku)


def compare_id(tenant: str, skus: Sequence[str] = ()) -> str:
    """The job that compares listings with what eBay took: the next ones of an account, or these that somebody named."""
    if not skus:
        return keys.job_id(COMPARE.name, MARKETPLACE, tenant)
    what = skus[0] if len(skus) == 1 else f"#{hashlib.sha256(' '.join(skus).encode()).hexdigest()[:16]}"
    return keys.job_id(COMPARE.name, MARKETPLACE, tenant, what)


def report_id(tenant: str) -> str:
    """The job that has a report made of an account's listings, and reads it."""
    return keys.job_id(REPORT.name, MARKETPLACE, tenant)


def policies_id(tenant: str, site: str) -> str:
    """The job that reads a seller's policies on a site."""
    return keys.job_id(POLICIES.name, MARKETPLACE, tenant, site)


def locations_id(tenant: str) -> str:
    """The job that reads the places that a seller sends goods from."""
    return keys.job_id(LOCATIONS.name, MARKETPLACE, tenant)


def category_id(tenant: str, site: str, category: str) -> str:
    """The job that reads what a category asks for, with the account of who needs it."""
    return keys.job_id(CATEGORY.name, MARKETPLACE, tenant, site, category)
