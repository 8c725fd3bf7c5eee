"""Product pages on tables within this process."""

from collections.abc import Iterator

import pytest

from tests.support.shop import Desk, open_desk
from tests.support.store import Store, store


@pytest.fixture
def tables() -> Iterator[Store]:
    """Empty tables."""
    with store() as tables:
        yield tables


@pytest.fixture
def desk(tables: Store) -> Iterator[Desk]:
    """Somebody who tracks pages as `acme`."""
    with open_desk() as desk:
        yield desk
