"""What this capability asks the engine for."""

from collections.abc import Sequence
from typing import Final

from sluice.jobs.ask import Wish
from sluice.jobs.model import keys
from sluice.listings.ebay.kinds import (
    CATEGORY,
    COMPARE,
    LOCATIONS,
    MARKETPLACE,
    POLICIES,
    PUBLISH,
    REPORT,
    category_id,
    compare_id,
    locations_id,
    policies_id,
    publish_id,
    report_id,
)
from sluice.listings.ebay.shares import calls_for
from sluice.marketplaces.publishing import POLICY_KINDS

# Calls that a publish is expected to make: the item, the offer, its publication, and two to read them back.
CALLS: Final = 5
CALLS_QUICK: Final = 1
# The tree of the site, the aspects, the conditions.
CATEGORY_CALLS: Final = 3
# A look for a task that is there, and another call: a report takes several runs.
REPORT_CALLS: Final = 2


def publish(
    owner: str, sku: str, by: str, due_at: int, *, quick: bool = False, event: str = "publish", priority: int = keys.HOT
) -> Wish:
    """The wish for the publish of a record, whose keys are `owner` and `sku`. What is wanted stands in the record.

    by: who asked. quick: price and quantity alone have changed. event: why, as its snapshot says it.
    """
    tenant = owner.partition("#")[0]
    return Wish(
        PUBLISH,
        publish_id(owner, sku),
        tenant,
        keys.account(MARKETPLACE, tenant),
        {"owner": owner, "sku": sku, "asked_by": by, "event": event},
        priority=priority,
        calls=CALLS_QUICK if quick else CALLS,
        due_at=due_at,
    )


def policies(tenant: str, site: str, priority: int = keys.HOT) -> Wish:
    """The wish for reading a seller's policies on a site."""
    return Wish(
        POLICIES,
        policies_id(tenant, site),
        tenant,
        keys.account(MARKETPLACE, tenant),
        {"site": site},
        priority=priority,
        calls=len(POLICY_KINDS),
    )


def locations(tenant: str, priority: int = keys.HOT) -> Wish:
    """The wish for reading the places that a seller sends goods from."""
    account = keys.account(MARKETPLACE, tenant)
    return Wish(LOCATIONS, locations_id(tenant), tenant, account, {}, priority=priority, calls=1)


def compare(tenant: str, calls: int, rate: int, priority: int = keys.BACKGROUND) -> Wish:
    """The wish for a comparison of some of an account's listings, with so many calls. rate: its calls a day."""
    payload = {"calls": calls, "rate": rate}
    account = keys.account(MARKETPLACE, tenant)
    return Wish(COMPARE, compare_id(tenant), tenant, account, payload, priority=priority, calls=calls, replace=True)


def report(tenant: str, priority: int = keys.BACKGROUND) -> Wish:
    """The wish for a report of an account's live listings."""
    account = keys.account(MARKETPLACE, tenant)
    return Wish(REPORT, report_id(tenant), tenant, account, {}, priority=priority, calls=REPORT_CALLS)


def check(tenant: str, skus: Sequence[str]) -> Wish:
    """The wish for a comparison of these listings, at most `SLICE` of them, for which somebody waits."""
    calls = calls_for(len(skus))
    account = keys.account(MARKETPLACE, tenant)
    payload = {"calls": calls, "skus": list(skus)}
    return Wish(COMPARE, compare_id(tenant, skus), tenant, account, payload, priority=keys.MANUAL, calls=calls)


def category(tenant: str, site: str, number: str) -> Wish:
    """The wish for reading what a category asks for."""
    account, payload = keys.account(MARKETPLACE, tenant), {"site": site, "category": number}
    wanted = category_id(tenant, site, number)
    return Wish(CATEGORY, wanted, tenant, account, payload, priority=keys.HOT, calls=CATEGORY_CALLS)
