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
from sluice.jobs.model.outcomes import Failure, HandlerResult, LeaseOver, Refused, Then
from sluice.jobs.model.run import Run
from sluice.jobs.queue import finish
from sluice.listings.stockx import turns
from sluice.listings.stockx.batch_follow import follow
from sluice.listings.stockx.batch_task import BatchFailed, BatchTask, Sent, leave_all, sent_of
from sluice.listings.stockx.changes import Change
from sluice.listings.stockx.follow import MOST_TRIES, NotReceived
from sluice.listings.stockx.results import AUTHENTICATION_FAILED, failed, overdue
from sluice.listings.stockx.status import Action
from sluice.listings.stockx.table import Listing
from sluice.marketplaces.http.errors import AccountBroken, MarketplaceFailure
from sluice.marketplaces.stockx import selling as stockx_selling


def run(run: Run) -> HandlerResult:
    """One run of a batch. The result is `{"status", "completed", "failed", "unconfirmed"}`.

    Raises:
        BatchFailed: none of its changes is known to have happened.
        Failure: it could not be tried; the engine tries again.
    """
    task = BatchTask(run, run.job.job_id, run.payload)
    try:
        return _run(task, sent_of(run.payload))
    except (LeaseOver, BatchFailed):
        raise
    except Exception as error:
        known = error if isinstance(error, Failure) else Failure("the batch could not be worked on", code="internal")
        if isinstance(error, AccountBroken) and error.found and run.payload.get("sent"):
            return _end(task, AUTHENTICATION_FAILED, error.message)
        if known.action is Then.SNOOZE or (known.action is Then.RETRY and not _used_up(run)):
            raise
        return _end(task, known.code, known.message)


def _run(task: BatchTask, sent: Sent | None) -> HandlerResult:
    if sent is None:
        return _submit(task)
    again = task.action is not Action.CREATE and sent.batch_id is None and sent.tries < MOST_TRIES
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
    selling, job = task.selling(), task.run.job
    selling.prepare()
    finish.begin(job, task.with_sent(sent), task.now)
    try:
        batch = selling.submit_batch(task.kind, items)
    except Failure as failure:
        if isinstance(failure, MarketplaceFailure) and failure.uncertain:
            return task.wait(sent)
        finish.begin(job, task.with_sent(before), task.now)
        raise
    return task.wait(sent.known(batch))


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


def _end(task: BatchTask, code: str, message: str) -> HandlerResult:
    """The whole batch is over. What was sent, and is open still, is UNCONFIRMED; what was not has failed."""
    job = turns.job_of(task.job_id)
    sent, rows = sent_of(job.payload) if job else None, task.open_rows()
    if sent:
        leave_all(task, rows, sent, code, message)
    for row in rows:
        if row.change and not sent:
            task.settle(row, failed(row.change, code, message))
    raise BatchFailed(message, code=code)


def _used_up(run: Run) -> bool:
    return run.job.attempts >= kinds.most_attempts(run.job.kind, run.config)
