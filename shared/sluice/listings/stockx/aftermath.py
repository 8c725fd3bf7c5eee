"""What comes after a listing job that has ended: from the stream of table `jobs`, so that no end is forgotten.

```
 ended                                   then
 dead, cancelled, or partly unconfirmed  its changes that are open still: what was never sent is settled, what may have
                                         been sent is UNCONFIRMED from now on, and has a `listing.check`
 a create that was sent twice            its twin, if the first has come to be after all: `listing.check`, when the
                                         second has had its time to appear
 dead `listing.check`                    the same again, later
 not to be read (`unread`)               the same, of each listing that what is left of it names
```
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sluice.jobs.ask import Wish, ask
from sluice.jobs.model import keys
from sluice.jobs.model.dead_letters import is_unreadable
from sluice.jobs.model.events import ended
from sluice.jobs.model.job import Job
from sluice.jobs.model.states import SUCCEEDED
from sluice.listings.stockx import change_order, unread
from sluice.listings.stockx import table as listings
from sluice.listings.stockx.changes import Action
from sluice.listings.stockx.kinds import BATCH, CHECK, SINGLE, check_id
from sluice.listings.stockx.table import Listing
from sluice.platform.clock import HOUR
from sluice.platform.config.document import Config

_SINGLE = {kind.name for kind in SINGLE.values()}


def follow_up(records: Iterable[Mapping[str, Any]], now: int, config: Config) -> int:
    """Ask for what each listing job that `records` show to have ended makes necessary; how many were asked for.

    Doing it twice changes nothing.
    """
    asked = list[Wish]()
    for record in records:
        if (job := ended(record["dynamodb"])) is None:
            continue
        if is_unreadable(job.error):
            asked += unread.checks(job, record["dynamodb"]["OldImage"], now)
        else:
            asked += _checks(job, now, config)
    for check in asked:
        # As a request of its tenant, so that it stands in the list of jobs, and an operator can have it done at once.
        ask(check, now, config)
    return len(asked)


def _checks(job: Job, now: int, config: Config) -> list[Wish]:
    if job.kind == CHECK.name:
        return [] if job.state == SUCCEEDED else [replace(_wish(job, job.job_id, job.payload), due_at=now + HOUR)]
    if job.kind not in _SINGLE and job.kind != BATCH.name:
        return []
    checks = []
    if _left(job, now):
        payload = {**job.payload, "of": job.job_id} if job.kind == BATCH.name else {"listing_id": _listing(job)}
        checks.append(_wish(job, check_id(job.job_id), payload))
    if sendings := _sent_twice(job):
        payload = {"twins": _changes(job), "sent": sendings}
        twins = _wish(job, check_id(job.job_id, "twins"), payload)
        checks.append(replace(twins, due_at=sendings[1] + config.listings.lost_create_ms))
    return checks


def _left(job: Job, now: int) -> bool:
    """Say what is known of each change that the ended `job` has left open; whether there is any of which it is not.

    That needs no call, and so no account that works: an account may stay broken for weeks.
    """
    result = job.result or {}
    # One that was asked for again while it ended without knowing runs once more, and finds nothing that is its to do.
    if job.state == SUCCEEDED and not result.get("unconfirmed") and result.get("status") != "SUPERSEDED":
        return False
    ids = [row[0] for row in job.payload["listings"]] if job.kind == BATCH.name else [_listing(job)]
    left = False
    for listing in listings.find_many(job.tenant, ids).values():
        found: Listing | None = listing
        if _is_open(listing, job) and change_order.clear(listing, now):
            found = listings.find(job.tenant, listing.listing_id)
        left |= _is_open(found, job)
    return left


def _is_open(listing: Listing | None, job: Job) -> bool:
    return listing is not None and any(change.job_id == job.job_id for change in listing.open_changes())


def _sent_twice(job: Job) -> list[int] | None:
    """When the create of `job` was sent first and last, if that was not once."""
    sent = job.payload.get("submission" if job.kind != BATCH.name else "sent")
    creates = job.kind == SINGLE[Action.CREATE].name or job.payload.get("action") == Action.CREATE
    if not creates or not sent or sent["tries"] < 2:
        return None
    return [sent["first_at"], sent["sent_at"]]


def _changes(job: Job) -> list[list[Any]]:
    """The creates of `job`: listing id and number of the change."""
    if job.kind == BATCH.name:
        return [row[:2] for row in job.payload["listings"]]
    return [[_listing(job), job.payload["submission"]["change"]["number"]]]


def _listing(job: Job) -> str:
    listing_id: str = job.payload["listing_id"]
    return listing_id


def _wish(job: Job, check: str, payload: dict[str, object]) -> Wish:
    return Wish(CHECK, check, job.tenant, job.account, payload, priority=keys.HOT, replace=True)
