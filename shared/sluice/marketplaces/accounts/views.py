"""An account as the API shows it: nothing secret, not even encrypted."""

from typing import Annotated

from typing_extensions import TypedDict

from sluice.marketplaces import registry
from sluice.marketplaces.accounts.table import PLACES, Account, GrantPlace, Status
from sluice.marketplaces.registry import AccountGrant
from sluice.platform.clock import iso, iso_or_none
from sluice.platform.config.services import MARKETPLACES
from sluice.platform.http.shapes import Among, Time

# What is shown where nothing was wrong yet, and nothing proved right.
UNVERIFIED = "UNVERIFIED"
NOT_CONNECTED = "NOT_CONNECTED"
STATUSES = (*Status, UNVERIFIED, NOT_CONNECTED)


class GrantView(TypedDict):
    """What the account may do by one grant.

    grant: `application` or `seller`. serves: the work that needs it; no other waits for it.
    status: `ACTIVE`; `UNVERIFIED` (the marketplace has not accepted it yet: its first use tells); `NOT_CONNECTED` (a
    credential is missing that only this work needs); `BROKEN`, `EXPIRED` or `REVOKED`, with which its work waits.
    reason: why it is not ACTIVE. verifiedAt: when the marketplace first accepted it.
    """

    grant: Annotated[str, Among(("application", "seller"))]
    serves: str
    status: Annotated[str, Among(STATUSES)]
    reason: str | None
    verifiedAt: Time | None


class AccountView(TypedDict):
    """A connection to a marketplace. status, reason: those of the first grant, which most of its work needs."""

    account: str
    marketplace: Annotated[str, Among(MARKETPLACES)]
    status: Annotated[str, Among(STATUSES)]
    reason: str | None
    grants: list[GrantView]
    connectedAt: Time
    updatedAt: Time


def view(account: Account) -> AccountView:
    """The account as the API shows it."""
    marketplace = registry.get(account.marketplace)
    grants = [_grant(account, *one) for one in zip(marketplace.grants, PLACES, strict=False)]
    return {
        "account": account.account,
        "marketplace": account.marketplace,
        "status": grants[0]["status"],
        "reason": grants[0]["reason"],
        "grants": grants,
        "connectedAt": iso(account.connected_at),
        "updatedAt": iso(account.updated_at),
    }


def _grant(account: Account, grant: AccountGrant, place: GrantPlace) -> GrantView:
    status: str = place.status_of(account)
    reason = place.of(account, place.reason)
    verified_at = place.of(account, place.verified_at)
    if grant.needs and not account.acts_for_user:
        status, verified_at = NOT_CONNECTED, None
        reason = f"connect the account again with {grant.needs}: {grant.serves} need it"
    elif status == Status.ACTIVE and verified_at is None:
        status = UNVERIFIED
        reason = reason or "the marketplace has not been asked with these credentials yet"
    return {
        "grant": grant.name,
        "serves": grant.serves,
        "status": status,
        "reason": reason,
        "verifiedAt": iso_or_none(verified_at),
    }
