"""What holds for every route: dispatch, errors, and what is logged."""

import json
from io import StringIO
from typing import Any

import pytest

from sluice.platform.http import answers, routing
from sluice.prices import table as prices
from tests.support.http import REQUEST_ID, call, event, send
from tests.unit.api.conftest import Cloud


def test_an_answer_that_cannot_be_sent_says_so(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lambda would fail where nobody can tell the client why."""
    monkeypatch.setattr(answers, "MOST_BYTES", 100)
    answer = call("GET", "/v1/openapi.json")
    assert (answer.status, answer.json["error"]["code"]) == (500, "answer_too_large")
    assert answer.json["requestId"] == REQUEST_ID
    assert answer.headers["Cache-Control"] == "no-store"


def test_an_unknown_path_is_not_found(cloud: Cloud) -> None:
    answer = send(event("GET", "/v2/jobs"), "functions/api")
    assert (answer.status, answer.json["error"]["code"]) == (404, "not_found")


def test_another_method_is_told_which_there_are(cloud: Cloud) -> None:
    answer = send(event("PATCH", "/v1/jobs/some:job"), "functions/api")
    assert (answer.status, answer.json["error"]["code"]) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "DELETE, GET"


def test_a_stage_in_the_path_is_no_part_of_the_route(cloud: Cloud) -> None:
    request = event("GET", "/v1/jobs")
    request["requestContext"]["stage"] = "live"
    assert send(request | {"rawPath": "/live/v1/jobs"}).status == 200


def test_a_fault_of_ours_tells_nothing_but_the_request_id(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, logged: StringIO
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("password=hunter2 at /var/task/sluice")

    monkeypatch.setattr(prices, "page", fail)
    answer = call("GET", "/v1/market/prices", query={"sku": "DD1391-100"})
    assert (answer.status, answer.json["requestId"]) == (500, REQUEST_ID)
    assert answer.json["error"]["code"] == "internal"
    assert not [word for word in ("hunter2", "RuntimeError", "/var/task", "Traceback") if word in answer.text]
    assert "hunter2" in logged.getvalue()


def test_each_request_is_one_line_of_the_log(cloud: Cloud, logged: StringIO) -> None:
    call("GET", "/v1/jobs/some:job")
    [line] = [json.loads(line) for line in logged.getvalue().splitlines()]
    assert line["message"] == "request"
    assert (line["method"], line["route"], line["status"]) == ("GET", "GET /v1/jobs/{job_id}", 404)
    assert (line["tenant"], line["api_request_id"]) == ("acme", REQUEST_ID)
    assert isinstance(line["ms"], int)


def test_a_body_is_never_logged(acme: Cloud, logged: StringIO) -> None:
    call("POST", "/v1/market/refresh", body={"items": [{"sku": "SECRET-SKU", "size": "ten and a bit too long"}]})
    call("POST", "/v1/market/refresh", body='{"items": "SECRET-TEXT')
    assert "SECRET" not in logged.getvalue()


def test_answers_are_not_kept_on_the_way(cloud: Cloud) -> None:
    for path in ("/v1/jobs", "/v1/accounts", "/v1/jobs/none:such"):
        assert call("GET", path).headers["Cache-Control"] == "no-store"


def test_a_public_request_has_no_tenant() -> None:
    with pytest.raises(RuntimeError):
        _ = routing.HttpRequest(id="1", path={}, body=None, query=None, now=0).tenant
