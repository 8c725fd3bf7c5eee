"""A seller at work: the real engine and tables, the sandbox's StockX, and time by hand."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from local.sandbox import world as worlds
from local.sandbox.catalog.golden import GOLDEN
from local.sandbox.limits import Limits as SandboxLimits
from local.sandbox.stockx import bodies
from local.sandbox.stockx.listings import Change as RealChange
from local.sandbox.stockx.listings import Listing as RealListing
from local.sandbox.stockx.listings import OperationType, Order
from sluice.jobs.dispatch import scheduler, transfers
from sluice.jobs.dispatch.snapshot import Accounts, Snapshot
from sluice.jobs.model import events
from sluice.jobs.model import requests as jobs_requests
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import Failure
from sluice.jobs.queue import lanes
from sluice.jobs.run.messages import Batch, decode
from sluice.jobs.run.runner import run_batch
from sluice.listings import live
from sluice.listings.stockx import aftermath, poll_run, request, views
from sluice.listings.stockx import table as listings
from sluice.listings.stockx.changes import Action
from sluice.listings.stockx.request import AskedChange, Asker, ListingDraft
from sluice.listings.stockx.table import Entry, Listing
from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.accounts import token_cache
from sluice.marketplaces.http import transport
from sluice.marketplaces.selling import Terms
from sluice.platform import aws, tables
from sluice.platform.clock import MINUTE, SECOND
from sluice.platform.config.document import Config
from sluice.platform.config.limits import Limits
from sluice.platform.context import Context
from sluice.platform.observe import metrics
from sluice.platform.settings import settings
from tests.support.clock import VirtualClock
from tests.support.sandbox_wire import SandboxWire
from tests.support.stream import changes

NOON = 1_795_348_800_000  # 2026-11-22 12:00 UTC
TENANT = "acme"
OPEN = Config(limits={"stockx": Limits(by_account=True)})
USD_150 = Terms("150", "USD")


class Desk:
    """A seller at work."""

    def __init__(self, clock: VirtualClock, wire: SandboxWire) -> None:
        self.clock, self.wire = clock, wire
        self.sandbox = wire.world
        self.config = OPEN
        self.put: list[tuple[str, dict[str, Any]]] = []
        self.variants = [row["variantId"] for row in self._variants()]

    def _variants(self) -> list[dict[str, Any]]:
        catalog = self.sandbox.stockx._catalog
        return [bodies.variant_row(variant) for variant in catalog.search(GOLDEN[0].style_id)[0].variants]

    @property
    def published(self) -> list[tuple[str, dict[str, Any]]]:
        """What is on the bus once the stream of table `jobs` is handed over."""
        self.hand_over()
        return self.put

    def hand_over(self) -> None:
        """The stream of table `jobs`: events on the bus, and what comes after listing jobs that have ended."""
        records = changes("jobs")
        events.publish(records)
        live.tell(records)
        aftermath.follow_up(records, self.clock.time, self.config)

    # asking

    def connect(self, tenant: str = TENANT) -> None:
        """Connect `tenant` to the sandbox."""
        made = self.sandbox.accounts.connect(tenant)
        names = ("api_key", "client_id", "client_secret", "refresh_token")
        accounts.connect("stockx", tenant, {name: getattr(made, name) for name in names}, self.clock.time)

    def disconnect(self, tenant: str = TENANT) -> None:
        """Disconnect `tenant`."""
        assert accounts.disconnect(f"stockx:{tenant}", self.clock.time)

    def asker(self, tenant: str = TENANT) -> Asker:
        return Asker(tenant, f"someone@{tenant}", self.clock.time, self.config)

    def create(self, terms: Terms = USD_150, *, variant: int = 0, **more: Any) -> AskedChange:
        return request.create(ListingDraft(self.variants[variant], terms, **more), self.asker())

    def ask(self, listing_id: str, action: Action, terms: Terms | None = None) -> AskedChange:
        return request.change_listing(self.asker(), listing_id, action, terms)

    def active(self, terms: Terms = USD_150, *, variant: int = 0) -> str:
        """A listing that is on the market."""
        asked = self.create(terms, variant=variant)
        self.finish()
        assert self.listing(asked.listing_id).status == "ACTIVE"
        return asked.listing_id

    # working

    def tick(self) -> int:
        """The scheduler's minute, and the workers that it starts. The number of jobs that were run."""
        self.hand_over()
        sent: list[str] = []
        done = scheduler.tick(
            Snapshot(self.clock.time, self.config, Accounts(accounts.statuses)),
            lambda batch: sent.append(batch.encode()),
        )
        assert not done.errors
        for message in sent:
            self.work(decode(message))
        return done.admitted

    def move_on(self) -> None:
        """What the scheduler does besides, where an account does not work."""
        known = Accounts(accounts.statuses, accounts.applications, accounts.working)
        transfers.sweep(Snapshot(self.clock.time, self.config, known), lanes.active())

    def work(self, batch: Batch) -> None:
        """A worker."""
        limits = self.config.limits["stockx"]
        run_batch(batch, limits, Context(self.clock, self.config), self.clock.time + 2 * MINUTE, self._observe, 1)

    def _observe(self, job: Job, failure: Failure | None) -> None:
        if failure and failure.code == "handler_error":
            raise AssertionError(failure.message) from failure.__cause__

    def poll(self, most: int | None = None) -> poll_run.PollAnswer:
        """The operation poller."""
        config = (
            self.config if most is None else replace(self.config, engine=replace(self.config.engine, poll_batch=most))
        )
        return poll_run.run(Context(self.clock, config), self.clock.time + 90 * SECOND)

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.time += round(seconds * SECOND)

    def finish(self, rounds: int = 120) -> None:
        """Work until nothing is left to do; time goes on to when the next job is due."""
        for _ in range(rounds):
            self.tick()
            self.poll()
            self.hand_over()
            waiting = [job.due_at or 0 for job in Job.scan() if job.lane]
            if not waiting:
                return
            self.clock.time = max(self.clock.time + 20 * SECOND, min(waiting))
        raise AssertionError(f"still unfinished: {[(job.job_id, job.state) for job in Job.scan() if job.lane]}")

    # what others do

    def _real_id(self, listing_id: str) -> str:
        real = self.listing(listing_id).marketplace_id
        assert real
        return real

    def sell(self, listing_id: str) -> Order:
        """Somebody buys the listing."""
        order = self.sandbox.stockx.sell(TENANT, self._real_id(listing_id), self.clock.time).order
        assert order
        return order

    def by_hand(
        self, listing_id: str, operation: OperationType, change: RealChange | None = None, via: str = "WEB"
    ) -> None:
        """What the seller does on the marketplace's own site, or in another program."""
        real, now = self._real_id(listing_id), self.sandbox.front.now()
        self.sandbox.stockx.by_hand(TENANT, real, operation, change or RealChange(), now, via)

    def create_elsewhere(self, variant: int = 0, terms: Terms = USD_150, via: str = "WEB") -> str:
        """A listing that the seller makes on the marketplace's own site; its id there."""
        change, now = RealChange(terms.amount, terms.currency, active=True), self.sandbox.front.now()
        return self.sandbox.stockx.list_by_hand(TENANT, self.variants[variant], change, now, via)

    # looking

    def job(self, job_id: str) -> Job:
        return Job.get(job_id)

    def jobs(self) -> list[Job]:
        """Every job there is."""
        return list(Job.scan())

    def listing(self, listing_id: str) -> Listing:
        found = listings.find(TENANT, listing_id)
        assert found
        return found

    def history(self, listing_id: str) -> list[Entry]:
        return list(listings.history(TENANT, listing_id))

    def story(self, listing_id: str) -> list[tuple[str, str]]:
        """Action and status of each entry of the history."""
        return [(entry.action, entry.status) for entry in self.history(listing_id)]

    def real(self) -> list[RealListing]:
        """What the seller really has at the marketplace."""
        return list(self.sandbox.stockx.listings(TENANT, self.clock.time))

    def job_has_begun(self) -> bool:
        """Whether a run has noted that it is about to send something."""
        return any(job.begun for job in Job.scan())

    def live(self) -> list[RealListing]:
        """Those of `real` that buyers see, or will."""
        return [one for one in self.real() if one.status in ("ACTIVE", "INACTIVE")]

    def shown(self, listing_id: str) -> views.ListingView:
        """The listing as its owner sees it."""
        return views.listing(self.listing(listing_id))

    def calls(self, **wanted: Any) -> int:
        """How many calls the marketplace has seen."""
        return len(self.sandbox.log.entries(**wanted))

    def content(self) -> dict[str, list[Any]]:
        """What the tables of this capability hold, raw."""
        models: tuple[type[tables.Table], ...] = (Job, Listing, Entry, jobs_requests.AskRecord)
        return {model.__name__: [item.to_dynamodb_dict() for item in model.scan()] for model in models}

    def items(self) -> Mapping[str, int]:
        """How many items each of those tables has."""
        return {name: len(found) for name, found in self.content().items()}


