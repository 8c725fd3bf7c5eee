"""How long a person waits: from the manual request to the stored price, while 100,000 background jobs wait.

The real stack on the local cloud, its tables in DynamoDB Local where that runs; the marketplace answers in 300 ms. The
jobs that wait belong to the person's own account and to nine others. First their share of the hour is used up, so that
they only wait; then they are worked on, in front of the person's request.
"""

import os
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import boto3

from bench.engine import CATALOG, items
from bench.row import Row
from bench.seed import waiting_jobs
from local.cloud.tables import create_tables
from local.dynamodb_local import Unavailable, dynamodb_local
from local.laptop import STACK, Laptop
from sluice.jobs.budgets import ledger
from sluice.jobs.budgets.windows import Window
from sluice.platform.clock import HOUR, SystemClock
from sluice.platform.config.document import Config
from sluice.prices import table as prices
from sluice.prices.ask import RefreshItem

TENANTS = [f"tenant-{number}" for number in range(10)]
PERSON = TENANTS[0]
# Has no work waiting, and looks the products up before the person asks for their prices.
NEWCOMER = "newcomer"
WAITING = 100_000
LATENCY_MS = 300
REQUESTS = 10
AT_ONCE = 3
LONGEST_SECONDS = 60


def run() -> list[Row]:
    with Laptop(latency_ms=LATENCY_MS, products=CATALOG.size) as laptop, _tables(laptop) as name:
        laptop.sandbox.set_latency(LATENCY_MS)
        for tenant in [*TENANTS, NEWCOMER]:
            laptop.connect_stockx(tenant)
        _use_up(+1)
        waiting_jobs(boto3.client("dynamodb"), WAITING, TENANTS, SystemClock().now())
        unknown = [_ask(laptop, NEWCOMER, item) for item in _sizes(0)]
        waiting = [_ask(laptop, PERSON, item) for item in _sizes(1)]
        _use_up(-1)
        laptop.cloud.invoke(laptop.stack.function("scheduler"), {})
        with ThreadPoolExecutor(AT_ONCE) as pool:
            working = list(
                pool.map(lambda asked: _ask(laptop, *asked), zip(TENANTS[:AT_ONCE], _sizes(2), strict=False))
            )
    conditions = (
        f"{WAITING:,} background jobs of {len(TENANTS)} accounts {{}}, answers in {LATENCY_MS} ms, {name}; {{}}"
    )
    return [
        _row(waiting, conditions.format("wait", "known size"), most=2),
        _row(working, conditions.format("are worked on", f"known size, {AT_ONCE} accounts ask at once")),
        _row(unknown, conditions.format("wait", "unknown product: three calls, 1.1 s apart")),
    ]


def _row(seconds: list[float], conditions: str, most: float | None = None) -> Row:
    spread = f"median of {len(seconds)}, {min(seconds):.2f} to {max(seconds):.2f} s"
    return Row("manual request to stored price", f"{conditions}; {spread}", statistics.median(seconds), "s", most=most)


def _sizes(number: int) -> list[RefreshItem]:
    """The size numbered `number` of each of some products."""
    return items(range(1, REQUESTS + 1), 1, first=number)


def _ask(laptop: Laptop, tenant: str, item: RefreshItem) -> float:
    """Seconds from the request to the price; no longer than LONGEST_SECONDS."""
    asked, began = SystemClock().now(), time.monotonic()
    body = {"sku": item.sku, "size": item.size, "sizeSystem": "us", "priority": "manual"}
    laptop.api(tenant).post("/v1/market/refresh", {"items": [body]})
    key = prices.key("stockx", item.size, "us", item.currency)
    while (took := time.monotonic() - began) < LONGEST_SECONDS:
        price = prices.load(item.sku, key)
        if price and price.observed_at >= asked:
            return took
        time.sleep(0.02)
    return LONGEST_SECONDS


def _use_up(sign: int) -> None:
    """Reserve, or give back, what background work may take of this hour and the next."""
    config, now = Config(), SystemClock().now()
    limits = config.limits["stockx"]
    share = limits.per_hour * (100 - config.engine.reserve_percent) // 100
    for tenant in TENANTS:
        for window in (Window.at(now), Window.at(now + HOUR)):
            if sign > 0:
                ledger.reserve_calls(f"stockx:{tenant}", limits, window, share)
            else:
                ledger.give_back(f"stockx:{tenant}", limits, window, share)


@contextmanager
def _tables(laptop: Laptop) -> Iterator[str]:
    """Where the tables of the deployed stack are, for this process and for its functions."""
    os.environ |= laptop.cloud.environment
    with suppress(Unavailable), dynamodb_local() as url:
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = url
        create_tables(boto3.client("dynamodb"), STACK)
        functions = laptop.cloud.client("lambda")
        for function in functions.list_functions()["Functions"]:
            variables = function["Environment"]["Variables"] | {"AWS_ENDPOINT_URL_DYNAMODB": url}
            name = function["FunctionName"]
            functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
        yield "local cloud with DynamoDB Local"
        return
    yield "local cloud"
