"""Lists, cursors, refused items and what is not found have one form each, whichever route answers."""

from importlib import import_module
from typing import Any, get_type_hints

import pytest
from pydantic.alias_generators import to_camel

from sluice import capabilities
from sluice.platform.http.items import Answered
from sluice.platform.http.models import Cursor, PageQuery
from sluice.platform.http.paging import Place, encode
from sluice.platform.http.routing import Route
from tests.support.http import call
from tests.unit.api.conftest import Cloud
from tests.unit.api.test_tenants import ATTEMPTS, DEPLOYMENT, IDS, attempt, own, path_of

ROUTES: dict[str, Route[Any, Any]] = {
    f"{route.method} {route.path}": route
    for module in capabilities.ROUTE_MODULES
    for route in import_module(module).ROUTES
}
PAGED = [
    key
    for key, route in ROUTES.items()
    if key.startswith("GET") and isinstance(route.answer, type) and "next" in get_type_hints(route.answer)
]
# What a request for a list must say besides.
REQUIRED = {"GET /v1/market/prices": {"sku": "DD1391-100"}}
# How much a page of these looks through: the prices of a shoe in all its sizes are one answer.
LIMITS = {"GET /v1/market/prices": 500}
OF_ONE = sorted(key for key, (_, status) in ATTEMPTS.items() if status == 404 and "{" in key)


def test_the_lists_are_there() -> None:
    assert {"GET /v1/jobs", "GET /v1/inventory", "GET /v1/pages", "GET /v1/promotions"} <= set(PAGED)


@pytest.mark.parametrize("key", PAGED)
def test_a_list_takes_the_one_page_and_the_one_cursor(key: str) -> None:
    query = ROUTES[key].query
    assert query
    assert issubclass(query, PageQuery)
    for name in PageQuery.model_fields:
        asked, common = query.model_fields[name], PageQuery.model_fields[name]
        default = LIMITS.get(key, common.default) if name == "limit" else common.default
        assert (asked.annotation, asked.default) == (common.annotation, default)


@pytest.mark.parametrize("key", PAGED)
def test_a_cursor_that_the_caller_was_not_given_is_refused_alike(acme: Cloud, key: str) -> None:
    own(acme)
    roles = "operator platform" if key in DEPLOYMENT else "operator"
    known = [encode(Place(IDS["page_id"]), "globex"), encode(Place("../etc"), "acme"), "x"]
    answers = [
        call("GET", path_of(key), query={**REQUIRED.get(key, {}), "cursor": cursor}, roles=roles) for cursor in known
    ]
    assert [answer.status for answer in answers] == [400, 400, 400]
    told = {"cursor": "is not one that this API gave you; leave it out to begin anew"}
    assert [answer.fields for answer in answers] == [told] * 3


@pytest.mark.parametrize("key", ["POST /v1/dead-letters/replay", "POST /v1/inventory/refresh"])
def test_a_body_that_goes_on_from_a_list_takes_its_cursor(key: str) -> None:
    assert ROUTES[key].body.model_fields["cursor"].annotation == Cursor | None  # type: ignore[union-attr]


@pytest.mark.parametrize("key", OF_ONE)
def test_what_is_not_there_and_what_is_anothers_are_answered_alike(acme: Cloud, key: str) -> None:
    own(acme)
    answer = attempt(key, tenant="globex")
    error = answer.json["error"]
    assert (answer.status, error["code"]) == (404, "not_found")
    if "{marketplace}" in key:  # there is such a marketplace; what is missing is the account
        return
    assert error["message"].startswith("there is no such ")
    [(field, message)] = answer.fields.items()
    assert field in {to_camel(name) for name in ROUTES[key].parameters}
    assert message == "not found"


def test_every_answer_about_an_item_has_the_one_form() -> None:
    """So the answer that says why an item was refused is the same, whatever was asked for."""
    common = get_type_hints(Answered, include_extras=True)
    found = 0
    for route in ROUTES.values():
        items = get_type_hints(route.answer).get("items") if isinstance(route.answer, type) else None
        [item] = getattr(items, "__args__", [None])
        shown = get_type_hints(item, include_extras=True) if item else {}
        if "index" in shown:
            found += 1
            assert {name: shown[name] for name in common} == common
    assert found >= 4
