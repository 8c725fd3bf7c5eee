"""One run of `listing.batch`: up to 100 changes of one kind in one call, followed until each item is final.

```
 begin ──► call ──► batch id, waiting ──► the batch's state ──► final: its items, each settled on its own
             └─ no answer: updates and deletes are sent again, for they change nothing twice. Creates are looked for
                first, as single ones are, and sent once more when nothing of them has appeared
```
"""

from dataclasses import replace
from typing import Any

from sluice.jobs.model import kinds
from sluice.jobs.model.outcomes import Failure, HandlerResult, LeaseOver, Then, Waiting
from sluice.jobs.model.run import Run
from sluice.jobs.queue import finish
from sluice.listings.stockx import batch_follow, change_order, request, settle
from sluice.listings.stockx import table as listings
from sluice.listings.stockx.batch_follow import BatchFailed, BatchTask, follow, leave_all
from sluice.listings.stockx.changes import Action, Change, Sent, sent_of
from sluice.listings.stockx.follow import BY_ITS_STATE, MOST_TRIES, NotReceived
from sluice.listings.stockx.results import (
    AUTHENTICATION_FAILED,
    INTERNAL,
    NOT_SENT,
    failed,
    overdue,
    unsent,
    was_not_received,
)
from sluice.listings.stockx.table import Listing
from sluice.marketplaces.http.errors import AccountBroken, MarketplaceFailure
from sluice.marketplaces.selling import BatchAsk


def run(run: Run) -> HandlerResult:
    """One run of a batch. The result is `{"status", "completed", "failed", "unconfirmed"}`.

    Raises:
        BatchFailed: none of its changes is known to have happened.
        Failure: it could not be tried; the engine tries again.
    """
    task = BatchTask(run, run.job.job_id, run.payload)
    try:
        if again := _replayed(task):
            return _submit(again, sent_of(run.payload))
        return _run(task, sent_of(run.payload))
    except (LeaseOver, BatchFailed):
        raise
    except Exception as error:
        known = error if isinstance(error, Failure) else Failure("the batch could not be worked on", code=INTERNAL)
        if isinstance(error, AccountBroken) and error.found and run.payload.get("sent"):
            return _end(task, AUTHENTICATION_FAILED, error.message)
        if known.action is Then.SNOOZE or (known.action is Then.RETRY and not _used_up(run)):
            raise
        return _end(task, known.code, known.message, ours=known.action is Then.RETRY)


def _replayed(task: BatchTask) -> BatchTask | None:
    """The replayed batch, with those of its changes put on their listings once more that are known not to have been
    received; None where there is nothing of that kind to do. What is not known yet is found out first, as ever.
    """
    if task.run.job.letter is None or task.open_rows():
        return None
    rows, tenant = list[list[Any]](), task.run.job.tenant
    found = listings.find_many(tenant, [listing_id for listing_id, _, _ in task.payload["listings"]])
    for listing_id, number, amount in task.payload["listings"]:
        entry = listings.entry(tenant, listing_id, number)
        if (listing := found.get(listing_id)) is None or entry is None or not was_not_received(entry):
            continue
        under_way = listing.open_changes()
        # Of a run that put it there, and was lost before it could say so on its job.
        own = next((change for change in under_way if change.job_id == task.job_id), None)
        if own is None and not under_way:
            own = request.again(listing, entry, task.job_id, task.now)
        if own:
            rows.append([listing_id, own.number, amount])
    return task._replace(payload={**task.payload, "listings": rows}) if rows else None


def _run(task: BatchTask, sent: Sent | None) -> HandlerResult:
    if sent is None:
        return _submit(task)
    again = task.action is not Action.CREATE and not sent.is_answered and sent.tries < MOST_TRIES
    if again and not overdue(sent.first_sent, task.now):
        return _submit(task, sent)
    try:
        return follow(task, sent)
    except NotReceived:
        return _submit(task, sent)


