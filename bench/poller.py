"""How many operations the operation poller resolves in 60 seconds, alone and two side by side, and what each costs it.

The marketplace answers in 300 ms. Slots are wide open, so that nothing but the pollers bounds it. Every operation has
been submitted before and is over at the marketplace; to resolve one is to look at it, to write its listing and history,
and to end its job. Two pollers are two processes that look after half of the budgets each, as one run hands on to
another; claims are real conditional writes. The sandbox and DynamoDB are processes of their own on the same machine,
which wants a core for each of them too: what depends on no machine is what an operation costs, in processor time by
part and in requests, and what follows from that for functions that have as much of a core as the template gives them.
Beside it stands a poller that looks at one operation after the other, 50 in a run.
"""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from io import StringIO
from multiprocessing import get_context
from typing import Any
from unittest.mock import patch
from urllib.request import Request, urlopen

from bench import ROOT
from bench.engine import CATALOG
from bench.meter import Units, metered
from bench.one import isolated
from bench.operations import under_way
from bench.parts import POLLING, pace, timed
from bench.row import Row
from bench.store import Store, store
from local.cloud import template as templates
from local.sandbox.stockx import bodies
from sluice.jobs.dispatch import poller, scheduler
from sluice.jobs.dispatch.snapshot import Accounts, Snapshot
from sluice.jobs.model import keys
from sluice.jobs.queue import lanes
from sluice.jobs.run.messages import Batch
from sluice.jobs.run.runner import CALL_MS, run_batch
from sluice.listings.stockx import poll_run, request
from sluice.listings.stockx.request import Asker, ListingDraft
from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.selling import Terms
from sluice.platform import aws
from sluice.platform.clock import SECOND, SystemClock
from sluice.platform.config.document import Config
from sluice.platform.config.engine import Engine
from sluice.platform.config.limits import Limits
from sluice.platform.context import Context

LATENCY_MS = 300
SECONDS = 60
# More than can be resolved, so that the run ends by its time.
OPERATIONS = 12_000
TARGET = 5_000
MOST_CPU_MS = 12
SEQUENTIAL = 50
PRICED = 50
TENANTS = [f"seller-{number}" for number in range(40)]
OPEN = Config(limits={"stockx": Limits(by_account=True)}, engine=Engine(poll_batch=OPERATIONS))
# A function has a whole core from so many MB on (AWS Lambda, "Configure Lambda function memory").
CORE_MB = 1_769


@dataclass
class Polled:
    """What the pollers of one run did together. cpu: their processor time in seconds, by part; cores: kept busy.

    requests: to DynamoDB, by table and operation. pace: of the machine meanwhile (`parts.pace`).
    """

    resolved: int
    rate: float
    cores: float
    cpu: Counter[str]
    requests: Counter[tuple[str, str]]
    writes: float
    pace: float

    def add(self, other: "Polled") -> None:
        """Count what another of them did too."""
        self.resolved += other.resolved
        self.rate += other.rate
        self.cores += other.cores
        self.cpu.update(other.cpu)
        self.requests.update(other.requests)
        self.writes += other.writes
        self.pace = max(self.pace, other.pace)

    @property
    def cpu_ms(self) -> float:
        """Processor time of an operation."""
        return 1_000 * sum(self.cpu.values()) / self.resolved


def run() -> list[Row]:
    alone, name = isolated(_many, 1)
    beside, _ = isolated(_many, 2)
    sequential = isolated(_one_by_one)
    units, calls, place = isolated(_units)
    print(f"where the units of an operation go:\n{units.profile(PRICED)}", file=sys.stderr)
    conditions = f"{len(TENANTS)} accounts, no limits, answers in {LATENCY_MS} ms, {name}"
    life = f"{PRICED} creates from request to history, submitted and looked at once, {place}"
    return [
        *_resolved(alone, "one poller", conditions),
        *_resolved(beside, "two pollers", conditions, TARGET),
        *_costs(beside, f"two pollers, {conditions}"),
        Row(f"a sequential poller of {SEQUENTIAL}: seconds for its {SEQUENTIAL}", conditions, sequential, "s"),
        Row("write units of an operation", life, units.writes / PRICED, "WU"),
        Row("read units of an operation", life, units.reads / PRICED, "RU"),
        Row("marketplace calls of an operation", life, calls / PRICED, "calls"),
    ]


def _resolved(polled: Polled, who: str, conditions: str, least: int | None = None) -> list[Row]:
    """How many, and what that was bound by."""
    here = f"{who}, {conditions}; {polled.cores:.2f} cores busy, a million rounds took {polled.pace:.0f} ms"
    return [
        Row(f"operations resolved in {SECONDS} s", here, round(polled.rate * SECONDS), "operations", least=least),
        Row("processor time of the poller for each", here, polled.cpu_ms, "ms", most=MOST_CPU_MS),
    ]


def _costs(polled: Polled, conditions: str) -> list[Row]:
    """What each cost, and how many two pollers would resolve with a core each, and with what functions have of one."""
    megabytes = int(templates.load()["Globals"]["Function"]["MemorySize"])
    rows = [
        *(
            Row(
                f"operations that two pollers resolve in {SECONDS} s",
                f"by the processor time of each, {what}: {cores:.2f} of a core each",
                round(2 * cores * SECONDS * 1_000 / polled.cpu_ms),
                "operations",
                least=TARGET if cores == 1 else None,
            )
            for what, cores in (("a core each", 1.0), (f"functions of {megabytes} MB", megabytes / CORE_MB))
        ),
        Row(
            "requests to DynamoDB of an operation",
            f"a transaction for each of its tables, {conditions}",
            polled.requests.total() / polled.resolved,
            "requests",
        ),
        Row("write units of resolving an operation", conditions, polled.writes / polled.resolved, "WU"),
    ]
    for (table, operation), number in polled.requests.most_common(6):
        about = f"{operation} on {table}, {conditions}"
        rows.append(Row("requests of resolving an operation", about, number / polled.resolved, "requests"))
    for part, seconds in polled.cpu.most_common():
        about = f"{part}, {conditions}"
        rows.append(Row("processor time of resolving an operation", about, 1_000 * seconds / polled.resolved, "ms"))
    return rows


