"""One run of a listing job: wait for its turn, send what is open, or follow what was sent.

A change is sent at most once:
```
 take ──► begin: submission stored ──► call ──► operation: follow it
                                        ├─ refused, or never sent: the submission is taken back; the engine decides
                                        ├─ refused for what the listing is: the listing is read
                                        └─ no answer, or a killed worker: nobody knows: checked before it is sent again
```
"""

from collections.abc import Callable
from dataclasses import replace

from sluice.jobs.model import kinds
from sluice.jobs.model.outcomes import CannotSucceed, Failure, HandlerResult, LeaseOver, Then
from sluice.jobs.model.run import Run
from sluice.jobs.queue import finish
from sluice.listings.stockx import change_order, changes, check, request, settle
from sluice.listings.stockx import table as listings
from sluice.listings.stockx.change_order import OpenStanding
from sluice.listings.stockx.changes import Action, Change, Submission, needless, refusal
from sluice.listings.stockx.follow import BY_ITS_STATE, NotReceived, Task, follow
from sluice.listings.stockx.results import INTERNAL, NOT_SENT, failed, uncalled, unsent, was_not_received
from sluice.listings.stockx.table import Listing
from sluice.marketplaces.http.errors import MarketplaceFailure
from sluice.marketplaces.selling import Operation, Seller
from sluice.platform import tables
from sluice.platform.clock import SECOND
from sluice.platform.observe import logger

AGAIN_MS = 15 * SECOND


class NotItsTurn(Failure):
    """An earlier change of the same listing is not settled."""

    action = Then.SNOOZE
    code = "not_its_turn"


class Superseded(Failure):
    """The change is no longer open: a newer one took its place, or somebody has settled it."""

    action = Then.SNOOZE
    code = "superseded"


def run(run: Run) -> HandlerResult:
    """One run of `listing.create`, `.update`, `.delete`, `.activate` or `.deactivate`.

    The result is `{"status", "listing_id", "listing_status", "operation_id", "tries"}`. Of the payload only
    `listing_id` is asked for; what to do stands on the listing, as the changes that name this job.

    Raises:
        ChangeFailed: the change did not happen; its code is the history's.
        ChangeUnconfirmed: whether it happened is not known, and `listing.check` goes on asking.
        Failure: it could not be tried; the engine tries again.
    """
    sent, listing_id = changes.submission_of(run.payload), run.payload["listing_id"]
    if sent and sent.operation_id:
        return _follow(Task(run, listing_id, sent.change), sent)
    listing = listings.find(run.job.tenant, listing_id)
    if listing is None:
        raise CannotSucceed("there is no such listing any more", code="listing_unknown")
    change = _own(listing, run.job.job_id, sent)
    if change is None and (change := _replayed(run, listing)):
        again = Task(run, listing_id, change)
        return _guarded(again, lambda: _begin(again, listing, None, before=sent))
    if change is None:
        return _settled(run, sent)
    if sent is None and listing.running == change.number and not run.job.begun:
        # It was about to be sent by a run that was lost before it could say so on its job. (One that has begun, and
        # remembers nothing that it sent, has taken it back.)
        sent = change_order.maybe_sent(listing, change)
    if sent and sent.change.number != change.number:
        sent = None
    task = Task(run, listing_id, change)
    return _guarded(task, lambda: _begin(task, listing, _resumed(sent, change, task.now)))


def _follow(task: Task, sent: Submission) -> HandlerResult:
    return _guarded(task, lambda: follow(task, sent))


def _own(listing: Listing, job_id: str, sent: Submission | None) -> Change | None:
    """The change that this job is at, or begins. What it left UNCONFIRMED when it ended before is not its own."""
    own = [change for change in listing.open_changes() if change.job_id == job_id]
    if sent and (same := next((change for change in own if change.number == sent.change.number), None)):
        return same
    fresh = [change for change in own if not change.doubt]
    return fresh[-1] if fresh else None


def _replayed(run: Run, listing: Listing) -> Change | None:
    """The change that a replayed job does after all: what it was at when it died, if that is known not to have been
    received. It is put on the listing once more.
    """
    if run.job.letter is None:
        return None
    last = listings.last_of(listing, run.job.job_id)
    if last is None or not was_not_received(last):
        return None
    return request.again(listing, last, run.job.job_id, run.clock.now())


def _resumed(sent: Submission | None, change: Change, now: int) -> Submission | None:
    """`sent`, with time of its own for a job that was ended before it knew."""
    again = sent and change.doubt and sent.followed_since < change.doubt.since
    return replace(sent, since=now) if sent and again else sent


def _begin(task: Task, listing: Listing, sent: Submission | None, before: Submission | None = None) -> HandlerResult:
    """Send the task's change when it is its turn, or go on with it where it was `sent`.

    before: an earlier sending of the same, which is known not to have been received.
    """
    listing = _wait_for_turn(task, listing)
    if sent is None:
        if needless(listing.status, task.change.action):
            return task.settle(uncalled(task.change, listing.status))
        if why := refusal(listing.status, task.change.action):
            raise CannotSucceed(why, code="listing_state")
        if task.change.action is not Action.CREATE and listing.marketplace_id is None:
            raise CannotSucceed("it is not known which listing of the marketplace this is", code="listing_state")
        return _submit(task, listing, before)
    try:
        return follow(task, sent)
    except NotReceived:
        return _submit(task, listing, sent)


