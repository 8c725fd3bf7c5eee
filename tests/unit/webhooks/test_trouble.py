"""What goes wrong on our own side loses no event, and sends none twice without need."""

import json
from collections.abc import Callable

import pytest

from sluice.platform import aws
from sluice.platform.clock import MINUTE
from sluice.webhooks import deliveries
from tests.support.store import Answer, Request, Store
from tests.unit.webhooks.conftest import (
    Post,
    delivery,
    ended,
    endpoint,
    states,
)


def crash(operation: str, after: bool) -> Callable[[Request, Callable[[], Answer]], Answer]:
    """Die at the first `operation`, before or after it is done."""
    left = [True]

    def around(request: Request, send: Callable[[], Answer]) -> Answer:
        if request.operation == operation and left and left.pop():
            if after:
                send()
            raise RuntimeError("killed")
        return send()

    return around


@pytest.mark.parametrize("after", [False, True])
def test_a_sender_that_dies_while_it_fans_out_does_it_again(post: Post, tables: Store, after: bool) -> None:
    endpoint()
    event = json.dumps(ended())
    tables.around = crash("PutItem", after)
    assert post.handle(event) == ["0"]
    assert post.handle(event) == []
    post.run()
    assert (states(), len(post.receivers.sent)) == (["delivered"], 1)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("answer", [204, 500])
def test_a_sender_that_dies_when_it_claims_is_followed_by_another(
    post: Post, tables: Store, after: bool, answer: int
) -> None:
    endpoint()
    post.receivers.answers = [answer]
    post.publish(ended())
    post.step()
    [(_, message)] = post.queue
    tables.around = crash("UpdateItem", after)
    assert post.handle(message) == ["0"]
    post.queue[0] = (post.clock.time + 3 * MINUTE, message)  # SQS shows it again
    post.run()
    assert (states(), len(post.receivers.sent)) == (["delivered"], 1 if answer == 204 else 2)


def test_a_sender_that_dies_after_it_has_written_a_failure_leaves_nothing_undone(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint()
    post.receivers.answers = [500]
    post.publish(ended())
    post.step()
    [(_, message)] = post.queue
    post.queue.clear()
    with monkeypatch.context() as patch:
        patch.setattr(aws, "send_message", lambda *_, **__: 1 / 0)
        assert post.handle(message) == ["0"]
    post.queue.append((post.clock.time + 3 * MINUTE, message))
    post.run()
    assert (states(), len(post.receivers.sent), delivery().attempts) == (["delivered"], 2, 1)


def test_a_key_that_does_not_answer_is_our_fault_and_uses_up_no_attempt(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint()
    post.publish(ended())
    post.step()
    [(_, message)] = post.queue
    with monkeypatch.context() as patch:
        patch.setattr(aws, "decrypt", lambda *_: 1 / 0)
        assert post.handle(message) == ["0"]
    post.clock.time += 3 * MINUTE
    post.run()
    assert (delivery().state, delivery().attempts, len(delivery().tries)) == ("delivered", 0, 1)


@pytest.mark.parametrize(
    "body",
    [
        "not json",
        "[]",
        "{}",
        '{"tenant": "acme"}',
        '{"tenant": "acme", "at": "soon"}',
        '{"deleted": "main"}',
        '{"detail-type": "job.dead"}',
        '{"detail-type": "job.dead", "source": "elsewhere", "detail": {}}',
        '{"detail-type": 7, "source": "sluice", "detail": {}}',
        '{"detail-type": "account.broken", "source": "sluice", "detail": {"tenant": "acme", "at": "soon"}}',
    ],
)
def test_a_message_that_nobody_can_read_is_set_aside_with_the_reason(post: Post, body: str) -> None:
    endpoint()
    post.publish(ended())
    good = post.queue.pop()[1]
    assert post.handle(body, good) == []
    [(buried, reason)] = post.buried
    assert buried == body
    assert reason
    assert states() == ["pending"]


def test_a_delivery_that_is_gone_is_no_fault(post: Post) -> None:
    endpoint()
    post.publish(ended())
    post.step()
    delivery().delete()
    post.run()
    assert post.receivers.sent == []
    assert deliveries.next_due("acme/main") is None
