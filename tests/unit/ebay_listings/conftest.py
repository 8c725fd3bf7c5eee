"""eBay listings on tables within this process."""

from collections.abc import Iterator

import pytest

from sluice.platform.observe import metrics
from tests.support.store import Store
from tests.support.store import store as make_store


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Empty tables."""
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "test")
    with make_store() as tables:
        yield tables
    metrics.clear_metrics()
