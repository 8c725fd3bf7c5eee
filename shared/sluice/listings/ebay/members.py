"""What tells the members of groups apart, read once for all records of a request or of a part of an import.

```
 60 sizes of one group in a file ─► what is stored of its members is read for the first; each that joins is known then
```
Without it each of them would read all others, with their descriptions: work that grows with the square of the members.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from threading import RLock
from typing import Final

from sluice.listings.ebay.desired import Desired, Group
from sluice.listings.ebay.table import Record
from sluice.platform.refused import Refused

# Ours: what one run of the publisher can send and read back. eBay lists more variations than any shoe has sizes.
MOST_MEMBERS: Final = 60

# A member's values of what the members of its group differ in, in the order of `Group.varies_by`.
Place = tuple[tuple[str, ...], ...]


def place(one: Desired, group: Group) -> Place:
    """Where a member stands in its group."""
    return tuple(tuple(one.aspects.get(name, ())) for name in group.varies_by)


def wanted_of(tenant: str, skus: Iterable[str]) -> dict[str, Desired | None]:
    """What is wanted of those of the tenant's records that there are, by sku; None of archived ones."""
    needed = ["tenant", "sku", "desired", "archived_at"]
    found = Record.batch_get([(tenant, sku) for sku in skus], consistent_read=True, attributes_to_get=needed)
    return {one.sku: None if one.archived_at else one.wanted for one in found}


@dataclass
class _Known:
    """Of one group. stored: the places of members as they were read, None where it is archived. taken: those that this
    asker's records have been given. lock: held while one of them looks for its own."""

    stored: dict[str, Place | None] = field(default_factory=dict)
    taken: dict[str, Place] = field(default_factory=dict)
    lock: RLock = field(default_factory=RLock)


class Members:
    """Of a tenant's groups. Threads may share it."""

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant
        self._groups: dict[tuple[str, tuple[str, ...]], _Known] = {}

    def join(self, group: Group, sku: str, wanted: Place, stored: Collection[str]) -> None:
        """Give a member its place. stored: the skus of the group's members, as its record has them now.

        Raises:
            Refused: another member has this place, or the group has as many as it may.
        """
        # One step, unlike what a defaultdict does: two threads that are first at once have the same.
        known = self._groups.setdefault((group.key, tuple(group.varies_by)), _Known())
        with known.lock:
            others = (set(stored) | known.taken.keys()) - {sku}
            if len(others) >= MOST_MEMBERS:
                raise Refused("group", f"has {MOST_MEMBERS} members already, which is the most")
            self._read(known, group, [one for one in others if one not in known.stored and one not in known.taken])
            there = {**known.stored, **known.taken}
            if same := next((one for one in sorted(others) if there.get(one) == wanted), None):
                name = group.varies_by[0]
                raise Refused(f"aspects.{name}", f"is the same as that of {same} in group {group.key}")
            known.taken[sku] = wanted

    def _read(self, known: _Known, group: Group, skus: Collection[str]) -> None:
        found = wanted_of(self._tenant, skus)
        known.stored |= {sku: None if one is None else place(one, group) for sku, one in found.items()}
