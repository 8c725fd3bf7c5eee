"""One run of a listing job: follow what was sent, or send what is open."""

from collections.abc import Callable

from sluice.jobs.model import kinds
from sluice.jobs.model.outcomes import Action as Then
from sluice.jobs.model.outcomes import Failure, LeaseOver, Outcome, Refused
from sluice.jobs.model.run import Run
from sluice.listings.stockx import settle, submission, turns
from sluice.listings.stockx import table as listings
from sluice.listings.stockx.follow import NotReceived, follow
from sluice.listings.stockx.results import failed
from sluice.listings.stockx.rules import refusal
from sluice.listings.stockx.submission import Submission
from sluice.listings.stockx.submit import submit
from sluice.listings.stockx.table import Listing
from sluice.listings.stockx.task import Task
from sluice.platform.observe import logger


def run(run: Run) -> Outcome:
    """One run of `listing.create`, `.update`, `.delete`, `.activate` or `.deactivate`.

    The result is `{"status", "listing_id", "listing_status", "operation_id"}`. Of the payload only `listing_id` is
    asked for; what to do stands on the listing, as the changes that name this job.

    Raises:
        ChangeFailed: the change did not happen; its code is the history's.
        Failure: it could not be tried; the engine tries again.
    """
    sent = submission.of(run.payload)
    if sent and sent.operation_id:
        task = Task(run, sent.change)
        return _guarded(task, lambda: follow(task, sent))
    listing = listings.find(run.job.tenant, run.payload["listing_id"])
    if listing is None:
        raise Refused("there is no such listing any more", code="listing_unknown")
    change = next((change for change in listing.open_changes() if change.job_id == run.job.job_id), None)
    if change is None:
        return _settled(run, sent)
    task = Task(run, change)
    return _guarded(task, lambda: _begin(task, listing, sent))


def _begin(task: Task, listing: Listing, sent: Submission | None) -> Outcome:
    turns.take(listing, task.change, task.now)
    if why := refusal(listing.status, task.change.action):
        raise Refused(why, code="listing_state")
    if sent is None or sent.change.number != task.change.number:
        return submit(task, listing)
    try:
        return follow(task, sent)
    except NotReceived:
        return submit(task, listing, sent.tries + 1)


def _settled(run: Run, sent: Submission | None) -> Outcome:
    """Nothing is open for this job: whoever settled its change has written what it came to."""
    listing_id = run.payload["listing_id"]
    entry = listings.entry(run.job.tenant, listing_id, sent.change.number) if sent else None
    return settle.outcome(entry, listing_id)


def _guarded(task: Task, work: Callable[[], Outcome]) -> Outcome:
    """Do `work`; a failure that ends the job settles its change, so that the history tells and nothing waits for it."""
    try:
        return work()
    except (LeaseOver, settle.ChangeFailed):
        raise
    except Exception as error:
        if not _is_last(task.run, error):
            raise
        known = error if isinstance(error, Failure) else Failure("the change could not be worked on", code="internal")
        logger.warning("a change ends with its job", extra={"code": known.code, "listing_id": task.listing_id})
        return task.settle(failed(task.change, known.code, known.message))


def _is_last(run: Run, error: Exception) -> bool:
    """Whether the engine ends the job over this."""
    action = error.action if isinstance(error, Failure) else Then.RETRY
    if action is Then.RETRY:
        return run.job.attempts >= kinds.most_attempts(run.job.kind, run.config)
    return action is not Then.SNOOZE
