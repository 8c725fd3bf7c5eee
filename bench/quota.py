"""One quota, four worker processes, work always waiting, in real time: how close to the limit's own minimum time.

The marketplace allows five calls a second and five at once, counts arrivals and refuses what is too much. The minimum
time of N calls is that of a client which never waits too long and is never refused: (N - 5) / 5 seconds. Both the time
and the refusals are read from the marketplace's record. The second round kills one worker in the middle.
"""

import multiprocessing
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO

from bench.engine import Engine, engine, items
from bench.one import isolated
from bench.row import Row
from local.sandbox.limits import Limits as Quota
from sluice.jobs.dispatch import scheduler
from sluice.jobs.dispatch.snapshot import Accounts
from sluice.jobs.run import worker
from sluice.marketplaces.accounts import table as accounts
from sluice.platform import aws
from sluice.platform.clock import SECOND, SystemClock
from sluice.platform.config.document import Config
from sluice.platform.config.limits import Limits
from sluice.platform.context import Context
from sluice.platform.settings import settings
from sluice.prices.ask import refresh

WORKERS = 4
CALLS = 200
INTERVAL, BURST = 200, 5
# More jobs than calls are counted: what a killed worker holds is done much later, when its leases are over.
# One size of each product: several would be answered by one call.
PRODUCTS = 300
TENANT = "quota"
TICK_SECONDS = 5
LIMITS = Limits(interval_ms=INTERVAL, burst=BURST, by_account=True)
CONFIG = replace(Config(), limits={"stockx": LIMITS})


def run() -> list[Row]:
    rows: list[Row] = []
    for killed in (False, True):
        took, refused, name = isolated(_measure, killed)
        how = "one is killed in the middle" if killed else "all live"
        conditions = (
            f"{WORKERS} processes ({how}), 1 budget, 5 calls a second, {CALLS} calls, answers in 100 ms, {name}"
        )
        least = (CALLS - BURST) * INTERVAL
        rows += [
            Row("quota: time over the limit's minimum", conditions, took / least, most=1.05),
            Row("quota: calls refused with 429", conditions, refused, "calls", most=0),
        ]
    return rows


def _measure(killed: bool) -> tuple[int, int, str]:
    with engine(CONFIG, clock=SystemClock()) as sluice:
        sluice.connect(TENANT)
        sluice.know(range(1, PRODUCTS + 1), TENANT)
        refresh(items(range(1, PRODUCTS + 1), 1, first=1), TENANT, sluice.clock.now(), CONFIG)
        known = len(sluice.sandbox.requests())
        sluice.sandbox.set_limits(Quota(interval_ms=INTERVAL, burst=BURST))
        sluice.sandbox.set_latency(100)
        _run_workers(sluice, killed, lambda: len(sluice.sandbox.requests()) - known)
        entries = list(sluice.sandbox.requests())[known:]
        made = [entry.at_ms for entry in entries if entry.counted and entry.status != 429]
        refused = sum(entry.status == 429 for entry in entries)
        return made[CALLS - 1] - made[0], refused, sluice.place.name


def _run_workers(sluice: Engine, killed: bool, calls: Callable[[], int]) -> None:
    """Tick as the schedule does, until CALLS calls have arrived; with `killed`, end one worker half way."""
    processes = multiprocessing.get_context("spawn")
    workers = [processes.Process(target=_work, args=(settings().work_queue_url,)) for _ in range(WORKERS)]
    ticked = 0.0
    try:
        for process in workers:
            process.start()
        while calls() < CALLS:
            if time.monotonic() - ticked > TICK_SECONDS:
                ticked = time.monotonic()
                scheduler.run(Accounts(accounts.statuses), Context(sluice.clock, CONFIG))
            if killed and calls() >= CALLS // 2:
                workers[0].kill()
            time.sleep(0.1)
    finally:
        for process in workers:
            process.kill()
            process.join()


def _work(queue: str) -> None:
    """What Lambda does: hand messages to the worker, one at a time, until this process is killed."""
    sqs, clock = aws.client("sqs"), SystemClock()
    with redirect_stdout(StringIO()):  # metrics, which nobody reads here
        while True:
            for message in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", []):
                worker.work({message["MessageId"]: message["Body"]}, Context(clock, CONFIG), clock.now() + 120 * SECOND)
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
