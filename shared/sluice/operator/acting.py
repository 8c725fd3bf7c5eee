"""What an action does: to one job or dead letter, to a page of them, to all that match.

Each thing is done once, however often a page is begun: a letter is replayed on condition that it was not, and to
cancel, bring forward or acknowledge twice is to do it once. What a page of an action that was killed had done already
is known by it: a letter says by which action it was replayed.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple

from sluice.jobs import ask
from sluice.jobs.model import dead_letters as letters_
from sluice.jobs.model import keys
from sluice.jobs.model.dead_letters import DeadLetter
from sluice.jobs.model.job import Job
from sluice.jobs.model.states import CANCELLED, DEAD, QUEUED
from sluice.jobs.queue import cancel, hasten, replay
from sluice.jobs.queue.cancel import Cancelled
from sluice.jobs.queue.enqueue import Enqueued
from sluice.jobs.queue.hasten import Hastened
from sluice.operator import actions, counts, dead_letters, search
from sluice.operator.actions import Action
from sluice.platform import usage
from sluice.platform.clock import MINUTE, iso_or_none
from sluice.platform.config.document import Config
from sluice.platform.http.paging import Page, Place
from sluice.platform.observe import logger

CANCEL, RETRY, RAISE, RESET = "cancel", "retry", "raise", "reset"
REPLAY, ACKNOWLEDGE = "replay", "acknowledge"
ON_JOBS: Final = (CANCEL, RETRY, RAISE, RESET)
ON_LETTERS: Final = (REPLAY, ACKNOWLEDGE)
# What has work done that was at an end: its tenant asks for it, as by the API.
ANEW: Final = (REPLAY, RESET)
# Things that one action does: who wants more makes several, and sees in between how it goes.
MOST_THINGS: Final = 100_000
# Things of one page; as many are done when an action is killed at the worst moment, and looked at again.
PAGE: Final = 100
THREADS: Final = 8
# What a request does itself, and no job, is over by then; else it is told as this.
REQUEST_MS, GIVEN_UP = MINUTE, "failed"
DONE, ALREADY, FAILED, UNKNOWN = "done", "already", "failed", "unknown"
# Stands for the tenant of an id that names nothing.
NOBODY: Final = ""


class Did(NamedTuple):
    """What became of one thing. outcome: `done`, `already`, or the word for why not. before, after: what changed."""

    id: str
    tenant: str
    outcome: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]

    def view(self) -> dict[str, Any]:
        """As the audit log keeps it."""
        return {**self._asdict(), "before": dict(self.before), "after": dict(self.after)}


class Matched(NamedTuple):
    """Some of what an action is about, each with its tenant, and the cursor of the next."""

    things: list[tuple[str, Job | DeadLetter]]
    next: str | None


def on_dead_letters(action: str) -> bool:
    """Whether the action is about dead letters, and not jobs."""
    return action in ON_LETTERS


def match(word: str, whose: str, target: Mapping[str, Any], limit: int, cursor: str | None) -> Matched:
    """What of the work of `whose`, a tenant or `ALL`, the action is about: up to `limit`. See `target_of`."""
    if "ids" in target:
        return Matched(_named(word, whose, target["ids"]), None)
    if on_dead_letters(word):
        found = search.walk(
            whose, limit, cursor, _dead_letters(dead_letters.Filter(**target["filter"])), dead_letters.KEY
        )
        return Matched(list(found.rows), found.next)
    jobs = search.page(whose, search.Filter(**target["filter"]), limit, cursor)
    return Matched(list(jobs.rows), jobs.next)


def standing(action: Action, now: int) -> str:
    """How far it is: as stored, unless nobody goes on with it, because its job was given up or its request died."""
    if action.state != actions.RUNNING:
        return action.state or ""
    job = cancel.find(action.job_id, None) if action.job_id else None
    if job:
        return GIVEN_UP if job.state == DEAD else actions.RUNNING
    return GIVEN_UP if now - (action.updated_at or 0) > REQUEST_MS else actions.RUNNING


def do_page(action: Action, now: int, config: Config) -> Action:
    """Do the action's next page, or what somebody else has begun of it and not finished.

    Raises:
        TooMany: a tenant has no room for more jobs; nothing of the page was done.
        ConditionFailed: somebody else has written the page down, or the action is over.
    """
    again = action.page is not None
    if action.page is None:
        found = match(action.action or "", action.whose or "", action.target, PAGE, action.cursor)
        if action.action in ANEW:
            for tenant, number in Counter(tenant for tenant, _ in found.things).items():
                ask.require_room(tenant, number, now, config)
            _charge(action, len(found.things), now, config)
        things = [(tenant, _key(thing)) for tenant, thing in found.things]
        things += [(NOBODY, one) for one in _missing(action.target, found.things)]
        action = actions.begin_page(action, things, found.next, now)
    else:
        things = [(tenant, key) for tenant, key in action.page["things"]]

    def one(place: tuple[str, str]) -> Did:
        return _do(action, place[0], place[1], now, config, again=again)

    with ThreadPoolExecutor(THREADS) as pool:
        did = list(pool.map(one, things))
    told = [each.view() for each in did if each.outcome != ALREADY]
    return actions.end_page(action, Counter(each.outcome for each in did), told, now)


def _missing(target: Mapping[str, Any], found: Sequence[tuple[str, Job | DeadLetter]]) -> list[str]:
    """The ids that were named and are not there, or not the caller's."""
    there = {
        dead_letters.public_id(thing.dead_letter) if isinstance(thing, DeadLetter) else thing.job_id
        for _, thing in found
    }
    return [one for one in target.get("ids", ()) if one not in there]


