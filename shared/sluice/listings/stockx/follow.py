"""Following a change that was sent: one check at a time, until it is known what became of it.

Each check has three answers, and only the first two change what Sluice says of the listing:
```
 yes        the operation succeeded, or the listing shows the change            settled
 no         the operation failed; refused; the listing is gone;
            nothing of it for as long as it may take to appear                  settled, or sent once more
 not known  still running, or not seen this time                                checked again
                └─ for 15 minutes: the job ends, the change is UNCONFIRMED, and `listing.check` goes on
```
"Not seen this time" (no connection, 5xx, an answer that makes no sense) changes nothing. A 429 and an empty budget are
the engine's: it checks again when calls are allowed.
"""

from dataclasses import replace

from sluice.jobs.model.outcomes import HandlerResult, Then
from sluice.listings.stockx import look as looking
from sluice.listings.stockx import table as listings
from sluice.listings.stockx.look import Look
from sluice.listings.stockx.results import (
    AUTHENTICATION_FAILED,
    FAILED_BY_MARKETPLACE,
    NO_ANSWER,
    NOT_FOUND,
    TIMED_OUT,
    TIMED_OUT_MESSAGE,
    TIMEOUT_MS,
    Result,
    failed,
    observed,
    overdue,
    partial,
    shows,
    succeeded,
    timed_out,
)
from sluice.listings.stockx.status import Action, Status
from sluice.listings.stockx.submission import Submission
from sluice.listings.stockx.task import LATER_MS, LOOK_MS, Task, patience
from sluice.marketplaces.http.errors import AccountBroken, MarketplaceFailure
from sluice.marketplaces.selling import Operation
from sluice.platform.clock import MINUTE

# How long a marketplace may take to show a change of a listing that there is, and how often that is sent: it changes
# nothing twice. For a create both are other: see `Config.lost_create_ms`.
APPEARS_MS = 2 * MINUTE
MOST_TRIES = 3
MOST_CREATES = 2
# How long after the time-out the listing itself is asked for in vain.
GIVE_UP_MS = 2 * TIMEOUT_MS


class NotReceived(Exception):  # noqa: N818 - an answer to `work`
    """The marketplace has not received the change: it may be sent again."""


def follow(task: Task, submission: Submission, operation: Operation | None = None) -> HandlerResult:
    """Check once, at `operation` if it has just come.

    Raises:
        ChangeFailed: the change is settled, and did not happen.
        ChangeUnconfirmed: the job is over, and the change is not known.
        NotReceived: it may be sent again.
        Failure: the check could not be tried.
    """
    try:
        look = looking.read(submission, operation) if operation else _look(task, submission)
        if result := _known(task, look):
            return task.settle(result, look.submission)
    except AccountBroken as broken:
        if task.checking or not broken.found:
            raise
        return task.leave(submission, AUTHENTICATION_FAILED, broken.message)
    except MarketplaceFailure as failure:
        if failure.action is Then.SNOOZE:
            raise
        look = Look(None, submission, made=False)
    return _go_on(task, look)


def _look(task: Task, submission: Submission) -> Look:
    selling = task.selling()
    if submission.refused:
        seen = looking.find(selling, submission.marketplace_id or "")
        return Look(Status.FAILED, submission, submission.refused[1], seen, read=True)
    if submission.operation_id:
        return looking.at_operation(selling, submission)
    if submission.marketplace_id is None:
        job, listing = task.run.job, listings.find(task.run.job.tenant, task.listing_id)
        if listing is None:
            return Look(None, submission)
        submission = looking.for_created(selling, job.account, task.listing_id, listing.variant_id, submission)
        if submission.operation_id:
            return looking.at_operation(selling, submission)
    if submission.marketplace_id is None:
        return Look(None, submission)
    look = looking.at_listing(selling, submission)
    if look.status is None and task.change.action is Action.CREATE and not look.gone:
        return replace(look, status=Status.IN_PROGRESS)  # it is there, so it was received
    return look


