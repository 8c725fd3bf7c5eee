"""Endpoints that change, and those at which nothing arrives."""

import json
import re
from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from local.cloud.cloud import ROOT
from sluice.feed import bus_events
from sluice.platform import aws
from sluice.platform.clock import HOUR, MINUTE
from sluice.webhooks import deliveries, endpoints, messages, overdue, sender, turns
from sluice.webhooks.deliveries import Delivery
from sluice.webhooks.endpoints import Endpoint, WantedEndpoint
from sluice.webhooks.messages import Deleted
from sluice.webhooks.standing import EndpointStanding
from tests.unit.webhooks.conftest import (
    NOON,
    URL,
    Post,
    delivery,
    ended,
    endpoint,
    state_of,
    states,
)


def test_what_is_on_its_way_is_dropped_when_the_endpoint_is_disabled(post: Post) -> None:
    found, _ = endpoint()
    post.receivers.answers = [500]
    post.publish(ended())
    post.step()
    post.step()
    endpoints.change(found, WantedEndpoint(URL, ["job.dead"], enabled=False), NOON)
    post.run()
    assert (states(), len(post.receivers.sent)) == (["dropped"], 1)
    assert deliveries.next_due("acme/main") is None


def test_what_was_on_its_way_to_a_deleted_endpoint_never_reaches_another_of_its_name(post: Post) -> None:
    found, _ = endpoint()
    post.receivers.answers = [500]
    post.publish(ended())
    post.step()
    post.step()
    endpoints.delete(found)
    post.run()
    post.clock.time += MINUTE
    endpoints.create("acme", "main", WantedEndpoint(f"{URL}/new", ["job.dead"], enabled=True), post.clock.time)
    post.publish(ended("dead", id="later"))
    post.run()
    assert [sent.url for sent in post.receivers.sent] == [URL, f"{URL}/new"]
    assert states() == ["dropped", "delivered"]


def delete(post: Post, found: Endpoint) -> None:
    """As the API does it."""
    messages.tell_deleted(Deleted(found.tenant, post.clock.time, found.webhook_id), post.clock.time)
    endpoints.delete(found)


def test_all_that_is_on_its_way_to_a_deleted_endpoint_is_dropped(post: Post) -> None:
    found, _ = endpoint()
    other, _ = endpoint(webhook_id="other")
    for number in range(2 * sender.MOST_DROPPED):
        for one in (found, other):
            deliveries.create(one.key, NOON, f"e{number}", "job.dead", "{}", NOON)
    delete(post, found)
    post.step()
    assert set(states()) == {"dropped"}
    assert set(states("acme/other")) == {"pending"}
    assert deliveries.next_due(found.key) is None