def _many(pollers: int) -> tuple[Polled, str]:
    """What so many pollers did side by side, and the name of the DynamoDB."""
    with _marketplace() as (place, sandbox):
        for tenant in TENANTS:
            under_way(place.dynamodb, sandbox, tenant, OPERATIONS // len(TENANTS))
        sandbox("PUT", "/_sandbox/latency", {"delay_ms": LATENCY_MS})
        budgets = [keys.account("stockx", tenant) for tenant in TENANTS]
        with ProcessPoolExecutor(pollers, mp_context=get_context("spawn")) as processes:
            parts = [processes.submit(_poll, budgets[number::pollers]) for number in range(pollers)]
            first, *others = [part.result() for part in parts]
        for other in others:
            first.add(other)
        return first, place.name


def _poll(budgets: list[str]) -> Polled:
    """One poller, in a process of its own: what is due of `budgets`, for a minute."""
    speed, clock = pace(), SystemClock()
    with redirect_stdout(StringIO()), metered() as units, timed(POLLING) as spent:
        began = clock.now()
        portion = poller.Portion(frozenset(budgets))
        answer = poll_run.run(Context(clock, OPEN), began + SECONDS * SECOND + CALL_MS, portion)
        took = (clock.now() - began) / SECOND
    if not answer["success"] or answer["stats"]["failed"] or answer["stats"]["timedOut"]:
        raise RuntimeError(f"the run did not resolve what it looked at: {answer}")
    resolved = answer["stats"]["completed"]
    return Polled(
        *(resolved, resolved / took, spent.whole / took, Counter(spent.parts)),
        *(Counter(units.requests), units.writes, max(speed, pace())),
    )


def _one_by_one() -> float:
    """Seconds that 50 operations take, one after the other."""
    with _marketplace() as (place, sandbox):
        under_way(place.dynamodb, sandbox, TENANTS[0], SEQUENTIAL)
        sandbox("PUT", "/_sandbox/latency", {"delay_ms": LATENCY_MS})
        config, clock = replace(OPEN, engine=replace(OPEN.engine, poll_batch=SEQUENTIAL)), SystemClock()
        began = time.monotonic()
        with patch.multiple(poller, THREADS=1, BATCHES=1), redirect_stdout(StringIO()):
            answer = poll_run.run(Context(clock, config), clock.now() + 2 * SECONDS * SECOND)
        if answer["stats"]["completed"] != SEQUENTIAL:
            raise RuntimeError(f"{SEQUENTIAL} operations were under way: {answer}")
        return time.monotonic() - began


def _units() -> tuple[Units, int, str]:
    """Capacity units and marketplace calls of whole operations: asked for, submitted, looked at, settled."""
    with _marketplace() as (place, sandbox), patch.object(aws, "invoke_later"), redirect_stdout(StringIO()):
        sandbox("PUT", "/_sandbox/faults", [{"kind": "stay_pending", "seconds": 0.001}])
        known, clock = sandbox("GET", "/_sandbox/requests")["count"], SystemClock()
        product = CATALOG.product(1)
        assert product
        variant = bodies.variant_id(product.variants[0])
        lanes.forget()
        with metered() as units:
            for number in range(PRICED):
                asker = Asker(TENANTS[0], "bench", clock.now(), OPEN)
                request.create(ListingDraft(variant, Terms(str(100 + number), "USD")), asker)
            scheduler.tick(Snapshot(clock.now(), OPEN, Accounts(accounts.statuses)), lambda batch: _work(batch, clock))
            # The look that the poller has at each after 20 seconds.
            answer = poll_run.run(Context(_Later(), OPEN), clock.now() + 3 * SECONDS * SECOND)
        if answer["stats"]["completed"] != PRICED:
            raise RuntimeError(f"{PRICED} operations were under way: {answer}")
        return units, sandbox("GET", "/_sandbox/requests")["count"] - known, place.name


class _Later(SystemClock):
    """21 seconds ahead."""

    def now(self) -> int:
        return super().now() + 21 * SECOND


def _work(batch: Batch, clock: SystemClock) -> None:
    limits = OPEN.limits["stockx"]
    run_batch(batch, limits, Context(clock, OPEN), clock.now() + 2 * SECONDS * SECOND, lambda *_: None, 8)


@contextmanager
def _marketplace() -> Iterator[tuple[Store, Any]]:
    """An empty store and a sandbox without limits, with accounts connected."""
    command = [sys.executable, "-m", "local.sandbox", "--no-limits"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert process.stdout
        url = json.loads(process.stdout.readline())["url"]

        def sandbox(method: str, path: str, body: object = None, **headers: str) -> Any:
            data = None if body is None else json.dumps(body).encode()
            asked = Request(url + path, data, {"content-type": "application/json", **headers}, method=method)
            with urlopen(asked, timeout=SECONDS) as answer:
                return json.loads(answer.read() or b"null")

        with store(STOCKX_API_URL=f"{url}/v2", STOCKX_AUTH_URL=url) as place:
            names = ("api_key", "client_id", "client_secret", "refresh_token")
            for tenant in TENANTS:
                given = sandbox("PUT", f"/_sandbox/accounts/{tenant}")
                accounts.connect("stockx", tenant, {name: given[name] for name in names}, SystemClock().now())
            yield place, sandbox
    finally:
        process.terminate()
        process.wait()