def _submit(task: BatchTask, before: Sent | None = None) -> HandlerResult:
    items = [_item(row.listing, row.change) for row in task.open_rows() if row.change]
    if not items:
        return task.result()
    sent = Sent(task.now)
    if before:
        sent = replace(sent, tries=before.tries + 1, first_at=before.first_sent)
    seller, job = task.seller(), task.run.job
    seller.prepare()
    finish.begin(job, task.with_sent(sent), task.now)
    try:
        batch = seller.submit_batch(task.kind, items)
    except Failure as failure:
        if isinstance(failure, MarketplaceFailure) and failure.uncertain:
            return task.wait(sent)
        if isinstance(failure, BY_ITS_STATE) and task.action is not Action.CREATE:
            sent = replace(sent, refused=(failure.code, failure.message))
            finish.begin(job, task.with_sent(sent), task.now)
            return follow(task, sent)
        finish.begin(job, task.with_sent(before), task.now)
        raise
    if task.action is Action.CREATE and not listings.adopt(job.account, batch.batch_id, job.job_id):
        # Another batch alike, whose answer was lost, took this one for its own: then its own is ours.
        return task.wait(sent)
    return task.wait(sent.known(batch))


def _item(listing: Listing, change: Change) -> BatchAsk:
    if change.action is Action.CREATE:
        return BatchAsk(change.terms, variant_id=listing.variant_id, active=change.active)
    return BatchAsk(change.terms, listing_id=listing.marketplace_id)


def _end(task: BatchTask, code: str, message: str, *, ours: bool = False) -> HandlerResult:
    """The whole batch is over. What was sent, and is open still, is UNCONFIRMED; what was not has failed.

    ours: it ends because of something of ours, and not because of what it asks.
    """
    job = change_order.job_of(task.job_id)
    sent, rows = sent_of(job.payload) if job else None, task.open_rows()
    if sent:
        leave_all(task, rows, sent, code, message)
        raise BatchFailed(message, code=code)
    if ours:
        code, message = NOT_SENT, f"it was not sent: {message}"
    for row in rows:
        if row.change:
            task.settle(row, (unsent if ours else failed)(row.change, code, message))
    raise BatchFailed(message, code=code)


def _used_up(run: Run) -> bool:
    return run.job.attempts >= kinds.most_attempts(run.job.kind, run.config)


def check_batch(run: Run) -> HandlerResult:
    """One run of `listing.check` for a batch: its changes that are open are settled, or checked again later."""
    task = BatchTask(run, run.payload["of"], run.payload, checking=True)
    for row in task.open_rows():
        if row.change is None or row.change.doubt:
            continue
        how, known = change_order.standing(row.listing, row.change, task.now)
        if how is change_order.OpenStanding.UNSENT:
            change_order.give_up(row.listing, row.change, task.now)
        elif how is change_order.OpenStanding.UNCONFIRMED and known.doubt:
            settle.leave(row.listing.tenant, row.listing.listing_id, known, known.doubt, task.now)
    sent = sent_of(run.payload)
    if sent is None:
        return {"status": "COMPLETED"}
    return _check_sent(task, sent)


def check_row(run: Run, listing: Listing, change: Change) -> HandlerResult | None:
    """Check the batch that `change` is part of, on the calls of `run`. What it came to, or when to check again; None
    where the batch is not known any more.
    """
    job = change_order.job_of(change.job_id)
    sent = sent_of(job.payload) if job else None
    if job is None or sent is None:
        return None
    outcome = _check_sent(BatchTask(run, job.job_id, job.payload, checking=True), sent)
    found = listings.find(listing.tenant, listing.listing_id)
    is_open = found is not None and found.change(change.number) is not None
    return outcome if is_open else {"status": "COMPLETED"}


def _check_sent(task: BatchTask, sent: Sent) -> HandlerResult:
    try:
        outcome = batch_follow.follow(task, sent)
    except BatchFailed:
        outcome = {}
    rows = task.open_rows()
    if not rows:
        return {"status": "COMPLETED"}
    return outcome if isinstance(outcome, Waiting) else task.wait(sent)
