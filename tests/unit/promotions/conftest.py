"""Promotions on tables within this process."""

from collections.abc import Iterator

import pytest

from tests.support.ads import Seller, open_seller
from tests.support.store import Store, store


@pytest.fixture
def tables() -> Iterator[Store]:
    """Empty tables."""
    with store() as tables:
        yield tables


@pytest.fixture
def seller(tables: Store) -> Iterator[Seller]:
    """`acme`, connected, with one running campaign and no ads."""
    with open_seller() as seller:
        yield seller
