"""Listing operations from request to result: the real engine and tables, the sandbox's StockX, and time by hand."""

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from threading import RLock
from typing import Any

import pytest

from local.sandbox import world as worlds
from local.sandbox.limits import Limits as SandboxLimits
from local.sandbox.stockx.listings import Listing as RealListing
from sluice.jobs import keys, lanes, scheduler
from sluice.jobs.job import Job
from sluice.jobs.messages import Batch, decode
from sluice.jobs.outcomes import Failure
from sluice.jobs.runner import run_batch
from sluice.marketplaces import accounts, token_cache, transport
from sluice.marketplaces.selling import Terms
from sluice.operations import listing as listings
from sluice.operations import poll_run, request
from sluice.operations.listing import Entry, Listing
from sluice.operations.request import Asked, Asker, Draft
from sluice.operations.status import Action
from sluice.platform import aws
from sluice.platform.clock import MINUTE, SECOND
from sluice.platform.config import Config
from sluice.platform.limits import Limits
from sluice.platform.observe import metrics
from tests.support.clock import VirtualClock
from tests.support.sandbox_wire import SandboxWire
from tests.support.store import Answer, Request, Store, store

NOON = 1_795_348_800_000  # 2026-11-22 12:00 UTC
TENANT = "acme"
OPEN = Config(marketplaces={"stockx": Limits(by_account=True)})
USD_150 = Terms("150", "USD")


def _plain(secret: bytes | str) -> str:
    """The store answers binary attributes as DynamoDB's JSON has them."""
    return (base64.b64decode(secret) if isinstance(secret, str) else secret).decode()


class Desk:
    """A seller at work. `published`: the events on the bus."""

    def __init__(self, tables: Store, clock: VirtualClock, wire: SandboxWire) -> None:
        self.tables, self.clock, self.wire = tables, clock, wire
        self.sandbox = wire.world
        self.config = OPEN
        self.published: list[tuple[str, dict[str, Any]]] = []
        self.variants = [row["variantId"] for row in self._variants()]

    def _variants(self) -> list[dict[str, Any]]:
        from local.sandbox.catalog.golden import GOLDEN
        from local.sandbox.stockx import bodies

        catalog = self.sandbox.stockx._catalog
        return [bodies.variant_row(variant) for variant in catalog.search(GOLDEN[0].style_id)[0].variants]

    # asking

    def connect(self, tenant: str = TENANT) -> None:
        """Connect `tenant` to the sandbox."""
        made = self.sandbox.accounts.connect(tenant)
        names = ("api_key", "client_id", "client_secret", "refresh_token")
        accounts.connect("stockx", tenant, {name: getattr(made, name) for name in names}, self.clock.time)

    def asker(self, tenant: str = TENANT) -> Asker:
        return Asker(tenant, f"someone@{tenant}", self.clock.time, self.config)

    def create(self, terms: Terms = USD_150, *, variant: int = 0, **more: Any) -> Asked:
        return request.create(Draft(self.variants[variant], terms, **more), self.asker())

    def ask(self, listing_id: str, action: Action, terms: Terms | None = None) -> Asked:
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
        lanes.answer_nudge()
        sent: list[str] = []
        done = scheduler.tick(
            self.clock.time, self.config, accounts.statuses, lambda batch: sent.append(batch.encode())
        )
        assert not done.errors
        for message in sent:
            self.work(decode(message))
        return done.admitted

    def work(self, batch: Batch) -> None:
        """A worker."""
        limits = self.config.limits("stockx")
        run_batch(batch, limits, self.config, self.clock, self.clock.time + 2 * MINUTE, self._observe, 1)

    def _observe(self, job: Job, failure: Failure | None) -> None:
        if failure and failure.code == "handler_error":
            raise AssertionError(failure.message) from failure.__cause__

    def poll(self, most: int | None = None) -> poll_run.PollAnswer:
        """The operation poller."""
        config = self.config if most is None else replace(self.config, poll_batch=most)
        return poll_run.run(accounts.statuses, self.clock, config, self.clock.time + 90 * SECOND)

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.time += round(seconds * SECOND)

    def finish(self) -> None:
        """Work until nothing is left to do."""
        for _ in range(60):
            self.tick()
            self.poll()
            if not any(job.lane for job in Job.scan()):
                return
            self.later(20)
        raise AssertionError(f"still unfinished: {[(job.job_id, job.state) for job in Job.scan() if job.lane]}")

    # looking

    def job(self, job_id: str) -> Job:
        return Job.get(job_id)

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

    def calls(self, **wanted: Any) -> int:
        """How many calls the marketplace has seen."""
        return len(self.sandbox.log.entries(**wanted))

    def items(self) -> Mapping[str, int]:
        """How many items each table has."""
        names = ("jobs", "listings", "listing_history", "requests", "lanes")
        return {name: len(self.tables.items(name)) for name in names}


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """`acme`, connected, with nothing listed."""
    environment = {
        "SCHEDULER_FUNCTION": "scheduler",
        "STOCKX_API_URL": "http://sandbox.test/v2",
        "STOCKX_AUTH_URL": "http://sandbox.test",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    clock = VirtualClock(NOON)
    wire = SandboxWire(worlds.build(7, clock=clock.now, limits=SandboxLimits()))
    with store() as tables:
        # Threads write at once; the store is made for one at a time.
        lock = RLock()

        def one_at_a_time(_: Request, send: Callable[[], Answer]) -> Answer:
            with lock:
                return send()

        tables.around = one_at_a_time
        client = transport._client(wire)
        token_cache.forget()
        monkeypatch.setattr(metrics.provider, "namespace", "Sluice/test")
        monkeypatch.setattr(transport, "_shared_client", lambda: client)
        monkeypatch.setattr(aws, "encrypt", lambda text, context: text.encode())
        monkeypatch.setattr(aws, "decrypt", lambda secret, context: _plain(secret))
        monkeypatch.setattr(aws, "invoke_later", lambda function, event: None)
        desk = Desk(tables, clock, wire)
        monkeypatch.setattr(aws, "put_events", desk.published.extend)
        desk.connect()
        yield desk
    token_cache.forget()
    metrics.clear_metrics()


__all__ = ["NOON", "TENANT", "USD_150", "Desk", "keys"]
