"""What the parts of one run share."""

from dataclasses import dataclass

from sluice.jobs.model.outcomes import Outcome, Waiting
from sluice.jobs.model.run import Run
from sluice.listings.stockx import settle
from sluice.listings.stockx.changes import Change
from sluice.listings.stockx.results import Result
from sluice.listings.stockx.submission import Submission
from sluice.marketplaces.stockx.selling import Selling
from sluice.platform.clock import MINUTE, SECOND

# How long after one look at an operation comes the next.
LOOK_MS = 20 * SECOND
# After an answer that promises nothing soon.
LATER_MS = MINUTE


@dataclass(frozen=True)
class Task:
    """The change that a run works on. Time is read anew each time: a call may have waited for its slot."""

    run: Run
    change: Change

    @property
    def listing_id(self) -> str:
        """Our listing."""
        listing_id: str = self.run.payload["listing_id"]
        return listing_id

    @property
    def now(self) -> int:
        """Epoch ms."""
        return self.run.clock.now()

    def selling(self) -> Selling:
        """The account's listings at the marketplace."""
        return Selling.open(self.run.job.account, self.run.calls, self.run.clock)

    def wait(self, submission: Submission, pause_ms: int = LOOK_MS) -> Waiting:
        """Look again later."""
        return Waiting(self.now + pause_ms, submission.payload(self.listing_id))

    def settle(self, result: Result, submission: Submission | None = None) -> Outcome:
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
            operation_id=submission.operation_id if submission else None,
        )
        return settle.outcome(entry, self.listing_id)
