"""The routes of what operators do to jobs and dead letters, one, many, or all that match; and of what was done."""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field
from typing_extensions import TypedDict

from sluice.jobs import ask
from sluice.jobs.model.job import Job
from sluice.operator import acting, actions, audit, counts, dead_letters, kinds, scope, views
from sluice.operator.action_views import ActionView, view
from sluice.operator.actions import Action, WantedActions
from sluice.operator.jobs_api import JobFilter
from sluice.operator.overview_api import OfTenant
from sluice.platform import aws
from sluice.platform.clock import MINUTE
from sluice.platform.config import live
from sluice.platform.http import paging
from sluice.platform.http.auth import Permission
from sluice.platform.http.errors import Conflict, Invalid, NotFound
from sluice.platform.http.models import Body, Example, Moment, OneOf, PageQuery, TenantName, Text
from sluice.platform.http.moments import between
from sluice.platform.http.routing import HttpRequest, Route
from sluice.platform.settings import settings

# So many are named in a request at most. Few are done at once, before it is answered.
MOST_IDS, FEW = 500, 25
# Characters of all ids as JSON. An action keeps each id up to three times (named, being done, done) in one item, which
# DynamoDB limits to 400 KB, and a page of the audit log shows 50 actions. The longest id is a dead letter's: 1,024
# bytes as base64.
MOST_OF_IDS, MOST_OF_ID = 80_000, 1_400
# What a dry run counts at most, how many pages it reads for that, and how many it shows.
MOST_COUNTED, MOST_PAGES, SAMPLE = 1_000, 20, 10

Id = Annotated[str, Field(min_length=1, max_length=MOST_OF_ID)]
Reason = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]


class ActionFilter(JobFilter):
    """Which jobs, or dead letters, are meant: at least one field, and all must match.

    Of dead letters: `kind`, `marketplace`, `code`, `from` and `to` (when they died).
    """


class ActionBody(Body):
    """What to do, and to what. With `dryRun`, which is the default, nothing is done: it is counted."""

    example: ClassVar[Example] = {
        "action": "cancel",
        "filter": {"state": "queued", "marketplace": "stockx"},
        "reason": "the sizes were wrong",
        "dryRun": True,
    }

    action: Annotated[str, OneOf((*acting.ON_JOBS, *acting.ON_LETTERS))] = Field(
        description="`cancel`, `retry`, `raise` or `reset` jobs; `replay` or `acknowledge` dead letters"
    )
    job_ids: list[Id] | None = Field(None, min_length=1, max_length=MOST_IDS)
    letter_ids: list[Id] | None = Field(None, min_length=1, max_length=MOST_IDS)
    filter: ActionFilter | None = None
    tenant: TenantName | None = Field(None, description="for the role `platform`: whose work; left out, everybody's")
    priority: Annotated[str, OneOf(("hot", "manual"))] = Field("hot", description="of `raise`")
    reason: Reason | None = Field(None, description="for the audit log")
    dry_run: bool = True


class Counted(TypedDict):
    """What an action would be about. atLeast: there are more than were counted. sample: the first ten."""

    action: str
    matched: int
    atLeast: bool
    sample: list[dict[str, Any]]


class ActionAnswer(TypedDict):
    """dryRun: nothing was done, and `counted` says what it would be. Else `action` says how far it is."""

    dryRun: bool
    counted: Counted | None
    action: ActionView | None


class ActionsQuery(OfTenant, PageQuery):
    """Which actions to list. All filters must match."""

    subject: Annotated[str, Field(min_length=1, max_length=256)] | None = Field(
        None, description="who did it, as their issuer names them"
    )
    action: Text | None = Field(None, description="what was done, for example `cancel`")
    since: Moment | None = Field(None, alias="from", description="begun then or later (RFC 3339)")
    until: Moment | None = Field(None, alias="to", description="begun before then")


class Actions(TypedDict):
    """What operators did, newest first. `next` leads to older ones, until it is null; a page may be short before."""

    actions: list[ActionView]
    next: str | None


def act(request: HttpRequest[ActionBody, None]) -> ActionAnswer:
    """Do it, or count what it would be done to."""
    body = request.body
    whose, target = scope.owner(request, body.tenant), _target(body)
    if body.letter_ids and whose == counts.ALL:
        raise Invalid.field("tenant", "is needed where dead letters are named")
    if body.dry_run:
        return {"dryRun": True, "counted": _count(body.action, whose, target), "action": None}
    _require_not_too_many(body, whose)
    few = len(target.get("ids", range(FEW + 1))) <= FEW
    action = _begin(request, whose, target)
    # What few things are left, should this function be gone before it is at their end, is done a minute later.
    ask.want(kinds.wish(request.tenant, action.entry, request.now + MINUTE * few), request.now, live.current())
    if few:
        action = acting.do_page(action, request.now, live.current())
    else:
        aws.invoke_later(settings().require("operator_worker_function"), {"action": action.entry})
    return {"dryRun": False, "counted": None, "action": view(action, request.now)}


def list_actions(request: HttpRequest[None, ActionsQuery]) -> Actions:
    """What operators did: those of the caller's tenant and on its work; for the role `platform`, all, or a tenant's."""
    query = request.query
    wanted = WantedActions(query.subject, query.action, *between(query.since, query.until))
    start = paging.start(query.cursor, request.tenant, actions.ENTRY)
    found = actions.page(scope.owner(request, query.tenant), wanted, query.limit, start)
    return {"actions": [view(one, request.now) for one in found], "next": found.cursor(request.tenant)}


def get_action(request: HttpRequest[None, None]) -> ActionView:
    """One of them, and how far it is."""
    return view(_find(request), request.now)


