"""A second word on a promotion: another rate, or that it is not wanted any more."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from sluice.jobs.model import requests
from sluice.jobs.model.dead_letters import DeadLetter
from sluice.jobs.model.job import Job
from sluice.jobs.queue import replay
from sluice.jobs.queue.cancel import Cancelled, cancel
from sluice.jobs.queue.enqueue import Enqueued, Result
from sluice.marketplaces.advertising import Campaign
from sluice.marketplaces.http.errors import NotReady, Rejected
from sluice.platform.clock import MINUTE
from sluice.promotions import listing
from sluice.promotions.request import CannotPromote, promote_published
from tests.support.ads import LISTING, NOON, TENANT, Seller, lost, refuse
from tests.support.store import Answer, Request, Send, Store

SIX = Decimal("6.0")
NOT_KNOWN = NotReady("the listing is not known", code="35048")


def test_a_second_request_changes_the_rate_of_the_one_that_waits(seller: Seller) -> None:
    [first] = seller.ask()
    seller.later(30)
    [second] = seller.ask(rate=SIX)
    assert first == second
    assert seller.job().due_at == NOON + MINUTE, "its time stays"
    seller.minutes(2)
    assert seller.market.rates() == {LISTING: "6.0"}
    assert [name for name, _ in seller.market.calls].count("create_ads") == 1


def test_a_second_request_that_names_no_campaign_leaves_the_one_that_was_named(seller: Seller) -> None:
    seller.market.campaigns["7"] = Campaign("7", "Winter", "RUNNING", cost_per_sale=True)
    seller.ask(campaign_id="7")
    seller.ask(rate=SIX)
    seller.minutes(2)
    assert {where: str(ad.rate) for where, ad in seller.market.ads.items()} == {("7", LISTING): "6.0"}


def test_two_requests_at_once_lose_no_word_of_either(seller: Seller, tables: Store) -> None:
    """One names a campaign between the look and the write of the other, which changes the rate."""
    seller.market.campaigns["7"] = Campaign("7", "Winter", "RUNNING", cost_per_sale=True)
    seller.ask()

    writes = list[Request]()

    def around(request: Request, send: Send) -> Answer:
        if request.operation == "UpdateItem" and request.parameters["Key"].keys() == {"job_id"}:
            writes.append(request)
        if len(writes) == 2:  # the first has told it what the job says
            tables.around = None
            seller.ask(campaign_id="7")
        return send()

    tables.around = around
    seller.ask(rate=SIX)
    payload = seller.job().payload
    assert (payload["campaign_id"], payload["rate"]) == ("7", "6.0")


def test_a_second_request_between_two_tries_changes_the_rate(seller: Seller) -> None:
    seller.market.known_at[LISTING] = NOON + 2 * MINUTE
    seller.ask()
    seller.minutes(2)
    assert seller.job().attempts == 1
    seller.ask(rate=SIX)
    assert seller.job().due_at == NOON + 3 * MINUTE, "the next try is not put off, and does not come at once"
    seller.minutes(2)
    assert seller.market.rates() == {LISTING: "6.0"}
    assert "set_rate" not in [name for name, _ in seller.market.calls]


def test_a_request_after_success_changes_the_running_ad(seller: Seller) -> None:
    seller.ask()
    seller.minutes(2)
    seller.ask(rate=SIX)
    seller.minutes(2)
    assert seller.market.rates() == {LISTING: "6.0"}
    assert len(seller.market.made) == 1


@pytest.mark.parametrize("failure", [None, NOT_KNOWN])
def test_a_request_while_it_runs_is_not_lost(seller: Seller, failure: NotReady | None) -> None:
    def asked_meanwhile(_: Callable[[], object]) -> object:
        seller.ask(rate=SIX)
        if failure:
            raise failure
        return None

    seller.market.trouble["create_ads"] = [asked_meanwhile]
    seller.ask()
    seller.minutes(6)
    assert seller.market.rates() == {LISTING: "6.0"}
    assert len(seller.market.made) == 1
    assert seller.job().state == "succeeded"


def test_a_request_after_a_lost_answer_changes_the_ad_that_is_there(seller: Seller) -> None:
    seller.market.trouble["create_ads"] = [lost]
    seller.ask()
    seller.minutes(2)
    seller.ask(rate=SIX)
    seller.minutes(5)
    assert seller.market.rates() == {LISTING: "6.0"}
    assert len(seller.market.made) == 1


def test_a_promotion_that_waits_is_cancelled(seller: Seller) -> None:
    [job_id] = seller.ask()
    assert cancel(job_id, TENANT, seller.clock.time, seller.config) is Cancelled.CANCELLED
    seller.minutes(30)
    assert seller.market.calls == []


def test_a_promotion_that_waits_for_another_try_is_cancelled(seller: Seller) -> None:
    seller.market.trouble["create_ads"] = [refuse(NOT_KNOWN)]
    [job_id] = seller.ask()
    seller.minutes(2)
    assert cancel(job_id, TENANT, seller.clock.time, seller.config) is Cancelled.CANCELLED
    seller.minutes(30)
    assert seller.market.made == []


def test_a_promotion_that_runs_or_may_have_been_placed_is_finished(seller: Seller) -> None:
    answers = []

    def cancelled_meanwhile(proceed: Callable[[], object]) -> object:
        answers.append(cancel(job_id, TENANT, seller.clock.time, seller.config))
        return lost(proceed)

    seller.market.trouble["create_ads"] = [cancelled_meanwhile]
    [job_id] = seller.ask()
    seller.minutes(2)
    answers.append(cancel(job_id, TENANT, seller.clock.time, seller.config))
    assert answers == [Cancelled.RUNNING, Cancelled.RUNNING]
    seller.minutes(3)
    assert seller.job().state == "succeeded"


def test_a_promotion_can_be_asked_for_again_after_it_was_cancelled(seller: Seller) -> None:
    [job_id] = seller.ask()
    cancel(job_id, TENANT, seller.clock.time, seller.config)
    seller.ask(rate=SIX)
    seller.minutes(2)
    assert seller.market.rates() == {LISTING: "6.0"}


def test_a_dead_promotion_is_replayed_from_attempt_0(seller: Seller) -> None:
    seller.market.trouble["create_ads"] = [refuse(Rejected("accept the terms", code="35067"))]
    seller.ask()
    seller.minutes(2)
    [letter] = DeadLetter.query(TENANT)
    [answer] = replay.replay([letter], "olga", seller.clock.time, seller.config)
    assert isinstance(answer, Enqueued)
    assert (answer.result, seller.job().attempts) == (Result.CREATED, 0)
    seller.minutes(2)
    assert seller.market.rates() == {LISTING: "5.0"}
    assert [entry["event"] for entry in seller.job().history] == ["bury", "replay"]


def test_a_replayed_promotion_is_listed_however_long_ago_it_was_asked_for(seller: Seller) -> None:
    seller.market.trouble["create_ads"] = [refuse(Rejected("accept the terms", code="35067"))]
    seller.ask()
    seller.minutes(2)
    for request in requests.AskRecord.scan():  # as the table forgets them after some days
        request.delete()
    assert shown(seller) == []
    replay.replay(list(DeadLetter.query(TENANT)), "olga", seller.clock.time, seller.config)
    assert [job.state for job in shown(seller)] == ["queued"]


def shown(seller: Seller) -> list[Job]:
    """The promotions of the first page."""
    return list(listing.page(TENANT, listing.Filter(), seller.clock.time, 50, None, seller.config))


def test_a_publisher_asks_for_an_ad_and_again(seller: Seller) -> None:
    asked = [promote_published(LISTING, SIX, TENANT, "publisher", seller.clock.time, seller.config) for _ in range(2)]
    assert asked[0] == asked[1]
    assert [job.due_at for job in Job.scan()] == [NOON + MINUTE]
    seller.minutes(2)
    assert seller.market.rates() == {LISTING: "6.0"}


def test_a_publisher_is_told_when_the_account_cannot_advertise(seller: Seller) -> None:
    with pytest.raises(CannotPromote, match="no ebay account is connected"):
        promote_published(LISTING, SIX, "globex", "publisher", seller.clock.time, seller.config)
