"""One logger and one set of metrics for a function, from Powertools. Their service name is the function's."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from types import MappingProxyType

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit, single_metric
from aws_lambda_powertools.metrics.functions import is_metrics_disabled

logger = Logger()
metrics = Metrics()
# Powertools writes a full set out while other threads add to it, so one does at a time.
_lock = Lock()
# Counters with dimensions of their own, until a run tells them: by name and dimensions.
_tallied = Counter[tuple[str, tuple[tuple[str, str], ...]]]()


def count(name: str, value: float = 1) -> None:
    """Add to the counter metric `name`."""
    with _lock:
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


def seconds(name: str, value: float) -> None:
    """Record a duration."""
    with _lock:
        metrics.add_metric(name=name, unit=MetricUnit.Seconds, value=value)


def milliseconds(name: str, value: float) -> None:
    """Record a duration."""
    with _lock:
        metrics.add_metric(name=name, unit=MetricUnit.Milliseconds, value=value)


@contextmanager
def measured(name: str) -> Iterator[None]:
    """Record how long the block takes, also where it fails."""
    began = time.monotonic()
    try:
        yield
    finally:
        milliseconds(name, round((time.monotonic() - began) * 1_000))


def tally(name: str, by: Mapping[str, str], value: int = 1) -> None:
    """Add to the counter `name` of these dimensions. It is told when the run writes its record (`tell`)."""
    with _lock:
        _tallied[name, tuple(sorted(by.items()))] += value


def gauge(
    name: str, value: float, by: Mapping[str, str] = MappingProxyType({}), unit: MetricUnit = MetricUnit.Count
) -> None:
    """Tell at once what a value is now, apart from the other metrics of the run."""
    if is_metrics_disabled():
        return
    with single_metric(name=name, unit=unit, value=value, namespace=metrics.provider.namespace) as metric:
        for dimension, word in by.items():
            metric.add_dimension(name=dimension, value=word)


def tell() -> None:
    """Tell every counter with dimensions that was tallied since this was last done."""
    with _lock:
        found = dict(_tallied)
        _tallied.clear()
    for (name, by), value in found.items():
        gauge(name, value, dict(by))


def forget() -> None:
    """Drop what was counted and not told, as a new process would start."""
    with _lock:
        _tallied.clear()
        metrics.clear_metrics()