def _wait_for_turn(task: Task, listing: Listing) -> Listing:
    """The listing, once nothing stands before the task's change. What was left by jobs that are over is checked first.

    Raises:
        NotItsTurn: an earlier change is not settled.
    """
    settled = False
    for ahead in listing.open_changes():
        if ahead.number >= task.change.number:
            break
        how, known = change_order.standing(listing, ahead, task.now, without=task.run.job.job_id)
        about = f"change {ahead.number} of this listing ({ahead.action})"
        match how:
            case OpenStanding.ALIVE:
                raise NotItsTurn(f"{about} is not done yet", retry_at=task.now + AGAIN_MS)
            case OpenStanding.UNSENT:
                change_order.give_up(listing, ahead, task.now)
            case OpenStanding.UNCONFIRMED:
                again = check.once(task.run, listing, known)
                if again is not None and not check.lets_pass(listing, task.change):
                    raise NotItsTurn(f"{about} is UNCONFIRMED: it is checked first", retry_at=again)
        settled = True
    if not settled:
        return listing
    found = listings.find(listing.tenant, listing.listing_id)
    if found is None or found.change(task.change.number) is None:
        raise Superseded(f"change {task.change.number} is not open any more", retry_at=task.now)
    return found


def _submit(task: Task, listing: Listing, before: Submission | None = None) -> HandlerResult:
    """Send the task's change; it is its turn. before: when it was sent before, and proved not to have arrived.

    Raises:
        Failure: what the marketplace answered.
    """
    change, job = task.change, task.run.job
    seller = task.seller()
    seller.prepare()
    _take(listing, change)
    submission = Submission(change, task.now, marketplace_id=listing.marketplace_id, was=listing.status)
    if before:
        submission = replace(submission, tries=before.tries + 1, first_at=before.first_sent, was=before.was)
    finish.begin(job, submission.payload(task.listing_id), task.now)
    try:
        operation = _send(seller, listing, change)
    except Failure as failure:
        if isinstance(failure, MarketplaceFailure) and failure.uncertain:
            return task.wait(submission)
        if isinstance(failure, BY_ITS_STATE) and change.action is not Action.CREATE:
            return follow(task, replace(submission, refused=(failure.code, failure.message)))
        unsent = before.payload(task.listing_id) if before else {"listing_id": task.listing_id}
        finish.begin(job, unsent, task.now)
        raise
    if change.action is Action.CREATE and not listings.adopt(job.account, operation.listing_id, task.listing_id):
        # Another create alike, whose answer was lost, took this listing for its own: then its own is ours.
        return task.wait(submission)
    return follow(task, submission.started(operation), operation)


def _take(listing: Listing, change: Change) -> None:
    """Say that `change` is sent now. From here on no newer change takes its place.

    Raises:
        Superseded: it is not open any more; its job reads again what is.
    """
    if listing.running == change.number:
        return
    try:
        key = (listing.tenant, listing.listing_id)
        tables.update(Listing, key, [Listing.running.set(change.number)], listings.is_open(change.number))
    except tables.ConditionFailed as gone:
        raise Superseded(f"change {change.number} is not open any more", retry_at=0) from gone


def _send(seller: Seller, listing: Listing, change: Change) -> Operation:
    marketplace_id = listing.marketplace_id or ""
    match change.action:
        case Action.CREATE:
            return seller.create(listing.variant_id, change.terms, active=change.active)
        case Action.UPDATE:
            return seller.update(marketplace_id, change.terms)
        case Action.DELETE:
            return seller.delete(marketplace_id)
        case Action.ACTIVATE:
            return seller.activate(marketplace_id, change.terms)
        case Action.DEACTIVATE:
            return seller.deactivate(marketplace_id)


def _settled(run: Run, sent: Submission | None) -> HandlerResult:
    """Nothing is open for this job: whoever settled its change has written what it came to."""
    listing_id = run.payload["listing_id"]
    entry = listings.entry(run.job.tenant, listing_id, sent.change.number) if sent else None
    return settle.outcome(entry, listing_id)


def _guarded(task: Task, work: Callable[[], HandlerResult]) -> HandlerResult:
    """Do `work`; a failure that ends the job settles its change, so that the history tells and nothing waits for it."""
    try:
        return work()
    except (LeaseOver, settle.ChangeFailed, settle.ChangeUnconfirmed):
        raise
    except Exception as error:
        if not _is_last(task.run, error):
            raise
        known = error if isinstance(error, Failure) else Failure("the change could not be worked on", code=INTERNAL)
        logger.warning("a change ends with its job", extra={"code": known.code, "listing_id": task.listing_id})
        if sent := _on_its_way(task):
            return task.leave(sent, known.code, known.message)
        if known.action is Then.RETRY:
            return task.settle(unsent(task.change, NOT_SENT, f"it was not sent: {known.message}"))
        return task.settle(failed(task.change, known.code, known.message))


def _on_its_way(task: Task) -> Submission | None:
    """What the task's job has stored of a sending of which nobody knows what became."""
    job = change_order.job_of(task.run.job.job_id)
    sent = changes.submission_of(job.payload) if job else None
    return sent if sent and sent.change.number == task.change.number else None


def _is_last(run: Run, error: Exception) -> bool:
    """Whether the engine ends the job over this."""
    action = error.action if isinstance(error, Failure) else Then.RETRY
    if action is Then.RETRY:
        return run.job.attempts >= kinds.most_attempts(run.job.kind, run.config)
    return action is not Then.SNOOZE