def _key(thing: Job | DeadLetter) -> str:
    return thing.dead_letter if isinstance(thing, DeadLetter) else thing.job_id


def _charge(action: Action, number: int, now: int, config: Config) -> None:
    """Count what a filter of the tenant's own operator has found. Things that were named were counted by the request.

    Raises:
        TooMany: the hour has no room for them. A page is never more than what an hour could have.
    """
    if "filter" in action.target and action.whose == action.owner:
        allowed = config.tenants.allowed(action.owner)
        usage.charge(action.owner, min(number, allowed.items_per_hour), now, allowed, requests=0)


def _dead_letters(wanted: dead_letters.Filter) -> Callable[[str, int, Place | None], Page[DeadLetter]]:
    return lambda tenant, limit, start: dead_letters.page(tenant, wanted, limit, start)


def _named(word: str, whose: str, ids: Sequence[str]) -> list[tuple[str, Job | DeadLetter]]:
    """The jobs or letters with these ids; those that are not there are left out."""
    if on_dead_letters(word):
        found = ((key, dead_letters.find(whose, key)) for one in ids if (key := dead_letters.key_of(one)))
        return [(whose, letter) for _, letter in found if letter]
    everybody = whose == counts.ALL
    jobs = [cancel.find(one, None if everybody else whose) for one in ids]
    return [(job.tenant if everybody else whose, job) for job in jobs if job]


def _do(action: Action, tenant: str, key: str, now: int, config: Config, *, again: bool) -> Did:
    """Do it to one thing. Never fails: what went wrong is this one's outcome, and the others go on.

    again: somebody has begun with the page before, so that what is as it should be was done by this action.
    """
    if tenant == NOBODY:
        return Did(key, tenant, UNKNOWN, {}, {})
    try:
        if on_dead_letters(action.action or ""):
            letter = dead_letters.find(tenant, key)
            return _do_dead_letter(action, tenant, letter, now, config) if letter else Did(key, tenant, UNKNOWN, {}, {})
        job = cancel.find(key, None)
        return _do_job(action, tenant, job, now, config, again) if job else Did(key, tenant, UNKNOWN, {}, {})
    except Exception:  # noqa: BLE001 - told of this one
        logger.exception("an action failed on one thing", extra={"entry": action.entry, "thing": key})
        return Did(key, tenant, FAILED, {}, {})


def _do_job(action: Action, tenant: str, job: Job, now: int, config: Config, again: bool) -> Did:
    # For all tenants: whoever asked for it. An operator of one tenant takes back what that tenant wants.
    asker = None if action.whose == counts.ALL else tenant
    if action.action == CANCEL:
        outcome = _cancel(job, asker, now, config)
        changed: dict[str, Any] = {"state": CANCELLED}
    elif action.action == RETRY:
        outcome = str(hasten.try_now(job.job_id, asker, now))
        changed = {"dueAt": iso_or_none(now)}
    elif action.action == RESET:
        outcome = _reset(action, job, tenant, asker, now, config)
        changed = {"state": QUEUED, "attempts": 0}
    else:
        outcome = str(hasten.raise_to(job.job_id, asker, keys.PRIORITIES[action.target["priority"]], now, config))
        changed = {"priority": action.target["priority"]}
    outcome = DONE if again and outcome == ALREADY else outcome
    before = {
        "state": job.state,
        "attempts": job.attempts,
        "dueAt": iso_or_none(job.due_at),
        "priority": keys.priority_name(job.priority),
    }
    return Did(job.job_id, tenant, outcome, before, changed if outcome == DONE else {})


def _reset(action: Action, job: Job, tenant: str, asker: str | None, now: int, config: Config) -> str:
    """Have it begin anew: one that is dead by its newest letter, which is replayed."""
    if job.state != DEAD:
        return str(hasten.reset(job.job_id, asker, now))
    letter = dead_letters.of_job(tenant, job)
    if letter is None:
        return Hastened.UNKNOWN
    return _do_dead_letter(action, tenant, letter, now, config).outcome


def _cancel(job: Job, asker: str | None, now: int, config: Config) -> str:
    """Take it back for `asker`, or for everybody who asked."""
    words = [
        cancel.cancel(job.job_id, tenant, now, config) for tenant in ([asker] if asker else sorted(job.tenants or ()))
    ]
    if not words:
        return Hastened.UNKNOWN
    if all(word in (Cancelled.CANCELLED, Cancelled.WITHDRAWN, Cancelled.UNKNOWN) for word in words):
        return DONE
    return ALREADY if job.state == CANCELLED else str(words[-1])


def _do_dead_letter(action: Action, tenant: str, letter: DeadLetter, now: int, config: Config) -> Did:
    public, before = dead_letters.public_id(letter.dead_letter), {"status": dead_letters.status(letter)}
    by = f"{action.subject} ({action.entry})"
    if action.action == ACKNOWLEDGE:
        seen = letters_.acknowledge(letter, by, now)
        mine = seen is not None or letter.acknowledged_by == by
        return Did(public, tenant, DONE if mine else ALREADY, before, {"status": "acknowledged"} if mine else {})
    [answer] = replay.replay([letter], by, now, config)
    if isinstance(answer, Enqueued) or letter.replayed_by == by:
        return Did(public, tenant, DONE, before, {"status": "replayed", "jobId": letter.job_id})
    return Did(public, tenant, ALREADY if answer.code == "replayed" else answer.code, before, {})
