"""A day of promotions: ads that are placed at once, late and never, and an account that breaks twice."""

import pytest

from local.laptop import Laptop
from local.sandbox.ebay.marketing.faults import RefuseAd
from local.sandbox.faults import ExpiredToken, RefuseRefresh, RevokedToken
from sluice.platform.clock import SystemClock
from sluice.platform.config.document import Config
from sluice.promotions.kinds import CREATE
from tests.integration.levers import forget_lanes, use_up
from tests.support.stack import until

TENANT = "promoter"
PROMOTIONS = "/v1/promotions"


class PromotionDay:
    """What a seller and eBay do to the promotions of a stack."""

    def __init__(self, laptop: Laptop) -> None:
        self.laptop = laptop
        self.api = laptop.api(TENANT)
        self.faults = laptop.sandbox.faults
        self.listings = iter(range(110_551_000_000, 110_551_000_100))

    def live(self) -> None:
        """Everything, in an order in which each step leaves the stack fit for the next."""
        self.laptop.connect(TENANT, "ebay")
        made = self.laptop.sandbox.world.ads.add_campaign(TENANT, "Winter", SystemClock().now())
        self.campaign = made.campaign_id
        self.an_ad_in_a_campaign_that_is_named()
        self.many_ads()
        self.an_ad_at_the_second_try()
        self.an_ad_that_is_refused()
        self.a_promotion_is_cancelled()
        self.the_token_expires()
        self.the_account_breaks_while_a_campaign_is_looked_up()
        self.the_account_breaks_while_ads_are_placed()
        self.a_lane_is_forgotten()

    def listing(self) -> str:
        """One that was just published, and that Marketing knows."""
        listing = str(next(self.listings))
        self.laptop.sandbox.publish(TENANT, listing, known_after_s=0)
        return listing

    def work(self) -> None:
        self.laptop.cloud.invoke(self.laptop.stack.function("promotion-worker"), {})

    def until(self, status: str, *job_ids: str) -> None:
        """The schedule's minute is long for a test, so each look is a run of its own."""

        def done() -> bool:
            if all(self.api.get(f"{PROMOTIONS}/{job_id}")["job"]["status"] == status for job_id in job_ids):
                return True
            self.work()
            return False

        try:
            until(done, status)
        except TimeoutError as error:
            pytest.fail(f"{error}: {[self.api.get(f'{PROMOTIONS}/{job_id}') for job_id in job_ids]}")

    def ask(self, **more: str) -> str:
        job_id: str = self.api.post(PROMOTIONS, {"listingId": self.listing(), "adRate": 5.5} | more)["jobId"]
        return job_id

    def status(self) -> str:
        """Of the seller's grant, which ads need."""
        [application, seller] = self.api.get("/v1/accounts/ebay")["grants"]
        assert application["status"] == "ACTIVE"
        status: str = seller["status"]
        return status

    def an_ad_in_a_campaign_that_is_named(self) -> None:
        """The campaign is looked up first, by the API."""
        self.until("succeeded", self.ask(campaignId=self.campaign))

    def many_ads(self) -> None:
        rows = [{"listingId": self.listing(), "adRate": "4.0"} for _ in range(3)]
        answer = self.api.post(PROMOTIONS, {"batch": rows}, key="batch")
        self.until("succeeded", *answer["jobIds"])
        until(lambda: self.api.get(PROMOTIONS)["stats"]["succeeded"] == 4, "all of them are counted")
        placed = {ad.listing_id: ad.rate for ad in self.laptop.sandbox.ads(TENANT)}
        assert {row["listingId"]: row["adRate"] for row in rows}.items() <= placed.items()

    def an_ad_at_the_second_try(self) -> None:
        self.faults.set(RefuseAd(error_id=35048, last=1))
        job_id = self.ask()
        self.until("succeeded", job_id)
        assert self.api.get(f"{PROMOTIONS}/{job_id}")["job"]["attempts"] == 2

    def an_ad_that_is_refused(self) -> None:
        self.faults.set(RefuseAd(error_id=35067))
        self.until("failed", self.ask())
        self.faults.clear()

    def one_is_counted(self) -> bool:
        stats = self.api.get(PROMOTIONS)["stats"]
        return bool(stats["pending"] + stats["ready"])

    def a_promotion_is_cancelled(self) -> None:
        """It waits for want of calls, for which its campaign could not be looked up either."""
        use_up(self.laptop, CREATE.service, Config().limits[CREATE.service].per_day)
        job_id = self.ask(campaignId=self.campaign)
        assert job_id in [one["id"] for one in self.api.get(PROMOTIONS)["promotions"]]
        # Counted a second or so behind; what is due is looked for only while something is counted as unfinished.
        until(self.one_is_counted, "the promotion is counted")
        assert self.api.delete(f"{PROMOTIONS}/{job_id}")["success"]
        use_up(self.laptop, CREATE.service, 0)

    def the_token_expires(self) -> None:
        """Once for the worker, then for the API, which looks the campaign up: first it takes the worker's new token."""
        named = {"campaignId": self.campaign}
        for more in ({}, named, named):
            self.faults.set(ExpiredToken(path="/sell/*", last=1))
            self.until("succeeded", self.ask(**more))
        self.faults.clear()

    def the_account_breaks_while_a_campaign_is_looked_up(self) -> None:
        """The promotion is taken all the same, and waits for the account."""
        self.faults.set(RevokedToken(path="/sell/*"), RefuseRefresh())
        job_id = self.ask(campaignId=self.campaign)
        assert self.status() != "ACTIVE"
        self.faults.clear()
        self.laptop.connect(TENANT, "ebay")
        self.until("succeeded", job_id)

    def the_account_breaks_while_ads_are_placed(self) -> None:
        self.faults.set(RevokedToken(path="/sell/*"), RefuseRefresh())
        job_id = self.ask()
        self.work()
        until(lambda: self.status() != "ACTIVE", "the account is broken")
        self.faults.clear()
        until(lambda: self.api.get(f"{PROMOTIONS}/{job_id}")["job"]["nextRetryAt"], "it waits")
        self.api.delete(f"{PROMOTIONS}/{job_id}")

    def a_lane_is_forgotten(self) -> None:
        """No promotion waits any more, and none has for long. Who marked the lane relies on that for a minute."""
        forget_lanes(self.laptop, CREATE.service)
        self.work()
