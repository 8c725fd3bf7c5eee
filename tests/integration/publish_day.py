"""A day of listings at eBay: published, changed, sold, refused, and looked at by the reconciler."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from local.laptop import Laptop
from local.sandbox.ebay.feed.faults import OddReport
from local.sandbox.ebay.inventory.faults import RefuseListing
from sluice import capabilities
from sluice.jobs import ask
from sluice.jobs.model import kinds
from sluice.jobs.model.job import Job
from sluice.jobs.model.states import QUEUED
from sluice.listings.ebay import kinds as kinds_of_listings
from sluice.listings.ebay import sellers, table, wishes
from sluice.listings.ebay.desired import Policies, PolicyRef
from sluice.listings.ebay.snapshots import PRUNE_EACH
from sluice.listings.ebay.table import Record, Snapshot, snapshot_entry
from sluice.platform import tables
from sluice.platform.clock import MINUTE, SystemClock
from sluice.promotions.kinds import CREATE
from tests.integration.levers import hasten, rest
from tests.support import process
from tests.support.clock import VirtualClock
from tests.support.ebay_seller import ACCOUNT, SKU, TENANT, EbaySeller
from tests.support.ebay_wanted import SHOES, record, size
from tests.support.stack import until

NAMES = Policies(*(PolicyRef(name=f"Usual {kind}") for kind in ("fulfillment", "payment", "return")))


class PublishDay:
    """What a seller's software, eBay and buyers do. Records are stored as the API stores them."""

    def __init__(self, laptop: Laptop) -> None:
        self.laptop = laptop
        self.ebay = laptop.sandbox.world.ebay

    def live(self) -> None:
        """Everything, in an order in which each step leaves the stack fit for the next."""
        self.laptop.connect(TENANT, "ebay")
        with self.inside() as self.seller:
            self.a_listing_is_published_and_promoted()
            self.a_group_is_published()
            self.prices_change_until_old_snapshots_go()
            self.some_are_sold()
            self.a_listing_is_checked_now()
            self.a_report_of_what_is_live_is_read()
            self.a_policy_is_refused()
            self.an_audit_mends_what_is_wrong()
        self.what_happened_is_shown()

    @contextmanager
    def inside(self) -> Iterator[EbaySeller]:
        """This process reads and writes the stack's tables, with nobody's permissions."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.laptop.cloud.environment.items():
                patch.setenv(name, value)
            patch.setenv("SLUICE_STACK", self.laptop.stack.name)
            process.forget()
            kinds.serve(capabilities.kinds("listings.ebay", "promotions"))
            # As if it was asked for a while ago, so that the coalescing window is over.
            clock = VirtualClock(SystemClock().now() - MINUTE)
            wire: Any = SimpleNamespace(world=self.laptop.sandbox.world)
            yield EbaySeller(clock, wire)
        process.forget()

    def until(self, done: Callable[[], bool], what: str) -> None:
        """Nobody waits for the schedule's minute, nor for the time of a job that comes back later."""

        def looked() -> bool:
            if done():
                return True
            waiting = list(Job.scan((Job.state == QUEUED) & (Job.account == ACCOUNT) & (Job.kind != CREATE.name)))
            for job in waiting:
                hasten(self.laptop, job.job_id, QUEUED)
            if waiting:
                self.laptop.cloud.invoke(self.laptop.stack.function("scheduler"), {})
            return False

        until(looked, what)

    def a_listing_is_published_and_promoted(self) -> None:
        self.seller.put(record(quantity=5, policies=NAMES, auto_promote=True, ad_rate="5.0"))
        self.until(lambda: self.seller.record().is_published, "the listing is published")
        assert [one.status for one in self.seller.live()] == ["ACTIVE"]

    def a_group_is_published(self) -> None:
        self.seller.put_group(SHOES, size("9"), size("10"))
        self.until(lambda: self.seller.group("shoes").is_published, "the group is published")
        assert len(self.seller.live()) == 2
        api = self.laptop.api(TENANT)
        assert [one["state"] for one in api.get("/v1/ebay/groups/shoes")["members"]] == ["live", "live"]
        assert api.post("/v1/ebay/groups/shoes/dry-run", {}, "dry-run")["calls"] == []

    def prices_change_until_old_snapshots_go(self) -> None:
        for number in range(2 * PRUNE_EACH):
            want = record(quantity=5, amount=str(200 + number), policies=NAMES, auto_promote=True, ad_rate="5.0")
            self.seller.put(want, quick=True)
            self.until(lambda: self.seller.record().is_published, "the price is published")

    def some_are_sold(self) -> None:
        self.ebay.sell(TENANT, SKU, 2)

        def found() -> bool:
            if self.seller.record().wanted.quantity == 3:
                return True
            # Its schedule may have had the same look asked for a moment before.
            self.laptop.cloud.invoke(self.laptop.stack.function("reconciler"), {})
            return False

        self.until(found, "the sale is found")

    def a_listing_is_checked_now(self) -> None:
        self.ebay.sell(TENANT, SKU, 1)
        rest(self.laptop)
        assert self.laptop.api(TENANT).post("/v1/ebay/listings/check", {"skus": [SKU]}, "check")["listings"] == 1
        self.until(lambda: self.seller.record().wanted.quantity == 2, "the sale is found at once")

    def a_report_of_what_is_live_is_read(self) -> None:
        """As the reconciler asks for it where looks at single listings take too long. eBay's minutes are cut short."""
        self.laptop.sandbox.faults.set(OddReport(seconds=0))
        ask.want(wishes.report(TENANT), SystemClock().now(), self.seller.config)

        def read() -> bool:
            hasten(self.laptop, kinds_of_listings.report_id(TENANT), "queued")
            found = sellers.report_of(ACCOUNT)
            return found is not None and found.outcome == "read"

        self.until(read, "the report is read")
        found = sellers.report_of(ACCOUNT)
        assert found
        assert found.rows == len(self.seller.live()) + 1  # a group has a row for each of its sizes
        self.laptop.sandbox.faults.clear()

    def a_policy_is_refused(self) -> None:
        self.laptop.sandbox.faults.set(RefuseListing(error_id=25007, call="update_offer"))
        self.seller.put(record(quantity=2, description="<p>Other</p>", policies=NAMES))
        self.until(lambda: bool(self.seller.record().error), "the policy is refused")
        self.laptop.sandbox.faults.clear()

    def an_audit_mends_what_is_wrong(self) -> None:
        """A title, a member that its group does not know, a snapshot that can be restored, and one that cannot."""
        lost, other = (self.seller.record(size(one).sku) for one in ("10", "9"))
        tables.update(Record, [TENANT, SKU], [Record.title.set("Nonsense")])
        tables.update(Record, [table.group_owner(TENANT), "shoes"], [Record.members.delete({size("9").sku})])
        for found, actions in ((other, []), (lost, [Snapshot.state_hash.set("0" * 64)])):
            newest = [found.listing, snapshot_entry(found.snapshots)]
            tables.update(Snapshot, newest, [Snapshot.state.set(b"rubbish"), Snapshot.base.remove(), *actions])
        before = self.seller.record(lost.sku).snapshots
        audited = self.laptop.cloud.invoke(self.laptop.stack.function("reconciler"), {"audit": True})
        assert audited["mismatches"] - audited["mended"] == 1  # what is lost stays so
        assert self.seller.record().title == record().title
        assert size("9").sku in self.seller.group("shoes").members
        assert self.seller.record(lost.sku).snapshots == before + 1

    def what_happened_is_shown(self) -> None:
        api = self.laptop.api(TENANT)
        assert api.get("/v1/ebay/sync-log", result="failed")["attempts"]
        assert api.get("/v1/ebay/sync-log", sku=SKU)["attempts"]
        assert api.delete("/v1/ebay/account/pause")["pause"] is None
