"""Storing what a seller wants, and asking for the job that makes eBay so, in one transaction.

```
 read the record ─► the same as is stored, and eBay has it or a job is under way?   nothing is done (counted)
                    only how drift is treated differs?      record v+1 and history
                    else                                    record v+1, history, and the job, all or nothing
 somebody else wrote meanwhile ─► read again
```
The job is due after the coalescing window, so edits within it are one publish; whoever joins a job that waits does not
put it off. The publisher reads the record after its claim, and an edit while it runs has it run once more.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, NamedTuple

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action as Update
from pynamodb.transactions import TransactWrite

from sluice.jobs import ask
from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.model.states import FINAL
from sluice.jobs.queue.enqueue import Enqueued, Result
from sluice.jobs.queue.together import NotWritten
from sluice.listings.ebay import documents, hashes, kinds, sellers, wishes
from sluice.listings.ebay import table as records
from sluice.listings.ebay.desired import Desired, Status
from sluice.listings.ebay.table import HistoryEntry, Record
from sluice.marketplaces import publishing
from sluice.platform import tables
from sluice.platform.clock import SECOND
from sluice.platform.config.document import Config
from sluice.platform.differences import diff
from sluice.platform.http.errors import FieldError
from sluice.platform.observe import count
from sluice.platform.packing import pack
from sluice.platform.refused import CONFLICT, Refused

TRIES: Final = 10
PRIORITY: Final = keys.HOT
# What price and quantity alone are, as paths of the record.
_QUICK: Final = ("/price", "/quantity")


class Outcome(StrEnum):
    """What became of what was asked: a job publishes it, it was only stored, or nothing differs."""

    QUEUED = "queued"
    STORED = "stored"
    UNCHANGED = "unchanged"


class WrongVersion(Exception):  # noqa: N818 - an answer to the caller
    """The record is not of the version that the request is about. found: its version; None where there is none."""

    def __init__(self, found: int | None) -> None:
        super().__init__("the record has changed")
        self.found = found


@dataclass(frozen=True)
class Asker:
    """Who asks, when (epoch ms), and how: `put`, `patch`, `import`, … stands in the history."""

    tenant: str
    subject: str
    now: int
    action: str
    config: Config = field(repr=False)


class Done(NamedTuple):
    """What became of it. version: the record's. enqueued: what the engine did; None where there is no work."""

    outcome: Outcome
    version: int
    enqueued: Enqueued | None = None


def require_account(tenant: str) -> None:
    """Do nothing if the tenant's eBay account can have listings.

    Raises:
        Refused: it cannot; says what to do.
    """
    if why := publishing.refusal(keys.account("ebay", tenant)):
        raise Refused("account", why)


def check_policies(tenant: str, desired: Desired) -> None:
    """Do nothing unless the record names a policy that the seller has not, as far as they were read.

    Raises:
        Refused: by the place in the record.
    """
    known = sellers.known(keys.account("ebay", tenant), desired.marketplace)
    gone = known.ids(desired.policies) if known else None
    if isinstance(gone, list):
        what = f"is none of your policies at {desired.marketplace}, as eBay last told them"
        raise Refused.of([FieldError(one.field, what) for one in gone])


def put(asker: Asker, desired: Desired, version: int | None = None, *, archive: bool = False) -> Done:
    """Store what is wanted, and have it published. archive: for good; it is no part of lists any more.

    version: the one that the request is about; None for whatever there is.

    Raises:
        WrongVersion: nothing was written. Refused: it contradicts what is stored elsewhere.
    """
    for _ in range(TRIES):
        old = records.find(asker.tenant, desired.sku)
        found = old.version if old and not old.archived_at else None
        if version is not None and version != found:
            raise WrongVersion(found)
        change = _Change(asker, desired, old, archive)
        if change.is_none and _is_settled(old, desired):
            count("queue.enqueue_skipped_hash")
            return Done(Outcome.UNCHANGED, change.version - 1)
        change.check()
        try:
            return _write(change)
        except (NotWritten, tables.ConditionFailed):
            continue
    raise tables.Contention(f"record {desired.sku} was changed {TRIES} times while it was written; ask again")


