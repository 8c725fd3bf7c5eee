"""One change of a group's own record: whether it goes with its members. See `change`."""

from sluice.listings.ebay import documents, hashes
from sluice.listings.ebay import table as records
from sluice.listings.ebay.change import Asker, Change
from sluice.listings.ebay.desired import Group
from sluice.listings.ebay.members import Place, place, wanted_of
from sluice.platform.refused import CONFLICT, Refused


class GroupChange(Change):
    """A change of a group's own record."""

    def __init__(self, asker: Asker, group: Group, *, archive: bool) -> None:
        super().__init__(asker, records.group_owner(asker.tenant), group.key, archive=archive)
        self.wanted: Group = group
        self.document, self.hash = documents.group_document(group), hashes.of_group(group)

    def check(self) -> None:
        """See `Change`."""
        if self.old is None or self.archive:
            return
        before, now = self.old.wanted_group, self.wanted
        sizes = wanted_of(self.asker.tenant, sorted(self.old.members or ()))
        members = {sku: one for sku, one in sorted(sizes.items()) if one}
        for name in ("marketplace", "language"):
            if members and getattr(before, name) != getattr(now, name):
                raise Refused(name, "cannot change while the group has members: theirs is the same", code=CONFLICT)
        if before.varies_by == now.varies_by:
            return
        seen = dict[Place, str]()
        for sku, one in members.items():
            for number, name in enumerate(now.varies_by):
                if len(one.aspects.get(name, ())) != 1:
                    raise Refused(f"variesBy[{number}]", f"is no aspect with one value of its member {sku}")
            if (other := seen.setdefault(place(one, now), sku)) != sku:
                raise Refused("variesBy", f"does not tell its members {other} and {sku} apart")
