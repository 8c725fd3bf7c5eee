"""What the dashboard's first page weighs and takes, for a tenant and for whoever runs the deployment.

The page's function and the function that it asks run in one process. CPU is of both, without their starts, on this
machine; on AWS the way from one function to the other comes on top, once for each question.
"""

import gzip
import time
from base64 import b64decode
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import BaseRouter
from aws_lambda_powertools.utilities.typing import LambdaContext

from bench.engine import engine
from bench.meter import metered
from bench.one import isolated
from bench.row import Row
from bench.seed import waiting_jobs
from sluice.dashboard import assets, sessions, site
from sluice.operator import counts
from sluice.platform import aws
from sluice.platform.clock import SystemClock
from sluice.platform.config.document import Config
from sluice.platform.http.auth import Caller

TENANTS = [f"tenant-{number}" for number in range(5)]
JOBS, TIMES = 1_000, 20
MOST_BYTES, MOST_MS = 50_000, 100.0


def run() -> list[Row]:
    rows: list[Row] = []
    for role in ("operator", "platform"):
        size, units, ms, questions = isolated(_measure, role)
        conditions = f"as {role}, {JOBS:,} jobs of {len(TENANTS)} tenants"
        rows += [
            Row("bytes of the first page with style and script, compressed", conditions, size, "B", most=MOST_BYTES),
            Row(
                "function time of the first page (CPU)", f"{conditions}, {questions} questions", ms, "ms", most=MOST_MS
            ),
            Row("read units of the first page", conditions, units, "RU"),
        ]
    return rows


def _measure(role: str) -> tuple[int, float, float, int]:
    """Bytes, read units, CPU ms and questions to the API of one look at the first page."""
    with engine(Config()) as sluice:
        for tenant in TENANTS:
            sluice.connect(tenant)
        waiting_jobs(sluice.place.dynamodb, JOBS, TENANTS, sluice.clock.now())
        items = sluice.place.dynamodb.get_paginator("scan").paginate(TableName="sluice-local-jobs")
        found = [item for page in items for item in page["Items"]]
        counts.follow([{"eventID": one["job_id"]["S"], "dynamodb": {"NewImage": one}} for one in found])
        return _look(role)


def _look(role: str) -> tuple[int, float, float, int]:
    from functions.dashboard.handler import handler
    from functions.operator.handler import handler as operator

    asked = list[str]()

    def invoke(function: str, event: dict[str, Any]) -> Any:  # noqa: ARG001 - there is one
        asked.append(event["routeKey"])
        before = BaseRouter.current_event  # of this process: a function has one of its own
        answer = operator(event, LambdaContext())
        BaseRouter.current_event = before
        return answer

    aws.invoke = invoke
    session = sessions.create(Caller(TENANTS[0], frozenset({role}), "ada"), SystemClock().now())
    event = _event(f"{site.SESSION_COOKIE}={session}")

    def look() -> dict[str, Any]:
        answer = handler(event, LambdaContext())
        if answer["statusCode"] != 200:
            raise RuntimeError(answer["body"])
        return answer

    page = b64decode(look()["body"])
    questions = len(asked)
    with metered() as units:
        look()
    began = time.process_time()
    for _ in range(TIMES):
        look()
    ms = 1_000 * (time.process_time() - began) / TIMES
    size = len(page) + sum(len(gzip.compress(assets.read(name).encode())) for name in assets.TYPES)
    return size, units.reads, ms, questions


def _event(cookie: str) -> dict[str, Any]:
    """The first page, asked for by a browser that takes it compressed (payload format 2.0)."""
    return {
        "version": "2.0",
        "routeKey": "GET /dashboard",
        "rawPath": "/dashboard",
        "rawQueryString": "",
        "cookies": [cookie],
        "headers": {"host": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com", "accept-encoding": "gzip"},
        "requestContext": {
            "domainName": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
            "http": {"method": "GET", "path": "/dashboard"},
            "requestId": "JKJaXmPLvHcESHA=",
            "stage": "$default",
        },
        "isBase64Encoded": False,
    }
