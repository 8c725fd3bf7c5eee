"""Following a batch that was sent: one check at a time, until each of its changes is known.

The same three answers as for a single change (`follow`). A batch whose answer was lost is found by what it has made;
an item that is done without saying which listing it made, among the listings.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import cache, partial
from typing import Any, NamedTuple

from sluice.jobs.model.outcomes import Failure, HandlerResult, Then, Waiting
from sluice.jobs.model.run import Run
from sluice.listings.stockx import follow as single
from sluice.listings.stockx import lost_creates, sellers, settle
from sluice.listings.stockx import table as listings
from sluice.listings.stockx.changes import Action, ListingStatus, Sent, Status, Submission
from sluice.listings.stockx.follow import CHECK_MS, GIVE_UP_MS, LATER_MS, MOST_CREATES, NotReceived, patience
from sluice.listings.stockx.results import (
    NO_ANSWER,
    TIMED_OUT,
    TIMED_OUT_MESSAGE,
    BatchRow,
    Result,
    failed,
    matched,
    meaning,
    observed,
    of_batch,
    overdue,
    result_of,
    same_items,
    shows,
    succeeded,
    timed_out,
)
from sluice.marketplaces import selling as shapes
from sluice.marketplaces.http.errors import MarketplaceFailure
from sluice.marketplaces.selling import BatchItem, BatchKind, MarketBatch, Operation, Seller
from sluice.platform.observe import count, logger

BATCH_KINDS: dict[Action, BatchKind] = {Action.CREATE: "create", Action.UPDATE: "update", Action.DELETE: "delete"}


class BatchFailed(Failure):
    """None of the batch's changes is known to have happened."""

    action = Then.BUSINESS
    code = "batch_failed"


