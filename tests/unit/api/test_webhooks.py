"""The routes of webhooks: saying where events go, what arrived, and sending it again."""

import json
from io import StringIO
from typing import Any

import pytest

from sluice.listings.live import detail as went_live
from sluice.platform import settings
from sluice.platform.clock import DAY, SystemClock, iso
from sluice.platform.config import live
from sluice.platform.config.document import Config
from sluice.webhooks import deliveries, endpoints, messages, sender
from sluice.webhooks.deliveries import Delivery
from sluice.webhooks.endpoints import Endpoint
from sluice.webhooks.messages import Deleted
from sluice.webhooks.standing import Ended, EndpointStanding, after
from tests.support.http import Answer, call
from tests.support.letters import DIED_AT
from tests.unit.api.conftest import WEBHOOK, Cloud
from tests.unit.api.document import conforms

MAIN = "/v1/webhooks/main"
ROUTES = {
    ("PUT", 3): "PUT /v1/webhooks/{webhook_id}",
    ("GET", 2): "GET /v1/webhooks",
    ("GET", 3): "GET /v1/webhooks/{webhook_id}",
    ("DELETE", 3): "DELETE /v1/webhooks/{webhook_id}",
    ("POST", 4): "POST /v1/webhooks/{webhook_id}/secret",
    ("GET", 4): "GET /v1/webhooks/{webhook_id}/deliveries",
    ("POST", 6): "POST /v1/webhooks/{webhook_id}/deliveries/{delivery_id}/resend",
}


def ask(method: str, path: str, **request: Any) -> Answer:
    answer = call(method, path, **request)
    test = "POST /v1/webhooks/{webhook_id}/test"
    conforms(test if path.endswith("/test") else ROUTES[method, path.count("/")], answer)
    return answer


def test_a_new_webhook_shows_its_secret_once(cloud: Cloud, logged: StringIO) -> None:
    answer = ask("PUT", MAIN, body=WEBHOOK)
    assert answer.status == 200
    secret = answer.json["secret"]
    assert secret.startswith("whsec_")
    told = {name: value for name, value in answer.json.items() if name != "secret"}
    assert told["status"] == "ACTIVE"
    assert ask("GET", MAIN).json == told
    assert ask("GET", "/v1/webhooks").json == {"webhooks": [told]}
    assert "secret" not in ask("PUT", MAIN, body=WEBHOOK).json
    stored = json.dumps(cloud.content())
    assert secret not in stored + logged.getvalue()


def test_a_key_in_a_url_is_stored_encrypted_and_shown_to_nobody(cloud: Cloud, logged: StringIO) -> None:
    made = ask("PUT", MAIN, body={**WEBHOOK, "url": f"{WEBHOOK['url']}?key=of-acme"})
    changed = ask("PUT", MAIN, body={**WEBHOOK, "url": f"{WEBHOOK['url']}/of-acme-2?key=of-acme"})
    shown = [made, changed, ask("GET", MAIN), ask("GET", "/v1/webhooks"), ask("GET", MAIN, roles="user")]
    assert made.json["url"] == f"{WEBHOOK['url']}?***"
    assert "of-acme" not in "".join(answer.text for answer in shown) + json.dumps(cloud.content()) + logged.getvalue()
    back = ask("PUT", MAIN, body={**WEBHOOK, "url": changed.json["url"]})
    assert (back.status, set(back.fields)) == (400, {"url"})


def test_a_change_replaces_what_was_said_and_keeps_the_secret(cloud: Cloud) -> None:
    ask("PUT", MAIN, body=WEBHOOK)
    before = Endpoint.get("acme", "main").secret
    wanted = {"url": "https://other.example.com/", "eventTypes": ["job.succeeded", "job.dead", "job.dead"]}
    told = ask("PUT", MAIN, body={**wanted, "enabled": False}).json
    assert (told["url"], told["eventTypes"]) == (wanted["url"], ["job.dead", "job.succeeded"])
    assert (told["status"], told["reason"]) == ("DISABLED", "you have disabled it")
    assert Endpoint.get("acme", "main").secret == before


