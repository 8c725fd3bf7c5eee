"""Who asks, and what they may do. The authorizer has checked the token; its word arrives in the event."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

from sluice.platform.http.errors import Forbidden, Unauthenticated

TENANT: Final = r"[a-z0-9-]{1,64}"


class Permission(StrEnum):
    """What a route may ask of its caller."""

    MARKET_REFRESH = "market:refresh"
    CATALOG_ENRICH = "catalog:enrich"
    PRICES_READ = "prices:read"
    JOBS_READ = "jobs:read"
    JOBS_CANCEL = "jobs:cancel"
    EVENTS_READ = "events:read"
    DEAD_LETTERS_READ = "dead_letters:read"
    DEAD_LETTERS_REPLAY = "dead_letters:replay"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"
    NOTIFICATIONS_READ = "notifications:read"
    NOTIFICATIONS_WRITE = "notifications:write"
    ACCOUNTS_READ = "accounts:read"
    ACCOUNTS_WRITE = "accounts:write"
    LISTINGS_READ = "listings:read"
    LISTINGS_WRITE = "listings:write"
    PROMOTIONS_READ = "promotions:read"
    PROMOTIONS_WRITE = "promotions:write"
    INVENTORY_READ = "inventory:read"
    INVENTORY_WRITE = "inventory:write"
    PAGES_READ = "pages:read"
    PAGES_WRITE = "pages:write"
    CHECKS_READ = "checks:read"
    CHECKS_RUN = "checks:run"
    OPERATE_READ = "operate:read"
    OPERATE_ACT = "operate:act"
    DEPLOYMENT_READ = "deployment:read"
    DEPLOYMENT_ACT = "deployment:act"


_SERVICE = frozenset(
    {
        Permission.MARKET_REFRESH,
        Permission.PRICES_READ,
        Permission.JOBS_READ,
        Permission.EVENTS_READ,
        Permission.LISTINGS_READ,
        Permission.LISTINGS_WRITE,
        Permission.PROMOTIONS_READ,
        Permission.PROMOTIONS_WRITE,
        Permission.INVENTORY_READ,
        Permission.INVENTORY_WRITE,
        Permission.PAGES_READ,
        Permission.PAGES_WRITE,
    }
)
_USER = _SERVICE | {
    Permission.JOBS_CANCEL,
    Permission.DEAD_LETTERS_READ,
    Permission.WEBHOOKS_READ,
    Permission.NOTIFICATIONS_READ,
    Permission.ACCOUNTS_READ,
}
_OPERATOR = _USER | {
    Permission.CATALOG_ENRICH,
    Permission.DEAD_LETTERS_REPLAY,
    Permission.WEBHOOKS_WRITE,
    Permission.NOTIFICATIONS_WRITE,
    Permission.ACCOUNTS_WRITE,
    Permission.CHECKS_READ,
    Permission.CHECKS_RUN,
    Permission.OPERATE_READ,
    Permission.OPERATE_ACT,
}
# Who runs the whole deployment: sees how everybody's work goes, and acts on it. It opens nothing that a tenant owns.
_PLATFORM = frozenset(
    {
        Permission.CHECKS_READ,
        Permission.CHECKS_RUN,
        Permission.OPERATE_READ,
        Permission.OPERATE_ACT,
        Permission.DEPLOYMENT_READ,
        Permission.DEPLOYMENT_ACT,
    }
)
PLATFORM: Final = "platform"

# The one table of who may do what. A role that is not here is no role.
ROLES: Final[Mapping[str, frozenset[Permission]]] = {
    "user": _USER,
    "operator": _OPERATOR,
    "admin": _OPERATOR,
    "service": _SERVICE,
    PLATFORM: _PLATFORM,
}


class Caller(NamedTuple):
    """The one who asks: whose data they see, what they may do, and who they are to their issuer."""

    tenant: str
    roles: frozenset[str]
    subject: str

    def may(self, permission: Permission) -> bool:
        """Whether one of the caller's roles has `permission`."""
        return any(permission in ROLES[role] for role in self.roles)

    def require(self, permission: Permission) -> None:
        """Do nothing if one of the caller's roles has `permission`.

        Raises:
            Forbidden: none has it.
        """
        if not self.may(permission):
            held = ", ".join(sorted(self.roles))
            raise Forbidden(f"this needs the permission {permission}, which no role of yours ({held}) has")

    def context(self) -> dict[str, str]:
        """What the authorizer hands on. Roles are one string: not every gateway passes on a list."""
        return {"tenant": self.tenant, "roles": " ".join(sorted(self.roles)), "subject": self.subject}


def caller(event: Mapping[str, Any]) -> Caller:
    """The caller of an HTTP API event (payload format 2.0).

    Raises:
        Unauthenticated: there is no context of the authorizer, or it is not whole. No tenant is ever assumed.
    """
    context = authorizer_context(event)
    tenant, roles, subject = (context.get(name) for name in ("tenant", "roles", "subject"))
    if not (isinstance(tenant, str) and isinstance(roles, str) and isinstance(subject, str)):
        raise Unauthenticated("send a token: Authorization: Bearer …")
    known = frozenset(roles.split()) & ROLES.keys()
    if not (re.fullmatch(TENANT, tenant) and known and subject):
        raise Unauthenticated("the token must name a tenant, a known role and a subject")
    return Caller(tenant, known, subject)


def authorizer_context(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the authorizer put into the event; empty on a public route."""
    authorizer = event.get("requestContext", {}).get("authorizer") or {}
    context = authorizer.get("lambda") if isinstance(authorizer, Mapping) else None
    return context if isinstance(context, Mapping) else {}