def test_what_is_dropped_takes_turns_with_others_work(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = endpoint()
    for number in range(sender.MOST_DROPPED + 1):
        deliveries.create(found.key, NOON, f"e{number}", "job.dead", "{}", NOON)
    delete(post, found)
    monkeypatch.setattr(sender, "PART_MS", 0)
    post.step()
    assert states().count("pending") == 1
    post.step()
    assert states().count("pending") == 0


def test_what_is_sent_on_its_way_while_the_endpoint_is_deleted_is_dropped(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, _ = endpoint()
    create = deliveries.create

    def late(*args: Any) -> str:
        """The endpoint is deleted, and cleared, between the look at it and the write of the delivery."""
        delete(post, found)
        post.step()
        return create(*args)

    monkeypatch.setattr(deliveries, "create", late)
    post.publish(ended())
    post.run()
    assert (states(), post.receivers.sent) == (["dropped"], [])


def test_an_attempt_that_ends_after_the_endpoint_was_deleted_is_the_last(post: Post) -> None:
    found, _ = endpoint()
    post.receivers.answers = [500]
    post.receivers.meanwhile = [lambda: endpoints.delete(found)]
    messages.tell_deleted(Deleted("acme", NOON, "main"), NOON)
    post.publish(ended())
    post.run()
    assert (states(), len(post.receivers.sent)) == (["dropped"], 1)
    assert post.clock.time <= NOON + 2 * MINUTE


def test_one_of_its_name_that_is_made_while_much_is_dropped_keeps_what_is_its_own(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, _ = endpoint()
    for number in range(2 * sender.MOST_DROPPED):
        deliveries.create(found.key, NOON - HOUR, f"e{number:02}", "job.dead", "{}", NOON - HOUR)
    delete(post, found)
    drop, dropped = deliveries.drop, list[str]()

    def made_meanwhile(pending: Delivery, now: int) -> Delivery | None:
        if not dropped:
            endpoints.create("acme", "main", WantedEndpoint(URL, ["job.dead"], enabled=True), NOON)
            sender.fan_out(bus_events.event(ended("dead")), NOON)
        dropped.append(pending.delivery)
        return drop(pending, now)

    monkeypatch.setattr(deliveries, "drop", made_meanwhile)
    post.run()
    assert Counter(states()) == {"dropped": 2 * sender.MOST_DROPPED, "delivered": 1}


def test_one_of_its_name_that_was_made_meanwhile_keeps_what_is_its_own(post: Post) -> None:
    found, _ = endpoint()
    deliveries.create(found.key, NOON, "old", "job.dead", "{}", NOON)
    delete(post, found)
    later = NOON + MINUTE // 2
    endpoints.create("acme", "main", WantedEndpoint(URL, ["job.dead"], enabled=True), later)
    deliveries.create(found.key, later, "new", "job.dead", "{}", later)
    post.run()
    assert (states(), len(post.receivers.sent)) == (["dropped", "delivered"], 1)


@pytest.mark.parametrize("was", ["delivered", "dropped"])
def test_what_was_for_a_deleted_endpoint_is_resent_to_the_one_of_its_name(post: Post, was: str) -> None:
    found, _ = endpoint()
    post.receivers.answers = [204 if was == "delivered" else 500]
    post.publish(ended())
    post.step()
    post.step()
    delete(post, found)
    post.run()
    assert states() == [was]
    post.clock.time += HOUR
    endpoints.create("acme", "main", WantedEndpoint(f"{URL}/new", ["job.dead"], enabled=True), post.clock.time)
    assert deliveries.resend(delivery(), post.clock.time)
    turns.wake("acme", post.clock.time, post.clock.time)
    post.receivers.answers = [500]
    post.run()
    assert [sent.url for sent in post.receivers.sent] == [URL, f"{URL}/new", f"{URL}/new"]
    assert states() == ["delivered"]


def test_what_was_resent_to_an_endpoint_that_is_deleted_then_is_dropped(post: Post) -> None:
    found, _ = endpoint()
    post.receivers.answers = [204, 500]
    post.publish(ended())
    post.run()
    post.clock.time += HOUR
    assert deliveries.resend(delivery(), post.clock.time)
    turns.wake("acme", post.clock.time, post.clock.time)
    post.step()
    endpoints.delete(found)  # and whoever is to clear it has not come yet
    post.clock.time += HOUR
    endpoints.create("acme", "main", WantedEndpoint(f"{URL}/new", ["job.dead"], enabled=True), post.clock.time)
    post.run()
    assert (states(), {sent.url for sent in post.receivers.sent}) == (["dropped"], {URL})


def test_an_endpoint_that_is_switched_on_while_what_was_on_its_way_is_dropped_keeps_what_comes_then(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sender knows the endpoint as switched off; an event comes for it before that sender reads the line."""
    found, _ = endpoint(enabled=False)
    waiting, once = deliveries.waiting, [True]

    def late(*args: Any) -> deliveries.DueDeliveries:
        if once:
            once.clear()
            endpoints.change(found, WantedEndpoint(URL, ["job.succeeded"], enabled=True), NOON)
            sender.fan_out(bus_events.event(ended()), NOON)
        return waiting(*args)

    monkeypatch.setattr(deliveries, "waiting", late)
    turns.wake("acme", NOON, NOON)
    post.run()
    assert (states(), once) == (["delivered"], [])


def test_a_turn_looks_at_endpoints_again_only_where_something_is_to_be_dropped(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("main", "watch", "more"):
        endpoint("acme", name, enabled=False)
    read, asked = endpoints.of, list[str]()

    def of(tenant: str) -> list[Endpoint]:
        asked.append(tenant)
        return read(tenant)

    monkeypatch.setattr(endpoints, "of", of)
    turns.wake("acme", NOON, NOON)
    post.run()
    assert asked == ["acme"]


def test_what_was_sent_on_its_way_while_the_endpoint_was_switched_off_is_dropped(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sender knows the endpoint as switched on, and dies when it has sent the event on its way: nobody is told."""
    found, _ = endpoint()
    create = deliveries.create

    def late(*args: Any) -> str:
        endpoints.change(found, WantedEndpoint(URL, ["job.succeeded"], enabled=False), NOON)
        create(*args)
        raise EndpointConnectionError(endpoint_url="the sender dies")

    monkeypatch.setattr(deliveries, "create", late)
    assert post.handle(json.dumps(ended())) == ["0"]
    monkeypatch.setattr(deliveries, "create", create)
    assert post.handle(json.dumps(ended())) == []  # as the queue delivers it again: nobody wants it now
    assert (states(), post.queue) == (["pending"], [])
    post.clock.time += overdue.LATE_MS
    assert overdue.wake(post.clock.time) == 1
    post.run()
    endpoints.change(found, WantedEndpoint(URL, ["job.succeeded"], enabled=True), post.clock.time)
    turns.wake("acme", post.clock.time, post.clock.time)
    post.run()
    assert (states(), post.receivers.sent) == (["dropped"], [])


def test_an_attempt_goes_where_the_endpoint_is_now(post: Post) -> None:
    found, _ = endpoint()
    post.receivers.answers = [500]
    post.publish(ended())
    post.step()
    post.step()
    endpoints.change(found, WantedEndpoint(f"{URL}/new", ["job.succeeded"], enabled=True), NOON)
    post.run()
    assert [sent.url for sent in post.receivers.sent] == [URL, f"{URL}/new"]


def test_after_a_day_of_failures_the_endpoint_is_switched_off_and_an_event_says_so(post: Post) -> None:
    endpoint()
    endpoint("acme", "watch", "webhook.disabled", url=f"{URL}/watch")
    post.receivers.answers = [500] * 20
    for hour in range(25):
        assert post.events == []
        post.clock.time = NOON + hour * HOUR
        post.publish(ended(id=f"event{hour}"))
        while post.queue and post.queue[0][0] <= post.clock.time:
            post.step()
        post.receivers.answers = [500] * 20
    post.receivers.answers = []
    assert state_of()[0] == "DISABLED"
    [(kind, detail)] = post.events
    assert (kind, detail["tenant"], detail["webhookId"]) == ("webhook.disabled", "acme", "main")
    assert Endpoint.get("acme", "main").reason == detail["reason"]
    assert URL not in json.dumps(detail)
    document = (ROOT / "docs" / "events.md").read_text(encoding="utf-8").partition("## `webhook.disabled`")[2]
    document = document.partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", document, re.MULTILINE) == list(detail)
    post.publish({"id": "e9", "source": "sluice", "detail-type": kind, "detail": detail})
    post.run()
    last = post.receivers.sent[-1]
    assert last.url == f"{URL}/watch"
    assert last.json["data"] == {"webhookId": "main", "reason": detail["reason"]}
    assert set(states()) == {"failed", "dropped"} or set(states()) == {"dropped"}


def test_one_that_arrives_clears_the_record(post: Post) -> None:
    endpoint()
    post.receivers.answers = [500] * 7
    post.publish(ended(id="bad"))
    post.run()
    assert state_of() == ("ACTIVE", 1)
    post.publish(ended(id="good"))
    post.run()
    assert state_of() == ("ACTIVE", 0)
    assert Endpoint.get("acme", "main").standing == EndpointStanding()


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
    new = WantedEndpoint(f"{URL}/new", ["job.dead"], enabled=True)
    post.receivers.meanwhile = [lambda: endpoints.change(found, new, NOON)]
    post.publish(ended())
    post.run()
    assert (state_of(), post.events) == (("ACTIVE", 0), [])


def test_events_go_to_the_whole_url_and_no_record_has_its_key(post: Post) -> None:
    endpoint(url=f"{URL}?key=of-acme")
    post.receivers.answers = [500]
    post.publish(ended())
    post.run()
    assert {sent.url for sent in post.receivers.sent} == {f"{URL}?key=of-acme"}
    [delivered] = Delivery.query("acme/main")
    assert "of-acme" not in json.dumps([delivered.tries, delivered.body]) + str(Endpoint.get("acme", "main").url)


def test_an_endpoint_of_before_urls_were_encrypted_goes_on(post: Post) -> None:
    endpoint()
    plain = Endpoint.get("acme", "main")
    plain.url, plain.sealed_url = f"{URL}?key=of-acme", None
    plain.save()
    post.receivers.answers = [410]
    post.publish(ended())
    post.run()
    assert ([sent.url for sent in post.receivers.sent], state_of()[0]) == ([f"{URL}?key=of-acme"], "DISABLED")


def test_a_bus_that_fails_leaves_the_endpoint_disabled(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint()
    monkeypatch.setattr(aws, "put_event", lambda *_: 1 / 0)
    post.receivers.answers = [410]
    post.publish(ended())
    post.run()
    assert state_of()[0] == "DISABLED"


def test_a_warm_sender_asks_kms_once_for_each_secret_until_it_is_changed(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, _ = endpoint()
    opened, decrypt = Counter[bytes](), aws.decrypt

    def counted(secret: bytes, context: dict[str, str]) -> str:
        opened[secret] += 1
        return decrypt(secret, context)

    monkeypatch.setattr(aws, "decrypt", counted)
    for number in range(3):
        post.publish(ended(id=f"e{number}"))
        post.run()
    assert sorted(opened.values()) == [1, 1]  # the URL and the secret
    endpoints.renew_secret(found, post.clock.time)
    post.publish(ended(id="e3"))
    post.run()
    assert sorted(opened.values()) == [1, 1, 1]
