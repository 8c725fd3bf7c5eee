"""What the sync log, and a record's error, keep of an attempt: its calls, what eBay said, how it ended."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from pynamodb.expressions.condition import Condition

from sluice.jobs.model import kinds
from sluice.jobs.model.outcomes import Failure, Then
from sluice.jobs.model.run import Run
from sluice.listings.ebay.plan import Step
from sluice.listings.ebay.table import Record
from sluice.marketplaces.http.errors import MarketplaceFailure
from sluice.marketplaces.publishing import Json, Warned
from sluice.platform.attributes import still
from sluice.platform.clock import iso

# The parts of an error that a record keeps.
MESSAGE_CHARACTERS: Final = 300


@contextmanager
def logging(calls: list[Json], step: Step) -> Iterator[None]:
    """A call that is made meanwhile is one more of `calls`, for the sync log."""
    try:
        yield
    except Failure as failure:
        calls.append(call(step, failure))
        raise
    calls.append(call(step))


def call(step: Step, failure: Failure | None = None) -> Json:
    """A call that was made, as the sync log keeps it."""
    told = {"step": str(step), "result": "failed" if failure else "done"}
    if isinstance(failure, MarketplaceFailure) and failure.status is not None:
        told["status"] = str(failure.status)
    return told


def said(warnings: Sequence[Warned]) -> list[Mapping[str, Any]]:
    """Each warning once."""
    rows = {(one.code, one.message): {"code": one.code, "message": one.message} for one in warnings}
    return list(rows.values())


def result_of(failure: Failure) -> str:
    """How the sync log calls an attempt that failed."""
    if failure.action in (Then.BUSINESS, Then.FATAL):
        return "failed"
    return "snooze" if failure.action is Then.SNOOZE else "retry"


def error_of(run: Run, record: Record, failure: Failure) -> Json:
    """What a record keeps of a failure. final: it is not tried again by itself."""
    last = run.job.attempts >= kinds.most_attempts(run.job.kind, run.config)
    final = result_of(failure) == "failed" or (last and failure.action is Then.RETRY)
    return error(record, failure.code, failure.message, run.clock.now(), final=final)


def error(record: Record, code: str, message: str, at: int, *, final: bool) -> Json:
    """What a record keeps of why it was not published. at: epoch ms."""
    said = {"code": code, "message": message[:MESSAGE_CHARACTERS]}
    return {**said, "version": record.version, "at": iso(at), "final": final}


def same_end(record: Record) -> Condition:
    """No attempt to publish the record has ended since it was read, and nobody has given it up."""
    same: Condition = still(Record.published_at, record.published_at) & still(Record.error, record.error)
    return same
