"""Checking what became of a batch whose job is over."""

from sluice.jobs.model.outcomes import HandlerResult, Waiting
from sluice.jobs.model.run import Run
from sluice.listings.stockx import batch_follow, doubt, turns
from sluice.listings.stockx import table as listings
from sluice.listings.stockx.batch_task import BatchFailed, BatchTask, Sent, sent_of
from sluice.listings.stockx.changes import Change
from sluice.listings.stockx.table import Listing


def run(run: Run) -> HandlerResult:
    """One run of `listing.check` for a batch: its changes that are open are settled, or checked again later."""
    task = BatchTask(run, run.payload["of"], run.payload, checking=True)
    for row in task.open_rows():
        if row.change is None or row.change.doubt:
            continue
        how, known = turns.standing(row.listing, row.change, task.now)
        if how is turns.Standing.UNSENT:
            turns.give_up(row.listing, row.change, task.now)
        elif how is turns.Standing.UNCONFIRMED and known.doubt:
            doubt.leave(row.listing.tenant, row.listing.listing_id, known, known.doubt, task.now)
    sent = sent_of(run.payload)
    if sent is None:
        return {"status": "COMPLETED"}
    return _check(task, sent)


def of_row(run: Run, listing: Listing, change: Change) -> HandlerResult | None:
    """Check the batch that `change` is part of, on the calls of `run`. What it came to, or when to check again; None
    where the batch is not known any more.
    """
    job = turns.job_of(change.job_id)
    sent = sent_of(job.payload) if job else None
    if job is None or sent is None:
        return None
    outcome = _check(BatchTask(run, job.job_id, job.payload, checking=True), sent)
    found = listings.find(listing.tenant, listing.listing_id)
    is_open = found is not None and found.change(change.number) is not None
    return outcome if is_open else {"status": "COMPLETED"}


def _check(task: BatchTask, sent: Sent) -> HandlerResult:
    try:
        outcome = batch_follow.follow(task, sent)
    except BatchFailed:
        outcome = {}
    rows = task.open_rows()
    if not rows:
        return {"status": "COMPLETED"}
    return outcome if isinstance(outcome, Waiting) else task.wait(sent)
