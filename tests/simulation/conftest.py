"""The world on an empty store, with nothing left to chance that a seed does not give."""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest

from sluice.jobs.dispatch import poller
from sluice.platform.clock import HOUR, MINUTE
from sluice.platform.config.document import Config
from sluice.platform.config.engine import Engine
from sluice.platform.config.limits import Limits, by_clock
from tests.simulation.world import World
from tests.support import one_thread, work
from tests.support.store import store

MakeWorld = Callable[..., World]


@contextmanager
def new_world(**changes: object) -> Iterator[World]:
    """An empty world. `changes` are those of its limits."""
    limits = replace(Limits(by_clock(12, 80), interval_ms=600, by_account=True), **changes)  # type: ignore[arg-type]
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        one_thread.use(patch)
        patch.setattr(poller, "THREADS", 1)
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
