"""Listing operations on tables within this process."""

from collections.abc import Callable, Iterator
from threading import RLock

import pytest

from tests.support.desk import Desk, open_desk
from tests.support.store import Answer, Request, Store, store


@pytest.fixture
def tables() -> Iterator[Store]:
    """Empty tables."""
    with store() as tables:
        # Threads write at once; the store is made for one at a time.
        lock = RLock()

        def one_at_a_time(_: Request, send: Callable[[], Answer]) -> Answer:
            with lock:
                return send()

        tables.around = one_at_a_time
        yield tables


@pytest.fixture
def desk(tables: Store) -> Iterator[Desk]:
    """`acme`, connected, with nothing listed."""
    with open_desk() as desk:
        yield desk
