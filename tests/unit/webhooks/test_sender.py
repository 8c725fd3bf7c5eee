"""Who gets which event, and how it is signed."""

import threading
from collections.abc import Callable
from copy import deepcopy

import pytest

from sluice.capabilities import EVENTS as EVENT_TYPES
from sluice.platform import aws
from sluice.platform.clock import DAY, SECOND, iso
from sluice.webhooks import endpoints
from sluice.webhooks.endpoints import Endpoint
from tests.support.patience import SECONDS
from tests.support.store import Answer, Request, Store
from tests.unit.webhooks.conftest import (
    NOON,
    URL,
    Post,
    delivery,
    ended,
    endpoint,
    signature,
    states,
)
from tests.unit.webhooks.test_bodies import envelope


def test_an_event_arrives_signed(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    _, secret = endpoint()
    post.publish(ended())
    post.run()
    [sent] = post.receivers.sent
    assert sent.url == URL
    assert (sent.headers["webhook-id"], sent.headers["webhook-timestamp"]) == (
        "c4ca4238a0b923820dcc509a6f75849b",
        str(NOON // SECOND),
    )
    assert sent.json["type"] == "job.succeeded"
    found = delivery()
    assert (found.state, found.attempts) == ("delivered", 0)
    assert found.tries == [{"at": NOON, "status": 204, "code": None, "message": None, "ms": 0}]
    assert sent.headers["webhook-signature"] == signature(secret, sent)


def test_only_endpoints_that_want_the_event_get_it(post: Post) -> None:
    endpoint("acme", "all")
    endpoint("acme", "dead", "job.dead", url=f"{URL}/dead")
    endpoint("acme", "off", enabled=False, url=f"{URL}/off")
    endpoint("globex", "theirs", url=f"{URL}/globex")
    post.publish(ended())
    post.run()
    assert [sent.url for sent in post.receivers.sent] == [URL]


def test_each_tenant_of_a_shared_job_gets_its_own_and_hears_of_nobody_else(post: Post) -> None:
    endpoint("acme", url=f"{URL}/acme")
    endpoint("globex", url=f"{URL}/globex")
    error = {"code": "x", "message": "account stockx:acme is BROKEN", "at": NOON}
    post.publish(ended("dead", "acme", "globex", "initech", error=error, result=None))
    post.run()
    bodies = {sent.url.rpartition("/")[2]: sent.body for sent in post.receivers.sent}
    assert "stockx:acme is BROKEN" in bodies["acme"]
    assert "acme" not in bodies["globex"]
    assert not [body for body in bodies.values() if "initech" in body]


def test_a_broken_account_is_told_to_its_tenant(post: Post) -> None:
    endpoint()
    endpoint("globex")
    detail = {"version": 1, "account": "stockx:acme", "marketplace": "stockx", "tenant": "acme", "status": "BROKEN"}
    detail |= {"reason": "refused", "at": iso(NOON)}
    post.publish({"id": "e1", "source": "sluice", "detail-type": "account.broken", "detail": detail})
    post.run()
    [sent] = post.receivers.sent
    assert sent.json == {
        "type": "account.broken",
        "timestamp": iso(NOON),
        "data": {"marketplace": "stockx", "status": "BROKEN", "reason": "refused"},
    }
    assert sent.headers["webhook-id"] == "e1"


def test_what_is_told_again_at_another_time_is_sent_once(post: Post) -> None:
    """Who tells of a sale at eBay and dies tells of it again, under the same id, when it is found again."""
    endpoint("acme", "all", *EVENT_TYPES)
    for at in (NOON, NOON + DAY):
        sale = deepcopy(envelope("listing.sold"))
        sale["detail"]["at"] = iso(at)
        post.publish(sale)
        post.run()
    [sent] = post.receivers.sent
    assert sent.json["timestamp"] == iso(NOON)


def test_a_tenant_without_webhooks_costs_one_look(post: Post, tables: Store) -> None:
    asked: list[str] = []

    def around(request: Request, send: Callable[[], Answer]) -> Answer:
        asked.append(request.operation)
        return send()

    tables.around = around
    post.publish(ended())
    post.run()
    assert asked == ["Query"]


def test_during_a_change_of_secrets_both_sign_and_then_the_new_one_alone(post: Post) -> None:
    found, old = endpoint()
    _, new = endpoints.renew_secret(found, NOON)
    assert old != new
    for _, expected in ((0, {old, new}), (DAY, {new})):
        post.receivers.sent.clear()
        post.publish(ended(id=f"event{post.clock.time}"))
        post.run()
        [sent] = post.receivers.sent
        signatures = sent.headers["webhook-signature"].split(" ")
        signed = {secret for secret in (old, new) if signature(secret, sent) in signatures}
        assert (signed, len(signatures)) == (expected, len(expected))
        post.clock.time += DAY


def test_a_secret_is_stored_sealed_for_its_webhook_alone(post: Post, tables: Store) -> None:
    _, secret = endpoint()
    sealed = Endpoint.get("acme", "main").secret
    assert aws.decrypt(sealed, {"webhook": "acme/main"}) == secret
    with pytest.raises(AssertionError):
        aws.decrypt(sealed, {"webhook": "globex/main"})


def test_messages_are_handled_at_once(post: Post) -> None:
    """A receiver that waits for the other one's request gets it."""
    endpoint("acme", "a", url=f"{URL}/a")
    endpoint("acme", "b", url=f"{URL}/b")
    both = threading.Barrier(2, timeout=SECONDS)
    post.publish(ended())
    post.step()
    post.receivers.meanwhile = [both.wait, both.wait]
    messages = [message for _, message in post.queue]
    post.queue.clear()
    assert post.handle(*messages) == []
    assert states("acme/a") == states("acme/b") == ["delivered"]
