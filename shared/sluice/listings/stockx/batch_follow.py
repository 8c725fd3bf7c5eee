"""Following a batch that was sent: one check at a time, until each of its changes is known.

The same three answers as for a single change (`follow`). A batch whose answer was lost is found by what it has made;
an item that is done without saying which listing it made, among the listings.
"""

from collections.abc import Sequence

from sluice.jobs.model.outcomes import HandlerResult, Then
from sluice.listings.stockx import look as looking
from sluice.listings.stockx import table as listings
from sluice.listings.stockx.batch_items import Row, matched, result_of, same
from sluice.listings.stockx.batch_task import BatchTask, Sent, leave_all
from sluice.listings.stockx.follow import GIVE_UP_MS, MOST_CREATES, NotReceived
from sluice.listings.stockx.results import (
    NO_ANSWER,
    TIMED_OUT,
    TIMED_OUT_MESSAGE,
    Result,
    failed,
    observed,
    overdue,
    shows,
    succeeded,
    timed_out,
)
from sluice.listings.stockx.status import Action, Status, meaning
from sluice.listings.stockx.task import LATER_MS, LOOK_MS, patience
from sluice.marketplaces import selling as shapes
from sluice.marketplaces.http.errors import MarketplaceFailure
from sluice.marketplaces.selling import BatchItem, MarketBatch
from sluice.marketplaces.stockx.selling import Selling
from sluice.platform.observe import count, logger


def follow(task: BatchTask, sent: Sent) -> HandlerResult:
    """Check once. What could not be seen this time is checked again; after 15 minutes the rest is UNCONFIRMED.

    Raises:
        NotReceived: a create may be sent once more.
        BatchFailed: none of its changes is known to have happened.
        Failure: the check could not be tried.
    """
    selling = task.selling()
    try:
        if sent.batch_id is None:
            sent = _found(task, selling, sent)
        if sent.batch_id is None:
            return _lost(task, selling, sent)
        return _seen(task, selling, sent)
    except MarketplaceFailure as failure:
        if failure.action is Then.SNOOZE:
            raise
        if task.checking or task.now - sent.sent_at < GIVE_UP_MS:
            return task.wait(sent, LATER_MS)
    leave_all(task, task.open_rows(), sent, TIMED_OUT, TIMED_OUT_MESSAGE)
    return task.result()


def _found(task: BatchTask, selling: Selling, sent: Sent) -> Sent:
    """The batch whose answer was lost: one that was asked for just what this one asks, since, and is nobody's yet."""
    if task.action is not Action.CREATE:
        return sent
    rows, account = task.open_rows(), task.run.job.account
    seen = looking.candidates(selling, sorted({row.listing.variant_id for row in rows}), sent.first_sent)
    for batch_id in dict.fromkeys(one.batch_id for one in seen if one.batch_id):
        if listings.owner(account, batch_id) not in (None, task.job_id):
            continue
        if same(rows, selling.batch_items(task.kind, batch_id)) and listings.adopt(account, batch_id, task.job_id):
            return sent.known(selling.batch(task.kind, batch_id))
    _adopt_each(task, rows, [one for one in seen if one.batch_id is None], sent)
    return sent


def _adopt_each(task: BatchTask, rows: Sequence[Row], seen: Sequence[shapes.MarketListing], sent: Sent) -> list[Row]:
    """Settle those creates whose listing is among `seen`; the others."""
    left = []
    for row in rows:
        made = next((one for one in seen if _makes(row, one) and _adopted(row, one)), None)
        if made and row.change:
            task.settle(row, observed(succeeded(row.change), row.change, made), sent, made.listing_id)
        else:
            left.append(row)
    return left


def _makes(row: Row, seen: shapes.MarketListing) -> bool:
    """Whether `seen` is what the row asks for, and has become that."""
    change = row.change
    return bool(change and looking.could_be(change, row.listing.variant_id, seen) and shows(change, seen))


def _adopted(row: Row, seen: shapes.MarketListing) -> bool:
    return listings.adopt(row.listing.account, seen.listing_id, row.listing.listing_id)


def _lost(task: BatchTask, selling: Selling, sent: Sent) -> HandlerResult:
    """Nothing was found of the batch this time."""
    rows = task.open_rows()
    if not rows:
        return task.result()
    if task.action is not Action.CREATE:
        return _by_listings(task, selling, rows, sent)
    waited, appears_ms = task.now - sent.sent_at, task.run.config.lost_create_ms
    if waited < appears_ms:
        pause = min(patience(sent.sent_at, task.now), appears_ms - waited)
        return task.wait(sent, max(LOOK_MS, pause))
    if not task.checking and sent.tries < MOST_CREATES:
        raise NotReceived
    for row in rows:
        if row.change:
            task.settle(row, failed(row.change, NO_ANSWER, _unanswered(sent)), sent)
    return task.result()