def _known(task: Task, look: Look) -> Result | None:
    """What the change came to, as far as `look` tells; None while that is not known."""
    change, sent = task.change, look.submission
    if look.status is Status.PARTIAL:
        return _partly(task, look)
    if look.status is Status.COMPLETED:
        result = succeeded(change, sent.was)
    elif look.status is Status.FAILED:
        code, message = sent.refused or (FAILED_BY_MARKETPLACE, look.error or "the marketplace gives no reason")
        result = failed(change, code, message)
        if sent.refused and change.action is not Action.UPDATE and shows(change, look.seen):
            result = succeeded(change, sent.was)  # it was refused because it is so already
    elif look.gone and _gone_for_long(task, sent):
        return observed(failed(change, NOT_FOUND, look.error or "there is no such listing"), change, None, sent.was)
    else:
        return None
    if look.read:
        return observed(result, change, look.seen, sent.was)
    if task.checking and sent.marketplace_id and not (change.action is Action.CREATE and result.error):
        # Time has passed: the listing itself says what it is now.
        return observed(result, change, looking.find(task.selling(), sent.marketplace_id), sent.was)
    return result


def _gone_for_long(task: Task, submission: Submission) -> bool:
    """Whether the listing was gone a while ago already: one 404 may be a marketplace's bad moment."""
    return submission.gone_at is not None and task.now - submission.gone_at >= LATER_MS


def _partly(task: Task, look: Look) -> Result:
    """Some of it was done: what the listing itself shows is what happened."""
    sent = look.submission
    if sent.marketplace_id is None:
        return partial(task.change, None, sent.was, looked=False)
    seen = look.seen if look.read else looking.find(task.selling(), sent.marketplace_id)
    return partial(task.change, seen, sent.was, looked=True)


def _go_on(task: Task, look: Look) -> HandlerResult:
    """What follows from a check that does not tell."""
    sent, change = look.submission, task.change
    if look.gone and sent.gone_at is None:
        sent = replace(sent, gone_at=task.now)
    elif look.read and look.seen:
        sent = replace(sent, gone_at=None)
    look = replace(look, submission=sent)
    lost = look.made and look.status is None and not look.gone and not sent.operation_id
    if lost and task.now - sent.sent_at >= _appears_ms(task):
        return _not_received(task, look)
    if task.checking:
        return _keep_checking(task, look)
    if overdue(sent.followed_since, task.now) and not (lost and change.action is Action.CREATE):
        return _last_look(task, look)
    if change.action is Action.CREATE and sent.marketplace_id is None:
        rest = sent.sent_at + _appears_ms(task) - task.now
        return task.wait(sent, max(LOOK_MS, min(patience(sent.sent_at, task.now), rest)))
    return task.wait(sent, LATER_MS if look.status is None and look.made else LOOK_MS)


def _appears_ms(task: Task) -> int:
    """How long what was sent may take to show."""
    if task.change.action is Action.CREATE:
        return task.run.config.lost_create_ms
    return TIMEOUT_MS if task.checking else APPEARS_MS


def _not_received(task: Task, look: Look) -> HandlerResult:
    """The marketplace has had its time to show the change, answers, and shows nothing of it."""
    sent, change = look.submission, task.change
    times = "once" if sent.tries == 1 else f"{sent.tries} times"
    message = f"it was sent {times} without an answer, and the marketplace shows nothing of it"
    if not task.checking and sent.tries < (MOST_CREATES if change.action is Action.CREATE else MOST_TRIES):
        raise NotReceived
    result = failed(change, NO_ANSWER, message)
    return task.settle(observed(result, change, look.seen, sent.was) if look.read else result, sent)


def _last_look(task: Task, look: Look) -> HandlerResult:
    """The job's time is over. What the listing itself shows is told; unless it shows the change, that is not known."""
    sent, seen, read = look.submission, look.seen, look.read
    if sent.marketplace_id and not read:
        try:
            seen, read = looking.find(task.selling(), sent.marketplace_id), True
        except MarketplaceFailure as failure:
            if failure.action is Then.SNOOZE:
                raise
            if task.now - sent.followed_since < GIVE_UP_MS:
                return task.wait(sent, LATER_MS)
    elif not look.made and task.now - sent.followed_since < GIVE_UP_MS:
        return task.wait(sent, LATER_MS)
    if read and shows(task.change, seen):
        return task.settle(timed_out(task.change, seen, sent.was), sent)
    return task.leave(sent, TIMED_OUT, TIMED_OUT_MESSAGE, seen, read=read)


def _keep_checking(task: Task, look: Look) -> HandlerResult:
    """Nobody waits for it any more; it is checked ever less often. What is still running after a day is settled by what
    the listing shows, so that its seller can go on.
    """
    sent, seen = look.submission, look.seen
    if look.made and sent.marketplace_id and task.now - sent.first_sent >= task.run.config.unconfirmed_ms:
        seen = seen if look.read else looking.find(task.selling(), sent.marketplace_id)
        return task.settle(timed_out(task.change, seen, sent.was), sent)
    return task.learn(sent, seen, read=look.read)
