"""One change of a listing after the other, in the order of asking.

```
 open changes    3 UPDATE ── running     4 DEACTIVATE ── waits for 3     5 UPDATE ── waits for 4
```
Numbers only grow and the smallest goes first, so who is first stays first until it is settled. A change whose job is
over without having settled it is *left*: one that was never sent is settled by whoever comes by; one that was sent is
UNCONFIRMED, and whoever comes by checks first what became of it.

Whether a single change was sent stands on its listing. What a batch has sent its job alone knows: where that could not
be read, each of its changes may have been sent.
"""

from dataclasses import replace
from enum import StrEnum

from sluice.jobs.model import keys
from sluice.jobs.model.dead_letters import is_unreadable
from sluice.jobs.model.job import Job
from sluice.jobs.model.states import CANCELLED, FINAL
from sluice.listings.stockx import results, settle
from sluice.listings.stockx.changes import Action, Change, Submission
from sluice.listings.stockx.kinds import BATCH
from sluice.listings.stockx.table import Listing

ABANDONED = "abandoned"
UNREAD = "its job could not be read"


class OpenStanding(StrEnum):
    """How it stands with an open change."""

    ALIVE = "alive"  # there is a job that does it
    UNSENT = "unsent"  # its job is over, and has not sent it
    UNCONFIRMED = "unconfirmed"  # its job is over, and has sent it, or may have


def standing(listing: Listing, change: Change, now: int, *, without: str = "") -> tuple[OpenStanding, Change]:
    """How it stands with `change` of `listing`; and the change, with the doubt that its job has left.

    without: a job that is known not to be at it.
    """
    if change.doubt:
        return OpenStanding.UNCONFIRMED, change
    job = job_of(change.job_id)
    if job is not None and job.state not in FINAL and job.job_id != without:
        return OpenStanding.ALIVE, change
    left = settle.left_by(job, change, now) if job is not None else None
    if left is None and job is not None and _is_of_unreadable_batch(job):
        # At the latest when its job was set aside.
        sent = replace(maybe_sent(listing, change), sent_at=job.updated_at, first_at=change.asked_at)
        left = settle.doubt_of(sent, ABANDONED, UNREAD, now)
    if left is None and change.number == listing.running:
        left = settle.doubt_of(maybe_sent(listing, change), ABANDONED, "its job ended without a result", now)
    if left:
        return OpenStanding.UNCONFIRMED, replace(change, doubt=left)
    return OpenStanding.UNSENT, change


def _is_of_unreadable_batch(job: Job) -> bool:
    return is_unreadable(job.error) and keys.job_parts(job.job_id)[0] == BATCH.name


def maybe_sent(listing: Listing, change: Change) -> Submission:
    """The submission of a change that was about to be sent when its job was lost, with all that it knew."""
    return Submission(change, change.asked_at, marketplace_id=listing.marketplace_id, was=listing.status)


def clear(listing: Listing, now: int) -> bool:
    """Settle each change of `listing` that was left unsent, and mark each that is UNCONFIRMED; whether there were any.

    Whoever asks for more does this first: to ask for a job anew makes it forget what it was at.
    """
    cleared = False
    for change in listing.open_changes():
        how, known = standing(listing, change, now)
        if how is OpenStanding.UNSENT:
            give_up(listing, change, now)
            cleared = True
        elif how is OpenStanding.UNCONFIRMED and known != change and known.doubt:
            settle.leave(listing.tenant, listing.listing_id, known, known.doubt, now)
            cleared = True
    return cleared


def give_up(listing: Listing, change: Change, now: int) -> None:
    """Settle a change that has lost its job, and was never sent."""
    job = job_of(change.job_id)
    code, message = ABANDONED, "its job ended without a result"
    if job is not None and job.state == CANCELLED:
        code, message = results.CANCELLED, "it was cancelled before it began"
    elif job is not None and job.error:
        code, message = job.error["code"], job.error["message"]
    result = results.unsent(change, code, message)
    if any(one.number != change.number and one.action is Action.CREATE for one in listing.open_changes()):
        result = replace(result, becomes=None)  # the other one says whether the listing comes into being
    settle.write(listing.tenant, listing.listing_id, change, result, now)


def job_of(job_id: str) -> Job | None:
    """The job as it is now."""
    try:
        return Job.get(job_id, consistent_read=True)
    except Job.DoesNotExist:
        return None