class BatchTask(NamedTuple):
    """A batch that a run works on.

    payload: of the batch's job, whose id is `job_id`; the run may be another's. checking: that job is over, and this
    only finds out what became of its changes.
    """

    run: Run
    job_id: str
    payload: dict[str, Any]
    checking: bool = False

    @property
    def action(self) -> Action:
        """What is done to each listing."""
        return Action(self.payload["action"])

    @property
    def now(self) -> int:
        """Epoch ms."""
        return self.run.clock.now()

    @property
    def kind(self) -> BatchKind:
        """The marketplace's name of this batch."""
        return BATCH_KINDS[self.action]

    def seller(self) -> Seller:
        """The account's listings at the marketplace."""
        return sellers.open_for(self.run.job.account, self.run.calls, self.run.clock)

    def rows(self) -> list[BatchRow]:
        """Every change of this batch, in the order of asking."""
        asked = self.payload["listings"]
        found = listings.find_many(self.run.job.tenant, [listing_id for listing_id, _, _ in asked])
        rows = []
        for listing_id, number, amount in asked:
            if listing := found.get(listing_id):
                change = listing.change(number)
                own = change if change and change.job_id == self.job_id else None
                rows.append(BatchRow(listing, own, amount))
        return rows

    def open_rows(self) -> list[BatchRow]:
        """Those of `rows` that are not settled."""
        return [row for row in self.rows() if row.change]

    def with_sent(self, sent: Sent | None) -> dict[str, Any]:
        """The job's payload with what is known of its call."""
        asked = {name: value for name, value in self.payload.items() if name != "sent"}
        return {**asked, "sent": asdict(sent)} if sent else asked

    def wait(self, sent: Sent, pause_ms: int = CHECK_MS) -> Waiting:
        """Check again later; what nobody waits for, ever less often."""
        pause = patience(sent.first_sent, self.now) if self.checking else pause_ms
        return Waiting(self.now + pause, self.with_sent(sent))

    def settle(self, row: BatchRow, result: Result, sent: Sent | None = None, made: str | None = None) -> None:
        """Write what one change came to. made: the marketplace's new listing."""
        if row.change is None:
            return
        if made:
            listings.adopt(row.listing.account, made, row.listing.listing_id)
        key = (row.listing.tenant, row.listing.listing_id)
        delivery = settle.Sending(made, sent.batch_id, sent.tries) if sent else settle.Sending(made)
        settle.settle(*key, row.change, result, self.now, delivery)

    def leave(
        self,
        row: BatchRow,
        sent: Sent,
        code: str,
        message: str,
        seen: shapes.MarketListing | None = None,
        *,
        read: bool = False,
    ) -> None:
        """Say that nobody knows what became of one change."""
        if row.change is None:
            return
        known = self.submission(row, sent)
        left = row.change.doubt or settle.doubt_of(known, code, message, self.now)
        left = settle.learnt(left, known, seen, read=read)
        settle.leave(row.listing.tenant, row.listing.listing_id, row.change, left, self.now)

    def submission(self, row: BatchRow, sent: Sent) -> Submission:
        """What is known of the sending of one change."""
        assert row.change  # noqa: S101 - callers leave settled rows alone
        return Submission(
            row.change,
            sent.sent_at,
            sent.tries,
            row.listing.marketplace_id,
            batch_id=sent.batch_id,
            was=row.listing.status,
            first_at=sent.first_at,
        )

    def result(self) -> HandlerResult:
        """What the batch came to, by what stands in the history of its listings.

        Raises:
            BatchFailed: none of its changes is known to have happened.
        """
        asked = self.payload["listings"]
        entries = [listings.entry(self.run.job.tenant, listing_id, number) for listing_id, number, _ in asked]
        unknown = [entry for entry in entries if entry and entry.status == ListingStatus.UNCONFIRMED]
        settled = [entry for entry in entries if entry and entry.status != ListingStatus.UNCONFIRMED]
        errors = [entry.metadata["error"] for entry in settled if entry.metadata.get("error")]
        done = len(settled) - len(errors)
        if unknown and not done:
            error = unknown[0].metadata["error"]
            raise BatchFailed(error["message"], code=error["code"])
        if not settled and not unknown:
            return {"status": "SUPERSEDED", "completed": 0, "failed": 0}
        status = of_batch(done, len(errors) + len(unknown))
        if status is Status.FAILED:
            raise BatchFailed(f"none of {len(settled)} changes happened: {errors[0]['message']}")
        counts = {"completed": done, "failed": len(errors)}
        return {"status": str(status), **counts, **({"unconfirmed": len(unknown)} if unknown else {})}


def leave_all(task: BatchTask, rows: Sequence[BatchRow], sent: Sent, code: str, message: str) -> None:
    """Say of each of `rows` that nobody knows what became of it."""
    for row in rows:
        task.leave(row, sent, code, message)


def follow(task: BatchTask, sent: Sent) -> HandlerResult:
    """Check once. What could not be seen this time is checked again; after 15 minutes the rest is UNCONFIRMED.

    Raises:
        NotReceived: a create may be sent once more.
        BatchFailed: none of its changes is known to have happened.
        Failure: the check could not be tried.
    """
    seller = task.seller()
    try:
        if sent.refused:
            return _refused(task, seller, sent, *sent.refused)
        if sent.batch_id is None:
            sent = _found(task, seller, sent)
        if sent.batch_id is None:
            return _lost(task, seller, sent)
        return _seen(task, seller, sent)
    except MarketplaceFailure as failure:
        if failure.action is Then.SNOOZE:
            raise
        if task.checking or task.now - sent.sent_at < GIVE_UP_MS:
            return task.wait(sent, LATER_MS)
    leave_all(task, task.open_rows(), sent, TIMED_OUT, TIMED_OUT_MESSAGE)
    return task.result()


