"""The sandbox's listings, operations and batches against StockX's own document, in every state that they can be in."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from local.sandbox.faults import Fault, Hang, NotFound, ServerError, Throttle
from local.sandbox.limits import Limits
from local.sandbox.outcomes import AtOnce, FailOperation, NeverEnd, TextCounts, Vocabulary
from local.sandbox.server import Sandbox
from local.sandbox.stockx.book import LONGEST_MS
from tests.contract.documents import Document, document
from tests.unit.sandbox.client import Client, Clock, connected
from tests.unit.sandbox.seller import BATCH, LISTINGS, NOTHING, PANDA_10

NEW: dict[str, object] = {"amount": "150", "variantId": PANDA_10}
EVERYTHING: dict[str, object] = {
    **NEW,
    "currencyCode": "EUR",
    "expiresAt": "2027-01-01T00:00:00.000Z",
    "active": False,
    "inventoryType": "DIRECT",
}


@pytest.fixture(scope="module")
def stockx() -> Document:
    return document("stockx")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox(clock: Clock) -> Iterator[Sandbox]:
    with Sandbox(seed=7, clock=clock, limits=Limits()) as sandbox:
        yield sandbox


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    with connected(sandbox) as client:
        yield client


@dataclass
class Checked:
    """Sends a call, and fails when the call or its answer is not as documented."""

    stockx: Document
    client: Client

    def __call__(
        self, method: str, path: str, body: object = None, status: int = 200, query: dict[str, str | int] | None = None
    ) -> Any:
        answer = self.client.http.request(method, path, headers=self.client.headers, json=body, params=query)
        assert answer.status_code == status, answer.text
        sent, path = answer.request, answer.request.url.path
        asked, headers = dict(sent.url.params), dict(sent.headers)
        assert self.stockx.check_request(method, path, query=asked, headers=headers, body=sent.content) == []
        assert self.answer_is_wrong(answer) == []
        return answer.json()

    def answer_is_wrong(self, answer: httpx.Response) -> list[str]:
        sent = answer.request
        return self.stockx.check_response(sent.method, sent.url.path, answer.status_code, answer.json())


@pytest.fixture
def call(stockx: Document, client: Client) -> Checked:
    return Checked(stockx, client)


def _see(call: Checked, operation: Any) -> str:
    """Every read of a listing and its operation; the operation's status."""
    path = f"{LISTINGS}/{operation['listingId']}"
    call("GET", LISTINGS, query={"variantIds": PANDA_10, "pageSize": 100})
    call("GET", f"{path}/operations", query={"pageSize": 1})
    status: str = call("GET", f"{path}/operations/{operation['operationId']}")["operationStatus"]
    return status


@pytest.mark.parametrize("new", [{**NEW, "active": False}, EVERYTHING], ids=["least", "everything"])
def test_a_listing_is_as_documented_in_every_state(call: Checked, clock: Clock, new: dict[str, object]) -> None:
    path = f"{LISTINGS}/{call('POST', LISTINGS, new, status=201)['listingId']}"
    statuses = [call("GET", path)["status"]]
    for method, where, body in (
        ("PATCH", "", {"amount": "140"}),
        ("PUT", "/activate", {"expiresAt": "2027-01-01T00:00:00.000Z"}),
        ("PUT", "/deactivate", None),
        ("DELETE", "", None),
    ):
        assert _see(call, call(method, f"{path}{where}", body)) == "PENDING"
        clock.now += 2 * LONGEST_MS
        statuses.append(call("GET", path)["status"])
    assert statuses == ["INACTIVE", "INACTIVE", "ACTIVE", "INACTIVE", "DELETED"]


@pytest.mark.parametrize(
    ("faults", "status"),
    [((AtOnce(),), "SUCCEEDED"), ((AtOnce(), FailOperation()), "FAILED"), ((NeverEnd(),), "PENDING")],
)
def test_an_operation_is_as_documented_however_it_ends(
    call: Checked, sandbox: Sandbox, faults: tuple[Fault, ...], status: str
) -> None:
    sandbox.faults.set(AtOnce())
    path = f"{LISTINGS}/{call('POST', LISTINGS, NEW, status=201)['listingId']}"
    sandbox.faults.set(*faults)
    operation = call("PATCH", path, {"amount": "140"})
    assert _see(call, operation) == operation["operationStatus"] == status
    assert call("GET", path)["lastOperation"]["operationStatus"] == status


