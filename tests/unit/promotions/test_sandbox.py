"""Promotions at the sandbox's eBay: every call is the real adapter's, and the sandbox counts the ads."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from local.sandbox.ebay.marketing.faults import RefuseAd
from local.sandbox.faults import Disconnect, EmptyAnswer, ExpiredToken, RefuseRefresh, RevokedToken, ServerError
from sluice.jobs.model.job import Job
from sluice.marketplaces.accounts import table as accounts
from sluice.platform.clock import MINUTE
from tests.support.ad_sandbox import SandboxSeller, open_sandbox_seller
from tests.support.ads import LISTING, NOON
from tests.support.store import Store

DRAFTS = [str(110_551_000_000 + number) for number in range(25)]
SIX = Decimal("6.0")


@pytest.fixture
def ebay(tables: Store) -> Iterator[SandboxSeller]:
    """`acme`, connected, with nothing published and no campaign."""
    with open_sandbox_seller() as seller:
        yield seller


@pytest.fixture
def published(ebay: SandboxSeller) -> SandboxSeller:
    """One listing, which Marketing knows at once."""
    ebay.publish(LISTING, known_after_s=0)
    return ebay


def only(ebay: SandboxSeller) -> Job:
    [job] = Job.scan()
    return job


def test_25_drafts_of_which_each_is_known_at_its_own_time(ebay: SandboxSeller) -> None:
    known = [ebay.publish(draft) for draft in DRAFTS]
    assert all(NOON + MINUTE <= at <= NOON + 10 * MINUTE for at in known)
    assert len(set(known)) > 10
    ebay.ask(*DRAFTS, rate=Decimal("4.5"))
    ebay.minutes(28)
    assert {job.state for job in Job.scan()} == {"succeeded"}
    assert ebay.rates() == dict.fromkeys(DRAFTS, "4.5")
    report = ebay.sandbox.report()
    assert report.over == 0
    assert max(job.attempts for job in Job.scan()) > 1
    assert not ebay.sandbox.ads.repeated, "no ad was asked for twice"


def test_without_a_campaign_one_is_made(published: SandboxSeller) -> None:
    published.ask()
    published.minutes(2)
    [campaign] = published.sandbox.ads.campaigns("acme")
    assert campaign.name == "Sluice"
    assert published.rates() == {LISTING: "5.0"}


def test_a_request_after_success_changes_the_ad(published: SandboxSeller) -> None:
    published.ask()
    published.minutes(2)
    published.ask(rate=SIX)
    published.minutes(2)
    assert published.rates() == {LISTING: "6.0"}
    assert not published.sandbox.ads.repeated


@pytest.mark.parametrize("made", [True, False])
def test_35001(published: SandboxSeller, made: bool) -> None:
    """An internal error, with the ad made all the same, or not."""
    published.sandbox.faults.set(RefuseAd(error_id=35001, effect=made, last=1))
    published.ask()
    published.minutes(2)
    assert (only(published).state, only(published).attempts) == ("succeeded" if made else "queued", 1)
    published.minutes(3)
    assert only(published).state == "succeeded"
    assert published.rates() == {LISTING: "5.0"}
    assert not published.sandbox.ads.repeated


@pytest.mark.parametrize("fault", [Disconnect, EmptyAnswer])
def test_a_lost_answer_makes_no_second_ad(published: SandboxSeller, fault: type[Disconnect | EmptyAnswer]) -> None:
    published.sandbox.faults.set(fault(method="POST", path="*/ad", last=1))
    published.ask()
    published.minutes(5)
    assert (only(published).state, only(published).attempts) == ("succeeded", 2)
    assert published.rates() == {LISTING: "5.0"}
    assert published.calls("*/ad", "POST") == 1, "the ad was looked for, and not asked for again"


@pytest.mark.parametrize("error_id", [35048, 35002, 35061, 35999])
def test_what_may_pass_is_tried_again(published: SandboxSeller, error_id: int) -> None:
    published.sandbox.faults.set(RefuseAd(error_id=error_id, last=2))
    published.ask()
    published.minutes(20)
    assert (only(published).state, only(published).attempts) == ("succeeded", 3)


@pytest.mark.parametrize("error_id", [35035, 35045, 35007, 35058, 35067, 35077])
def test_what_does_not_pass_fails_at_once_with_what_to_do(published: SandboxSeller, error_id: int) -> None:
    published.sandbox.faults.set(RefuseAd(error_id=error_id))
    published.ask()
    published.minutes(2)
    assert (only(published).state, only(published).attempts) == ("dead", 1)
    assert only(published).error["code"] == str(error_id)
    assert len(only(published).error["message"]) > 20


def test_a_5xx_is_tried_again(published: SandboxSeller) -> None:
    published.sandbox.faults.set(ServerError(path="/sell/*", last=1))
    published.ask()
    published.minutes(5)
    assert (only(published).state, only(published).attempts) == ("succeeded", 2)


def test_a_token_that_has_expired_is_renewed(published: SandboxSeller) -> None:
    published.sandbox.faults.set(ExpiredToken(path="/sell/*", last=1))
    published.ask()
    published.minutes(2)
    assert (only(published).state, only(published).attempts) == ("succeeded", 1)


def test_credentials_that_are_refused_hold_the_promotions_until_they_are_new(published: SandboxSeller) -> None:
    published.sandbox.faults.set(RevokedToken(path="/sell/*"), RefuseRefresh())
    published.ask()
    published.minutes(30)
    assert accounts.statuses(["ebay:acme"]) == {"ebay:acme": "ACTIVE"}, "prices go on"
    assert accounts.statuses(["ebay:acme"], "ebay-marketing") == {"ebay:acme": "EXPIRED"}
    assert (only(published).state, only(published).attempts) == ("queued", 0)
    published.sandbox.faults.clear()
    published.connect()
    published.minutes(2)
    assert published.rates() == {LISTING: "5.0"}


def test_the_ads_of_a_campaign_that_is_named_stand_there(published: SandboxSeller) -> None:
    campaign = published.sandbox.ads.add_campaign("acme", "Winter", NOON)
    published.ask(campaign_id=campaign.campaign_id)
    published.minutes(2)
    [ad] = published.sandbox.ads.ads("acme")
    assert ad.campaign_id == campaign.campaign_id
    assert published.calls("/sell/*") == 1


def test_what_is_due_at_once_is_asked_for_in_one_call_and_each_row_stands_alone(ebay: SandboxSeller) -> None:
    ebay.config = replace(ebay.config, promotions=replace(ebay.config.promotions, stagger_ms=0))
    made, late, refused = DRAFTS[:3], DRAFTS[3], DRAFTS[4]
    for draft in (*made, refused):
        ebay.publish(draft, known_after_s=0)
    ebay.publish(late, known_after_s=150)
    ebay.sandbox.faults.set(RefuseAd(error_id=35058, listing=refused))
    ebay.ask(*made, late, refused)
    ebay.minutes(2)
    states = {job.payload["listing_id"]: job.state for job in Job.scan()}
    assert states == {**dict.fromkeys(made, "succeeded"), late: "queued", refused: "dead"}
    assert ebay.calls("*/bulk_create_ads_by_listing_id") == 1
    ebay.minutes(3)
    assert ebay.rates() == dict.fromkeys((*made, late), "5.0")
    assert ebay.calls("*/ad", "POST") == 1, "one alone is asked for alone"


def test_a_lost_answer_for_many_makes_no_second_ad(ebay: SandboxSeller) -> None:
    ebay.config = replace(ebay.config, promotions=replace(ebay.config.promotions, stagger_ms=0))
    for draft in DRAFTS:
        ebay.publish(draft, known_after_s=0)
    ebay.sandbox.faults.set(Disconnect(path="*/bulk_create_ads_by_listing_id", last=1))
    ebay.ask(*DRAFTS)
    ebay.minutes(5)
    assert {job.state for job in Job.scan()} == {"succeeded"}
    assert ebay.rates() == dict.fromkeys(DRAFTS, "5.0")
    assert ebay.calls("*/bulk_create_ads_by_listing_id") == 3, (
        "ten at once, and the ten whose answer was lost not again"
    )
    assert not ebay.sandbox.ads.repeated
