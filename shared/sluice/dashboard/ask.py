"""How a page asks the API: as the gateway would, it calls the function of the route, for the person signed in."""

import base64
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from sluice.platform import aws
from sluice.platform.http.auth import Caller
from sluice.platform.http.errors import AnswerTooLarge
from sluice.platform.settings import settings
from sluice.platform.unicode_text import well_formed

# Which function serves what begins so, of what pages ask. Their tests compare it with the template.
FUNCTIONS: Final = {
    "/v1/ebay/": "ebay-listings",
    "/v1/operator/": "operator",
    "/v1/operator/checks/": "pages",
    "/v1/inventory": "inventory",
    "/v1/notifications": "notifications",
    "/v1/operations/": "listings",
    "/v1/pages": "pages",
    "/v1/promotions": "promotions",
    "/v1/stockx/listings": "listings",
    "/v1/webhooks": "webhooks",
}


NOT_FOUND: Final = 404


class ApiRefusal(Exception):  # noqa: N818 - an answer
    """The API has refused the request.

    status: of HTTP. code, message: as the API gives them. fields: what is wrong with each field that it names.
    """

    def __init__(self, status: int, error: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {error.get('code')}: {error.get('message')}")
        self.status = status
        self.code = str(error.get("code", ""))
        self.message = str(error.get("message", "the request was refused"))
        self.fields = {str(one["field"]): str(one["message"]) for one in error.get("fields", ())}

    def named(self, otherwise: str, ours: Mapping[str, str] | None = None) -> dict[str, str]:
        """What is wrong, by field; all of it under `otherwise` where the API names none.

        ours: the form's own names of fields that the API names otherwise. One of a list stands at the whole list's.
        """
        found, known = self.fields or {otherwise: self.message}, ours or {}
        return {known.get(name.partition("[")[0], name): told for name, told in found.items()}


class ApiFailure(Exception):  # noqa: N818 - an answer
    """The function that serves the route has failed; its log says why."""


def ask(
    caller: Caller,
    route: str,
    *,
    request_id: str,
    path: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    body: Mapping[str, Any] | bytes | None = None,
    key: str | None = None,
) -> Any:
    """The JSON that `route` (`GET /v1/operator/jobs/{job_id}`) answers to `caller`.

    request_id: of the page's own request, so that the logs of both can be laid side by side. body: bytes are a
    CSV file, all else is JSON. key: the `Idempotency-Key`, under which a POST is done once.

    Raises:
        ApiRefusal: the answer is a 4xx. AnswerTooLarge: it cannot be sent. ApiFailure: the function did not answer, or
            with another 5xx.
    """
    event = _event(caller, route, request_id, path or {}, query or {}, body, key)
    function = FUNCTIONS[max((one for one in FUNCTIONS if event["rawPath"].startswith(one)), key=len)]
    try:
        answer = aws.invoke(f"{settings().stack}-{function}", event)
    except aws.FunctionFailed as failed:
        raise ApiFailure(function) from failed
    found = _read(answer["body"])
    if answer["statusCode"] >= 500:
        raise AnswerTooLarge if found["error"]["code"] == AnswerTooLarge.code else ApiFailure(function)
    if answer["statusCode"] >= 400:
        raise ApiRefusal(answer["statusCode"], found["error"])
    return found


def _read(body: str) -> Any:
    """What the answer says. A half of a surrogate pair, which JSON can spell and no page can hold, is U+FFFD."""
    found = json.loads(body)
    return well_formed(found) if "\\ud" in body else found


def _event(
    caller: Caller,
    route: str,
    request_id: str,
    path: Mapping[str, str],
    query: Mapping[str, str],
    body: Mapping[str, Any] | bytes | None,
    key: str | None,
) -> dict[str, Any]:
    """What an HTTP API would hand to the function (payload format 2.0), its authorizer's word included."""
    method, _, template = route.partition(" ")
    raw_path = template.format(**path)
    is_file = isinstance(body, bytes)
    headers = {"content-type": "text/csv" if is_file else "application/json"} | (
        {"idempotency-key": key} if key else {}
    )
    return {
        "version": "2.0",
        "routeKey": route,
        "rawPath": raw_path,  # decoded, as an HTTP API does it
        "rawQueryString": urlencode(query),
        "headers": headers,
        "pathParameters": dict(path),
        "requestContext": {
            "http": {"method": method, "path": raw_path},
            "routeKey": route,
            "stage": "$default",
            "requestId": request_id,
            "authorizer": {"lambda": caller.context()},
        },
        "body": base64.b64encode(body).decode()
        if isinstance(body, bytes)
        else json.dumps(body)
        if body is not None
        else None,
        "isBase64Encoded": is_file,
    }
