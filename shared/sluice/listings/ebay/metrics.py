"""The metrics of eBay listings: their names, what each means, and the counting that takes a rule.

Names and meanings are in docs/ebay_listings.md too; a test compares the two.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from aws_lambda_powertools.metrics import MetricUnit

from sluice.jobs.model import kinds
from sluice.jobs.model.outcomes import Failure, HandlerResult, LeaseOver, Then
from sluice.jobs.model.run import Run
from sluice.jobs.run import records
from sluice.platform.clock import SECOND
from sluice.platform.observe import count, gauge, logger, milliseconds

# Every name, with what it counts or tells.
NAMES: Final[Mapping[str, str]] = {
    "publish.attempt": "attempts to make eBay equal to a record",
    "publish.success": "attempts that sent something, and all of it was taken",
    "publish.failure": "attempts that did not succeed, whatever becomes of their job",
    "publish.idempotent_skip": "attempts that found eBay equal to the record already, and called nobody",
    "publish.retry_scheduled": "attempts that failed and are made again after a pause",
    "publish.permanent_failure": "attempts that eBay refused for good",
    "publish.dead_letter": "attempts with which their job died: refused for good, or the last of six",
    "queue.enqueue_skipped_hash": "records that were sent and are so already: nothing was enqueued",
    "queue.enqueue_skipped_duplicate": "changes that joined a publish which was waiting",
    "queue.dequeue": "publish jobs that a worker has begun",
    "snapshot.created": "snapshots with a state of their own",
    "snapshot.dedup": "snapshots whose state was stored before: references",
    "snapshot.bytes": "bytes of packed states that were stored",
    "snapshot.pruned": "old snapshots that were taken away",
    "drift.detected": "differences that were told, by `class`",
    "adapter.calls": "calls to eBay's APIs for sellers, by `call` and `result`: ok, 4xx, 429, 5xx, none",
    "adapter.remaining_calls": "gauge: calls that the application with the fewest may still make today, by `service`",
    "queue.pending_depth": "gauge: publish jobs that are not over",
    "duration.publish_ms": "histogram: from the beginning of a run to the end of each of its publishes",
    "duration.snapshot_ms": "histogram: the transaction that stores a snapshot with its record",
    "duration.reconcile_ms": "histogram: one look at slices of an account's listings",
    "last.publish_success": "gauge: when a publish succeeded last, epoch seconds",
    "last.publish_error": "gauge: when a publish failed last",
    "last.reconcile": "gauge: when the reconciler ran last",
    "last.audit": "gauge: when the audit ran last",
    "last.report": "gauge: when a report of live listings was read last",
    "report.outcome": "reports of live listings, by `result`: read, or why there was none",
    "drift.suspected": "listings that a report or a page of items shows otherwise than eBay took them",
    "audit.checked": "records whose hashes, snapshots and index entries were computed anew",
    "audit.mismatch": "what the audit found wrong, by `what`",
    "audit.mended": "what of it was mended, by `what`",
}
# The unit of a gauge that says when.
SECONDS: Final = MetricUnit.Seconds
# The parts that leave a note for /health (`records.note`), and the gauges that say when.
SUCCESS: Final = "ebay.publish_success"
ERROR: Final = "ebay.publish_error"
RECONCILE: Final = "ebay.reconcile"
AUDIT: Final = "ebay.audit"
REPORT: Final = "ebay.report"
LAST: Final[Mapping[str, str]] = {
    SUCCESS: "last.publish_success",
    ERROR: "last.publish_error",
    RECONCILE: "last.reconcile",
    AUDIT: "last.audit",
    REPORT: "last.report",
}


def published(runs: Sequence[Run], ends: Sequence[HandlerResult | Exception], began: int) -> None:
    """Count what became of the publishes of one run, which began then (epoch ms), and note the last of each sort."""
    error = ""
    for run, end in zip(runs, ends, strict=True):
        milliseconds("duration.publish_ms", run.clock.now() - began)
        if isinstance(end, Exception) and _failed(run, end):
            error = getattr(end, "code", type(end).__name__)
    now = runs[0].clock.now()
    try:
        if any(not isinstance(end, Exception) for end in ends):
            records.note(SUCCESS, {"at": now})
        if error:
            records.note(ERROR, {"at": now, "code": error})
    except Exception:  # noqa: BLE001
        # What was published must not get lost behind a note of it.
        logger.warning("the last publish could not be noted", exc_info=True)


def _failed(run: Run, end: Exception) -> bool:
    """Count an attempt that did not succeed. False where it did, or where another has its place."""
    if isinstance(end, LeaseOver) or getattr(end, "logged", False):
        return False
    count("publish.failure")
    action = end.action if isinstance(end, Failure) else Then.RETRY
    if action is Then.SNOOZE:
        return True
    if action is not Then.RETRY:
        count("publish.permanent_failure")
    elif run.job.attempts < kinds.most_attempts(run.job.kind, run.config):
        count("publish.retry_scheduled")
        return True
    count("publish.dead_letter")
    return True


def tell_last(notes: Mapping[str, Mapping[str, int]]) -> None:
    """Tell when the last of each sort was. notes: as `records.notes` has them."""
    for part, name in LAST.items():
        if at := notes.get(part, {}).get("at"):
            gauge(name, at // SECOND, unit=SECONDS)
