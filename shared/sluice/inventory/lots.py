"""Lots: how many units of an item there are, and what each of them cost. Pure.

An item whose units all cost the same has a quantity and one cost. Where the costs differ it has lots instead: so many
units at this cost, so many at that one.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

MOST_QUANTITY: Final = 100_000
# An item of DynamoDB has room for thousands; what a seller reads has not.
MOST_LOTS: Final = 100


class Lot(NamedTuple):
    """Units that cost the same. cost: of each, a decimal in `currency`; both None where nobody knows."""

    quantity: int
    cost: str | None = None
    currency: str | None = None


def merged(lots: Iterable[Lot]) -> tuple[Lot, ...]:
    """`lots` with those of the same cost put together, in the order in which each cost came first.

    Raises:
        ValueError: there are too many, or too many units; says why.
    """
    counts: dict[tuple[str | None, str | None], int] = {}
    for lot in lots:
        counts[lot.cost, lot.currency] = counts.get((lot.cost, lot.currency), 0) + lot.quantity
    if len(counts) > MOST_LOTS:
        raise ValueError(f"may have at most {MOST_LOTS} different costs")
    if sum(counts.values()) > MOST_QUANTITY:
        raise ValueError(f"must be at most {MOST_QUANTITY} units of one item")
    return tuple(Lot(count, *cost) for cost, count in counts.items())


def quantity(value: object) -> int:
    """How many units `value` says, a number or digits.

    Raises:
        ValueError: it is no such number; says why.
    """
    text = str(value)
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(MOST_QUANTITY)):
        raise ValueError(f"must be a whole number from 1 to {MOST_QUANTITY}")
    number = int(text)
    if number == 0:
        raise ValueError("must be at least 1; leave the item out, or delete it, when none is left")
    if number > MOST_QUANTITY:
        raise ValueError(f"must be a whole number from 1 to {MOST_QUANTITY}")
    return number
