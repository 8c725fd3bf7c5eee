"""Counters of an item that move once for each batch of changes, though the batch comes again."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from pynamodb.attributes import UnicodeSetAttribute
from pynamodb.expressions.condition import size
from pynamodb.expressions.update import Action as Update
from pynamodb.models import Model

from sluice.platform import tables

# Batches that an item remembers.
MOST_SEEN = 40


def move(
    model: type[Model], key: tuple[str, str], seen: UnicodeSetAttribute, moves: Sequence[Update], batch: str
) -> None:
    """Do `moves` to an item, unless it has done those of `batch`, as its attribute `seen` remembers."""
    few = seen.does_not_exist() | (size(seen) < MOST_SEEN)  # type: ignore[no-untyped-call]
    new = seen.does_not_exist() | ~seen.contains(batch)
    try:
        tables.update(model, key, [*moves, seen.add({batch})], new & few)
    except tables.ConditionFailed as failed:
        known: dict[str, Any] = (failed.item or {}).get(seen.attr_name or "", {})
        if batch not in known.get("SS", ()):
            # Refused, it is counted by now: by this write itself, sent again after a lost answer.
            with suppress(tables.ConditionFailed):
                tables.update(model, key, [*moves, seen.set({batch})], new)
