"""The API's own document, as the judge of its answers."""

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from sluice.operator import api
from tests.support.http import Answer

Schema = dict[str, Any]


@cache
def document() -> Schema:
    """The OpenAPI document."""
    return api.document()


def operation(key: str) -> Schema:
    """What the document says of a route key (`GET /v1/jobs`)."""
    method, _, path = key.partition(" ")
    found: Schema = document()["paths"][path][method.lower()]
    return found


def conforms(key: str, answer: Answer) -> None:
    """Check that the document allows this answer to a request of this route: status, content type and every field."""
    response = operation(key)["responses"][str(answer.status)]
    if "$ref" in response:
        response = document()["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
    if "content" not in response:
        assert answer.text == ""
        return
    schema = response["content"][answer.headers["Content-Type"]]["schema"]
    if answer.headers["Content-Type"] == "application/json":
        _judge(json.dumps(schema)).validate(answer.json)


@cache
def _judge(schema: str) -> Draft202012Validator:
    """What holds an answer against `schema`, which is JSON. To make one takes longer than to ask it."""
    closed = {name: _closed(name, one) for name, one in document()["components"]["schemas"].items()}
    return Draft202012Validator({**json.loads(schema), "components": {"schemas": closed}})


def _closed(name: str, schema: Schema) -> Schema:
    """The schema as its owner must keep it: nothing that it does not name. `Error` may carry more detail."""
    told = "properties" in schema and name != "Error"
    return {**schema, "additionalProperties": False} if told else schema
