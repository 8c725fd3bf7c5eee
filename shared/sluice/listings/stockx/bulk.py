"""Asking for many changes at once: each item is checked on its own, then up to 100 share a batch and its one job.

A batch takes only listings on which nothing is open, so that it never waits and never stands in front of itself. An
item whose listing is busy becomes a change of its own, which waits its turn as any other.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple
from uuid import uuid4

from sluice.jobs.model import keys, requests
from sluice.jobs.queue.enqueue import enqueue
from sluice.jobs.queue.nudge import nudge
from sluice.listings.stockx import table as listings
from sluice.listings.stockx.changes import Change
from sluice.listings.stockx.kinds import BATCH
from sluice.listings.stockx.request import (
    Asked,
    Asker,
    Draft,
    Refusal,
    UnknownListing,
    change_listing,
    check_account,
    create,
    new_listing,
    put_change,
    put_new,
    spec,
)
from sluice.listings.stockx.rules import refusal
from sluice.listings.stockx.status import Action
from sluice.listings.stockx.table import Listing
from sluice.marketplaces.selling import MOST_BATCH_ITEMS, Terms
from sluice.platform.observe import logger

THREADS = 16


class Edit(NamedTuple):
    """New terms for a listing, or none to delete it."""

    listing_id: str
    terms: Terms


class NotStored(Exception):  # noqa: N818 - an answer to the caller
    """The item could not be stored for a reason of ours; it may be asked for again."""


# An item as it was asked for, and its answer.
Item = Draft | Edit
Answer = Asked | Refusal | UnknownListing | NotStored

# A row of a batch's payload: the listing, the number of its change, and the amount of a create.
_Row = list[object]


def ask(action: Action, items: Sequence[Item], marketplace: str, asker: Asker) -> list[Answer]:
    """Ask for `action` on each of `items`; the answers are in their order. A refused item stops no other.

    Raises:
        Refusal: no account is connected.
    """
    check_account(marketplace, asker.tenant)
    answers: list[Answer] = []
    jobs: list[str] = []
    for start in range(0, len(items), MOST_BATCH_ITEMS):
        job = keys.job_id(BATCH.name, marketplace, asker.tenant, uuid4().hex)
        share = items[start : start + MOST_BATCH_ITEMS]
        with ThreadPoolExecutor(THREADS) as pool:
            done = list(pool.map(lambda item, job=job: _one(action, item, job, asker), share))
        rows = [row for _, row in done if row]
        if rows:
            account = keys.account(marketplace, asker.tenant)
            payload: dict[str, object] = {"action": str(action), "listings": rows}
            enqueue(spec(BATCH.name, job, account, asker.tenant, keys.HOT, payload, asker.config), asker.now)
            jobs.append(job)
        answers += [answer for answer, _ in done]
    requests.record(asker.tenant, BATCH.name, jobs, asker.now, asker.config.retention_ms)
    nudge(asker.now)
    return answers


def _one(action: Action, item: Item, job: str, asker: Asker) -> tuple[Answer, _Row | None]:
    try:
        if isinstance(item, Draft):
            return _create(item, job, asker)
        return _change(action, item, job, asker)
    except (Refusal, UnknownListing) as refused:
        return refused, None
    except Exception:  # noqa: BLE001 - answered for this item; the others go on
        logger.exception("an item could not be stored")
        return NotStored(), None


def _create(draft: Draft, job: str, asker: Asker) -> tuple[Answer, _Row | None]:
    listing = new_listing(draft, asker)
    change = Change(1, Action.CREATE, job, asker.now, asker.subject, draft.terms, draft.active)
    if put_new(listing, change):
        return Asked(listing.listing_id, job), [listing.listing_id, change.number, draft.terms.amount]
    return create(draft, asker), None


def _change(action: Action, edit: Edit, job: str, asker: Asker) -> tuple[Answer, _Row | None]:
    listing = listings.find(asker.tenant, edit.listing_id)
    if listing is None:
        raise UnknownListing(edit.listing_id)
    if why := refusal(listing.status, action, listing.open_changes()):
        raise Refusal("listingId", why, conflict=True)
    change = Change(listing.last_change + 1, action, job, asker.now, asker.subject, edit.terms)
    if _is_free(listing) and put_change(listing, change):
        return Asked(listing.listing_id, job), [listing.listing_id, change.number, None]
    return change_listing(asker, edit.listing_id, action, edit.terms), None


def _is_free(listing: Listing) -> bool:
    """Nothing is open on it, and the marketplace has it."""
    return not listing.open_changes() and listing.marketplace_id is not None
