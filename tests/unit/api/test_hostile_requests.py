"""Another tenant's ids in every field that takes text, its cursors, its keys, and headers that nobody would send."""

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest

from sluice.platform.clock import iso
from sluice.platform.config import live
from sluice.platform.config.document import parse
from sluice.platform.observe import metrics
from tests.support.http import Answer, call, event, route_functions, send
from tests.support.letters import DIED_AT
from tests.unit.api.conftest import WEBHOOK, Cloud
from tests.unit.api.document import conforms, operation
from tests.unit.api.test_tenants import ATTEMPTS, IDS, OF_ACME, OPERATION, PROTECTED, of_acme, own, path_of

# Every id that acme has, and what stands for it where pages begin.
FOREIGN = (*IDS.values(), OPERATION, "acme", "stockx:acme", f"{iso(DIED_AT)}#0f1e2d3c")
Place = list[str | int]
# Each set of credentials that is tried out counts: here more are than a seller has in an hour.
MANY_TRIES = parse('{"tenants": {"allowances": {"connections_per_hour": 1000}}}')


@pytest.fixture(autouse=True)
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Metrics of so many requests at once are written before their end; in a function each request has its own."""
    monkeypatch.setattr(metrics.provider, "namespace", "Sluice/test")
    yield
    metrics.clear_metrics()


def fields(key: str) -> list[str]:
    """The query's fields that the document has for this route."""
    return [one["name"] for one in operation(key).get("parameters", ()) if one.get("in") == "query"]


def places(value: Any, at: Place | None = None) -> Iterator[Place]:
    """Where texts stand in a body."""
    at = at or []
    if isinstance(value, dict):
        for name, one in value.items():
            yield from places(one, [*at, name])
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from places(one, [*at, number])
    elif isinstance(value, str):
        yield at


def put(body: Any, at: Place, value: str) -> Any:
    """`body` with `value` there."""
    made = copy.deepcopy(body)
    inner = made
    for part in at[:-1]:
        inner = inner[part]
    inner[at[-1]] = value
    return made


def check(key: str, answer: Answer, sent: str) -> None:
    """The answer is one that the document knows, no fault, and has nothing of acme's that was not in the request."""
    assert answer.status < 500, (sent, answer.text)
    assert answer.status != 429
    conforms(key, answer)
    # A SKU or a group's key in the path is the caller's own word, and comes back.
    said = sent + (path_of(key) if "{sku}" in key or "{key}" in key else "")
    unsaid = [word for word in OF_ACME if _plain(word) not in _plain(said)]
    assert not [word for word in unsaid if word in answer.text], (sent, answer.text)


def _plain(text: str) -> str:
    """Letters and digits alone, as a SKU or a key may come back."""
    return re.sub(r"[^A-Z0-9]", "", text.upper())


@pytest.mark.parametrize("key", [key for key in PROTECTED if fields(key)])
def test_anothers_ids_in_a_query_show_nothing(acme: Cloud, key: str) -> None:
    own(acme)
    before = of_acme(acme)
    method = key.partition(" ")[0]
    good = ATTEMPTS[key][0].get("query", {})
    for name in fields(key):
        for value in FOREIGN:
            check(key, call(method, path_of(key), query={**good, name: value}, tenant="globex"), value)
    assert of_acme(acme) == before


BODIES = [key for key, (request, _) in ATTEMPTS.items() if isinstance(request.get("body"), dict)]


@pytest.mark.parametrize("key", BODIES)
def test_anothers_ids_in_a_body_change_and_show_nothing(acme: Cloud, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "current", lambda: MANY_TRIES)
    own(acme)
    acme.connect("globex")
    acme.connect_seller("globex")
    before = [one for one in of_acme(acme) if "acme" in one]
    body = ATTEMPTS[key][0]["body"]
    for at in places(body):
        for value in FOREIGN:
            made = put(body, at, value)
            check(key, call(key.partition(" ")[0], path_of(key), body=made, tenant="globex"), value)
    after = of_acme(acme)
    assert [one for one in before if one not in after] == []


@pytest.mark.parametrize("key", BODIES)
def test_text_that_no_table_could_hold_is_refused_in_every_field_and_changes_nothing(acme: Cloud, key: str) -> None:
    """JSON can spell half of a surrogate pair, which is no Unicode."""
    own(acme)
    body, before = ATTEMPTS[key][0]["body"], acme.content()
    for at in places(body):
        for half in ("\ud800", "DD\udfff1391"):
            answer = call(
                key.partition(" ")[0], path_of(key), body=put(body, at, half), roles="admin operator platform"
            )
            conforms(key, answer)
            assert (answer.status, "no Unicode" in answer.json["error"]["message"]) == (400, True), (at, answer.text)
            [field] = answer.fields
            assert field.endswith(f"[{at[-1]}]" if isinstance(at[-1], int) else str(at[-1]))
    assert acme.content() == before


