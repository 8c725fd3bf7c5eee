"""One run of the promotion worker: each minute, or by hand."""

from collections import Counter
from threading import Lock
from typing import TypedDict

from sluice.jobs.dispatch.punctual import run_due
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import Failure, LeaseOver, Then
from sluice.jobs.model.states import DEAD
from sluice.jobs.run import records
from sluice.marketplaces.accounts.dispatching import ACCOUNTS
from sluice.platform.config.services import EBAY_MARKETING
from sluice.platform.context import Context
from sluice.platform.observe import count, logger


class Stats(TypedDict):
    """How many promotions were tried, and what came of it. `processed` is the sum of the others.

    retried: not placed yet, and tried again. failed: given up. postponed: could not be tried, for want of calls or of a
    working account.
    """

    processed: int
    succeeded: int
    retried: int
    failed: int
    postponed: int


class WorkAnswer(TypedDict):
    """What one run did. success: everything that was due could be tried."""

    success: bool
    message: str
    stats: Stats
    durationMs: int


# How a try may end, and the metric that counts it.
METRICS = {
    "succeeded": "PromotionsPlaced",
    "retried": "PromotionsRetried",
    "failed": "PromotionsFailed",
    "postponed": "PromotionsPostponed",
}


def run(context: Context, deadline: int) -> WorkAnswer:
    """Place the ads that are due within the minute, each at its second, and end well before `deadline` (epoch ms)."""
    clock, config = context.clock, context.config
    started, seen, lock = clock.now(), Counter[str](), Lock()

    def observe(job: Job, failure: Failure | None) -> None:
        with lock:
            seen[_word(job, failure)] += 1
        _log(job, failure)

    done, report = run_due(ACCOUNTS, context, deadline, observe, service=EBAY_MARKETING)
    stats, duration = _stats(seen), clock.now() - started
    counters = {name: seen[name] for name in METRICS}
    records.record("promotion-worker", {**stats, "calls": report.calls, "ms": duration}, counters, clock.now(), config)
    for name, metric in METRICS.items():
        count(metric, seen[name])
    message = f"tried {stats['processed']} promotions"
    if done.errors:
        message += f"; {done.errors} could not be tried, the log tells why"
    return {"success": not done.errors, "message": message, "stats": stats, "durationMs": duration}


def _stats(seen: Counter[str]) -> Stats:
    return {
        "processed": sum(seen[name] for name in METRICS),
        "succeeded": seen["succeeded"],
        "retried": seen["retried"],
        "failed": seen["failed"],
        "postponed": seen["postponed"],
    }


def _word(job: Job, failure: Failure | None) -> str:
    """Where a try is counted. One whose job was somebody else's by its end counts nowhere: they count it."""
    if failure is None:
        return "succeeded"
    if isinstance(failure, LeaseOver):
        return "late"
    if job.state == DEAD:
        return "failed"
    return "postponed" if failure.action is Then.SNOOZE else "retried"


def _log(job: Job, failure: Failure | None) -> None:
    about = {"job_id": job.job_id, "account": job.account, "attempt": job.attempts, "state": job.state}
    if failure is None:
        logger.info("promotion placed", extra=about | {"result": job.result})
        return
    about |= {"code": failure.code, "reason": failure.message}
    if job.state != DEAD:
        fault = failure.__cause__ if failure.code in ("handler_error", "unwritten") else None
        logger.warning("promotion not placed", extra=about, exc_info=fault)
    elif failure.action is Then.RETRY:
        logger.error(f"failed after {job.attempts} attempts", extra=about)
    else:
        logger.error("promotion refused", extra=about)
