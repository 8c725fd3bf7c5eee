"""The HTTP API as a client sees it: requests go through the real handlers, each route to the function that has it."""

import base64
import importlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import unquote, urlencode

from local.cloud import template as templates
from local.cloud.cloud import ROOT
from local.cloud.template import resources

REQUEST_ID = "JKJaXmPLvHcESHA="


class Context:
    """What Lambda passes beside the event."""

    function_name = "sluice-local-api"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:sluice-local-api"
    aws_request_id = "8f0b2f4e-5d6f-4b51-9f54-8d7d0e0c2a11"

    def get_remaining_time_in_millis(self) -> int:
        return 10_000


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def fields(self) -> dict[str, str]:
        """The fields that the error names, with what is wrong with them."""
        return {one["field"]: one["message"] for one in self.json["error"]["fields"]}


@cache
def route_functions() -> dict[str, str]:
    """The function folder of each route of the API in template.yaml, by route key (`GET /v1/jobs`).

    The dashboard's pages are none: they answer HTML, to whoever has a session.
    """
    return {
        f"{event['Properties']['Method']} {event['Properties']['Path']}": function["CodeUri"].rstrip("/")
        for _, function in resources(templates.load(), "AWS::Serverless::Function")
        for event in function.get("Events", {}).values()
        if event["Type"] == "HttpApi" and not event["Properties"]["Path"].startswith("/dashboard")
    }


@cache
def _routes() -> list[tuple[str, str, re.Pattern[str]]]:
    """Each route: its key, its method, and the paths that it is for."""
    split = [(key, *key.split(" ", 1)) for key in route_functions()]
    return [(key, method, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))) for key, method, path in split]


def event_function(name: str) -> str:
    """The function folder whose name the event file `name` begins with: `functions/api` of `api_health`."""
    folders = sorted(path.parent.name for path in ROOT.glob("functions/*/handler.py"))
    return f"functions/{max((folder for folder in folders if name.startswith(f'{folder}_')), key=len)}"


def event(
    method: str,
    path: str,
    *,
    query: Mapping[str, Any] | str = "",
    body: object = None,
    content_type: str = "application/json",
    tenant: str | None = "acme",
    roles: str = "operator",
    key: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The event that an HTTP API makes of a request (payload format 2.0): it decodes the path.

    body: text as it is, bytes as base64, anything else as JSON. tenant: None for one without an authorizer's word.
    key: the header `Idempotency-Key`. headers: others.
    """
    route, parameters = _match(method, path)
    context: dict[str, Any] = {
        "accountId": "123456789012",
        "apiId": "a1b2c3d4e5",
        "domainName": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
        "http": {"method": method, "path": unquote(path), "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"},
        "requestId": REQUEST_ID,
        "routeKey": route,
        "stage": "$default",
        "timeEpoch": 1_763_785_800_000,
    }
    if tenant is not None:
        context["authorizer"] = {"lambda": {"tenant": tenant, "roles": roles, "subject": f"someone@{tenant}"}}
    made: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": unquote(path),
        "rawQueryString": query if isinstance(query, str) else urlencode(query),
        "headers": {"content-type": content_type, **(headers or {})},
        "requestContext": context,
        "isBase64Encoded": False,
    }
    if key is not None:
        made["headers"]["idempotency-key"] = key
    if parameters:
        made["pathParameters"] = parameters
    if isinstance(body, bytes):
        made |= {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    elif body is not None:
        made["body"] = body if isinstance(body, str) else json.dumps(body)
    return made


def _match(method: str, path: str) -> tuple[str, dict[str, str]]:
    for key, known, paths in _routes():
        if known == method and (found := paths.fullmatch(path)):
            return key, {name: unquote(value) for name, value in found.groupdict().items()}
    return "$default", {}


def send(event: dict[str, Any], function: str | None = None) -> Answer:
    """Give `event` to the handler of its route's function, or of `function`."""
    folder = function or route_functions()[event["routeKey"]]
    handler = importlib.import_module(f"{folder.replace('/', '.')}.handler").handler
    answer = handler(event, Context())
    assert answer["isBase64Encoded"] is False
    return Answer(answer["statusCode"], answer["headers"], answer["body"])


def call(method: str, path: str, **request: Any) -> Answer:
    """Send one request; the arguments are those of `event`."""
    return send(event(method, path, **request))
