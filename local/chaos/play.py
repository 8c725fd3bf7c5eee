"""One run: load and trouble together, then calm, then the record."""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from botocore.exceptions import BotoCoreError, ClientError

from local.chaos.calm import Say, settle
from local.chaos.load import TENANTS, Load
from local.chaos.record import broken, jobs
from local.chaos.trouble import Trouble
from local.cloud import CloudError
from local.laptop import Laptop
from local.sandbox.limits import Limits

# Each function of a schedule is started so often; by itself it comes once a minute.
TICK_SECONDS = 1.0
SCHEDULED = ("scheduler", "operation-poller")
# A run of this one lasts a minute: nobody waits for its end.
APART, APART_SECONDS = "promotion-worker", 5.0
LEASE_MS = 30_000
# So many runs of one function may meet a process that dies.
DYING = 5
# What StockX has created it shows at once: who hurries looks for it no longer than this.
SOON_MS = 8_000
CONFIGURATION = {
    "limits": {
        "stockx": {
            "interval_ms": 50,
            "margin_ms": 0,
            "windows": [{"calls": 100_000, "per": "hour"}, {"calls": 100_000, "per": "day"}],
        }
    },
    "engine": {"lease_ms": LEASE_MS, "batch": 5, "timetables": {"promotion.create": [500] * 20}},
    "ebay": {"coalesce_seconds": 1},
}
PRODUCTS = 1_000
# So often it is told how far it is.
TELL_SECONDS = 20.0


@dataclass
class Outcome:
    """What happened, and which promises were broken by it."""

    load: Load
    trouble: Trouble
    restarts: int
    calls: int
    broken: list[str]


def play(seed: int, seconds: float, *, pause: float, restarts: int, hurry: bool = False, say: Say = print) -> Outcome:
    """Let sellers ask and functions die for `seconds`, then see to it that all comes to its end.

    pause: between two wishes of a seller. say: is told how far it is. hurry: leases are not waited for:
    all functions are killed once more, and the leases of what they had end at once, as if their time had passed.
    """
    configuration = CONFIGURATION | {"listings": {"lost_create_ms": SOON_MS if hurry else LEASE_MS}}
    with TemporaryDirectory(prefix="sluice-chaos-") as folder:
        laptop = Laptop(
            latency_ms=60, products=PRODUCTS, configuration=json.dumps(configuration), keep=Path(folder) / "kept"
        )
        with laptop:
            say(f"ready: {laptop.stack.api_url} is the API of the stack, {laptop.sandbox.url} are the marketplaces")
            return _Run(laptop, seed, say).live(seconds, pause, restarts, hurry=hurry)


class _Run:
    def __init__(self, laptop: Laptop, seed: int, say: Say) -> None:
        self._laptop, self._say = laptop, say
        self._load = Load(laptop, seed)
        self._trouble = Trouble(laptop, Random(seed), progress=lambda: len(self._load.asks))
        self._rounds = 0

    def live(self, seconds: float, pause: float, restarts: int, *, hurry: bool) -> Outcome:
        for marketplace in ("stockx", "ebay"):
            self._laptop.sandbox.set_limits(Limits(), marketplace)
        self._load.connect()
        with ThreadPoolExecutor(len(TENANTS) + 1) as pool, self._schedules(), self._until_over():
            sellers = [pool.submit(self._load.live, tenant, pause) for tenant in TENANTS]
            troubled = pool.submit(self._trouble.make)
            for number in range(restarts + 1):
                self._trouble_for(seconds / (restarts + 1), [*sellers, troubled])
                if number < restarts:
                    self._restart()
            self._load.over.set()
            for one in sellers:
                one.result()
            self._trouble.over.set()
            troubled.result()
            self._tell()
        if hurry:
            self._end_leases()
        with self._schedules():
            settle(self._laptop, self._load.asks, lambda: self._rounds, self._say)
        calls = len(self._laptop.sandbox.requests())
        return Outcome(self._load, self._trouble, restarts, calls, broken(self._laptop, self._load.asks))

    @contextmanager
    def _until_over(self) -> Iterator[None]:
        """Whatever happens, nobody asks and nothing is killed afterwards."""
        try:
            yield
        finally:
            self._load.over.set()
            self._trouble.over.set()

    @contextmanager
    def _schedules(self) -> Iterator[None]:
        """Meanwhile functions of schedules are started more often than once a minute, whatever dies."""
        over = threading.Event()

        def start() -> None:
            while not over.wait(TICK_SECONDS):
                for name in SCHEDULED:
                    with suppress(BotoCoreError, ClientError, CloudError):
                        self._laptop.cloud.invoke(self._laptop.stack.function(name), {})
                self._rounds += 1

        def start_apart() -> None:
            while not over.wait(APART_SECONDS):
                with suppress(BotoCoreError, ClientError):
                    self._laptop.cloud.client("lambda").invoke(
                        FunctionName=self._laptop.stack.function(APART), InvocationType="Event", Payload=b"{}"
                    )

        with ThreadPoolExecutor(2) as pool:
            started = [pool.submit(start), pool.submit(start_apart)]
            try:
                yield
            finally:
                over.set()
            for one in started:
                one.result()

    def _trouble_for(self, seconds: float, threads: Sequence[Future[None]]) -> None:
        """Let it go on for so long, unless one of those who make it has failed."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not any(one.done() for one in threads):
            wait(threads, min(left, TELL_SECONDS), FIRST_COMPLETED)
            self._tell()

    def _restart(self) -> None:
        """Stop the emulator in the middle of everything, and start it with what it has kept."""
        with self._trouble.gate:
            self._laptop.restart_cloud()
        self._say("the local cloud was stopped, and started with what it had kept")

    def _tell(self) -> None:
        load, trouble = self._load, self._trouble
        what = f"{len(load.asks)} things asked for, {trouble.dead.total()} processes killed"
        self._say(f"trouble: {what}, {trouble.sent} messages sent twice")

    def _end_leases(self) -> None:
        """All functions die, and all leases of what they had end; then what was lost is taken back.

        What waits in queues meanwhile was not started by anybody: whoever gets it afterwards comes too late.
        """
        table, client = f"{self._laptop.stack.name}-jobs", self._laptop.cloud.client("dynamodb")
        with self._trouble.held():
            time.sleep(TICK_SECONDS)  # a message that was on its way to a function has arrived
            leased = [item for item in jobs(self._laptop) if item["state"]["S"] == "leased"]
            self._trouble.kill()
            for item in leased:
                with suppress(client.exceptions.ConditionalCheckFailedException):
                    client.update_item(
                        TableName=table,
                        Key={"job_id": item["job_id"]},
                        UpdateExpression="SET due_at = :now",
                        ConditionExpression="lease = :lease",
                        ExpressionAttributeValues={":now": {"N": str(_now())}, ":lease": item["lease"]},
                    )
            self._rescue()
            self._trouble.send_twice()
        self._say(f"{len(leased)} leases ended")

    def _rescue(self) -> None:
        """One whole run of the scheduler. Those before it may meet a process that is dying just now."""
        scheduler = self._laptop.stack.function("scheduler")
        for _ in range(DYING):
            with suppress(CloudError):
                self._laptop.cloud.invoke(scheduler, {})
                return
        self._laptop.cloud.invoke(scheduler, {})


def _now() -> int:
    return time.time_ns() // 1_000_000
