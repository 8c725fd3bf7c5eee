"""Nothing that one test counts is left for the next."""

from collections.abc import Iterator

import pytest

from sluice.platform.observe import metrics


@pytest.fixture(autouse=True)
def _no_metrics_left() -> Iterator[None]:
    yield
    metrics.clear_metrics()
