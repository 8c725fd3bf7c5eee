"""What an import of 10,000 items costs: in the request, which has a gateway's patience, and in the workers behind it.

Every item is new and wanted from three marketplaces, so an import stores 10,000 items and asks for 30,000 prices.
Counted are all requests to DynamoDB. Time is the CPU time of this process, in which DynamoDB and the queue are not; it
is held against what a function of 256 MB has of a core.
"""

import math
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from bench.meter import metered
from bench.one import isolated
from bench.row import Row
from bench.store import Store, store
from local.cloud import template as templates
from local.sandbox.server import Sandbox
from sluice import capabilities
from sluice.inventory import upload, worker
from sluice.inventory.import_api import KIND
from sluice.marketplaces import registry
from sluice.marketplaces.accounts import table as accounts
from sluice.platform.clock import SystemClock
from sluice.platform.config.document import Config
from sluice.platform.context import Context
from sluice.platform.imports import table as imports
from sluice.platform.imports import takers
from sluice.platform.imports.sheet import MOST_ROWS
from sluice.platform.settings import settings

R = TypeVar("R")

TENANT = "importer"
PRICES = MOST_ROWS * len(registry.MARKETPLACES)
# AWS gives a function of 1,769 MB one core, and others their share.
FULL_CORE_MB = 1_769
GATEWAY_SECONDS = 29
TARGET_SECONDS = 30


def run() -> list[Row]:
    return isolated(_measure)


def _measure() -> list[Row]:
    takers.serve(capabilities.takers("inventory"))
    with store() as place, Sandbox() as sandbox:
        queue = place.cloud.client("sqs").create_queue(QueueName="inventory")["QueueUrl"]
        _use(queue)
        clock, config = SystemClock(), Config()
        given = sandbox.connect(TENANT)
        for name, marketplace in registry.MARKETPLACES.items():
            fields = {field.name: getattr(given, field.name) for field in marketplace.credentials}
            accounts.connect(name, TENANT, fields, clock.now())
        file = (
            "sku,size,cost\n" + "".join(f"SKU-{number:05},10,{number}.50\n" for number in range(MOST_ROWS))
        ).encode()
        with metered() as units:
            taken, request_seconds = _timed(
                lambda: imports.begin(
                    KIND, TENANT, file, upload.read(file, "text/csv"), clock.now(), config.engine.retention_ms
                )
            )
            messages = _messages(place, queue)
            chunk_seconds = [_timed(partial(worker.work, {"1": text}, Context(clock, config)))[1] for text in messages]
        done = imports.find(KIND, TENANT, taken.import_id)
        if done is None or done.pending or (done.created, done.asked) != (MOST_ROWS, PRICES):
            raise RuntimeError("the import is not done, or not all of it")
        print(f"where the units of an item go:\n{units.profile(MOST_ROWS)}", file=sys.stderr)
        name = place.name
    template = templates.load()
    share = template["Globals"]["Function"]["MemorySize"] / FULL_CORE_MB
    workers = template["Mappings"]["Stages"]["prod"]["Importers"]
    conditions = f"{MOST_ROWS:,} new items, {PRICES:,} prices, {len(messages)} messages, {name}"
    searches = sum(count for (_, operation), count in units.requests.items() if operation in ("Query", "Scan"))
    each = sum(chunk_seconds) / len(chunk_seconds) / share
    bound = f"CPU of {sum(chunk_seconds):.0f} s by one core, {workers} functions of {share:.3f} of one; {conditions}"
    return [
        Row("write units of an imported item", conditions, units.writes / MOST_ROWS, "WU", most=8),
        Row("read units of an imported item", conditions, units.reads / MOST_ROWS, "RU", most=1),
        Row("queries and scans of an import", conditions, searches, "requests", most=0),
        Row(
            "CPU of an import's request, of what a function has until the gateway gives up",
            f"{request_seconds:.2f} s by one core; {conditions}",
            request_seconds / (GATEWAY_SECONDS * share),
            "",
            most=0.5,
        ),
        Row(
            "time of an import's work, of 30 s",
            bound,
            math.ceil(len(messages) / workers) * each / TARGET_SECONDS,
            "",
            most=1,
        ),
    ]


def _use(queue: str) -> None:
    os.environ["INVENTORY_QUEUE_URL"] = queue
    settings.cache_clear()


def _timed(call: Callable[[], R]) -> tuple[R, float]:
    began = time.process_time()
    return call(), time.process_time() - began


def _messages(place: Store, queue: str) -> list[str]:
    sqs, found = place.cloud.client("sqs"), list[str]()
    while received := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        found += [message["Body"] for message in received]
    return found
