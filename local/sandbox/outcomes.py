"""The switches for operations: how long the marketplace takes, how it ends, and in which words it says so.

    StayPending · NeverEnd · AtOnce         when it ends
    FailOperation                           how
    Vocabulary · TextCounts · ListLate · NoResult   how it is told

They strike when an operation is taken on; each item of a batch is one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Literal, Self

from pydantic import Field, model_validator

from local.sandbox.switch import Event, Started, Switch

Phase = Literal["queued", "running", "succeeded", "partial", "failed"]
ALTERNATIVE_WORDS: dict[Phase, str] = {
    "queued": "queued",
    "running": "processing",
    "succeeded": "completed",
    "partial": "partial_success",
    "failed": "failed",
}


class OperationSwitch(Switch):
    """Narrowed by what the operation does, and to what. `*` and None are any."""

    operation: str = "*"
    """Shell pattern: `CREATE`, `UPDATE`, `DELETE`, `ACTIVATE`, `DEACTIVATE`, `*ACTIVATE`."""
    listing: str = "*"
    variant: str = "*"
    below: int | None = Field(default=None, ge=1)
    """Only operations that set an amount under this, in major units of whatever currency."""
    item: int | None = Field(default=None, ge=0)
    """Only this place of a batch, from 0."""

    def matches(self, event: Event) -> bool:
        return (
            isinstance(event, Started)
            and super().matches(event)
            and fnmatchcase(event.operation, self.operation)
            and fnmatchcase(event.listing, self.listing)
            and fnmatchcase(event.variant, self.variant)
            and (self.below is None or (event.amount is not None and int(event.amount) < self.below))
            and (self.item is None or event.item == self.item)
        )


class StayPending(OperationSwitch):
    """Final only after `seconds`, and only at the look after `looks` of them. At least one of the two is given."""

    kind: Literal["stay_pending"] = "stay_pending"
    seconds: float | None = Field(default=None, gt=0)
    looks: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _given(self) -> Self:
        if self.seconds is None and not self.looks:
            raise ValueError("give seconds or looks: how long the operation stays pending")
        return self


class NeverEnd(OperationSwitch):
    """Pending for ever, and so is everything after it on the same listing."""

    kind: Literal["never_end"] = "never_end"


class AtOnce(OperationSwitch):
    """Final in the answer to the write already."""

    kind: Literal["at_once"] = "at_once"


class FailOperation(OperationSwitch):
    """The operation ends without effect. With `below` it is a floor; with `item` or `chance`, a batch ends partly."""

    kind: Literal["fail_operation"] = "fail_operation"
    reason: str = Field(default="Price too low", min_length=1)


class Vocabulary(OperationSwitch):
    """Statuses in other words, by phase. A word that nobody documented is one too."""

    kind: Literal["vocabulary"] = "vocabulary"
    words: dict[Phase, str] = Field(default=ALTERNATIVE_WORDS, min_length=1)


class TextCounts(OperationSwitch):
    """A batch with such an item counts its items in strings (`{"queued": "2"}`), as StockX's document has it once."""

    kind: Literal["text_counts"] = "text_counts"


class ListLate(OperationSwitch):
    """A created listing is in the list of listings only after `seconds`; by its id it is there at once."""

    kind: Literal["list_late"] = "list_late"
    seconds: float = Field(gt=0)


class NoResult(OperationSwitch):
    """An item of a batch that is done does not say which listing it made: without `result`, or with null ids in it."""

    kind: Literal["no_result"] = "no_result"
    nulls: bool = False


OperationFault = StayPending | NeverEnd | AtOnce | FailOperation | Vocabulary | TextCounts | ListLate | NoResult


@dataclass(frozen=True)
class Outcome:
    """What will become of an operation. `pending_ms` None: it never ends."""

    pending_ms: int | None
    looks: int = 0
    error: str | None = None
    words: Mapping[Phase, str] | None = None
    text_counts: bool = False
    listed_late_ms: int = 0
    result: Literal["whole", "nulls", "none"] = "whole"
    faults: tuple[str, ...] = ()


def outcome(pending_ms: int, faults: Iterable[OperationFault]) -> Outcome:
    """Success after `pending_ms`, as changed by `faults`; of two of a kind the later one wins."""
    result = Outcome(pending_ms)
    for fault in faults:
        result = replace(_changed(result, fault), faults=(*result.faults, fault.kind))
    return result


def _changed(result: Outcome, fault: OperationFault) -> Outcome:
    match fault:
        case StayPending(seconds=seconds, looks=looks):
            return replace(result, pending_ms=round((seconds or 0) * 1000), looks=looks)
        case NeverEnd():
            return replace(result, pending_ms=None)
        case AtOnce():
            return replace(result, pending_ms=0, looks=0)
        case FailOperation(reason=reason):
            return replace(result, error=reason)
        case Vocabulary(words=words):
            return replace(result, words=words)
        case TextCounts():
            return replace(result, text_counts=True)
        case ListLate(seconds=seconds):
            return replace(result, listed_late_ms=round(seconds * 1000))
        case NoResult(nulls=nulls):
            return replace(result, result="nulls" if nulls else "none")
