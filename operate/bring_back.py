"""What becomes of each item of a backup when it is brought into a new stack. Pure.

A backup is old: what Sluice did after it, it does not know. So what says *what is* comes back (accounts, prices,
records, what is to be done), and what says *who is at it just now* does not (leases, seats, turns, nudges, sessions).
What may have been sent since is made to look like what it is, a sending whose answer was lost: the engine then checks
before it sends (docs/operate/restore.md has this table for people).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from operate import Item
from sluice.jobs.model import history, keys
from sluice.jobs.model.job import Job, Unreadable, read
from sluice.jobs.model.states import FINAL, LEASED, QUEUED
from sluice.jobs.queue import rerun, urgency
from sluice.listings.stockx import kinds as stockx
from sluice.listings.stockx.changes import Action, Sent
from sluice.notifications.table import OPERATOR, TENANTS
from sluice.operator.actions import RUNNING, STOPPED
from sluice.operator.kinds import ACTION
from sluice.platform.clock import SECOND, iso
from sluice.platform.config.document import Config
from sluice.promotions.kinds import CREATE as PROMOTION

CUT_SHORT: Final = "it was cut short when its stack was restored from a backup: import the file again"
_SINGLE = frozenset(kind.name for kind in stockx.SINGLE.values())


@dataclass(frozen=True)
class When:
    """now: of the restore; at: as of when the backup is; both epoch ms. config: of the new stack."""

    now: int
    at: int
    config: Config


Rule = Callable[[Item, When], Item | None]


def bring_back(table: str, item: Item, when: When) -> Item | None:
    """`item` of `table` as it comes into the new stack; None where it does not.

    What is over by its time to live does not come back either: DynamoDB deletes such items only days later.
    """
    if _number(item, "expires_at") not in (None, 0) and (_number(item, "expires_at") or 0) * SECOND <= when.now:
        return None
    return RULES[table](dict(item), when)


def _keep(item: Item, when: When) -> Item | None:  # noqa: ARG001 - one of many rules
    return item


def _leave(item: Item, when: When) -> Item | None:  # noqa: ARG001 - one of many rules
    """It said who was at it, or how far."""
    return None


def _job(item: Item, when: When) -> Item | None:
    """A job that is not over is queued again, as if it had lost its worker, and uses up no attempt by that."""
    try:
        job = read(item)
    except Unreadable:
        return item  # the scheduler sets it aside
    if job.state in FINAL:
        return item
    if job.kind == ACTION.name:
        return None  # `_action` has stopped what it was to do
    for name in ("batch", "reserved"):  # its claim
        item.pop(name, None)
    if job.state == LEASED:
        shards = when.config.limits[keys.service_of(job.budget)].shards
        item |= {"state": {"S": QUEUED}, "lane": {"S": job.home(shards)}, "due_at": {"N": str(when.now)}}
        item["attempts"] = {"N": str(max(0, job.attempts - 1))}
        item["history"] = _json(history.add(job.history or [], _told(job, when)))
    if item["state"]["S"] == QUEUED:
        _perhaps_sent(item, job)
        if job.rerun is not None and "begun" not in item:
            _join(item, job, when.config)
    return item


def _join(item: Item, job: Job, config: Config) -> None:
    """It has not begun, so who asked while it ran is served by the run that comes, on its present account."""
    askers = rerun.joined(job, job)
    wanted = urgency.asked_in_all(job, job, askers)
    job.priority, job.priorities = wanted[job.tenant], urgency.others(wanted, job.tenant)
    item |= {"priority": {"N": str(job.priority)}, "payload": item.get("rerun_payload", item["payload"])}
    item.pop("priorities", None)
    if job.priorities:
        item["priorities"] = _json(job.priorities)
    item["lane"] = {"S": job.home(config.limits[keys.service_of(job.budget)].shards)}
    if askers != {job.tenant}:
        item["for"] = {"SS": sorted(askers)}
    for request in rerun.REQUEST:
        item.pop(request.attr_name, None)


def _perhaps_sent(item: Item, job: Job) -> None:
    """What the lost stack may have sent since is checked before it is sent. Of a single listing `_listing` says so."""
    payload: Mapping[str, Any] = job.payload
    if job.kind == PROMOTION.name:
        item["begun"] = {"BOOL": True}
    elif job.kind in _SINGLE and "submission" not in payload:
        item.pop("begun", None)
    elif job.kind == stockx.BATCH.name and "sent" not in payload and payload.get("action") == Action.CREATE:
        sent = asdict(Sent(job.created_at))
        item |= {"payload": _json({**payload, "sent": sent}), "begun": {"BOOL": True}}


def _told(job: Job, when: When) -> history.Entry:
    message = f"its stack was restored from a backup of {iso(when.at)} while it ran"
    return {"at": when.now, "event": "rescue", "attempt": job.attempts, "code": "restored", "message": message}


def _listing(item: Item, when: When) -> Item:  # noqa: ARG001 - one of many rules
    """Its first open change counts as about to be sent: whoever sends it checks first whether it was."""
    changes = {int(number): json.loads(text["S"]) for number, text in item.get("changes", {}).get("M", {}).items()}
    known = [number for number, change in changes.items() if "doubt" not in change]
    if known and not changes[min(known)]["job_id"].startswith(f"{stockx.BATCH.name}:"):
        item["running"] = {"N": str(min(known))}
    return item


def _record(item: Item, when: When) -> Item:
    """What eBay shows otherwise than it took, the lost stack may have sent: a person decides, nothing is healed."""
    if "echo" in item:
        item["restored_at"] = {"N": str(when.at)}
    return item


def _budget(item: Item, when: When) -> Item | None:  # noqa: ARG001 - one of many rules
    """The days, which are the history. What is open just now is not known: the restore closes every budget."""
    window = item["window"]["S"]
    return item if window[:4].isdigit() and "#" not in window else None


def _usage(item: Item, when: When) -> Item | None:  # noqa: ARG001 - one of many rules
    """What each tenant keeps. Jobs are counted anew as they come back, hours begin anew."""
    return _without(item, "seen", "sweep") if item["period"]["S"] == "kept" else None


def _counts(item: Item, when: When) -> Item | None:  # noqa: ARG001 - one of many rules
    """What became of the jobs of each hour. How many there are now is counted anew as they come back."""
    return _without(item, "seen", "sweep") if item["period"]["S"][:4].isdigit() else None


def _run(item: Item, when: When) -> Item | None:  # noqa: ARG001 - one of many rules
    return item if item["scope"]["S"].startswith("hours#") else None


def _endpoint(item: Item, when: When) -> Item | None:  # noqa: ARG001 - one of many rules
    """Without the turns: deliveries that are due get one from the sender's next look for what is overdue."""
    return None if item["webhook_id"]["S"].startswith("#") else item


