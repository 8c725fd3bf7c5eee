"""Whose work an operator's request is about: its own tenant's, one tenant's, or the whole deployment's."""

from typing import Any

from sluice.operator.counts import ALL
from sluice.platform.http.auth import PLATFORM
from sluice.platform.http.errors import Forbidden
from sluice.platform.http.routing import HttpRequest


def sees_all(request: HttpRequest[Any, Any]) -> bool:
    """Whether the caller runs the whole deployment."""
    return request.caller is not None and PLATFORM in request.caller.roles


def owner(request: HttpRequest[Any, Any], tenant: str | None) -> str:
    """Whose counters and work are asked for: a tenant, or `ALL`. tenant: the one that the request names, if it does.

    Raises:
        Forbidden: it names another tenant, and the caller does not run the deployment.
    """
    if sees_all(request):
        return tenant or ALL
    if tenant not in (None, request.tenant):
        raise Forbidden("only the role platform sees the work of other tenants; leave `tenant` out to see your own")
    return request.tenant
