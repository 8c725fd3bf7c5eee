"""A fresh world for each test. The tables' client is made once for a module: that takes longer than a test."""

import io
from collections.abc import Callable, Iterator
from threading import RLock

import pytest

from local.sandbox.server import Sandbox
from sluice.jobs.queue import lanes
from sluice.jobs.run import worker
from sluice.marketplaces.accounts import token_cache
from sluice.marketplaces.http import transport
from sluice.platform import settings
from sluice.platform.http import routing
from sluice.platform.observe import logger
from tests.support.clock import VirtualClock
from tests.support.sandbox_wire import WiredSandbox
from tests.support.store import Answer, Request, Store, store
from tests.unit.market.world import NOON, SEED, Bus, World

ENVIRONMENT = {
    "WORK_QUEUE_URL": "work",
    "MANUAL_QUEUE_URL": "manual",
    "WAKE_QUEUE_URL": "wake",
    "DEAD_QUEUE_URL": "dead",
    "SCHEDULER_FUNCTION": "scheduler",
    "EVENT_BUS": "bus",
    "TOKEN_KEY": "key",
}


@pytest.fixture(scope="module")
def tables() -> Iterator[Store]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        with store() as made:
            # Jobs are written by several threads; the store is made for one at a time.
            lock = RLock()

            def one_at_a_time(_: Request, send: Callable[[], Answer]) -> Answer:
                with lock:
                    return send()

            made.around = one_at_a_time
            yield made


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What is written to the log."""
    written, handler = io.StringIO(), logger.registered_handler
    before = handler.setStream(written)  # type: ignore[attr-defined]
    yield written
    handler.setStream(before)  # type: ignore[attr-defined]


@pytest.fixture
def kind_of_sandbox() -> type[Sandbox]:
    """One without a server. Modules whose tests need what a network does say `Sandbox` instead."""
    return WiredSandbox


@pytest.fixture
def world(
    tables: Store, log: io.StringIO, kind_of_sandbox: type[Sandbox], monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """Noon, an empty stack, and a sandbox that knows no account. A worker does one job at a time."""
    tables.clear()
    clock, bus = VirtualClock(NOON), Bus()
    bus.install(monkeypatch)
    monkeypatch.setattr(routing, "clock", clock)
    monkeypatch.setattr(worker, "threads", lambda _: 1)
    with kind_of_sandbox(SEED, clock=clock.now, products=60) as sandbox:
        monkeypatch.setenv("STOCKX_API_URL", f"{sandbox.url}/v2")
        monkeypatch.setenv("STOCKX_AUTH_URL", sandbox.url)
        monkeypatch.setenv("ALIAS_API_URL", f"{sandbox.url}/api/v1")
        monkeypatch.setenv("EBAY_API_URL", sandbox.url)
        _forget()
        yield World(tables, sandbox, clock, bus, monkeypatch)
        monkeypatch.undo()
        _forget()


def _forget() -> None:
    """As a new process would start."""
    for module in (lanes, token_cache, transport):
        module.forget()
    settings.settings.cache_clear()


@pytest.fixture
def acme(world: World) -> World:
    """A world in which `acme` has a StockX account."""
    world.connect("acme")
    return world


@pytest.fixture
def everywhere(world: World) -> World:
    """A world in which `acme` has an account at every marketplace."""
    world.connect_everywhere("acme")
    return world
