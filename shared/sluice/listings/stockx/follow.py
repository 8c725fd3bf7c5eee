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
from typing import NamedTuple

from sluice.jobs.model.outcomes import HandlerResult, Then, Waiting
from sluice.jobs.model.run import Run
from sluice.listings.stockx import lost_creates, sellers, settle
from sluice.listings.stockx import table as listings
from sluice.listings.stockx.changes import Action, Change, Status, Submission
from sluice.listings.stockx.lost_creates import earliest, operations_on
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
    is_made_by,
    meaning,
    observed,
    overdue,
    partial,
    shows,
    succeeded,
    timed_out,
)
from sluice.marketplaces import selling as shapes
from sluice.marketplaces.http.errors import AccountBroken, BadRequest, MarketplaceFailure, NotFound, Rejected
from sluice.marketplaces.selling import Operation, Seller
from sluice.platform.clock import HOUR, MINUTE, SECOND
from sluice.platform.observe import count, logger

# How long after one check of an operation comes the next.
CHECK_MS = 20 * SECOND

# After an answer that promises nothing soon.
LATER_MS = MINUTE

# The longest time between two checks of something that does not become known.
SELDOM_MS = HOUR

# How long a marketplace may take to show a change of a listing that there is, and how often that is sent: it changes
# nothing twice. For a create both are other, and so is the time for what is not sent again, because its job is over:
# see `listings.lost_create_ms` of the configuration.
APPEARS_MS = 2 * MINUTE
MOST_TRIES = 3
MOST_CREATES = 2

# How long after the time-out the listing itself is asked for in vain.
GIVE_UP_MS = 2 * TIMEOUT_MS


# Answers that may mean that the listing is not what we think it is.
BY_ITS_STATE = (BadRequest, NotFound, Rejected)


class Task(NamedTuple):
    """The change that a run works on. Time is read anew each time: a call may have waited for its slot.

    checking: the job of the change is over, and this only finds out what became of it: nothing is ever sent, and there
    is no end before it is known.
    """

    run: Run
    listing_id: str
    change: Change
    checking: bool = False

    @property
    def now(self) -> int:
        """Epoch ms."""
        return self.run.clock.now()

    def seller(self) -> Seller:
        """The account's listings at the marketplace."""
        return sellers.open_for(self.run.job.account, self.run.calls, self.run.clock)

    def wait(self, submission: Submission, pause_ms: int = CHECK_MS) -> Waiting:
        """Check again later."""
        return Waiting(self.now + pause_ms, submission.payload(self.listing_id))

    def settle(self, result: Result, submission: Submission | None = None) -> HandlerResult:
        """Write what the change came to, and end the job with it.

        Raises:
            ChangeFailed: the change did not happen.
        """
        sent = settle.ONCE
        if submission:
            operation = submission.operation_id or submission.batch_id
            sent = settle.Sending(submission.marketplace_id, operation, submission.tries)
        entry = settle.settle(self.run.job.tenant, self.listing_id, self.change, result, self.now, sent)
        return settle.outcome(entry, self.listing_id)

    def leave(
        self,
        submission: Submission,
        code: str,
        message: str,
        seen: shapes.MarketListing | None = None,
        *,
        read: bool = False,
    ) -> HandlerResult:
        """End the job: what became of the change is not known, and `listing.check` goes on asking.

        Raises:
            ChangeUnconfirmed: with `code`.
        """
        left = settle.doubt_of(replace(submission, since=None), code, message, self.now)
        left = settle.learnt(left, replace(submission, since=None), seen, read=read)
        return settle.end(self.run.job.tenant, self.listing_id, self.change, left, self.now)

    def learn(self, submission: Submission, seen: shapes.MarketListing | None, *, read: bool) -> Waiting:
        """Keep what this check has found of a change that stays UNCONFIRMED, and check again later."""
        known = self.change.doubt
        assert known  # noqa: S101 - what is checked was left in doubt
        learnt = settle.learnt(known, submission, seen, read=read)
        settle.learn(self.run.job.tenant, self.listing_id, self.change, learnt, self.now)
        return Waiting(self.now + patience(submission.first_sent, self.now))


