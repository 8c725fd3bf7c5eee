"""One run of the page worker: each minute, and at once when checks were asked for."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from threading import Lock
from typing import TypedDict

from sluice.jobs.dispatch.punctual import run_due
from sluice.jobs.dispatch.snapshot import Accounts
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import Failure
from sluice.jobs.run import records
from sluice.platform.clock import SECOND
from sluice.platform.config.services import PAGES
from sluice.platform.context import Context
from sluice.platform.observe import count, logger


class WorkAnswer(TypedDict):
    """What one run did: how many jobs ended in each way. success: everything that was due could be checked."""

    success: bool
    ends: dict[str, int]
    durationMs: int


def run(context: Context, deadline: int) -> WorkAnswer:
    """Check the pages that are due within the minute, hosts side by side, and end before `deadline` (epoch ms)."""
    clock, config = context.clock, context.config
    started, seen, lock = clock.now(), Counter[str](), Lock()

    def observe(job: Job, failure: Failure | None) -> None:
        word = str((job.result or {}).get("status", "succeeded")) if failure is None else failure.code
        with lock:
            seen[word] += 1
        _log(job, failure)

    own = replace(config, engine=replace(config.engine, lease_ms=config.pages.check_lock_timeout_seconds * SECOND))
    done, report = run_due(Accounts(_always), Context(clock, own), deadline, observe, service=PAGES)
    ms = clock.now() - started
    records.record("page-worker", {**seen, "calls": report.calls, "ms": ms}, report.ends, clock.now(), config)
    count("PageJobsDead", report.ends["dead"])
    return {"success": not done.errors, "ends": dict(report.ends), "durationMs": ms}


def _always(accounts: Collection[str], _: str) -> Mapping[str, str]:
    """Hosts need no account that could be broken."""
    return dict.fromkeys(accounts, "ACTIVE")


def _log(job: Job, failure: Failure | None) -> None:
    about = {"job_id": job.job_id, "host": job.account, "attempt": job.attempts, "state": job.state}
    if failure is None:
        logger.info("page job done", extra=about | {"result": job.result})
        return
    fault = failure.__cause__ if failure.code in ("handler_error", "unwritten") else None
    logger.warning("page job not done", extra=about | {"code": failure.code, "reason": failure.message}, exc_info=fault)
