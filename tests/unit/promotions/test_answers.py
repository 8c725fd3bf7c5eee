"""What the marketplace answers, and what becomes of the promotion."""

from dataclasses import replace
from decimal import Decimal

import pytest

from sluice.jobs.model.dead_letters import DeadLetter
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import Failure
from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.accounts.table import Status
from sluice.marketplaces.advertising import Campaign
from sluice.marketplaces.http.errors import (
    AccountBroken,
    AlreadyExists,
    NotReady,
    RateLimited,
    Rejected,
    Unavailable,
    UnknownReason,
)
from sluice.platform import tables
from sluice.platform.clock import MINUTE
from tests.support.ads import FIVE, LISTING, NOON, Seller, lost, refuse

SIX = Decimal("6.0")


@pytest.mark.parametrize(
    "failure",
    [
        NotReady("the listing is not known", code="35048"),
        NotReady("wait for some minutes", code="35002"),
        NotReady("the campaign is being prepared", code="35061"),
        Unavailable("503", uncertain=True),
        UnknownReason("something new", code="35999"),
    ],
)
def test_what_may_pass_is_tried_again(seller: Seller, failure: Failure) -> None:
    seller.market.trouble["create_ads"] = [refuse(failure)]
    seller.ask()
    seller.minutes(2)
    job = seller.job()
    assert (job.state, job.attempts, job.error["code"]) == ("queued", 1, failure.code)
    seller.minutes(3)
    assert seller.job().state == "succeeded"
    assert seller.market.rates() == {LISTING: "5.0"}


def test_what_the_marketplace_refuses_for_good_fails_at_once(seller: Seller) -> None:
    seller.market.trouble["create_ads"] = [refuse(Rejected("accept the terms of Promoted Listings", code="35067"))]
    seller.ask()
    seller.minutes(2)
    job = seller.job()
    assert (job.state, job.attempts) == ("dead", 1)
    assert job.error["message"] == "accept the terms of Promoted Listings"
    assert [letter.error["code"] for letter in DeadLetter.query("acme")] == ["35067"]


@pytest.mark.parametrize("campaign", ["9999", "1001"])
def test_a_campaign_that_is_unknown_or_over_fails_at_once(seller: Seller, campaign: str) -> None:
    seller.market.end("1001")
    seller.ask(campaign_id=campaign)
    seller.minutes(2)
    assert (seller.job().state, seller.job().attempts) == ("dead", 1)


def test_an_ad_that_exists_is_success_with_the_rate_that_is_asked_for(seller: Seller) -> None:
    seller.ask(campaign_id="1001")
    seller.minutes(2)
    seller.ask(campaign_id="1001", rate=SIX)
    seller.minutes(2)
    assert [name for name, _ in seller.market.calls] == ["create_ads", "create_ads", "ads", "set_rate"]
    assert seller.job().result == {"outcome": "changed", "ad_id": "3002", "campaign_id": "1001", "rate": "6.0"}
    assert seller.market.rates() == {LISTING: "6.0"}


def test_35001_is_success_when_the_ad_is_then_found(seller: Seller) -> None:
    def made_all_the_same(proceed: object) -> object:
        assert callable(proceed)
        proceed()
        raise Unavailable("internal error", code="35001", uncertain=True)

    seller.market.trouble["create_ads"] = [made_all_the_same]
    seller.ask()
    seller.minutes(2)
    assert (seller.job().state, seller.job().attempts) == ("succeeded", 1)
    assert seller.market.rates() == {LISTING: "5.0"}


def test_35001_is_tried_again_when_there_is_no_ad(seller: Seller) -> None:
    seller.market.trouble["create_ads"] = [refuse(Unavailable("internal error", code="35001", uncertain=True))]
    seller.ask()
    seller.minutes(2)
    assert (seller.job().state, seller.job().error["code"]) == ("queued", "35001")
    seller.minutes(3)
    assert seller.job().state == "succeeded"
    assert len(seller.market.made) == 1


def test_a_lost_answer_makes_no_second_ad(seller: Seller) -> None:
    """Not even when another campaign is the running one by then."""
    seller.market.trouble["create_ads"] = [lost]
    seller.ask()
    seller.minutes(2)
    assert seller.job().begun
    seller.market.campaigns = {
        "0999": Campaign("0999", "Older", "RUNNING", cost_per_sale=True),
        **seller.market.campaigns,
    }
    seller.minutes(3)
    job = seller.job()
    assert (job.state, job.result["outcome"], job.result["campaign_id"]) == ("succeeded", "unchanged", "1001")
    assert len(seller.market.made) == 1


