"""How the audit log names what an operator does: who, as what, in which request. It is noted before it is done."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from sluice.operator import actions
from sluice.operator.actions import Action
from sluice.platform.clock import iso
from sluice.platform.http.routing import HttpRequest


def entry(request: HttpRequest[Any, Any]) -> str:
    """The id of what this run of the request does. A run that follows one that died has an entry of its own."""
    return f"{iso(request.now)}#{(request.seed or uuid4().hex)[:12]}"


def begin(
    request: HttpRequest[Any, Any],
    action: str,
    target: Mapping[str, Any],
    reason: str | None,
    *,
    at: str | None = None,
    **more: Any,
) -> Action:
    """Note that the caller is about to do `action` to `target`. at: its id, see `entry`. more: other attributes."""
    roles = " ".join(sorted(request.caller.roles)) if request.caller else ""
    noted = Action(
        request.tenant,
        at or entry(request),
        action=action,
        target=dict(target),
        reason=reason,
        state=actions.RUNNING,
        subject=request.subject,
        roles=roles,
        request_id=request.id,
        created_at=request.now,
        updated_at=request.now,
        **more,
    )
    actions.create(noted)
    return noted
