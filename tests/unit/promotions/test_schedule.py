"""When promotions are tried: exact to the second."""

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest

from sluice.jobs.model.dead_letters import DeadLetter
from sluice.jobs.model.job import Job
from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.accounts.table import USER_TOKEN, Status
from sluice.marketplaces.http.errors import Rejected
from sluice.platform.clock import DAY, MINUTE, SECOND
from tests.support.ads import LISTING, NOON, Seller, refuse

DRAFTS = [str(110_551_000_000 + number) for number in range(25)]


def test_a_listing_that_never_appears_is_tried_five_times_at_set_times_and_dies(
    seller: Seller, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    seller.market.known_at[LISTING] = NOON + 1000 * MINUTE
    seller.ask()
    seller.minutes(40)
    assert seller.tries() == [60, 60 + 120, 60 + 360, 60 + 840, 60 + 1440]
    job = seller.job()
    assert (job.state, job.attempts, job.error["code"]) == ("dead", 5, "35048")
    [letter] = DeadLetter.query("acme")
    assert [entry["event"] for entry in letter.history] == ["retry"] * 4 + ["bury"]
    assert [(entry["at"] - NOON) // SECOND for entry in letter.history] == seller.tries()
    assert "failed after 5 attempts" in caplog.messages
    assert seller.market.made == []


@pytest.mark.parametrize(("lag", "at", "attempts"), [(0, 60, 1), (1, 60, 1), (2, 180, 2), (7, 420, 3), (10, 900, 4)])
def test_an_ad_is_placed_at_the_first_try_after_the_listing_is_known(
    seller: Seller, lag: int, at: int, attempts: int
) -> None:
    seller.market.known_at[LISTING] = NOON + lag * MINUTE
    seller.ask()
    seller.minutes(30)
    assert seller.tries()[-1] == at
    assert (seller.job().state, seller.job().attempts) == ("succeeded", attempts)
    assert seller.market.rates() == {LISTING: "5.0"}


def test_25_drafts_are_spread_over_two_minutes_and_all_promoted_within_the_window(seller: Seller) -> None:
    """Each is known at its own time, 1 to 10 minutes after the request."""
    for number, listing in enumerate(DRAFTS):
        seller.market.known_at[listing] = NOON + MINUTE * (1 + number * 7 % 10)
    seller.ask(*DRAFTS)
    due = sorted(job.due_at - NOON for job in Job.scan())
    assert due == [MINUTE + number * 5 * SECOND for number in range(25)]
    assert due[-1] - due[0] >= 2 * MINUTE
    seller.minutes(28)
    assert {job.state for job in Job.scan()} == {"succeeded"}
    assert sorted(listing for _, listing in seller.market.made) == DRAFTS
    starts = sorted(at for _, at in seller.market.calls)
    assert min(later - earlier for earlier, later in pairwise(starts)) >= 250


def test_the_times_are_those_of_the_configuration(seller: Seller) -> None:
    seller.config = replace(
        seller.config, engine=replace(seller.config.engine, timetables={"promotion.create": (10 * SECOND, 20 * SECOND)})
    )
    seller.market.known_at[LISTING] = NOON + 1000 * MINUTE
    seller.ask()
    seller.minutes(3)
    assert seller.tries()[0] == 10
    assert (seller.job().state, seller.job().attempts) == ("dead", 2)


def test_the_run_says_what_it_did(seller: Seller) -> None:
    seller.market.known_at["110000000002"] = NOON + 5 * MINUTE
    seller.ask("110000000001", "110000000002", "110000000003", rate=Decimal("2.0"))
    seller.market.trouble["create_ads"] = [refuse(Rejected("the listing is not eligible", code="35059"))]
    seller.later(60)
    answer = seller.work()
    stats = {"processed": 3, "succeeded": 1, "retried": 1, "failed": 1, "postponed": 0}
    assert (answer["success"], answer["message"], answer["stats"]) == (True, "tried 3 promotions", stats)
    assert answer["durationMs"] // SECOND == 10, "the third is due ten seconds after the first"
    assert seller.work()["stats"]["processed"] == 0


def test_an_ad_whose_account_has_not_worked_for_a_week_ends_with_that_reason_though_nothing_else_waits_for_it(
    seller: Seller,
) -> None:
    """The scheduler does not serve ads, so nothing that it hands out tells it that their account does not work."""
    seller.ask()
    assert accounts.mark("ebay:acme", Status.EXPIRED, "no such token", seller.clock.time, 1, USER_TOKEN)
    seller.rescue()
    seller.later(7 * DAY / SECOND - 60)
    seller.rescue()
    assert seller.job().state == "queued"
    seller.later(120)
    seller.rescue()
    job = seller.job()
    assert (job.state, job.error["code"]) == ("dead", "account_not_working")
    assert [letter.job_id for letter in DeadLetter.query("acme")] == [job.job_id]
