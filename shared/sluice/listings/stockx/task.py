"""What the parts of one run share."""

from dataclasses import dataclass, replace

from sluice.jobs.model.outcomes import HandlerResult, Waiting
from sluice.jobs.model.run import Run
from sluice.listings.stockx import doubt, settle
from sluice.listings.stockx.changes import Change
from sluice.listings.stockx.results import Result
from sluice.listings.stockx.submission import Submission
from sluice.marketplaces import selling as shapes
from sluice.marketplaces.stockx.selling import Selling
from sluice.platform.clock import HOUR, MINUTE, SECOND

# How long after one check of an operation comes the next.
LOOK_MS = 20 * SECOND
# After an answer that promises nothing soon.
LATER_MS = MINUTE
# The longest time between two checks of something that does not become known.
SELDOM_MS = HOUR


@dataclass(frozen=True)
class Task:
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

    def selling(self) -> Selling:
        """The account's listings at the marketplace."""
        return Selling.open(self.run.job.account, self.run.calls, self.run.clock)

    def wait(self, submission: Submission, pause_ms: int = LOOK_MS) -> Waiting:
        """Check again later."""
        return Waiting(self.now + pause_ms, submission.payload(self.listing_id))

    def settle(self, result: Result, submission: Submission | None = None) -> HandlerResult:
        """Write what the change came to, and end the job with it.

        Raises:
            ChangeFailed: the change did not happen.
        """
        entry = settle.settle(
            self.run.job.tenant,
            self.listing_id,
            self.change,
            result,
            self.now,
            marketplace_id=submission.marketplace_id if submission else None,
            operation_id=(submission.operation_id or submission.batch_id) if submission else None,
            tries=submission.tries if submission else 1,
        )
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
        left = doubt.of(replace(submission, since=None), code, message, self.now)
        left = doubt.looked(left, replace(submission, since=None), seen, read=read)
        return doubt.end(self.run.job.tenant, self.listing_id, self.change, left, self.now)

    def learn(self, submission: Submission, seen: shapes.MarketListing | None, *, read: bool) -> Waiting:
        """Keep what this check has found of a change that stays UNCONFIRMED, and check again later."""
        known = self.change.doubt
        assert known  # noqa: S101 - what is checked was left in doubt
        learnt = doubt.looked(known, submission, seen, read=read)
        doubt.learn(self.run.job.tenant, self.listing_id, self.change, learnt, self.now)
        return Waiting(self.now + patience(submission.first_sent, self.now))


def patience(since: int, now: int) -> int:
    """How long to wait for the next check of what is not known since `since`: a quarter of that time, within limits."""
    return min(max((now - since) // 4, LOOK_MS), SELDOM_MS)
