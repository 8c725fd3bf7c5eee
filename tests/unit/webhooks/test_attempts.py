"""When a delivery is tried, again and again, and sent once more."""

from typing import Any

import pytest

from sluice.platform.clock import DAY, HOUR, MINUTE, SECOND
from sluice.webhooks import deliveries, endpoints, turns
from sluice.webhooks.client import Undelivered
from sluice.webhooks.endpoints import WantedEndpoint
from tests.unit.webhooks.conftest import (
    NOON,
    TIMED_OUT,
    URL,
    Post,
    delivery,
    ended,
    endpoint,
    state_of,
    states,
)


def test_the_attempts_follow_the_schedule_to_the_second(post: Post) -> None:
    endpoint()
    post.receivers.answers = [500] * 7
    post.publish(ended())
    post.run()
    times = [sent.at - NOON for sent in post.receivers.sent]
    pauses = (5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR)
    assert times == [sum(pauses[:number]) for number in range(7)]
    found = delivery()
    assert (found.state, found.attempts) == ("failed", 7)
    assert [tried["status"] for tried in found.tries] == [500] * 7
    assert state_of() == ("ACTIVE", 1)


def test_each_attempt_has_the_same_id_and_body_and_a_signature_of_its_own_time(post: Post) -> None:
    endpoint()
    post.receivers.answers = [500]
    post.publish(ended())
    post.run()
    first, second = post.receivers.sent
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (500, "refused"),
        (302, "refused"),
        (404, "refused"),
        (199, "refused"),
        (300, "refused"),
        (TIMED_OUT, "timed_out"),
        (Undelivered("target_refused", "the host has an address that is not public"), "target_refused"),
    ],
)
def test_what_fails_is_tried_again_and_logged(post: Post, answer: Any, code: str) -> None:
    endpoint()
    post.receivers.answers = [answer]
    post.publish(ended())
    post.run()
    first, second = delivery().tries
    assert (first["code"], second["code"], delivery().state) == (code, None, "delivered")
    assert first["message"]


def test_an_event_that_comes_twice_is_one_delivery(post: Post) -> None:
    endpoint()
    post.publish(ended())
    post.publish(ended())
    post.run()
    assert (states(), len(post.receivers.sent)) == (["delivered"], 1)


def test_of_two_messages_for_one_delivery_one_sends(post: Post) -> None:
    endpoint()
    post.publish(ended())
    post.step()
    [(_, message)] = post.queue
    assert post.handle(message, message, message) == []
    assert len(post.receivers.sent) == 1
    post.run()
    assert len(post.receivers.sent) == 1


def test_a_message_that_comes_early_is_sent_on_its_way_again(post: Post) -> None:
    endpoint()
    post.receivers.answers = [500, 500, 500]
    post.publish(ended())
    for _ in range(4):
        post.step()
    [(at, message)] = post.queue
    assert delivery().due_at - post.clock.time == 30 * MINUTE
    assert at - post.clock.time == 15 * MINUTE
    post.step()
    assert len(post.receivers.sent) == 3
    assert post.queue == [(post.clock.time + 15 * MINUTE, message)]


@pytest.mark.parametrize("answers", [[], [410]])
def test_what_is_over_is_sent_again_from_the_first_attempt(post: Post, answers: list[Any]) -> None:
    found, _ = endpoint()
    post.receivers.answers = answers
    post.publish(ended())
    post.run()
    endpoints.change(found, WantedEndpoint(URL, ["job.succeeded"], enabled=True), NOON)
    post.clock.time += DAY
    again = deliveries.resend(delivery(), post.clock.time)
    assert again
    assert (again.state, again.attempts) == ("pending", 0)
    turns.wake("acme", post.clock.time, post.clock.time)
    post.run()
    first, second = post.receivers.sent
    assert (delivery().state, len(delivery().tries)) == ("delivered", 2)
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


def test_what_is_sent_again_during_an_attempt_is_not_ended_by_that_attempt(post: Post) -> None:
    endpoint()
    post.receivers.answers = [500]
    post.receivers.meanwhile = [lambda: deliveries.resend(delivery(), NOON + 1)]
    post.publish(ended())
    post.step()
    post.step()
    found = delivery()
    assert (found.state, found.attempts, found.due_at, found.tries) == ("pending", 0, NOON + 1, [])


def test_a_log_of_many_attempts_keeps_the_latest(post: Post) -> None:
    endpoint()
    post.publish(ended())
    post.run()
    found = delivery()
    found.tries = [{"at": number} for number in range(deliveries.MOST_TRIES)]
    found.save()
    again = deliveries.resend(found, NOON)
    assert again
    turns.wake("acme", NOON, NOON)
    post.run()
    assert len(delivery().tries) == deliveries.MOST_TRIES
    assert delivery().tries[-1]["status"] == 204