def patience(since: int, now: int) -> int:
    """How long to wait for the next check of what is not known since `since`: a quarter of that time, within limits."""
    return min(max((now - since) // 4, CHECK_MS), SELDOM_MS)


class NotReceived(Exception):  # noqa: N818 - an answer to `work`
    """The marketplace has not received the change: it may be sent again."""


class Check(NamedTuple):
    """What a check has found.

    status: of the operation; None: nothing that says whether the change was even received.
    submission: with what is known now.
    error: the marketplace's words for a failure, or for having no such listing.
    read: the listing itself was read, and seen is what it shows; None: the marketplace has no such listing.
    made: False where nothing could be asked.
    """

    status: Status | None
    submission: Submission
    error: str | None = None
    seen: shapes.MarketListing | None = None
    read: bool = False
    made: bool = True

    @property
    def gone(self) -> bool:
        """Whether the marketplace says that it has no such listing."""
        return self.read and self.seen is None


def follow(task: Task, submission: Submission, operation: Operation | None = None) -> HandlerResult:
    """Check once, at `operation` if it has just come.

    Raises:
        ChangeFailed: the change is settled, and did not happen.
        ChangeUnconfirmed: the job is over, and the change is not known.
        NotReceived: it may be sent again.
        Failure: the check could not be tried.
    """
    try:
        check = read_operation(submission, operation) if operation else _check(task, submission)
        if result := _known(task, check):
            return task.settle(result, check.submission)
    except AccountBroken as broken:
        if task.checking or not broken.found:
            raise
        return task.leave(submission, AUTHENTICATION_FAILED, broken.message)
    except MarketplaceFailure as failure:
        if failure.action is Then.SNOOZE:
            raise
        check = Check(None, submission, made=False)
    return _go_on(task, check)


def _check(task: Task, submission: Submission) -> Check:
    seller = task.seller()
    if submission.refused:
        seen = read_listing(seller, submission.marketplace_id or "")
        return Check(Status.FAILED, submission, submission.refused[1], seen, read=True)
    if submission.operation_id:
        return check_operation(seller, submission)
    if submission.marketplace_id is None:
        job, listing = task.run.job, listings.find(task.run.job.tenant, task.listing_id)
        if listing is None:
            return Check(None, submission)
        submission = lost_creates.find_created(seller, job.account, task.listing_id, listing.variant_id, submission)
        if submission.operation_id:
            return _found_later(seller, check_operation(seller, submission))
    if submission.marketplace_id is None:
        return Check(None, submission)
    check = check_listing(seller, submission)
    if check.status is None and task.change.action is Action.CREATE and not check.gone:
        return check._replace(status=Status.IN_PROGRESS)  # it is there, so it was received
    return check


def _found_later(seller: Seller, check: Check) -> Check:
    """`check` of a create that was looked for: the listing may have been there for a while, and says what it is now."""
    if check.status is not Status.COMPLETED or check.read:
        return check
    return check._replace(seen=read_listing(seller, check.submission.marketplace_id or ""), read=True)


def _known(task: Task, check: Check) -> Result | None:
    """What the change came to, as far as `check` tells; None while that is not known."""
    change, sent = task.change, check.submission
    if check.status is Status.PARTIAL:
        return _partly(task, check)
    if check.status is Status.COMPLETED:
        result = succeeded(change, sent.was)
    elif check.status is Status.FAILED:
        code, message = sent.refused or (FAILED_BY_MARKETPLACE, check.error or "the marketplace gives no reason")
        result = failed(change, code, message)
        if sent.refused and change.action is not Action.UPDATE and shows(change, check.seen):
            result = succeeded(change, sent.was)  # it was refused because it is so already
    elif check.gone and _gone_for_long(task, sent):
        return observed(failed(change, NOT_FOUND, check.error or "there is no such listing"), change, None, sent.was)
    else:
        return None
    if check.read:
        return observed(result, change, check.seen, sent.was)
    if task.checking and sent.marketplace_id and not (change.action is Action.CREATE and result.error):
        # Time has passed: the listing itself says what it is now.
        return observed(result, change, read_listing(task.seller(), sent.marketplace_id), sent.was)
    return result


def _gone_for_long(task: Task, submission: Submission) -> bool:
    """Whether the listing was gone a while ago already: one 404 may be a marketplace's bad moment."""
    return submission.gone_at is not None and task.now - submission.gone_at >= LATER_MS


def _partly(task: Task, check: Check) -> Result:
    """Some of it was done: what the listing itself shows is what happened."""
    sent = check.submission
    if sent.marketplace_id is None:
        return partial(task.change, None, sent.was, read=False)
    seen = check.seen if check.read else read_listing(task.seller(), sent.marketplace_id)
    return partial(task.change, seen, sent.was, read=True)


def _go_on(task: Task, check: Check) -> HandlerResult:
    """What follows from a check that does not tell."""
    sent, change = check.submission, task.change
    if check.gone and sent.gone_at is None:
        sent = replace(sent, gone_at=task.now)
    elif check.read and check.seen:
        sent = replace(sent, gone_at=None)
    check = check._replace(submission=sent)
    lost = check.made and check.status is None and not check.gone and not sent.operation_id
    if lost and task.now - sent.sent_at >= _appears_ms(task):
        return _not_received(task, check)
    if task.checking:
        return _keep_checking(task, check)
    if overdue(sent.followed_since, task.now) and not (lost and change.action is Action.CREATE):
        return _last_check(task, check)
    if change.action is Action.CREATE and sent.marketplace_id is None:
        rest = sent.sent_at + _appears_ms(task) - task.now
        return task.wait(sent, max(CHECK_MS, min(patience(sent.sent_at, task.now), rest)))
    return task.wait(sent, LATER_MS if check.status is None and check.made else CHECK_MS)


def _appears_ms(task: Task) -> int:
    """How long what was sent may take to show."""
    lost_ms = task.run.config.listings.lost_create_ms
    if task.change.action is Action.CREATE:
        return lost_ms
    return max(lost_ms, APPEARS_MS) if task.checking else APPEARS_MS


def _not_received(task: Task, check: Check) -> HandlerResult:
    """The marketplace has had its time to show the change, answers, and shows nothing of it."""
    sent, change = check.submission, task.change
    times = "once" if sent.tries == 1 else f"{sent.tries} times"
    message = f"it was sent {times} without an answer, and the marketplace shows nothing of it"
    if not task.checking and sent.tries < (MOST_CREATES if change.action is Action.CREATE else MOST_TRIES):
        raise NotReceived
    result = failed(change, NO_ANSWER, message)
    return task.settle(observed(result, change, check.seen, sent.was) if check.read else result, sent)


def _last_check(task: Task, check: Check) -> HandlerResult:
    """The job's time is over. What the listing itself shows is told; unless it shows the change, that is not known."""
    sent, seen, read = check.submission, check.seen, check.read
    if sent.marketplace_id and not read:
        try:
            seen, read = read_listing(task.seller(), sent.marketplace_id), True
        except MarketplaceFailure as failure:
            if failure.action is Then.SNOOZE:
                raise
            if task.now - sent.followed_since < GIVE_UP_MS:
                return task.wait(sent, LATER_MS)
    elif not check.made and task.now - sent.followed_since < GIVE_UP_MS:
        return task.wait(sent, LATER_MS)
    if read and shows(task.change, seen):
        return task.settle(timed_out(task.change, seen, sent.was), sent)
    return task.leave(sent, TIMED_OUT, TIMED_OUT_MESSAGE, seen, read=read)


def _keep_checking(task: Task, check: Check) -> HandlerResult:
    """Nobody waits for it any more; it is checked ever less often. What is still running after a day is settled by what
    the listing shows, so that its seller can go on.
    """
    sent, seen = check.submission, check.seen
    if check.made and sent.marketplace_id and task.now - sent.first_sent >= task.run.config.listings.unconfirmed_ms:
        seen = seen if check.read else read_listing(task.seller(), sent.marketplace_id)
        return task.settle(timed_out(task.change, seen, sent.was), sent)
    return task.learn(sent, seen, read=check.read)


def check_operation(seller: Seller, submission: Submission) -> Check:
    """Ask for the operation; if the marketplace does not know it, check the listing."""
    try:
        operation = seller.operation(submission.marketplace_id or "", submission.operation_id or "")
    except NotFound:
        return check_listing(seller, submission)
    return read_operation(submission, operation)


def read_operation(submission: Submission, operation: Operation) -> Check:
    """What `operation` says. A word that nobody knows means "still running", and is counted."""
    status = meaning(operation.word)
    if status is None:
        count("OperationWordsUnknown")
        logger.warning("an operation has a status that nobody knows", extra={"status_word": operation.word})
    return Check(status or Status.IN_PROGRESS, submission.started(operation), operation.error)


def check_listing(seller: Seller, submission: Submission) -> Check:
    """What the listing shows: our operation among those on it, or the change itself."""
    seen, words = _read_listing(seller, submission.marketplace_id or "")
    ours = _our_operation(seller, submission, seen)
    if ours:
        return read_operation(submission, ours)._replace(seen=seen, read=True)
    happened = shows(submission.change, seen)
    return Check(Status.COMPLETED if happened else None, submission, words, seen, read=True)


def read_listing(seller: Seller, marketplace_id: str) -> shapes.MarketListing | None:
    """The marketplace's listing; None when it has none of this id."""
    return _read_listing(seller, marketplace_id)[0]


def _read_listing(seller: Seller, marketplace_id: str) -> tuple[shapes.MarketListing | None, str | None]:
    """The listing, or the marketplace's words for having none."""
    try:
        return seller.listing(marketplace_id), None
    except NotFound as gone:
        return None, gone.message


def _our_operation(seller: Seller, submission: Submission, seen: shapes.MarketListing | None) -> Operation | None:
    """The operation that the change has started, as far as the listing's operations tell."""
    since, last = earliest(seller, submission.first_sent), seen.last_operation if seen else None
    if last and _is_ours(last, submission, since):
        return last
    if last and last.created_at is not None and last.created_at < since:
        return None  # nothing has happened to the listing since
    if seen is None and submission.change.action is not Action.CREATE:
        return None  # what is gone has no operation of ours to wait for
    operations = operations_on(seller, submission.marketplace_id or "")
    return next((one for one in operations if _is_ours(one, submission, since)), None)


def _is_ours(operation: Operation, submission: Submission, since: int) -> bool:
    if submission.operation_id:
        return operation.operation_id == submission.operation_id
    return is_made_by(operation, submission.change, since)
