"""Whoever asks again and again is told in a few bytes that nothing has changed."""

from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.capabilities import ROUTE_MODULES
from sluice.platform.http import etags, routing
from tests.support.http import call
from tests.unit.api.conftest import Cloud
from tests.unit.api.document import conforms, operation

POLLED = (
    ("/v1/jobs", "jobs"),
    ("/v1/market/prices", "prices"),
    ("/v1/inventory", "items"),
    ("/v1/ebay/listings", "listings"),
    ("/v1/stockx/listings", "listings"),
    ("/v1/operator/overview", "queues"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize(("path", "field"), POLLED)
def test_an_answer_that_has_not_changed_is_304_without_a_body(acme: Cloud, path: str, field: str) -> None:
    query = {"sku": "DD1391-100"} if "prices" in path else ""
    acme.enqueue("acme", "DD1391-100")
    first = call("GET", path, query=query)
    assert first.status == 200
    assert field in first.json
    again = call("GET", path, query=query, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.text) == (304, "")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Cache-Control"] == "no-store"


def test_one_that_has_changed_comes_whole(acme: Cloud) -> None:
    first = call("GET", "/v1/jobs")
    acme.enqueue("acme", "DD1391-100")
    again = call("GET", "/v1/jobs", headers={"if-none-match": first.headers["ETag"]})
    assert len(again.json["jobs"]) == 1
    assert again.headers["ETag"] != first.headers["ETag"]
    conforms("GET /v1/jobs", again)


def test_a_price_that_only_ages_has_not_changed(acme: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    acme.enqueue("acme", "DD1391-100")
    acme.price("DD1391-100")
    query = {"sku": "DD1391-100"}
    first = call("GET", "/v1/market/prices", query=query)
    later = routing.clock.now() + 30_000
    monkeypatch.setattr(routing.clock, "now", lambda: later)
    assert call("GET", "/v1/market/prices", query=query).headers["ETag"] == first.headers["ETag"]


def test_another_tenant_and_another_page_have_their_own(acme: Cloud) -> None:
    acme.enqueue("acme", "DD1391-100", "DZ5485-410")
    tag = call("GET", "/v1/jobs").headers["ETag"]
    assert call("GET", "/v1/jobs", tenant="globex", headers={"If-None-Match": tag}).status == 200
    assert call("GET", "/v1/jobs", query={"limit": 1}, headers={"If-None-Match": tag}).status == 200


def test_a_tag_lets_nobody_in(acme: Cloud) -> None:
    tag = call("GET", "/v1/jobs").headers["ETag"]
    assert call("GET", "/v1/jobs", tenant=None, headers={"If-None-Match": tag}).status == 401
    assert call("GET", "/v1/operator/tenants", roles="user", headers={"If-None-Match": "*"}).status == 403
    assert call("GET", "/v1/jobs", query={"state": "no"}, headers={"If-None-Match": "*"}).status == 400


def test_every_list_has_one_and_the_document_says_so() -> None:
    for module in ROUTE_MODULES:
        for route in import_module(module).ROUTES:
            told = operation(f"{route.method} {route.path}")
            assert ("304" in told["responses"]) is route.is_tagged
            assert ("ETag" in told["responses"][str(route.status)].get("headers", {})) is route.is_tagged
            if route.method == "GET" and route.query is not None and not isinstance(route.answer, str):
                assert route.is_tagged


@given(JSON)
def test_equal_answers_have_equal_tags_and_others_have_not(value: Any) -> None:
    tag = etags.of({"value": value})
    assert etags.of({"at": "2026-11-22T09:42:23.507Z", "value": value, "ageSeconds": 3}) == tag
    assert etags.of({"value": [value]}) != tag
    for said in (tag, f'"other", {tag}', tag.removeprefix("W/"), "*"):
        assert etags.is_known(tag, {"headers": {"if-none-match": said}})
    for said in ("", '"other"', 'W/""'):
        assert not etags.is_known(tag, {"headers": {"If-None-Match": said}})
