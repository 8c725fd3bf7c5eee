"""What makes a simulated history follow from its seed: one thread makes all requests, one after the other."""

from collections.abc import Callable, Iterable, Iterator
from threading import get_ident
from typing import Any, TypeVar

import pytest

from sluice.jobs.dispatch import find_ready, hand_on, overdue, rescue, rounds
from sluice.jobs.queue import enqueue
from sluice.platform import tables

R = TypeVar("R")
# Whose pools are replaced: every part of the engine that a simulation runs.
POOLS = (rounds, hand_on, rescue, overdue, find_ready, enqueue)


class NotRepeatable(BaseException):
    """What happens here does not follow from the seed alone. No part of the engine takes this for a fault of a job."""


class OneThread:
    """Stands in for a pool of threads, and does its work in the thread that asks for it.

    A pool of one thread is not enough: whoever asks goes on meanwhile (`Executor.map` reads what it is given while the
    thread is at work), so which of two requests came first was up to the machine.
    """

    def __init__(self, threads: int) -> None:
        pass

    def __enter__(self) -> "OneThread":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, function: Callable[..., R], *given: Iterable[Any]) -> Iterator[R]:
        """As `Executor.map`, all of it before this returns."""
        return iter([function(*each) for each in list(zip(*given, strict=False))])


def use(patch: pytest.MonkeyPatch) -> None:
    """From now on one request at a time, in an order that can be repeated, and no pauses between tries."""
    for module in POOLS:
        patch.setattr(module, "ThreadPoolExecutor", OneThread)
    patch.setattr(tables, "CONFLICT_PAUSE_SECONDS", 0)


def require(thread: int) -> None:
    """Fail unless this is the `thread` (`threading.get_ident`) that makes all requests.

    Raises:
        NotRepeatable: it is another one.
    """
    if get_ident() != thread:
        raise NotRepeatable("a request came from a second thread: which one is first is up to the machine")
