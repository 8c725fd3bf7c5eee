"""Storing what a seller wants, and asking for the job that makes eBay so, in one transaction.

```
 read the record ─► the same as is stored, and eBay has it or a job waits?          nothing is done (counted)
                    the same, and its job runs?             the job, which runs once more
                    only how drift is treated differs?      record v+1 and history
                    else                                    record v+1, history, and the job, all or nothing
 somebody else wrote meanwhile ─► read again
```
The job is due after the coalescing window, so edits within it are one publish; whoever joins a job that waits does not
put it off. The publisher reads the record after its claim, and an edit while it runs has it run once more.
"""

from collections.abc import Iterable
from dataclasses import replace
from enum import Enum, StrEnum, auto
from typing import Final, NamedTuple

from sluice.jobs import ask
from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.model.states import FINAL, LEASED, QUEUED
from sluice.jobs.queue.enqueue import Enqueued, Result
from sluice.jobs.queue.together import NotWritten
from sluice.listings.ebay import kinds, wishes
from sluice.listings.ebay import table as records
from sluice.listings.ebay.change import Asker, Change, RecordChange
from sluice.listings.ebay.desired import Desired, Group, Status
from sluice.listings.ebay.group_change import GroupChange
from sluice.listings.ebay.table import Record
from sluice.marketplaces import publishing
from sluice.platform import races, tables
from sluice.platform.observe import count
from sluice.platform.refused import Refused


class Outcome(StrEnum):
    """What became of what was asked: a job publishes it, it was only stored, or nothing differs.

    Kept: what is stored is newer than what was asked for, and stays.
    """

    QUEUED = "queued"
    STORED = "stored"
    UNCHANGED = "unchanged"
    KEPT = "kept"


class _Left(Enum):
    """What is to be done: nothing where eBay has it, or a job will make it so. Its job is to run once more; or it is
    written, and a job asked for.
    """

    NOTHING = auto()
    RUN_AGAIN = auto()
    WRITE = auto()


# What a request is answered with at once. The other is an import's.
ANSWERED: Final = (Outcome.QUEUED, Outcome.STORED, Outcome.UNCHANGED)


class WrongVersion(Exception):  # noqa: N818 - an answer to the caller
    """The record is not of the version that the request is about. found: its version; None where there is none."""

    def __init__(self, found: int | None) -> None:
        super().__init__("the record has changed")
        self.found = found


class Done(NamedTuple):
    """What became of it.

    version: the record's. enqueued: what the engine did; None where there is no work. due_at: of that work, epoch ms.
    category_checked: whether it was compared with what its category asks for; None where nothing was to be.
    """

    outcome: Outcome
    version: int
    enqueued: Enqueued | None = None
    due_at: int = 0
    category_checked: bool | None = None


def require_account(tenant: str) -> None:
    """Do nothing if the tenant's eBay account can have listings.

    Raises:
        Refused: it cannot; says what to do.
    """
    if why := publishing.refusal(keys.account("ebay", tenant)):
        raise Refused("account", why)


def put(
    asker: Asker,
    wanted: Desired | Group,
    version: int | None = None,
    *,
    archive: bool = False,
    unless_newer: bool = False,
) -> Done:
    """Store what is wanted, of a sku or of a group, and have it published. archive: for good; lists have it no more.

    version: the one that the request is about; None for whatever there is.
    unless_newer: it was asked for some time ago, and may have been stored by an earlier try: what somebody else has
        changed since stays, and the answer to an own change is what it was.

    Raises:
        WrongVersion: nothing was written. Refused: it contradicts what is stored elsewhere.
        Contention: others have changed the record again and again meanwhile.
    """
    race = races.Race(f"a record of {asker.tenant} was changed while it was written")
    while True:
        change = change_of(asker, wanted, archive=archive)
        if version is not None and version != change.found:
            raise WrongVersion(change.found)
        if change.is_none and (left := _left(change)) is not _Left.WRITE:
            if unless_newer and change.is_own:
                return _told_again(change)
            if left is _Left.RUN_AGAIN:
                return _asked_again(change)
            count("queue.enqueue_skipped_hash")
            return Done(Outcome.UNCHANGED, change.version - 1)
        if unless_newer and change.is_overtaken:
            return Done(Outcome.KEPT, change.version - 1)
        change.check()
        try:
            return _write(change)
        except (NotWritten, tables.ConditionFailed):
            race.lost()


