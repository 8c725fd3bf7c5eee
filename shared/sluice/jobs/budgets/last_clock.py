"""Where the slot clock of each budget stood after this process's last write of it: a guess at how slots are taken next.

Slots are taken in one way from a clock that lies ahead, and in another from one that is stale, each on condition that
it is. Who guesses wrong writes again.
"""

from typing import NamedTuple


class _Clock(NamedTuple):
    """next_at: after the write. was_ahead: whether it lay ahead before."""

    next_at: int
    was_ahead: bool


# By budget.
_last: dict[str, _Clock] = {}


def note(budget: str, next_at: int, *, was_ahead: bool) -> None:
    """Slots were taken."""
    _last[budget] = _Clock(next_at, was_ahead)


def lies_ahead(budget: str, now: int) -> bool:
    """Whether the clock of `budget` does: because its own slots are to come, or as it did the last time."""
    last = _last.get(budget)
    return last is None or last.was_ahead or last.next_at > now


def forget() -> None:
    """Drop what this process remembers, as a new process would start."""
    _last.clear()