def _refused(task: BatchTask, seller: Seller, sent: Sent, code: str, message: str) -> HandlerResult:
    """The marketplace has refused the whole, perhaps for what one of the listings is: each of them is read."""
    for row in task.open_rows():
        change, listing = row.change, row.listing
        if change is None:
            continue
        seen = single.read_listing(seller, listing.marketplace_id or "")
        so_already = change.action is Action.DELETE and shows(change, seen)
        result = succeeded(change, listing.status) if so_already else failed(change, code, message)
        task.settle(row, observed(result, change, seen, listing.status), sent)
    try:
        return task.result()
    except BatchFailed as none:
        raise BatchFailed(none.message, code=code) from none


def _found(task: BatchTask, seller: Seller, sent: Sent) -> Sent:
    """The batch whose answer was lost: one that was asked for just what this one asks, since, and is nobody's yet."""
    if task.action is not Action.CREATE:
        return sent
    rows, account = task.open_rows(), task.run.job.account
    seen = lost_creates.candidates(seller, sorted({row.listing.variant_id for row in rows}), sent.first_sent)
    for batch_id in dict.fromkeys(one.batch_id for one in seen if one.batch_id):
        if listings.owner(account, batch_id) not in (None, task.job_id):
            continue
        if same_items(rows, seller.batch_items(task.kind, batch_id)) and listings.adopt(account, batch_id, task.job_id):
            return sent.known(seller.batch(task.kind, batch_id))
    _adopt_each(task, seller, rows, [one for one in seen if one.batch_id is None], sent)
    return sent


def _adopt_each(
    task: BatchTask, seller: Seller, rows: Sequence[BatchRow], seen: Sequence[shapes.MarketListing], sent: Sent
) -> list[BatchRow]:
    """Settle those creates whose listing is among `seen`; the others.

    Of a listing its creation is asked for once, however many of a hundred creates it could be.
    """
    left, free = [], list(seen)
    created_by = cache(partial(lost_creates.created_by, seller))
    for row in rows:
        made = next((one for one in free if _makes(created_by, row, one) and _adopted(row, one)), None)
        if made and row.change:
            free.remove(made)
            task.settle(row, observed(succeeded(row.change), row.change, made), sent, made.listing_id)
        else:
            left.append(row)
    return left


def _makes(created_by: Callable[[str], Operation | None], row: BatchRow, seen: shapes.MarketListing) -> bool:
    """Whether `seen` is what the row asks for, and has become that; it may have been given other terms since."""
    change, listing = row.change, row.listing
    if change is None or seen.variant_id != listing.variant_id:
        return False
    if lost_creates.could_be(change, listing.variant_id, seen):
        return bool(shows(change, seen))
    if listings.owner(listing.account, seen.listing_id) not in (None, listing.listing_id):
        return False
    return lost_creates.has_created(created_by(seen.listing_id), change, listing.variant_id, seen)


def _adopted(row: BatchRow, seen: shapes.MarketListing) -> bool:
    return listings.adopt(row.listing.account, seen.listing_id, row.listing.listing_id)


def _lost(task: BatchTask, seller: Seller, sent: Sent) -> HandlerResult:
    """Nothing was found of the batch this time."""
    rows = task.open_rows()
    if not rows:
        return task.result()
    if task.action is not Action.CREATE:
        return _by_listings(task, seller, rows, sent)
    waited, appears_ms = task.now - sent.sent_at, task.run.config.listings.lost_create_ms
    if waited < appears_ms:
        pause = min(patience(sent.sent_at, task.now), appears_ms - waited)
        return task.wait(sent, max(CHECK_MS, pause))
    if not task.checking and sent.tries < MOST_CREATES:
        raise NotReceived
    for row in rows:
        if row.change:
            task.settle(row, failed(row.change, NO_ANSWER, _unanswered(sent)), sent)
    return task.result()


def _unanswered(sent: Sent) -> str:
    times = "once" if sent.tries == 1 else f"{sent.tries} times"
    return f"it was sent {times} without an answer, and the marketplace shows nothing of it"


