"""The checks themselves, on a document small enough to read."""

from pathlib import Path

import pytest

from tests.contract import documents
from tests.contract.documents import Document

ITEM = {"type": "object", "properties": {"id": {"type": "string"}, "note": {"type": "string", "nullable": True}}}
OR_NULL = {"allOf": [{"$ref": "#/components/schemas/Error"}], "nullable": True}
ERROR = {"type": "object", "required": ["message"], "properties": {"message": {"type": "string"}}}
BOTH: list[dict[str, list[str]]] = [{"key": [], "jwt": []}]


def _json(schema: object) -> dict[str, object]:
    return {"content": {"application/json": {"schema": schema}}}


SPEC = {
    "openapi": "3.0.3",
    "components": {
        "schemas": {"Item": {**ITEM, "required": ["id", "note"], "additionalProperties": False}, "Error": ERROR},
        "securitySchemes": {
            "key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
            "jwt": {"type": "http", "scheme": "bearer"},
        },
    },
    "paths": {
        "/items/{id}": {
            "get": {
                "security": BOTH,
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "maxLength": 3}},
                    {"name": "size", "in": "query", "required": True, "schema": {"type": "integer", "maximum": 50}},
                    {"name": "old", "in": "query", "deprecated": True, "schema": {"type": "string"}},
                ],
                "responses": {
                    "200": _json({"$ref": "#/components/schemas/Item"}),
                    "404": _json({"$ref": "#/components/schemas/Error"}),
                },
            }
        },
        "/items/all": {"get": {"responses": {"200": _json({"type": "array", "items": OR_NULL})}}},
        "/items": {
            "post": {
                "requestBody": {"required": True, **_json({"$ref": "#/components/schemas/Item"})},
                "responses": {"201": _json({"type": "object"})},
            }
        },
    },
}
DOCUMENT = Document(SPEC)
KEYS = {"X-Api-Key": "k", "Authorization": "Bearer t"}
POST = {"Content-Type": "application/json; charset=utf-8"}


def test_a_call_as_documented_passes() -> None:
    assert DOCUMENT.check_request("GET", "/items/a", query={"size": "50"}, headers=KEYS) == []
    assert DOCUMENT.check_request("POST", "/items", headers=POST, body=b'{"id":"a","note":null}') == []


@pytest.mark.parametrize(
    ("path", "query", "headers", "wrong"),
    [
        ("/item/a", {"size": "1"}, KEYS, "no such call"),
        ("/items/abcd", {"size": "1"}, KEYS, "path parameter id"),
        ("/items/a", {}, KEYS, "size is missing"),
        ("/items/a", {"size": "51"}, KEYS, "query parameter size"),
        ("/items/a", {"size": "many"}, KEYS, "query parameter size"),
        ("/items/a", {"size": "1", "page": "2"}, KEYS, "page is unknown"),
        ("/items/a", {"size": "1", "old": "x"}, KEYS, "old is deprecated"),
        ("/items/a", {"size": "1"}, {"Authorization": "Bearer t"}, "x-api-key is missing"),
        ("/items/a", {"size": "1"}, {**KEYS, "Authorization": "Basic t"}, "must be a bearer token"),
    ],
)
def test_a_call_that_is_not_as_documented_is_named(
    path: str, query: dict[str, str], headers: dict[str, str], wrong: str
) -> None:
    (found,) = DOCUMENT.check_request("GET", path, query=query, headers=headers)
    assert wrong in found


@pytest.mark.parametrize(
    ("headers", "body", "wrong"),
    [
        (POST, b"", "the body is missing"),
        ({}, b"{}", "content-type missing"),
        (POST, b'{"id":1,"note":null}', "$.id"),
        (POST, b'{"id":"a","note":null,"more":1}', "more"),
    ],
)
def test_a_body_that_is_not_as_documented_is_named(headers: dict[str, str], body: bytes, wrong: str) -> None:
    (found,) = DOCUMENT.check_request("POST", "/items", headers=headers, body=body)
    assert wrong in found


def test_an_answer_is_checked_by_its_status() -> None:
    assert DOCUMENT.check_response("GET", "/items/a", 200, {"id": "a", "note": None}) == []
    assert DOCUMENT.check_response("GET", "/items/a", 200, {"id": None, "note": None}) != []
    assert DOCUMENT.check_response("GET", "/items/a", 404, {"message": "gone"}) == []
    assert DOCUMENT.check_response("GET", "/items/a", 202, {}) != []


def test_an_error_that_is_not_listed_has_the_shape_of_those_that_are() -> None:
    assert DOCUMENT.check_response("GET", "/items/a", 503, {"message": "later"}) == []
    assert DOCUMENT.check_response("GET", "/items/a", 503, {"error": "later"}) != []


def test_a_nullable_reference_may_be_null_and_nothing_else() -> None:
    assert DOCUMENT.check_response("GET", "/items/all", 200, [None, {"message": "x"}]) == []
    assert DOCUMENT.check_response("GET", "/items/all", 200, [{"message": None}]) != []


def test_a_path_without_parameters_wins() -> None:
    operation = DOCUMENT.operation("GET", "/items/all")
    assert operation is not None
    assert operation.template == "/items/all"


def test_without_the_document_the_test_is_skipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SLUICE_CONTRACTS", str(tmp_path))
    with pytest.raises(pytest.skip.Exception, match="SLUICE_CONTRACTS"):
        documents.document("stockx")
