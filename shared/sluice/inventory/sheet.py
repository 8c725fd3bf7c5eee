"""What an import brings to an inventory: rows about the same item are one."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sluice.inventory import rules
from sluice.inventory.csv_rows import CsvRow
from sluice.inventory.rules import Draft
from sluice.inventory.table import key
from sluice.platform.csv_records import BadRow
from sluice.platform.imports import sheet
from sluice.platform.imports.sheet import Piece
from sluice.platform.refused import Refused


@dataclass
class Sheet(sheet.Sheet):
    """The rows of one import of items."""

    _items: dict[str, Draft] = field(default_factory=dict)

    @property
    def good(self) -> list[Draft]:
        """The items that they describe, each with the units of all of its rows."""
        return list(self._items.values())

    @property
    def pieces(self) -> Sequence[Piece]:
        """See `sheet.Sheet`. An item with several lots stands for as many rows."""
        return [Piece(draft, len(draft.lots or (draft,))) for draft in self.good]

    def add(self, row: CsvRow | BadRow) -> None:
        """Check the row, and keep it on its side."""
        if isinstance(row, BadRow):
            self.refuse(row.number, row.fields)
            return
        try:
            draft = rules.draft(row.raw)
            name = key(draft.sku, draft.named)
            known = self._items.get(name)
            self._items[name] = rules.join(known, draft) if known else draft
        except Refused as refused:
            self.refuse(row.number, refused.fields)
        else:
            self.taken += 1