def _by_listings(task: BatchTask, seller: Seller, rows: Sequence[BatchRow], sent: Sent) -> HandlerResult:
    """Of a batch of updates or deletes without an answer, the listings tell."""
    late, left = overdue(sent.first_sent, task.now), False
    for row in rows:
        if row.change is None:
            continue
        check = single.check_listing(seller, task.submission(row, sent))
        if check.status is Status.COMPLETED:
            task.settle(row, observed(succeeded(row.change, row.listing.status), row.change, check.seen), sent)
        elif late and task.checking:
            result = failed(row.change, NO_ANSWER, _unanswered(sent))
            task.settle(row, observed(result, row.change, check.seen, row.listing.status), sent)
        elif late:
            task.leave(row, sent, TIMED_OUT, TIMED_OUT_MESSAGE, check.seen, read=True)
        else:
            left = True
    return task.wait(sent, LATER_MS) if left else task.result()


def _seen(task: BatchTask, seller: Seller, sent: Sent) -> HandlerResult:
    batch = seller.batch(task.kind, sent.batch_id or "")
    sent, late = sent.known(batch), _is_late(task, sent)
    if not (_is_final(batch) or late or task.checking):
        return task.wait(sent)
    items = seller.batch_items(task.kind, batch.batch_id)
    left, unnamed = list[BatchRow](), list[BatchRow]()
    for row, item in matched(task.action, task.rows(), items):
        if row.change is None:
            continue
        result = _of_item(seller, sent, row, item)
        created = item.listing_id if item and task.action is Action.CREATE else None
        if result is None:
            left.append(row)
        elif task.action is Action.CREATE and result.status is Status.COMPLETED and not created:
            unnamed.append(row)
        else:
            task.settle(row, result, sent, created)
    if _is_final(batch) and task.action is Action.CREATE:
        unnamed, left = [*unnamed, *left], []  # an item that cannot be told apart is as good as one without a listing
    left += _unnamed(task, seller, unnamed, sent)
    if not left:
        return task.result()
    if not late:
        return task.wait(sent)
    return _leave(task, seller, left, sent)


def _is_late(task: BatchTask, sent: Sent) -> bool:
    """Whether this is the last check of a batch that does not end."""
    if task.checking:
        return task.now - sent.first_sent >= task.run.config.listings.unconfirmed_ms
    return overdue(sent.sent_at, task.now)


def _of_item(seller: Seller, sent: Sent, row: BatchRow, item: BatchItem | None) -> Result | None:
    """What the item says. Where it says that an update or a delete was refused, the listing itself is read: it may have
    been sold, or have been changed by the same batch when that was sent before.
    """
    change, listing = row.change, row.listing
    assert change  # noqa: S101 - settled rows are passed over
    result = result_of(change, item, listing.status)
    if result is None or result.status is not Status.FAILED or not listing.marketplace_id:
        return result
    seen = single.read_listing(seller, listing.marketplace_id)
    so_already = shows(change, seen) and (sent.tries > 1 or change.action is Action.DELETE)
    known = succeeded(change, listing.status) if so_already else result
    return observed(known, change, seen, listing.status)


def _unnamed(task: BatchTask, seller: Seller, rows: Sequence[BatchRow], sent: Sent) -> list[BatchRow]:
    """Look for the listings of creates whose items do not name them; those that are not found."""
    if not rows:
        return []
    seen = lost_creates.candidates(seller, sorted({row.listing.variant_id for row in rows}), sent.first_sent)
    return _adopt_each(task, seller, rows, [one for one in seen if one.batch_id in (None, sent.batch_id)], sent)


def _leave(task: BatchTask, seller: Seller, rows: Sequence[BatchRow], sent: Sent) -> HandlerResult:
    """The time is over. Where the listing shows the change it has happened; else nobody knows, and after a day what the
    listing shows is the end of it.
    """
    for row in rows:
        change, marketplace_id = row.change, row.listing.marketplace_id
        if change is None:
            continue
        seen, read = (single.read_listing(seller, marketplace_id), True) if marketplace_id else (None, False)
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
