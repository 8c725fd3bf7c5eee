"""Sizes that have left a group: eBay has a sku in one group at a time, and publishes none alone that is in one.

```
 shoes: 9, 10 ── 9 moves to boots ─► boots is published without 9, and comes back   until shoes has let it go
                                     shoes is published without 9 ─► held: 10
```
So two groups may exchange sizes, and it makes no difference which of them is published first.
"""

from sluice.listings.ebay import table
from sluice.listings.ebay.table import Record


def holder(record: Record) -> str | None:
    """The group that has this sku at eBay still, though its record has left it; None where it may be sent.

    Also of one that is to be ended: it may be in that group's listing, which it cannot end.
    """
    before = (table.find_group(record.tenant, key) for key in sorted((record.left or set()) - {record.group}))
    return next((group.sku for group in before if group and record.sku in (group.held or ())), None)
