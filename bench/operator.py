"""What an operator's look costs, with 100,000 jobs that wait and 10,000 dead letters, beside a tenth of both.

The counters are made as in a stack: by what the stream of table `jobs` tells of each job, 1,000 changes at a time.
Units of every table count, also the one that counts the request. CPU is of the function's own code, without its start.
"""

import json
import sys
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from bench.engine import Engine, engine
from bench.meter import metered
from bench.one import isolated
from bench.row import Row
from bench.seed import waiting_jobs
from local.cloud.cloud import ROOT
from sluice.jobs.model.dead_letters import DeadLetter
from sluice.operator import counts
from sluice.platform.clock import iso
from sluice.platform.config.document import Config
from sluice.platform.tables import Table

TENANTS = [f"tenant-{number}" for number in range(5)]
SIZES = ((10_000, 1_000), (100_000, 10_000))
# The events of these looks (`events/`).
LOOKS = ("operator_overview", "operator_job_counts", "operator_work", "operator_tenants", "operator_budgets")
BATCH = 1_000
TIMES = 20


def run() -> list[Row]:
    found = {size: isolated(_measure, *size) for size in SIZES}
    rows: list[Row] = []
    for (jobs, letters), (name, counted, looks) in found.items():
        conditions = f"{jobs:,} jobs and {letters:,} dead letters of {len(TENANTS)} tenants, {name}"
        rows.append(Row("write units of counting a change of a job", conditions, counted / jobs, "WU", most=0.05))
        for event, (units, ms) in looks.items():
            path = event.removeprefix("operator_")
            rows.append(Row(f"read units of the look at {path}", conditions, units, "RU", most=40))
            rows.append(Row(f"CPU of the look at {path}", conditions, ms, "ms", most=50))
    few, many = (looks for _, _, looks in found.values())
    for path in few:
        growth = 100 * abs(max(many[path][0], 0.5) / max(few[path][0], 0.5) - 1)  # half a unit is the least
        rows.append(Row(f"growth of the units of the look {path}", "ten times the jobs", growth, "%", most=5))
    return rows


def _measure(jobs: int, letters: int) -> tuple[str, float, dict[str, tuple[float, float]]]:
    with engine(Config()) as sluice:
        for tenant in TENANTS:
            sluice.connect(tenant)
        waiting_jobs(sluice.place.dynamodb, jobs, TENANTS, sluice.clock.now())
        with metered() as counting:
            for batch in _batches(_records(sluice)):
                counts.follow(batch)
        _dead(letters, sluice.clock.now())
        return sluice.place.name, counting.writes, {name: _look(name) for name in LOOKS}


def _records(sluice: Engine) -> Iterator[dict[str, Any]]:
    """What the stream tells of each job that waits."""
    pages = sluice.place.dynamodb.get_paginator("scan").paginate(TableName="sluice-local-jobs")
    for page in pages:
        for item in page["Items"]:
            yield {"eventID": item["job_id"]["S"], "dynamodb": {"NewImage": item}}


def _batches(records: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while batch := list(islice(records, BATCH)):
        yield batch


def _dead(number: int, now: int) -> None:
    """Dead letters, as many for each tenant."""
    model: type[Table] = DeadLetter
    with model.batch_write() as batch:
        for one in range(number):
            tenant = TENANTS[one % len(TENANTS)]
            batch.save(
                DeadLetter(
                    tenant=tenant,
                    dead_letter=f"{iso(now + one)}#job-{one}#1",
                    job_id=f"market.refresh:stockx:DEAD-{one}:us-10:USD",
                    kind="market.refresh",
                    account=f"stockx:{tenant}",
                    budget=f"stockx:{tenant}",
                    calls=1,
                    priority=100,
                    attempts=5,
                    payload={},
                    error={"code": "unavailable", "message": "no", "at": now},
                    history=[],
                    version=1,
                    created_at=now,
                    died_at=now,
                    expires_at=now // 1_000 + 86_400,
                )
            )


def _look(name: str) -> tuple[float, float]:
    """Read units of one look, and the CPU time of one, ms, of many."""
    from functions.operator.handler import handler

    event = json.loads((ROOT / "events" / f"{name}.json").read_text(encoding="utf-8"))
    event["requestContext"]["authorizer"]["lambda"] |= {"tenant": "operations", "roles": "platform"}

    def look() -> None:
        answer = handler(event, LambdaContext())
        if answer["statusCode"] != 200:
            raise RuntimeError(answer["body"])

    look()
    with metered() as units:
        look()
    began = time.process_time()
    for _ in range(TIMES):
        look()
    ms = 1_000 * (time.process_time() - began) / TIMES
    print(f"{name}\n{units.profile(1)}", file=sys.stderr)
    return units.reads, ms