def _account(item: Item, when: When) -> Item:  # noqa: ARG001 - one of many rules
    return _without(item, "refreshing_until", "user_refreshing_until")


def _action(item: Item, when: When) -> Item:
    """An action that was not through is stopped: what it has done since nobody knows."""
    if item.get("state", {}).get("S") == RUNNING:
        item |= {"state": {"S": STOPPED}, "stop_by": {"S": "a restore"}, "updated_at": {"N": str(when.now)}}
    return item


def _import(item: Item, when: When) -> Item:
    """The messages of an import that was not through are lost with the queue of its stack."""
    if item.pop("pending", None):
        problems = set(item.get("problems", {}).get("SS", [])) | {CUT_SHORT}
        item |= {"problems": {"SS": sorted(problems)}, "updated_at": {"N": str(when.now)}}
    return item


def _mail(item: Item, when: When) -> Item:  # noqa: ARG001 - one of many rules
    """An address is a topic of the lost stack, and has agreed to that one alone: its tenant gives it once more."""
    if item["tenant"]["S"] != TENANTS or item["entry"]["S"] == OPERATOR:
        return item
    return _without(item, "address", "topic", "standing", "due_at", "claim_token")


def _answered(item: Item, when: When) -> Item | None:  # noqa: ARG001 - one of many rules
    """Requests that were answered. One that was being done is done when it is sent again."""
    return item if "status" in item else None


def _without(item: Item, *names: str) -> Item:
    return {name: value for name, value in item.items() if name not in names}


def _number(item: Item, name: str) -> int | None:
    return int(item[name]["N"]) if "N" in item.get(name, {}) else None


def _json(value: object) -> Item:
    return {"S": json.dumps(value)}


# Every table of the template, by its name.
RULES: Final[Mapping[str, Rule]] = {
    "jobs": _job,
    "listings": _listing,
    "ebay_listings": _record,
    "accounts": _account,
    "webhooks": _endpoint,
    "actions": _action,
    "imports": _import,
    "idempotency": _answered,
    "notifications": _mail,
    "budgets": _budget,
    "usage": _usage,
    "counts": _counts,
    "runs": _run,
    **dict.fromkeys(("lanes", "sessions", "page_schedule"), _leave),
    **dict.fromkeys(("prices", "catalog", "requests", "dead_letters", "listing_history", "inventory"), _keep),
    **dict.fromkeys(("ebay_sellers", "ebay_categories", "ebay_history", "ebay_snapshots", "ebay_sync_log"), _keep),
    **dict.fromkeys(("pages", "trackers", "page_checks", "page_prices", "saved_pages", "page_hosts"), _keep),
    **dict.fromkeys(("deliveries", "enrichments", "events", "pauses"), _keep),
}
