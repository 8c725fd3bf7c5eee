"""The sandbox's eBay against eBay's document: the token, searches with and without warnings, limits, and refusals."""

from base64 import b64encode
from collections.abc import Callable, Iterator

import httpx
import pytest

from local.sandbox.faults import AddField, Fault, Hang, RetypeField, ServerError, Throttle
from local.sandbox.limits import Limits
from local.sandbox.server import Sandbox
from tests.contract.documents import Document, document
from tests.support.patience import SECONDS
from tests.unit.sandbox.client import Clock, connected

SEARCH = "/buy/browse/v1/item_summary/search"
RATE_LIMITS = "/developer/analytics/v1_beta/rate_limit/"
TOKEN = "/identity/v1/oauth2/token"
SIZE = {"category_ids": "15709", "aspect_filter": "categoryId:15709,US Shoe Size:{10}"}
WHOLE = {"q": "DD1391-100", "filter": "conditions:{NEW}", "sort": "price", "limit": "200", **SIZE}
Get = Callable[[str, dict[str, str]], httpx.Response]


@pytest.fixture(scope="module")
def ebay() -> Document:
    return document("ebay")


@pytest.fixture(scope="module")
def token() -> Iterator[tuple[Sandbox, Callable[[str], httpx.Response]]]:
    """A sandbox, and its token call with a grant type."""
    limits = Limits(per_hour=1_000, per_day=5_000)
    with Sandbox(seed=7, clock=Clock(), limits=limits) as sandbox, connected(sandbox) as client:
        basic = b64encode(f"{client.credentials.client_id}:{client.credentials.client_secret}".encode()).decode()

        def call(grant: str) -> httpx.Response:
            form = {"grant_type": grant, "scope": "https://api.ebay.com/oauth/api_scope"}
            return client.http.post(TOKEN, data=form, headers={"authorization": f"Basic {basic}"})

        yield sandbox, call


@pytest.fixture
def get(token: tuple[Sandbox, Callable[[str], httpx.Response]]) -> Iterator[Get]:
    sandbox, mint = token
    bearer = f"Bearer {mint('client_credentials').json()['access_token']}"
    headers = {"authorization": bearer, "x-ebay-c-marketplace-id": "EBAY_US"}
    with httpx.Client(base_url=sandbox.url, headers=headers, verify=False, timeout=SECONDS) as client:
        yield lambda path, query: client.get(path, params=query)
    sandbox.faults.clear()


def _wrong(ebay: Document, answer: httpx.Response) -> list[str]:
    """What is wrong with the call that was sent and with its answer."""
    sent, path = answer.request, answer.request.url.path
    query, headers = dict(sent.url.params), dict(sent.headers)
    problems = ebay.check_request(sent.method, path, query=query, headers=headers, body=sent.content)
    return [*problems, *ebay.check_response(sent.method, path, answer.status_code, answer.json())]


@pytest.mark.parametrize("grant", ["client_credentials", "refresh_token"])
def test_the_token_call_and_its_refusal_are_as_documented(
    ebay: Document, token: tuple[Sandbox, Callable[[str], httpx.Response]], grant: str
) -> None:
    assert _wrong(ebay, token[1](grant)) == []


@pytest.mark.parametrize(
    "query",
    [
        WHOLE,
        {"q": "DD1391-100", "filter": "buyingOptions:{AUCTION|FIXED_PRICE}", "limit": "200"},
        {"q": "ZZ0000-000"},
        {"q": "DD1391-100", "filter": "conditions:{SHINY}"},
        {"q": "CW1590-100 5Y", "offset": "2", "limit": "2"},
    ],
)
def test_each_search_and_its_answer_are_as_documented(ebay: Document, get: Get, query: dict[str, str]) -> None:
    answer = get(SEARCH, query)
    assert answer.status_code == 200
    assert _wrong(ebay, answer) == []


def test_rate_limits_are_as_documented(ebay: Document, get: Get) -> None:
    answer = get(RATE_LIMITS, {})
    assert answer.status_code == 200
    assert _wrong(ebay, answer) == []


@pytest.mark.parametrize("path", [SEARCH, RATE_LIMITS])
@pytest.mark.parametrize("fault", [Throttle(), ServerError(status=500), ServerError(status=503), Hang(hold_ms=1)])
def test_each_fault_is_as_documented(
    ebay: Document, get: Get, token: tuple[Sandbox, object], path: str, fault: Fault
) -> None:
    token[0].faults.set(fault)
    answer = get(path, WHOLE if path == SEARCH else {})
    assert answer.status_code >= 400
    assert _wrong(ebay, answer) == []


@pytest.mark.parametrize(
    ("query", "status"), [({}, 400), ({"q": "x", "limit": "0"}, 400), ({"q": "x", "limit": "3", "offset": "2"}, 400)]
)
def test_each_refusal_is_as_documented(ebay: Document, get: Get, query: dict[str, str], status: int) -> None:
    answer = get(SEARCH, query)
    assert answer.status_code == status
    assert _wrong(ebay, answer) == []
    assert answer.json()["errors"][0]["errorId"] in _listed(ebay, status)


def test_who_has_no_token_is_told_as_documented(ebay: Document, get: Get, token: tuple[Sandbox, object]) -> None:
    answer = httpx.get(
        f"{token[0].url}{SEARCH}", params=WHOLE, headers={"authorization": "Bearer x"}, verify=False, timeout=SECONDS
    )
    assert answer.status_code == 401
    assert _wrong(ebay, answer) == []


@pytest.mark.parametrize("fault", [RetypeField(field="total"), AddField(field="warnings", value="none")])
def test_a_spoiled_answer_is_not_as_documented(
    ebay: Document, get: Get, token: tuple[Sandbox, object], fault: Fault
) -> None:
    token[0].faults.set(fault)
    assert _wrong(ebay, get(SEARCH, WHOLE)) != []


def _listed(ebay: Document, status: int) -> set[int]:
    """The error ids that the document lists for a search."""
    operation = ebay.operation("GET", SEARCH)
    assert operation is not None
    return {int(name) for name in operation.spec["responses"][str(status)]["content"]["application/json"]["examples"]}
