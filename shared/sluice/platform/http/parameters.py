"""What the path, the query string and `If-Match` of a request say, read strictly."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote

from pydantic.alias_generators import to_camel

from sluice.platform.http.errors import FieldError, Invalid, NotFound
from sluice.platform.http.models import MOST_PROBLEMS, Query, check

# Of a query: far more than any path takes, and few enough to name each that is wrong.
MOST_PARAMETERS = 50
# The longest id of ours: base64 of a key of 1,024 bytes, which is the longest that DynamoDB takes.
MOST_ID_BYTES = 1_366
# The header that names the version of a thing.
VERSION = "If-Match"
_VERSION = r'"?([1-9][0-9]{0,15})"?'
# What no id holds: control characters, and what is left of bytes that are not UTF-8.
_NO_ID = r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffd]"


def by_route(event: dict[str, Any]) -> dict[str, Any]:
    """`event` with the path that its route and parameters make.

    An HTTP API decodes `rawPath`, so that a `/` or `?` inside a parameter would be taken for one of the path's own.
    What the gateway has matched stands in `routeKey` and `pathParameters`.
    """
    _, _, template = (event.get("routeKey") or "").partition(" ")
    given = event.get("pathParameters") or {}
    if not template or set(re.findall(r"\{(\w+)\}", template)) != given.keys():
        return event
    path = re.sub(r"\{(\w+)\}", lambda name: quote(given[name[1]], safe="", errors="replace"), template)
    stage = event["requestContext"].get("stage", "$default")
    return {**event, "rawPath": path if stage == "$default" else f"/{stage}{path}"}


def path(parameters: Mapping[str, str]) -> Mapping[str, str]:
    """The path's parameters. What cannot be an id of anything is one of nothing that is there."""
    for name, value in parameters.items():
        if not value or re.search(_NO_ID, value) or len(value.encode()) > MOST_ID_BYTES:
            raise NotFound(
                "there is nothing at this path", fields=[FieldError(to_camel(name), "is not an id that this API gives")]
            )
    return parameters


def query(model: type[Query] | None, event: Mapping[str, Any]) -> Query | None:
    """The query string, checked. It is read raw: the gateway joins what comes twice with a comma."""
    try:
        pairs = parse_qsl(event.get("rawQueryString") or "", keep_blank_values=True, errors="strict")
    except ValueError:
        raise Invalid("the query string is not UTF-8", fields=[FieldError("query", "is not UTF-8")]) from None
    if len(pairs) > MOST_PARAMETERS:
        raise Invalid.field("query", f"names {len(pairs)} parameters; no path takes so many")
    times = Counter(name for name, _ in pairs)
    if twice := [FieldError(name[:64], "is given twice") for name in sorted(times) if times[name] > 1]:
        raise Invalid("the query names a parameter twice", fields=twice[:MOST_PROBLEMS])
    if model is None and times:
        unknown = [FieldError(name[:64], "is not known here") for name in times]
        raise Invalid("this path takes no query parameters", fields=unknown[:MOST_PROBLEMS])
    return check(model, dict(pairs)) if model else None


def version(event: Mapping[str, Any]) -> int | None:
    """The version that `If-Match` names; None where the request has no such header.

    Raises:
        Invalid: it names none.
    """
    headers = event.get("headers") or {}
    said = next((value for name, value in headers.items() if name.lower() == VERSION.lower()), None)
    if said is None:
        return None
    if not (found := re.fullmatch(_VERSION, said.strip())):
        raise Invalid.field(VERSION, 'must be the version that you have seen, as "7"')
    return int(found[1])
