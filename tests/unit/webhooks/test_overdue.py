"""A turn whose message is lost: found, and its deliveries sent, without a new event."""

import json
from typing import Any

import pytest

from sluice.platform import observe
from sluice.platform.clock import DAY, HOUR, MINUTE
from sluice.webhooks import endpoints, overdue, turns
from sluice.webhooks.messages import Turn
from sluice.webhooks.standing import EndpointStanding
from tests.unit.webhooks.conftest import Post, ended, endpoint, states


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float]]:
    """What is counted for the alarm."""
    found: list[tuple[str, float]] = []

    def add(name: str, unit: Any, value: float) -> None:
        found.append((name, value))

    monkeypatch.setattr(observe.metrics, "add_metric", add)
    return found


def lose(post: Post, *tenants: str) -> None:
    """An event has come for each tenant, and the message of its turn is lost."""
    for tenant in tenants:
        endpoint(tenant)
        assert post.handle(json.dumps(ended("succeeded", tenant))) == []
    post.queue.clear()


def test_a_tenant_whose_turn_has_lost_its_message_is_woken(post: Post, counted: list[tuple[str, float]]) -> None:
    lose(post, "acme", "zeta")
    post.clock.time += overdue.LATE_MS
    assert overdue.wake(post.clock.time) == 2
    assert counted[-1] == ("DeliveriesOverdue", 2)
    post.run()
    assert [states("acme/main"), states("zeta/main")] == [["delivered"], ["delivered"]]
    post.clock.time += DAY
    assert overdue.wake(post.clock.time) == 0
    assert counted[-1] == ("DeliveriesOverdue", 0)
    assert post.queue == []


def test_what_waits_for_its_own_time_is_not_overdue(post: Post) -> None:
    """A delivery that failed waits for its next attempt, and its turn's message lies in the queue."""
    endpoint()
    post.receivers.answers = [500, 500, 500]
    post.publish(ended())
    while post.queue and post.clock.time - post.queue[0][0] < HOUR:
        assert overdue.wake(post.clock.time) == 0
        post.step()
        if len(post.receivers.sent) == 4:
            break
    assert states() == ["delivered"]


def test_nothing_is_overdue_just_after_it_is_due(post: Post) -> None:
    lose(post, "acme")
    post.clock.time += overdue.LATE_MS - 1
    assert overdue.wake(post.clock.time) == 0
    assert post.queue == []


def test_a_tenant_whose_turn_is_taken_is_left_to_its_sender(post: Post) -> None:
    lose(post, "acme")
    post.clock.time += overdue.LATE_MS
    turns.wake("acme", post.clock.time, post.clock.time)
    assert turns.take(Turn("acme", post.clock.time), post.clock.time)
    assert overdue.wake(post.clock.time) == 0
    post.clock.time += turns.TURN_MS
    assert overdue.wake(post.clock.time) == 1, "its sender is gone"


def test_an_endpoint_that_rests_holds_its_own(post: Post) -> None:
    lose(post, "acme")
    now = post.clock.time
    rests = endpoints.find("acme", "main")
    assert rests
    endpoints.keep(rests, EndpointStanding(1, now, now, 1, now + HOUR), None, now)
    assert overdue.wake(now + HOUR) == 0
    assert overdue.wake(now + HOUR + overdue.LATE_MS) == 1


def test_what_is_on_its_way_to_one_that_is_switched_off_is_dropped(post: Post) -> None:
    """Also where it rested when it was switched off."""
    lose(post, "acme")
    now = post.clock.time
    off = endpoints.find("acme", "main")
    assert off
    endpoints.keep(off, EndpointStanding(1, now, now, 1, now + HOUR), "it is gone", now)
    post.clock.time += overdue.LATE_MS
    assert overdue.wake(post.clock.time) == 1
    post.run()
    assert (states(), post.receivers.sent) == (["dropped"], [])
    post.clock.time += DAY
    assert overdue.wake(post.clock.time) == 0


def test_waking_twice_announces_one_turn(post: Post) -> None:
    lose(post, "acme")
    post.clock.time += overdue.LATE_MS
    for _ in range(3):
        overdue.wake(post.clock.time)
    assert len(post.queue) == 1
    post.clock.time += 5 * MINUTE
    assert overdue.wake(post.clock.time) == 1, "that message is lost too, as far as anybody knows"
    post.run()
    assert states() == ["delivered"]
    assert len(post.receivers.sent) == 1
