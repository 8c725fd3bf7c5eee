"""From an event on the bus to a tenant's receiver, with every pause and everything that goes wrong on the way."""

import json
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from local.cloud.cloud import ROOT
from sluice.platform import aws
from sluice.platform.clock import DAY, HOUR, MINUTE, SECOND, iso
from sluice.webhooks import deliveries, endpoints
from sluice.webhooks.client import Undelivered
from sluice.webhooks.deliveries import Delivery
from sluice.webhooks.endpoints import MOST_FAILURES, Endpoint, Wanted
from tests.support.store import Answer, Request, Store
from tests.unit.webhooks.conftest import NOON, URL, Post, Sent, delivery, ended, endpoint

TIMED_OUT = Undelivered("timed_out", "no answer within 10 seconds")


def states(webhook: str = "acme/main") -> list[str]:
    return [one.state for one in Delivery.query(webhook)]


def signature(secret: str, sent: Sent) -> str:
    """How `secret` signs what was sent."""
    at = datetime.fromtimestamp(sent.at // SECOND, UTC)
    return Webhook(secret).sign(sent.headers["webhook-id"], at, sent.body)


def state_of(tenant: str = "acme", webhook_id: str = "main") -> tuple[str, int]:
    found = Endpoint.get(tenant, webhook_id)
    return found.status, found.failures


# ── who gets what ──


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


def test_a_tenant_without_webhooks_costs_one_look(post: Post, tables: Store) -> None:
    asked: list[str] = []

    def around(request: Request, send: Callable[[], Answer]) -> Answer:
        asked.append(request.operation)
        return send()

    tables.around = around
    post.publish(ended())
    post.run()
    assert asked == ["Query"]


# ── again and again ──


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


# ── trouble of our own ──


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
        patch.setattr(aws, "send_message", lambda *_: 1 / 0)
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
        '{"webhook": "acme/main"}',
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
    assert post.handle('{"webhook": "acme/main", "delivery": "1795348800000-x"}') == []
    assert post.receivers.sent == []


# ── endpoints that change ──


@pytest.mark.parametrize("end", ["deleted", "disabled"])
def test_what_is_on_its_way_is_dropped_when_nobody_wants_it_any_more(post: Post, end: str) -> None:
    found, _ = endpoint()
    post.receivers.answers = [500]
    post.publish(ended())
    post.step()
    post.step()
    if end == "deleted":
        endpoints.delete(found)
    else:
        endpoints.change(found, Wanted(URL, ["job.dead"], enabled=False), NOON)
    post.run()
    assert (states(), len(post.receivers.sent)) == (["dropped"], 1)


def test_an_attempt_goes_where_the_endpoint_is_now(post: Post) -> None:
    found, _ = endpoint()
    post.receivers.answers = [500]
    post.publish(ended())
    post.step()
    post.step()
    endpoints.change(found, Wanted(f"{URL}/new", ["job.succeeded"], enabled=True), NOON)
    post.run()
    assert [sent.url for sent in post.receivers.sent] == [URL, f"{URL}/new"]


def fail(post: Post, number: int) -> None:
    """Let a delivery be given up."""
    post.receivers.answers = [500] * 7
    post.publish(ended(id=f"event{number}"))
    post.run()


def test_after_so_many_given_up_in_a_row_the_endpoint_is_disabled_and_an_event_says_so(post: Post) -> None:
    endpoint()
    endpoint("acme", "watch", "webhook.disabled", url=f"{URL}/watch")
    for number in range(MOST_FAILURES):
        assert post.events == []
        fail(post, number)
    status, failures = state_of()
    assert (status, failures) == ("DISABLED", MOST_FAILURES)
    [(kind, detail)] = post.events
    assert (kind, detail["tenant"], detail["webhookId"]) == ("webhook.disabled", "acme", "main")
    assert Endpoint.get("acme", "main").reason == detail["reason"]
    assert URL not in json.dumps(detail)
    document = (ROOT / "docs" / "events.md").read_text(encoding="utf-8").partition("## `webhook.disabled`")[2]
    assert re.findall(r"^\| `(\w+)` \|", document, re.MULTILINE) == list(detail)
    post.publish({"id": "e9", "source": "sluice", "detail-type": kind, "detail": detail})
    post.run()
    last = post.receivers.sent[-1]
    assert last.url == f"{URL}/watch"
    assert last.json["data"] == {"webhookId": "main", "reason": detail["reason"]}


def test_one_that_arrives_clears_the_record(post: Post) -> None:
    endpoint()
    for number in range(MOST_FAILURES - 1):
        fail(post, number)
    assert state_of() == ("ACTIVE", MOST_FAILURES - 1)
    post.publish(ended(id="good"))
    post.run()
    assert state_of() == ("ACTIVE", 0)


def test_a_receiver_that_is_gone_is_believed_at_once(post: Post) -> None:
    endpoint()
    post.receivers.answers = [410]
    post.publish(ended())
    post.run()
    assert (states(), state_of()[0], len(post.receivers.sent)) == (["failed"], "DISABLED", 1)
    [(_, detail)] = post.events
    assert "410" in detail["reason"]


def test_a_failure_at_an_address_that_was_changed_meanwhile_does_not_count(post: Post) -> None:
    found, _ = endpoint()
    post.receivers.answers = [410]
    new = Wanted(f"{URL}/new", ["job.dead"], enabled=True)
    post.receivers.meanwhile = [lambda: endpoints.change(found, new, NOON)]
    post.publish(ended())
    post.run()
    assert (state_of(), post.events) == (("ACTIVE", 0), [])


def test_a_bus_that_fails_leaves_the_endpoint_disabled(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint()
    monkeypatch.setattr(aws, "put_event", lambda *_: 1 / 0)
    post.receivers.answers = [410]
    post.publish(ended())
    post.run()
    assert state_of()[0] == "DISABLED"


# ── sending again ──


@pytest.mark.parametrize("answers", [[], [410]])
def test_what_is_over_is_sent_again_from_the_first_attempt(post: Post, answers: list[Any]) -> None:
    found, _ = endpoint()
    post.receivers.answers = answers
    post.publish(ended())
    post.run()
    endpoints.change(found, Wanted(URL, ["job.succeeded"], enabled=True), NOON)
    post.clock.time += DAY
    again = deliveries.resend(delivery(), post.clock.time)
    assert again
    assert (again.state, again.attempts) == ("pending", 0)
    post.queue.append((post.clock.time, json.dumps({"webhook": again.webhook, "delivery": again.delivery})))
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
    assert post.handle(json.dumps({"webhook": again.webhook, "delivery": again.delivery})) == []
    assert len(delivery().tries) == deliveries.MOST_TRIES
    assert delivery().tries[-1]["status"] == 204


# ── secrets ──


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
    both = threading.Barrier(2, timeout=10)
    post.publish(ended())
    post.step()
    post.receivers.meanwhile = [both.wait, both.wait]
    messages = [message for _, message in post.queue]
    post.queue.clear()
    assert post.handle(*messages) == []
    assert states("acme/a") == states("acme/b") == ["delivered"]
