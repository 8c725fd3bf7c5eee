"""Items that are no jobs: damaged, or stored in a form that this version does not know.

One such item would stand at the head of its lane for ever, and whoever reads the lane would fail on it. So it becomes a
dead letter that holds all of it, and its key is free for a new request.
"""

import json
from typing import Any

from pynamodb.transactions import TransactWrite

from sluice.jobs.model import keys
from sluice.jobs.model.dead_letters import UNREADABLE, dead_letter
from sluice.jobs.model.job import Job, Unreadable, read
from sluice.jobs.model.states import TRANSITIONS
from sluice.platform import tables
from sluice.platform.clock import ttl
from sluice.platform.config.document import Config

# No tenant, kind or account can have this name.
UNKNOWN = "(unknown)"


def discard(job_id: str, now: int, config: Config) -> str | None:
    """Make a dead letter of the item `job_id`, if it stands in a lane and cannot be read. Returns why it cannot."""
    raw: dict[str, Any] = Job._get_connection().get_item(job_id, consistent_read=True).get("Item") or {}
    if not {"lane", "due_at"} <= raw.keys():
        return None  # the index is behind: the item has left it
    try:
        read(raw)
    except Unreadable as unreadable:
        reason = str(unreadable)
    else:
        return None  # the index is behind: the item has been replaced
    error = {"code": UNREADABLE, "message": reason, "at": now}
    stone = _tombstone(job_id, raw, error, now, config)
    events = [{"at": now, "event": "discard", "attempt": 0, "code": UNREADABLE, "message": reason}]
    dead = dead_letter(stone, error, events, now, config.engine.dead_letter_retention_ms)
    dead.payload = {"item": json.loads(json.dumps(raw, default=repr))}
    as_read = (Job.lane == raw["lane"]["S"]) & (Job.due_at == int(raw["due_at"]["N"]))

    def write(transaction: TransactWrite) -> None:
        transaction.save(stone, as_read)
        transaction.save(dead)

    try:
        tables.transact(write)
    except tables.ConditionFailed:
        return None  # somebody has changed it meanwhile: the next tick looks again
    return reason


def _tombstone(job_id: str, raw: dict[str, Any], error: dict[str, Any], now: int, config: Config) -> Job:
    """A dead job in place of the item, with what of it can be trusted."""

    def text(name: str) -> str:
        return str(raw.get(name, {}).get("S") or UNKNOWN)

    lease = raw.get("lease", {}).get("N")
    return Job(
        job_id=job_id,
        kind=text("kind"),
        state=TRANSITIONS["discard"].target,
        # No lease that a late worker may hold is met again: the time is above every number that claims have counted to.
        lease=int(lease) if lease and lease.isdecimal() else now,
        priority=keys.BACKGROUND,
        tenant=text("tenant"),
        account=text("account"),
        budget=text("budget"),
        payload={},
        error=error,
        created_at=now,
        updated_at=now,
        expires_at=ttl(now + config.engine.retention_ms),
    )
