"""The engine on an empty store, with one kind of work."""

from collections.abc import Iterator

import pytest

from sluice.platform.config.document import Config
from tests.support import work
from tests.support.clock import VirtualClock
from tests.support.store import Answer, Request, Send, Store
from tests.support.store import store as make_store

NOON = 1_795_348_800_000  # 2026-11-22 12:00 UTC


@pytest.fixture
def store() -> Iterator[Store]:
    with make_store() as store, work.kind():
        yield store


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOON)


@pytest.fixture
def config() -> Config:
    return Config()


def sent_twice(request: Request, send: Send) -> Answer:
    """Around a store: of each write the answer is lost once, so that botocore sends it again."""
    if request.operation == "UpdateItem":
        send()
    return send()
