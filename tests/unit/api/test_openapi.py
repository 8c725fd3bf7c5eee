"""The OpenAPI document says what the API does."""

import json
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from local import collection
from local.cloud import template as templates
from local.cloud.template import resources
from sluice.capabilities import ROUTE_MODULES
from sluice.platform.http.auth import ROLES
from tests.support.http import call, route_functions
from tests.unit.api.conftest import Cloud
from tests.unit.api.document import document, operation


def test_every_refusal_of_the_gateway_is_documented_as_it_is() -> None:
    """They come in the one shape, or, from the gateway itself, as a message alone."""
    shapes = [{"$ref": f"#/components/schemas/{name}"} for name in ("Error", "GatewayMessage")]
    for name in ("Unauthenticated", "Forbidden", "TooLarge", "TooMany", "Internal", "Unavailable"):
        [content] = document()["components"]["responses"][name]["content"].values()
        assert content["schema"] == {"anyOf": shapes}
    for operations in document()["paths"].values():
        for one in operations.values():
            assert {"429", "500", "503"} <= one["responses"].keys()
            assert ({"401", "403"} <= one["responses"].keys()) is (one["security"] != [])


def test_the_document_is_served_and_valid(cloud: Cloud) -> None:
    answer = call("GET", "/v1/openapi.json", tenant=None)
    assert answer.status == 200
    assert answer.json["openapi"] == "3.1.0"
    assert [error.message for error in OpenAPIV31SpecValidator(answer.json).iter_errors()] == []


def test_it_has_the_routes_of_the_template_and_no_others() -> None:
    documented = {f"{method.upper()} {path}" for path, item in document()["paths"].items() for method in item}
    assert documented == set(route_functions())


def test_it_asks_for_a_token_where_the_template_does() -> None:
    public = {
        f"{event['Properties']['Method']} {event['Properties']['Path']}"
        for _, function in resources(templates.load(), "AWS::Serverless::Function")
        for event in function.get("Events", {}).values()
        if event["Properties"].get("Auth", {}).get("Authorizer") == "NONE"
    } & set(route_functions())
    assert {key for key in route_functions() if operation(key)["security"] == []} == public
    assert document()["components"]["securitySchemes"]["token"]["scheme"] == "bearer"


@pytest.mark.parametrize("key", route_functions())
def test_each_operation_says_what_it_takes_and_answers(key: str) -> None:
    told = operation(key)
    assert told["summary"]
    names = {parameter["name"] for parameter in told["parameters"] if parameter.get("in") == "path"}
    assert names == {part[1:-1] for part in key.split("/") if part.startswith("{")}
    assert all(parameter.get("description") != "" for parameter in told["parameters"])
    assert {"400", "500"} < set(told["responses"])


def test_an_item_is_described_though_it_is_checked_on_its_own() -> None:
    schemas = document()["components"]["schemas"]
    items = schemas["Refresh"]["properties"]["items"]
    assert (items["minItems"], items["maxItems"], items["items"]) == (
        1,
        500,
        {"$ref": "#/components/schemas/RefreshBody"},
    )
    item = schemas["RefreshBody"]
    assert item["required"] == ["sku", "size"]
    assert item["additionalProperties"] is False
    assert item["properties"]["priority"]["enum"] == ["manual", "hot", "background"]
    assert item["properties"]["sizeSystem"]["default"] is None


def test_every_reference_leads_somewhere() -> None:
    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [found for one in value.values() for found in references(one)]
        return [found for one in value for found in references(one)] if isinstance(value, list) else []

    for reference in references(document()):
        _, _, kind, name = reference.split("/")
        assert name in document()["components"][kind]


def test_names_are_in_camel_case() -> None:
    for name, schema in document()["components"]["schemas"].items():
        if name != "Credentials":
            assert not [field for field in schema.get("properties", {}) if "_" in field], name


