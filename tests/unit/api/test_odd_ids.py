"""Ids that are none, in every place of every route's path: an answer that the document knows, and never a 500."""

from urllib.parse import quote, urlencode

import pytest

from sluice.platform.clock import iso
from sluice.platform.http import public_ids
from tests.support.http import Answer, call, event, route_functions, send
from tests.support.letters import DIED_AT, write
from tests.unit.api.conftest import Cloud
from tests.unit.api.document import conforms, operation
from tests.unit.api.test_tenants import ATTEMPTS, IDS, PUBLIC

# One byte more than a key of DynamoDB may have, in the form of each kind of id.
TOO_LONG = (
    public_ids.encode(f"{iso(DIED_AT)}#{'A' * 998}#1"),
    public_ids.encode("A" * 1_014 + ":us-10.5+-"),
    "market.refresh:" + "A" * 1_010,
    "A" * 100_000,
    "é" * 700,
)
# What no id of anything can be.
IMPOSSIBLE = ("", "\x00", "a\x00b", "a\nb", "\x7f", "\ufffd", "\ud800", "a\udfff", *("x" * 1_367, "😀" * 500))
ODD = (".", "..", " ", "%", "%00", "%2F", "../../etc", "a?b=c", "a#b", "'", '"', "<b>", "é", "😀", "=1+1")
PLACES = [(key, name) for key in route_functions() for name in IDS | {"name": ""} if f"{{{name}}}" in key]


def ask(key: str, name: str, value: str) -> Answer:
    """A request of this route as the gateway hands it on, with `value` as the parameter `name`."""
    method, _, path = key.partition(" ")
    good = {**IDS, "name": "sneakers.svg"}
    for other, known in good.items():
        path = path.replace(f"{{{other}}}", quote(known, safe=""))
    request, _ = ATTEMPTS.get(key, ({}, 200))
    roles = "operator platform" if "/operator/" in path else "operator"
    made = event(method, path, **request, tenant=None if key in PUBLIC else "acme", roles=roles)
    made["pathParameters"] |= {name: value}
    return send(made)


@pytest.mark.parametrize(("key", "name"), PLACES)
def test_an_id_that_can_be_none_is_not_found_and_changes_nothing(acme: Cloud, key: str, name: str) -> None:
    write()
    before = acme.content()
    for value in IMPOSSIBLE:
        answer = ask(key, name, value)
        assert answer.status == 404, (value, answer.text)
        conforms(key, answer)
    assert acme.content() == before


@pytest.mark.parametrize(("key", "name"), PLACES)
def test_an_odd_id_or_a_long_one_is_no_fault_of_ours(acme: Cloud, key: str, name: str) -> None:
    before = acme.content()
    for value in (*ODD, *TOO_LONG):
        answer = ask(key, name, value)
        assert answer.status in (400, 404), (value, answer.text)
        conforms(key, answer)
    assert acme.content() == before


def test_every_place_is_tried() -> None:
    assert len(PLACES) == sum(key.count("{") for key in route_functions())


# Whatever stands in a query may become part of a key, a filter or a number.
QUERIES = [
    (key, parameter["name"])
    for key in route_functions()
    for parameter in operation(key)["parameters"]
    if parameter.get("in") == "query"
]
ODD_VALUES = (
    *ODD,
    *TOO_LONG,
    *IMPOSSIBLE,
    "0",
    "9" * 400,
    "1e9",
    "nan",
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59",
)


@pytest.mark.parametrize(("key", "name"), QUERIES)
def test_an_odd_query_is_no_fault_of_ours(acme: Cloud, key: str, name: str) -> None:
    method, _, path = key.partition(" ")
    for value in ODD_VALUES:
        query = urlencode({name: value}, errors="surrogatepass")
        answer = call(method, path, query=query, roles="operator platform" if "/operator/" in path else "operator")
        assert answer.status in (200, 400, 404), (value, answer.text)
        conforms(key, answer)
        assert len(answer.text) < 10_000
