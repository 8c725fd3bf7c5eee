"""What every switch has: what it strikes, and when. Pure."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


@dataclass(frozen=True)
class Arrived:
    """A call came in."""

    method: str
    path: str
    account: str = ""

    @property
    def apart(self) -> str:
        """What `each` counts apart."""
        return self.path


@dataclass(frozen=True)
class Started:
    """A marketplace has taken on an operation. `item` is its place in a batch, from 0."""

    method: str
    path: str
    account: str
    operation: str
    listing: str
    variant: str
    amount: str | None = None
    item: int | None = None

    @property
    def apart(self) -> str:
        return self.listing


@dataclass(frozen=True)
class AdAsked:
    """An ad for a listing, or a new rate for it, is asked for: by a call of its own or as a row of one."""

    method: str
    path: str
    account: str
    listing: str
    campaign: str

    @property
    def apart(self) -> str:
        return self.listing


@dataclass(frozen=True)
class ListingAsked:
    """Something of eBay's listings is asked for. sku: or the key of a group. call: which of the calls."""

    method: str
    path: str
    account: str
    sku: str
    call: str

    @property
    def apart(self) -> str:
        return self.sku


@dataclass(frozen=True)
class ReportAsked:
    """A report of a seller's live listings at eBay is asked for."""

    method: str
    path: str
    account: str

    @property
    def apart(self) -> str:
        return self.account


Event = Arrived | Started | AdAsked | ListingAsked | ReportAsked


class Switch(BaseModel):
    """Strikes the events that match, from the `first` to the `last` of them, counted from the setting of the plan."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = "*"
    """Shell pattern (`*` also crosses slashes): `/v2/*`, `*/market-data`, `/oauth/token`."""
    method: str = "*"
    account: str = "*"
    first: int = Field(default=1, ge=1)
    last: int | None = Field(default=None, ge=1)
    chance: float = Field(default=1.0, ge=0, le=1)
    each: bool = False
    """Count each path apart, or each listing: `first=2, last=2` is then the second look at every operation."""

    def matches(self, event: Event) -> bool:
        return (
            fnmatchcase(event.path, self.path)
            and fnmatchcase(event.method, self.method)
            and fnmatchcase(event.account, self.account)
        )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last is not None and self.last < self.first:
            raise ValueError(f"last ({self.last}) lies before first ({self.first}): the fault would never strike")
        return self
