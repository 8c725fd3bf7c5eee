"""What an import brings: the rows that can be stored, and those that cannot."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from sluice.platform.http.errors import FieldError
from sluice.platform.imports.report import RefusedRow

# Of one import.
MOST_ROWS: Final = 10_000
LINE: Final = "line"
INDEX: Final = "index"


class Piece(NamedTuple):
    """What is stored of one row, or of several that are about the same thing. content: plain JSON. rows: how many."""

    content: Any
    rows: int = 1


@dataclass
class Sheet(ABC):
    """The rows of one import. counts: `line` of a CSV file, `index` of a list. taken: rows that are good."""

    counts: str
    taken: int = 0
    refused: list[RefusedRow] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many there were."""
        return self.taken + len(self.refused)

    @property
    @abstractmethod
    def pieces(self) -> Sequence[Piece]:
        """What is to be stored."""

    def refuse(self, number: int, fields: Iterable[FieldError]) -> None:
        """Note why a row is not taken."""
        self.refused.append(refused(self.counts, number, fields))


def refused(counts: str, number: int, fields: Iterable[FieldError]) -> RefusedRow:
    """Why a row is not taken, as a report tells it. counts: as of `Sheet`."""
    told: list[Any] = [one.view() for one in fields]
    row: Any = {counts: number, "fields": told}
    found: RefusedRow = row
    return found