def test_putting_it_again_enables_one_that_was_disabled(cloud: Cloud) -> None:
    ask("PUT", MAIN, body=WEBHOOK)
    standing, off = after(EndpointStanding(), [Ended(arrived=False, given_up=True, gone=True)], cloud.now)
    assert endpoints.keep(Endpoint.get("acme", "main"), standing, off, cloud.now)
    broken = ask("GET", MAIN).json
    assert (broken["status"], broken["failures"]) == ("DISABLED", 1)
    assert "410" in broken["reason"]
    mended = ask("PUT", MAIN, body=WEBHOOK).json
    assert (mended["status"], mended["reason"], mended["failures"]) == ("ACTIVE", None, 0)


def test_a_deleted_webhook_is_gone(cloud: Cloud) -> None:
    ask("PUT", MAIN, body=WEBHOOK)
    assert ask("DELETE", MAIN).json == {"webhookId": "main"}
    assert ask("GET", MAIN).status == 404
    assert ask("DELETE", MAIN).status == 404


def test_what_is_on_its_way_to_a_webhook_is_cleared_when_it_is_deleted(cloud: Cloud) -> None:
    cloud.webhook("main", "globex")
    ask("PUT", MAIN, body=WEBHOOK)
    ask("POST", f"{MAIN}/test")
    cloud.sent.clear()
    ask("DELETE", MAIN)
    told = messages.decode(cloud.sent[0])
    assert isinstance(told, Deleted)
    assert (told.tenant, told.webhook_id, len(cloud.sent)) == ("acme", "main", 1)
    sender.clear(told, SystemClock())
    assert [one.state for one in Delivery.query("acme/main")] == ["dropped"]
    assert [one.state for one in Delivery.query("globex/main")] == ["pending"]


def test_there_are_only_so_many(cloud: Cloud) -> None:
    for number in range(10):
        assert ask("PUT", f"/v1/webhooks/n{number}", body=WEBHOOK).status == 200
    answer = ask("PUT", MAIN, body=WEBHOOK)
    assert (answer.status, answer.fields) == (429, {"webhooks": "is 10"})
    assert int(answer.headers["Retry-After"]) > 0
    assert ask("PUT", "/v1/webhooks/n3", body=WEBHOOK).status == 200


def test_a_new_secret_is_shown_once_and_the_old_one_goes_on_for_a_day(cloud: Cloud) -> None:
    first = ask("PUT", MAIN, body=WEBHOOK).json["secret"]
    second = ask("POST", f"{MAIN}/secret").json["secret"]
    assert first != second
    endpoint = Endpoint.get("acme", "main")
    assert endpoint.earlier_secret
    assert abs((endpoint.earlier_until or 0) - cloud.now - DAY) < DAY / 100
    assert "secret" not in ask("GET", MAIN).json


@pytest.mark.parametrize(("stage", "status"), [("local", 200), ("dev", 400), ("prod", 400)])
def test_only_on_a_laptop_may_it_be_the_laptop(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, stage: str, status: int
) -> None:
    monkeypatch.setattr(live, "current", Config)
    monkeypatch.setenv("SLUICE_STAGE", stage)
    settings.settings.cache_clear()
    answer = ask("PUT", MAIN, body={**WEBHOOK, "url": "http://127.0.0.1:8000/hook"})
    monkeypatch.undo()
    settings.settings.cache_clear()
    assert answer.status == status


# ── deliveries ──


def test_a_delivery_is_shown_with_every_attempt(cloud: Cloud) -> None:
    cloud.webhook()
    [found] = Delivery.query("acme/main")
    tried = {"at": DIED_AT, "status": 500, "code": "refused", "message": "the receiver answered 500", "ms": 7}
    failed = deliveries.fail(found, tried, DIED_AT, for_good=False)
    assert failed
    [told] = ask("GET", f"{MAIN}/deliveries").json["deliveries"]
    assert (told["deliveryId"], told["messageId"], told["eventType"]) == (f"{DIED_AT}-e1", "e1", "job.dead")
    assert (told["state"], told["nextAttemptAt"]) == ("pending", iso(DIED_AT + 5_000))
    assert told["attempts"] == [tried | {"at": iso(DIED_AT)}]


def test_deliveries_are_listed_newest_first_in_pages(cloud: Cloud) -> None:
    cloud.webhook()
    for number in range(2, 6):
        deliveries.create("acme/main", DIED_AT + number, f"e{number}", "job.dead", "{}", cloud.now)
    seen, query = list[str](), {"limit": 2}
    while True:
        told = ask("GET", f"{MAIN}/deliveries", query=query).json
        seen += [one["messageId"] for one in told["deliveries"]]
        if told["next"] is None:
            break
        query["cursor"] = told["next"]
    assert seen == ["e5", "e4", "e3", "e2", "e1"]


