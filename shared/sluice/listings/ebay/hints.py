"""What cheap sources say of a listing: whether it is worth reading. Pure.

```
 a page of items     200 a call: quantity, title, pictures, aspects; no price, not whether it has ended
 eBay's report       one file: price, quantity, and whether the listing is there
```
Both may be older than they look, so neither is a measure of anything. A hint is a short word for what differs, so that
a listing that was read for it, and was as before, is not read for the same again.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from sluice.listings.ebay import drift
from sluice.listings.ebay import echo as echoes
from sluice.listings.ebay.desired import Desired, FieldGroup, Json, PolicyIds
from sluice.listings.ebay.echo import Echo
from sluice.listings.ebay.table import Record
from sluice.marketplaces.reports import ReportRow
from sluice.platform.packing import plain

# Sources of hints, as they stand before a sku.
ITEMS: Final = "i"
REPORT: Final = "r"


def measure(record: Record) -> Echo | None:
    """What sources are compared with: the live listing as eBay took it; None while nobody can tell how it is."""
    if not record.is_for_sale or record.run or record.unsure:
        return None
    accepted = Echo.unpacked(record.echo)
    return accepted if accepted and accepted.standing == echoes.LIVE else None


def of_item(accepted: Echo, sent: Desired, policies: PolicyIds, item: Json) -> str | None:
    """Whether an item is shown otherwise than eBay took it; None where it is not. What offers say is left out."""
    before, shown = _of_items(accepted), _of_items(echoes.seen(sent, policies, item, None))
    return _word(before.groups, shown.groups) if echoes.differs(before, shown) else None


def of_report(accepted: Echo, sku: str, rows: Sequence[ReportRow]) -> str | None:
    """Whether a report shows a listing otherwise than eBay took it; None where it does not.

    rows: those of its listing id; none where it is not in the report.
    """
    row = next((one for one in rows if one.sku == sku), rows[0] if len(rows) == 1 else None)
    price: Any = (accepted.groups.get(FieldGroup.PRICE) or {}).get("price") or {}
    left = drift.left(accepted)
    if row is None:
        return _word("absent", price, left)
    amount = echoes.amount(row.amount) if row.amount else None
    same_price = amount is None or row.currency != price.get("currency") or amount == price.get("value")
    same_quantity = row.quantity is None or left is None or row.quantity == left
    return None if same_price and same_quantity else _word(amount, row.quantity, price, left)


def _of_items(echo: Echo) -> Echo:
    """What of it an item shows."""
    details: Json = echo.groups.get(FieldGroup.DETAILS) or {}
    quantity: Json = echo.groups.get(FieldGroup.QUANTITY) or {}
    return Echo(
        {
            FieldGroup.DETAILS: {"item": details.get("item"), "language": details.get("language")},
            FieldGroup.QUANTITY: quantity.get("item"),
            FieldGroup.IMAGES: echo.groups.get(FieldGroup.IMAGES),
        }
    )


def _word(*about: Any) -> str:
    return hashlib.sha256(plain(about)).hexdigest()[:10]
