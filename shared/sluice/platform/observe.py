"""One logger and one set of metrics for a function, from Powertools. Their service name is the function's."""

from threading import Lock

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

logger = Logger()
metrics = Metrics()
# Powertools writes a full set out while other threads add to it, so one does at a time.
_lock = Lock()


def count(name: str, value: float = 1) -> None:
    """Add to the counter metric `name`."""
    with _lock:
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


def seconds(name: str, value: float) -> None:
    """Record a duration."""
    with _lock:
        metrics.add_metric(name=name, unit=MetricUnit.Seconds, value=value)
