"""What comes after a listing job that was set aside because its item could not be read.

Its payload said which listings it was about, and what it had sent. So each listing that what is left of the item names
is looked at, and every change of it that has no job: what was never sent is settled, what may have been sent is
UNCONFIRMED from now on, and has a `listing.check` of its own.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, Final

from sluice.jobs.ask import Wish
from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.listings.stockx import change_order
from sluice.listings.stockx import table as listings
from sluice.listings.stockx.changes import Action, ListingStatus, Sent
from sluice.listings.stockx.kinds import CHECK, KINDS
from sluice.platform.clock import HOUR
from sluice.platform.observe import logger

_KINDS: Final = {kind.name for kind in KINDS}
_SENT: Final = {field.name for field in fields(Sent)}


def checks(job: Job, item: Mapping[str, Any], now: int) -> list[Wish]:
    """Settle what `job`, which stands in the place of `item`, has left; the checks of what is not known.

    Nothing is trusted but the job's key, and a check's payload that says all that a check needs. What looks like the id
    of a listing may be one: then it is of that tenant.
    """
    kind, *whose = keys.job_parts(job.job_id)
    if kind not in _KINDS:
        return []
    if len(whose) < 2:
        logger.error("nobody knows whose an unreadable job was", extra={"job_id": job.job_id})
        return []
    marketplace, tenant, *_ = whose
    payload = str(item.get("payload", {}).get("S", ""))
    if kind == CHECK.name and _is_whole(asked := _object(payload)):
        # As any check that has died.
        return [_check(job.job_id, marketplace, tenant, asked, due_at=now + HOUR)]
    ids = {found.group() for found in re.finditer(listings.ID, f"{job.job_id} {payload}")}
    if not ids:
        logger.error("nobody knows which listings an unreadable job was about", extra={"job_id": job.job_id})
    return [
        _check(keys.job_id(CHECK.name, marketplace, tenant, one), marketplace, tenant, {"listing_id": one})
        for one in _unconfirmed(tenant, sorted(ids), now)
    ]


def _unconfirmed(tenant: str, listing_ids: Iterable[str], now: int) -> list[str]:
    """Those of the listings of which something is UNCONFIRMED, when what was left on them is cleared."""
    found = listings.find_many(tenant, listing_ids)
    left = [listing_id for listing_id, listing in found.items() if change_order.clear(listing, now)]
    known = {**found, **listings.find_many(tenant, left)}
    return [one.listing_id for one in known.values() if one.shown_status == ListingStatus.UNCONFIRMED]


def _check(job_id: str, marketplace: str, tenant: str, payload: Mapping[str, Any], due_at: int = 0) -> Wish:
    account = keys.account(marketplace, tenant)
    return Wish(CHECK, job_id, tenant, account, payload, priority=keys.HOT, due_at=due_at, replace=True)


def _is_whole(asked: Mapping[str, Any]) -> bool:
    """Whether it is the payload of a check (see `check`): one that is not would make a check that dies each time."""
    match asked:
        case {"twins": [*rows], "sent": [int(), int()]}:
            return all(_is_row(row, 2) for row in rows)
        case {"listings": [*rows], "of": str(), "action": str(action)}:
            return action in list(Action) and all(_is_row(row, 3) for row in rows) and _can_be_sent(asked.get("sent"))
        case {"listing_id": str()}:
            return not asked.keys() & {"twins", "listings"}
    return False


def _is_row(row: object, length: int) -> bool:
    """Whether it begins with a listing's id and the number of a change."""
    match row:
        case [str(), int(), *_]:
            return len(row) == length
    return False


def _can_be_sent(sent: object) -> bool:
    """Whether it is what a batch knows of its call (`changes.Sent`), or nothing."""
    return not sent or (isinstance(sent, dict) and isinstance(sent.get("sent_at"), int) and sent.keys() <= _SENT)


def _object(text: str) -> Mapping[str, Any]:
    """The object that `text` is in JSON; empty where it is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