@pytest.mark.parametrize(
    "event_id",
    [
        went_live("acme", "stockx", "00000000-0000-4000-8000-000000000001", None, "c4ca42", DIED_AT)["id"],
        "00000000-0000-4000-8000-000000000001:2:found",
        "acme:2026-11-22",
        "1b2c3d4e-0000-4000-8000-000000000000",
    ],
)
def test_whatever_an_event_is_called_its_delivery_is_paged_past_and_sent_again(cloud: Cloud, event_id: str) -> None:
    first = cloud.webhook()
    delivery = deliveries.create("acme/main", DIED_AT + 1, event_id, "listing.live", "{}", cloud.now)
    page = ask("GET", f"{MAIN}/deliveries", query={"limit": 1}).json
    assert [one["deliveryId"] for one in page["deliveries"]] == [delivery]
    page = ask("GET", f"{MAIN}/deliveries", query={"limit": 1, "cursor": page["next"]}).json
    assert [one["deliveryId"] for one in page["deliveries"]] == [first]
    assert ask("POST", f"{MAIN}/deliveries/{delivery}/resend").status == 202


def test_sending_again_starts_at_once(cloud: Cloud) -> None:
    delivery = cloud.webhook()
    [found] = Delivery.query("acme/main")
    assert deliveries.drop(found, cloud.now)
    answer = ask("POST", f"{MAIN}/deliveries/{delivery}/resend")
    assert (answer.status, answer.json["state"]) == (202, "pending")
    [sent] = [json.loads(body) for body in cloud.sent]
    assert sent["tenant"] == "acme"
    assert deliveries.next_due("acme/main") == sent["at"]


def test_nothing_is_sent_again_to_a_webhook_that_is_disabled(cloud: Cloud) -> None:
    delivery = cloud.webhook()
    ask("PUT", MAIN, body={**WEBHOOK, "enabled": False})
    before = cloud.content()
    answer = ask("POST", f"{MAIN}/deliveries/{delivery}/resend")
    assert (answer.status, answer.json["error"]["code"], cloud.content()) == (409, "disabled", before)


def test_a_test_event_is_sent_to_this_webhook_alone_whatever_it_subscribes_to(cloud: Cloud) -> None:
    cloud.webhook()
    cloud.webhook("other")
    answer = ask("POST", f"{MAIN}/test")
    assert (answer.status, answer.json["eventType"], answer.json["state"]) == (202, "webhook.test", "pending")
    [turn] = [json.loads(body) for body in cloud.sent]
    assert turn["tenant"] == "acme"
    stored = deliveries.find("acme/main", answer.json["deliveryId"])
    assert stored is not None
    told = json.loads(stored.body)
    assert told["type"] == "webhook.test"
    assert told["data"]["webhookId"] == "main"
    assert len(ask("GET", "/v1/webhooks/other/deliveries").json["deliveries"]) == 1


def test_a_test_that_is_sent_again_under_its_key_is_one(cloud: Cloud) -> None:
    cloud.webhook()
    first, again = (ask("POST", f"{MAIN}/test", key="once") for _ in range(2))
    assert first.json == again.json
    assert len(ask("GET", f"{MAIN}/deliveries").json["deliveries"]) == 2


def test_a_webhook_that_is_disabled_or_not_there_is_not_tested(cloud: Cloud) -> None:
    assert ask("POST", f"{MAIN}/test").status == 404
    cloud.webhook()
    ask("PUT", MAIN, body={**WEBHOOK, "enabled": False})
    before = cloud.content()
    answer = ask("POST", f"{MAIN}/test")
    assert (answer.status, answer.json["error"]["code"], cloud.content()) == (409, "disabled", before)


def test_two_tenants_may_use_the_same_name(cloud: Cloud) -> None:
    cloud.webhook()
    cloud.webhook(tenant="globex")
    ask("DELETE", MAIN, tenant="globex")
    assert ask("GET", MAIN).status == 200
    assert len(ask("GET", f"{MAIN}/deliveries").json["deliveries"]) == 1