def stop_action(request: HttpRequest[None, None]) -> ActionView:
    """Stop it before its next page. What was done stays done."""
    stopped = actions.ask_to_stop(_find(request), request.subject, request.now)
    if stopped is None:
        raise Conflict("it is over already", code="over")
    return view(stopped, request.now)


def _find(request: HttpRequest[None, None]) -> Action:
    entry = request.path["action_id"]
    found = actions.find(scope.owner(request, None), entry) if re.fullmatch(actions.ENTRY, entry) else None
    if found is None:
        raise NotFound.of("action", "actionId")
    return found


def _target(body: ActionBody) -> dict[str, Any]:
    """What the action is about, as it is stored.

    Raises:
        Invalid: nothing is named, more than one way is used, or the filter lets everything through.
    """
    ids = body.letter_ids if acting.on_dead_letters(body.action) else body.job_ids
    wrong = ("jobIds", body.job_ids) if acting.on_dead_letters(body.action) else ("letterIds", body.letter_ids)
    own = "letterIds" if acting.on_dead_letters(body.action) else "jobIds"
    if wrong[1]:
        raise Invalid.field(wrong[0], f"does not go with {body.action}: name {own}")
    if (ids is None) == (body.filter is None):
        raise Invalid.field("filter", f"either this or {own} must say what is meant, and not both")
    more = {"priority": body.priority} if body.action == acting.RAISE else {}
    if ids is not None:
        if len(json.dumps(ids)) > MOST_OF_IDS:
            raise Invalid.field(own, f"must not have more than {MOST_OF_IDS} characters together; name fewer at once")
        return {"ids": list(dict.fromkeys(ids)), **more}
    wanted = body.filter.filter() if body.filter else None
    if wanted is None or wanted.is_empty:
        raise Invalid.field("filter", "must name at least one thing: this would be everything there is")
    if not acting.on_dead_letters(body.action):
        return {"filter": {name: value for name, value in vars(wanted).items() if value is not None}, **more}
    fields = {name: getattr(wanted, name) for name in ("kind", "marketplace", "code", "since", "until")}
    if unknown := [name for name in ("state", "account", "sku", "text") if getattr(wanted, name) is not None]:
        raise Invalid.field(f"filter.{unknown[0]}", "dead letters have none; use kind, marketplace, code, from and to")
    return {"filter": {"status": dead_letters.OPEN} | {name: v for name, v in fields.items() if v is not None}}


def _require_not_too_many(body: ActionBody, whose: str) -> None:
    """Raises Conflict for a filter of jobs that matches more than one action does, as far as the counters can tell."""
    wanted = body.filter
    if wanted is None or acting.on_dead_letters(body.action):
        return
    # What the counters do not know makes it fewer: then the worker ends at so many.
    if any((wanted.account, wanted.sku, wanted.text, wanted.since, wanted.until)):
        return
    known = counts.jobs(counts.now(whose), wanted.kind, wanted.marketplace, wanted.state, wanted.code)
    if (matched := sum(known.values())) > acting.MOST_THINGS:
        message = (
            f"the filter matches about {matched} jobs, and one action does {acting.MOST_THINGS} at most; "
            "name a kind, a marketplace, an account or a time (`from`, `to`) too, and act on one part after another"
        )
        raise Conflict(message, code="too_many_match")


def _asks(request: HttpRequest[ActionBody, None]) -> int:
    """Things that are named to be done anew. What a filter finds is counted page by page (see `acting.do_page`)."""
    body = request.body
    if body.dry_run or body.action not in acting.ANEW:
        return 0
    return len(body.job_ids or body.letter_ids or ())


def _count(word: str, whose: str, target: Mapping[str, Any]) -> Counted:
    things: list[dict[str, Any]] = []
    matched, cursor = 0, None
    for _ in range(MOST_PAGES):
        found = acting.match(word, whose, target, acting.PAGE, cursor)
        matched, cursor = matched + len(found.things), found.next
        things += [_shown(tenant, thing) for tenant, thing in found.things[: SAMPLE - len(things)]]
        if cursor is None or matched >= MOST_COUNTED:
            break
    return {"action": word, "matched": matched, "atLeast": cursor is not None, "sample": things}


def _shown(tenant: str, thing: Any) -> dict[str, Any]:
    if isinstance(thing, Job):
        return {"tenant": tenant, **views.summary(thing, tenant, live.current())}
    return {"tenant": tenant, **dead_letters.summary(thing)}


def _begin(request: HttpRequest[ActionBody, None], whose: str, target: dict[str, Any]) -> Action:
    entry = audit.entry(request)
    job_id = kinds.job_id(request.tenant, entry)
    body, more = request.body, {"whose": whose, "job_id": job_id, "pages": 0}
    return audit.begin(request, body.action, target, body.reason, at=entry, **more)


_BASE, _READ, _ACT = "/v1/operator/actions", Permission.OPERATE_READ, Permission.OPERATE_ACT
ROUTES: tuple[Route[Any, Any], ...] = (
    Route(
        "POST",
        _BASE,
        "Act on jobs or dead letters",
        act,
        ActionAnswer,
        _ACT,
        body=ActionBody,
        errors=(Conflict,),
        asks=_asks,
    ),
    Route("GET", _BASE, "List what operators did", list_actions, Actions, _READ, query=ActionsQuery),
    Route("GET", f"{_BASE}/{{action_id}}", "Show an action and how far it is", get_action, ActionView, _READ),
    Route("POST", f"{_BASE}/{{action_id}}/stop", "Stop an action", stop_action, ActionView, _ACT, errors=(Conflict,)),
)
