"""The configuration over the API: changed on condition of its version, by whom is kept, and nothing bad gets in."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sluice.jobs.budgets import ledger
from sluice.jobs.budgets.windows import Window
from sluice.operator import configuring
from sluice.operator.actions import Action
from sluice.platform import tables
from sluice.platform.clock import HOUR, MINUTE, SECOND
from sluice.platform.config.document import SECTIONS, Config
from sluice.platform.http import routing
from sluice.platform.http.errors import Conflict
from tests.support.clock import VirtualClock
from tests.support.http import REQUEST_ID, Answer, call
from tests.support.parameter import KEPT, PERSON
from tests.support.patience import SECONDS
from tests.unit.api.conftest import Cloud
from tests.unit.api.document import conforms

NOON = 1_795_348_800_000  # 2026-11-22T12:00:00Z
BASE = "/v1/operator/configuration"
LIMITED = {"limits": {"stockx": {"interval_ms": 600}}}
SMALL = {"engine": {"batch": 5}}


@pytest.fixture(autouse=True)
def clock(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> VirtualClock:
    clock, cloud.parameter.at = VirtualClock(NOON), NOON
    monkeypatch.setattr(routing, "clock", clock)
    return clock


def ask(method: str, path: str = "", body: Any = None, subject: str = "ops", **query: Any) -> Answer:
    more = {"body": body} if body is not None else {}
    answer = call(method, f"{BASE}{path}", tenant=subject, roles="platform", query=query, **more)
    conforms(f"{method} {BASE}{'/versions/{version}' if path.startswith('/versions/') else path}", answer)
    return answer


def change(version: int, document: Any, **more: Any) -> Answer:
    subject = more.pop("subject", "ops")
    return ask("PUT", body={"version": version, "document": document, **more}, subject=subject)


def text(cloud: Cloud) -> Any:
    return json.loads(cloud.parameter.versions[-1]["Value"])


def test_it_is_read_with_its_defaults_filled_in(cloud: Cloud) -> None:
    cloud.parameter.put(json.dumps(LIMITED))
    shown = ask("GET").json
    assert (shown["version"], shown["document"], shown["refused"], shown["by"]) == (2, LIMITED, None, PERSON)
    assert set(shown["values"]) == set(SECTIONS)
    assert shown["values"]["limits"]["stockx"]["interval_ms"] == 600
    assert shown["values"]["engine"]["batch"] == Config().engine.batch


def test_an_invalid_one_that_somebody_wrote_past_the_api_is_told_with_the_reason(cloud: Cloud) -> None:
    cloud.parameter.put('{"engine": {"batch": 0}}')
    refused = ask("GET").json["refused"]
    assert (refused["version"], "engine.batch" in refused["reason"]) == (2, True)
    cloud.parameter.put("no JSON at all")
    assert "not JSON" in ask("GET").json["refused"]["reason"]
    assert change(3, SMALL).json["version"] == 4


def test_a_change_is_checked_written_and_noted(cloud: Cloud) -> None:
    checked = ask("POST", "/check", {"document": LIMITED}).json
    assert (checked["version"], checked["values"]["limits"]["stockx"]["interval_ms"]) == (1, 600)
    assert text(cloud) == {}
    done = change(1, LIMITED, reason="StockX allows more").json
    assert done["version"] == 2
    assert done["changes"] == checked["changes"] == {"limits": {"to": LIMITED["limits"]}}
    assert text(cloud) == LIMITED
    [entry] = call("GET", "/v1/operator/actions", tenant="ops", roles="platform").json["actions"]
    assert (entry["action"], entry["subject"], entry["reason"]) == ("configure", "someone@ops", "StockX allows more")
    assert (entry["actionId"], entry["outcomes"]) == (done["actionId"], {"done": 1})
    assert entry["changes"][0]["after"] == {"version": 2, "changes": done["changes"]}
    assert call("GET", "/v1/operator/actions", tenant="acme").json["actions"] == []


def test_a_stale_version_is_refused_and_told_what_changed_meanwhile(cloud: Cloud) -> None:
    change(1, LIMITED, subject="ann")
    change(2, {"limits": {"stockx": {"interval_ms": 700}}, **SMALL}, subject="bob")
    before = len(cloud.parameter.versions)
    answer = change(2, {"prices": {"freshness_ms": 60_000}}, subject="carl")
    assert (answer.status, answer.json["error"]["code"], answer.json["version"]) == (409, "version_changed", 3)
    assert "version 2 is not the newest, 3 is" in answer.json["error"]["message"]
    assert "3 by someone@bob at 2026-11-22" in answer.json["error"]["message"]
    assert answer.fields["limits.stockx.interval_ms"] == "was 600, is 700"
    assert answer.fields["engine"] == 'was not set, is {"batch": 5}'
    assert len(cloud.parameter.versions) == before
    assert change(9, SMALL).status == 409


def test_the_same_document_again_changes_nothing(cloud: Cloud) -> None:
    change(1, LIMITED)
    again = change(1, LIMITED).json
    assert (again["version"], again["changes"], again["actionId"]) == (2, {}, None)
    assert len(cloud.parameter.versions) == 2


def test_of_many_who_change_one_version_one_wins(cloud: Cloud) -> None:
    """Beside each other, as processes of a function are: each has one request at a time."""
    barrier = threading.Barrier(6, timeout=SECONDS)

    def write(number: int) -> bool:
        who = configuring.Who(f"someone@u{number}", REQUEST_ID, None, NOON)
        barrier.wait()
        try:
            configuring.change(1, configuring.encode({"engine": {"batch": number}}), who)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(write, range(1, 7)))
    assert done.count(True) == 1
    winner = 1 + done.index(True)
    assert (len(cloud.parameter.versions), text(cloud)) == (2, {"engine": {"batch": winner}})
    assert ask("GET").json["by"] == f"someone@u{winner}"


def test_what_somebody_writes_past_the_api_in_between_is_put_back(cloud: Cloud) -> None:
    def slip() -> None:
        cloud.parameter.before = lambda: None
        cloud.parameter.put(json.dumps(SMALL))

    cloud.parameter.before = slip
    answer = change(1, LIMITED)
    assert (answer.status, text(cloud)) == (409, SMALL)
    assert "2 by arn:aws:iam::123456789012:user/pat" in answer.json["error"]["message"]


def test_a_lost_answer_is_looked_up_and_a_write_that_was_not_done_is_told(cloud: Cloud) -> None:
    cloud.parameter.lose = True
    assert change(1, LIMITED).json["version"] == 2
    cloud.parameter.down = True
    answer = change(2, SMALL)
    assert (answer.status, text(cloud)) == (503, LIMITED)
    cloud.parameter.down = False
    assert change(2, SMALL).json["version"] == 3


def test_a_writer_that_is_gone_stands_in_the_way_for_a_minute(cloud: Cloud, clock: VirtualClock) -> None:
    claim = Action(configuring.OWNER, "0000000002", state="running", subject="gone", updated_at=NOON, created_at=NOON)
    tables.put(claim)
    clock.time += 30 * SECOND
    refused = change(1, LIMITED)
    assert (refused.status, "at this moment" in refused.json["error"]["message"]) == (409, True)
    clock.time += MINUTE
    assert change(1, LIMITED).status == 200


def test_the_history_says_who_changed_what_and_leads_back(cloud: Cloud) -> None:
    change(1, LIMITED, subject="ann", reason="more")
    cloud.parameter.put(json.dumps(SMALL))
    rows = ask("GET", "/versions").json["versions"]
    assert [(row["version"], row["by"], row["reason"]) for row in rows] == [
        (3, PERSON, None),
        (2, "someone@ann", "more"),
        (1, PERSON, None),
    ]
    assert rows[0]["changes"] == {"engine": {"to": SMALL["engine"]}, "limits": {"from": LIMITED["limits"]}}
    assert rows[2]["changes"] is None
    assert ask("GET", "/versions/2").json["document"] == LIMITED
    assert ask("GET", "/versions/7").status == 404
    assert ask("POST", "/revert", {"version": 2, "to": 1}).status == 409
    back = ask("POST", "/revert", {"version": 3, "to": 2, "reason": "it was right"}, subject="bob").json
    assert (back["version"], text(cloud)) == (4, LIMITED)
    assert ask("GET", "/versions").json["versions"][0]["by"] == "someone@bob"
    assert ask("POST", "/revert", {"version": 4, "to": 99}).status == 404


def test_all_versions_that_are_kept_are_listed(cloud: Cloud) -> None:
    for number in range(KEPT + 20):
        cloud.parameter.put(json.dumps({"engine": {"batch": 1 + number % 40}}))
    rows = ask("GET", "/versions").json["versions"]
    assert [row["version"] for row in rows] == list(range(KEPT + 21, 21, -1))


BAD: list[tuple[str, str, Any, str]] = [
    ("PUT", "", {"version": 1, "document": {"engine": {"batch": 0}}}, "document"),
    ("PUT", "", {"version": 1, "document": {"engine": {"batch": 1.5}}}, "document"),
    ("PUT", "", {"version": 1, "document": {"engine": {"paused": ["stockx"]}}}, "document"),
    ("PUT", "", {"version": 1, "document": {"colour": "red"}}, "document"),
    ("PUT", "", {"version": 1, "document": []}, "document"),
    ("PUT", "", {"version": 1, "document": {"tenants": {"overrides": {f"t{n}": {} for n in range(900)}}}}, "document"),
    ("PUT", "", {"version": 0, "document": {}}, "version"),
    ("PUT", "", {"document": {}}, "version"),
    ("POST", "/check", {"document": {"limits": {"stokx": {}}}}, "document"),
    ("POST", "/revert", {"version": 1}, "to"),
    ("POST", "/what-if", {"budget": "stockx:acme", "limits": {}}, "limits"),
    ("POST", "/what-if", {"budget": "stockx:acme", "limits": {"per_minute": 1}}, "limits"),
    ("POST", "/what-if", {"budget": "stockx:acme", "limits": {"interval_ms": -1}}, "limits"),
    ("POST", "/what-if", {"budget": "stockx:acme", "limits": {"interval_ms": 1}, "days": 36}, "days"),
]


@pytest.mark.parametrize(("method", "path", "body", "field"), BAD)
def test_a_bad_request_names_the_field_and_changes_nothing(
    cloud: Cloud, method: str, path: str, body: Any, field: str
) -> None:
    before = cloud.content()
    answer = ask(method, path, body)
    assert (answer.status, list(answer.fields)) == (400, [field]), answer.text
    assert cloud.content() == before
    assert text(cloud) == {}


def used(budget: str, *hours: int) -> None:
    """So many calls in each of the last hours, the present one last."""
    for back, calls in enumerate(reversed(hours)):
        window = Window.of(budget, NOON - back * HOUR)
        item = {"budget": {"S": budget}, "window": {"S": window.day}}
        connection = ledger.Budget._get_connection().connection.client
        connection.update_item(
            TableName=ledger.Budget.Meta.table_name,
            Key=item,
            UpdateExpression="ADD #hour :calls, #day :calls",
            ExpressionAttributeNames={"#hour": window.hour, "#day": "day"},
            ExpressionAttributeValues={":calls": {"N": str(calls)}},
        )


def test_a_proposed_limit_is_played_over_the_last_days_and_says_what_it_does_not_know(cloud: Cloud) -> None:
    used("stockx:acme", 80, 100, 20, 0)
    body = {"budget": "stockx:acme", "limits": {"windows": [{"calls": 60, "per": "hour"}]}, "days": 2}
    found = ask("POST", "/what-if", body).json
    assert (found["now"]["calls"], found["now"]["waited"], found["now"]["left"]) == (200, 0, 0)
    # 09:00 60 of 80 · 10:00 the 20 and 40 of 100 · 11:00 60 of the 100 · 12:00 20
    proposed = found["proposed"]
    assert (proposed["waited"], proposed["longestHours"], proposed["left"]) == (20 + 60 + 20, 1, 0)
    assert (proposed["mostWaiting"], proposed["mostWaitingAt"]) == (60, "2026-11-22T11:00:00.000Z")
    assert (proposed["meanHours"], proposed["limits"]["windows"]) == (
        1.0,
        [{"calls": 60, "per": "hour", "zone": "UTC"}],
    )
    assert proposed["days"][-1] == {"day": "2026-11-22", "calls": 200, "waited": 100}
    assert (found["daysKnown"], len(found["unknown"]) >= 4) == (1, True)
    assert ask("POST", "/what-if", {"budget": "amazon:x", "limits": {"interval_ms": 1}}).status == 404


def test_what_if_reads_a_bounded_number_of_items(cloud: Cloud, requests: list[str]) -> None:
    used("ebay:app.3f9c", *[10] * 48)
    requests.clear()
    found = ask(
        "POST",
        "/what-if",
        {"budget": "ebay:app.3f9c", "limits": {"windows": [{"calls": 100, "per": "day"}]}, "days": 35},
    ).json
    assert found["proposed"]["waited"] > 0
    assert requests.count("BatchGetItem") == 1
    assert found["since"] == "2026-10-19T12:00:00.000Z"
