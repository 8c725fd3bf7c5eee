"""What a job can be, and every way from one state to another. `docs/state_machine.md` draws this table.

A transition that is not here cannot be written: `finish` and `enqueue` take their conditions from it.
"""

from typing import Final, NamedTuple

QUEUED: Final = "queued"
LEASED: Final = "leased"
WAITING: Final = "waiting"
SUCCEEDED: Final = "succeeded"
DEAD: Final = "dead"
CANCELLED: Final = "cancelled"

FINAL: Final = frozenset({SUCCEEDED, DEAD, CANCELLED})
ALL: Final = frozenset({QUEUED, LEASED, WAITING}) | FINAL


class Transition(NamedTuple):
    """One arrow. `fenced`: the write is conditional on the lease number of whoever makes it."""

    sources: frozenset[str]
    target: str
    fenced: bool
    why: str


TRANSITIONS: Final[dict[str, Transition]] = {
    "create": Transition(FINAL, QUEUED, False, "enqueue finds no unfinished job with this key"),
    "claim": Transition(
        frozenset({QUEUED, WAITING}), LEASED, False, "due, and its calls are reserved; raises the lease"
    ),
    "complete": Transition(frozenset({LEASED}), SUCCEEDED, True, "the work is done"),
    "rerun": Transition(frozenset({LEASED}), QUEUED, True, "done, and asked for again while it ran"),
    "retry": Transition(frozenset({LEASED}), QUEUED, True, "failed in a way that may pass; backs off"),
    "snooze": Transition(
        frozenset({LEASED}), QUEUED, True, "could not be tried: no budget, refused by rate, account broken"
    ),
    "wait": Transition(frozenset({LEASED}), WAITING, True, "the marketplace works on an asynchronous operation"),
    "rescue": Transition(frozenset({LEASED}), QUEUED, True, "the lease ran out: its worker is gone"),
    "bury": Transition(frozenset({LEASED}), DEAD, True, "attempts used up, or refused for good; writes a dead letter"),
    "discard": Transition(ALL - FINAL, DEAD, False, "its item cannot be read; writes a dead letter"),
    "abandon": Transition(frozenset({QUEUED}), DEAD, False, "its account has not worked for long; writes dead letters"),
    "cancel": Transition(frozenset({QUEUED}), CANCELLED, False, "nobody wants it any more, and it has not begun"),
}
