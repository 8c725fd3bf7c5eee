"""What an hour without any work costs: the functions that run by a schedule, on tables that hold nothing.

Units of every table count. CPU is of the functions' own code without their starts, which are warm where a function runs
each minute.
"""

import time
from contextlib import redirect_stdout
from functools import partial
from importlib import import_module
from io import StringIO
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from bench.meter import metered
from bench.one import isolated
from bench.row import Row
from bench.store import store

# Each function that runs by a schedule, with how often it does in an hour (template.yaml).
RUNS_AN_HOUR = {
    "scheduler": 60,
    "operation_poller": 120,
    "promotion_worker": 60,
    "page_scheduler": 60,
    "page_worker": 60,
    "reconciler": 60,
    "operator_worker": 60,
    "notifier": 60,
    "webhook_sender": 12,
}
EVENTS: dict[str, Any] = {"webhook_sender": {"source": "aws.events"}}
TIMES = 10


class _Context(LambdaContext):
    """A function's, which has a minute and a half left."""

    def __init__(self, name: str) -> None:
        self._function_name, self._memory_limit_in_mb = name, 256
        self._invoked_function_arn, self._aws_request_id = f"arn:aws:lambda:us-east-1:0:function:{name}", name

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 90_000


def run() -> list[Row]:
    return isolated(_measure)


def _measure() -> list[Row]:
    with store() as place, redirect_stdout(StringIO()):
        writes = reads = seconds = 0.0
        for name, often in RUNS_AN_HOUR.items():
            handler = import_module(f"functions.{name}.handler").handler
            once = partial(handler, EVENTS.get(name, {}), _Context(name))
            once()
            began = time.process_time()
            with metered() as units:
                for _ in range(TIMES):
                    once()
            seconds += often * (time.process_time() - began) / TIMES
            writes += often * units.writes / TIMES
            reads += often * units.reads / TIMES
    conditions = f"{len(RUNS_AN_HOUR)} functions, {sum(RUNS_AN_HOUR.values())} runs an hour, no work, {place.name}"
    return [
        Row("write units of an hour without work", conditions, writes, "WU"),
        Row("read units of an hour without work", conditions, reads, "RU"),
        Row("CPU of an hour without work", conditions, seconds, "s"),
    ]
