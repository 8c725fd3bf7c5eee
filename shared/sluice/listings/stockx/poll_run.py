"""One run of the operation poller: twice a minute, by hand, or for a portion that is too much for another run."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any, TypedDict

from botocore.exceptions import BotoCoreError, ClientError

from sluice.jobs.dispatch.poller import ALL, Portion, poll
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import Failure, LeaseOver, Then
from sluice.jobs.model.states import WAITING
from sluice.jobs.run import records
from sluice.listings.stockx.results import TIMED_OUT
from sluice.marketplaces.accounts.dispatching import ACCOUNTS
from sluice.platform import aws
from sluice.platform.context import Context
from sluice.platform.observe import count, logger
from sluice.platform.settings import settings


class Stats(TypedDict):
    """How many operations were checked, and what was seen. `processed` is the sum of the others."""

    processed: int
    completed: int
    failed: int
    timedOut: int
    inProgress: int


class PollAnswer(TypedDict):
    """What one run did. success: every account that has operations could be served."""

    success: bool
    message: str
    stats: Stats
    durationMs: int


def answer(event: Mapping[str, Any], context: Context, deadline: int) -> PollAnswer:
    """What the operation poller does with its event: a schedule's, or another run's that hands on a portion."""
    bodies = [json.loads(record["body"]) for record in event.get("Records", ())]
    budgets = {budget for body in bodies for budget in body.get("budgets", ())}
    return run(context, deadline, Portion(budgets) if budgets else Portion(hand_over=_hand_over))


def _hand_over(budgets: Sequence[str]) -> None:
    """Start a further run for these budgets, if that can be done; else the next scheduled run finds them."""
    try:
        aws.send_message(settings().require("poll_queue_url"), json.dumps({"budgets": list(budgets)}))
    except (BotoCoreError, ClientError):
        logger.exception("a portion of operations could not be handed on", extra={"budgets": len(budgets)})


def run(context: Context, deadline: int, portion: Portion = ALL) -> PollAnswer:
    """Check up to `engine.poll_batch` operations that are due, and end well before `deadline` (epoch ms)."""
    clock, config = context.clock, context.config
    started, seen, lock = clock.now(), Counter[str](), Lock()

    def observe(job: Job, failure: Failure | None) -> None:
        with lock:
            seen[_word(job, failure)] += 1
        _log(job, failure)

    done, report = poll(ACCOUNTS, context, deadline, config.engine.poll_batch, observe, portion)
    stats = _stats(seen)
    duration = clock.now() - started
    counters = {name: value for name, value in stats.items() if isinstance(value, int)}
    records.record("operation-poller", {**stats, "calls": report.calls, "ms": duration}, counters, clock.now(), config)
    for name, value in (
        ("OperationsPolled", stats["processed"]),
        ("OperationsCompleted", stats["completed"]),
        ("OperationsFailed", stats["failed"]),
        ("OperationsTimedOut", stats["timedOut"]),
    ):
        count(name, value)
    message = f"checked {stats['processed']} operations"
    if done.errors:
        message += f"; {done.errors} accounts could not be served, the log tells why"
    return {"success": not done.errors, "message": message, "stats": stats, "durationMs": duration}


def _stats(seen: Counter[str]) -> Stats:
    names = ("completed", "failed", "timedOut", "inProgress")
    return {
        "processed": sum(seen[name] for name in names),
        "completed": seen["completed"],
        "failed": seen["failed"],
        "timedOut": seen["timedOut"],
        "inProgress": seen["inProgress"],
    }


def _word(job: Job, failure: Failure | None) -> str:
    """Where a check is counted. One whose job was somebody else's by its end counts nowhere: they count it."""
    if failure is None:
        return "inProgress" if job.state == WAITING else "completed"
    if isinstance(failure, LeaseOver):
        return "late"
    if failure.code == TIMED_OUT:
        return "timedOut"
    return "failed" if failure.action in (Then.BUSINESS, Then.FATAL) else "inProgress"


def _log(job: Job, failure: Failure | None) -> None:
    about = {"job_id": job.job_id, "account": job.account, "state": job.state}
    if failure is None:
        logger.info("operation checked", extra=about)
    else:
        about |= {"code": failure.code, "reason": failure.message}
        fault = failure.__cause__ if failure.code == "handler_error" else None
        logger.warning("operation not done", extra=about, exc_info=fault)
