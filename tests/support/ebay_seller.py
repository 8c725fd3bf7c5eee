"""A seller whose records are published at the sandbox's eBay: the real engine and adapters, and time by hand."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from typing import Any

import httpx
from pynamodb.expressions.update import Action as Update

from local.sandbox import world as worlds
from local.sandbox.ebay.inventory.book import Listing, Shop
from local.sandbox.limits import Limits as SandboxLimits
from sluice import capabilities
from sluice.jobs import ask
from sluice.jobs.dispatch import scheduler
from sluice.jobs.dispatch.snapshot import Accounts, Snapshot
from sluice.jobs.model import kinds as job_kinds
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import Failure
from sluice.jobs.run.messages import decode
from sluice.jobs.run.runner import run_batch
from sluice.listings.ebay import asking, documents, hashes, kinds, table, wishes
from sluice.listings.ebay.change import Asker
from sluice.listings.ebay.desired import Desired, Group
from sluice.listings.ebay.sync_log import SyncEntry
from sluice.listings.ebay.table import Record
from sluice.marketplaces.accounts import table as accounts
from sluice.platform.clock import MINUTE, SECOND
from sluice.platform.config.document import Config
from sluice.platform.context import Context
from sluice.platform.packing import pack
from tests.support import ebay_process
from tests.support.clock import VirtualClock
from tests.support.ebay_wanted import record
from tests.support.sandbox_wire import SandboxWire

NOON = 1_795_348_800_000  # 2026-11-22 12:00 UTC
TENANT = "acme"
ACCOUNT = "ebay:acme"
SKU = record().sku
READS = ("GET",)


class EbaySeller:
    """`acme`, connected, with nothing listed. chance: of backoffs, with a seed: a history can be repeated."""

    def __init__(self, clock: VirtualClock, wire: SandboxWire, seed: int = 7) -> None:
        self.clock, self.wire, self.sandbox = clock, wire, wire.world
        self.chance = Random(seed)
        self.config = Config()

    @property
    def shop(self) -> Shop:
        """What is really at eBay."""
        return self.sandbox.ebay.shop(TENANT)

    def connect(self, tenant: str = TENANT) -> None:
        made = self.sandbox.accounts.connect(tenant)
        names = ("client_id", "client_secret", "refresh_token")
        accounts.connect("ebay", tenant, {name: getattr(made, name) for name in names}, self.clock.time)

    def put(self, want: Desired, *, quick: bool = False, tenant: str = TENANT) -> str:
        """The seller's software says how a listing is to be; the job's id."""
        now, before = self.clock.time, table.find(tenant, want.sku)
        version = before.version + 1 if before else 1
        actions: list[Update] = [
            Record.version.set(version),
            Record.desired.set(pack(documents.document(want))),
            Record.record_hash.set(hashes.of_record(want)),
            Record.marketplace.set(want.marketplace),
            Record.status.set(str(want.status)),
            Record.title.set(want.title),
            Record.created_at.set(before.created_at if before else now),
            Record.changed_at.set(now),
            Record.changed_by.set("ann"),
        ]
        unchanged = Record.version == before.version if before else Record.version.does_not_exist()
        wish = wishes.publish(tenant, want.sku, "ann", now + (5 if quick else 30) * SECOND, quick=quick)
        done = ask.want_with(
            wish, now, self.config, lambda transaction: transaction.update(Record(tenant, want.sku), actions, unchanged)
        )
        return done.job_id

    def put_group(self, group: Group, *members: Desired) -> None:
        """The same of a group; and its members, whose records say that they are of it."""
        by = Asker(TENANT, "ann", self.clock.time, "put", self.config)
        wanted: list[Group | Desired] = [group, *members]
        for one in wanted:
            asking.put(by, one)

    def group(self, key: str) -> Record:
        found = table.find_group(TENANT, key)
        assert found
        return found

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.time += round(seconds * SECOND)

    def tick(self) -> int:
        """The scheduler's minute, and the workers that it starts. The number of jobs that were run."""
        sent: list[str] = []
        done = scheduler.tick(
            Snapshot(self.clock.time, self.config, Accounts(accounts.statuses)),
            lambda batch: sent.append(batch.encode()),
        )
        assert not done.errors
        for message in sent:
            self.work(message)
        return done.admitted

    def work(self, message: str) -> None:
        """A worker."""
        batch = decode(message)
        limits = self.config.limits[batch.budget.partition(":")[0]]
        context = Context(self.clock, self.config, self.chance.random)
        run_batch(batch, limits, context, self.clock.time + 2 * MINUTE, self._observe, 1)

    def _observe(self, job: Job, failure: Failure | None) -> None:
        if failure and failure.code == "handler_error":
            raise AssertionError(failure.message) from failure.__cause__

    def settle(self, rounds: int = 60) -> None:
        """Work until nothing is left to do, each job when it is due. Ads have a worker of their own."""
        for _ in range(rounds):
            waiting = [job.due_at or 0 for job in Job.scan() if job.lane and job.kind != "promotion.create"]
            if not waiting:
                return
            self.clock.time = max(self.clock.time + SECOND, min(waiting))
            self.tick()
        raise AssertionError(f"still unfinished: {self.unfinished()}")

    def unfinished(self) -> list[tuple[str, str, Any]]:
        return [(job.job_id, job.state, job.error) for job in Job.scan() if job.lane]

    def record(self, sku: str = SKU) -> Record:
        found = table.find(TENANT, sku)
        assert found
        return found

    def job(self, sku: str = SKU) -> Job:
        return Job.get(kinds.publish_id(TENANT, sku))

    def log(self) -> list[SyncEntry]:
        """The sync log, oldest first."""
        return list(SyncEntry.query(TENANT))

    def calls(self, *, reads: bool = False) -> list[str]:
        """The calls of listings that eBay has seen, each as method and what its path ends with."""
        found = self.sandbox.log.entries(marketplace="ebay-inventory")
        base = "/sell/inventory/v1/"
        return [f"{one.method} {one.path.removeprefix(base)}" for one in found if reads or one.method not in READS]

    def live(self) -> list[Listing]:
        """The listings that buyers can find."""
        return self.shop.live()

    def configure(self, **changes: Any) -> None:
        self.config = replace(self.config, **changes)


@contextmanager
def open_ebay_seller(seed: int = 7) -> Iterator[EbaySeller]:
    """`acme`, connected, with nothing listed, on whatever tables this process uses."""
    clock = VirtualClock(NOON)
    wire = SandboxWire(worlds.build(seed, clock=clock.now, limits=SandboxLimits()))
    seller = EbaySeller(clock, wire, seed)
    with ebay_process.calling(wire):
        job_kinds.serve(capabilities.kinds("listings.ebay", "promotions"))
        seller.connect()
        yield seller


def refuse_connection(match: str, times: int = 1) -> Callable[[httpx.Request], None]:
    """For `wire.before`: so many calls whose `METHOD path` holds `match` never reach eBay."""
    left = [times]

    def before(request: httpx.Request) -> None:
        if match in f"{request.method} {request.url.path}" and left[0]:
            left[0] -= 1
            raise httpx.ConnectError("the connection was refused", request=request)

    return before
