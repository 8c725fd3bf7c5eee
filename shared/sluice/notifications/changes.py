"""Which prices have changed most between two looks at an inventory. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple


class PriceKey(NamedTuple):
    """Whose price it is."""

    sku: str
    size: str
    marketplace: str
    currency: str


class Change(NamedTuple):
    """What was asked before, and is asked now, in the key's currency."""

    key: PriceKey
    before: Decimal
    after: Decimal

    @property
    def percent(self) -> float:
        """By how much, of what was asked before: above 0 where it rose, to a tenth."""
        return round(float(100 * (self.after - self.before) / self.before), 1)


def changed_most(before: Mapping[PriceKey, str], after: Mapping[PriceKey, str], most: int) -> list[Change]:
    """The `most` prices that changed most, of those that both looks saw: by their share, the largest first."""
    found = [
        Change(key, old, new)
        for key in before.keys() & after.keys()
        if (old := Decimal(before[key])) > 0 and (new := Decimal(after[key])) != old
    ]
    return sorted(found, key=lambda one: (-abs((one.after - one.before) / one.before), one.key))[:most]