def test_batches_are_as_documented_while_they_run_and_when_they_end_partly(
    call: Checked, clock: Clock, sandbox: Sandbox
) -> None:
    sandbox.faults.set(FailOperation(item=1))
    created = _batch(call, clock, "create", [{**new, "quantity": 1} for new in (NEW, NEW, EVERYTHING)])
    ids = [item["result"]["listingId"] for item in created if item["status"] == "COMPLETED"]
    assert len(ids) == 2
    for listing_id in ids:
        call("GET", f"{LISTINGS}/{listing_id}")
    _batch(call, clock, "update", [{"listingId": ids[0], "amount": "9"}, {"listingId": ids[1], "active": True}])
    _batch(call, clock, "delete", [{"listingId": each} for each in (*ids, NOTHING)])


def _batch(call: Checked, clock: Clock, kind: str, items: list[dict[str, object]]) -> Any:
    """The items at the end of a batch that was looked at all the way."""
    path = f"{BATCH}/{kind}-listing"
    batch = call("POST", path, {"items": items})
    path, statuses = f"{path}/{batch['batchId']}", {batch["status"]}
    for _ in range(20):
        clock.now += LONGEST_MS // 20
        statuses.add(call("GET", path)["status"])
        call("GET", f"{path}/items", query={"status": "QUEUED"})
    assert statuses >= {"IN_PROGRESS", "COMPLETED"}
    ended: Any = call("GET", f"{path}/items")["items"]
    assert {item["status"] for item in ended} == {"COMPLETED", "FAILED"}
    return ended


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", LISTINGS, {**NEW, "amount": "0"}, 400),
        ("POST", LISTINGS, {**NEW, "variantId": NOTHING}, 404),
        ("POST", LISTINGS, None, 415),
        ("GET", f"{LISTINGS}?pageSize=101", None, 400),
        ("GET", f"{LISTINGS}/{NOTHING}", None, 404),
        ("PATCH", f"{LISTINGS}/{NOTHING}", {"amount": "1"}, 404),
        ("DELETE", f"{LISTINGS}/{NOTHING}", None, 404),
        ("PUT", f"{LISTINGS}/{NOTHING}/activate", {}, 404),
        ("PUT", f"{LISTINGS}/{NOTHING}/deactivate", None, 404),
        ("GET", f"{LISTINGS}/{NOTHING}/operations", None, 404),
        ("GET", f"{LISTINGS}/{NOTHING}/operations/{NOTHING}", None, 404),
        ("POST", f"{BATCH}/create-listing", {"items": []}, 400),
        ("POST", f"{BATCH}/update-listing", {"items": [{}]}, 400),
        ("GET", f"{BATCH}/delete-listing/{NOTHING}", None, 404),
        ("GET", f"{BATCH}/delete-listing/{NOTHING}/items", None, 404),
    ],
)
def test_each_refusal_is_as_documented(
    client: Client, call: Checked, method: str, path: str, body: Any, status: int
) -> None:
    answer = client.send(method, path, body)
    assert answer.status_code == status
    assert call.answer_is_wrong(answer) == []


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Throttle(), 429),
        (ServerError(status=500), 500),
        (ServerError(), 503),
        (NotFound(), 404),
        (Hang(hold_ms=1), 504),
    ],
)
def test_each_fault_that_stands_for_an_error_is_as_documented(
    client: Client, call: Checked, sandbox: Sandbox, fault: Fault, status: int
) -> None:
    sandbox.faults.set(fault)
    for method, path in (
        ("POST", LISTINGS),
        ("GET", f"{LISTINGS}/x/operations/y"),
        ("GET", f"{BATCH}/create-listing/x"),
    ):
        answer = client.send(method, path, NEW if method == "POST" else None)
        assert answer.status_code == status
        assert call.answer_is_wrong(answer) == []


@pytest.mark.parametrize("fault", [Vocabulary(), TextCounts()])
def test_other_words_and_counts_in_strings_are_not_as_documented(
    client: Client, call: Checked, sandbox: Sandbox, fault: Fault
) -> None:
    sandbox.faults.set(fault)
    single = client.send("POST", LISTINGS, NEW)
    batch = client.send("POST", f"{BATCH}/create-listing", {"items": [{**NEW, "quantity": 1}]})
    assert [*call.answer_is_wrong(single), *call.answer_is_wrong(batch)] != []


def test_the_sandbox_plays_every_listing_and_batch_call_of_the_document(stockx: Document, client: Client) -> None:
    """A path that is not played answers `Cannot GET ...`."""
    for template, operations in stockx.spec["paths"].items():
        if not template.startswith((LISTINGS, BATCH)):
            continue
        for method in operations:
            path = template.format(listingId="x", operationId="y", batchId="z")
            assert "Cannot" not in client.send(method.upper(), path, {}).text
