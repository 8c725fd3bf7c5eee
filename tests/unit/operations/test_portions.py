"""A run of the poller that finds more than it may check starts further runs for the rest, which start none."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from sluice.listings.stockx import poll_run, request
from sluice.listings.stockx.request import ListingDraft
from sluice.platform import aws
from sluice.platform.clock import SECOND
from sluice.platform.context import Context
from sluice.platform.settings import settings
from tests.support.desk import USD_150, Desk


def run(desk: Desk, event: Mapping[str, Any], most: int) -> int:
    """How many operations a run with this event has checked."""
    config = replace(desk.config, engine=replace(desk.config.engine, poll_batch=most))
    answer = poll_run.answer(event, Context(desk.clock, config), desk.clock.time + 90 * SECOND)
    assert answer["success"]
    return answer["stats"]["processed"]


def under_way(desk: Desk, *tenants: str) -> None:
    """Two creates of each were submitted a while ago."""
    for tenant in tenants:
        desk.connect(tenant)
        for amount in ("150", "151"):
            draft = ListingDraft(desk.variants[0], replace(USD_150, amount=amount))
            request.create(draft, desk.asker(tenant))
    while desk.tick():
        pass
    desk.later(30)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Events of runs that were started."""
    events: list[dict[str, Any]] = []
    monkeypatch.setenv("POLL_QUEUE_URL", "poll")
    settings.cache_clear()
    monkeypatch.setattr(
        aws, "send_message", lambda queue, body: events.append({"Records": [{"body": body}], "to": queue})
    )
    return events


def test_each_portion_is_checked_by_the_run_that_it_is_handed_to(desk: Desk, started: list[dict[str, Any]]) -> None:
    under_way(desk, "acme", "globex", "initech")
    assert run(desk, {"source": "aws.events"}, most=2) == 2, "its own portion, and no more"
    handed = list(started)
    assert len(handed) == 2
    assert [run(desk, event, most=2) for event in handed] == [2, 2], "the two of its budget"
    assert started == handed, "they hand on nothing"


def test_a_run_that_can_do_all_hands_on_nothing(desk: Desk, started: list[dict[str, Any]]) -> None:
    under_way(desk, "acme", "globex")
    assert run(desk, {}, most=4) == 4
    assert not started


def test_what_cannot_be_handed_on_is_left_to_the_next_run(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLL_QUEUE_URL", "poll")
    settings.cache_clear()

    def broken(*_: object) -> None:
        raise EndpointConnectionError(endpoint_url="nowhere")

    under_way(desk, "acme", "globex")
    monkeypatch.setattr(aws, "send_message", broken)
    assert [run(desk, {}, most=2), run(desk, {}, most=2)] == [2, 2]
