"""A marketplace's ads within this process, and a seller who promotes listings there. Time is moved by hand."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import TypeVar

import pytest

from sluice.jobs.dispatch import scheduler
from sluice.jobs.dispatch.snapshot import Accounts, Snapshot
from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.model.run import Calls
from sluice.jobs.queue.enqueue import Enqueued
from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.advertising import Ad, AdResult, Campaign
from sluice.marketplaces.http.errors import AlreadyExists, MarketplaceFailure, NotReady, Rejected
from sluice.platform import aws
from sluice.platform.clock import MINUTE, SECOND, Clock
from sluice.platform.config.document import Config
from sluice.platform.context import Context
from sluice.platform.observe import metrics
from sluice.promotions import advertisers, work_run
from sluice.promotions.kinds import MARKETPLACE
from sluice.promotions.request import promote
from sluice.promotions.wanted import WantedAd
from tests.support.clock import VirtualClock

NOON = 1_795_348_800_000  # 2026-11-22 12:00 UTC
TENANT = "acme"
LISTING = "110551234567"
CREDENTIALS = {"client_id": "client", "client_secret": "secret", "refresh_token": "refresh"}
FIVE = Decimal("5.0")

R = TypeVar("R")

# Called in place of a call, by its name; may raise, or let it happen (`proceed`) and raise then.
Trouble = Callable[[Callable[[], object]], object]


def lost(proceed: Callable[[], object]) -> object:
    """The call is carried out, and its answer is lost."""
    proceed()
    raise MarketplaceFailure("no answer came in time", code="timed_out", uncertain=True)


def refuse(failure: Exception) -> Trouble:
    """The call is refused with `failure`."""

    def refused(_: Callable[[], object]) -> object:
        raise failure

    return refused


class Market:
    """One seller's ads as the marketplace has them. known_at: from when it knows a listing, epoch ms."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.campaigns = {"1001": Campaign("1001", "Autumn", "RUNNING", cost_per_sale=True)}
        self.known_at: dict[str, int] = {}
        self.ads: dict[tuple[str, str], Ad] = {}
        self.made: list[tuple[str, str]] = []
        self.calls: list[tuple[str, int]] = []
        self.trouble: dict[str, list[Trouble]] = {}

    def end(self, campaign_id: str) -> None:
        """The campaign is over."""
        self.campaigns[campaign_id] = self.campaigns[campaign_id]._replace(status="ENDED")

    def rates(self) -> dict[str, str]:
        """The rate of each listing's ad; a second ad of a listing would fail the test."""
        listings = [listing for _, listing in self.ads]
        assert len(listings) == len(set(listings)), "a listing has two ads"
        return {ad.listing_id: str(ad.rate) for ad in self.ads.values()}


