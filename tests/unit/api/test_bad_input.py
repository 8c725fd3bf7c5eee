"""What bad input gets: the status, the field that is wrong, and nothing written."""

import base64
from typing import Any

import pytest

from sluice.operator.dead_letters import public_id
from tests.support.http import call, event, send
from tests.support.letters import write
from tests.unit.api.conftest import CREDENTIALS, MAIL, WEBHOOK, Cloud

REFRESH = ("POST", "/v1/market/refresh")
CONNECT = ("PUT", "/v1/accounts/stockx")
PRICES = ("GET", "/v1/market/prices")
JOBS = ("GET", "/v1/jobs")
TELL = ("PUT", "/v1/notifications")
HOOK = ("PUT", "/v1/webhooks/main")
DELIVERIES = ("GET", "/v1/webhooks/main/deliveries")
FEED = ("GET", "/v1/events")
LETTERS = ("GET", "/v1/dead-letters")
REPLAY = ("POST", "/v1/dead-letters/replay")
GOOD = {"sku": "DD1391-100", "size": "10"}


# The id of a letter whose key is one byte longer than DynamoDB takes.
LONG_LETTER = public_id("2026-11-22T12:00:00.000Z#" + "A" * 998 + "#1")


def item(**changes: Any) -> dict[str, Any]:
    return {"body": {"items": [{**GOOD, **changes}]}}


