"""The sandbox's Alias against Alias's document: every call that it plays, and every refusal."""

from collections.abc import Callable, Iterator

import httpx
import pytest

from local.sandbox.faults import Fault, Hang, ServerError, Throttle
from local.sandbox.limits import Limits
from local.sandbox.server import Sandbox
from tests.contract.documents import Document, document
from tests.unit.sandbox.client import Clock, connected

BASE = "/api/v1"
PANDA = "nike-dunk-low-retro-white-black-panda-1"
VARIANT = {
    "catalog_id": PANDA,
    "size": "10.5",
    "product_condition": "PRODUCT_CONDITION_NEW",
    "packaging_condition": "PACKAGING_CONDITION_GOOD_CONDITION",
}
CALLS: dict[str, dict[str, str]] = {
    f"{BASE}/test": {},
    f"{BASE}/catalog": {"query": "DD1391 100", "limit": "50", "pagination_token": "0"},
    f"{BASE}/catalog/{PANDA}": {},
    f"{BASE}/pricing_insights/availabilities/{PANDA}": {"consigned": "true", "region_id": "1"},
    f"{BASE}/pricing_insights/availability": {**VARIANT, "consigned": "false"},
}
Get = Callable[[str, dict[str, str]], httpx.Response]


@pytest.fixture(scope="module")
def alias() -> Document:
    return document("alias")


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Sandbox, Get]]:
    with Sandbox(seed=7, clock=Clock(), limits=Limits()) as sandbox, connected(sandbox) as client:
        headers = {"authorization": f"Bearer {client.credentials.personal_access_token}"}
        yield sandbox, lambda path, query: client.http.get(path, params=query, headers=headers)


def _wrong(alias: Document, answer: httpx.Response) -> list[str]:
    """What is wrong with the call that was sent and with its answer."""
    sent, path = answer.request, answer.request.url.path
    query, headers = dict(sent.url.params), dict(sent.headers)
    problems = alias.check_request(sent.method, path, query=query, headers=headers, body=sent.content)
    return [*problems, *alias.check_response(sent.method, path, answer.status_code, answer.json())]


@pytest.mark.parametrize("path", CALLS)
def test_each_call_and_its_answer_are_as_documented(alias: Document, running: tuple[Sandbox, Get], path: str) -> None:
    answer = running[1](path, CALLS[path])
    assert answer.status_code == 200
    assert answer.headers["x-request-id"]
    assert _wrong(alias, answer) == []


@pytest.mark.parametrize("path", list(CALLS)[1:4])
def test_each_answer_has_the_fields_of_the_documents_example(
    alias: Document, running: tuple[Sandbox, Get], path: str
) -> None:
    operation = alias.operation("GET", path)
    assert operation is not None
    example = operation.spec["responses"]["200"]["content"]["application/json"]["example"]
    query = {name: text for name, text in CALLS[path].items() if name != "consigned"}
    assert _shape(running[1](path, query).json()) == _shape(example)


def _shape(value: object) -> object:
    """The names of the fields, of the first item of each list, and not the values."""
    if isinstance(value, dict):
        return {name: _shape(part) for name, part in value.items()}
    return [_shape(value[0])] if isinstance(value, list) and value else None


@pytest.mark.parametrize("path", CALLS)
@pytest.mark.parametrize("fault", [Throttle(), ServerError(status=500), ServerError(status=503), Hang(hold_ms=1)])
def test_each_fault_is_as_documented(alias: Document, running: tuple[Sandbox, Get], path: str, fault: Fault) -> None:
    sandbox, get = running
    sandbox.faults.set(fault)
    answer = get(path, CALLS[path])
    sandbox.faults.clear()
    assert answer.status_code >= 400
    assert _wrong(alias, answer) == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{BASE}/catalog", 400),
        (f"{BASE}/catalog/unknown", 404),
        (f"{BASE}/pricing_insights/availabilities/unknown", 404),
        (f"{BASE}/pricing_insights/availability", 400),
    ],
)
def test_each_refusal_is_as_documented(alias: Document, running: tuple[Sandbox, Get], path: str, status: int) -> None:
    answer = running[1](path, {})
    assert answer.status_code == status
    assert alias.check_response("GET", path, status, answer.json()) == []
