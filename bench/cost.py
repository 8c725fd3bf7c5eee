"""What a month costs: `python -m bench cost --jobs 1000000`.

Units, measured use and prices, multiplied. How many units a job takes is what the other benchmarks have measured last
(`bench/results`), what stands in the template is counted there, and prices are those of `bench/prices.json`. What is
neither measured nor counted is an assumption, and is told as one. Free tiers and discounts are left out.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from bench import ROOT
from bench.idle import RUNS_AN_HOUR
from bench.report import newest
from local.cloud import template as templates

PRICES = ROOT / "bench" / "prices.json"
HOURS = 730
SECONDS = HOURS * 3_600
FUNCTION_GB = 256 / 1_024
# AWS gives a function of 1,769 MB one core, and others their share.
CORE_SHARE = 256 / 1_769

# Assumptions, each for one job where nothing else is said.
SECONDS_A_CALL = 1.05  # a worker waits for the second of each call: StockX and Alias allow one a second
SECONDS_AN_INVOCATION = 0.15  # of a function that answers, tells or counts: 20 ms of its share of a core
JOBS_A_MESSAGE = 10
CHANGES_A_JOB = 4  # asked for, claimed, over, and forgotten
ITEMS_A_REQUEST = 100
POLLS_A_MINUTE = 15  # of a queue on which nothing comes: Lambda asks with five connections, 20 s each
LOG_KB_A_JOB = 3
LOG_KB_AN_INVOCATION = 1
METRICS = 60
TRACED = 0.05  # of invocations: X-Ray's own rule, beyond the first in each second
KMS_A_JOB = 0.01  # tokens are kept in memory
WRITES_A_WEBHOOK = 4
KB_A_JOB = 4  # the job for a week, its price, and who asked


class Line(NamedTuple):
    """One line of the bill. price: its name in `prices.json`. whence: where the quantity comes from."""

    what: str
    quantity: float
    price: str
    whence: str


@dataclass(frozen=True)
class Use:
    """What a month is to be: jobs that fetch prices, requests that look, events that are sent to webhooks.

    calls: marketplace calls that a job takes. kept_gb: what tables hold besides the jobs of the month.
    """

    jobs: int
    looks: int = 100_000
    webhooks: int = 0
    calls: float | None = None
    kept_gb: float = 1.0
    protected: bool = True


def lines(use: Use) -> list[Line]:
    """The bill of a month, line by line."""
    measured = _measured()
    calls = use.calls if use.calls is not None else measured["marketplace calls of a market job"]
    jobs, requests = use.jobs, use.jobs / ITEMS_A_REQUEST + use.looks
    idle = HOURS * sum(RUNS_AN_HOUR.values())
    streams = min(jobs * CHANGES_A_JOB, SECONDS) + min(jobs * CHANGES_A_JOB, SECONDS / 10)
    batches = jobs / JOBS_A_MESSAGE
    sent = jobs / 10 + use.webhooks  # every end of a job is a message to the sender, ten in a delivery
    invocations = idle + batches + streams + 2 * requests + sent
    idle_seconds = HOURS * measured["CPU of an hour without work"] / CORE_SHARE
    seconds = idle_seconds + jobs * calls * SECONDS_A_CALL + (streams + 2 * requests + sent) * SECONDS_AN_INVOCATION
    queues = len(list(templates.resources(templates.load(), "AWS::SQS::Queue"))) - 2  # nobody reads the two of failures
    stored = use.kept_gb + jobs * KB_A_JOB / 1_000_000
    writes = jobs * measured["write units of a market job"] + HOURS * measured["write units of an hour without work"]
    writes += use.webhooks * WRITES_A_WEBHOOK
    reads = jobs * measured["read units of a market job"] + HOURS * measured["read units of an hour without work"]
    found = [
        Line("DynamoDB: writing", writes, "dynamodb_write", "measured: capacity, idle"),
        Line("DynamoDB: reading", reads + 2 * use.looks, "dynamodb_read", "measured: capacity, idle; 2 a look"),
        Line("DynamoDB: storage", stored, "dynamodb_gb", f"assumed: {KB_A_JOB} KB a job; what is kept"),
        Line("Lambda: invocations", invocations, "lambda_request", "counted: schedules; assumed: batches, streams"),
        Line(
            "Lambda: time",
            seconds * FUNCTION_GB,
            "lambda_gb_second",
            f"measured: calls, idle; {SECONDS_A_CALL} s a call",
        ),
        Line(
            "SQS",
            3 * (batches + jobs) + queues * POLLS_A_MINUTE * 60 * HOURS,
            "sqs_request",
            "three a message; assumed: polling",
        ),
        Line("API Gateway", requests, "api_request", f"{ITEMS_A_REQUEST} items a request, and looks"),
        Line("EventBridge", jobs, "event", "one for each end of a job"),
        Line(
            "CloudWatch: logs",
            (jobs * LOG_KB_A_JOB + invocations * LOG_KB_AN_INVOCATION) / 1_000_000,
            "logs_gb",
            f"assumed: {LOG_KB_A_JOB} KB a job, {LOG_KB_AN_INVOCATION} KB an invocation",
        ),
        Line("CloudWatch: metrics", METRICS, "metric", "assumed: names and dimensions in use"),
        Line("CloudWatch: alarms", _number("AWS::CloudWatch::Alarm"), "alarm", "counted in the template"),
        Line("CloudWatch: dashboard", _number("AWS::CloudWatch::Dashboard"), "dashboard", "counted in the template"),
        Line("X-Ray", TRACED * invocations, "trace", "assumed: 5 % of invocations"),
        Line("KMS: key", _number("AWS::KMS::Key"), "kms_key", "counted in the template"),
        Line("KMS: requests", KMS_A_JOB * jobs, "kms_request", "assumed: one in a hundred jobs"),
    ]
    if use.protected:
        found.insert(3, Line("DynamoDB: backup", stored, "dynamodb_pitr_gb", "prod: every second of 35 days"))
    return found


def usd(line: Line, prices: dict[str, Any]) -> float:
    """What a line comes to."""
    price = prices["prices"][line.price]
    return float(line.quantity * price["usd"] / price["per"])


def read_prices() -> dict[str, Any]:
    """`bench/prices.json`."""
    found: dict[str, Any] = json.loads(PRICES.read_text(encoding="utf-8"))
    return found


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    made = argparse.ArgumentParser(prog="python -m bench cost", description="What a month of Sluice costs at AWS.")
    made.add_argument("--jobs", type=int, default=1_000_000, help="prices fetched in the month")
    made.add_argument("--looks", type=int, default=100_000, help="requests that look at prices, jobs and pages")
    made.add_argument("--webhooks", type=int, default=0, help="events that are sent to tenants' webhooks")
    made.add_argument("--calls", type=float, help="marketplace calls of a job (default: as measured)")
    made.add_argument("--kept-gb", type=float, default=1.0, help="what the tables hold besides")
    made.add_argument("--dev", action="store_true", help="stage dev: without point-in-time recovery")
    return made


def main(arguments: Sequence[str]) -> int:
    """Print the bill of the month that `arguments` describe."""
    given = parser().parse_args(arguments)
    use = Use(given.jobs, given.looks, given.webhooks, given.calls, given.kept_gb, protected=not given.dev)
    prices, bill = read_prices(), lines(use)
    heading = (
        f"{use.jobs:,} jobs and {use.looks:,} looks in a month, {prices['region']}, prices as of {prices['as_of']}"
    )
    shown = Table("for", "quantity", "unit", "USD", "quantity from", title=heading)
    for line in bill:
        unit = prices["prices"][line.price]["unit"]
        shown.add_row(line.what, _quantity(line.quantity), unit, f"{usd(line, prices):,.2f}", line.whence)
    total = sum(usd(line, prices) for line in bill)
    shown.add_row("together", "", "", f"{total:,.2f}", "", style="bold")
    # rich would take FORCE_COLOR for a terminal.
    (Console() if sys.stdout.isatty() else Console(width=140, force_terminal=False)).print(shown)
    return 0


def _quantity(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:,.2f}".rstrip("0").rstrip(".")


def _measured() -> dict[str, float]:
    """What was measured last, by the name of the measure; of several rows of a name, the last."""
    return {row["measure"]: row["result"] for _, rows in newest().values() for row in rows}


def _number(kind: str) -> int:
    return len(list(templates.resources(templates.load(), kind)))
