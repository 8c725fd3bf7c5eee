"""What an action looks like in answers. Pure."""

from typing import Annotated, Any

from typing_extensions import TypedDict

from sluice.operator import counts
from sluice.operator.acting import standing
from sluice.operator.actions import Action
from sluice.platform.clock import iso, iso_or_none
from sluice.platform.http.shapes import Among, Time


class Outcomes(TypedDict):
    """What became of one thing, as the audit log keeps it of the first 25. See `ActionView.outcomes`."""

    id: str
    tenant: str
    outcome: str
    before: dict[str, Any]
    after: dict[str, Any]


class ActionView(TypedDict):
    """Something that an operator did, or does.

    state: `running`, `finished`, `stopped`, or `failed` when it was given up: what it had done by then stands.
    whose: the tenant whose work it is about; null for everybody's.
    target: ids or a filter, and what else was said.
    stoppedBy: who stops it, or what did; null where nobody does.
    outcomes: how many things each word fits: `done`; `already` (it was so before); `running`, `final` (too late);
        `not_replayable`; `unknown` (nothing has that id); `failed`, `unavailable` (ask again).
    changes: of the first 25.
    """

    actionId: str
    action: str
    state: Annotated[str, Among(("running", "finished", "stopped", "failed"))]
    tenant: str
    subject: str
    roles: str
    requestId: str
    reason: str | None
    whose: str | None
    target: dict[str, Any]
    before: dict[str, Any] | None
    pages: int
    stoppedBy: str | None
    outcomes: dict[str, int]
    changes: list[Outcomes]
    createdAt: Time
    updatedAt: Time


def view(action: Action, now: int) -> ActionView:
    """An action as the API shows it."""
    return {
        "actionId": action.entry,
        "action": action.action or "",
        "state": standing(action, now),
        "tenant": action.owner,
        "subject": action.subject or "",
        "roles": action.roles or "",
        "requestId": action.request_id or "",
        "reason": action.reason,
        "whose": None if action.whose == counts.ALL else action.whose,
        "target": action.target or {},
        "before": action.before,
        "pages": action.pages or 0,
        "stoppedBy": action.stop_by,
        "outcomes": action.outcomes or {},
        "changes": action.after or [],
        "createdAt": iso(action.created_at or 0),
        "updatedAt": iso_or_none(action.updated_at) or "",
    }
