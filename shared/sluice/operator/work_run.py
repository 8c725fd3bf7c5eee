"""One run of the operator's worker: each minute, and at once when an action was asked for."""

from collections.abc import Collection, Mapping
from typing import TypedDict

from sluice.jobs.dispatch.punctual import run_due
from sluice.jobs.dispatch.snapshot import Accounts
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import Failure
from sluice.jobs.run import records
from sluice.operator import recounts
from sluice.platform.config.services import OPERATOR
from sluice.platform.context import Context
from sluice.platform.observe import logger


class WorkAnswer(TypedDict):
    """What one run did: how many actions ended in each way. success: everything that was due could be looked at."""

    success: bool
    ends: dict[str, int]
    durationMs: int


def run(context: Context, deadline: int) -> WorkAnswer:
    """Carry out the actions that wait, side by side, and end before `deadline` (epoch ms), then compare counters."""
    started = context.now()
    done, report = run_due(Accounts(_always), context, deadline, _log, service=OPERATOR)
    recounts.sweep()
    ms = context.now() - started
    records.record("operator-worker", {**report.ends, "ms": ms}, report.ends, context.now(), context.config)
    return {"success": not done.errors, "ends": dict(report.ends), "durationMs": ms}


def _always(accounts: Collection[str], _: str) -> Mapping[str, str]:
    """An action needs no account that could be broken."""
    return dict.fromkeys(accounts, "ACTIVE")


def _log(job: Job, failure: Failure | None) -> None:
    about = {"job_id": job.job_id, "attempt": job.attempts, "state": job.state}
    if failure is None:
        logger.info("action carried out", extra=about | {"result": job.result})
        return
    fault = failure.__cause__ if failure.code in ("handler_error", "unwritten") else None
    logger.warning(
        "action not at its end", extra=about | {"code": failure.code, "why": failure.message}, exc_info=fault
    )