CASES: list[tuple[tuple[str, str], dict[str, Any], int, str]] = [
    # Bodies that are no JSON object.
    (REFRESH, {}, 400, "body"),
    (REFRESH, {"body": "   "}, 400, "body"),
    (REFRESH, {"body": '{"items": ['}, 400, "body"),
    (REFRESH, {"body": "[]"}, 400, "body"),
    (REFRESH, {"body": '"text"'}, 400, "body"),
    (REFRESH, {"body": '{"items": NaN}'}, 400, "body"),
    (REFRESH, {"body": '{"items": [-Infinity]}'}, 400, "body"),
    (REFRESH, {"body": "[" * 100_000}, 400, "body"),
    (REFRESH, {"body": '{"items": ' + "1" * 5_000 + "}"}, 400, "body"),
    (REFRESH, {"body": '{"items": 1e999}'}, 400, "body"),
    (REFRESH, {"body": '{"items": ' + "[" * 21 + "]" * 21 + "}"}, 400, "body"),
    (REFRESH, {"body": '{"items": ["' + "[" * 21 + '"]}'}, 400, "items[0]"),
    (REFRESH, {"body": {f"x{number}": 1 for number in range(20_000)}}, 400, "body"),
    (REFRESH, {"body": '{"items": [{"\\ud800": 1}]}'}, 400, "items[0]"),
    (REFRESH, {"body": '{"items": [], "items": []}'}, 400, "items"),
    (REFRESH, {"body": '{"items": [{"sku": "A", "sku": "B", "size": "10"}]}'}, 400, "sku"),
    (REFRESH, {"body": '{"items": [{"sku": "A\nB", "size": "10"}]}'}, 400, "body"),
    # The request as a whole.
    (REFRESH, {"body": {}}, 400, "items"),
    (REFRESH, {"body": {"items": []}}, 400, "items"),
    (REFRESH, {"body": {"items": [GOOD] * 501}}, 400, "items"),
    (REFRESH, {"body": {"items": GOOD}}, 400, "items"),
    (REFRESH, {"body": {"items": [GOOD], "priority": "hot"}}, 400, "priority"),
    (REFRESH, {"body": {"items": [GOOD]}, "query": {"force": "1"}}, 400, "force"),
    # One item.
    (REFRESH, {"body": {"items": ["DD1391-100"]}}, 400, "items[0]"),
    (REFRESH, {"body": {"items": [None]}}, 400, "items[0]"),
    (REFRESH, {"body": {"items": [{"size": "10"}]}}, 400, "items[0].sku"),
    (REFRESH, item(sku=""), 400, "items[0].sku"),
    (REFRESH, item(sku="A" * 300), 400, "items[0].sku"),
    (REFRESH, item(sku="DD1391\u0000100"), 400, "items[0].sku"),
    (REFRESH, item(sku="DD1391\ud800"), 400, "items[0].sku"),
    (REFRESH, item(sku="DD1391%20100"), 400, "items[0].sku"),
    (REFRESH, item(sku=1391), 400, "items[0].sku"),
    (REFRESH, item(sku=None), 400, "items[0].sku"),
    (REFRESH, item(size=""), 400, "items[0].size"),
    (REFRESH, item(size=10), 400, "items[0].size"),
    (REFRESH, item(size="1" * 300), 400, "items[0].size"),
    (REFRESH, item(size="10\u001b[2J"), 400, "items[0].size"),
    (REFRESH, item(marketplace="alias"), 400, "items[0].marketplace"),
    (REFRESH, item(marketplace=""), 400, "items[0].marketplace"),
    (REFRESH, item(marketplace="x" * 100_000), 400, "items[0].marketplace"),
    (REFRESH, item(priority="urgent"), 400, "items[0].priority"),
    (REFRESH, item(priority=200), 400, "items[0].priority"),
    (REFRESH, item(currency="XXX"), 400, "items[0].currency"),
    (REFRESH, item(currency="usd"), 400, "items[0].currency"),
    (REFRESH, item(sizeSystem="mondopoint"), 400, "items[0].sizeSystem"),
    (REFRESH, item(size_system="us"), 400, "items[0].size_system"),
    (REFRESH, item(force="yes"), 400, "items[0].force"),
    (REFRESH, item(colour="red"), 400, "items[0].colour"),
    # Accounts.
    (CONNECT, {}, 400, "body"),
    (CONNECT, {"body": {}}, 400, "api_key"),
    (CONNECT, {"body": {**CREDENTIALS, "refresh_token": ""}}, 400, "refresh_token"),
    (CONNECT, {"body": {**CREDENTIALS, "refresh_token": 7}}, 400, "refresh_token"),
    (CONNECT, {"body": {**CREDENTIALS, "refresh_token": None}}, 400, "refresh_token"),
    (CONNECT, {"body": {**CREDENTIALS, "api_key": "k" * 5_000}}, 400, "api_key"),
    (CONNECT, {"body": {**CREDENTIALS, "api_key": "line\nbreak"}}, 400, "api_key"),
    (CONNECT, {"body": {**CREDENTIALS, "api_key": "\ud800"}}, 400, "api_key"),
    (CONNECT, {"body": {**CREDENTIALS, "password": "secret"}}, 400, "password"),
    (("PUT", "/v1/accounts/nowhere"), {"body": CREDENTIALS}, 404, ""),
    (("GET", "/v1/accounts/nowhere"), {}, 404, ""),
    (("GET", "/v1/accounts"), {"query": {"tenant": "globex"}}, 400, "tenant"),
    # Prices.
    (PRICES, {}, 400, "sku"),
    (PRICES, {"query": {"sku": ""}}, 400, "sku"),
    (PRICES, {"query": {"sku": "A" * 300}}, 400, "sku"),
    (PRICES, {"query": {"sku": "A\u0000"}}, 400, "sku"),
    (PRICES, {"query": "sku=%FF"}, 400, "query"),
    (PRICES, {"query": "&".join(f"x{number}=1" for number in range(5_000))}, 400, "query"),
    (PRICES, {"query": "sku=A&" * 5_000}, 400, "query"),
    (("GET", "/health"), {"query": "&".join(f"x{number}" for number in range(5_000))}, 400, "query"),
    (PRICES, {"query": "sku=A&sku=B"}, 400, "sku"),
    (PRICES, {"query": {"sku": "A", "marketplace": "nowhere"}}, 400, "marketplace"),
    (PRICES, {"query": {"sku": "A", "currency": "XXX"}}, 400, "currency"),
    (PRICES, {"query": {"sku": "A", "size": ""}}, 400, "size"),
    (PRICES, {"query": {"sku": "A", "size": "10", "sizeSystem": "mondopoint"}}, 400, "sizeSystem"),
    (PRICES, {"query": {"sku": "A", "sizeSystem": "us"}}, 400, "sizeSystem"),
    (PRICES, {"query": {"sku": "A", "colour": "red"}}, 400, "colour"),
    # Jobs.
    (JOBS, {"query": {"cursor": "nonsense"}}, 400, "cursor"),
    (JOBS, {"query": {"cursor": ""}}, 400, "cursor"),
    (JOBS, {"query": {"cursor": "W" * 300}}, 400, "cursor"),
    (JOBS, {"query": {"limit": "0"}}, 400, "limit"),
    (JOBS, {"query": {"limit": "101"}}, 400, "limit"),
    (JOBS, {"query": {"limit": "many"}}, 400, "limit"),
    (JOBS, {"query": {"state": "running"}}, 400, "state"),
    (JOBS, {"query": {"marketplace": "nowhere"}}, 400, "marketplace"),
    (JOBS, {"query": {"kind": "\u0007"}}, 400, "kind"),
    (JOBS, {"query": {"tenant": "globex"}}, 400, "tenant"),
    (("GET", "/v1/jobs/market.refresh:stockx:NONE:us-10:USD"), {}, 404, ""),
    (("GET", "/v1/jobs/..%2F..%2Fetc"), {}, 404, ""),
    (("GET", "/v1/jobs/" + "A" * 3_000), {}, 404, ""),
    (("DELETE", "/v1/jobs/market.refresh:stockx:NONE:us-10:USD"), {}, 404, ""),
    (("DELETE", "/v1/jobs/" + "A" * 3_000), {}, 404, ""),
    (("GET", "/v1/operations/" + "A" * 3_000), {}, 404, ""),
    (("GET", "/v1/promotions/" + "A" * 3_000), {}, 404, ""),
    (("DELETE", "/v1/promotions/" + "%C3%A9" * 1_000), {}, 404, ""),
    (("GET", "/v1/stockx/listings/" + "A" * 3_000), {}, 404, ""),
    # Dead letters.
    (LETTERS, {"query": {"cursor": "nonsense"}}, 400, "cursor"),
    (LETTERS, {"query": {"cursor": ""}}, 400, "cursor"),
    (LETTERS, {"query": {"cursor": "W" * 3_000}}, 400, "cursor"),
    (LETTERS, {"query": {"cursor": "4pyT"}}, 400, "cursor"),
    (LETTERS, {"query": {"limit": "0"}}, 400, "limit"),
    (LETTERS, {"query": {"limit": "101"}}, 400, "limit"),
    (LETTERS, {"query": {"status": "buried"}}, 400, "status"),
    (LETTERS, {"query": {"marketplace": "nowhere"}}, 400, "marketplace"),
    (LETTERS, {"query": {"kind": ""}}, 400, "kind"),
    (LETTERS, {"query": {"code": "\u0007"}}, 400, "code"),
    (LETTERS, {"query": {"from": "yesterday"}}, 400, "from"),
    (LETTERS, {"query": {"from": "2026-11-22"}}, 400, "from"),
    (LETTERS, {"query": {"from": "2026-11-22T12:00:00"}}, 400, "from"),
    (LETTERS, {"query": {"to": "1795323600"}}, 400, "to"),
    (LETTERS, {"query": "from=9999-12-31T23:59:59-23:59"}, 400, "from"),
    (LETTERS, {"query": "to=0001-01-01T00:00:00%2B23:59"}, 400, "to"),
    (LETTERS, {"query": "from=9999-12-31T23:59:60Z"}, 400, "from"),
    (LETTERS, {"query": "cursor=" + LONG_LETTER}, 400, "cursor"),
    (LETTERS, {"query": {"from": "2026-11-22T12:00:00Z", "to": "2026-11-22T12:00:00Z"}}, 400, "to"),
    (LETTERS, {"query": {"since": "2026-11-22T12:00:00Z"}}, 400, "since"),
    (LETTERS, {"query": {"tenant": "globex"}}, 400, "tenant"),
    (("GET", "/v1/dead-letters/nonsense"), {}, 404, ""),
    (("GET", "/v1/dead-letters/..%2F..%2Fetc"), {}, 404, ""),
    (("GET", "/v1/dead-letters/" + "A" * 3_000), {}, 404, ""),
    (("GET", "/v1/dead-letters/" + LONG_LETTER), {}, 404, ""),
    (("POST", f"/v1/dead-letters/{LONG_LETTER}/replay"), {}, 404, ""),
    (("POST", f"/v1/dead-letters/{LONG_LETTER}/acknowledge"), {}, 404, ""),
    (("POST", "/v1/dead-letters/nonsense/replay"), {}, 404, ""),
    (("POST", "/v1/dead-letters/nonsense/acknowledge"), {}, 404, ""),
    (REPLAY, {}, 400, "body"),
    (REPLAY, {"body": []}, 400, "body"),
    (REPLAY, {"body": {"dryRun": "no"}}, 400, "dryRun"),
    (REPLAY, {"body": {"dryRun": False, "limit": 0}}, 400, "limit"),
    (REPLAY, {"body": {"dryRun": False, "limit": 501}}, 400, "limit"),
    (REPLAY, {"body": {"dryRun": False, "limit": "5"}}, 400, "limit"),
    (REPLAY, {"body": {"dryRun": False, "cursor": "nonsense"}}, 400, "cursor"),
    (REPLAY, {"body": {"dryRun": False, "from": 7}}, 400, "from"),
    (REPLAY, {"body": {"dryRun": False, "to": "soon"}}, 400, "to"),
    (REPLAY, {"body": {"dryRun": False, "status": "replayed"}}, 400, "status"),
    (REPLAY, {"body": {"dryRun": False, "tenant": "globex"}}, 400, "tenant"),
    # Webhooks. What a URL may be is told by tests/unit/webhooks/test_targets.py.
    (HOOK, {}, 400, "body"),
    (HOOK, {"body": {}}, 400, "url"),
    (HOOK, {"body": {}}, 400, "eventTypes"),
    (HOOK, {"body": {**WEBHOOK, "url": 7}}, 400, "url"),
    (HOOK, {"body": {**WEBHOOK, "url": ""}}, 400, "url"),
    (HOOK, {"body": {**WEBHOOK, "url": "http://hooks.example.com"}}, 400, "url"),
    (HOOK, {"body": {**WEBHOOK, "url": "https://10.0.0.8/"}}, 400, "url"),
    (HOOK, {"body": {**WEBHOOK, "url": "https://hooks.example.com/\ud800"}}, 400, "url"),
    (HOOK, {"body": {**WEBHOOK, "eventTypes": []}}, 400, "eventTypes"),
    (HOOK, {"body": {**WEBHOOK, "eventTypes": "job.dead"}}, 400, "eventTypes"),
    (HOOK, {"body": {**WEBHOOK, "eventTypes": ["job.dead"] * 20}}, 400, "eventTypes"),
    (HOOK, {"body": {**WEBHOOK, "eventTypes": ["job.dead", "job.*"]}}, 400, "eventTypes[1]"),
    (HOOK, {"body": {**WEBHOOK, "enabled": "yes"}}, 400, "enabled"),
    (HOOK, {"body": {**WEBHOOK, "secret": "whsec_mine"}}, 400, "secret"),
    (("PUT", "/v1/webhooks/MAIN"), {"body": WEBHOOK}, 400, "webhookId"),
    (("PUT", "/v1/webhooks/a%2Fb"), {"body": WEBHOOK}, 400, "webhookId"),
    (("PUT", "/v1/webhooks/" + "a" * 65), {"body": WEBHOOK}, 400, "webhookId"),
    (("GET", "/v1/webhooks"), {"query": {"tenant": "globex"}}, 400, "tenant"),
    (("GET", "/v1/webhooks/none"), {}, 404, ""),
    (("GET", "/v1/webhooks/a%2Fb"), {}, 404, ""),
    (("DELETE", "/v1/webhooks/none"), {}, 404, ""),
    (("POST", "/v1/webhooks/none/secret"), {}, 404, ""),
    (("GET", "/v1/webhooks/none/deliveries"), {}, 404, ""),
    (DELIVERIES, {"query": {"cursor": "nonsense"}}, 400, "cursor"),
    (DELIVERIES, {"query": {"cursor": ""}}, 400, "cursor"),
    (DELIVERIES, {"query": {"limit": "0"}}, 400, "limit"),
    (DELIVERIES, {"query": {"limit": "101"}}, 400, "limit"),
    (DELIVERIES, {"query": {"state": "failed"}}, 400, "state"),
    (("POST", "/v1/webhooks/main/deliveries/nonsense/resend"), {}, 404, ""),
    (("POST", "/v1/webhooks/main/deliveries/1795323600000-e2/resend"), {}, 404, ""),
    (("POST", "/v1/webhooks/main/deliveries/..%2F..%2Fetc/resend"), {}, 404, ""),
    # Notifications.
    (TELL, {}, 400, "body"),
    (TELL, {"body": {"mail": "ops@acme.example"}}, 400, "mail"),
    (TELL, {"body": {"mail": {}}}, 400, "mail.address"),
    (TELL, {"body": {"mail": {}}}, 400, "mail.eventTypes"),
    (TELL, {"body": {"mail": {**MAIL["mail"], "address": "ops"}}}, 400, "mail.address"),
    (TELL, {"body": {"mail": {**MAIL["mail"], "address": "ops@acme"}}}, 400, "mail.address"),
    (TELL, {"body": {"mail": {**MAIL["mail"], "address": "Ops <ops@acme.example>"}}}, 400, "mail.address"),
    (TELL, {"body": {"mail": {**MAIL["mail"], "address": "a@acme.example,b@acme.example"}}}, 400, "mail.address"),
    (TELL, {"body": {"mail": {**MAIL["mail"], "address": "ops@acme.example\n"}}}, 400, "mail.address"),
    (TELL, {"body": {"mail": {**MAIL["mail"], "address": "o" * 65 + "@acme.example"}}}, 400, "mail.address"),
    (TELL, {"body": {"mail": {**MAIL["mail"], "address": "ops@" + "a." * 125 + "example"}}}, 400, "mail.address"),
    (TELL, {"body": {"mail": {**MAIL["mail"], "eventTypes": []}}}, 400, "mail.eventTypes"),
    (TELL, {"body": {"mail": {**MAIL["mail"], "eventTypes": ["job.succeeded"]}}}, 400, "mail.eventTypes[0]"),
    (TELL, {"body": {"mail": {**MAIL["mail"], "webhook": "main"}}}, 400, "mail.webhook"),
    (TELL, {"body": {"failureRate": {}}}, 400, "failureRate.percent"),
    (TELL, {"body": {"failureRate": {"percent": 0}}}, 400, "failureRate.percent"),
    (TELL, {"body": {"failureRate": {"percent": 100}}}, 400, "failureRate.percent"),
    (TELL, {"body": {"failureRate": {"percent": "20"}}}, 400, "failureRate.percent"),
    (TELL, {"body": {"failureRate": {"percent": 20, "jobs": 0}}}, 400, "failureRate.jobs"),
    (TELL, {"body": {"summary": {}}}, 400, "summary.hour"),
    (TELL, {"body": {"summary": {"hour": 24}}}, 400, "summary.hour"),
    (TELL, {"body": {"summary": {"hour": 8, "zone": "Berlin"}}}, 400, "summary.zone"),
    (TELL, {"body": {"summary": {"hour": 8, "zone": "../UTC"}}}, 400, "summary.zone"),
    (TELL, {"body": {"summary": {"hour": 8, "zone": ""}}}, 400, "summary.zone"),
    (TELL, {"body": {"summary": {"hour": 8, "minute": 30}}}, 400, "summary.minute"),
    (TELL, {"body": {**MAIL, "tenant": "globex"}}, 400, "tenant"),
    (("POST", "/v1/notifications/test"), {}, 409, ""),
    (FEED, {"query": {"type": "job.exploded"}}, 400, "type"),
    (FEED, {"query": {"type": ""}}, 400, "type"),
    (FEED, {"query": {"from": "yesterday"}}, 400, "from"),
    (FEED, {"query": "from=2026-11-22T12:00:00Z&to=2026-11-22T12:00:00Z"}, 400, "to"),
    (FEED, {"query": {"cursor": "nonsense"}}, 400, "cursor"),
    (FEED, {"query": {"limit": "0"}}, 400, "limit"),
    (FEED, {"query": {"tenant": "globex"}}, 400, "tenant"),
    (("GET", "/v1/notifications/mails"), {"query": {"cursor": "nonsense"}}, 400, "cursor"),
    (("GET", "/v1/notifications/mails"), {"query": {"limit": "101"}}, 400, "limit"),
    (("GET", "/v1/notifications/mails"), {"query": {"tenant": "globex"}}, 400, "tenant"),
    # Public routes.
    (("GET", "/health"), {"query": {"verbose": "1"}}, 400, "verbose"),
    (("GET", "/v1/images/boots.svg"), {}, 404, ""),
    (("GET", "/v1/images/sneakers.png"), {}, 404, ""),
    (("GET", "/v1/images/..%2Fapi.py"), {}, 404, ""),
    (("GET", "/v1/images/..%2Fimages%2Fsneakers.svg"), {}, 404, ""),
]


