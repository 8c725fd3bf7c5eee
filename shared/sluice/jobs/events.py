"""Events on the bus for every job that has ended. `docs/events.md` has their schema."""

from collections.abc import Iterable
from typing import Any

from sluice.jobs.job import Job
from sluice.jobs.states import FINAL
from sluice.platform import aws
from sluice.platform.clock import iso
from sluice.platform.observe import logger

VERSION = 1


def publish(jobs: Iterable[Job], now: int) -> None:
    """Put `job.succeeded` or `job.dead` on the bus for each of `jobs` that is final.

    A bus that fails loses the event and nothing else: the jobs have ended, and who ran them could not do it again.
    """
    ended = [job for job in jobs if job.state in FINAL]
    try:
        aws.put_events([(f"job.{job.state}", _detail(job, now)) for job in ended])
    except Exception:  # noqa: BLE001
        logger.exception("events were not published", extra={"job_ids": [job.job_id for job in ended]})


def _detail(job: Job, now: int) -> dict[str, Any]:
    return {
        "version": VERSION,
        "jobId": job.job_id,
        "kind": job.kind,
        "state": job.state,
        "account": job.account,
        "tenants": sorted(job.tenants or ()),
        "attempts": job.attempts,
        "result": job.result,
        "error": job.error,
        "at": iso(now),
    }
