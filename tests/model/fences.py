"""Conditions of the engine's writes with a part taken out, one at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pynamodb.expressions.condition import And, Condition
from pynamodb.expressions.operand import Path
from pynamodb.transactions import TransactWrite

from sluice.jobs.queue import creation, enqueue
from sluice.platform import tables
from sluice.platform.prepared import Prepared
from tests.model.machine import Machine


def names(part: object) -> set[str]:
    """The attributes that a part of a condition asks after."""
    if isinstance(part, Path):
        return {str(part.path[0])}
    within = getattr(part, "values", ())
    return set[str]().union(*map(names, within)) if isinstance(within, (tuple, list)) else set()


def parts(condition: Condition | None) -> Iterator[Condition]:
    """What must all hold, for `condition` to hold."""
    if isinstance(condition, And):
        for side in condition.values:
            yield from parts(side)
    elif condition is not None:
        yield condition


def without(condition: Condition | None, attributes: set[str]) -> Condition | None:
    """`condition` with nothing in it that asks after one of `attributes`."""
    kept = None
    for part in parts(condition):
        if not attributes & names(part):
            kept = part if kept is None else kept & part
    return kept


@contextmanager
def removed(machine: Machine, actor: str, *attributes: str) -> Iterator[None]:
    """What `actor` writes no longer depends on these attributes."""

    def weaker(condition: Condition | None) -> Condition | None:
        return without(condition, set(attributes)) if machine.turn and machine.turn.actor.what == actor else condition

    def weakened(write: Any, place: int) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            given = list(arguments)
            if len(given) > place:
                given[place] = weaker(given[place])
            elif "condition" in named:
                named["condition"] = weaker(named["condition"])
            return write(*given, **named)

        return call

    def unprepared(*arguments: Any) -> Any:
        """The write of a new job, with its expressions made for this once."""
        with pytest.MonkeyPatch.context() as once:
            made = Prepared.__init__

            def prepare(self: Prepared, model: Any, fill: Any, types: Any) -> None:
                def filled(of: Any) -> Any:
                    actions, condition = fill(of)
                    return actions, weaker(condition)

                made(self, model, filled, types)

            once.setattr(Prepared, "__init__", prepare)
            return creation.prepared.__wrapped__(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(enqueue, "prepared", unprepared)
        patch.setattr(tables, "update", weakened(tables.update, 3))
        patch.setattr(tables, "put", weakened(tables.put, 1))
        patch.setattr(TransactWrite, "update", weakened(TransactWrite.update, 3))
        patch.setattr(TransactWrite, "save", weakened(TransactWrite.save, 2))
        yield
