"""Waiting jobs, written straight into the table: what a day of enqueueing leaves, in seconds."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from typing import Any

from bench.engine import CATALOG
from local.sandbox.catalog.catalog import SYNTHETIC
from local.sandbox.catalog.products import Variant
from local.sandbox.stockx import bodies
from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.model.states import QUEUED
from sluice.jobs.queue import lanes
from sluice.platform.clock import HOUR, MINUTE
from sluice.prices.kinds import REFRESH

THREADS = 4
# BatchWriteItem takes as many items.
BATCH = 25
# The products before this one are for the jobs that a benchmark asks for.
FIRST = 1_001


def waiting_jobs(dynamodb: Any, count: int, tenants: Sequence[str], now: int, priority: int = keys.BACKGROUND) -> None:
    """`count` due jobs for `tenants` in turn, written through the boto3 client `dynamodb`. Their lanes are marked."""
    table, accounts = Job.Meta.table_name, [keys.account("stockx", tenant) for tenant in tenants]
    for account in accounts:
        lanes.mark(keys.lane(account, account, priority, "", 1), now)

    def write(jobs: Sequence[dict[str, Any]]) -> None:
        left = {table: [{"PutRequest": {"Item": job}} for job in jobs]}
        while left:
            left = dynamodb.batch_write_item(RequestItems=left)["UnprocessedItems"]

    made = _jobs(count, accounts, now, priority)
    with ThreadPoolExecutor(THREADS) as pool:
        # A few at a time: map would build all of them at once.
        while chunk := list(islice(made, THREADS * BATCH * 8)):
            list(pool.map(write, [chunk[start : start + BATCH] for start in range(0, len(chunk), BATCH)]))


def _jobs(count: int, accounts: Sequence[str], now: int, priority: int) -> Iterator[dict[str, Any]]:
    for number, account in zip(range(count), cycle(accounts), strict=False):
        variant = _variant(number)
        size = variant.size.value
        yield Job(
            keys.job_id(REFRESH.name, "stockx", variant.product.style_id or "", f"us-{size}", "USD"),
            kind=REFRESH.name,
            state=QUEUED,
            lane=keys.lane(account, account, priority, "", 1),
            # In the order of their numbers, the last one minute ago.
            due_at=now - HOUR // 2 + number * (HOUR // 2 - MINUTE) // count,
            lease=0,
            attempts=0,
            priority=priority,
            tenant=account.partition(":")[2],
            tenants={account.partition(":")[2]},
            account=account,
            budget=account,
            calls=1,
            payload={"sku": variant.product.style_id, "size": size, "size_system": "us", "currency": "USD"}
            | {"product_id": bodies.product_id(variant.product), "variant_id": bodies.variant_id(variant)}
            | {"sizes": {"us": size}},
            created_at=now - HOUR // 2,
            updated_at=now - HOUR // 2,
        ).to_dynamodb_dict()


def _variant(number: int) -> Variant:
    """The one numbered `number` of the sandbox's synthetic products from FIRST on, which all have the same sizes."""
    product = CATALOG.product(SYNTHETIC + FIRST)
    sizes = len(product.sizes) if product else 1
    product = CATALOG.product(SYNTHETIC + FIRST + number // sizes)
    if product is None:
        raise ValueError(f"the sandbox has too few products for {number} waiting jobs")
    return product.variants[number % sizes]
