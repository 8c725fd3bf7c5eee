"""Waiting jobs, written straight into the table: what a day of enqueueing leaves, in seconds."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from typing import Any

from sluice.jobs import keys, lanes
from sluice.jobs.job import Job
from sluice.jobs.states import QUEUED
from sluice.market.kinds import REFRESH
from sluice.platform.clock import HOUR

THREADS = 4
# BatchWriteItem takes as many items.
BATCH = 25


def waiting_jobs(dynamodb: Any, count: int, tenants: Sequence[str], now: int, priority: int = keys.BACKGROUND) -> None:
    """`count` due jobs for `tenants` in turn, written through the boto3 client `dynamodb`. Their lanes are marked."""
    table, accounts = Job.Meta.table_name, [keys.account("stockx", tenant) for tenant in tenants]
    for account in accounts:
        lanes.mark(keys.lane(account, priority, "", 1), now)

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
        sku, size = f"WAITING-{number:06d}", "10"
        yield Job(
            keys.job_id(REFRESH.name, "stockx", sku, f"us-{size}", "USD"),
            kind=REFRESH.name,
            state=QUEUED,
            lane=keys.lane(account, priority, "", 1),
            # In the order of their numbers, the last one minute ago.
            due_at=now - HOUR // 2 + number * (HOUR // 2 - 60_000) // count,
            lease=0,
            attempts=0,
            priority=priority,
            tenant=account.partition(":")[2],
            tenants={account.partition(":")[2]},
            account=account,
            budget=account,
            calls=1,
            payload={"sku": sku, "size": size, "size_system": "us", "currency": "USD", "sizes": {"us": size}}
            | {"product_id": f"product-{number}", "variant_id": f"variant-{number}"},
            created_at=now - HOUR // 2,
            updated_at=now - HOUR // 2,
        ).to_dynamodb_dict()
