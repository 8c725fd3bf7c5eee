"""Promotions that name no campaign, at a seller whose running campaigns do not take them."""

from collections.abc import Iterator
from typing import Any

import pytest

from sluice.jobs.model.job import Job
from tests.support.ad_sandbox import SandboxSeller, open_sandbox_seller
from tests.support.ads import LISTING, NOON, TENANT
from tests.support.store import Store

OTHER = "110551234568"


@pytest.fixture
def ebay(tables: Store) -> Iterator[SandboxSeller]:
    """`acme`, with a published listing and no campaign."""
    with open_sandbox_seller() as seller:
        seller.publish(LISTING, known_after_s=0)
        yield seller


def add(ebay: SandboxSeller, name: str, **more: Any) -> str:
    return ebay.sandbox.ads.add_campaign(TENANT, name, NOON, **more).campaign_id


def placed(ebay: SandboxSeller) -> dict[str, str]:
    """The campaign of each listing's ad."""
    return {ad.listing_id: ad.campaign_id for ad in ebay.sandbox.ads.ads(TENANT)}


def only() -> Job:
    [job] = Job.scan()
    return job


UNFIT: dict[str, dict[str, Any]] = {
    "of another site": {"site": "EBAY_GB"},
    "with rates that eBay sets": {"rate_strategy": "DYNAMIC"},
    "paid by click": {"funding_model": "COST_PER_CLICK"},
    "filled by rules": {"by_rules": True},
    "full": {"most_ads": 0},
}


@pytest.mark.parametrize("unfit", UNFIT.values(), ids=UNFIT)
def test_the_first_campaign_that_fits_is_taken(ebay: SandboxSeller, unfit: dict[str, Any]) -> None:
    add(ebay, "Oldest", **unfit)
    fits = add(ebay, "Younger")
    add(ebay, "Youngest")
    ebay.ask()
    ebay.minutes(2)
    assert (only().state, only().attempts, placed(ebay)) == ("succeeded", 1, {LISTING: fits})


@pytest.mark.parametrize("unfit", UNFIT.values(), ids=UNFIT)
def test_else_one_is_made(ebay: SandboxSeller, unfit: dict[str, Any]) -> None:
    add(ebay, "Only", **unfit)
    ebay.ask()
    ebay.minutes(2)
    [_, made] = ebay.sandbox.ads.campaigns(TENANT)
    assert (made.name, only().state, placed(ebay)) == ("Sluice", "succeeded", {LISTING: made.campaign_id})


def test_a_campaign_of_ours_that_is_full_gives_its_place_to_one_of_the_day(ebay: SandboxSeller) -> None:
    add(ebay, "Sluice", most_ads=0)
    ebay.ask()
    ebay.minutes(2)
    [_, made] = ebay.sandbox.ads.campaigns(TENANT)
    assert (made.name, placed(ebay)) == ("Sluice 2026-11-22", {LISTING: made.campaign_id})


def test_each_of_a_batch_finds_its_own(ebay: SandboxSeller) -> None:
    """The campaign has room for one of them, and one is on another site."""
    ebay.sandbox.ads.publish(TENANT, OTHER, NOON, 0, "EBAY_GB")
    british, small = add(ebay, "Britain", site="EBAY_GB"), add(ebay, "Small", most_ads=1)
    ebay.publish("110551234569", known_after_s=0)
    ebay.ask(LISTING, "110551234569", OTHER)
    ebay.minutes(2)
    assert {job.state for job in Job.scan()} == {"succeeded"}
    made = {one.name: one.campaign_id for one in ebay.sandbox.ads.campaigns(TENANT)}
    assert placed(ebay) == {LISTING: small, "110551234569": made["Sluice"], OTHER: british}


def test_an_ad_in_a_campaign_that_has_ended_does_not_block_a_new_one(ebay: SandboxSeller) -> None:
    first = add(ebay, "First")
    ebay.ask()
    ebay.minutes(2)
    ebay.sandbox.ads.set_status(first, "ENDED")
    second = add(ebay, "Second")
    ebay.ask()
    ebay.minutes(2)
    assert only().state == "succeeded"
    assert placed(ebay)[LISTING] == second


def test_a_listing_of_a_site_without_a_campaign_fails_and_says_so(ebay: SandboxSeller) -> None:
    ebay.sandbox.ads.publish(TENANT, OTHER, NOON, 0, "EBAY_GB")
    add(ebay, "America")
    ebay.ask(OTHER)
    ebay.minutes(2)
    assert (only().state, only().error["code"]) == ("dead", "35054")
    assert "another eBay site" in only().error["message"]


def test_a_campaign_that_is_named_is_the_only_one_that_is_tried(ebay: SandboxSeller) -> None:
    full = add(ebay, "Full", most_ads=0)
    add(ebay, "Room")
    ebay.ask(campaign_id=full)
    ebay.minutes(2)
    assert (only().state, only().error["code"], placed(ebay)) == ("dead", "35103", {})