def test_roles_are_told() -> None:
    for key in route_functions():
        if operation(key)["security"]:
            assert any(role in operation(key)["description"] for role in ROLES)


def test_it_is_small_enough_to_read(cloud: Cloud) -> None:
    assert len(json.dumps(document())) < 2_600 * len(route_functions())


def test_each_body_has_an_example_that_would_be_taken() -> None:
    for module in ROUTE_MODULES:
        for route in import_module(module).ROUTES:
            bodies: list[Any] = [route.body, *(route.uploads or {}).values()]
            for model in [one for one in bodies if hasattr(one, "model_validate")]:
                assert model.example is not None, model
                model.model_validate(model.example)
                shown = operation(f"{route.method} {route.path}")["requestBody"]["content"]["application/json"]
                assert shown["example"] == model.example


@pytest.mark.parametrize(
    "key",
    [
        "PUT /v1/ebay/listings/{sku}",
        "PUT /v1/ebay/listings",
        "POST /v1/ebay/listings/import",
        "PUT /v1/ebay/groups/{key}",
        "POST /v1/inventory",
        "POST /v1/inventory/import",
        "POST /v1/market/refresh",
        "POST /v1/promotions",
        "POST /v1/pages",
        "PUT /v1/webhooks/{webhook_id}",
        "PUT /v1/notifications",
    ],
)
def test_an_example_that_makes_something_makes_it(acme: Cloud, key: str) -> None:
    acme.connect_seller("acme")
    method, path = re.sub(r"{\w+}", "one", key).split(" ")
    answer = call(method, path, body=operation(key)["requestBody"]["content"]["application/json"]["example"])
    assert answer.status in (200, 201, 202), answer.text


def test_each_schema_has_a_plain_name_and_no_other() -> None:
    """Two models of one name would be called by their modules, and a generator would write one over the other."""
    assert not [name for name in document()["components"]["schemas"] if "__" in name]
    assert not [
        place
        for place, node in _schemas(document()["components"])
        if "title" in node and isinstance(node["title"], str)
    ]


def test_the_words_of_an_enum_are_told_apart_in_any_case() -> None:
    for place, node in _schemas(document()):
        words = [word.upper() for word in node.get("enum", [])]
        assert len(words) == len(set(words)), place


def test_what_is_a_time_says_so() -> None:
    for place, node in _schemas(document()["components"]["schemas"]):
        name = place[-1] if place else ""
        if place[-2:-1] == ("properties",) and re.fullmatch(r"\w+At|\w+Until|at|until|since", name):
            formats = {one.get("format") for one in node.get("anyOf", [node]) if one.get("type") != "null"}
            assert formats == {"date-time"}, place


def test_what_is_one_of_a_few_words_says_which() -> None:
    """The fields by which a client decides what to do next."""
    told = ("state", "outcome", "health")
    others = ("Outcomes", "SnapshotState")  # of actions of every kind; a whole record
    for place, node in _schemas(document()["components"]["schemas"]):
        if place[-2:-1] == ("properties",) and place[-1] in told and place[0] not in others:
            words = [one for one in node.get("anyOf", [node]) if one.get("type") == "string"]
            assert all("enum" in one for one in words), place


def test_tags_and_servers_are_told() -> None:
    tags = {tag["name"] for tag in document()["tags"]}
    used = {tag for path in document()["paths"].values() for one in path.values() for tag in one["tags"]}
    assert used == tags
    [server] = document()["servers"]
    assert server["variables"].keys() == {"api"}


def test_the_collection_is_the_documents() -> None:
    assert collection.FILE.read_text("utf-8") == collection.collection(document()), "run `make collection`"


def _schemas(node: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Every object of the document with where it stands, examples left out."""
    if isinstance(node, dict):
        yield place, node
        for key, value in node.items():
            if key not in ("example", "examples", "default"):
                yield from _schemas(value, (*place, key))
    if isinstance(node, list):
        for one in node:
            yield from _schemas(one, place)
