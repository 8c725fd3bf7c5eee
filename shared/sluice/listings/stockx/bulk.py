"""Asking for many changes at once: each item is checked on its own, then up to 100 share a batch and its one job.

A batch takes only listings on which nothing is open, so that it never waits and never stands in front of itself. An
item whose listing is busy becomes a change of its own, which waits its turn as any other.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar
from uuid import uuid4

from sluice.jobs.ask import Wish, remember, want
from sluice.jobs.model import keys
from sluice.jobs.queue.cancel import cancel
from sluice.jobs.queue.enqueue import Enqueued
from sluice.listings.stockx.changes import Action, Change, refusal
from sluice.listings.stockx.kinds import BATCH
from sluice.listings.stockx.request import (
    AskedChange,
    Asker,
    ListingDraft,
    UnknownListing,
    change_listing,
    check_account,
    create,
    current,
    new_listing,
    put_change,
    put_new,
)
from sluice.listings.stockx.table import Listing
from sluice.marketplaces.selling import MOST_BATCH_ITEMS, Terms
from sluice.platform.clock import MINUTE
from sluice.platform.observe import logger
from sluice.platform.refused import CONFLICT, Refused

T = TypeVar("T")
R = TypeVar("R")

THREADS = 16
PRIORITY = keys.HOT
# A request stores a batch's job first, and then the changes that it does. It lives for less than this.
ASKING_MS = MINUTE


class TermsEdit(NamedTuple):
    """New terms for a listing, or none to delete it."""

    listing_id: str
    terms: Terms


class ChangeNotStored(Exception):  # noqa: N818 - an answer to the caller
    """The item could not be stored for a reason of ours; it may be asked for again."""


# An item as it was asked for, and its answer.
Item = ListingDraft | TermsEdit
Answer = AskedChange | Refused | UnknownListing | ChangeNotStored

# A row of a batch's payload: the listing, the number of its change, and the amount of a create.
_Row = list[object]


def ask(action: Action, items: Sequence[Item], marketplace: str, asker: Asker) -> list[Answer]:
    """Ask for `action` on each of `items`; the answers are in their order. A refused item stops no other.

    Raises:
        Refused: no account is connected.
    """
    check_account(marketplace, asker.tenant)
    answers: list[Answer] = []
    jobs: list[tuple[str, int, Enqueued]] = []
    for start in range(0, len(items), MOST_BATCH_ITEMS):
        job = keys.job_id(BATCH.name, marketplace, asker.tenant, uuid4().hex)
        some, done = _share(action, items[start : start + MOST_BATCH_ITEMS], job, marketplace, asker)
        answers += some
        if done:
            jobs.append((BATCH.name, PRIORITY, done))
    remember(asker.tenant, jobs, asker.now, asker.config, at_once=True)
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
) -> tuple[list[Answer], Enqueued | None]:
    """Ask for as much as one batch takes; the answers, and the batch's job if that has anything to do.

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
        _enqueue(job, action, rows, marketplace, asker, asker.now + ASKING_MS)
    done = over_all(lambda item, plan: _guarded(lambda: _put(action, item, plan, asker)), plans)
    # What could not be stored may have been: if it was, it is done too.
    taken = _rows(
        plan
        for plan, answer in zip(plans, done, strict=True)
        if isinstance(plan, _Planned) and getattr(answer, "job_id", job) == job
    )
    if taken:
        return done, _enqueue(job, action, taken, marketplace, asker, 0)
    if rows:
        cancel(job, asker.tenant, asker.now, asker.config)
    return done, None


def _rows(plans: Iterable[_Planned]) -> list[_Row]:
    """The rows of a batch, each listing once."""
    return list({plan.listing.listing_id: plan.row() for plan in plans}.values())


def _enqueue(job: str, action: Action, rows: list[_Row], marketplace: str, asker: Asker, due_at: int) -> Enqueued:
    account, payload = keys.account(marketplace, asker.tenant), {"action": str(action), "listings": rows}
    wish = Wish(BATCH, job, asker.tenant, account, payload, priority=PRIORITY, due_at=due_at, replace=True)
    return want(wish, asker.now, asker.config)


def _guarded(step: Callable[[], R]) -> R | Answer:
    try:
        return step()
    except (Refused, UnknownListing) as refused:
        return refused
    except Exception:  # noqa: BLE001 - answered for this item; the others go on
        logger.exception("an item could not be stored")
        return ChangeNotStored()


def _plan(action: Action, item: Item, job: str, asker: Asker) -> _Planned | None:
    """The change that `item` asks for, if it can be part of the batch; nothing is written."""
    if isinstance(item, ListingDraft):
        return _Planned(
            new_listing(item, asker),
            Change(1, Action.CREATE, job, asker.now, asker.subject, item.terms, item.active),
        )
    listing = current(asker, item.listing_id)
    if listing is None:
        raise UnknownListing(item.listing_id)
    if why := refusal(listing.status, action, listing.open_changes()):
        raise Refused("listingId", why, code=CONFLICT)
    change = Change(listing.last_change + 1, action, job, asker.now, asker.subject, item.terms)
    return _Planned(listing, change) if _is_free(listing) else None


def _put(action: Action, item: Item, planned: _Planned | Answer | None, asker: Asker) -> Answer:
    """Write the change of `item`: as planned, or where that cannot be, as a change of its own."""
    if isinstance(planned, _Planned):
        listing, change = planned
        put = put_new if isinstance(item, ListingDraft) else put_change
        if put(listing, change):
            return AskedChange(listing.listing_id, change.job_id, change.number)
    elif planned is not None:
        return planned
    if isinstance(item, ListingDraft):
        return create(item, asker)
    return change_listing(asker, item.listing_id, action, item.terms)


def _is_free(listing: Listing) -> bool:
    """Nothing is open on it, and the marketplace has it."""
    return not listing.open_changes() and listing.marketplace_id is not None
