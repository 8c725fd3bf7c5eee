"""The routes that monitoring reads: the same numbers as JSON and as Prometheus' text."""

from itertools import groupby

from aws_lambda_powertools.event_handler import Response
from typing_extensions import TypedDict

from sluice.jobs.run import records
from sluice.operator import counts, metrics, queues, scope
from sluice.operator.metrics import Sample
from sluice.operator.overview_api import OfTenant
from sluice.platform.clock import iso
from sluice.platform.config import live
from sluice.platform.http.auth import Permission
from sluice.platform.http.routing import PRIVATE, Answer, HttpRequest, Route
from sluice.platform.http.shapes import Time

TEXT = "text/plain; version=0.0.4; charset=utf-8"


class SampleView(TypedDict):
    """One value."""

    labels: dict[str, str]
    value: float


class MetricView(TypedDict):
    """One metric, which is a gauge."""

    name: str
    help: str
    samples: list[SampleView]


class Metrics(TypedDict):
    """Everything that is measured, as it is at `at`."""

    at: Time
    metrics: list[MetricView]


def get_metrics(request: HttpRequest[None, OfTenant]) -> Metrics:
    """Everything that is measured."""
    shown: list[MetricView] = [
        {
            "name": name,
            "help": metrics.NAMES[name],
            "samples": [{"labels": dict(one.labels), "value": one.value} for one in found],
        }
        for name, found in groupby(_samples(request), key=lambda one: one.name)
    ]
    return {"at": iso(request.now), "metrics": shown}


def get_metrics_text(request: HttpRequest[None, OfTenant]) -> Answer:
    """The same for Prometheus."""
    return Response(200, TEXT, metrics.text(_samples(request)), PRIVATE)


def _samples(request: HttpRequest[None, OfTenant]) -> list[Sample]:
    owner, config, now = scope.owner(request, request.query.tenant), live.current(), request.now
    if owner != counts.ALL:
        return metrics.samples(queues.of_tenant(owner, now, config), None, now)
    left = records.health()
    return metrics.samples(queues.of_all(now, config, left), left, now)


_BASE, _READ = "/v1/operator", Permission.OPERATE_READ
ROUTES = (
    Route("GET", f"{_BASE}/metrics", "Read every metric", get_metrics, Metrics, _READ, query=OfTenant),
    Route("GET", f"{_BASE}/metrics.txt", "Read them as Prometheus does", get_metrics_text, TEXT, _READ, query=OfTenant),
)