def test_a_worker_killed_between_the_ad_and_the_end_of_its_run_makes_no_second_ad(seller: Seller) -> None:
    class Killed(BaseException):
        pass

    def killed(proceed: object) -> object:
        assert callable(proceed)
        proceed()
        raise Killed

    seller.market.trouble["create_ads"] = [killed]
    seller.ask(campaign_id="1001")
    seller.later(60)
    with pytest.raises(Killed):
        seller.work()
    assert seller.job().state == "leased"
    seller.later(6 * 60)
    seller.rescue()
    seller.work()
    assert (seller.job().state, seller.job().result["outcome"]) == ("succeeded", "unchanged")
    assert [name for name, _ in seller.market.calls] == ["create_ads", "ads"], "it looks before it asks again"
    assert len(seller.market.made) == 1


def test_a_broken_account_holds_its_promotions_until_it_is_connected_again(seller: Seller) -> None:
    def broken(_: object) -> object:
        accounts.mark("ebay:acme", Status.BROKEN, "refused", seller.clock.time, 1, accounts.USER_TOKEN)
        raise AccountBroken("the marketplace refuses the account", found=True)

    seller.market.trouble["ads"] = [broken]
    seller.ask(LISTING, "110551234568")
    seller.minutes(30)
    assert {seller.job(one).state for one in (LISTING, "110551234568")} == {"queued"}
    assert [seller.job(one).attempts for one in (LISTING, "110551234568")] == [0, 0]
    assert len(seller.market.calls) == 1
    seller.connect()
    seller.minutes(1)
    assert sorted(seller.market.rates()) == [LISTING, "110551234568"]


def test_a_429_uses_up_no_attempt(seller: Seller) -> None:
    seller.market.trouble["create_ads"] = [refuse(RateLimited("slow down", retry_at=NOON + 3 * MINUTE))]
    seller.ask(campaign_id="1001")
    seller.minutes(2)
    assert (seller.job().state, seller.job().attempts, seller.job().due_at) == ("queued", 0, NOON + 3 * MINUTE)
    seller.minutes(3)
    assert (seller.job().state, seller.job().attempts) == ("succeeded", 1)


def test_without_a_running_campaign_one_is_made_once(seller: Seller) -> None:
    seller.market.campaigns.clear()
    seller.market.trouble["create_campaign"] = [lost]
    seller.ask(LISTING, "110551234568")
    seller.minutes(5)
    [campaign] = seller.market.campaigns.values()
    assert campaign.name == "Sluice"
    assert sorted(seller.market.made) == [(campaign.campaign_id, LISTING), (campaign.campaign_id, "110551234568")]


def test_a_campaign_of_ours_that_has_ended_gives_its_place_to_another(seller: Seller) -> None:
    seller.market.campaigns.clear()
    seller.ask()
    seller.minutes(2)
    [first] = seller.market.campaigns
    seller.market.end(first)
    seller.ask(rate=SIX)
    seller.minutes(2)
    [_, second] = seller.market.campaigns.values()
    assert second.name == "Sluice 2026-11-22"
    assert seller.market.made == [(first, LISTING), (second.campaign_id, LISTING)], "the old ad is over"


def test_an_ad_whose_rate_is_its_campaigns_gets_its_own(seller: Seller) -> None:
    seller.ask()
    seller.minutes(2)
    [(key, ad)] = seller.market.ads.items()
    seller.market.ads[key] = ad._replace(rate=None)
    seller.ask()
    seller.minutes(2)
    assert seller.market.rates() == {LISTING: str(FIVE)}


def test_an_ad_in_another_campaign_gets_the_rate_where_it_is(seller: Seller) -> None:
    seller.ask(campaign_id="1001")
    seller.minutes(2)
    seller.market.campaigns["1002"] = Campaign("1002", "Winter", "RUNNING", cost_per_sale=True)
    seller.market.trouble["create_ads"] = [refuse(AlreadyExists("there is an ad", code="35036"))]
    seller.ask(campaign_id="1002", rate=SIX)
    seller.minutes(2)
    assert seller.job().result["campaign_id"] == "1001"
    assert seller.market.rates() == {LISTING: "6.0"}


def test_an_ad_that_is_said_to_be_and_is_not_shown_is_looked_for_again(seller: Seller) -> None:
    seller.market.trouble["create_ads"] = [refuse(AlreadyExists("there is an ad", code="35036"))]
    seller.ask(campaign_id="1001")
    seller.minutes(2)
    assert (seller.job().state, seller.job().error["code"]) == ("queued", "not_ready")
    seller.minutes(3)
    assert seller.market.rates() == {LISTING: "5.0"}


def test_a_damaged_promotion_is_no_harm_to_those_that_are_due_with_it(seller: Seller) -> None:
    seller.config = replace(seller.config, promotions=replace(seller.config.promotions, stagger_ms=0))
    seller.ask("1", "2", "3")
    tables.update(Job, (seller.job("2").job_id,), [Job.payload.set({"listing_id": "2"})])
    seller.minutes(2)
    assert seller.market.rates() == {"1": "5.0", "3": "5.0"}
    assert [seller.job(listing).state for listing in "123"] == ["succeeded", "queued", "succeeded"]
    assert seller.job("2").error["code"] == "handler_error"
