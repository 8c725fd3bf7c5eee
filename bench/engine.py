"""The whole way of a market job in one process: the functions' own code, called in their order, on one clock."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from unittest.mock import patch

from bench.store import Store, store
from bench.virtual import VirtualClock
from local.laptop import CREDENTIALS
from local.sandbox.catalog.catalog import SYNTHETIC, Catalog
from local.sandbox.limits import Limits as Quota
from local.sandbox.server import Sandbox
from sluice.jobs.dispatch import scheduler
from sluice.jobs.model.job import Job
from sluice.jobs.model.run import Run
from sluice.jobs.queue.nudge import Wakeup
from sluice.jobs.run import worker
from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.accounts.dispatching import ACCOUNTS
from sluice.platform import aws
from sluice.platform.clock import DAY, HOUR, Clock
from sluice.platform.config.document import Config
from sluice.platform.context import Context
from sluice.prices import handler as refresh
from sluice.prices.ask import RefreshItem

LAMBDA_MS = 15 * 60_000
# The beginning of an hour, in ms.
START = 1_800_000_000_000 - 1_800_000_000_000 % HOUR

CATALOG = Catalog(10_000)


class FreeCalls:
    """Calls that nobody counts, for what is made ready before a measurement."""

    def take(self) -> None:
        """May start."""

    def close(self, until: int, reason: str) -> None:  # noqa: ARG002
        raise RuntimeError(f"the sandbox refused a call: {reason}")

    def refused(self, until: int, reason: str, *, named: bool) -> int:  # noqa: ARG002
        raise RuntimeError(f"the sandbox refused a call: {reason}")

    def remaining(self, calls: int) -> None:
        """Not needed."""

    def answered(self) -> None:
        """Not needed."""


@dataclass(frozen=True)
class Engine:
    """Sluice with marketplaces that have no faults, no delay, and for StockX Sluice's own idea of its limits."""

    place: Store
    sandbox: Sandbox
    clock: Clock
    config: Config

    def connect(self, tenant: str, marketplace: str = "stockx") -> None:
        """Connect `tenant`'s account at `marketplace`."""
        given = self.sandbox.connect(tenant)
        credentials = {name: getattr(given, name) for name in CREDENTIALS[marketplace]}
        accounts.connect(marketplace, tenant, credentials, self.clock.now())

    def know(self, products: Sequence[int], tenant: str) -> None:
        """Have these synthetic products, by number, in the catalog, as a first refresh of another size leaves them."""
        for number in products:
            item = items([number], 1)[0]
            payload = {"sku": item.sku, "size": item.size, "size_system": item.size_system, "currency": item.currency}
            job = Job("", account=f"stockx:{tenant}", payload=payload)
            refresh.run(Run(job, FreeCalls(), Context(self.clock, self.config)))

    def tick(self, *, asked: bool = False) -> int:
        """One run of the scheduler, with the minute or because somebody has asked for it; how many jobs it admitted."""
        return int(scheduler.run(ACCOUNTS, Context(self.clock, self.config), Wakeup(asked))["admitted"])

    def work(self, workers: int = 1) -> None:
        """`workers` at once take the messages of the queue, one for each run of the worker, until there are none."""
        if not isinstance(self.clock, VirtualClock):
            raise TypeError("work is done on a virtual clock; on a real one, processes do it")
        self.clock.run([self._drain] * workers)

    def _drain(self) -> None:
        sqs, queue = self.place.cloud.client("sqs"), self.place.queue
        while found := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=1).get("Messages"):
            for message in found:
                deadline = self.clock.now() + LAMBDA_MS
                failed = worker.work(
                    {message["MessageId"]: message["Body"]}, Context(self.clock, self.config), deadline
                )
                if failed:
                    raise RuntimeError("a message could not be worked on; the log above says why")
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


@contextmanager
def engine(config: Config, clock: Clock | None = None) -> Iterator[Engine]:
    """A fresh engine, on a virtual clock unless another is given."""
    clock, limits = clock or VirtualClock(START), config.limits["stockx"]
    quota = Quota(interval_ms=limits.interval_ms or None, per_hour=limits.per_hour or None, enforce=False)
    # Answers take no time, so one thread is enough, and on it the virtual clock is exact.
    worker.MOST_THREADS = 1
    send = aws.send_message

    def send_now(queue: str, body: str, _: int = 0, /, **attributes: str) -> None:
        send(queue, body, **attributes)  # the queue's time is the machine's, and a message is held back in virtual time

    sandbox = Sandbox(clock=clock.now, products=CATALOG.size, token_seconds=DAY // 1_000, limits=quota)
    # Metrics are made as in a function; here nobody reads what they print.
    with (
        redirect_stdout(StringIO()),
        patch.object(aws, "send_message", send_now if isinstance(clock, VirtualClock) else send),
        sandbox,
        store(
            STOCKX_API_URL=f"{sandbox.url}/v2",
            STOCKX_AUTH_URL=sandbox.url,
            ALIAS_API_URL=f"{sandbox.url}/api/v1",
            EBAY_API_URL=sandbox.url,
        ) as place,
    ):
        yield Engine(place, sandbox, clock, config)


def items(
    products: Sequence[int], sizes: int, priority: str = "background", first: int = 0, marketplace: str = "stockx"
) -> list[RefreshItem]:
    """Refreshes of `sizes` sizes, from the one numbered `first` on, of each of these synthetic products."""
    return [
        RefreshItem(
            sku=product.style_id or "", size=size.value, size_system="us", marketplace=marketplace, priority=priority
        )
        for number in products
        if (product := CATALOG.product(SYNTHETIC + number))
        for size in product.sizes[first : first + sizes]
    ]
