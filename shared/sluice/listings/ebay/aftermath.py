"""What comes after a publish that ended without a success: its record says that nobody tries it again.

An attempt that gives up has said so on the record (`attempt.failed`). No attempt says it where the worker of the last
one was lost, the account has not worked for a week, the job was cancelled, or a handler failed by a fault of its own:
the record would wait for ever, and, where an attempt had begun, no look at its listing would see a sale.
"""

from contextlib import suppress
from typing import Final

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action as Update

from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.model.states import DEAD, FINAL, SUCCEEDED
from sluice.listings.ebay import log_rows, table
from sluice.listings.ebay.desired import Json, Status
from sluice.listings.ebay.table import Record
from sluice.platform import races, tables
from sluice.platform.observe import logger

# Kind, marketplace, owner and sku: the id of a publish.
PUBLISH_PARTS: Final = 4
GIVEN_UP: Final = FINAL - {SUCCEEDED}
# What stands on a record whose job somebody has cancelled.
CANCELLED: Final = {"code": "cancelled", "message": "its job was cancelled: it is published when it is put again"}
# The same where that would have taken its listing down.
NOT_ENDED: Final = {
    "code": "cancelled",
    "message": "its job was cancelled: its listing is ended when that is asked for again",
}


def given_up(job: Job) -> bool:
    """Have the record of `job`, a publish that died or was cancelled, say so; whether it did not before.

    Doing it twice changes nothing.

    Raises:
        Contention: the record is changed all the time.
    """
    # As the id says it: a job that could not be read has nothing else.
    parts = keys.job_parts(job.job_id)
    if len(parts) != PUBLISH_PARTS:
        logger.error("nobody knows which record a publish was about that has ended", extra={"job_id": job.job_id})
        return False
    owner, sku = parts[2:]
    race = races.Race(f"record {sku} was changed while its publish was given up")
    while True:
        record = table.find(owner, sku)
        # The job is read after the record. Whoever asks for it anew later still either changes the record, so that the
        # write below fails, or only has another attempt made, which says on the record itself what became of it.
        last = _last(job)
        if record is None or last is None:
            return False
        if record.is_group:
            _leave_members(job, record)
        actions = _said(last, record) + _left(job, record)
        if not actions:
            return False
        try:
            tables.update(Record, [owner, sku], actions, _as_read(record))
        except tables.ConditionFailed:
            race.lost()
        else:
            return True


def _said(job: Job, record: Record) -> list[Update]:
    """That it is given up, where the record says otherwise."""
    if record.subject != (record.tenant, record.sku) or not _waits(record):
        return []
    cancelled = NOT_ENDED if record.archived_at or record.status == Status.ENDED else CANCELLED
    why: Json = job.error if job.state == DEAD and job.error else cancelled
    said = log_rows.error(record, why["code"], why["message"], job.updated_at, final=True)
    return [Record.error.set(said)]


def _waits(record: Record) -> bool:
    """Whether the record is told as one that is published still, or tried again."""
    error = record.error
    if error and error["version"] == record.version:
        return not error.get("final", True)
    return not record.is_published


def _left(job: Job, record: Record) -> list[Update]:
    """No more is sent by an attempt of `job`: whoever looks at the listing sees what is there."""
    return [Record.run.remove()] if (record.run or "").startswith(f"{job.job_id}#") else []


def _leave_members(job: Job, group: Record) -> None:
    """The same of the skus that are published with their group."""
    for member in table.find_many(group.owner, sorted(group.members or ())).values():
        if left := _left(job, member):
            with suppress(tables.ConditionFailed):  # another attempt has begun with it
                tables.update(Record, [member.tenant, member.sku], left, Record.run == member.run)


def _last(job: Job) -> Job | None:
    """The job with its last end; None where somebody has asked for it anew, or that went well."""
    try:
        last = Job.get(job.job_id, consistent_read=True)
    except Job.DoesNotExist:
        return job
    return last if last.state in GIVEN_UP else None


def _as_read(record: Record) -> Condition:
    """Nobody has changed the record, and no attempt has begun or ended, since it was read."""
    same: Condition = record.unchanged & log_rows.same_end(record)
    return same
