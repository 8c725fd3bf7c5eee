"""One change of a listing after the other, in the order of asking.

```
 open changes    3 UPDATE ── running     4 DEACTIVATE ── waits for 3     5 UPDATE ── waits for 4
```
Numbers only grow and the smallest goes first, so who is first stays first until it is settled. A change whose job is
over without having settled it (it was cancelled, or its worker was lost too often) is settled by whoever waits for it.
"""

from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import Action as Then
from sluice.jobs.model.outcomes import Failure
from sluice.jobs.model.states import CANCELLED, FINAL
from sluice.listings.stockx import table as listings
from sluice.listings.stockx.changes import Change
from sluice.listings.stockx.results import failed
from sluice.listings.stockx.settle import settle
from sluice.listings.stockx.table import Listing
from sluice.platform import tables
from sluice.platform.clock import MINUTE, SECOND

# A request writes its change first and its job next. It lives for less than this, so a change without a job that is
# older will never have one.
ASKING_MS = MINUTE
AGAIN_MS = 15 * SECOND


class NotItsTurn(Failure):
    """An earlier change of the same listing is not settled."""

    action = Then.SNOOZE
    code = "not_its_turn"


class Superseded(Failure):
    """The change is no longer open: a newer one took its place, or somebody has settled it."""

    action = Then.SNOOZE
    code = "superseded"


def take(listing: Listing, change: Change, now: int) -> None:
    """Say that `change` runs now. From here on no newer change takes its place.

    Raises:
        NotItsTurn: another one is before it.
        Superseded: it is not open any more; its job looks again for what is.
    """
    for ahead in listing.open_changes():
        if ahead.number >= change.number:
            break
        if is_alive(ahead, now):
            message = f"change {ahead.number} of this listing ({ahead.action}) is not done yet"
            raise NotItsTurn(message, retry_at=now + AGAIN_MS)
        give_up(listing, ahead, now)
    try:
        key = (listing.tenant, listing.listing_id)
        tables.update(Listing, key, [Listing.running.set(change.number)], listings.is_open(change.number))
    except tables.ConditionFailed as gone:
        raise Superseded(f"change {change.number} is not open any more", retry_at=now) from gone


def is_alive(change: Change, now: int) -> bool:
    """Whether there is, or will be, a job that does `change`."""
    job = _job(change)
    if job is not None and job.state not in FINAL:
        return True
    if job is not None and job.state == CANCELLED and job.updated_at >= change.asked_at:
        return False
    return now - change.asked_at < ASKING_MS


def give_up(listing: Listing, change: Change, now: int) -> None:
    """Settle a change that has lost its job."""
    job = _job(change)
    code, message = "abandoned", "its job ended without a result"
    if job is not None and job.state == CANCELLED:
        code, message = "cancelled", "it was cancelled before it began"
    elif job is not None and job.error:
        code, message = job.error["code"], job.error["message"]
    settle(listing.tenant, listing.listing_id, change, failed(change, code, message), now)


def _job(change: Change) -> Job | None:
    try:
        return Job.get(change.job_id, consistent_read=True)
    except Job.DoesNotExist:
        return None
