"""Events on the bus for every job that has ended. `docs/events.md` has their schema.

They are made from the stream of table `jobs`, so that no code that ends a job can forget one, and none is lost between
the write and the bus: Lambda hands a record over until it is published.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sluice.jobs.model.job import Job, Unreadable, read
from sluice.jobs.model.states import FINAL
from sluice.platform import aws
from sluice.platform.clock import iso
from sluice.platform.observe import logger

VERSION = 1

# A record of a DynamoDB stream, as Lambda hands it over.
Record = Mapping[str, Any]


def publish(records: Iterable[Record]) -> int:
    """Put `job.succeeded`, `job.dead` or `job.cancelled` on the bus for each job that `records` show to have ended.

    Returns how many.

    Raises:
        RuntimeError, BotoCoreError: the bus did not take all. Those that it took come again when this is done again.
    """
    over = [(record["eventID"], job) for record in records if (job := ended(record["dynamodb"]))]
    aws.put_events([(f"job.{job.state}", _detail(event_id, job)) for event_id, job in over])
    return len(over)


def ended(change: Mapping[str, Any]) -> Job | None:
    """The job, if this change is the one by which it ended."""
    if _is_final(change.get("OldImage")) or not _is_final(change.get("NewImage")):
        return None
    try:
        return read(change["NewImage"])
    except Unreadable as unreadable:
        about = {"keys": change.get("Keys"), "reason": str(unreadable)}
        logger.error("a job has ended and cannot be read", extra=about)
        return None


def _is_final(image: Mapping[str, Any] | None) -> bool:
    return (image or {}).get("state", {}).get("S") in FINAL


def _detail(event_id: str, job: Job) -> dict[str, Any]:
    return {
        "version": VERSION,
        "id": event_id,
        "jobId": job.job_id,
        "kind": job.kind,
        "state": job.state,
        "account": job.account,
        "tenants": sorted(job.tenants or ()),
        "attempts": job.attempts,
        "result": job.result,
        "error": job.error,
        "at": iso(job.updated_at),
    }
