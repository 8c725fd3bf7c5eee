"""One run of `listing.batch`: up to 100 changes of one kind in one call, followed until each item is final.

```
 begin ──► call ──► batch id, waiting ──► the batch's state ──► final: its items, each settled on its own
             └─ no answer: updates and deletes are sent again, for they change nothing twice. Creates never are: the
                batch is looked for among the listings, and when the time is over they have failed
```
"""

from dataclasses import asdict, dataclass, replace
from typing import Any

from sluice.jobs.model import kinds
from sluice.jobs.model.outcomes import Action as Then
from sluice.jobs.model.outcomes import Failure, LeaseOver, Outcome, Refused, Waiting
from sluice.jobs.model.run import Run
from sluice.jobs.queue import finish
from sluice.listings.stockx import look as looking
from sluice.listings.stockx import settle
from sluice.listings.stockx import table as listings
from sluice.listings.stockx.batch_items import Row, matched, result_of
from sluice.listings.stockx.changes import Change
from sluice.listings.stockx.look import CLOCKS_MS
from sluice.listings.stockx.results import AUTHENTICATION_FAILED, Result, failed, overdue, shows, succeeded, timed_out
from sluice.listings.stockx.status import Action, Status, meaning, of_batch
from sluice.listings.stockx.table import Listing
from sluice.listings.stockx.task import LATER_MS, LOOK_MS
from sluice.marketplaces.http.errors import AccountBroken, MarketplaceFailure
from sluice.marketplaces.selling import Batch, BatchItem, BatchKind
from sluice.marketplaces.stockx import selling as stockx_selling
from sluice.marketplaces.stockx.selling import Selling
from sluice.platform.observe import count, logger

KINDS: dict[Action, BatchKind] = {Action.CREATE: "create", Action.UPDATE: "update", Action.DELETE: "delete"}


class BatchFailed(Failure):
    """None of the batch's changes happened."""

    action = Then.BUSINESS
    code = "batch_failed"


@dataclass(frozen=True)
class Sent:
    """What a batch job remembers of its call: stored before it is made.

    sent_at: when it was first made, epoch ms; tries: how often. counts: the marketplace's items by status word.
    """

    sent_at: int
    tries: int = 1
    batch_id: str | None = None
    counts: dict[str, int] | None = None


@dataclass(frozen=True)
class Task:
    """What the parts of one run share."""

    run: Run
    action: Action

    @property
    def now(self) -> int:
        """Epoch ms."""
        return self.run.clock.now()

    @property
    def kind(self) -> BatchKind:
        """The marketplace's name of this batch."""
        return KINDS[self.action]

    def selling(self) -> Selling:
        """The account's listings at the marketplace."""
        return Selling.open(self.run.job.account, self.run.calls, self.run.clock)

    def rows(self) -> list[Row]:
        """Every change of this batch, in the order of asking."""
        asked = self.run.payload["listings"]
        found = listings.find_many(self.run.job.tenant, [listing_id for listing_id, _, _ in asked])
        return [
            Row(found[listing_id], found[listing_id].change(number), amount)
            for listing_id, number, amount in asked
            if listing_id in found
        ]

    def payload(self, sent: Sent | None) -> dict[str, Any]:
        """The job's payload with what is known of its call."""
        asked = {name: self.run.payload[name] for name in ("action", "listings")}
        return {**asked, "sent": asdict(sent)} if sent else asked

    def wait(self, sent: Sent, pause_ms: int = LOOK_MS) -> Waiting:
        """Look again later."""
        return Waiting(self.now + pause_ms, self.payload(sent))

    def settle(self, row: Row, result: Result, sent: Sent | None = None, made: str | None = None) -> None:
        """Write what one change came to. made: the marketplace's new listing."""
        if row.change is None:
            return
        if made:
            listings.adopt(row.listing.account, made, row.listing.listing_id)
        key = (row.listing.tenant, row.listing.listing_id)
        batch_id = sent.batch_id if sent else None
        settle.settle(*key, row.change, result, self.now, marketplace_id=made, operation_id=batch_id)


def run(run: Run) -> Outcome:
    """One run of a batch. The result is `{"status", "completed", "failed"}`.

    Raises:
        BatchFailed: none of its changes happened.
        Failure: it could not be tried; the engine tries again.
    """
    task = Task(run, Action(run.payload["action"]))
    fields = run.payload.get("sent")
    try:
        return _run(task, Sent(**fields) if fields else None)
    except (LeaseOver, BatchFailed):
        raise
    except Exception as error:
        known = error if isinstance(error, Failure) else Failure("the batch could not be worked on", code="internal")
        if isinstance(error, AccountBroken) and error.found and fields:
            return _fail(task, AUTHENTICATION_FAILED, error.message)
        if known.action is Then.SNOOZE or (known.action is Then.RETRY and not _used_up(run)):
            raise
        return _fail(task, known.code, known.message)


def _run(task: Task, sent: Sent | None) -> Outcome:
    if sent is None:
        return _submit(task)
    if sent.batch_id is None:
        if task.action is not Action.CREATE and not overdue(sent.sent_at, task.now):
            return _submit(task, sent)
        sent = _find(task, sent)
    return _follow(task, sent)


