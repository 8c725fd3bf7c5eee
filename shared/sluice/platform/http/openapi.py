"""The OpenAPI 3.1 document, made from the routes. Only the request that asks for it loads this.

Clients are generated from it, so each schema has a name of its own.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode
from typing_extensions import TypedDict

from sluice.platform.http import etags, idempotency, parameters
from sluice.platform.http.auth import ROLES
from sluice.platform.http.errors import (
    Conflict,
    ErrorDetail,
    Forbidden,
    HttpError,
    Internal,
    Invalid,
    NotFound,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
    Unsupported,
    WrongVersion,
)
from sluice.platform.http.routing import JSON, Route, Routes

REFERENCE = "#/components/schemas/{model}"
SCHEME = "token"
# Where the API is: nobody but its user knows. The answer to a request for the document says where it was asked.
SERVER = {
    "url": "{api}",
    "description": "The output ApiUrl of the stack, or its custom domain",
    "variables": {"api": {"default": "https://api.example.com"}},
}
_TAG = {"description": "Of the answer", "schema": {"type": "string"}}
# Keys of JSON Schema and OpenAPI: below which stand values as they are, and below which the keys are names.
_VALUES = ("example", "examples", "default")
_OF_NAMES = ("properties", "patternProperties", "schemas", "parameters", "responses", "paths", "securitySchemes")


class Error(TypedDict):
    """The body of every answer that is not what was asked for."""

    error: ErrorDetail
    requestId: str


class GatewayMessage(TypedDict):
    """What the gateway says by itself: no token (401), a token that is not good (403), a body of more than it takes
    (413), too many requests (429), no keys of the issuer (500), and nobody free to answer, or no answer (503)."""

    message: str


# Refusals that the gateway may have made before Sluice was asked, in its own shape.
_ALSO_OF_THE_GATEWAY = (Unauthenticated, Forbidden, TooLarge, TooMany, Internal, Unavailable)


def document(
    title: str, version: str, description: str, routes: Routes, tags: Mapping[str, tuple[str, str]]
) -> dict[str, Any]:
    """The document of `routes`, as JSON values.

    tags: what the routes are about: the word that follows `/v1/` in their paths, with a name and a description.
    """
    inputs = [model for route in routes for model in _inputs(route)]
    outputs = [Error, GatewayMessage, *(route.answer for route in routes if isinstance(route.answer, type))]
    schemas, components = _schemas(inputs, outputs)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        told = {"tags": [tags[_area(route)][0]], **_operation(route, schemas, components)}
        paths.setdefault(route.path, {})[route.method.lower()] = told
    queries = {model.__name__ for route in routes if (model := route.query) is not None}
    made = {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": description},
        "servers": [SERVER],
        "tags": [{"name": name, "description": told} for name, told in dict.fromkeys(tags.values())],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": {name: schema for name, schema in sorted(components.items()) if name not in queries},
            "parameters": {
                idempotency.HEADER: _key(),
                parameters.VERSION: _version(),
                etags.ASKED: _known_tag(),
            },
            "responses": {error.__name__: _refusal(error, schemas) for error in _refusals(routes)},
            "securitySchemes": {SCHEME: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }
    shown: dict[str, Any] = _for_generators(made)
    return shown


def _area(route: Route[Any, Any]) -> str:
    """What the route is about: `jobs` of `/v1/jobs/{job_id}`."""
    parts = route.path.removeprefix("/v1").split("/")
    return parts[1]


def _for_generators(node: Any, *, names: bool = False) -> Any:
    """`node` without pydantic's titles, by which generators would name things twice.

    names: the keys of `node` are names of fields or schemas, and not words of JSON Schema.
    """
    if isinstance(node, list):
        return [_for_generators(one) for one in node]
    if not isinstance(node, dict):
        return node
    shown = {}
    for key, value in node.items():
        if names:
            shown[key] = _for_generators(value)
        elif key in _VALUES:
            shown[key] = value
        elif key != "title" or "version" in node:  # the API's own title stays
            shown[key] = _for_generators(value, names=key in _OF_NAMES)
    return shown


def _inputs(route: Route[Any, Any]) -> list[type]:
    uploads = route.uploads.values() if route.uploads else ()
    return [model for model in (route.body, route.query, *uploads) if model is not None]


def _schemas(inputs: Iterable[type], outputs: Iterable[type]) -> tuple[dict[type, Any], dict[str, Any]]:
    """A reference for each type, and the schemas that they refer to."""
    adapters: list[tuple[type, JsonSchemaMode, TypeAdapter[Any]]] = []
    adapters += [(one, "validation", TypeAdapter(one)) for one in dict.fromkeys(inputs)]
    adapters += [(one, "serialization", TypeAdapter(one)) for one in dict.fromkeys(outputs)]
    references, definitions = TypeAdapter.json_schemas(adapters, ref_template=REFERENCE)
    return {kind: reference for (kind, _), reference in references.items()}, definitions["$defs"]


def _operation(route: Route[Any, Any], schemas: dict[type, Any], components: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.call.__name__,
        "summary": route.summary,
        "parameters": [*_path(route), *_query(route, components), *_headers(route)],
        "responses": {str(route.status): _answer(route, schemas), **_errors(route)},
    }
    if route.body:
        operation["requestBody"] = {"required": True, "content": {JSON: _content(route.body, schemas)}}
    if route.uploads:
        content = {name: _content(model, schemas) for name, model in route.uploads.items()}
        operation["requestBody"] = {"required": True, "content": content}
    if route.permission is None:
        return operation | {"security": []}
    roles = ", ".join(role for role, permissions in ROLES.items() if route.permission in permissions)
    note = f"Needs the permission `{route.permission}`, which these roles have: {roles}."
    return operation | {"description": note, "security": [{SCHEME: []}]}


def _content(model: type, schemas: dict[type, Any]) -> dict[str, Any]:
    example = getattr(model, "example", None)
    return {"schema": schemas[model]} | ({"example": example} if example is not None else {})


def _path(route: Route[Any, Any]) -> list[dict[str, Any]]:
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in route.parameters]


def _query(route: Route[Any, Any], components: dict[str, Any]) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    schema = components[route.query.__name__]
    required = schema.get("required", [])
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "schema": _present(field),
        }
        | ({"description": field["description"]} if "description" in field else {})
        for name, field in schema["properties"].items()
    ]


def _headers(route: Route[Any, Any]) -> list[dict[str, Any]]:
    named = [idempotency.HEADER] if route.is_repeatable else []
    named += [parameters.VERSION] if route.versioned else []
    named += [etags.ASKED] if route.is_tagged else []
    return [{"$ref": f"#/components/parameters/{name}"} for name in named]


def _key() -> dict[str, Any]:
    told = "Yours, new for each request. Sent again with the same key within a day, it is done once and answered alike."
    schema = {"type": "string", "maxLength": idempotency.MOST_CHARACTERS, "pattern": f"^{idempotency.KEY}$"}
    return {"name": idempotency.HEADER, "in": "header", "required": False, "description": told, "schema": schema}


def _version() -> dict[str, Any]:
    told = 'The version that you have seen, as `"7"`. Where it is not the newest any more, nothing is done (412).'
    schema = {"type": "string", "maxLength": 20}
    return {"name": parameters.VERSION, "in": "header", "required": False, "description": told, "schema": schema}


def _known_tag() -> dict[str, Any]:
    told = "The `ETag` of an answer that you have. If nothing has changed since, you get 304 without a body."
    return {"name": etags.ASKED, "in": "header", "required": False, "description": told, "schema": {"type": "string"}}


def _present(field: dict[str, Any]) -> dict[str, Any]:
    """The schema of a parameter where it is given: a query string has no null."""
    [schema] = [one for one in field.get("anyOf", [field]) if one.get("type") != "null"]
    told = {"default": field["default"]} if field.get("default") is not None else {}
    return {key: value for key, value in schema.items() if key not in ("description", "title")} | told


def _answer(route: Route[Any, Any], schemas: dict[type, Any]) -> dict[str, Any]:
    if isinstance(route.answer, str):
        return {"description": "As asked for", "content": {route.answer: {"schema": {"type": "string"}}}}
    answer = {"description": "As asked for", "content": {JSON: {"schema": schemas[route.answer]}}}
    return answer | ({"headers": {"ETag": _TAG}} if route.is_tagged else {})


def _errors(route: Route[Any, Any]) -> dict[str, Any]:
    found = sorted(set(_possible(route)), key=lambda error: error.status)
    unchanged = {"304": {"description": "It is as it was", "headers": {"ETag": _TAG}}} if route.is_tagged else {}
    return unchanged | {str(error.status): {"$ref": f"#/components/responses/{error.__name__}"} for error in found}


def _possible(route: Route[Any, Any]) -> list[type[HttpError]]:
    """The refusals that the route may answer with."""
    possible: list[type[HttpError]] = [Invalid, Internal, TooMany, Unavailable, *route.errors]
    possible += [Unauthenticated, Forbidden] if route.permission else []
    possible += [TooLarge] if route.body or route.uploads else []
    possible += [Unsupported] if route.uploads else []
    possible += [NotFound] if route.parameters else []
    possible += [Conflict] if route.is_repeatable else []
    possible += [WrongVersion] if route.versioned else []
    return possible


def _refusals(routes: Routes) -> list[type[HttpError]]:
    return sorted({error for route in routes for error in _possible(route)}, key=lambda error: error.status)


def _refusal(error: type[HttpError], schemas: dict[type, Any]) -> dict[str, Any]:
    schema = schemas[Error]
    if error in _ALSO_OF_THE_GATEWAY:
        schema = {"anyOf": [schema, schemas[GatewayMessage]]}
    return {"description": _first_line(error.__doc__), "content": {JSON: {"schema": schema}}}


def _first_line(text: str | None) -> str:
    return (text or "").strip().splitlines()[0]
