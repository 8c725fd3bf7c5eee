"""Asking for many changes at once: each item is checked on its own, then up to 100 share a batch and its one job.

A batch takes only listings on which nothing is open, so that it never waits and never stands in front of itself. An
item whose listing is busy becomes a change of its own, which waits its turn as any other.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import NamedTuple, TypeVar
from uuid import uuid4

from sluice.jobs.model import keys, requests
from sluice.jobs.queue.cancel import cancel
from sluice.jobs.queue.enqueue import enqueue
from sluice.jobs.queue.nudge import nudge
from sluice.listings.stockx import change_order
from sluice.listings.stockx.changes import Action, Change, refusal
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
    current,
    new_listing,
    put_change,
    put_new,
    spec,
)
from sluice.listings.stockx.table import Listing
from sluice.marketplaces.selling import MOST_BATCH_ITEMS, Terms
from sluice.platform.observe import logger

T = TypeVar("T")
R = TypeVar("R")

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
        some, has_rows = _share(action, items[start : start + MOST_BATCH_ITEMS], job, marketplace, asker)
        answers += some
        if has_rows:
            jobs.append(job)
    requests.record(asker.tenant, BATCH.name, jobs, asker.now, asker.config.retention_ms)
    nudge(asker.now)
    return answers


class _Planned(NamedTuple):
    """A change that is to be part of the batch."""

    listing: Listing
    change: Change

    def row(self) -> _Row:
        """As the batch's job names it."""
        amount = self.change.terms.amount if self.change.action is Action.CREATE else None
        return [self.listing.listing_id, self.change.number, amount]


def _share(
    action: Action, items: Sequence[Item], job: str, marketplace: str, asker: Asker
) -> tuple[list[Answer], bool]:
    """Ask for as much as one batch takes; the answers, and whether the batch's job has anything to do.

    ```
     job, due in a minute ──► each change on its listing ──► job, due now, with those that were taken
    ```
    So a change never stands on a listing without a job: a request that dies on the way leaves one that does them all.
    """

    def over_all(step: Callable[[Item, R], T], known: Sequence[R]) -> list[T]:
        with ThreadPoolExecutor(THREADS) as pool:
            return list(pool.map(step, items, known))

    plans = over_all(lambda item, _: _guarded(lambda: _plan(action, item, job, asker)), items)
    rows = _rows(plan for plan in plans if isinstance(plan, _Planned))
    if rows:
        _enqueue(job, action, rows, marketplace, asker, asker.now + change_order.ASKING_MS)
    done = over_all(lambda item, plan: _guarded(lambda: _put(action, item, plan, asker)), plans)
    # What could not be stored may have been: if it was, it is done too.
    taken = _rows(
        plan
        for plan, answer in zip(plans, done, strict=True)
        if isinstance(plan, _Planned) and getattr(answer, "job_id", job) == job
    )
    if taken:
        _enqueue(job, action, taken, marketplace, asker, 0)
    elif rows:
        cancel(job, asker.tenant, asker.now, asker.config)
    return done, bool(taken)


def _rows(plans: Iterable[_Planned]) -> list[_Row]:
    """The rows of a batch, each listing once."""
    return list({plan.listing.listing_id: plan.row() for plan in plans}.values())


def _enqueue(job: str, action: Action, rows: list[_Row], marketplace: str, asker: Asker, due_at: int) -> None:
    account = keys.account(marketplace, asker.tenant)
    payload: dict[str, object] = {"action": str(action), "listings": rows}
    asked = spec(BATCH.name, job, account, asker.tenant, keys.HOT, payload, asker.config)
    enqueue(replace(asked, due_at=due_at), asker.now)


def _guarded(step: Callable[[], R]) -> R | Answer:
    try:
        return step()
    except (Refusal, UnknownListing) as refused:
        return refused
    except Exception:  # noqa: BLE001 - answered for this item; the others go on
        logger.exception("an item could not be stored")
        return NotStored()


def _plan(action: Action, item: Item, job: str, asker: Asker) -> _Planned | None:
    """The change that `item` asks for, if it can be part of the batch; nothing is written."""
    if isinstance(item, Draft):
        return _Planned(
            new_listing(item, asker),
            Change(1, Action.CREATE, job, asker.now, asker.subject, item.terms, item.active),
        )
    listing = current(asker, item.listing_id)
    if listing is None:
        raise UnknownListing(item.listing_id)
    if why := refusal(listing.status, action, listing.open_changes()):
        raise Refusal("listingId", why, conflict=True)
    change = Change(listing.last_change + 1, action, job, asker.now, asker.subject, item.terms)
    return _Planned(listing, change) if _is_free(listing) else None


def _put(action: Action, item: Item, planned: _Planned | Answer | None, asker: Asker) -> Answer:
    """Write the change of `item`: as planned, or where that cannot be, as a change of its own."""
    if isinstance(planned, _Planned):
        listing, change = planned
        put = put_new if isinstance(item, Draft) else put_change
        if put(listing, change):
            return Asked(listing.listing_id, change.job_id)
    elif planned is not None:
        return planned
    if isinstance(item, Draft):
        return create(item, asker)
    return change_listing(asker, item.listing_id, action, item.terms)


def _is_free(listing: Listing) -> bool:
    """Nothing is open on it, and the marketplace has it."""
    return not listing.open_changes() and listing.marketplace_id is not None
