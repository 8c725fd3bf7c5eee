"""Sending a change to the marketplace, at most once.

```
 begin: submission stored ──► call ──► operation: follow it
                               ├─ refused, or never sent: the submission is taken back; the engine decides
                               ├─ refused for what the listing is: the listing is read
                               └─ no answer, or a killed worker: nobody knows. It stands; look before sending again
```
"""

from dataclasses import replace

from sluice.jobs.model.outcomes import Failure, HandlerResult
from sluice.jobs.queue import finish
from sluice.listings.stockx import table as listings
from sluice.listings.stockx import turns
from sluice.listings.stockx.changes import Change
from sluice.listings.stockx.follow import follow
from sluice.listings.stockx.status import Action
from sluice.listings.stockx.submission import Submission
from sluice.listings.stockx.table import Listing
from sluice.listings.stockx.task import Task
from sluice.marketplaces.http.errors import BadRequest, MarketplaceFailure, NotFound, Rejected
from sluice.marketplaces.selling import Operation
from sluice.marketplaces.stockx.selling import Selling

# Answers that may mean that the listing is not what we think it is.
_BY_ITS_STATE = (BadRequest, NotFound, Rejected)


def submit(task: Task, listing: Listing, before: Submission | None = None) -> HandlerResult:
    """Send the task's change; it is its turn. before: when it was sent before, and proved not to have arrived.

    Raises:
        Failure: what the marketplace answered.
    """
    change, job = task.change, task.run.job
    selling = task.selling()
    selling.prepare()
    turns.take(listing, change)
    submission = Submission(change, task.now, marketplace_id=listing.marketplace_id, was=listing.status)
    if before:
        submission = replace(submission, tries=before.tries + 1, first_at=before.first_sent, was=before.was)
    finish.begin(job, submission.payload(task.listing_id), task.now)
    try:
        operation = _send(selling, listing, change)
    except Failure as failure:
        if isinstance(failure, MarketplaceFailure) and failure.uncertain:
            return task.wait(submission)
        if isinstance(failure, _BY_ITS_STATE) and change.action is not Action.CREATE:
            return follow(task, replace(submission, refused=(failure.code, failure.message)))
        unsent = before.payload(task.listing_id) if before else {"listing_id": task.listing_id}
        finish.begin(job, unsent, task.now)
        raise
    if change.action is Action.CREATE and not listings.adopt(job.account, operation.listing_id, task.listing_id):
        # Another create alike, whose answer was lost, took this listing for its own: then its own is ours.
        return task.wait(submission)
    return follow(task, submission.started(operation), operation)


def _send(selling: Selling, listing: Listing, change: Change) -> Operation:
    marketplace_id = listing.marketplace_id or ""
    match change.action:
        case Action.CREATE:
            return selling.create(listing.variant_id, change.terms, active=change.active)
        case Action.UPDATE:
            return selling.update(marketplace_id, change.terms)
        case Action.DELETE:
            return selling.delete(marketplace_id)
        case Action.ACTIVATE:
            return selling.activate(marketplace_id, change.terms)
        case Action.DEACTIVATE:
            return selling.deactivate(marketplace_id)