def change_of(asker: Asker, wanted: Desired | Group, *, archive: bool) -> Change:
    """The change that makes a record what is wanted of it. Reads the record."""
    if isinstance(wanted, Group):
        return GroupChange(asker, wanted, archive=archive)
    return RecordChange(asker, wanted, archive=archive)


def ended(record: Record) -> Desired | Group:
    """The record as it is when its listing is taken down."""
    if record.is_group:
        return replace(record.wanted_group, status=Status.ENDED)
    return replace(record.wanted, status=Status.ENDED)


def _write(change: Change) -> Done:
    asker = change.asker
    if not change.is_work:
        tables.transact(change.writes(None))
        return Done(Outcome.STORED, change.version, category_checked=change.category_checked)
    _ask_besides(change)
    wish = wishes.publish(*change.subject, asker.subject, change.due_at, quick=change.is_quick, priority=asker.priority)
    done = ask.want_with(wish, asker.now, asker.config, change.writes(wish.job_id))
    if change.left_group:
        # At once, so that eBay lets it go before it is published by itself.
        ask.want(_of_left(change, asker.now), asker.now, asker.config)
    if done.result is Result.MERGED:
        count("queue.enqueue_skipped_duplicate")
    return Done(Outcome.QUEUED, change.version, done, change.due_at, change.category_checked)


def _ask_besides(change: Change) -> None:
    """Ask for what follows from the change and is no part of it, before the change is written: whoever is broken in
    between is asked for both again, and what was asked for twice is one job.
    """
    change.ask_category()
    if change.left_group:
        # When the window is over, should nobody come to ask for it at once.
        ask.want(_of_left(change, change.due_at), change.asker.now, change.asker.config)


def _of_left(change: Change, due_at: int) -> ask.Wish:
    asker = change.asker
    return wishes.publish(records.group_owner(asker.tenant), change.left_group or "", asker.subject, due_at)


def _told_again(change: Change) -> Done:
    """What the answer was when the change was made: only what eBay had already was stored without a job."""
    old, version = change.old, change.version - 1
    if old and old.is_published and old.published_version != version:
        return Done(Outcome.STORED, version)
    enqueued = Enqueued(kinds.publish_id(*change.subject), Result.MERGED, QUEUED)
    return Done(Outcome.QUEUED, version, enqueued, change.due_at)


def remember(asker: Asker, done: Iterable[Done], *, wake: bool = True) -> None:
    """Note which jobs a request has led to. wake: have the scheduler come for each when its window is over."""
    asked = [one for one in done if one.enqueued]
    jobs = [(kinds.PUBLISH.name, asker.priority, one.enqueued) for one in asked if one.enqueued]
    if jobs:
        due = {one.due_at for one in asked} if wake else ()
        ask.remember(asker.tenant, jobs, asker.now, asker.config, due=due)


def _asked_again(change: Change) -> Done:
    """Its publish has begun, and may fail for what has passed by now, or die with its worker: it runs once more."""
    asker = change.asker
    wish = wishes.publish(*change.subject, asker.subject, change.due_at, priority=asker.priority)
    return Done(Outcome.QUEUED, change.version - 1, ask.want(wish, asker.now, asker.config), change.due_at)


def _left(change: Change) -> _Left:
    """What is to be done for a record that is as it was asked for."""
    if change.old is None:
        return _Left.WRITE
    if change.old.is_published:
        return _Left.NOTHING
    try:
        job = Job.get(kinds.publish_id(*change.subject), consistent_read=True)
    except Job.DoesNotExist:
        return _Left.WRITE
    if job.state in FINAL:
        return _Left.WRITE
    return _Left.RUN_AGAIN if job.state == LEASED and job.rerun is None else _Left.NOTHING
