"""What an operator's look costs, with 100,000 jobs that wait and 10,000 dead letters, beside a tenth of both.

And an action on all of those letters, whose process is killed twice: how many of them were acknowledged once.

The counters are made as in a stack: by what the stream of table `jobs` tells of each job, 1,000 changes at a time.
Units of every table count, also the one that counts the request. CPU is of the function's own code, without its start.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from itertools import islice
from threading import Event
from typing import Any, NamedTuple
from unittest.mock import patch

from aws_lambda_powertools.utilities.typing import LambdaContext

from bench.engine import Engine, engine
from bench.meter import metered
from bench.one import isolated
from bench.row import Row
from bench.seed import waiting_jobs
from local.cloud.cloud import ROOT
from sluice.jobs.dispatch import scheduler
from sluice.jobs.model.dead_letters import DeadLetter
from sluice.marketplaces.accounts.dispatching import ACCOUNTS
from sluice.operator import actions, counts, work_run
from sluice.operator.acting import PAGE
from sluice.platform import aws
from sluice.platform.clock import HOUR, SystemClock, iso
from sluice.platform.config.document import Config
from sluice.platform.context import Context
from sluice.platform.tables import Table

TENANTS = [f"tenant-{number}" for number in range(5)]
SIZES = ((10_000, 1_000), (100_000, 10_000))
# The events of these looks (`events/`), and the function that answers each.
LOOKS = {
    **dict.fromkeys(("operator_overview", "operator_job_counts", "operator_work"), "operator"),
    **dict.fromkeys(("operator_tenants", "operator_budgets"), "operator"),
    "api_health": "api",
}
# Pages of the action that are done when its process is killed.
KILLED_AT = (30, 70)
BATCH = 1_000
TIMES = 20


class Acted(NamedTuple):
    """What became of an action: letters, those acknowledged, and what it says of them.

    kills: how often its process was killed while it was at work.
    units: the write units that it took after the last kill. rest: letters that were left then.
    """

    letters: int
    acknowledged: int
    outcomes: dict[str, int]
    kills: int
    units: float
    rest: int


def run() -> list[Row]:
    found = {size: isolated(_measure, *size) for size in SIZES}
    rows: list[Row] = []
    for (jobs, letters), (name, counted, looks, acted) in found.items():
        conditions = f"{jobs:,} jobs and {letters:,} dead letters of {len(TENANTS)} tenants, {name}"
        rows.append(Row("write units of counting a change of a job", conditions, counted / jobs, "WU", most=0.05))
        for event, (units, ms) in looks.items():
            path = event.removeprefix("operator_").removeprefix("api_")
            rows.append(Row(f"read units of the look at {path}", conditions, units, "RU", most=40))
            rows.append(Row(f"CPU of the look at {path}", conditions, ms, "ms", most=50))
        once = acted.acknowledged if acted.outcomes == {"done": letters} else 0
        killed = f"all letters acknowledged by one action, whose process was killed {acted.kills} times; {name}"
        rows.append(Row(f"letters of {letters:,} that were done once", killed, once, "letters", least=letters))
        rows.append(Row("write units of a letter of an action", killed, acted.units / acted.rest, "WU"))
    few, many = (looks for _, _, looks, _ in found.values())
    for path in few:
        growth = 100 * abs(max(many[path][0], 0.5) / max(few[path][0], 0.5) - 1)  # half a unit is the least
        rows.append(Row(f"growth of the units of the look {path}", "ten times the jobs", growth, "%", most=5))
    return rows


def _measure(jobs: int, letters: int) -> tuple[str, float, dict[str, tuple[float, float]], Acted]:
    os.environ["OPERATOR_WORKER_FUNCTION"] = "operator-worker"  # before the settings are read
    with engine(Config()) as sluice:
        for tenant in TENANTS:
            sluice.connect(tenant)
        waiting_jobs(sluice.place.dynamodb, jobs, TENANTS, sluice.clock.now())
        with metered() as counting:
            for batch in _batches(_records(sluice)):
                counts.follow(batch)
        _dead(letters, sluice.clock.now())
        sluice.tick()  # leaves what /health shows
        looks = {name: _look(name, function) for name, function in LOOKS.items()}
        return sluice.place.name, counting.writes, looks, _act(letters)


def _act(letters: int) -> Acted:
    """One action on all dead letters, carried out by processes of which each but the last is killed."""
    body = {
        "action": "acknowledge",
        "filter": {"code": "unavailable"},
        "reason": "the benchmark wants it",
        "dryRun": False,
    }
    with patch.object(aws, "invoke_later"):
        entry = json.loads(_answer("operator_act", "operator", json.dumps(body))["body"])["action"]["actionId"]
    now, kills = SystemClock().now(), 0
    for number, pages in enumerate(KILLED_AT):
        code = f"from bench.operator import carry_out; carry_out({now + number * HOUR})"
        with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.DEVNULL) as process:
            while _action(entry).pages < pages * letters // SIZES[-1][1] and process.poll() is None:
                time.sleep(0.01)
            kills += process.poll() is None
            process.send_signal(signal.SIGKILL)
        # Its lease runs out, and the scheduler takes the job back.
        scheduler.run(ACCOUNTS, Context(_At(now + (number + 1) * HOUR), Config()))
    left = letters - PAGE * (_action(entry).pages or 0)
    with metered() as units:
        carry_out(now + len(KILLED_AT) * HOUR)
    done = sum(one.acknowledged_at is not None for one in DeadLetter.scan())
    return Acted(letters, done, dict(_action(entry).outcomes or {}), kills, units.writes, left)


def _action(entry: str) -> Any:
    found = actions.find("operations", entry)
    if found is None:
        raise RuntimeError(f"there is no action {entry}")
    found.pages = found.pages or 0
    return found


class _At:
    """A clock that stands."""

    def __init__(self, now: int) -> None:
        self._now = now

    def now(self) -> int:
        return self._now

    def wait_until(self, at: int, wake: Event) -> bool:
        self._now = max(self._now, at)
        return wake.is_set()


def carry_out(now: int) -> None:
    """The operator's worker, once, as if it were `now`."""
    work_run.run(Context(_At(now), Config()), now + HOUR)


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


def _answer(event_name: str, function: str, body: str | None = None) -> Any:
    event = json.loads((ROOT / "events" / f"{event_name}.json").read_text(encoding="utf-8"))
    if "authorizer" in event["requestContext"]:
        event["requestContext"]["authorizer"]["lambda"] |= {"tenant": "operations", "roles": "platform"}
    answer = import_module(f"functions.{function}.handler").handler(
        event | ({"body": body} if body else {}), LambdaContext()
    )
    if answer["statusCode"] not in (200, 202):
        raise RuntimeError(answer["body"])
    return answer


def _look(name: str, function: str) -> tuple[float, float]:
    """Read units of one look, and the CPU time of one, ms, of many."""
    _answer(name, function)
    with metered() as units:
        _answer(name, function)
    began = time.process_time()
    for _ in range(TIMES):
        _answer(name, function)
    ms = 1_000 * (time.process_time() - began) / TIMES
    print(f"{name}\n{units.profile(1)}", file=sys.stderr)
    return units.reads, ms
