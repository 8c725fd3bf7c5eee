"""What an import brings: the rows that are items, and those that are not."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sluice.inventory import rules
from sluice.inventory.csv_rows import Row
from sluice.inventory.report import RefusedRow
from sluice.inventory.rules import Draft
from sluice.inventory.table import key
from sluice.platform.csv_records import BadRow
from sluice.platform.http.errors import FieldError
from sluice.platform.refused import Refused


@dataclass
class Sheet:
    """The rows of one import. counts: `line` or `index`. taken: rows that are good."""

    counts: str
    taken: int = 0
    refused: list[RefusedRow] = field(default_factory=list)
    _items: dict[str, Draft] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many there were."""
        return self.taken + len(self.refused)

    @property
    def good(self) -> list[Draft]:
        """The items that they describe: rows about the same item are one, with the units of all."""
        return list(self._items.values())

    def add(self, row: Row | BadRow) -> None:
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

    def refuse(self, number: int, fields: Iterable[FieldError]) -> None:
        """Note why a row is not taken."""
        told: list[Any] = [one.view() for one in fields]
        row: Any = {self.counts: number, "fields": told}
        self.refused.append(row)