class FakeAds:
    """An `Advertiser` on a `Market`, charged like a real one."""

    def __init__(self, market: Market, calls: Calls) -> None:
        self._market, self._calls = market, calls

    def _call(self, name: str, proceed: Callable[[], R]) -> R:
        self._calls.take()
        self._market.calls.append((name, self._market.clock.time))
        if troubles := self._market.trouble.get(name):
            troubles.pop(0)(proceed)
        return proceed()

    def campaign(self, campaign_id: str) -> Campaign:
        return self._call("campaign", lambda: self._known(campaign_id))

    site = ""

    def running_campaigns(self) -> list[Campaign]:
        found = [one for one in self._market.campaigns.values() if one.status == "RUNNING" and one.takes_ads]
        return self._call("running_campaigns", lambda: found)

    def campaign_named(self, name: str) -> Campaign | None:
        found = (one for one in self._market.campaigns.values() if one.name == name)
        return self._call("campaign_named", lambda: next(found, None))

    def create_campaign(self, name: str, now: int) -> Campaign:
        made = Campaign(str(2001 + len(self._market.campaigns)), name, "SCHEDULED", cost_per_sale=True)

        def create() -> Campaign:
            return self._market.campaigns.setdefault(made.campaign_id, made)

        return self._call("create_campaign", create)

    def ads(self, listing_id: str, campaign_id: str | None = None) -> list[Ad]:
        wanted = (None, campaign_id) if campaign_id is None else (campaign_id,)

        def look() -> list[Ad]:
            found = [ad for ad in self._market.ads.values() if ad.listing_id == listing_id]
            return [ad for ad in found if None in wanted or ad.campaign_id in wanted]

        return self._call("ads", look)

    def create_ads(self, campaign_id: str, rates: Mapping[str, Decimal]) -> list[AdResult]:
        def create() -> list[AdResult]:
            return [self._create(campaign_id, listing_id, rate) for listing_id, rate in rates.items()]

        try:
            return self._call("create_ads", create)
        except MarketplaceFailure as failure:
            return [AdResult(listing_id, error=failure) for listing_id in rates]

    def set_rate(self, campaign_id: str, listing_id: str, rate: Decimal) -> None:
        def change() -> None:
            key = (campaign_id, listing_id)
            self._market.ads[key] = self._market.ads[key]._replace(rate=rate)

        self._call("set_rate", change)

    def _known(self, campaign_id: str) -> Campaign:
        if campaign_id not in self._market.campaigns:
            raise Rejected("no such campaign; name one of yours", code="35045")
        return self._market.campaigns[campaign_id]

    def _create(self, campaign_id: str, listing_id: str, rate: Decimal) -> AdResult:
        market, key = self._market, (campaign_id, listing_id)
        if market.known_at.get(listing_id, 0) > market.clock.time:
            return AdResult(listing_id, error=NotReady("the listing is not known", code="35048"))
        if campaign_id not in market.campaigns:
            return AdResult(listing_id, error=Rejected("no such campaign; name one of yours", code="35045"))
        if market.campaigns[campaign_id].status == "ENDED":
            return AdResult(listing_id, error=Rejected("the campaign has ended; name another", code="35035"))
        if key in market.ads:
            return AdResult(listing_id, error=AlreadyExists("there is an ad", code="35036"))
        market.made.append(key)
        ad_id = str(3001 + len(market.made))
        market.ads[key] = Ad(ad_id, listing_id, campaign_id, rate)
        return AdResult(listing_id, ad_id)


class Promoter:
    """`acme`, who promotes listings, at whatever plays the marketplace."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock, self.config = clock, Config()

    def connect(self, tenant: str = TENANT) -> None:
        accounts.connect(MARKETPLACE, tenant, CREDENTIALS, self.clock.time)

    def ask(self, *listings: str, rate: Decimal = FIVE, campaign_id: str | None = None) -> list[str]:
        """Ask for an ad of each listing; the job ids."""
        wanted = [WantedAd(listing, rate, campaign_id) for listing in listings or (LISTING,)]
        answers = promote(wanted, TENANT, "ann", self.clock.time, self.config)
        return [answer.job_id for answer in answers if isinstance(answer, Enqueued)]

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.time += round(seconds * SECOND)

    def work(self) -> work_run.WorkAnswer:
        """A run of the promotion worker."""
        return work_run.run(Context(self.clock, self.config), self.clock.time + 120 * SECOND)

    def rescue(self) -> None:
        """The scheduler's minute: it takes back what dead workers had, and has nothing to hand out."""
        done = scheduler.tick(Snapshot(self.clock.time, self.config, Accounts(accounts.statuses)), lambda batch: None)
        assert (done.admitted, done.errors) == (0, 0)

    def minutes(self, number: int) -> None:
        """As many minutes, at each of which the worker runs."""
        start = self.clock.time
        for minute in range(number):
            self.clock.time = max(self.clock.time, start + minute * MINUTE)
            self.work()
        self.clock.time = max(self.clock.time, start + number * MINUTE)

    def job(self, listing: str = LISTING) -> Job:
        return Job.get(keys.job_id("promotion.create", MARKETPLACE, TENANT, listing))


class Seller(Promoter):
    """`acme`, on a `Market`."""

    def __init__(self, clock: VirtualClock, market: Market) -> None:
        super().__init__(clock)
        self.market = market

    def tries(self) -> list[int]:
        """When ads were asked for, in seconds from noon."""
        return [(at - NOON) // SECOND for name, at in self.market.calls if name == "create_ads"]


@contextmanager
def open_seller() -> Iterator[Seller]:
    """`acme`, connected, with one running campaign and no ads, on whatever tables this process uses."""
    clock = VirtualClock(NOON)
    seller = Seller(clock, Market(clock))

    def open_for(account_id: str, calls: Calls, _: Clock) -> FakeAds:
        return FakeAds(seller.market, calls)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(advertisers, "open_for", open_for)
        patch.setattr(aws, "encrypt", lambda text, context: text.encode())
        patch.setattr(metrics.provider, "namespace", "Sluice/test")
        seller.connect()
        yield seller
    metrics.clear_metrics()
