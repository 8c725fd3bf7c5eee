"""The routes with which operators pause work, and resume it: their tenant's, or, as `platform`, anybody's."""

from typing import Any, ClassVar, Final, NoReturn

from pydantic import Field
from typing_extensions import TypedDict

from sluice import capabilities
from sluice.operator import actions, audit, counts, scope
from sluice.operator.acting import DONE, Did
from sluice.operator.actions_api import Reason
from sluice.platform import tables
from sluice.platform.clock import iso, iso_or_none
from sluice.platform.config import pause_table, pauses
from sluice.platform.config.pauses import Pause
from sluice.platform.config.services import OPERATOR
from sluice.platform.http.auth import Permission
from sluice.platform.http.errors import Conflict, Forbidden, Invalid, NotFound
from sluice.platform.http.models import Body, Example, Moment, Text
from sluice.platform.http.moments import moment
from sluice.platform.http.routing import HttpRequest, Route
from sluice.platform.http.shapes import Time

PAUSE, RESUME = "pause", "resume"
# So many may stand at once: every function reads them all, again and again.
MOST: Final = 1_000
WHAT: Final = (
    "a marketplace or a service (`stockx`, `ebay-marketing`), a kind of job (`market.refresh`, `market.refresh:ebay`), "
    "an account (`stockx:` and its tenant) or a tenant (`tenant:` and its name)"
)
# What operators do never waits (see `pauses`).
_KINDS: Final = frozenset(kind for one in capabilities.CAPABILITIES if one.name != OPERATOR for kind in one.kinds)


class PauseBody(Body):
    """What is to wait, why, and until when."""

    example: ClassVar[Example] = {"name": "stockx", "reason": "StockX told us of works this night"}

    name: Text = Field(description=f"what waits: {WHAT}")
    reason: Reason = Field(description="why; everybody whose work waits sees it")
    until: Moment | None = Field(None, description="when it ends by itself; left out, when somebody resumes it")


class PauseView(TypedDict):
    """A pause. by: who has paused it. platform: whoever runs the deployment has; then only they resume it."""

    name: str
    tenant: str | None
    reason: str
    by: str
    platform: bool
    since: Time
    until: Time | None


class PausesView(TypedDict):
    """The pauses that stand, by name."""

    pauses: list[PauseView]


class PauseChanged(TypedDict):
    """The pause that stands now, null when it was resumed; the one before; and the entry of the audit log."""

    pause: PauseView | None
    before: PauseView | None
    actionId: str


def list_pauses(request: HttpRequest[None, None]) -> PausesView:
    """What is paused: for a tenant, what holds its work; for the role `platform`, everything."""
    shown = [
        one
        for _, one in sorted(pause_table.read(consistent=True).by_name.items())
        if pauses.lasts(one, request.now) and (scope.sees_all(request) or one.tenant in (None, request.tenant))
    ]
    return {"pauses": [_view(one) for one in shown]}


def pause(request: HttpRequest[PauseBody, None]) -> PauseChanged:
    """Have work wait. It takes effect within half a minute; what runs is finished."""
    body, now = request.body, request.now
    _require_name(request, body.name)
    until = moment("until", body.until)
    if until is not None and until <= now:
        raise Invalid.field("until", f"must be later than now, {iso(now)}; leave it out for a pause without an end")
    everybodys = scope.sees_all(request)
    standing = pause_table.read(consistent=True).by_name
    if body.name not in standing and len(standing) >= MOST:
        raise Conflict(f"{MOST} pauses stand, which is the most there can be: resume some first", code="too_many")
    new = Pause(body.name, body.reason, request.subject, now, until, everybodys)
    return _change(request, PAUSE, body.name, standing.get(body.name), new, body.reason)


def resume(request: HttpRequest[None, None]) -> PauseChanged:
    """End a pause. Its work goes on within half a minute."""
    name = request.path["pause"]
    before = pause_table.read(consistent=True).by_name.get(name)
    mine = scope.sees_all(request) or pauses.tenant_of(name) == request.tenant
    if before is None or not (mine or before.tenant is None):
        raise NotFound.of("pause", "pause")
    if not mine:
        _forbidden()
    return _change(request, RESUME, name, before, None, None)


def _change(
    request: HttpRequest[Any, None], word: str, name: str, before: Pause | None, new: Pause | None, reason: str | None
) -> PauseChanged:
    """Write it, and note it before and after."""
    everybodys, old = scope.sees_all(request), before if before and pauses.lasts(before, request.now) else None
    if old and old.deployment and not everybodys:
        _forbidden()
    shown = {"before": _view(old) if old else None, "after": _view(new) if new else None}
    whose = pauses.tenant_of(name) or counts.ALL
    noted = audit.begin(request, word, {"pause": name}, reason, whose=whose, before={"pause": shown["before"]})
    try:
        if new:
            pause_table.put(new, request.now)
        else:
            pause_table.remove(name, deployment=everybodys)
    except tables.ConditionFailed:  # since it was read
        actions.finish(noted, {"refused": 1}, request.now)
        _forbidden()
    did = Did(name, whose, DONE, {"pause": shown["before"]}, {"pause": shown["after"]})
    actions.finish(noted, {DONE: 1}, request.now, [did.view()])
    return {"pause": shown["after"], "before": shown["before"], "actionId": noted.entry}


def _forbidden() -> NoReturn:
    raise Forbidden("whoever runs this deployment has paused it, and only they change or resume it")


def _require_name(request: HttpRequest[Any, Any], name: str) -> None:
    """Raises Invalid for what cannot be paused, Forbidden for what is not the caller's to pause."""
    kind = pauses.kind_of(name)
    if not pauses.is_name(name) or (kind is not None and kind not in _KINDS):
        raise Invalid.field("name", f"must be {WHAT}")
    if not scope.sees_all(request) and pauses.tenant_of(name) != request.tenant:
        mine = f"`stockx:{request.tenant}` or `tenant:{request.tenant}`"
        raise Forbidden(f"only the role platform pauses other tenants' work; your own is paused with {mine}")


def _view(one: Pause) -> PauseView:
    return {
        "name": one.name,
        "tenant": one.tenant,
        "reason": one.reason,
        "by": one.by,
        "platform": one.deployment,
        "since": iso(one.since),
        "until": iso_or_none(one.until),
    }


_BASE, _READ, _ACT = "/v1/operator/pauses", Permission.OPERATE_READ, Permission.OPERATE_ACT
ROUTES: tuple[Route[Any, Any], ...] = (
    Route("GET", _BASE, "List what is paused", list_pauses, PausesView, _READ),
    Route("POST", _BASE, "Pause work", pause, PauseChanged, _ACT, body=PauseBody, errors=(Conflict,)),
    Route("DELETE", f"{_BASE}/{{pause}}", "Resume work", resume, PauseChanged, _ACT),
)