LISTS = [key for key in PROTECTED if "cursor" in fields(key)]


@pytest.mark.parametrize("key", LISTS)
def test_a_cursor_of_another_tenant_shows_nothing(acme: Cloud, key: str) -> None:
    """Those that acme is given, on pages of one."""
    own(acme)
    acme.enqueue("acme", "ACME-SHARED")
    path, query = path_of(key), dict[str, Any](ATTEMPTS[key][0].get("query", {}))
    cursors = []
    if "limit" in fields(key):
        page = call("GET", path, query={**query, "limit": 1}, tenant="acme")
        cursors = [page.json["next"]] if page.json.get("next") else []
    for cursor in (*cursors, *FOREIGN):
        check(key, call("GET", path, query={**query, "cursor": cursor}, tenant="globex"), cursor)


def test_a_key_of_another_tenant_gives_no_answer_of_its(acme: Cloud) -> None:
    acme.connect("globex")
    body = {"items": [{"sku": "ACME-ONLY", "size": "10", "sizeSystem": "us"}]}
    first = call("POST", "/v1/market/refresh", body=body, tenant="acme", key="the-key-of-acme")
    theirs = call("POST", "/v1/market/refresh", body=body, tenant="globex", key="the-key-of-acme")
    assert (first.json["items"][0]["outcome"], theirs.json["items"][0]["outcome"]) == ("created", "merged")
    assert "Idempotency-Replayed" not in theirs.headers


HUGE = "x" * 100_000


@pytest.mark.parametrize("key", sorted(route_functions()))
@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": HUGE},
        {"content-type": "application/json; charset=" + HUGE},
        {"content-type": "application/json" + "; a=b" * 20_000},
        {"content-type": "\u00e9\u0000"},
        {"idempotency-key": HUGE},
        {"idempotency-key": "\u00e9"},
        {"idempotency-key": ""},
        {"accept": HUGE, "x-forwarded-for": HUGE, "cookie": HUGE},
    ],
    ids=["type", "charset", "parameters", "type-no-ascii", "key", "key-no-ascii", "key-empty", "others"],
)
def test_a_header_that_nobody_would_send_is_no_fault_of_ours(acme: Cloud, key: str, headers: dict[str, str]) -> None:
    acme.healthy()
    method, _, path = key.partition(" ")
    request = ATTEMPTS.get(key, ({}, 200))[0]
    made = event(method, path_of(key).replace("{name}", "sneakers.svg"), **request, tenant="globex")
    made["headers"] |= headers
    answer = send(made)
    assert answer.status < 500
    conforms(key, answer)
    assert len(answer.text) < 100_000 or path == "/v1/openapi.json"


@pytest.mark.parametrize(
    "body",
    [
        '{"url": "https://a.example/", "url": "https://b.example/", "eventTypes": ["job.dead"]}',
        '{"url": "https://a.example/", "eventTypes": ["job.dead"], "enabled": NaN}',
        '{"url": "https://a.example/", "eventTypes": ["job.dead"], "enabled": 1e400}',
        '{"url": "https://a.example/", "eventTypes": ["job.dead"], "enabled": -Infinity}',
        '{"url": "https://a.example/", "eventTypes": ["job.dead"], "\\u0065nabled": true, "enabled": true}',
        '\ufeff{"url": "https://a.example/", "eventTypes": ["job.dead"]}',
        "{" * 100_000,
        '{"a":' * 10_000 + "1" + "}" * 10_000,
    ],
)
def test_a_body_that_can_be_understood_in_two_ways_is_refused(acme: Cloud, body: str) -> None:
    before = acme.content()
    answer = call("PUT", "/v1/webhooks/main", body=body)
    assert (answer.status, acme.content()) == (400, before)


@pytest.mark.parametrize("key", [key for key in PROTECTED if key.startswith("GET ")])
@pytest.mark.parametrize(
    "query", ["a[b][c]=1", "a" + "[b]" * 5_000 + "=1", "%00=1", "limit=1e400", "limit=NaN", "=", "&&&"]
)
def test_a_query_of_another_shape_is_refused_or_means_nothing(acme: Cloud, key: str, query: str) -> None:
    answer = call("GET", path_of(key), query=query, tenant="globex")
    assert answer.status in (200, 400, 403, 404)
    conforms(key, answer)


def test_ten_thousand_endpoints_are_ten(acme: Cloud, requests: list[str]) -> None:
    statuses = [call("PUT", f"/v1/webhooks/w{number}", body=WEBHOOK).status for number in range(30)]
    assert statuses == [200] * 10 + [429] * 20
    requests.clear()
    assert call("PUT", "/v1/webhooks/one-more", body=WEBHOOK).status == 429
    assert len(requests) <= 4