def _unanswered(sent: Sent) -> str:
    times = "once" if sent.tries == 1 else f"{sent.tries} times"
    return f"it was sent {times} without an answer, and the marketplace shows nothing of it"


def _by_listings(task: BatchTask, selling: Selling, rows: Sequence[Row], sent: Sent) -> HandlerResult:
    """Of a batch of updates or deletes without an answer, the listings tell."""
    late, left = overdue(sent.first_sent, task.now), False
    for row in rows:
        if row.change is None:
            continue
        look = looking.at_listing(selling, task.submission(row, sent))
        if look.status is Status.COMPLETED:
            task.settle(row, observed(succeeded(row.change, row.listing.status), row.change, look.seen), sent)
        elif late and task.checking:
            result = failed(row.change, NO_ANSWER, _unanswered(sent))
            task.settle(row, observed(result, row.change, look.seen, row.listing.status), sent)
        elif late:
            task.leave(row, sent, TIMED_OUT, TIMED_OUT_MESSAGE, look.seen, read=True)
        else:
            left = True
    return task.wait(sent, LATER_MS) if left else task.result()


def _seen(task: BatchTask, selling: Selling, sent: Sent) -> HandlerResult:
    batch = selling.batch(task.kind, sent.batch_id or "")
    sent, late = sent.known(batch), _is_late(task, sent)
    if not (_is_final(batch) or late or task.checking):
        return task.wait(sent)
    items = selling.batch_items(task.kind, batch.batch_id)
    left, unnamed = list[Row](), list[Row]()
    for row, item in matched(task.action, task.rows(), items):
        if row.change is None:
            continue
        result = _of_item(selling, sent, row, item)
        created = item.listing_id if item and task.action is Action.CREATE else None
        if result is None:
            left.append(row)
        elif task.action is Action.CREATE and result.status is Status.COMPLETED and not created:
            unnamed.append(row)
        else:
            task.settle(row, result, sent, created)
    if _is_final(batch) and task.action is Action.CREATE:
        unnamed, left = [*unnamed, *left], []  # an item that cannot be told apart is as good as one without a listing
    left += _unnamed(task, selling, unnamed, sent)
    if not left:
        return task.result()
    if not late:
        return task.wait(sent)
    return _leave(task, selling, left, sent)


def _is_late(task: BatchTask, sent: Sent) -> bool:
    """Whether this is the last check of a batch that does not end."""
    if task.checking:
        return task.now - sent.first_sent >= task.run.config.unconfirmed_ms
    return overdue(sent.sent_at, task.now)


def _of_item(selling: Selling, sent: Sent, row: Row, item: BatchItem | None) -> Result | None:
    """What the item says. Where it says that an update or a delete was refused, the listing itself is read: it may have
    been sold, or have been changed by the same batch when that was sent before.
    """
    change, listing = row.change, row.listing
    assert change  # noqa: S101 - settled rows are passed over
    result = result_of(change, item, listing.status)
    if result is None or result.status is not Status.FAILED or not listing.marketplace_id:
        return result
    seen = looking.find(selling, listing.marketplace_id)
    so_already = shows(change, seen) and (sent.tries > 1 or change.action is Action.DELETE)
    known = succeeded(change, listing.status) if so_already else result
    return observed(known, change, seen, listing.status)


def _unnamed(task: BatchTask, selling: Selling, rows: Sequence[Row], sent: Sent) -> list[Row]:
    """Look for the listings of creates whose items do not name them; those that are not found."""
    if not rows:
        return []
    seen = looking.candidates(selling, sorted({row.listing.variant_id for row in rows}), sent.first_sent)
    return _adopt_each(task, rows, [one for one in seen if one.batch_id in (None, sent.batch_id)], sent)


def _leave(task: BatchTask, selling: Selling, rows: Sequence[Row], sent: Sent) -> HandlerResult:
    """The time is over. Where the listing shows the change it has happened; else nobody knows, and after a day what the
    listing shows is the end of it.
    """
    for row in rows:
        change, marketplace_id = row.change, row.listing.marketplace_id
        if change is None:
            continue
        seen, read = (looking.find(selling, marketplace_id), True) if marketplace_id else (None, False)
        if task.checking or (read and shows(change, seen)):
            task.settle(row, timed_out(change, seen, row.listing.status), sent)
        else:
            task.leave(row, sent, TIMED_OUT, TIMED_OUT_MESSAGE, seen, read=read)
    return task.result()


def _is_final(batch: MarketBatch) -> bool:
    """StockX lists no words for a batch: it is over when it has an end time, or says so."""
    status = meaning(batch.word)
    if status is None:
        count("OperationWordsUnknown")
        logger.warning("a batch has a status that nobody knows", extra={"status_word": batch.word})
    return batch.completed or status in (Status.COMPLETED, Status.FAILED, Status.PARTIAL)