@contextmanager
def open_desk() -> Iterator[Desk]:
    """`acme`, connected, with nothing listed, on whatever tables the models of this process use."""
    clock = VirtualClock(NOON)
    wire = SandboxWire(worlds.build(7, clock=clock.now, limits=SandboxLimits()))
    environment = {
        "SCHEDULER_FUNCTION": "scheduler",
        "WAKE_QUEUE_URL": "wake",
        "STOCKX_API_URL": "http://sandbox.test/v2",
        "STOCKX_AUTH_URL": "http://sandbox.test",
    }
    desk = Desk(clock, wire)
    client = transport._client(wire)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        settings.cache_clear()
        patch.setattr(metrics.provider, "namespace", "Sluice/test")
        patch.setattr(transport, "_shared_client", lambda: client)
        patch.setattr(aws, "encrypt", lambda text, context: text.encode())
        patch.setattr(aws, "decrypt", lambda secret, context: secret.decode())
        patch.setattr(aws, "invoke_later", lambda function, event: None)
        patch.setattr(aws, "send_message", lambda queue, body, delay: None)
        patch.setattr(aws, "put_events", desk.put.extend)
        token_cache.forget()
        desk.connect()
        yield desk
    settings.cache_clear()
    token_cache.forget()
    metrics.clear_metrics()
