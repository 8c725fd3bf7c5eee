"""What the parts of one run share that is about a batch."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sluice.jobs.model.outcomes import Failure, HandlerResult, Then, Waiting
from sluice.jobs.model.run import Run
from sluice.listings.stockx import doubt, settle
from sluice.listings.stockx import table as listings
from sluice.listings.stockx.batch_items import Row
from sluice.listings.stockx.results import Result
from sluice.listings.stockx.status import Action, ListingStatus, Status, of_batch
from sluice.listings.stockx.submission import Submission
from sluice.listings.stockx.task import LOOK_MS, patience
from sluice.marketplaces import selling as shapes
from sluice.marketplaces.selling import BatchKind, MarketBatch
from sluice.marketplaces.stockx.selling import Selling

KINDS: dict[Action, BatchKind] = {Action.CREATE: "create", Action.UPDATE: "update", Action.DELETE: "delete"}


class BatchFailed(Failure):
    """None of the batch's changes is known to have happened."""

    action = Then.BUSINESS
    code = "batch_failed"


@dataclass(frozen=True)
class Sent:
    """What a batch job remembers of its call: stored before it is made.

    sent_at: when it was made last, epoch ms; first_at: when first, if it was made again; tries: how often. counts: the
    marketplace's items by status word.
    """

    sent_at: int
    tries: int = 1
    batch_id: str | None = None
    counts: dict[str, int] | None = None
    first_at: int | None = None

    @property
    def first_sent(self) -> int:
        """When it was made first."""
        return self.first_at or self.sent_at

    def known(self, batch: MarketBatch) -> "Sent":
        """The marketplace has shown `batch`."""
        return replace(self, batch_id=batch.batch_id, counts=dict(batch.counts))


def sent_of(payload: dict[str, Any]) -> Sent | None:
    """What a batch job's payload knows of its call."""
    fields = payload.get("sent")
    return Sent(**fields) if fields else None


@dataclass(frozen=True)
class BatchTask:
    """A batch that a run works on.

    payload: of the batch's job, whose id is `job_id`; the run may be another's. checking: that job is over, and this
    only finds out what became of its changes.
    """

    run: Run
    job_id: str
    payload: dict[str, Any]
    checking: bool = False

    @property
    def action(self) -> Action:
        """What is done to each listing."""
        return Action(self.payload["action"])

    @property
    def now(self) -> int:
        """Epoch ms."""
        return self.run.clock.now()

    @property
    def kind(self) -> BatchKind:
        """The marketplace's name of this batch."""
        return KINDS[self.action]

    def selling(self) -> Selling:
        """The account's listings at the marketplace."""
        return Selling.open(self.run.job.account, self.run.calls, self.run.clock)

    def rows(self) -> list[Row]:
        """Every change of this batch, in the order of asking."""
        asked = self.payload["listings"]
        found = listings.find_many(self.run.job.tenant, [listing_id for listing_id, _, _ in asked])
        rows = []
        for listing_id, number, amount in asked:
            if listing := found.get(listing_id):
                change = listing.change(number)
                own = change if change and change.job_id == self.job_id else None
                rows.append(Row(listing, own, amount))
        return rows

    def open_rows(self) -> list[Row]:
        """Those of `rows` that are not settled."""
        return [row for row in self.rows() if row.change]

    def with_sent(self, sent: Sent | None) -> dict[str, Any]:
        """The job's payload with what is known of its call."""
        asked = {name: value for name, value in self.payload.items() if name != "sent"}
        return {**asked, "sent": asdict(sent)} if sent else asked

    def wait(self, sent: Sent, pause_ms: int = LOOK_MS) -> Waiting:
        """Check again later; what nobody waits for, ever less often."""
        pause = patience(sent.first_sent, self.now) if self.checking else pause_ms
        return Waiting(self.now + pause, self.with_sent(sent))

    def settle(self, row: Row, result: Result, sent: Sent | None = None, made: str | None = None) -> None:
        """Write what one change came to. made: the marketplace's new listing."""
        if row.change is None:
            return
        if made:
            listings.adopt(row.listing.account, made, row.listing.listing_id)
        key = (row.listing.tenant, row.listing.listing_id)
        operation_id, tries = (sent.batch_id, sent.tries) if sent else (None, 1)
        change = row.change
        settle.settle(*key, change, result, self.now, marketplace_id=made, operation_id=operation_id, tries=tries)

    def leave(
        self,
        row: Row,
        sent: Sent,
        code: str,
        message: str,
        seen: shapes.MarketListing | None = None,
        *,
        read: bool = False,
    ) -> None:
        """Say that nobody knows what became of one change."""
        if row.change is None:
            return
        known = self.submission(row, sent)
        left = row.change.doubt or doubt.of(known, code, message, self.now)
        left = doubt.looked(left, known, seen, read=read)
        doubt.leave(row.listing.tenant, row.listing.listing_id, row.change, left, self.now)

    def submission(self, row: Row, sent: Sent) -> Submission:
        """What is known of the sending of one change."""
        assert row.change  # noqa: S101 - callers leave settled rows alone
        return Submission(
            row.change,
            sent.sent_at,
            sent.tries,
            row.listing.marketplace_id,
            batch_id=sent.batch_id,
            was=row.listing.status,
            first_at=sent.first_at,
        )

    def result(self) -> HandlerResult:
        """What the batch came to, by what stands in the history of its listings.

        Raises:
            BatchFailed: none of its changes is known to have happened.
        """
        asked = self.payload["listings"]
        entries = [listings.entry(self.run.job.tenant, listing_id, number) for listing_id, number, _ in asked]
        unknown = [entry for entry in entries if entry and entry.status == ListingStatus.UNCONFIRMED]
        settled = [entry for entry in entries if entry and entry.status != ListingStatus.UNCONFIRMED]
        errors = [entry.metadata["error"] for entry in settled if entry.metadata.get("error")]
        done = len(settled) - len(errors)
        if unknown and not done:
            error = unknown[0].metadata["error"]
            raise BatchFailed(error["message"], code=error["code"])
        if not settled and not unknown:
            return {"status": "SUPERSEDED", "completed": 0, "failed": 0}
        status = of_batch(done, len(errors) + len(unknown))
        if status is Status.FAILED:
            raise BatchFailed(f"none of {len(settled)} changes happened: {errors[0]['message']}")
        counts = {"completed": done, "failed": len(errors)}
        return {"status": str(status), **counts, **({"unconfirmed": len(unknown)} if unknown else {})}


def leave_all(task: BatchTask, rows: Sequence[Row], sent: Sent, code: str, message: str) -> None:
    """Say of each of `rows` that nobody knows what became of it."""
    for row in rows:
        task.leave(row, sent, code, message)
