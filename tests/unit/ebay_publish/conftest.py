"""Listings at eBay on tables within this process."""

from collections.abc import Iterator

import pytest

from tests.support.ebay_seller import EbaySeller, open_ebay_seller
from tests.support.store import Store, store


@pytest.fixture
def tables() -> Iterator[Store]:
    """Empty tables."""
    with store() as tables:
        yield tables


@pytest.fixture
def seller(tables: Store) -> Iterator[EbaySeller]:
    """`acme`, connected, with nothing listed."""
    with open_ebay_seller() as seller:
        yield seller