@pytest.mark.parametrize(("route", "request_", "status", "field"), CASES)
def test_bad_input_names_the_field_and_writes_nothing(
    acme: Cloud, route: tuple[str, str], request_: dict[str, Any], status: int, field: str
) -> None:
    write()
    acme.webhook()
    before = acme.content()
    answer = call(*route, **request_)
    assert answer.status == status, answer.text
    assert set(answer.fields) >= ({field} if field else set())
    error = answer.json["error"]
    assert error["code"]
    assert error["message"]
    assert answer.json["requestId"]
    assert len(answer.text) < 4_000
    assert acme.content() == before
    assert acme.invoked == []


@pytest.mark.parametrize("route", [REFRESH, CONNECT])
def test_a_body_over_the_limit_is_not_read(acme: Cloud, route: tuple[str, str]) -> None:
    before = acme.content()
    answer = call(*route, body=" " * (256 * 1024 + 1))
    assert (answer.status, answer.json["error"]["code"]) == (413, "too_large")
    assert acme.content() == before


def test_a_body_in_base64_is_read(acme: Cloud) -> None:
    request = event(*REFRESH)
    request |= {"body": base64.b64encode(b'{"items": [{"sku": "DD1391-100", "size": "10"}]}').decode()}
    request |= {"isBase64Encoded": True}
    assert send(request).status == 202


@pytest.mark.parametrize("body", ["not base64!", base64.b64encode(b'{"items": "\xff"}').decode()])
def test_a_body_that_is_not_what_it_says_is_refused(acme: Cloud, body: str) -> None:
    answer = send(event(*REFRESH) | {"body": body, "isBase64Encoded": True})
    assert (answer.status, list(answer.fields)) == (400, ["body"])


def test_what_is_wrong_with_a_credential_is_told_without_showing_it(acme: Cloud) -> None:
    answer = call(*CONNECT, body={**CREDENTIALS, "client_secret": "hush hush", "refresh_token": ["hush-list"]})
    assert answer.status == 400
    assert "hush" not in answer.text
