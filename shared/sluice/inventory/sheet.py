"""What an import brings: the rows that are items, and those that are not."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sluice.inventory import rules
from sluice.inventory.csv_rows import BadRow, Row
from sluice.inventory.report import RefusedRow
from sluice.inventory.rules import Draft, Refused
from sluice.inventory.table import key
from sluice.platform.http.errors import FieldError


@dataclass
class Sheet:
    """The rows of one import. counts: `line` or `index`."""

    counts: str
    good: list[Draft] = field(default_factory=list)
    refused: list[RefusedRow] = field(default_factory=list)
    _seen: dict[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many there were."""
        return len(self.good) + len(self.refused)

    def add(self, row: Row | BadRow) -> None:
        """Check the row, and keep it on its side."""
        if isinstance(row, BadRow):
            self.refuse(row.number, row.fields)
            return
        try:
            draft = rules.draft(row.raw)
        except Refused as refused:
            self.refuse(row.number, refused.fields)
            return
        first = self._seen.setdefault(key(draft), row.number)
        if first != row.number:
            self.refuse(row.number, [FieldError("sku", f"is, with its size, the same item as {self.counts} {first}")])
        else:
            self.good.append(draft)

    def refuse(self, number: int, fields: Iterable[FieldError]) -> None:
        """Note why a row is not taken."""
        told: list[Any] = [one.view() for one in fields]
        row: Any = {self.counts: number, "fields": told}
        self.refused.append(row)