def _submit(task: Task, before: Sent | None = None) -> Outcome:
    items = [_item(row.listing, row.change) for row in task.rows() if row.change]
    if not items:
        return _result(task)
    sent = replace(before, tries=before.tries + 1) if before else Sent(task.now)
    selling, job = task.selling(), task.run.job
    finish.begin(job, task.payload(sent), task.now)
    try:
        batch = selling.submit_batch(task.kind, items)
    except Failure as failure:
        if isinstance(failure, MarketplaceFailure) and failure.uncertain:
            return task.wait(sent)
        finish.begin(job, task.payload(before), task.now)
        raise
    return task.wait(_known(sent, batch))


def _item(listing: Listing, change: Change) -> dict[str, Any]:
    marketplace_id = listing.marketplace_id or ""
    match change.action:
        case Action.CREATE:
            return stockx_selling.create_item(listing.variant_id, change.terms, active=change.active)
        case Action.UPDATE:
            return stockx_selling.update_item(marketplace_id, change.terms)
        case Action.DELETE:
            return stockx_selling.delete_item(marketplace_id)
    raise Refused(f"{change.action} is not done in batches")


def _find(task: Task, sent: Sent) -> Sent:
    """The batch whose answer was lost: one that has made listings of ours since, is as large, and nobody's yet."""
    if task.action is not Action.CREATE:
        return sent
    rows, selling, since = task.rows(), task.selling(), sent.sent_at - CLOCKS_MS
    try:
        seen, _ = selling.find(sorted({row.listing.variant_id for row in rows}), since)
        for batch_id in sorted({one.batch_id for one in seen if one.batch_id and one.created_at >= since}):
            batch = selling.batch(task.kind, batch_id)
            if batch.total == len(rows) and listings.adopt(task.run.job.account, batch_id, task.run.job.job_id):
                return _known(sent, batch)
    except MarketplaceFailure as failure:
        if failure.action is Then.SNOOZE:
            raise
    return sent


def _follow(task: Task, sent: Sent) -> Outcome:
    """Look once. What could not be seen this time is looked at again; after 15 minutes it is over."""
    late, items, selling = overdue(sent.sent_at, task.now), list[BatchItem](), task.selling()
    if sent.batch_id is None and not late:
        return task.wait(sent)
    if sent.batch_id:
        try:
            batch = selling.batch(task.kind, sent.batch_id)
            sent = _known(sent, batch)
            if not (_is_final(batch) or late):
                return task.wait(sent)
            items = selling.batch_items(task.kind, batch.batch_id)
        except MarketplaceFailure as failure:
            if failure.action is Then.SNOOZE:
                raise
            if not late:
                return task.wait(sent, LATER_MS)
    for row, item in matched(task.action, task.rows(), items):
        result = _of_item(selling, sent, row.change, item, row.listing) if row.change else None
        if row.change and result is None:
            if not late:
                return task.wait(sent)
            result = _timed_out(selling, row.change, row.listing)
        if result:
            made = item.listing_id if item and task.action is Action.CREATE else None
            task.settle(row, result, sent, made)
    return _result(task)


def _of_item(selling: Selling, sent: Sent, change: Change, item: BatchItem | None, listing: Listing) -> Result | None:
    """What the item says. One that was sent twice may fail because the first time did it: then the listing counts."""
    result = result_of(change, item)
    failed_again = result is not None and result.status is Status.FAILED and sent.tries > 1
    if failed_again and listing.marketplace_id and shows(change, looking.find(selling, listing.marketplace_id)):
        return succeeded(change)
    return result


def _timed_out(selling: Selling, change: Change, listing: Listing) -> Result:
    """Nobody said in time what became of it: what the listing itself shows is what happened."""
    if listing.marketplace_id is None:
        return timed_out(change, None, looked=False)
    return timed_out(change, looking.find(selling, listing.marketplace_id), looked=True)


def _known(sent: Sent, batch: Batch) -> Sent:
    return replace(sent, batch_id=batch.batch_id, counts=dict(batch.counts))


def _is_final(batch: Batch) -> bool:
    """StockX lists no words for a batch: it is over when it has an end time, or says so."""
    status = meaning(batch.word)
    if status is None:
        count("OperationWordsUnknown")
        logger.warning("a batch has a status that nobody knows", extra={"status_word": batch.word})
    return batch.completed or status in (Status.COMPLETED, Status.FAILED, Status.PARTIAL)


def _result(task: Task) -> Outcome:
    """What the batch came to, by what stands in the history of its listings."""
    asked = task.run.payload["listings"]
    entries = [listings.entry(task.run.job.tenant, listing_id, number) for listing_id, number, _ in asked]
    errors = [entry.metadata["error"]["message"] for entry in entries if entry and entry.metadata.get("error")]
    done = sum(1 for entry in entries if entry) - len(errors)
    status = of_batch(done, len(asked) - done)
    if status is Status.FAILED:
        raise BatchFailed(f"none of {len(asked)} changes happened: {errors[0] if errors else 'they are not open'}")
    return {"status": str(status), "completed": done, "failed": len(asked) - done}


def _fail(task: Task, code: str, message: str) -> Outcome:
    """The whole batch is over: every change that is still open has failed."""
    for row in task.rows():
        if row.change:
            task.settle(row, failed(row.change, code, message))
    raise BatchFailed(message, code=code)


def _used_up(run: Run) -> bool:
    return run.job.attempts >= kinds.most_attempts(run.job.kind, run.config)
