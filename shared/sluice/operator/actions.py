"""What operators did: table `actions`. It is the audit log, and where an action on many things keeps how far it is.

```
 owner     entry                              attributes
 acme      2026-11-22T12:00:00.000Z#5f3c…     who, what, on what, before, after; state, cursor, outcomes
 #all      2026-11-22T12:00:00.000Z#5f3c…     of: acme       so that all are found by time
```
A page of an action is written down before it is begun, and when all of it is done, each on condition that nobody else
has written it. So whoever goes on after a kill begins with the very things of the page that was not finished, and a
worker that was thought dead changes nothing.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pynamodb.attributes import JSONAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action as Update

from sluice.operator.counts import ALL
from sluice.platform import tables
from sluice.platform.attributes import IntAttribute
from sluice.platform.clock import DAY, ttl
from sluice.platform.http import paging, table_pages
from sluice.platform.http.paging import Page, Place

KEEP_MS = 400 * DAY
# Of what was refused, and of what one thing was before and after, so much is kept.
MOST_TOLD = 25
ENTRY: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z#[0-9a-f]{12}"

RUNNING, FINISHED, STOPPED = "running", "finished", "stopped"


class Action(tables.Table):
    """One thing that an operator did.

    subject, roles, request_id: who, as what, in which request. action: the word. reason: what they gave.
    target: on what: ids, a filter, a name. whose: the tenant whose work it is, or `#all`.
    before, after: of what was changed, for each of the first things.
    state: `running`, `finished` or `stopped`. stop_by: who wants it stopped, or what does.
    page: the things that are being done, each with its tenant, and the cursor behind them.
    cursor: where it goes on. pages: so many are done. outcomes: how many things each word fits. job_id: what runs it.
    """

    class Meta:
        table_name = tables.name("actions")

    owner = UnicodeAttribute(hash_key=True)
    entry = UnicodeAttribute(range_key=True)
    of = UnicodeAttribute(null=True)
    subject = UnicodeAttribute(null=True)
    roles = UnicodeAttribute(null=True)
    request_id = UnicodeAttribute(null=True)
    action = UnicodeAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    target = JSONAttribute(null=True)
    whose = UnicodeAttribute(null=True)
    before = JSONAttribute(null=True)
    after = JSONAttribute(null=True)
    state = UnicodeAttribute(null=True)
    stop_by = UnicodeAttribute(null=True)
    page = JSONAttribute(null=True)
    cursor = UnicodeAttribute(null=True)
    pages = IntAttribute(null=True)
    outcomes = JSONAttribute(null=True)
    job_id = UnicodeAttribute(null=True)
    created_at = IntAttribute(null=True)
    updated_at = IntAttribute(null=True)
    write_token = UnicodeAttribute(null=True)
    expires_at = IntAttribute(null=True)


def create(action: Action) -> None:
    """Note an action before anything of it is done. The pointer first: without its action it is passed over."""
    owners = {ALL, *([action.whose] if action.whose else [])} - {action.owner}
    for owner in sorted(owners):
        Action(owner, action.entry, of=action.owner, expires_at=ttl((action.created_at or 0) + KEEP_MS)).save()
    action.expires_at = ttl((action.created_at or 0) + KEEP_MS)
    action.save()


def find(owner: str, entry: str) -> Action | None:
    """The action with this id that `owner`, a tenant or `ALL`, did or may see."""
    try:
        found = Action.get(owner, entry, consistent_read=True)
        return found if found.of is None else Action.get(found.of, entry, consistent_read=True)
    except Action.DoesNotExist:
        return None


@dataclass(frozen=True)
class WantedActions(paging.Filter):
    """Which actions are wanted. since, until: when they were begun, epoch ms; until is not within it."""

    subject: str | None = None
    action: str | None = None
    since: int | None = None
    until: int | None = None

    @property
    def reads_more(self) -> bool:
        """Whether some of what is read may not be wanted."""
        return self.subject is not None or self.action is not None


def page(owner: str, wanted: WantedActions, limit: int, start: Place | None) -> Page[Action]:
    """Up to `limit` actions that `owner` did, or that were done to it, newest first.

    A page may be short, or empty, and not the last.
    """
    bounds = paging.within(wanted.since, wanted.until, start)
    if bounds is None:
        return Page([])
    lowest, highest, start = bounds
    read = paging.most_read(limit) if wanted.reads_more else limit
    within = Action.entry.between(lowest, highest)
    found = table_pages.read(Action, owner, read, start, within=within, newest_first=True)
    shown = [one for one in _followed(list(found)) if wanted.allows(subject=one.subject, action=one.action)]
    return Page(shown, found.next) if len(shown) <= limit else Page(shown[:limit], Place(shown[limit - 1].entry))


def _followed(found: Sequence[Action]) -> list[Action]:
    """Each action, or the one that it points to, if that is there."""
    pointers = [(one.of, one.entry) for one in found if one.of is not None]
    read = {one.entry: one for one in Action.batch_get(pointers, consistent_read=True)} if pointers else {}
    shown = [one if one.of is None else read.get(one.entry) for one in found]
    return [one for one in shown if one is not None]


def begin_page(action: Action, things: Sequence[tuple[str, str]], cursor: str | None, now: int) -> Action:
    """Write down what the next page is about, before anything of it is done.

    things: tenant and key of each. cursor: of the page behind it; None: there is none.

    Raises:
        ConditionFailed: somebody else has begun this page, or the action is over.
    """
    page = {"things": [list(one) for one in things], "next": cursor}
    ours = (Action.state == RUNNING) & (Action.pages == (action.pages or 0)) & Action.page.does_not_exist()
    writes = [Action.page.set(page), Action.updated_at.set(now)]
    return tables.update(Action, (action.owner, action.entry), writes, ours, token=Action.write_token)


def end_page(action: Action, outcomes: Mapping[str, int], told: Sequence[Mapping[str, Any]], now: int) -> Action:
    """Write down that the page that was begun is done.

    Raises:
        ConditionFailed: somebody else has written this page, or the action is over.
    """
    sums = Counter(action.outcomes or {})
    sums.update(outcomes)
    pages, cursor = action.pages or 0, action.page["next"]
    actions: list[Update] = [
        Action.outcomes.set(dict(sums)),
        Action.after.set([*(action.after or []), *told][:MOST_TOLD]),
        Action.pages.set(pages + 1),
        Action.page.remove(),
        Action.updated_at.set(now),
        Action.cursor.set(cursor) if cursor else Action.cursor.remove(),
    ]
    if cursor is None:
        actions.append(Action.state.set(FINISHED))
    ours = (Action.state == RUNNING) & (Action.pages == pages)
    return tables.update(Action, (action.owner, action.entry), actions, ours, token=Action.write_token)


def finish(action: Action, outcomes: Mapping[str, int], now: int, told: Sequence[Mapping[str, Any]] = ()) -> Action:
    """Write down the end of an action that has no pages. told: what it has changed."""
    writes: list[Update] = [
        Action.state.set(FINISHED),
        Action.outcomes.set(dict(outcomes)),
        Action.updated_at.set(now),
        *([Action.after.set([*told][:MOST_TOLD])] if told else []),
    ]
    return tables.update(Action, (action.owner, action.entry), writes, token=Action.write_token)


def ask_to_stop(action: Action, by: str, now: int) -> Action | None:
    """Have it stop before its next page; None when it is over."""
    running = Action.state == RUNNING
    try:
        writes = [Action.stop_by.set(by), Action.updated_at.set(now)]
        return tables.update(Action, (action.owner, action.entry), writes, running)
    except tables.ConditionFailed:
        return None


def stop(action: Action, now: int, by: str | None = None) -> Action:
    """It has stopped, as somebody wished. by: why, where nobody did.

    Raises:
        ConditionFailed: it is over.
    """
    writes = [Action.state.set(STOPPED), Action.updated_at.set(now), *([Action.stop_by.set(by)] if by else [])]
    running = Action.state == RUNNING
    return tables.update(Action, (action.owner, action.entry), writes, running, token=Action.write_token)
