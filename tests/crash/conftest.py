"""The tables that the stories of a file are told in."""

from collections.abc import Iterator

import pytest

from tests.support.store import Store, store


@pytest.fixture(scope="module")
def tables() -> Iterator[Store]:
    with store() as made:
        yield made
