"""Sizes that have left a group: eBay has a sku in one group at a time, and publishes none alone that is in one.

```
 shoes: 9, 10 ── 9 moves to boots ─► boots is published without 9, and comes back   until shoes has let it go
                                     shoes is published without 9 ─► held: 10
```
So two groups may exchange sizes, and it makes no difference which of them is published first.
"""

from collections.abc import Sequence

from sluice.listings.ebay import table
from sluice.listings.ebay.table import Record


def holders(tenant: str, records: Sequence[Record]) -> dict[str, str]:
    """Those of these skus that a group has at eBay still, though their records have left it: by sku, its key.

    Also of one that is to be ended: it may be in that group's listing, which it cannot end. What has left no group
    costs nothing.
    """
    left = {(one.sku, key) for one in records for key in one.groups_left}
    groups = table.find_many(table.group_owner(tenant), {key for _, key in left})
    held = {(sku, key) for key, group in groups.items() for sku in group.held or ()}
    return dict(sorted(left & held))
