"""Urgent promotions go first: of a batch, of what waits for a seat, and of what the day's calls suffice for."""

from dataclasses import replace
from typing import Any

import pytest

from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.platform.config.limits import by_clock
from sluice.platform.http import routing
from tests.support.ads import NOON, Seller
from tests.support.http import call

PROMOTIONS = "/v1/promotions"
MANY = [str(110_551_000_000 + number) for number in range(25)]
URGENT = MANY[-3:]


@pytest.fixture(autouse=True)
def _the_sellers_time(seller: Seller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routing, "clock", seller.clock)


def post(*rows: dict[str, Any]) -> Any:
    answer = call("POST", PROMOTIONS, body={"batch": list(rows)})
    assert answer.status == 202, answer.text
    return answer.json


def row(listing: str, **more: Any) -> dict[str, Any]:
    return {"listingId": listing, "adRate": 5, **more}


def due(seller: Seller, listing: str) -> int:
    return int(((seller.job(listing).due_at or 0) - NOON) / 1_000)


def test_of_a_batch_urgent_rows_begin_first_and_answers_stay_in_order(seller: Seller) -> None:
    answer = post(*(row(one, **({"priority": "manual"} if one in URGENT else {})) for one in MANY))
    assert [job_id.rpartition(":")[2] for job_id in answer["jobIds"]] == MANY
    assert [due(seller, one) for one in URGENT] == [60, 65, 70]
    assert due(seller, MANY[0]) == 75
    assert {one.priority for one in Job.scan()} == {keys.MANUAL, keys.HOT}


def test_what_waits_for_a_seat_is_begun_by_priority(seller: Seller) -> None:
    """After an outage all are due, ten at once: those that were asked for last go first, because they are urgent."""
    post(*(row(one) for one in MANY if one not in URGENT))
    seller.later(1)
    post(*(row(one, priority="manual") for one in URGENT))
    seller.later(10 * 60)
    seller.work()
    assert {listing for _, listing in seller.market.made[:10]} >= set(URGENT)
    assert {job.state for job in Job.scan()} == {"succeeded"}


def test_where_the_days_calls_do_not_suffice_the_urgent_have_them(seller: Seller) -> None:
    limits = seller.config.limits
    few = replace(limits["ebay-marketing"], windows=by_clock(day=12))
    seller.config = replace(seller.config, limits={**limits, "ebay-marketing": few})
    post(*(row(one, campaignId="1001") for one in MANY if one not in URGENT))
    post(*(row(one, campaignId="1001", priority="manual") for one in URGENT))
    seller.later(10 * 60)
    seller.work()
    placed = {listing for _, listing in seller.market.made}
    assert placed >= set(URGENT)
    assert len(placed) < len(MANY)


def test_one_that_waits_is_raised_by_asking_again(seller: Seller) -> None:
    post(row(MANY[0]))
    post(row(MANY[0], priority="manual"))
    assert seller.job(MANY[0]).priority == keys.MANUAL
    post(row(MANY[0]))
    assert seller.job(MANY[0]).priority == keys.MANUAL, "nothing that was urgent becomes less so"


@pytest.mark.parametrize("priority", ["urgent", "background", "", 1, True])
def test_another_priority_is_refused_and_nothing_is_taken(priority: object) -> None:
    answer = call("POST", PROMOTIONS, body={"batch": [row(MANY[0]), row(MANY[1], priority=priority)]})
    assert answer.status == 400
    assert list(answer.fields) == ["batch[1].priority"]
    assert list(Job.scan()) == []


def test_of_a_batch_each_row_has_its_own(seller: Seller) -> None:
    answer = call("POST", PROMOTIONS, body={"batch": [row(MANY[0])], "priority": "manual"})
    assert (answer.status, answer.fields) == (400, {"priority": "stands in the rows of the batch"})
    alone = call("POST", PROMOTIONS, body=row(MANY[0], priority="manual"))
    assert alone.status == 202
    assert seller.job(MANY[0]).priority == keys.MANUAL
