"""How many operations one run of the operation poller resolves in 60 seconds, when the marketplace answers in 300 ms.

Slots are wide open, so that nothing but the poller bounds it. Every operation has been submitted before and is over at
the marketplace; to resolve one is to look at it, to write its listing and history, and to end its job. Beside it stands
a poller that looks at one operation after the other, 50 in a run. The sandbox and DynamoDB are processes of their own
on the same machine.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from io import StringIO
from typing import Any
from unittest.mock import patch
from urllib.request import Request, urlopen

from bench import ROOT
from bench.engine import CATALOG
from bench.meter import Units, metered
from bench.one import isolated
from bench.operations import under_way
from bench.row import Row
from bench.store import Store, store
from local.sandbox.stockx import bodies
from sluice.jobs.dispatch import poller, scheduler
from sluice.jobs.dispatch.snapshot import Accounts, Snapshot
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
SEQUENTIAL = 50
PRICED = 50
TENANTS = [f"seller-{number}" for number in range(40)]
OPEN = Config(limits={"stockx": Limits(by_account=True)}, engine=Engine(poll_batch=OPERATIONS))


def run() -> list[Row]:
    resolved, busy, name = isolated(_many)
    sequential = isolated(_one_by_one)
    units, calls, place = isolated(_units)
    print(f"where the units of an operation go:\n{units.profile(PRICED)}", file=sys.stderr)
    conditions = f"{len(TENANTS)} accounts, no limits, answers in {LATENCY_MS} ms, {name}"
    bound = (
        f"bound by the poller's own processor time: {busy:.2f} of a core" if busy > 0.75 else f"{busy:.2f} cores busy"
    )
    life = f"{PRICED} creates from request to history, submitted and looked at once, {place}"
    return [
        Row(f"operations resolved in {SECONDS} s", f"{conditions}; {bound}", resolved, "operations", least=TARGET),
        Row("processor time of the poller for each", conditions, 1_000 * busy * SECONDS / resolved, "ms"),
        Row(f"a sequential poller of {SEQUENTIAL}: seconds for its {SEQUENTIAL}", conditions, sequential, "s"),
        Row("write units of an operation", life, units.writes / PRICED, "WU"),
        Row("read units of an operation", life, units.reads / PRICED, "RU"),
        Row("marketplace calls of an operation", life, calls / PRICED, "calls"),
    ]


def _many() -> tuple[int, float, str]:
    """Operations resolved, cores that the poller kept busy, and the name of the DynamoDB."""
    with _marketplace() as (place, sandbox):
        for tenant in TENANTS:
            under_way(place.dynamodb, sandbox, tenant, OPERATIONS // len(TENANTS))
        sandbox("PUT", "/_sandbox/latency", {"delay_ms": LATENCY_MS})
        clock = SystemClock()
        busy, began = time.process_time(), clock.now()
        with redirect_stdout(StringIO()):  # metrics and logs, which nobody reads here
            answer = poll_run.run(Context(clock, OPEN), began + SECONDS * SECOND + CALL_MS)
        took = (clock.now() - began) / SECOND
        if not answer["success"] or answer["stats"]["failed"] or answer["stats"]["timedOut"]:
            raise RuntimeError(f"the run did not resolve what it looked at: {answer}")
        resolved = round(answer["stats"]["completed"] * SECONDS / max(took, SECONDS))
        return resolved, (time.process_time() - busy) / took, place.name


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
