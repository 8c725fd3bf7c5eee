"""Events on the bus for every job that has ended. `docs/events.md` has their schema."""

from collections.abc import Iterable
from typing import Any

from sluice.jobs.job import Job
from sluice.jobs.states import FINAL
from sluice.platform import aws
from sluice.platform.clock import iso

VERSION = 1


def publish(jobs: Iterable[Job], now: int) -> None:
    """Put `job.succeeded` or `job.dead` on the bus for each of `jobs` that is final."""
    aws.put_events([(f"job.{job.state}", _detail(job, now)) for job in jobs if job.state in FINAL])


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
