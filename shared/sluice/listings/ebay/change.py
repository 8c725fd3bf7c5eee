"""One change of a record, of a sku or a group: whether it goes with what else is stored, and what is written of it."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action as Update
from pynamodb.transactions import TransactWrite

from sluice.jobs.model import keys
from sluice.listings.ebay import categories, documents, hashes, same_seller
from sluice.listings.ebay import table as records
from sluice.listings.ebay.desired import Desired, Group, Json, Status
from sluice.listings.ebay.facts import Facts
from sluice.listings.ebay.members import Members, place
from sluice.listings.ebay.table import HistoryEntry, Record
from sluice.platform.clock import SECOND
from sluice.platform.config.document import Config
from sluice.platform.differences import diff
from sluice.platform.packing import pack
from sluice.platform.refused import CONFLICT, Refused

# What price and quantity alone are, as paths of the record.
_QUICK: Final = ("/price", "/quantity")


@dataclass(frozen=True)
class Asker:
    """Who asks, when (epoch ms), and how: `put`, `patch`, `import`, … stands in the history.

    priority: of the jobs that come of it. facts: what is known of the seller, however many records are asked for.
    members: what tells the members of groups apart, however many of them are.
    """

    tenant: str
    subject: str
    now: int
    action: str
    config: Config = field(repr=False)
    priority: int = keys.HOT

    facts: Facts = field(init=False, repr=False, compare=False)
    members: Members = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Threads share it: made when first asked for, two that ask at once would have one each."""
        object.__setattr__(self, "facts", Facts(keys.account("ebay", self.tenant)))
        object.__setattr__(self, "members", Members(self.tenant))


class Change(ABC):
    """One change of a record: what is written of it.

    owner, key: the record's keys. old: as it is stored. document, hash: of what is wanted.
    """

    owner: str
    key: str
    document: Json
    hash: str
    wanted: Desired | Group

    def __init__(self, asker: Asker, owner: str, key: str, *, archive: bool) -> None:
        self.asker, self.owner, self.key, self.archive = asker, owner, key, archive
        self.old = records.find(owner, key)
        self.version = (self.old.version if self.old else 0) + 1

    @property
    def found(self) -> int | None:
        """The version that is stored; None where there is none."""
        return self.old.version if self.old and not self.old.archived_at else None

    @cached_property
    def fields(self) -> list[str]:
        """The paths that differ."""
        return sorted(diff(self.old.document if self.old else {}, self.document))

    @property
    def is_none(self) -> bool:
        """Whether the record is so already."""
        return self.old is not None and not self.fields and bool(self.old.archived_at) == self.archive

    @property
    def is_work(self) -> bool:
        """Whether a publisher has something to do, as far as the record tells."""
        if self.old is None or (self.old.archived_at and not self.archive):
            return not self.archive
        return self.old.record_hash != self.hash or not self.old.is_published

    @property
    def is_own(self) -> bool:
        """Whether the newest change of what is stored was made by this asker at this moment."""
        old, asker = self.old, self.asker
        return old is not None and (old.changed_at, old.changed_by) == (asker.now, asker.subject)

    @property
    def is_overtaken(self) -> bool:
        """Whether what is stored was changed after this was asked for."""
        return self.old is not None and self.old.changed_at > self.asker.now

    @property
    def is_quick(self) -> bool:
        """Whether price and quantity alone differ from what is stored."""
        return self.old is not None and bool(self.fields) and all(one.startswith(_QUICK) for one in self.fields)

    @property
    def due_at(self) -> int:
        """When the coalescing window is over."""
        ebay = self.asker.config.ebay
        return self.asker.now + (ebay.price_coalesce_seconds if self.is_quick else ebay.coalesce_seconds) * SECOND

    @property
    def subject(self) -> tuple[str, str]:
        """The keys of the record that is published: its own, or its group's."""
        return self.owner, self.key

    @property
    def left_group(self) -> str | None:
        """The group that it is no member of any more."""
        return None

    # Whether it was compared with what its category asks for; None where nothing was to be.
    category_checked: bool | None = None

    def ask_category(self) -> None:
        """Have what its category asks for read, where that is not known well enough."""
        return

    @abstractmethod
    def check(self) -> None:
        """Do nothing if the change goes with what else is stored. Raises Refused."""

    def writes(self, job: str | None) -> Any:
        """What fills the transaction. job: the id of the job that is asked for."""

        def fill(transaction: TransactWrite) -> None:
            transaction.update(Record(self.owner, self.key), self._updates(), self._as_read())
            transaction.save(self._history(job), HistoryEntry.entry.does_not_exist())
            for key, actions, condition in self.of_groups:
                transaction.update(Record(records.group_owner(self.asker.tenant), key), actions, condition)

        return fill

    @property
    def of_groups(self) -> list[tuple[str, list[Update], Condition]]:
        """What is written of groups besides: the key of each, what, and on which condition."""
        return []

    def _updates(self) -> list[Update]:
        wanted, now = self.wanted, self.asker.now
        return [
            Record.version.set(self.version),
            Record.desired.set(pack(self.document)),
            Record.record_hash.set(self.hash),
            Record.marketplace.set(wanted.marketplace),
            Record.status.set(str(wanted.status)),
            Record.title.set(wanted.title),
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
            listing=records.listing_key(self.owner, self.key),
            entry=records.version_entry(self.version),
            version=self.version,
            action=self.asker.action,
            fields=self.fields,
            changed_by=self.asker.subject,
            changed_at=self.asker.now,
            job_id=job,
        )


