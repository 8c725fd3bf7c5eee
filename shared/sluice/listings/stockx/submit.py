"""Sending a change to the marketplace, at most once.

```
 begin: submission stored ──► call ──► operation: follow it
                               ├─ refused, or never sent: the submission is taken back; the engine decides
                               └─ no answer, or a killed worker: nobody knows. It stands; look before sending again
```
"""

from sluice.jobs.model.outcomes import Failure, Outcome
from sluice.jobs.queue import finish
from sluice.listings.stockx import table as listings
from sluice.listings.stockx.changes import Change
from sluice.listings.stockx.follow import follow
from sluice.listings.stockx.results import succeeded
from sluice.listings.stockx.status import Action
from sluice.listings.stockx.submission import Submission
from sluice.listings.stockx.table import Listing
from sluice.listings.stockx.task import Task
from sluice.marketplaces.http.errors import MarketplaceFailure, NotFound
from sluice.marketplaces.selling import Operation
from sluice.marketplaces.stockx.selling import Selling


def submit(task: Task, listing: Listing, tries: int = 1) -> Outcome:
    """Send the task's change; it is its turn.

    Raises:
        Failure: what the marketplace answered.
    """
    change, job = task.change, task.run.job
    submission = Submission(change, task.now, tries, listing.marketplace_id)
    selling = task.selling()
    finish.begin(job, submission.payload(task.listing_id), task.now)
    try:
        operation = _send(selling, listing, change)
    except Failure as failure:
        if isinstance(failure, MarketplaceFailure) and failure.uncertain:
            return task.wait(submission)
        if isinstance(failure, NotFound) and change.action is Action.DELETE:
            return task.settle(succeeded(change), submission)
        finish.begin(job, {"listing_id": task.listing_id}, task.now)
        raise
    if change.action is Action.CREATE:
        listings.adopt(job.account, operation.listing_id, task.listing_id)
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
