"""Connecting an account: its credentials are tried out by a call, and stored unless the marketplace refuses them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sluice.jobs.budgets.grant import Grant
from sluice.jobs.budgets.windows import Window
from sluice.jobs.model import keys
from sluice.marketplaces import registry
from sluice.marketplaces.accounts import sellers
from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.accounts.credentials import check_fields
from sluice.marketplaces.accounts.table import Account
from sluice.platform import usage
from sluice.platform.clock import SECOND
from sluice.platform.context import Context

if TYPE_CHECKING:
    from sluice.marketplaces.accounts.offered import Offer

# The caller waits for it: a slot of the budget for so long, and each of at most three calls. Together below the 29 s
# that the gateway waits.
WAIT_MS = 2 * SECOND
CALL_MS = 8 * SECOND
# The slot is for a call with the token, and the call that gets one comes before it: it may take its time too.
SLOT_MS = CALL_MS + WAIT_MS


def connect(marketplace: str, tenant: str, credentials: Mapping[str, Any], context: Context) -> Account:
    """Connect `tenant` with these credentials, anew or again.

    Raises:
        UnknownMarketplace: see `registry`.
        Refused: they cannot be right.
        TooMany: the tenant has tried out as many as it may in this hour. Nothing was asked of the marketplace.
        CredentialsRefused: the marketplace does not accept them. Nothing was written, and what was there stays.
    """
    known, clock = registry.get(marketplace), context.clock
    checked, now = check_fields(known, credentials), clock.now()
    usage.charge_connection(tenant, now, context.config.tenants.allowed(tenant))
    account_id, limits = keys.account(marketplace, tenant), context.config.limits[marketplace]
    budget = keys.budget(account_id, by_account=limits.by_account)
    grant = Grant(budget, limits, Window.of(budget, now), 0, clock, now + SLOT_MS, manual=True)
    try:
        offer: Offer = known.load_try_out()(checked, grant, clock, CALL_MS)
    finally:
        grant.give_back()
    seller = sellers.seller_key(marketplace, offer.user_id) if offer.user_id else None
    if seller:
        sellers.remember(seller, account_id)
    return accounts.connect(marketplace, tenant, offer.credentials, clock.now(), offer.proofs, seller)