class RecordChange(Change):
    """A change of the record of a sku."""

    def __init__(self, asker: Asker, desired: Desired, *, archive: bool) -> None:
        super().__init__(asker, asker.tenant, desired.sku, archive=archive)
        self.wanted: Desired = desired
        self.category: categories.KnownCategory | None = None
        self.document, self.hash = documents.document(desired), hashes.of_record(desired)

    @property
    def subject(self) -> tuple[str, str]:
        """See `Change`."""
        group = self.wanted.group
        return (records.group_owner(self.owner), group) if group else (self.owner, self.key)

    @property
    def left_group(self) -> str | None:
        """See `Change`. What is archived stays a member: eBay lets none go that has sold."""
        before = self.old.group if self.old else None
        return before if before != self.wanted.group else None

    def check(self) -> None:
        """See `Change`."""
        old, group, tenant = self.old, self.wanted.group, self.asker.tenant
        if self.archive:
            return
        facts = self.asker.facts
        facts.check(self.wanted)
        if self._begins and same_seller.first(facts, self.key):
            raise Refused("sku", same_seller.TAKEN, code=CONFLICT)
        if old and old.group != group and old.published_version and old.standing not in (None, records.ENDED):
            what = f"of group {old.group} is published; end the group" if old.group else "is published; end it"
            raise Refused("group", f"cannot change while the listing {what} first", code=CONFLICT)
        if group is None:
            self._check_category(())
            return
        found = records.find_group(tenant, group)
        if found is None or found.archived_at:
            raise Refused("group", f"there is no group {group}; put it first")
        self._check_category(found.wanted_group.aspects)
        self._check_member(found, found.wanted_group)

    def _check_category(self, given: Collection[str]) -> None:
        """given: aspects that its group says for it."""
        if self.wanted.status is Status.ENDED:
            return
        found = self.category = self.asker.facts.category(self.wanted.marketplace, self.wanted.category)
        self.category_checked = found is not None
        if problems := found.problems(self.wanted, given) if found else []:
            raise Refused.of(problems)

    def ask_category(self) -> None:
        """See `Change`."""
        asker, wanted = self.asker, self.wanted
        if self.category_checked is not None:
            asker.facts.once(
                "category",
                wanted.marketplace,
                wanted.category,
                ask=lambda: categories.read_anew(asker.tenant, wanted, self.category, asker.now, asker.config),
            )

    @property
    def _begins(self) -> bool:
        """Whether there is to be a listing where none was wanted before."""
        before = self.old is not None and not self.old.archived_at and self.old.status != Status.ENDED
        return self.wanted.status is not Status.ENDED and not before

    def _check_member(self, found: Record, group: Group) -> None:
        wanted, key = self.wanted, group.key
        if (group.marketplace, group.language) != (wanted.marketplace, wanted.language):
            raise Refused("group", f"is of {group.marketplace} and {group.language}; its members must be too")
        for name in group.varies_by:
            if name not in wanted.aspects:
                raise Refused(f"aspects.{name}", f"is required: the members of group {key} differ in it")
            if len(wanted.aspects[name]) > 1:
                raise Refused(f"aspects.{name}", f"must have one value: the members of group {key} differ in it")
        old = self.old
        if old and old.group == key and not old.archived_at and old.wanted.aspects == wanted.aspects:
            return
        self.asker.members.join(group, self.key, place(wanted, group), found.members or ())

    def _updates(self) -> list[Update]:
        group = self.wanted.group
        left = [Record.left.add({self.left_group})] if self.left_group and not self.archive else []
        return [*super()._updates(), Record.group.set(group) if group else Record.group.remove(), *left]

    @property
    def of_groups(self) -> list[tuple[str, list[Update], Condition]]:
        """See `Change`."""
        before, after, exists = self.old.group if self.old else None, self.wanted.group, Record.sku.exists()
        if before == after:
            return []
        written = list[tuple[str, list[Update], Condition]]()
        if before:
            written.append((before, [Record.members.delete({self.key})], exists))
        if after:
            there = exists & Record.archived_at.does_not_exist()
            written.append((after, [Record.members.add({self.key})], there))
        return written
