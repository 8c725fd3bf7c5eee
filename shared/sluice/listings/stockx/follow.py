"""Following a change that was sent: one look at a time, until it is final.

```
 seen                                    then
 completed, failed, partly               settled
 still running, or not seen this time    looked at again; after 15 minutes the listing itself is looked at, then settled
 nothing at all, and no operation known  looked for again for two minutes, then sent again, three times at most
```
"Not seen this time" (no connection, 5xx, an answer that makes no sense) changes nothing. A 429 and an empty budget are
the engine's: it looks again when calls are allowed.
"""

from dataclasses import replace

from sluice.jobs.model.outcomes import Action as Then
from sluice.jobs.model.outcomes import Outcome, Refused
from sluice.listings.stockx import look as looking
from sluice.listings.stockx import table as listings
from sluice.listings.stockx.look import Look
from sluice.listings.stockx.results import (
    AUTHENTICATION_FAILED,
    FAILED_BY_MARKETPLACE,
    TIMEOUT_MS,
    failed,
    overdue,
    partial,
    succeeded,
    timed_out,
)
from sluice.listings.stockx.status import Action, Status
from sluice.listings.stockx.submission import Submission
from sluice.listings.stockx.task import LATER_MS, LOOK_MS, Task
from sluice.marketplaces.http.errors import AccountBroken, MarketplaceFailure
from sluice.marketplaces.selling import Operation
from sluice.platform.clock import MINUTE

# How long a marketplace may take to show what it has received.
APPEARS_MS = 2 * MINUTE
MOST_TRIES = 3
# How long after the time-out the listing itself is asked for in vain.
GIVE_UP_MS = 2 * TIMEOUT_MS


class NotReceived(Exception):  # noqa: N818 - an answer to `work`
    """The marketplace has not received the change: it may be sent again."""


def follow(task: Task, submission: Submission, operation: Operation | None = None) -> Outcome:
    """Look once, at `operation` if it has just come.

    Raises:
        ChangeFailed: the change is settled, and did not happen.
        NotReceived: it may be sent again.
        Failure: the look could not be tried.
    """
    try:
        look = looking.read(submission, operation) if operation else _look(task, submission)
    except AccountBroken as broken:
        if not broken.found:
            raise
        return task.settle(failed(task.change, AUTHENTICATION_FAILED, broken.message), submission)
    except MarketplaceFailure as failure:
        if failure.action is Then.SNOOZE:
            raise
        look = Look(Status.IN_PROGRESS, submission)
    match look.status:
        case Status.COMPLETED:
            return task.settle(succeeded(task.change), look.submission)
        case Status.FAILED:
            error = look.error or "the marketplace gives no reason"
            return task.settle(failed(task.change, FAILED_BY_MARKETPLACE, error), look.submission)
    partly = look.status is Status.PARTIAL
    if partly or overdue(submission.sent_at, task.now):
        return _last_look(task, look.submission, partly=partly)
    if look.status is None and not submission.operation_id:
        return _look_for(task, submission, look.submission)
    return task.wait(look.submission, LATER_MS if look.status is None else LOOK_MS)


def _look(task: Task, submission: Submission) -> Look:
    selling = task.selling()
    if submission.operation_id:
        return looking.at_operation(selling, submission)
    if submission.marketplace_id is None:
        job, listing = task.run.job, listings.find(task.run.job.tenant, task.listing_id)
        if listing is None:
            return Look(None, submission)
        submission = looking.for_created(selling, job.account, task.listing_id, listing.variant_id, submission)
    if submission.marketplace_id is None:
        return Look(None, submission)
    look = looking.at_listing(selling, submission)
    if look.status is None and task.change.action is Action.CREATE:
        return replace(look, status=Status.IN_PROGRESS)  # it is there, so it was received
    return look


def _look_for(task: Task, submission: Submission, found: Submission) -> Outcome:
    """Nothing was found yet of a change whose answer was lost."""
    if task.now - submission.sent_at < APPEARS_MS:
        return task.wait(found)
    if submission.tries < MOST_TRIES:
        raise NotReceived
    message = f"the marketplace gave no answer {submission.tries} times, and shows nothing of the change"
    raise Refused(message, code="no_answer")


def _last_look(task: Task, submission: Submission, *, partly: bool) -> Outcome:
    """The operation says no more than this: what the listing itself shows is what happened."""
    looked, seen = submission.marketplace_id is not None, None
    if submission.marketplace_id:
        try:
            seen = looking.find(task.selling(), submission.marketplace_id)
        except MarketplaceFailure as failure:
            if failure.action is Then.SNOOZE:
                raise
            if task.now - submission.sent_at < GIVE_UP_MS:
                return task.wait(submission, LATER_MS)
            looked = False
    result = partial(task.change, seen, looked=looked) if partly else timed_out(task.change, seen, looked=looked)
    return task.settle(result, submission)
