"""One measured number and what it was held against."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """measure: what was measured. conditions: under which. result: the number, in `unit`.

    most, least: the target, if there is one. A row without a target informs; it cannot be missed.
    """

    measure: str
    conditions: str
    result: float
    unit: str = ""
    most: float | None = None
    least: float | None = None

    @property
    def target(self) -> str:
        """The target in words."""
        if self.most is not None:
            return f"≤ {show(self.most)} {self.unit}".rstrip()
        return f"≥ {show(self.least)} {self.unit}".rstrip() if self.least is not None else ""

    @property
    def holds(self) -> bool | None:
        """Whether the target is met; None when there is none."""
        if self.most is not None:
            return self.result <= self.most
        return self.result >= self.least if self.least is not None else None

    @property
    def verdict(self) -> str:
        """The same as a word."""
        return {True: "holds", False: "MISSED", None: ""}[self.holds]

    def as_dict(self) -> dict[str, Any]:
        """The row as `bench/results/*.json` keeps it."""
        return {**asdict(self), "target": self.target, "holds": self.holds}


def show(number: float) -> str:
    """A number with as many digits as mean something: whole ones whole, others with three figures after the point."""
    return f"{number:,.0f}" if number == int(number) else f"{number:,.3f}".rstrip("0").rstrip(".")
