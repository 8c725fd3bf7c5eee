"""Endpoints that change, and those at which nothing arrives."""

import json
import re

import pytest

from local.cloud.cloud import ROOT
from sluice.platform import aws
from sluice.webhooks import endpoints
from sluice.webhooks.endpoints import MOST_FAILURES, Endpoint, Wanted
from tests.unit.webhooks.conftest import (
    NOON,
    URL,
    Post,
    ended,
    endpoint,
    state_of,
    states,
)


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
