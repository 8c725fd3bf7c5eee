"""The marketplaces' OpenAPI documents, when they are at hand, and checks of calls and answers against them.

The documents belong to the marketplaces and are not part of this repository. `SLUICE_CONTRACTS` names the folder that
has them; without it, `../shared/contracts` beside the repository is looked at. A test that needs one skips without it.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from openapi_schema_validator import OAS30Validator, oas30_format_checker
from referencing import Registry
from referencing.jsonschema import DRAFT4
from starlette.routing import compile_path

ROOT = Path(__file__).resolve().parents[2]
FILES = {"stockx": "stockx_v2_oas30.json", "alias": "alias_v1_oas30.json", "ebay": "ebay_mock_oas30.json"}
_DOCUMENT = "urn:contract"
_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"

Json = Any


def document(marketplace: str) -> "Document":
    """The document of `stockx`, `alias` or `ebay`. Skips the calling test when it is not at hand."""
    folder = Path(os.environ.get("SLUICE_CONTRACTS") or ROOT.parent / "shared" / "contracts")
    path = folder / FILES[marketplace]
    if not path.is_file():
        pytest.skip(f"no {path.name} at hand: set SLUICE_CONTRACTS to the folder that has the OpenAPI documents")
    return _load(path)


@lru_cache(maxsize=3)
def _load(path: Path) -> "Document":
    return Document(json.loads(path.read_text(encoding="utf-8")))


@dataclass(frozen=True)
class Operation:
    """One method of one path of the document, found for a real path."""

    method: str
    template: str
    parameters: Mapping[str, str]
    spec: Mapping[str, Json]

    def pointer(self, *parts: str) -> str:
        """The address of a part of this operation inside the document."""
        steps = ("paths", self.template, self.method.lower(), *parts)
        return "/".join(("#", *(step.replace("~", "~0").replace("/", "~1") for step in steps)))


class Document:
    """An OpenAPI 3.0 document. Checks return what is wrong, a sentence each; nothing wrong is an empty list."""

    def __init__(self, spec: Mapping[str, Json]) -> None:
        self.spec = spec
        resource = DRAFT4.create_resource(_with_nullable_references(spec))
        self._registry: Registry[Json] = Registry().with_resource(_DOCUMENT, resource)
        # A path without parameters wins over one that has them in its place.
        templates = sorted(spec["paths"], key=lambda template: template.count("{"))
        self._paths = [(compile_path(template)[0], template) for template in templates]

    def operation(self, method: str, path: str) -> Operation | None:
        for pattern, template in self._paths:
            operations = self.spec["paths"][template]
            if (match := pattern.match(path)) and method.lower() in operations:
                return Operation(method, template, match.groupdict(), operations[method.lower()])
        return None

    def check_request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> list[str]:
        """What the marketplace would refuse: an unknown path or parameter, a missing or wrong one, a wrong body."""
        operation = self.operation(method, path)
        if operation is None:
            return [f"{method} {path}: the document has no such call"]
        sent = {name.lower(): value for name, value in (headers or {}).items()}
        given = {"path": operation.parameters, "query": query or {}, "header": sent}
        found = [
            *self._check_parameters(operation, given),
            *self._check_security(operation, sent),
            *self._check_body(operation, sent.get("content-type", ""), body),
        ]
        return [f"{method} {path}: {each}" for each in found]

    def check_response(self, method: str, path: str, status: int, body: Json) -> list[str]:
        """What the document does not promise about an answer. `body` is the parsed JSON.

        An error status that the call does not list has the shape of the errors that it lists; a 207, whose shape no
        document gives, that of the 200.
        """
        operation = self.operation(method, path)
        if operation is None:
            return [f"{method} {path}: the document has no such call"]
        listed = operation.spec["responses"]
        fallback = max(listed) if status >= 400 else None
        shape = "200" if status == 207 and "207" in listed else str(status)
        entry = shape if shape in listed else fallback
        if entry is None:
            return [f"{method} {path}: the document lists {', '.join(listed)}, not {status}"]
        if _JSON not in listed[entry].get("content", {}):
            return []
        pointer = operation.pointer("responses", entry, "content", _JSON, "schema")
        return [f"{method} {path} {status}: {each}" for each in self._errors(pointer, body)]

    def _check_parameters(self, operation: Operation, given: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
        known = set()
        for place, parameter in enumerate(operation.spec.get("parameters", ())):
            name, where = parameter["name"], parameter["in"]
            key = name.lower() if where == "header" else name
            known.add((where, key))
            if key not in given[where]:
                if parameter.get("required"):
                    yield f"{where} parameter {name} is missing"
                continue
            if parameter.get("deprecated"):
                yield f"{where} parameter {name} is deprecated"
            value = _read(given[where][key], self._resolved(parameter["schema"]))
            pointer = operation.pointer("parameters", str(place), "schema")
            yield from (f"{where} parameter {name}: {each}" for each in self._errors(pointer, value))
        yield from (f"query parameter {name} is unknown" for name in given["query"] if ("query", name) not in known)

    def _check_security(self, operation: Operation, headers: Mapping[str, str]) -> Iterator[str]:
        wanted = operation.spec.get("security", self.spec.get("security", ()))
        for name in {name for requirement in wanted for name in requirement}:
            scheme = self.spec["components"]["securitySchemes"][name]
            header = scheme["name"].lower() if scheme["type"] == "apiKey" else "authorization"
            if not headers.get(header):
                yield f"header {header} is missing"
            elif scheme.get("scheme") == "bearer" and not headers[header].startswith("Bearer "):
                yield "header authorization must be a bearer token"

    def _check_body(self, operation: Operation, content_type: str, body: bytes) -> Iterator[str]:
        spec = operation.spec.get("requestBody")
        if spec is None:
            if body:
                yield "the call takes no body"
            return
        if not body:
            if spec.get("required"):
                yield "the body is missing"
            return
        media = content_type.partition(";")[0].strip()
        if media not in spec["content"]:
            yield f"content-type {media or 'missing'}: the call takes {', '.join(spec['content'])}"
            return
        value = dict(parse_qsl(body.decode(), keep_blank_values=True)) if media == _FORM else json.loads(body)
        yield from (
            f"body: {each}"
            for each in self._errors(operation.pointer("requestBody", "content", media, "schema"), value)
        )

    def _errors(self, pointer: str, value: Json) -> list[str]:
        validator = OAS30Validator(
            {"$ref": f"{_DOCUMENT}{_quoted(pointer)}"}, registry=self._registry, format_checker=oas30_format_checker
        )
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]

    def _resolved(self, schema: Mapping[str, Json]) -> Mapping[str, Json]:
        while "$ref" in schema:
            schema = self._registry.resolver(_DOCUMENT).lookup(schema["$ref"]).contents
        return schema


def _with_nullable_references(part: Json) -> Json:
    """`allOf` beside `nullable` is how documents of OpenAPI 3.0 write "this reference, or null". Read strictly, the
    reference would forbid the null again, so it is put as what it means."""
    if isinstance(part, list):
        return [_with_nullable_references(item) for item in part]
    if not isinstance(part, dict):
        return part
    whole = {key: _with_nullable_references(value) for key, value in part.items()}
    if "allOf" in whole and whole.get("nullable") is True:
        return {"anyOf": [{"allOf": whole["allOf"]}, {"enum": [None], "nullable": True}]}
    return whole


def _quoted(pointer: str) -> str:
    """A pointer as it stands in a URL: path templates have braces."""
    return pointer.replace("{", "%7B").replace("}", "%7D")


def _read(text: str, schema: Mapping[str, Json]) -> Json:
    """A parameter's text as its schema's type; the text itself when it cannot be read so."""
    try:
        match schema.get("type"):
            case "integer":
                return int(text)
            case "number":
                return float(text)
            case "boolean":
                return {"true": True, "false": False}.get(text, text)
            case "array":
                return text.split(",")
    except ValueError:
        return text
    return text
