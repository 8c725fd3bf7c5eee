"""The world on an empty store, with nothing left to chance that a seed does not give."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

import pytest

from sluice.jobs.dispatch import find_ready, hand_on, overdue, poller, rescue, rounds
from sluice.jobs.queue import enqueue
from sluice.platform import tables
from sluice.platform.clock import HOUR, MINUTE
from sluice.platform.config.document import Config
from sluice.platform.config.engine import Engine
from sluice.platform.config.limits import Limits
from tests.simulation.world import World
from tests.support import work
from tests.support.store import store

R = TypeVar("R")


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


MakeWorld = Callable[..., World]


@contextmanager
def new_world(**changes: object) -> Iterator[World]:
    """An empty world. `changes` are those of its limits."""
    limits = Limits(interval_ms=600, per_hour=12, per_day=80, by_account=True).override(**changes)
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        # One request at a time, in an order that can be repeated; no pauses between tries.
        for module in (rounds, hand_on, rescue, overdue, find_ready, enqueue):
            patch.setattr(module, "ThreadPoolExecutor", OneThread)
        patch.setattr(poller, "THREADS", 1)
        patch.setattr(tables, "CONFLICT_PAUSE_SECONDS", 0)
        # What is logged here is the trouble that was made.
        logging.disable(logging.CRITICAL)
        stack.callback(logging.disable, logging.NOTSET)
        made = stack.enter_context(store())
        world = World(
            made,
            Config(limits={"stockx": limits}, engine=Engine(broken_ms=HOUR, hand_over_ms=2 * MINUTE)),
            limits.by_account,
        )
        stack.enter_context(work.kind(world.handle))
        yield world


@pytest.fixture
def world() -> Iterator[World]:
    with new_world() as world:
        yield world