class _Change:
    """One change of a record: what is written of it."""

    def __init__(self, asker: Asker, desired: Desired, old: Record | None, archive: bool) -> None:
        self.asker, self.desired, self.old, self.archive = asker, desired, old, archive
        self.version = (old.version if old else 0) + 1
        self.document = documents.document(desired)
        self.hash = hashes.of_record(desired)
        self.fields = sorted(diff(old.document if old else {}, self.document))

    @property
    def is_none(self) -> bool:
        """Whether the record is so already."""
        return self.old is not None and not self.fields and bool(self.old.archived_at) == self.archive

    @property
    def is_work(self) -> bool:
        """Whether a publisher has something to do, as far as the record tells."""
        if self.old is None or self.old.archived_at:
            return not self.archive
        return self.old.record_hash != self.hash or not self.old.is_published

    @property
    def is_quick(self) -> bool:
        """Whether price and quantity alone differ from what is stored."""
        return self.old is not None and bool(self.fields) and all(one.startswith(_QUICK) for one in self.fields)

    @property
    def due_at(self) -> int:
        """When the coalescing window is over."""
        ebay = self.asker.config.ebay
        return self.asker.now + (ebay.price_coalesce_seconds if self.is_quick else ebay.coalesce_seconds) * SECOND

    def check(self) -> None:
        """Do nothing if the change goes with what else is stored. Raises Refused."""
        old, group, desired = self.old, self.desired.group, self.desired
        check_policies(self.asker.tenant, desired)
        if old and old.group != group and old.published_version and old.standing not in (None, records.ENDED):
            raise Refused("group", "cannot change while the listing is published; end it first", code=CONFLICT)
        if group is None:
            return
        found = records.find_group(self.asker.tenant, group)
        if found is None or found.archived_at:
            raise Refused("group", f"there is no group {group}; put it first")
        if (found.marketplace, found.wanted_group.language) != (self.desired.marketplace, self.desired.language):
            raise Refused(
                "group", f"is of {found.marketplace} and {found.wanted_group.language}; its members must be too"
            )
        if missing := [name for name in found.wanted_group.varies_by if name not in self.desired.aspects]:
            raise Refused(f"aspects.{missing[0]}", f"is required: the members of group {group} differ in it")

    def writes(self, job: str | None) -> Any:
        """What fills the transaction. job: the id of the job that is asked for."""

        def fill(transaction: TransactWrite) -> None:
            record = Record(self.asker.tenant, self.desired.sku)
            transaction.update(record, self._updates(), self._as_read())
            transaction.save(self._history(job), HistoryEntry.entry.does_not_exist())
            for group, update in self._memberships():
                exists: Condition = Record.sku.exists() & Record.archived_at.does_not_exist()
                owner = records.group_owner(self.asker.tenant)
                transaction.update(Record(owner, group), [update], exists if group == self.desired.group else None)

        return fill

    def _updates(self) -> list[Update]:
        desired, now = self.desired, self.asker.now
        return [
            Record.version.set(self.version),
            Record.desired.set(pack(self.document)),
            Record.record_hash.set(self.hash),
            Record.marketplace.set(desired.marketplace),
            Record.status.set(str(desired.status)),
            Record.title.set(desired.title),
            Record.group.set(desired.group) if desired.group else Record.group.remove(),
            Record.created_at.set(Record.created_at | now),
            Record.changed_at.set(now),
            Record.changed_by.set(self.asker.subject),
            Record.archived_at.set(now) if self.archive else Record.archived_at.remove(),
        ]

    def _as_read(self) -> Condition:
        """Nobody has changed the record since it was read."""
        same: Condition = Record.sku.does_not_exist() if self.old is None else Record.version == self.old.version
        return same

    def _history(self, job: str | None) -> HistoryEntry:
        return HistoryEntry(
            listing=records.listing_key(self.asker.tenant, self.desired.sku),
            entry=records.version_entry(self.version),
            version=self.version,
            action=self.asker.action,
            fields=self.fields,
            changed_by=self.asker.subject,
            changed_at=self.asker.now,
            job_id=job,
        )

    def _memberships(self) -> list[tuple[str, Update]]:
        before = self.old.group if self.old and not self.old.archived_at else None
        after = None if self.archive else self.desired.group
        if before == after:
            return []
        left = [(before, Record.members.delete({self.desired.sku}))] if before else []
        return left + ([(after, Record.members.add({self.desired.sku}))] if after else [])


def _write(change: _Change) -> Done:
    asker = change.asker
    if not change.is_work:
        tables.transact(change.writes(None))
        return Done(Outcome.STORED, change.version)
    wish = wishes.publish(*_subject(asker.tenant, change.desired), asker.subject, change.due_at, quick=change.is_quick)
    done = ask.want_with(wish, asker.now, asker.config, change.writes(wish.job_id))
    if done.result is Result.MERGED:
        count("queue.enqueue_skipped_duplicate")
    return Done(Outcome.QUEUED, change.version, done)


def _subject(tenant: str, desired: Desired) -> tuple[str, str]:
    """The keys of the record that is published: the sku's own, or its group's."""
    return (records.group_owner(tenant), desired.group) if desired.group else (tenant, desired.sku)


def _is_settled(old: Record | None, desired: Desired) -> bool:
    """Whether eBay has what the record says, or a job is on its way to make it so."""
    if old is None or old.is_published or old.archived_at:
        return old is not None
    try:
        job = Job.get(kinds.publish_id(*_subject(old.tenant, desired)), consistent_read=True)
    except Job.DoesNotExist:
        return False
    return job.state not in FINAL


def ended(record: Record) -> Desired:
    """The record as it is when its listing is taken down."""
    return replace(record.wanted, status=Status.ENDED)
